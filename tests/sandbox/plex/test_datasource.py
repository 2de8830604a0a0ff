"""The sandbox's data sources over JSON are as strict as Plex's, and show its traps."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from plexstedi.decimal_json import Json, loads
from plexstedi.sandbox.faults import FaultKind, FaultRule
from tests.sandbox.conftest import Caller
from tests.sandbox.plex.source_calls import account, execute, soap, value

TEXT = "%m/%d/%Y %I:%M:%S %p"
FLAGS = ["rowLimitedExceeded", "rowLimitExceeded", "limitExceeded"]


def table(caller: Caller, source: int, inputs: Json) -> list[dict[str, Json]]:
    """The rows of one call by column name."""
    response = execute(caller, source, inputs)
    assert response.status_code == 200, response.text
    (one,) = loads(response.content)["tables"]
    return [dict(zip(one["columns"], row, strict=True)) for row in one["rows"]]


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


@pytest.mark.parametrize("flag", FLAGS)
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


def test_keys_are_the_same_in_every_call(caller: Caller) -> None:
    twice = [loads(execute(caller, 2874, {}).content)["tables"][0]["rows"] for _ in range(2)]
    assert twice[0] == twice[1]
    assert len(twice[0]) > 0


def test_the_number_of_a_release_counts_within_its_line(caller: Caller) -> None:
    order = next(each for each in caller.sandbox.plex.tenant.orders if len(each.lines) > 1)
    rows = table(caller, 6200, {"PO_Key": order.key})
    numbers = [row["Release_No"] for row in rows]
    assert len(set(numbers)) < len(numbers)
    pairs = [(row["Line_Item_Key"], row["Release_No"]) for row in rows]
    assert sorted(pairs) == sorted((line.key, each.number) for line in order.lines for each in line.releases)


def test_a_write_reaches_the_release_of_its_line_and_no_other_of_that_number(caller: Caller) -> None:
    order = next(each for each in caller.sandbox.plex.tenant.orders if len(each.lines) > 1)
    second = order.lines[1]
    inputs: Json = {"Line_Item_Key": second.key, "Release_No": second.releases[0].number, "Note": "ours"}
    assert loads(execute(caller, 2770, inputs, form="?format=2").content)["outputs"]["Result_Error"] is False
    noted = [(line.number, each.number) for line in order.lines for each in line.releases if each.note == "ours"]
    assert noted == [(second.number, second.releases[0].number)]


def test_invoices_are_found_by_the_time_of_creation_and_their_lines_by_key(caller: Caller) -> None:
    invoice = caller.sandbox.plex.tenant.invoices[0]
    until = f"{invoice.created:%Y-%m-%dT%H:%M:%SZ}", f"{invoice.created + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"
    found = table(caller, 21287, {"Begin_Date": until[0], "End_Date": until[1]})
    (row,) = [each for each in found if each["Invoice_No"] == invoice.number]
    assert (row["Customer_Code"], row["Customer_PO_No"]) == (invoice.customer_code, invoice.customer_order)
    lines = table(caller, 735, {"Invoice_Link": row["Invoice_Link"]})
    assert [(each["Quantity"], each["Unit_Price"]) for each in lines] == [
        (each.quantity, each.unit_price) for each in invoice.lines
    ]
    taxed = [Decimal(str(each[name] or 0)) for each in lines for name in ("Amount", "Tax_Amount")]
    assert row["Amount"] == sum(taxed, Decimal(0))
    assert table(caller, 21287, {"Begin_Date": "2099-01-01T00:00:00Z", "End_Date": "2099-01-02T00:00:00Z"}) == []


def test_an_older_source_gives_and_takes_dates_as_texts(caller: Caller) -> None:
    caller.sandbox.plex_settings.text_dates = TEXT
    order = caller.sandbox.plex.tenant.orders[0]
    metadata = loads(caller.plex_http.get("/api/datasources/21338", headers=account(caller)).content)
    assert {each["type"] for each in metadata["inputs"]} == {"string"}
    refused = execute(caller, 21338, {"Begin_Date": "2026-11-01T00:00:00Z", "End_Date": "2026-12-01T00:00:00Z"})
    assert (refused.status_code, "INPUT_FORMAT_INVALID" in refused.text) == (400, True)
    begin, end = (f"{order.created + timedelta(seconds=each):{TEXT}}" for each in (0, 1))
    rows = table(caller, 21338, {"Begin_Date": begin, "End_Date": end})
    assert [row["Add_Date"] for row in rows if row["PO_No"] == order.number] in ([begin], [])
    (header,) = table(caller, 3827, {"PO_Key": order.key})
    assert header["Add_Date"] == begin
    over_soap = soap(caller, 3827, PO_Key=str(order.key))
    assert f"<Name>Add_Date</Name><Value>{begin}</Value>" in over_soap.text
    assert value(soap(caller, 21338, Begin_Date="2026-11-01", End_Date=end), "Error") == "true"


@pytest.mark.parametrize("place", ["", "tables."])
@pytest.mark.parametrize("flag", FLAGS)
def test_the_row_limit_as_a_fault_has_every_spelling_and_place(caller: Caller, flag: str, place: str) -> None:
    caller.sandbox.inject(FaultRule(FaultKind.ROW_LIMIT, source=2874, filter=f"{place}{flag}"))
    body = loads(execute(caller, 2874, {}).content)
    assert len(body["tables"][0]["rows"]) == 1
    assert (body["tables"][0] if place else body)[flag] is True
    assert flag not in (body if place else body["tables"][0])
    assert len(table(caller, 2874, {})) > 1


def test_a_fault_hits_one_data_source_and_no_other(caller: Caller) -> None:
    caller.sandbox.inject(FaultRule(FaultKind.ACCESS_DENIED, source=20, times=None))
    assert [execute(caller, each, {}).status_code for each in (20, 2769, 126)] == [403, 200, 200]
    assert [value(soap(caller, each), "Error") for each in (20, 2769)] == ["true", "false"]
    assert [call.source for call in caller.sandbox.log] == [20, 2769, 126, 20, 2769]


def test_a_refused_write_changes_nothing_and_answers_with_200(caller: Caller) -> None:
    order = caller.sandbox.plex.tenant.orders[0]
    line = order.lines[0]
    inputs: Json = {"Line_Item_Key": line.key, "Release_No": line.releases[0].number, "Note": "ours"}
    caller.sandbox.inject(FaultRule(FaultKind.RESULT_ERROR, source=2770))
    caller.sandbox.inject(FaultRule(FaultKind.ERRORS_WITH_200, source=2770))
    refused = execute(caller, 2770, inputs)
    assert (refused.status_code, loads(refused.content)["outputs"]["Result_Error"]) == (200, True)
    refused = execute(caller, 2770, inputs)
    assert (refused.status_code, "errors" in loads(refused.content)) == (200, True)
    assert caller.sandbox.plex.writes == []
    assert loads(execute(caller, 2770, inputs).content)["outputs"]["Result_Error"] is False


@pytest.mark.parametrize(
    ("kind", "rows"), [(FaultKind.NO_ROWS, 0), (FaultKind.IGNORED_FILTER, 24), (FaultKind.DEFAULT_TENANT, 0)]
)
def test_rows_can_be_missing_too_many_or_of_another_company(caller: Caller, kind: FaultKind, rows: int) -> None:
    order = caller.sandbox.plex.tenant.orders[0]
    caller.sandbox.inject(FaultRule(kind, source=3827))
    assert len(table(caller, 3827, {"PO_Key": order.key})) == rows
    assert len(table(caller, 3827, {"PO_Key": order.key})) == 1


def test_a_broken_or_empty_body_is_a_complete_response(caller: Caller) -> None:
    caller.sandbox.inject(FaultRule(FaultKind.BROKEN_BODY))
    caller.sandbox.inject(FaultRule(FaultKind.EMPTY_BODY))
    broken, empty = execute(caller, 126, {}), execute(caller, 126, {})
    assert (broken.status_code, int(broken.headers["Content-Length"])) == (200, len(broken.content))
    assert broken.content.startswith(b"{")
    assert not broken.content.endswith(b"}")
    assert (empty.status_code, empty.content) == (200, b"")


def test_every_kind_of_credential_lapses(caller: Caller) -> None:
    sandbox = caller.sandbox
    sandbox.plex_settings.credentials_lapse = sandbox.clock.now() + timedelta(days=31)
    form = {"grant_type": "client_credentials", "client_id": "sandbox-client", "client_secret": "sandbox-client-secret"}
    paths = ("/mdm/v1/tenants", "/api/datasources/382")

    def statuses() -> list[int]:
        gets = [caller.plex_http.get(path, headers=caller.plex_headers | account(caller)).status_code for path in paths]
        return [*gets, soap(caller, 382).status_code, caller.plex_http.post("/oauth2/token", data=form).status_code]

    assert statuses() == [200, 200, 200, 200]
    sandbox.advance(timedelta(days=31))
    assert statuses() == [401, 401, 401, 401]


def test_a_collection_at_another_version_is_only_there(caller: Caller) -> None:
    caller.sandbox.plex_settings.moved["/mdm/v1/suppliers"] = "/mdm/v2/suppliers"
    one = caller.rows("/mdm/v2/suppliers")[0]
    assert caller.plex(f"/mdm/v2/suppliers/{one['id']}").status_code == 200
    for path in ("/mdm/v1/suppliers", f"/mdm/v1/suppliers/{one['id']}"):
        assert caller.plex(path).status_code == 404
    assert caller.plex("/mdm/v1/parts").status_code == 200
