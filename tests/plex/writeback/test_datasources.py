"""Plex's data sources on the wire: exact requests, every form of answer, and what each failure means."""

from __future__ import annotations

import base64
import json
import random
from decimal import Decimal
from zoneinfo import ZoneInfo

import httpx
import pytest

from plexstedi.errors import ServiceRefused, ServiceUnavailable
from plexstedi.http.caller import Caller
from plexstedi.plex.days import Days
from plexstedi.plex.port import FieldValues, NotWritten, RecordRef, WriteRefused, WriteUnknown, Written
from plexstedi.plex.settings import AcknowledgmentRecords, DataSourceMap, Level
from plexstedi.plex.writeback.custom_fields import values_agree
from plexstedi.plex.writeback.datasources import DataSources, basic_headers, datasource_refusal
from plexstedi.plex.writeback.records_datasource import DataSourceRecords
from plexstedi.plex.writeback.release_keys import RestReleaseKeys
from tests.plex.conftest import StillClock

URL = "https://plex.example/api/datasources"


@pytest.fixture
def sources(httpx_mock) -> DataSources:
    caller = Caller(
        "Plex",
        URL,
        headers=basic_headers("ACME.webservice@plex.com", "pässword-of-the-account"),
        clock=StillClock(),
        rng=random.Random(1),
        refusal=datasource_refusal(),
    )
    return DataSources(caller)


def result(**more: object) -> dict[str, object]:
    return {"outputs": {}, "rows": [], "rowLimitedExceeded": False, "transactionNo": "1234567890", **more}


def test_a_read_sends_flat_inputs_under_basic_authentication(httpx_mock, sources):
    httpx_mock.add_response(json=result(rows=[{"Note": "x", "Quantity": 1.10}]))
    (row,) = sources.read(16518, {"PO_Key": 4711, "Quantity": Decimal("1.50")})
    assert row == {"Note": "x", "Quantity": Decimal("1.1")}
    (request,) = httpx_mock.get_requests()
    assert str(request.url) == f"{URL}/16518/execute?format=2"
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    scheme, _, encoded = request.headers["authorization"].partition(" ")
    assert (scheme, base64.b64decode(encoded).decode()) == (
        "Basic",
        "ACME.webservice@plex.com:pässword-of-the-account",
    )
    assert request.content == b'{"PO_Key":4711,"Quantity":1.50}'


def test_tables_of_columns_and_rows_are_read_as_well(httpx_mock, sources):
    table = {"columns": ["Line_Item_Key", "Note"], "rows": [[1, "a"], [2, None]], "rowLimitedExceeded": False}
    httpx_mock.add_response(json={"outputs": {}, "tables": [table], "transactionNo": "1"})
    assert sources.read(16518, {}) == ({"Line_Item_Key": 1, "Note": "a"}, {"Line_Item_Key": 2, "Note": None})


@pytest.mark.parametrize("flag", ["rowLimitedExceeded", "rowLimitExceeded", "limitExceeded"])
@pytest.mark.parametrize("inside", [True, False])
def test_rows_that_were_left_out_are_never_taken_for_all(httpx_mock, sources, flag, inside):
    plain = {"outputs": {}, "rows": [], flag: True}
    tables = {"outputs": {}, "tables": [{"columns": [], "rows": [], flag: True}]}
    httpx_mock.add_response(json=tables if inside else plain)
    with pytest.raises(ServiceUnavailable, match="were omitted") as caught:
        sources.read(16518, {})
    assert caught.value.code == "row-limit"


@pytest.mark.parametrize("failed", [True, 1, "1", "True"])
@pytest.mark.parametrize("name", ["Result_Error", "@Result_Error"])
def test_a_business_failure_comes_with_200_and_is_no_success(httpx_mock, sources, failed, name):
    httpx_mock.add_response(json=result(outputs={name: failed, "@Result_Message": "The release is closed."}))
    assert sources.write(28809, {"Release_No": 1}) == WriteRefused("The release is closed.")


@pytest.mark.parametrize("fine", [False, 0, "0", "False", "", None])
def test_a_result_error_that_says_no_is_a_success(httpx_mock, sources, fine):
    httpx_mock.add_response(json=result(outputs={"Result_Error": fine, "Result_Message": None}))
    assert sources.write(28809, {"Release_No": 1}) == Written()


def error(code: str, status: int) -> httpx.Response:
    body = {"errors": [{"code": code, "message": "said so"}], "transactionNo": "1"}
    return httpx.Response(status, json=body)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("USER_ACCESS_DENIED", 401),
        ("DATA_SOURCE_ACCESS_DENIED", 403),
        ("DATA_SOURCE_NOT_FOUND", 404),
        ("DATA_SOURCE_INPUT_NOT_FOUND", 400),
        ("DATA_SOURCE_INPUT_REQUIRED", 400),
        ("DATA_SOURCE_INPUT_TYPE_MISMATCH", 400),
    ],
)
def test_what_every_call_would_get_stops_the_run(httpx_mock, sources, code, status):
    httpx_mock.add_callback(lambda request: error(code, status), is_reusable=True)
    with pytest.raises(ServiceRefused, match=code):
        sources.write(28809, {"Release_No": 1})
    with pytest.raises(ServiceRefused, match=code):
        sources.read(16518, {})


