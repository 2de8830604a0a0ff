"""Acknowledgments through data sources: releases and acknowledgment records, each write once, keys as they came."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import httpx
import pytest
from msgspec.structs import replace

from plexstedi.edi.order import ReleaseState
from plexstedi.errors import ServiceRefused
from plexstedi.plex.port import (
    CurrentRelease,
    FieldValues,
    NotWritten,
    RecordRef,
    ReleaseUpdate,
    WriteRefused,
    WriteUnknown,
    Written,
)
from plexstedi.plex.settings import AcknowledgmentRecords, DataSourceMap, Level
from tests.plex.datasource.conftest import RELEASE, tables

ID = "7001/8001/1"
KEYS = {"Line_Item_Key": 8001, "Release_Key": 1}
WRITE = DataSourceMap(
    28809,
    inputs={"line_key": "Line_Item_Key", "release": "Release_No", "ack_note": "Acknowledgement_Note"},
    constants={"Acknowledgement_Source_Key": 2},
)
READ = DataSourceMap(
    16518,
    inputs={"order": "PO_Key"},
    columns={"line_key": "Line_Item_Key", "release": "Release_No", "ack_note": "Note"},
)
RECORDS = AcknowledgmentRecords(
    url="", username="x", write=WRITE, read=READ, values=frozenset({"ack_note", "ack_reference"})
)


@pytest.fixture
def typed(make_sources):
    def make(**more):
        fake, plex = make_sources(**more)
        fake.types |= {"Release_Key": "int32", "Release_No": "int32", "Note": "string"}
        return fake, plex

    return make


def test_a_release_is_changed_with_its_other_values_and_its_status(typed):
    fake, plex = typed()
    fake.put(2770, [])
    assert plex.current_release(ID) == CurrentRelease(
        ID, "Firm", ReleaseState.FIRM, Decimal(3000), date(2026, 12, 8), RELEASE["Note"]
    )
    assert plex.update_release(ReleaseUpdate("7001", ID, note="new", due=date(2026, 12, 9))) == Written()
    assert fake.calls(2770) == [
        KEYS | {"Note": "new", "Due_Date": "2026-12-09T05:00:00Z", "Quantity": 3000, "Release_Status": "Firm"}
    ]


def test_a_day_is_written_in_the_form_of_a_source_whose_dates_are_texts(typed):
    own = tables()
    fake, plex = typed(tables=own | {"release_write": replace(own["release_write"], dates="%m/%d/%Y")})
    fake.put(2770, [])
    plex.update_release(ReleaseUpdate("7001", ID, due=date(2026, 12, 9)))
    plex.update_release(ReleaseUpdate("7001", ID, note="only this"))
    assert [inputs["Due_Date"] for inputs in fake.calls(2770)] == ["12/09/2026", "12/08/2026"]


def test_values_that_plex_does_not_have_are_omitted_not_null(typed):
    fake, plex = typed()
    fake.put(2770, [])
    fake.put(6200, [RELEASE | {"Due_Date": None, "Note": None}])
    plex.update_release(ReleaseUpdate("7001", ID, quantity=Decimal(5)))
    assert fake.calls(2770) == [KEYS | {"Quantity": 5, "Release_Status": "Firm"}]


def test_a_release_without_a_status_or_gone_is_not_written(typed):
    fake, plex = typed()
    fake.put(6200, [RELEASE | {"Release_Status": None}])
    assert isinstance(plex.update_release(ReleaseUpdate("7001", ID, note="x")), WriteRefused)
    fake.put(6200, [])
    assert isinstance(plex.update_release(ReleaseUpdate("7001", ID, note="x")), WriteRefused)
    assert plex.current_release(ID) is None
    assert fake.calls(2770) == []


def broken(error):
    def answer():
        raise error

    return answer


@pytest.mark.parametrize(
    ("say", "outcome"),
    [
        (lambda: httpx.Response(200, json={"outputs": {"Result_Error": 1, "Result_Message": "closed"}}), WriteRefused),
        (lambda: httpx.Response(200, json={"errors": [{"code": "X", "message": "no"}]}), WriteRefused),
        (broken(httpx.ReadTimeout("slow")), WriteUnknown),
        (broken(httpx.ConnectError("down")), NotWritten),
    ],
)
def test_each_failure_of_a_write_has_its_outcome_and_is_not_repeated(typed, say, outcome):
    fake, plex = typed()
    fake.say[2770] = say
    assert isinstance(plex.update_release(ReleaseUpdate("7001", ID, note="x")), outcome)
    if outcome is not NotWritten:
        assert len(fake.calls(2770)) == 1


def test_an_acknowledgment_record_is_written_and_read_back_by_the_keys_of_its_release(typed):
    fake, plex = typed(records=RECORDS)
    fake.put(28809, [])
    record = RecordRef(Level.RELEASE, "7001", ID)
    planned = FieldValues(record, {"Acknowledgement_Note": "3000 stedi:1"})
    (result,) = plex.write_values([planned])
    assert result.outcome == Written()
    assert fake.calls(28809) == [
        {
            "Line_Item_Key": 8001,
            "Release_No": 1,
            "Acknowledgement_Note": "3000 stedi:1",
            "Acknowledgement_Source_Key": 2,
        }
    ]
    fake.say[16518] = lambda: httpx.Response(
        200,
        json={
            "outputs": {},
            "rows": [
                {"Line_Item_Key": 8001, "Release_No": 2, "Note": "other release"},
                {"Line_Item_Key": 8001, "Release_No": 1, "Note": "3000 stedi:1"},
            ],
        },
    )
    (held,) = plex.read_values([planned])
    assert held == planned
    assert fake.calls(16518) == [{"PO_Key": 7001}]


def test_custom_fields_do_not_exist_here(typed):
    _, plex = typed()
    with pytest.raises(ServiceRefused, match="custom fields"):
        plex.check_fields({Level.ORDER: ("x",)})


def test_an_id_of_another_interface_is_refused_not_searched(typed):
    fake, plex = typed()
    with pytest.raises(ServiceRefused, match="another interface"):
        plex.current_release("a3f0c9d2-0000-4000-8000-000000000001")
    assert fake.asked == []
