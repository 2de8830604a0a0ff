"""One document becomes one document at Stedi: what each answer to a send means, and that only safe things repeat."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pytest_httpx import HTTPXMock

from plexstedi.errors import ServiceRefused, ServiceUnavailable
from plexstedi.stedi.client import StediClient
from plexstedi.stedi.outcome import Accepted, InFlight, Refused, SlotTaken, Unknown

BASE = "https://core.us.stedi.com/2023-08-01"
KEY = "test_k3y.DoNotShowThis0123456789"
PATH = "/x12/partnerships/us_acme/generate-edi"
BODY = b'{"transactionGroups":[{"transactionSettingId":"004010-850","transactions":[{}]}],"filename":"ps1_a.edi"}'
SLOT = "t1/P/PO-1001/850/r0"
GENERATED = {
    "artifactId": "f7.x12",
    "fileExecutionId": "f75168e4",
    "metadata": {"interchangeMetadata": [{"interchangeControlNumber": 2, "functionalGroupControlNumbers": [3]}]},
    "edi": "ISA*00~",
}
Answer = Callable[..., None]


def test_a_send_carries_the_bare_key_the_slot_and_the_frozen_bytes(
    stedi: StediClient, answer: Answer, httpx_mock: HTTPXMock
) -> None:
    answer(PATH, GENERATED, method="POST", headers={"Date": "Mon, 23 Nov 2026 08:00:01 GMT"})
    outcome = stedi.generate_edi("us_acme", BODY, SLOT)
    assert outcome == Accepted(
        file_execution_id="f75168e4",
        interchange_control=2,
        group_control=3,
        edi="ISA*00~",
        replayed=False,
        date=datetime(2026, 11, 23, 8, 0, 1, tzinfo=UTC),
    )
    (request,) = httpx_mock.get_requests()
    assert request.headers["Authorization"] == KEY
    assert request.headers["Idempotency-Key"] == SLOT
    assert request.headers["Content-Type"] == "application/json"
    assert request.content == BODY


def test_a_response_to_an_earlier_request_is_known_as_one(stedi: StediClient, answer: Answer) -> None:
    answer(PATH, GENERATED, method="POST", headers={"idempotent-replayed": "true"})
    outcome = stedi.generate_edi("us_acme", BODY, SLOT)
    assert isinstance(outcome, Accepted)
    assert outcome.replayed


def test_a_mapped_document_has_no_control_numbers_yet(
    stedi: StediClient, answer: Answer, httpx_mock: HTTPXMock
) -> None:
    answer("/partnerships/us_acme/transactions/01SET", {"fileExecutionId": "e1"}, method="POST")
    body = b'{"transaction":{"order":1},"filename":"ps1_a.edi","mappingId":"m"}'
    outcome = stedi.create_transaction("us_acme", "01SET", body, SLOT)
    assert isinstance(outcome, Accepted)
    assert (outcome.file_execution_id, outcome.interchange_control, outcome.group_control) == ("e1", None, None)
    (request,) = httpx_mock.get_requests()
    assert (request.headers["Idempotency-Key"], request.content) == (SLOT, body)


@pytest.mark.parametrize(
    ("status", "value", "expected"),
    [
        (400, {"message": "guide mismatch"}, Refused(400, None, "guide mismatch", ())),
        (
            400,
            {"code": "validation_failed", "message": "no", "validation_errors": ["x is missing"]},
            Refused(400, "validation_failed", "no", ("x is missing",)),
        ),
        (
            400,
            {
                "message": "no",
                "errors": [{"code": "missing_required_property", "path": ["heading", "BEG"], "message": "is required"}],
            },
            Refused(400, None, "no", ("missing_required_property: heading.BEG: is required",)),
        ),
        (404, {"message": "no such setting", "code": "not_found"}, Refused(404, "not_found", "no such setting", ())),
        (422, {"message": "other parameters under this key"}, SlotTaken("other parameters under this key")),
    ],
)
def test_conclusive_refusals_are_heard_at_once(
    stedi: StediClient, answer: Answer, httpx_mock: HTTPXMock, status: int, value: dict[str, Any], expected: object
) -> None:
    answer(PATH, value, status=status, method="POST")
    assert stedi.generate_edi("us_acme", BODY, SLOT) == expected
    assert len(httpx_mock.get_requests()) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_stops_the_run_and_lists_the_causes(stedi: StediClient, answer: Answer, status: int) -> None:
    answer(PATH, {"message": f"not allowed with {KEY}"}, status=status, method="POST")
    with pytest.raises(ServiceRefused) as caught:
        stedi.generate_edi("us_acme", BODY, SLOT)
    for cause in ("production key", "permission", "firewall"):
        assert cause in caught.value.message
    assert "credentials set stedi-api-key" in caught.value.fix
    assert KEY not in caught.value.message


def test_throttling_that_lasts_leaves_the_document_for_the_next_run(
    stedi: StediClient, answer: Answer, httpx_mock: HTTPXMock
) -> None:
    answer(PATH, {"message": "slow down"}, status=429, method="POST", is_reusable=True)
    with pytest.raises(ServiceUnavailable) as caught:
        stedi.generate_edi("us_acme", BODY, SLOT)
    assert caught.value.code == "throttled"
    assert 1 < len(httpx_mock.get_requests()) <= 4


def test_in_flight_waits_as_long_as_stedi_asks_and_then_says_so(
    stedi: StediClient, answer: Answer, clock: Any, httpx_mock: HTTPXMock
) -> None:
    answer(PATH, {"message": "in flight"}, status=409, method="POST", headers={"Retry-After": "3"}, is_reusable=True)
    assert stedi.generate_edi("us_acme", BODY, SLOT) == InFlight(3.0)
    assert set(clock.slept) == {3.0}
    assert len(httpx_mock.get_requests()) == 4


def test_in_flight_that_ends_well_is_accepted(stedi: StediClient, answer: Answer) -> None:
    answer(PATH, {"message": "in flight"}, status=409, method="POST", headers={"Retry-After": "1"})
    answer(PATH, GENERATED, method="POST")
    assert isinstance(stedi.generate_edi("us_acme", BODY, SLOT), Accepted)


@pytest.mark.parametrize("status", [500, 503, 504])
def test_a_failing_stedi_is_asked_again_with_the_same_bytes_and_key(
    stedi: StediClient, answer: Answer, httpx_mock: HTTPXMock, status: int
) -> None:
    answer(PATH, {"message": "oops"}, status=status, method="POST")
    answer(PATH, GENERATED, method="POST")
    assert isinstance(stedi.generate_edi("us_acme", BODY, SLOT), Accepted)
    first, second = httpx_mock.get_requests()
    assert (first.content, first.headers["Idempotency-Key"]) == (second.content, second.headers["Idempotency-Key"])


@pytest.mark.parametrize("status", [500, 503, 504])
def test_a_stedi_that_keeps_failing_may_have_done_it_all_the_same(
    stedi: StediClient, answer: Answer, status: int
) -> None:
    answer(PATH, {"message": "oops"}, status=status, method="POST", is_reusable=True)
    outcome = stedi.generate_edi("us_acme", BODY, SLOT)
    assert isinstance(outcome, Unknown)
    assert outcome.maybe_processed


@pytest.mark.parametrize(
    ("error", "maybe"),
    [
        (httpx.ReadTimeout("slow"), True),
        (httpx.RemoteProtocolError("cut off"), True),
        (httpx.ConnectError("refused"), False),
        (httpx.ConnectTimeout("slow"), False),
    ],
)
def test_silence_is_judged_by_whether_stedi_may_have_received_it(
    stedi: StediClient, httpx_mock: HTTPXMock, error: Exception, maybe: bool
) -> None:
    httpx_mock.add_exception(error, is_reusable=True)
    outcome = stedi.generate_edi("us_acme", BODY, SLOT)
    assert isinstance(outcome, Unknown)
    assert outcome.maybe_processed is maybe
    assert len(httpx_mock.get_requests()) == 4


def test_a_refused_key_after_a_lost_response_leaves_the_outcome_open(
    stedi: StediClient, answer: Answer, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_exception(httpx.ReadTimeout("slow"))
    answer(PATH, {"message": "no"}, status=403, method="POST")
    outcome = stedi.generate_edi("us_acme", BODY, SLOT)
    assert isinstance(outcome, Unknown)
    assert outcome.maybe_processed


@pytest.mark.parametrize(
    "more",
    [
        {"html": "<html>log in</html>"},
        {"content": b'{"fileExecutionId": "f7'},
        {"json": {}},
        {"json": []},
        {"content": b""},
    ],
)
def test_a_success_without_an_execution_is_not_taken_for_accepted(
    stedi: StediClient, httpx_mock: HTTPXMock, more: dict[str, Any]
) -> None:
    httpx_mock.add_response(url=BASE + PATH, method="POST", is_reusable=True, **more)
    outcome = stedi.generate_edi("us_acme", BODY, SLOT)
    assert isinstance(outcome, Unknown)
    assert outcome.maybe_processed


@pytest.mark.parametrize("status", [400, 404])
def test_a_page_of_some_proxy_does_not_count_as_stedis_refusal(
    stedi: StediClient, httpx_mock: HTTPXMock, status: int
) -> None:
    """Else a wrong address would mark every order as refused."""
    httpx_mock.add_response(url=BASE + PATH, method="POST", status_code=status, html="<html>nginx</html>")
    outcome = stedi.generate_edi("us_acme", BODY, SLOT)
    assert isinstance(outcome, Unknown)
    assert not outcome.maybe_processed


def test_neither_key_shows_in_any_log(stedi: StediClient, answer: Answer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answer(PATH, {"message": f"bad key {KEY}"}, status=500, method="POST", is_reusable=True)
    outcome = stedi.generate_edi("us_acme", BODY, SLOT)
    assert KEY not in caplog.text + repr(outcome)
    assert caplog.records, "each attempt is logged"


@pytest.mark.parametrize("key", ["", "x" * 256, "ü", "a\nb"])
def test_a_key_that_no_header_holds_is_never_sent(stedi: StediClient, key: str) -> None:
    with pytest.raises(ValueError, match="idempotency key"):
        stedi.generate_edi("us_acme", BODY, key)


def test_a_partnership_id_cannot_reach_another_resource(
    stedi: StediClient, answer: Answer, httpx_mock: HTTPXMock
) -> None:
    answer("/x12/partnerships/a%2F..%2Fb%3F/generate-edi", GENERATED, method="POST")
    stedi.generate_edi("a/../b?", BODY, SLOT)
    assert httpx_mock.get_requests()[0].url.raw_path.endswith(b"/x12/partnerships/a%2F..%2Fb%3F/generate-edi")
