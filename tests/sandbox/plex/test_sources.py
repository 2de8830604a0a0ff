"""The sandbox's data sources over JSON and SOAP are as strict as Plex's, and show its traps."""

from __future__ import annotations

import base64
import re

import httpx
import pytest

from plexstedi.decimal_json import Json, dumps, loads
from tests.sandbox.conftest import Caller

CONTENT = {"Content-Type": "application/json; charset=utf-8"}
SOAP = {
    "Content-Type": "text/xml; charset=utf-8",
    "SOAPAction": '"http://www.plexus-online.com/DataSource/ExecuteDataSource"',
}


def account(caller: Caller, password: str | None = None) -> dict[str, str]:
    settings = caller.sandbox.plex_settings
    pair = f"{settings.account}:{settings.account_password if password is None else password}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def execute(caller: Caller, source: int, inputs: Json, *, form: str = "") -> httpx.Response:
    body = inputs if form else {"inputs": inputs}
    return caller.plex_http.post(
        f"/api/datasources/{source}/execute{form}", content=dumps(body), headers=account(caller) | CONTENT
    )


def soap(caller: Caller, source: int, more: str = "", doctype: str = "", **inputs: str) -> httpx.Response:
    given = "".join(
        f"<dat:InputParameter><dat:Name>@{name}</dat:Name><dat:Value>{value}</dat:Value></dat:InputParameter>"
        for name, value in inputs.items()
    )
    body = (
        f'<?xml version="1.0" encoding="utf-8"?>{doctype}'
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:dat="http://www.plexus-online.com/DataSource"><e:Body><dat:ExecuteDataSource>'
        f"<dat:ExecuteDataSourceRequest><dat:DataSourceKey>{source}</dat:DataSourceKey>"
        f"<dat:InputParameters>{given}{more}</dat:InputParameters></dat:ExecuteDataSourceRequest>"
        "</dat:ExecuteDataSource></e:Body></e:Envelope>"
    )
    return caller.plex_http.post("/DataSource/Service.asmx", content=body.encode(), headers=account(caller) | SOAP)


def value(response: httpx.Response, name: str) -> str:
    found = re.search(f"<{name}>([^<]*)</{name}>", response.text)
    return "" if found is None else found[1]


def test_the_same_order_comes_over_json_in_both_forms_and_over_soap(caller: Caller) -> None:
    order = caller.sandbox.plex.tenant.orders[0]
    first = loads(execute(caller, 3827, {"PO_Key": order.key}).content)
    second = loads(execute(caller, 3827, {"PO_Key": order.key}, form="?format=2").content)
    (table,) = first["tables"]
    (row,) = table["rows"]
    named = dict(zip(table["columns"], row, strict=True))
    # Nulls are values in the first form, and are left out in the second.
    assert {key: item for key, item in named.items() if item is not None} == second["rows"][0]
    assert (named["PO_No"], table["rowLimitedExceeded"]) == (order.number, False)
    assert f"<Name>PO_No</Name><Value>{order.number}</Value>" in soap(caller, 3827, PO_Key=str(order.key)).text


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"po_key": 1}, "DATA_SOURCE_INPUT_NOT_FOUND"),
        ({"PO_Key": "1"}, "DATA_SOURCE_INPUT_TYPE_MISMATCH"),
        ({"PO_Key": None}, "DATA_SOURCE_INPUT_NOT_NULLABLE"),
        ({}, "DATA_SOURCE_INPUT_REQUIRED"),
    ],
)
def test_wrong_inputs_are_refused(caller: Caller, inputs: Json, code: str) -> None:
    response = execute(caller, 3827, inputs)
    assert (response.status_code, loads(response.content)["errors"][0]["code"]) == (400, code)


def test_a_missing_grant_is_403_over_json_and_an_error_over_soap(caller: Caller) -> None:
    caller.sandbox.plex_settings.granted -= {6200}
    refused = execute(caller, 6200, {"PO_Key": 1})
    assert (refused.status_code, "DATA_SOURCE_ACCESS_DENIED" in refused.text) == (403, True)
    over_soap = soap(caller, 6200, PO_Key="1")
    assert (over_soap.status_code, value(over_soap, "Error")) == (200, "true")


@pytest.mark.parametrize("flag", ["rowLimitedExceeded", "rowLimitExceeded", "limitExceeded"])
@pytest.mark.parametrize("in_tables", [True, False])
def test_a_reached_row_limit_is_flagged_over_json_and_silent_over_soap(
    caller: Caller, flag: str, in_tables: bool
) -> None:
    settings = caller.sandbox.plex_settings
    settings.row_limits[2874], settings.row_limit_flag, settings.row_limit_flag_in_tables = 1, flag, in_tables
    body = loads(execute(caller, 2874, {}).content)
    place = body["tables"][0] if in_tables else body
    assert (len(body["tables"][0]["rows"]), place[flag]) == (1, True)
    over_soap = soap(caller, 2874)
    assert (value(over_soap, "RowCount"), value(over_soap, "Error")) == ("1", "false")


def test_a_business_error_comes_with_200(caller: Caller) -> None:
    inputs: Json = {"Line_Item_Key": 1, "Release_No": 1, "Note": "x"}
    body = loads(execute(caller, 2770, inputs, form="?format=2").content)
    assert body["outputs"]["Result_Error"] is True
    over_soap = soap(caller, 2770, Line_Item_Key="1", Release_No="1", Note="x")
    assert "<Name>@Result_Error</Name><Value>True</Value>" in over_soap.text


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


def test_keys_are_the_same_in_every_call(caller: Caller) -> None:
    twice = [loads(execute(caller, 2874, {}).content)["tables"][0]["rows"] for _ in range(2)]
    assert twice[0] == twice[1]
    assert len(twice[0]) > 0
