"""Documents are fetched from storage without our key going there, and their addresses never show."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pytest_httpx import HTTPXMock

from plexstedi.errors import ServiceUnavailable
from plexstedi.stedi.client import StediClient

URL = "https://store.example.com/doc?X-Amz-Signature=SIGNATUREOFADOCUMENT"
Answer = Callable[..., None]


def test_a_document_is_fetched_without_authorization(
    stedi: StediClient, answer: Answer, httpx_mock: HTTPXMock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer("/transactions/t1/output-url", {"documentDownloadUrl": URL})
    httpx_mock.add_response(url=URL, content=b'{"heading": {}}')
    assert stedi.transaction_document("t1", "output") == b'{"heading": {}}'
    asked, fetched = httpx_mock.get_requests()
    assert "Authorization" in asked.headers
    assert "Authorization" not in fetched.headers
    assert "SIGNATUREOFADOCUMENT" not in caplog.text


@pytest.mark.parametrize(
    ("fetch", "path"),
    [
        (lambda stedi: stedi.transaction_document("a/b", "input"), "/transactions/a%2Fb/input-url"),
        (lambda stedi: stedi.execution_document("e1", "output"), "/executions/e1/output-url"),
        (lambda stedi: stedi.execution_document("e1", "metadata"), "/executions/e1/metadata-url"),
    ],
)
def test_each_document_has_its_address(
    stedi: StediClient,
    answer: Answer,
    httpx_mock: HTTPXMock,
    fetch: Callable[[StediClient], bytes | None],
    path: str,
) -> None:
    answer(path, {"documentDownloadUrl": URL})
    httpx_mock.add_response(url=URL, content=b"ISA")
    assert fetch(stedi) == b"ISA"


def test_a_document_that_does_not_exist_is_none(stedi: StediClient, answer: Answer) -> None:
    answer("/executions/e1/output-url", {"message": "inbound has no output"}, status=404)
    answer("/executions/e2/output-url", {})
    assert stedi.execution_document("e1", "output") is None
    assert stedi.execution_document("e2", "output") is None


def test_an_expired_address_is_replaced_once(stedi: StediClient, answer: Answer, httpx_mock: HTTPXMock) -> None:
    answer("/transactions/t1/output-url", {"documentDownloadUrl": URL})
    httpx_mock.add_response(url=URL, status_code=403, text="<Error>expired</Error>")
    answer("/transactions/t1/output-url", {"documentDownloadUrl": URL + "2"})
    httpx_mock.add_response(url=URL + "2", content=b"{}")
    assert stedi.transaction_document("t1", "output") == b"{}"


@pytest.mark.parametrize(
    "trouble",
    [
        {"status_code": 403},
        {"status_code": 500},
        {"html": "<!doctype html><title>Sign in to the guest network</title>"},
        {"exception": httpx.ConnectError(f"no route to {URL}")},
    ],
)
def test_a_storage_that_keeps_refusing_is_left_for_the_next_run_without_naming_the_address(
    stedi: StediClient, answer: Answer, httpx_mock: HTTPXMock, trouble: dict[str, Any]
) -> None:
    answer("/transactions/t1/output-url", {"documentDownloadUrl": URL}, is_reusable=True)
    if "exception" in trouble:
        httpx_mock.add_exception(trouble["exception"], url=URL, is_reusable=True)
    else:
        httpx_mock.add_response(url=URL, is_reusable=True, **trouble)
    with pytest.raises(ServiceUnavailable) as caught:
        stedi.transaction_document("t1", "output")
    chain: BaseException | None = caught.value
    while chain is not None:
        if isinstance(chain, ServiceUnavailable):
            assert "SIGNATUREOFADOCUMENT" not in str(chain) + chain.fix
        chain = chain.__cause__
