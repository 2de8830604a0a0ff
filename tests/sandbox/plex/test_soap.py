"""The sandbox's Classic SOAP service: every value a text, faults as HTTP 500, and what a careless reader trips over."""

from __future__ import annotations

from xml.etree import ElementTree

import httpx
import pytest

from plexstedi.sandbox.faults import FaultKind, FaultRule
from tests.sandbox.conftest import Caller
from tests.sandbox.plex.source_calls import CONTENT, SOAP, account, soap, value


def values(response: httpx.Response, name: str) -> list[str]:
    """All values of one column, an empty element as an empty text."""
    return [
        column.findtext("{*}Value") or ""
        for column in ElementTree.fromstring(response.content).findall(".//{*}Column")
        if column.findtext("{*}Name") == name
    ]


def test_soap_refuses_what_it_cannot_read(caller: Caller) -> None:
    assert value(soap(caller, 3827, PO_Key="one"), "Error") == "true"
    assert value(soap(caller, 3827, po_key="1"), "Error") == "true"
    bomb = soap(caller, 382, doctype='<!DOCTYPE x [<!ENTITY a "aaaa">]>')
    assert (bomb.status_code, value(bomb, "faultcode")) == (500, "soap:Client")
    broken = caller.plex_http.post("/DataSource/Service.asmx", content=b"<a", headers=account(caller) | SOAP)
    assert value(broken, "faultcode") == "soap:Client"
    unnamed = caller.plex_http.post("/DataSource/Service.asmx", content=b"<a/>", headers=account(caller))
    assert value(unnamed, "faultcode") == "soap:Client"
    wrong = account(caller, "wrong")
    for path in ("/DataSource/Service.asmx", "/api/datasources/382/execute"):
        assert caller.plex_http.post(path, content=b"{}", headers=wrong | CONTENT).status_code == 401


def test_a_name_is_taken_with_and_without_its_sign_and_case_counts(caller: Caller) -> None:
    order = caller.sandbox.plex.tenant.orders[0]
    bare = f"<dat:InputParameter><dat:Name>PO_Key</dat:Name><dat:Value>{order.key}</dat:Value></dat:InputParameter>"
    for response in (soap(caller, 3827, bare), soap(caller, 3827, PO_Key=str(order.key))):
        assert values(response, "PO_No") == [order.number]
    assert value(soap(caller, 3827), "Error") == "true"


def test_null_and_an_empty_text_are_the_same_empty_element(caller: Caller) -> None:
    order = caller.sandbox.plex.tenant.orders[0]
    order.note = None
    assert values(soap(caller, 3827, PO_Key=str(order.key)), "Note") == [""]
    assert values(soap(caller, 3827, PO_Key="1"), "Note") == []


@pytest.mark.parametrize(
    ("kind", "mark"),
    [
        (FaultKind.XML_BOMB, b"<!ENTITY t "),
        (FaultKind.EXTERNAL_ENTITY, b'SYSTEM "file:///'),
        (FaultKind.LONG_ATTRIBUTE, b"x" * 5_000_000),
    ],
)
def test_hostile_xml_comes_with_200_and_only_while_the_fault_lasts(
    caller: Caller, kind: FaultKind, mark: bytes
) -> None:
    caller.sandbox.inject(FaultRule(kind, source=382))
    hostile = soap(caller, 382)
    assert (hostile.status_code, hostile.headers["Content-Type"]) == (200, "text/xml; charset=utf-8")
    assert mark in hostile.content
    assert values(soap(caller, 382), "Plexus_Customer_Code") == ["RIVERBEND"]


@pytest.mark.parametrize("kind", [FaultKind.ACCESS_DENIED, FaultKind.ERRORS_WITH_200])
def test_a_failure_is_an_error_with_200_and_has_no_rows(caller: Caller, kind: FaultKind) -> None:
    caller.sandbox.inject(FaultRule(kind, source=126))
    failed = soap(caller, 126)
    assert (failed.status_code, value(failed, "Error"), value(failed, "RowCount")) == (200, "true", "0")
    assert value(failed, "Message")
    assert value(soap(caller, 126), "Error") == "false"


def test_a_reached_row_limit_is_not_told(caller: Caller) -> None:
    caller.sandbox.inject(FaultRule(FaultKind.ROW_LIMIT, source=2874))
    short = soap(caller, 2874)
    assert (value(short, "RowCount"), value(short, "Error"), b"xceeded" in short.content) == ("1", "false", False)
    assert int(value(soap(caller, 2874), "RowCount")) > 1


def test_the_account_of_another_company_shows_its_own_rows(caller: Caller) -> None:
    caller.sandbox.inject(FaultRule(FaultKind.DEFAULT_TENANT, source=382))
    assert values(soap(caller, 382), "Plexus_Customer_Code") == ["NORTHWOOD"]
