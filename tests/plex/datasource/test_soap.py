"""Classic SOAP: the same orders as over JSON, faults by what resolves them, and hostile XML refused in bounded time."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest
from msgspec.structs import replace

from plexstedi.edi.order import Order
from plexstedi.errors import ServiceRefused, ServiceUnavailable
from plexstedi.plex.datasource.soap_xml import BrokenSoapError, read_result, request_xml
from plexstedi.plex.port import NotWritten, ReleaseUpdate, Window, WriteRefused, WriteUnknown, Written
from tests.plex.datasource.conftest import RELEASE, soap_fault, soap_response, tables

WINDOW = Window(datetime(2026, 11, 20, 10, 0, tzinfo=UTC), datetime(2026, 11, 20, 11, 0, tzinfo=UTC))
ID = "7001/8001/1"


def test_an_order_is_the_same_as_over_json(make_sources, make_soap):
    _, over_json = make_sources()
    fake, over_soap = make_soap()
    order = over_soap.order("7001")
    assert isinstance(order, Order)
    assert order == over_json.order("7001")
    assert fake.calls(3827) == [{"PO_Key": "7001"}]
    assert over_soap.supplier("31", "2") == over_json.supplier("31", "2")
    assert [each.code for each in over_soap.tenants()] == ["ACME"]


def test_as_many_rows_as_the_limit_are_a_reached_limit(make_soap):
    own = tables()
    fake, plex = make_soap(tables=own | {"changed_orders": replace(own["changed_orders"], row_limit=10)})
    rows = [{"PO_Key": number, "at": f"2026-11-20T10:{number:02}:00Z"} for number in range(60)]
    fake.rows[19022] = lambda inputs: [row for row in rows if inputs["Begin_Date"] <= row["at"] <= inputs["End_Date"]]
    fake.put(21338, [])
    assert len(plex.touched_orders(WINDOW)) == 60
    assert len(fake.calls(19022)) > 10
    rows[:] = [{"PO_Key": number, "at": "2026-11-20T10:30:00Z"} for number in range(10)]
    with pytest.raises(ServiceUnavailable, match=r"19022.*changed_orders") as caught:
        plex.touched_orders(WINDOW)
    assert caught.value.code == "row-limit"


def test_fewer_rows_than_the_stated_count_are_never_taken_for_all(make_soap):
    fake, plex = make_soap()
    fake.say[2874] = lambda: httpx.Response(200, text=soap_response([{"PO_Key": 1, "PO_No": "x"}], row_count=2))
    with pytest.raises(ServiceUnavailable):
        plex.open_orders()


@pytest.mark.parametrize(
    ("say", "kind"),
    [
        (lambda: httpx.Response(200, text=soap_response([], error="no access")), ServiceRefused),
        (lambda: httpx.Response(200, text=soap_response([], {"Result_Error": True})), ServiceRefused),
        (lambda: soap_fault("Client"), ServiceRefused),
        (lambda: soap_fault("Server"), ServiceUnavailable),
        (lambda: httpx.Response(401), ServiceRefused),
        (lambda: httpx.Response(503), ServiceUnavailable),
        (lambda: httpx.Response(200, html="<html><body>Log in</body></html>"), ServiceUnavailable),
        (lambda: httpx.Response(200, text="<a><b></a>"), ServiceUnavailable),
        (lambda: httpx.Response(200, text=""), ServiceUnavailable),
    ],
)
def test_a_fault_of_a_read_is_what_it_is_over_json(make_soap, say, kind):
    fake, plex = make_soap()
    fake.say[2874] = say
    with pytest.raises((ServiceRefused, ServiceUnavailable)) as caught:
        plex.open_orders()
    assert type(caught.value) is kind


def test_a_refused_form_is_not_asked_again_and_a_failing_service_is(make_soap):
    fake, plex = make_soap()
    fake.say[2874] = lambda: soap_fault("Client")
    with pytest.raises(ServiceRefused):
        plex.open_orders()
    assert len(fake.calls(2874)) == 1
    fake.say[2874] = lambda: soap_fault("Server")
    with pytest.raises(ServiceUnavailable):
        plex.open_orders()
    assert len(fake.calls(2874)) > 2


def test_a_release_is_written_as_texts(make_soap):
    fake, plex = make_soap()
    fake.put(2770, [])
    assert plex.update_release(ReleaseUpdate("7001", ID, note='<R&D> "x"', quantity=Decimal("2.50"))) == Written()
    assert fake.calls(2770) == [
        {
            "Line_Item_Key": "8001",
            "Release_Key": "1",
            "Note": '<R&D> "x"',
            "Due_Date": RELEASE["Due_Date"],
            "Quantity": "2.50",
            "Release_Status": "Firm",
        }
    ]


def broken(error):
    def answer():
        raise error

    return answer


@pytest.mark.parametrize(
    ("say", "outcome"),
    [
        (lambda: httpx.Response(200, text=soap_response([], error="closed")), WriteRefused),
        (lambda: httpx.Response(200, text=soap_response([], {"Result_Error": "1"})), WriteRefused),
        (lambda: soap_fault("Server"), WriteUnknown),
        (lambda: httpx.Response(200, text="<html>"), WriteUnknown),
        (broken(httpx.ReadTimeout("slow")), WriteUnknown),
        (broken(httpx.ConnectError("down")), NotWritten),
    ],
)
def test_each_failure_of_a_write_has_the_outcome_that_it_has_over_json(make_soap, say, outcome):
    fake, plex = make_soap()
    fake.say[2770] = say
    assert isinstance(plex.update_release(ReleaseUpdate("7001", ID, note="x")), outcome)
    if outcome is not NotWritten:
        assert len(fake.calls(2770)) == 1


def test_a_value_that_xml_cannot_carry_is_held_not_altered(make_soap):
    fake, plex = make_soap()
    outcome = plex.update_release(ReleaseUpdate("7001", ID, note="a\x0bb"))
    assert isinstance(outcome, WriteRefused)
    assert "U+000B" in outcome.reason
    assert fake.calls(2770) == []


BOMB = '<!DOCTYPE a [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(12)
) + "]><soap:Envelope>&m;</soap:Envelope>"  # fmt: skip
HOSTILE = {
    "an entity bomb": BOMB,
    "an external entity": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "an external document type": '<!DOCTYPE a SYSTEM "http://attacker.example/a.dtd"><a/>',
    "an undeclared entity": soap_response([]).replace("<Message>", "<Message>&x;"),
    "a long attribute": soap_response([]).replace("<StatusNo>", f'<StatusNo a="{"x" * 5_000_000}">'),
    "deep nesting": soap_response([]).replace("<Message>", "<Message>" + "<a>" * 100_000),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_xml_is_refused_in_bounded_time(make_soap, text):
    fake, plex = make_soap()
    fake.say[2874] = lambda: httpx.Response(200, text=text)
    began = time.process_time()
    with pytest.raises(ServiceUnavailable) as caught:
        plex.open_orders()
    assert time.process_time() - began < 2
    assert "passwd" not in caught.value.message
    assert len(fake.calls(2874)) == 1


def test_two_result_sets_one_row_and_empty_elements_are_read(make_soap):
    one = soap_response([{"A": None, "B": "x\r\ny"}]).replace(
        "</ResultSets>", "<ResultSet><Rows><Row/></Rows></ResultSet></ResultSets>"
    )
    assert read_result(one.encode()).rows == [{"A": "", "B": "x\ny"}]
    with pytest.raises(BrokenSoapError):
        read_result(b"<Envelope/>")
    assert b"<dat:Name>@PO_No</dat:Name><dat:Value>1 &lt; 2</dat:Value>" in request_xml(1, {"@PO_No": "1 < 2"})