def test_what_only_this_record_gets_leaves_the_others_alone(httpx_mock, sources):
    httpx_mock.add_callback(lambda request: error("DATA_SOURCE_INPUT_FORMAT_INVALID", 400))
    outcome = sources.write(28809, {"Acknowledgement_Note": "x"})
    assert isinstance(outcome, WriteRefused)
    assert "said so" in outcome.reason


def test_a_write_without_a_response_is_sent_once_and_its_fate_is_open(httpx_mock, sources):
    httpx_mock.add_exception(httpx.ReadTimeout("no answer"))
    assert isinstance(sources.write(28809, {}), WriteUnknown)
    assert len(httpx_mock.get_requests()) == 1


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_write_that_failed_on_their_side_is_not_repeated_blindly(httpx_mock, sources, status):
    httpx_mock.add_response(status_code=status)
    assert isinstance(sources.write(28809, {}), WriteUnknown)
    assert len(httpx_mock.get_requests()) == 1


def test_a_write_that_was_never_heard_may_be_tried_by_the_next_run(httpx_mock, sources):
    httpx_mock.add_exception(httpx.ConnectError("refused"), is_reusable=True)
    assert isinstance(sources.write(28809, {}), NotWritten)


@pytest.mark.parametrize("body", ["<html>log in</html>", '{"outputs": ', "[]", '"done"'])
def test_a_response_that_is_none_does_not_count_as_written(httpx_mock, sources, body):
    httpx_mock.add_response(text=body)
    assert isinstance(sources.write(28809, {}), WriteUnknown)


def test_a_read_is_repeated_and_then_waits_for_the_next_run(httpx_mock, sources):
    httpx_mock.add_response(status_code=503, is_reusable=True)
    with pytest.raises(ServiceUnavailable):
        sources.read(16518, {})
    assert len(httpx_mock.get_requests()) > 1


def test_metadata_names_inputs_and_columns(httpx_mock, sources):
    httpx_mock.add_response(
        url=f"{URL}/28809",
        json={
            "id": 28809,
            "name": "Release_Acknowledgement_Add",
            "inputs": [
                {"name": "Line_Item_Key", "type": "int32", "required": True, "nullable": False},
                {"name": "Acknowledgement_Note", "type": "string", "required": False, "nullable": True},
            ],
            "outputs": [],
            "columns": [{"name": "Note", "type": "string", "nullable": True}],
        },
    )
    found = sources.metadata(28809)
    assert found.inputs == {"Line_Item_Key": True, "Acknowledgement_Note": False}
    assert found.columns == {"Note"}


def test_no_password_is_in_an_error(httpx_mock, sources):
    echoed = basic_headers("ACME.webservice@plex.com", "pässword-of-the-account")["Authorization"]
    httpx_mock.add_response(status_code=400, text=json.dumps({"errors": [{"code": "X", "message": echoed}]}))
    outcome = sources.write(28809, {})
    assert isinstance(outcome, WriteRefused)
    assert echoed.split()[1] not in outcome.reason


@pytest.mark.parametrize(
    ("zone", "text"),
    [(None, "2026-12-08T00:00:00Z"), ("Europe/Berlin", "2026-12-07T23:00:00Z"), ("UTC", "2026-12-08T00:00:00Z")],
)
def test_a_day_of_a_record_is_written_and_read_as_the_plants_midnight(httpx_mock, sources, zone, text):
    write = DataSourceMap(28809, inputs={"release_id": "Release", "confirmed_ship_date": "Ship"})
    read = DataSourceMap(
        16518, inputs={"release_id": "Release"}, columns={"release_id": "Release", "confirmed_ship_date": "Ship"}
    )
    values = frozenset({"confirmed_ship_date"})
    settings = AcknowledgmentRecords(url=URL, username="x", write=write, read=read, values=values)
    # Its keys are those of the REST interface: nothing more is asked there.
    records = DataSourceRecords(
        sources, settings, RestReleaseKeys(None, {}), Days(None if zone is None else ZoneInfo(zone))
    )
    planned = FieldValues(RecordRef(Level.RELEASE, "o1", "r1"), {"Ship": "2026-12-08"})
    httpx_mock.add_response(url=f"{URL}/28809/execute?format=2", json=result())
    httpx_mock.add_response(
        url=f"{URL}/16518/execute?format=2", json=result(rows=[{"Release": "r1", "Ship": text}]), is_reusable=True
    )
    assert [each.outcome for each in records.write([planned])] == [Written()]
    assert json.loads(httpx_mock.get_requests()[0].content) == {"Release": "r1", "Ship": text}
    (held,) = records.read([planned])
    assert held.values["Ship"] == (text if zone is None else "2026-12-08")
    assert values_agree("2026-12-08", held.values["Ship"])
