"""Orders through data sources: the same order as through REST, nothing truncated, nothing guessed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
from msgspec.structs import replace

from plexstedi.edi.order import Order, fingerprint
from plexstedi.errors import ServiceRefused, ServiceUnavailable
from plexstedi.plex.port import UnavailableOrder, UnreadableOrder, VanishedOrder, Window
from tests.plex.conftest import line_row, order_row, release_row
from tests.plex.datasource.conftest import ADDRESS, LINE, ORDER, RELEASE, tables

WINDOW = Window(datetime(2026, 11, 20, 10, 0, tzinfo=UTC), datetime(2026, 11, 20, 11, 0, tzinfo=UTC))


def without_ids(order: Order) -> Order:
    lines = tuple(
        replace(line, id="", modified_at=None, releases=tuple(replace(release, id="") for release in line.releases))
        for line in order.lines
    )
    return replace(order, id="", supplier_id="", supplier_address_id="", lines=lines)


def test_an_order_is_the_same_as_through_connect_but_for_plexs_ids(make_plex, make_sources):
    fake, connect = make_plex()
    fake.master_data()
    fake.order(order_row(), [line_row()], [release_row()])
    _, sources = make_sources()
    theirs, ours = connect.order("o1"), sources.order("7001")
    assert isinstance(theirs, Order)
    assert isinstance(ours, Order)
    assert without_ids(ours) == without_ids(theirs)
    assert fingerprint(without_ids(ours)) == fingerprint(without_ids(theirs))
    assert ours.lines[0].releases[0].id == "7001/8001/1"


def test_keys_go_back_as_the_type_that_metadata_states_read_once(make_sources):
    fake, plex = make_sources()
    list(plex.orders(["7001"]))
    assert fake.calls(3827) == [{"PO_Key": 7001}]
    assert sorted(fake.metadata_read) == [3827, 6197, 6200]
    fake.types["PO_Key"] = "string"
    list(plex.orders(["7001"]))
    assert sorted(fake.metadata_read) == [3827, 6197, 6200]
    texts, other = make_sources()
    texts.types["PO_Key"] = "string"
    texts.put(3827, [ORDER | {"PO_Key": "0071"}], by="PO_Key")
    assert isinstance(other.order("0071"), Order)
    assert texts.calls(6197) == [{"PO_Key": "0071"}]


def test_tables_of_one_source_and_inputs_are_one_call_whose_rows_repeat(make_sources):
    own = tables()
    joined = {name: replace(own[name], id=27444) for name in ("lines", "releases")}
    fake, plex = make_sources(tables=own | joined)
    second = LINE | {"Line_Item_Key": 8002, "Line_Item_No": 2}
    no_release = dict.fromkeys(RELEASE) | {"Line_Item_Key": 8002}
    both = [
        RELEASE | LINE | {"Quantity": 10},
        RELEASE | LINE | {"Release_Key": 2, "Release_No": 2, "Quantity": 20},
        no_release | second,
    ]
    fake.put(27444, both)
    order = plex.order("7001")
    assert isinstance(order, Order)
    assert [(line.number, [r.quantity for r in line.releases]) for line in order.lines] == [
        (1, [Decimal(10), Decimal(20)]),
        (2, []),
    ]
    assert len(fake.calls(27444)) == 1
    fake.put(27444, [both[0], both[1] | {"Unit_Price": 9}])
    held = plex.order("7001")
    assert isinstance(held, UnreadableOrder)
    assert "different values" in held.reason


def test_releases_by_line_are_read_per_line(make_sources):
    own = tables()
    by_line = {"releases": replace(own["releases"], inputs={"line_key": "Line_Item_Key"})}
    fake, plex = make_sources(tables=own | by_line)
    order = plex.order("7001")
    assert isinstance(order, Order)
    assert fake.calls(6200) == [{"Line_Item_Key": 8001}]
    assert order.lines[0].firm_quantity() == 3000


def test_a_window_names_the_orders_of_both_sources_and_each_is_read(make_sources):
    fake, plex = make_sources()
    fake.put(19022, [{"PO_Key": 7001}, {"PO_Key": 7001}, {"PO_Key": 7003}])
    fake.put(21338, [{"PO_Key": 7002}])
    found = plex.touched_orders(WINDOW)
    assert [each.order_id for each in found] == ["7001", "7002", "7003"]
    # No mark of a row may say that the order is known: the row may be listed for a change that it does not show.
    assert all(each.marks for each in found)
    assert fake.calls(19022) == [{"Begin_Date": "2026-11-20T10:00:00Z", "End_Date": "2026-11-20T11:00:00Z"}]


def in_window(inputs, rows):
    return [row for row in rows if inputs["Begin_Date"] <= row["at"] <= inputs["End_Date"]]


@pytest.mark.parametrize("flag", ["rowLimitedExceeded", "rowLimitExceeded", "limitExceeded"])
def test_a_truncated_window_is_halved_until_each_part_is_complete(make_sources, flag):
    fake, plex = make_sources()
    fake.limit, fake.flag = 10, flag
    rows = [
        {"PO_Key": 100 + number, "at": f"{WINDOW.begin + timedelta(minutes=number):%Y-%m-%dT%H:%M:%SZ}"}
        for number in range(60)
    ]
    fake.rows[19022] = lambda inputs: in_window(inputs, rows)
    fake.put(21338, [])
    found = plex.touched_orders(WINDOW)
    assert [each.order_id for each in found] == [str(100 + number) for number in range(60)]


def test_a_second_with_too_many_rows_stops_the_run_and_names_the_source(make_sources):
    fake, plex = make_sources()
    fake.limit = 10
    rows = [{"PO_Key": number, "at": "2026-11-20T10:30:00Z"} for number in range(11)]
    fake.rows[19022] = lambda inputs: in_window(inputs, rows)
    with pytest.raises(ServiceUnavailable, match=r"19022.*changed_orders.*2026-11-20T10:[23]") as caught:
        plex.touched_orders(WINDOW)
    assert caught.value.code == "row-limit"


@pytest.mark.parametrize("number", [6197, 6200, 126])
def test_a_truncated_table_without_a_window_is_never_used(make_sources, number):
    fake, plex = make_sources()
    fake.limit = 2
    row = LINE | RELEASE | {"Supplier_No": 1, "Supplier_Code": "x", "Name": "x"}
    fake.put(number, [row] * 3)
    with pytest.raises(ServiceUnavailable, match=str(number)) as caught:
        plex.order("7001")
    assert caught.value.code == "row-limit"


def test_a_truncated_list_of_open_orders_is_never_used(make_sources):
    fake, plex = make_sources()
    fake.limit = 2
    fake.put(2874, [{"PO_Key": number, "PO_No": "x"} for number in range(3)])
    with pytest.raises(ServiceUnavailable, match=r"2874.*open_orders"):
        plex.open_orders()
    assert fake.calls(2874) == [{"Active": True}]


@pytest.mark.parametrize("codes", [[], ["OTHER"], ["ACME", "OTHER"]])
def test_another_company_than_the_configured_one_is_refused(make_sources, codes):
    fake, plex = make_sources()
    fake.put(382, [{"Plexus_Customer_Code": code} for code in codes])
    with pytest.raises(ServiceRefused, match="ACME") as caught:
        plex.tenants()
    assert caught.value.code == "wrong-tenant"
    fake.put(382, [{"Plexus_Customer_Code": "acme"}] * 2)
    assert [tenant.code for tenant in plex.tenants()] == ["acme"]


def test_a_missing_grant_names_table_and_number(make_sources):
    fake, plex = make_sources()
    document = {"errors": [{"code": "DATA_SOURCE_ACCESS_DENIED", "message": "no"}]}
    fake.say[6197] = lambda: httpx.Response(403, json=document)
    with pytest.raises(ServiceRefused, match=r"plex\.datasources\.lines.*6197.*DATA_SOURCE_ACCESS_DENIED") as caught:
        plex.order("7001")
    assert "Customer Care" in caught.value.fix


@pytest.mark.parametrize(
    "document",
    [
        {"errors": [{"code": "REQUEST_PROCESSING_ERROR", "message": "no"}], "transactionNo": "1"},
        {"outputs": {"Result_Error": True, "Result_Message": "no"}, "tables": []},
    ],
)
def test_a_business_error_with_200_is_no_empty_table(make_sources, document):
    fake, plex = make_sources()
    fake.say[19022] = lambda: httpx.Response(200, json=document)
    with pytest.raises(ServiceRefused, match="19022"):
        plex.touched_orders(WINDOW)


def test_a_mapped_column_that_plex_does_not_return_is_a_fault_even_without_rows(make_sources):
    own = tables()
    wrong = replace(own["open_orders"], columns={"order": "PO_key"})
    _, plex = make_sources(tables=own | {"open_orders": wrong})
    with pytest.raises(ServiceRefused, match=r"PO_key.*PO_Key"):
        plex.open_orders()


def test_an_ignored_input_is_seen_and_an_unknown_order_has_vanished(make_sources):
    fake, plex = make_sources()
    assert plex.order("7999") == VanishedOrder("7999")
    # One list and one open order prove that the account sees orders at all; that is done once.
    assert [len(fake.calls(number)) for number in (2874, 3827)] == [1, 2]
    assert plex.order("7998") == VanishedOrder("7998")
    assert [len(fake.calls(number)) for number in (2874, 3827)] == [1, 3]
    fake.put(3827, [ORDER])
    with pytest.raises(ServiceRefused) as caught:
        plex.order("7999")
    assert caught.value.code == "ignored-filter"


def test_the_line_of_one_other_order_is_seen_where_lines_name_their_order(make_sources):
    """Its number may be free in this order: nothing else would tell that it was ordered elsewhere."""
    own = tables()
    named = replace(own["lines"], columns={**own["lines"].columns, "order": "PO_Key"})
    fake, plex = make_sources(tables=own | {"lines": named})
    fake.put(6197, [LINE | {"PO_Key": 7001}])
    assert isinstance(plex.order("7001"), Order)
    fake.put(6197, [LINE | {"PO_Key": 7001}, LINE | {"PO_Key": 7002, "Line_Item_Key": 8002, "Line_Item_No": 2}])
    with pytest.raises(ServiceRefused, match=r"6197.*plex\.datasources\.lines.*PO_Key") as caught:
        plex.order("7001")
    assert caught.value.code == "ignored-filter"


@pytest.mark.parametrize(("number", "table"), [(3827, "order"), (6197, "lines"), (6200, "releases")])
def test_a_table_without_rows_of_any_order_is_missing_access_and_no_order_has_vanished(make_sources, number, table):
    fake, plex = make_sources()
    fake.put(2874, [{"PO_Key": key, "PO_No": f"PO-{key}"} for key in (7001, 7002, 7003, 7004, 7005)])
    orders = [ORDER | {"PO_Key": key} for key in (7001, 7002, 7003, 7004, 7005)]
    fake.put(3827, orders, by="PO_Key")
    fake.put(number, [])
    with pytest.raises(ServiceRefused, match=rf"{number} \(\[plex.datasources.{table}\]\) returns no row") as caught:
        plex.order("7001")
    assert caught.value.code == "no-rows"
    assert len(fake.calls(3827)) == 4


def test_blanket_orders_without_releases_are_no_missing_access(make_sources):
    """A tenant may have nothing else open."""
    own = tables()
    blanket = replace(own["lines"], columns={**own["lines"].columns, "blanket_quantity": "Blanket_Quantity"})
    fake, plex = make_sources(tables=own | {"lines": blanket})
    keys = (7001, 7002, 7003, 7004, 7005)
    fake.put(2874, [{"PO_Key": key, "PO_No": f"PO-{key}"} for key in keys])
    fake.put(3827, [ORDER | {"PO_Key": key} for key in keys], by="PO_Key")
    fake.put(6197, [LINE | {"Blanket_Quantity": 500}])
    fake.put(6200, [])
    assert isinstance(plex.order("7001"), Order)


def test_an_open_order_that_cannot_be_read_proves_nothing_and_is_not_blamed_on_another(make_sources):
    fake, plex = make_sources()
    keys = (7001, 7002, 7003)
    fake.put(2874, [{"PO_Key": key, "PO_No": f"PO-{key}"} for key in keys])
    fake.put(3827, [ORDER | {"PO_Key": key} for key in keys], by="PO_Key")
    twice = [LINE, LINE | {"Line_Item_No": 9}]
    fake.rows[6197] = lambda inputs: twice if inputs["PO_Key"] == 7002 else [LINE]
    fake.rows[6200] = lambda inputs: [] if inputs["PO_Key"] == 7001 else [RELEASE]
    order = plex.order("7001")
    assert isinstance(order, Order)
    assert order.lines[0].releases == ()


def test_the_last_order_of_all_may_vanish(make_sources):
    fake, plex = make_sources()
    fake.put(2874, [])
    fake.put(3827, [])
    assert plex.order("7001") == VanishedOrder("7001")


def test_an_order_may_lose_its_releases_where_others_have_theirs(make_sources):
    fake, plex = make_sources()
    fake.put(3827, [ORDER, ORDER | {"PO_Key": 7002, "PO_No": "PO-o2"}], by="PO_Key")
    fake.rows[6200] = lambda inputs: [] if inputs["PO_Key"] == 7002 else [RELEASE]
    (order,) = plex.orders(["7002"])
    assert isinstance(order, Order)
    assert order.lines[0].releases == ()


@pytest.mark.parametrize(
    ("text", "day"), [("12/08/2026", date(2026, 12, 8)), ("2026-12-08T00:00:00Z", date(2026, 12, 8))]
)
def test_dates_that_are_texts_are_read_in_their_form(make_sources, text, day):
    own = tables()
    fake, plex = make_sources(tables=own | {"releases": replace(own["releases"], dates="%m/%d/%Y")})
    fake.put(6200, [RELEASE | {"Due_Date": text}])
    order = plex.order("7001")
    assert isinstance(order, Order)
    assert order.lines[0].releases[0].due == day


def test_a_date_of_no_known_form_holds_its_order_and_no_other(make_sources):
    own = tables()
    fake, plex = make_sources(tables=own | {"releases": replace(own["releases"], dates="%m/%d/%Y")}, parallel_calls=2)
    fake.put(3827, [ORDER, ORDER | {"PO_Key": 7002, "PO_No": "PO-o2"}], by="PO_Key")
    fake.rows[6200] = lambda inputs: [RELEASE | {"Due_Date": "8.12.26" if inputs["PO_Key"] == 7001 else "12/08/2026"}]
    held, fine = plex.orders(["7001", "7002"])
    assert isinstance(held, UnreadableOrder)
    assert "8.12.26" in held.reason
    assert isinstance(fine, Order)


def test_an_order_that_plex_fails_to_return_is_tried_later_and_others_are_read(make_sources):
    fake, plex = make_sources(parallel_calls=2)
    fake.put(3827, [ORDER, ORDER | {"PO_Key": 7002, "PO_No": "PO-o2"}], by="PO_Key")
    served = fake.rows[6197]

    def lines(inputs):
        if inputs["PO_Key"] == 7001:
            raise httpx.ReadTimeout("slow")
        return served(inputs)

    fake.rows[6197] = lines
    first, second = plex.orders(["7001", "7002"])
    assert isinstance(first, UnavailableOrder)
    assert isinstance(second, Order)


def test_a_supplier_has_the_address_that_the_order_names(make_sources):
    fake, plex = make_sources()
    fake.put(107, [ADDRESS, ADDRESS | {"Address_No": 3, "Street": "3 Far St", "Street2": None}])
    supplier = plex.supplier("31", "2")
    assert supplier is not None
    assert supplier.address is not None
    assert (supplier.code, supplier.address.street) == ("ACME01", ("2 Side St", "Dock 7"))


def test_a_receipt_belongs_to_the_release_of_its_line(make_sources):
    fake, plex = make_sources()
    receipt = {
        "Receipt_Key": 5,
        "PO_Key": 7001,
        "Line_Item_Key": 8001,
        "Release_Key": 1,
        "Quantity": 12.5,
        "Receive_Date": "2026-11-20T10:30:00Z",
    }
    fake.put(5022, [receipt])
    (found,) = plex.receipts(WINDOW)
    assert (found.order_id, found.line_id, found.release_id) == ("7001", "8001", "7001/8001/1")
    assert found.quantity == Decimal("12.5")


@pytest.mark.parametrize(
    ("form", "begin", "end"),
    [
        ("%m/%d/%Y", "11/20/2026", "11/21/2026"),
        ("%m/%d/%Y %H:%M", "11/20/2026 10:00", "11/20/2026 11:31"),
        ("%m/%d/%Y %I:%M:%S %p", "11/20/2026 10:00:00 AM", "11/20/2026 11:30:30 AM"),
    ],
)
def test_a_window_of_texts_is_never_shorter_than_asked_and_halved_as_far_as_its_form_goes(
    make_sources, form, begin, end
):
    own = tables()
    fake, plex = make_sources(tables=own | {"changed_orders": replace(own["changed_orders"], dates=form)})
    fake.types |= {"Begin_Date": "string", "End_Date": "string"}
    window = Window(WINDOW.begin, WINDOW.end + timedelta(minutes=30, seconds=30))
    fake.put(19022, [])
    plex.touched_orders(window)
    assert fake.calls(19022) == [{"Begin_Date": begin, "End_Date": end}]
    fake.limit = 1
    fake.put(19022, [{"PO_Key": 1}, {"PO_Key": 2}])
    with pytest.raises(ServiceUnavailable, match="19022"):
        plex.touched_orders(window)
    assert len(fake.calls(19022)) <= 14


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_refusal_names_the_table_whatever_its_status(make_sources, status):
    fake, plex = make_sources()
    document = {"errors": [{"code": "DATA_SOURCE_ACCESS_DENIED", "message": "no"}]}
    fake.say[2874] = lambda: httpx.Response(status, json=document)
    with pytest.raises(ServiceRefused, match=r"plex\.datasources\.open_orders.*2874.*DATA_SOURCE_ACCESS_DENIED"):
        plex.open_orders()
