"""A supplier that is set up wrongly at Stedi is found before its first order, and a mute Stedi never stops anybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pytest_httpx import HTTPXMock

from plexstedi.stedi.client import StediClient
from plexstedi.stedi.preflight import CouldNotVerify, NeededSetting, Verified, Wrong

BASE = "https://core.us.stedi.com/2023-08-01/x12/partnerships/us_acme"
NEEDED = [NeededSetting("850", "01SET850")]


def partnership() -> dict[str, Any]:
    return {
        "partnershipId": "us_acme",
        "outboundTransactions": [
            {
                "outboundX12TransactionSettingsId": "01SET850",
                "transactionSetIdentifier": "850",
                "guideId": "01GUIDE",
                "connection": {"connectionType": "remote-ftp", "connectionId": "c1"},
            }
        ],
        "inboundTransactions": [{"transactionSetIdentifier": "855"}, {"transactionSetIdentifier": "997"}],
    }


def connections(**more: Any) -> dict[str, Any]:
    return {"remoteFtp": [{"connectionId": "c1", "status": "Available", "enabled": True, **more}], "as2": []}


def ask(stedi: StediClient, httpx_mock: HTTPXMock, told: Any, connected: Any) -> object:
    httpx_mock.add_response(url=BASE, json=told)
    httpx_mock.add_response(url=f"{BASE}/connections", json=connected)
    return stedi.preflight("us_acme", NEEDED)


def test_a_supplier_that_is_set_up_is_verified(stedi: StediClient, httpx_mock: HTTPXMock) -> None:
    assert ask(stedi, httpx_mock, partnership(), connections()) == Verified()


def no_setting(told: dict[str, Any]) -> None:
    told["outboundTransactions"][0]["outboundX12TransactionSettingsId"] = "01OTHER"


def other_set(told: dict[str, Any]) -> None:
    told["outboundTransactions"][0]["transactionSetIdentifier"] = "810"


def no_connection(told: dict[str, Any]) -> None:
    del told["outboundTransactions"][0]["connection"]


def gone_connection(told: dict[str, Any]) -> None:
    told["outboundTransactions"][0]["connection"]["connectionId"] = "c9"


def no_997(told: dict[str, Any]) -> None:
    del told["inboundTransactions"][1]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (no_setting, "it has: 01OTHER"),
        (other_set, "is for 810, not for 850"),
        (no_connection, "has no connection"),
        (gone_connection, "is missing"),
        (no_997, "no inbound setting for 997"),
    ],
)
def test_what_is_wrong_is_named(
    stedi: StediClient, httpx_mock: HTTPXMock, change: Callable[[dict[str, Any]], None], word: str
) -> None:
    told = partnership()
    change(told)
    result = ask(stedi, httpx_mock, told, connections())
    assert isinstance(result, Wrong)
    assert len(result.reasons) == 1
    assert word in result.reasons[0]


@pytest.mark.parametrize(("state", "word"), [({"enabled": False}, "is disabled"), ({"status": "Failed"}, "is failed")])
def test_a_connection_that_does_not_work_is_wrong(
    stedi: StediClient, httpx_mock: HTTPXMock, state: dict[str, Any], word: str
) -> None:
    result = ask(stedi, httpx_mock, partnership(), connections(**state))
    assert isinstance(result, Wrong)
    assert word in result.reasons[0]


@pytest.mark.parametrize(
    "more", [{"status_code": 403, "json": {"message": "no"}}, {"status_code": 404}, {"html": "<html/>"}, {"json": {}}]
)
def test_a_stedi_that_does_not_tell_is_no_fault(
    stedi: StediClient, httpx_mock: HTTPXMock, more: dict[str, Any]
) -> None:
    httpx_mock.add_response(url=BASE, **more)
    if more == {"json": {}}:
        httpx_mock.add_response(url=f"{BASE}/connections", json={})
    assert isinstance(stedi.preflight("us_acme", NEEDED), CouldNotVerify)


@pytest.mark.parametrize(
    "more",
    [
        {"json": {"message": "Partnership us_acme was not found", "code": "ResourceNotFoundException"}},
        {"json": {"message": "not found"}},
        {"json": {}, "headers": {"x-amzn-errortype": "ResourceNotFoundException"}},
    ],
)
def test_a_partnership_that_stedi_says_it_does_not_have_is_wrong(
    stedi: StediClient, httpx_mock: HTTPXMock, more: dict[str, Any]
) -> None:
    """Every send to it would be refused with 404, too."""
    httpx_mock.add_response(url=BASE, status_code=404, **more)
    result = stedi.preflight("us_acme", NEEDED)
    assert isinstance(result, Wrong)
    assert "no partnership us_acme" in result.reasons[0]


def test_connections_that_are_not_reported_are_noted(stedi: StediClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(url=BASE, json=partnership())
    httpx_mock.add_response(url=f"{BASE}/connections", status_code=403, json={"message": "no"})
    result = stedi.preflight("us_acme", NEEDED)
    assert isinstance(result, Verified)
    assert "connection" in result.notes[0]
