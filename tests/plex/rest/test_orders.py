"""Reading orders: every change is seen, nothing is taken for something else, and few calls are spent."""

from __future__ import annotations

import json
import threading
from datetime import UTC, date, datetime
from decimal import Decimal

import httpx
import pytest

from plexstedi.edi.model import to_json
from plexstedi.edi.order import LineState, Order, Part, Phase, ReleaseState, fingerprint
from plexstedi.errors import ServiceRefused, ServiceUnavailable
from plexstedi.plex.port import UnreadableOrder, VanishedOrder, Window
from plexstedi.plex.settings import Api, StatusNames

ORDERS = "/purchasing/v1/purchase-orders"
RELEASES = "/purchasing/v2-beta1/releases"
WINDOW = Window(datetime(2026, 11, 18, 14, tzinfo=UTC), datetime(2026, 11, 18, 17, 0, 0, 5000, tzinfo=UTC))


def _between(begin, end, field):
    def keep(row, params):
        return begin not in params or params[begin] <= row[field] <= params[end]

    return keep


def test_same_order_reads_the_same_through_both_dialects(make_plex, rows):
    read = []
    for api in (Api.CONNECT, Api.OAUTH2):
        fake, plex = make_plex(api)
        fake.master_data()
        fake.order(rows.order(), [rows.line()], [rows.release("r2", 2), rows.release("r1", 1, status="Forecast")])
        read.append(plex.order("o1"))
    assert isinstance(read[0], Order)
    assert read[0] == read[1]
    assert to_json(read[0]) == to_json(read[1])


def test_an_order_has_what_a_document_needs(make_plex, rows):
    fake, plex = make_plex()
    fake.master_data()
    fake.order(rows.order(), [rows.line()], [rows.release("r2", 2, status="Planned"), rows.release()])
    order = plex.order("o1")
    assert (order.number, order.supplier_code, order.supplier_address_id) == ("PO-o1", "ACME01", "a2")
    assert (order.phase, order.order_date, order.due) == (Phase.RELEASED, date(2026, 11, 18), date(2026, 12, 15))
    assert order.modified_at == datetime(2026, 11, 18, 15, 10, 42, 153000, tzinfo=UTC)
    line = order.lines[0]
    assert (line.price, line.part, line.supplier_part) == (
        Decimal("1.23"),
        Part(number="82695", revision="AAA"),
        "AB-7816",
    )
    assert line.state is LineState.OPEN
    first, second = line.releases
    assert (first.quantity, first.due, first.note) == (Decimal("3000"), date(2026, 12, 8), "Top")
    assert (first.state, second.state) == (ReleaseState.FIRM, ReleaseState.FORECAST)


def test_our_own_token_in_a_note_is_no_change_of_the_order(make_plex, rows):
    prints = []
    for note in ("Top", "Top [PlexStedi: 3000 confirmed]"):
        fake, plex = make_plex()
        fake.master_data()
        fake.order(rows.order(), [rows.line()], [rows.release(note=note)])
        prints.append(fingerprint(plex.order("o1")))
    assert prints[0] == prints[1]


def test_names_with_datetime_in_them_mean_the_same(make_plex, rows):
    """A later version of the interface calls dueDate dueDateTime (plex/README.md 4.4)."""
    fake, plex = make_plex()
    fake.master_data()
    release = rows.release()
    newer = {name.replace("Date", "DateTime"): value for name, value in release.items()}
    fake.order(rows.order(), [rows.line()], [newer])
    assert plex.order("o1").lines[0].releases[0].due == date(2026, 12, 8)


@pytest.mark.parametrize(
    ("text", "day"),
    [("2026-12-08T00:00:00Z", 8), ("2026-12-08T05:00:00Z", 8), ("2026-12-08", 8), ("2026-12-08T00:00:00-05:00", 8)],
)
def test_a_day_stays_the_day_that_was_written(make_plex, rows, text, day):
    fake, plex = make_plex()
    fake.master_data()
    fake.order(rows.order(), [rows.line()], [rows.release(dueDate=text)])
    assert plex.order("o1").lines[0].releases[0].due == date(2026, 12, day)


def test_order_date_is_the_day_it_was_made_where_it_was_never_put_on_order(make_plex, rows):
    fake, plex = make_plex()
    fake.master_data()
    fake.order(rows.order(orderedDate=None), [], [])
    assert plex.order("o1").order_date == date(2026, 11, 17)


@pytest.mark.parametrize(
    ("change", "words", "key"),
    [
        (lambda r: {"header": r.order(status="Waiting")}, "'Waiting'", "released_orders"),
        (lambda r: {"release": r.release(status="Odd")}, "line 1, release 1", "firm_releases"),
        (lambda r: {"line": r.line(status="Hold")}, "line 1", "cancelled_lines"),
        (lambda r: {"header": r.order(supplierId="s9")}, "s9", "plex.fields"),
        (lambda r: {"release": r.release(quantity="many")}, "'many', not a plainly written number", "plex.fields"),
        (lambda r: {"release": r.release(dueDate="soon")}, "'soon', not a date", "plex.fields"),
        (lambda r: {"line": r.line(lineItemNumber=None)}, "lineItemNumber is missing", "plex.fields"),
        (lambda r: {"release": r.release(poLineItemId="l9")}, "does not list", "plex.fields"),
        (lambda r: {"line": r.line(partId="p9")}, "p9", "plex.fields"),
        (lambda r: {"header": r.order(poNumber=" ")}, "poNumber is missing", "plex.fields"),
    ],
)
def test_what_cannot_be_read_faithfully_is_reported_for_this_order_only(make_plex, rows, change, words, key):
    fake, plex = make_plex()
    fake.master_data()
    fake.put("/mdm/v1/parts", [])
    changed = change(rows)
    fake.order(
        changed.get("header", rows.order()),
        [changed.get("line", rows.line())],
        [changed.get("release", rows.release())],
    )
    reading = plex.order("o1")
    assert isinstance(reading, UnreadableOrder)
    assert words in reading.reason
    assert key in reading.fix


def test_statuses_without_flags_are_named_in_the_configuration(make_plex, rows):
    names = StatusNames(released_orders=("waiting",), firm_releases=("ODD",), cancelled_lines=("Dead",))
    fake, plex = make_plex(statuses=names)
    fake.master_data()
    del fake.answers["/purchasing/v1/release-statuses"]
    lines = [rows.line(), rows.line("l2", 2, status="Dead"), rows.line("l3", 3, status="Anything")]
    fake.order(rows.order(status="Waiting"), lines, [rows.release(status="Odd")])
    order = plex.order("o1")
    assert order.phase is Phase.RELEASED
    assert [line.state for line in order.lines] == [LineState.OPEN, LineState.CANCELLED, LineState.OPEN]
    assert order.lines[0].releases[0].state is ReleaseState.FIRM


def test_a_part_that_no_release_spells_out_comes_from_the_catalogue(make_plex, rows):
    fake, plex = make_plex()
    fake.master_data()
    fake.put("/mdm/v1/parts", [{"id": "p1", "number": "777", "revision": ""}])
    fake.order(rows.order(), [rows.line()], [])
    assert plex.order("o1").lines[0].part == Part(number="777", revision=None)
    assert fake.calls("/mdm/v1/parts") == [[("id", "p1")]]


def test_a_supply_item_is_the_item_of_its_line(make_plex, rows):
    fake, plex = make_plex()
    fake.master_data()
    fake.put("/mdm/v1/supply-items", [{"id": "i1", "supplyItemNumber": "OIL-5"}])
    fake.order(rows.order(), [rows.line(partId=None, itemId="i1")], [])
    line = plex.order("o1").lines[0]
    assert (line.item, line.part) == ("OIL-5", None)


@pytest.mark.parametrize("api", [Api.CONNECT, Api.OAUTH2])
def test_a_deleted_order_has_vanished_while_the_others_are_there(make_plex, rows, api):
    fake, plex = make_plex(api)
    fake.master_data()
    fake.order(rows.order(), [rows.line()], [rows.release()])
    first, second = plex.orders(["gone", "o1"])
    assert first == VanishedOrder("gone")
    assert isinstance(second, Order)


@pytest.mark.parametrize("api", [Api.CONNECT, Api.OAUTH2])
def test_a_wrong_path_does_not_look_like_deleted_orders(make_plex, api):
    """Otherwise an upgrade of Plex would read as the cancellation of every order."""
    fake, plex = make_plex(api)
    fake.master_data()
    with pytest.raises(ServiceRefused, match="version") as caught:
        plex.order("o1")
    assert "[plex.paths] orders" in caught.value.fix


def test_a_moved_collection_takes_its_records_along(make_plex, rows):
    fake, plex = make_plex(paths={"orders": "/purchasing/v2/purchase-orders"})
    fake.master_data()
    fake.put("/purchasing/v2/purchase-orders", [rows.order()])
    fake.put("/purchasing/v2/purchase-orders/o1/line-items", [rows.line()])
    fake.put(RELEASES, [rows.release()])
    assert isinstance(plex.order("o1"), Order)


def test_an_order_that_the_default_list_hides_is_still_read(make_plex, rows):
    """It is not known whether the list hides inactive orders (plex/README.md 5.2)."""
    fake, plex = make_plex()
    fake.master_data()
    fake.order(rows.order(status="Cancelled", active=False), [], [])
    hidden = rows.order(status="Cancelled", active=False)
    fake.put(ORDERS, [hidden], keep=lambda row, params: params.get("active") == "false")
    del fake.answers[f"{ORDERS}/o1"]
    assert plex.order("o1").phase is Phase.CANCELLED


def test_many_orders_cost_about_one_call_each(make_plex, rows):
    fake, plex = make_plex()
    fake.master_data()
    ids = [f"o{number}" for number in range(120)]
    headers = [rows.order(each) for each in ids]
    fake.put(ORDERS, headers, keep=lambda row, params: row["id"] in params.get_list("id"))
    releases = [rows.release(f"r-{each}", poId=each, poLineItemId=f"l-{each}") for each in ids]
    fake.put(RELEASES, releases, keep=lambda row, params: row["poId"] in params.get_list("pOId"))
    for each in ids:
        fake.put(f"{ORDERS}/{each}/line-items", [rows.line(f"l-{each}")])
    read = list(plex.orders(ids))
    assert [order.id for order in read] == ids
    assert all(isinstance(order, Order) and len(order.lines[0].releases) == 1 for order in read)
    # Lines, headers and releases by 50, two status tables, one supplier.
    assert len(fake.asked) == 120 + 3 + 3 + 2 + 1


def test_a_batch_filter_that_is_ignored_stops_the_run(make_plex, rows):
    fake, plex = make_plex()
    fake.master_data()
    fake.put(ORDERS, [rows.order("o1"), rows.order("o2")])
    with pytest.raises(ServiceRefused, match="ignored the filter id"):
        plex.order("o1")


def test_touched_orders_come_from_headers_and_releases_active_or_not(make_plex, rows):
    fake, plex = make_plex()
    headers = [rows.order("o1"), rows.order("o2", active=False)]

    def keep(row, params):
        inside = _between("modifiedDateBegin", "modifiedDateEnd", "modifiedDate")(row, params) and _between(
            "createdDateBegin", "createdDateEnd", "createdDate"
        )(row, params)
        return inside and row["active"] is (params.get("active") != "false")

    fake.put(ORDERS, headers, keep=keep)
    fake.put(RELEASES, [rows.release("r9", poId="o3", poNumber=None)])
    touched = plex.touched_orders(WINDOW)
    assert [(each.order_id, each.number, list(each.marks)) for each in touched] == [
        ("o1", "PO-o1", ["o1"]),
        ("o2", "PO-o2", ["o2"]),
        ("o3", "", ["r9"]),
    ]
    assert touched[2].marks["r9"] == datetime(2026, 11, 18, 16, tzinfo=UTC)
    modified = [("modifiedDateBegin", "2026-11-18T14:00:00Z"), ("modifiedDateEnd", "2026-11-18T17:00:01Z")]
    created = [("createdDateBegin", "2026-11-18T14:00:00Z"), ("createdDateEnd", "2026-11-18T17:00:01Z")]
    hidden = [("active", "false")]
    assert fake.calls(ORDERS) == [modified, modified + hidden, created]
    assert fake.calls(RELEASES) == [modified, created]


def test_oauth2_asks_with_its_own_filter_names(make_plex):
    fake, plex = make_plex(Api.OAUTH2)
    fake.put("/purchase-orders", [])
    fake.put("/purchase-order-releases", [])
    assert plex.touched_orders(WINDOW) == ()
    modified = [("modified_date_begin", "2026-11-18T14:00:00Z"), ("modified_date_end", "2026-11-18T17:00:01Z")]
    created = [("created_date_begin", "2026-11-18T14:00:00Z"), ("created_date_end", "2026-11-18T17:00:01Z")]
    hidden = [("active", "false")]
    assert fake.calls("/purchase-orders") == [modified, modified + hidden, created]
    assert fake.calls("/purchase-order-releases") == [modified, created]


@pytest.mark.parametrize("field", ["modifiedDate", "createdDate"])
@pytest.mark.parametrize("resource", [ORDERS, RELEASES])
def test_rows_outside_the_window_stop_the_run(make_plex, rows, resource, field):
    fake, plex = make_plex()
    row = rows.order if resource == ORDERS else rows.release
    fake.put(ORDERS, [])
    fake.put(RELEASES, [])
    fake.put(resource, [row(**{field: "2020-01-01T00:00:00Z"})])
    with pytest.raises(ServiceRefused, match="ignored the filter") as caught:
        plex.touched_orders(WINDOW)
    assert caught.value.exit_code == 4
    assert "[plex.filters]" in caught.value.fix


def test_open_orders_are_asked_for_by_every_status_that_means_on_order(make_plex, rows):
    fake, plex = make_plex(statuses=StatusNames(released_orders=("Sent",)))
    fake.master_data()
    orders = [rows.order("o1"), rows.order("o2", status="Sent"), rows.order("o3", status="New")]
    fake.put(ORDERS, orders, keep=lambda row, params: row["status"] == params["status"])
    assert [each.order_id for each in plex.open_orders()] == ["o1", "o2"]
    assert fake.calls(ORDERS) == [[("status", "On Order")], [("status", "Sent")]]


def test_open_orders_without_a_status_filter_are_looked_for_among_all(make_plex, rows):
    fake, plex = make_plex(Api.OAUTH2)
    fake.master_data()
    orders = [rows.order("o1"), rows.order("o3", status="New"), rows.order("o4", status="InconclusiveSend of")]
    fake.put("/purchase-orders", orders)
    assert [each.order_id for each in plex.open_orders()] == ["o1", "o4"]


def test_an_ignored_status_filter_stops_the_run(make_plex, rows):
    fake, plex = make_plex()
    fake.master_data()
    fake.put(ORDERS, [rows.order(status="New")])
    with pytest.raises(ServiceRefused, match="ignored the filter status"):
        plex.open_orders()


def test_a_tenant_whose_statuses_say_nothing_learns_what_to_set(make_plex):
    fake, plex = make_plex()
    fake.put("/purchasing/v1/purchase-order-statuses", [{"name": "X"}])
    fake.put("/purchasing/v1/release-statuses", [])
    with pytest.raises(ServiceRefused) as caught:
        plex.open_orders()
    assert "released_orders" in caught.value.fix


def test_pages_are_followed_to_their_end(make_plex, rows):
    fake, plex = make_plex(Api.OAUTH2)
    fake.put("/purchase-order-releases", [])

    def answer(request):
        if request.url.params.get("page") == "2":
            return httpx.Response(200, json={"data": [rows.order("o2")]})
        following = "/api/purchase-orders?page=2" if "modified_date_begin" in request.url.params else None
        return httpx.Response(200, json={"data": [rows.order("o1")], "next": following})

    fake.answers["/purchase-orders"] = answer
    assert [each.order_id for each in plex.touched_orders(WINDOW)] == ["o1", "o2"]


@pytest.mark.parametrize(
    ("link", "error"),
    [
        ("https://evil.example/api/purchase-orders?page=2", ServiceRefused),
        ("http://plex.example/api/purchase-orders?page=2", ServiceRefused),
        ("https://plex.example/elsewhere", ServiceUnavailable),
        (7, ServiceRefused),
    ],
)
def test_the_key_does_not_follow_a_page_elsewhere(make_plex, rows, link, error):
    fake, plex = make_plex(Api.OAUTH2)
    fake.say("/purchase-orders", 200, {"data": [], "next": link})
    with pytest.raises(error):
        plex.touched_orders(WINDOW)
    assert all(path == "/purchase-orders" for _, path, _, _ in fake.asked)


def test_pages_that_turn_in_a_circle_end(make_plex):
    fake, plex = make_plex(Api.OAUTH2)
    fake.say("/purchase-orders", 200, {"data": [], "next": "/api/purchase-orders?page=2"})
    with pytest.raises(ServiceUnavailable, match="do not end"):
        plex.touched_orders(WINDOW)


@pytest.mark.parametrize("document", [{"id": "o1"}, "text", [1, 2], {"data": None}])
def test_what_is_no_list_of_orders_is_not_read_as_none(make_plex, document):
    fake, plex = make_plex()
    fake.say(ORDERS, 200, document)
    with pytest.raises(ServiceUnavailable):
        plex.touched_orders(WINDOW)


def test_nothing_is_used_of_a_list_that_breaks_off(make_plex, rows):
    """Not even a header: it is read again when the order is read."""
    fake, plex = make_plex()
    fake.master_data()
    whole = json.dumps([rows.order("o1", terms="Net 99"), rows.order("o2")])
    fake.answers[ORDERS] = lambda request: httpx.Response(200, text=whole[:-20])
    with pytest.raises(ServiceUnavailable, match="broken JSON"):
        plex.touched_orders(WINDOW)
    with pytest.raises(ServiceUnavailable, match="broken JSON"):
        plex.open_orders()
    assert plex.unreadable_records() == ()
    fake.put(ORDERS, [rows.order("o1")])
    fake.put(RELEASES, [rows.release()])
    fake.put(f"{ORDERS}/o1/line-items", [rows.line()])
    (order,) = plex.orders(["o1"])
    assert order.terms == "Net 30"


def test_a_field_that_the_tenant_calls_otherwise(make_plex, rows):
    fake, plex = make_plex(fields={"releases.dueDate": "promisedOn"})
    fake.master_data()
    release = rows.release(promisedOn="2026-12-24T00:00:00Z")
    fake.order(rows.order(), [rows.line()], [release])
    order = plex.order("o1")
    assert order.lines[0].releases[0].due == date(2026, 12, 24)
    assert order.due == date(2026, 12, 15)


def test_windows_need_aware_times_in_order():
    with pytest.raises(ValueError, match="aware"):
        Window(datetime(2026, 1, 1), datetime(2026, 1, 2))  # noqa: DTZ001
    with pytest.raises(ValueError, match="ends after"):
        Window(WINDOW.end, WINDOW.begin)


class Kept(dict):
    """Master data of an earlier run."""

    def get(self, kind, key):
        return super().get((kind, key))

    def put(self, kind, key, content):
        self[kind, key] = content


STATUSES = "/purchasing/v1/purchase-order-statuses"


def test_master_data_of_an_earlier_run_is_not_read_again(make_plex, rows):
    kept = Kept()
    for _ in range(2):
        fake, plex = make_plex(kept=kept)
        fake.master_data()
        fake.order(rows.order(), [rows.line()], [rows.release()])
        (order,) = plex.orders(["o1"])
        assert order.supplier_code == "ACME01"
        assert plex.supplier("s1").address is not None
    for path in (STATUSES, "/mdm/v1/suppliers/s1", "/mdm/v1/suppliers/s1/addresses"):
        assert fake.calls(path) == [], path


def test_an_address_that_was_added_since_is_read_for_the_order_that_names_it(make_plex, rows):
    kept = Kept()
    first, plex = make_plex(kept=kept)
    first.master_data()
    known = plex.supplier("s1")
    fake, plex = make_plex(kept=kept)
    fake.master_data()
    path = "/mdm/v1/suppliers/s1/addresses"
    earlier = kept.get("supplier_addresses", "s1")
    main = next(row for row in earlier if row["main"])
    fake.put(path, [*earlier, {**main, "id": "new", "main": False, "city": "Newtown"}])
    assert plex.supplier("s1", main["id"]) == known
    assert plex.supplier("s1", "new").address.city == "Newtown"
    # One that Plex does not have is asked for once.
    assert plex.supplier("s1", "nowhere") == known
    assert len(fake.calls(path)) == 1


def test_a_status_that_was_added_since_is_read_at_once(make_plex, rows):
    kept = Kept()
    first, plex = make_plex(kept=kept)
    first.master_data()
    first.put(STATUSES, [])
    first.order(rows.order(), [rows.line()], [rows.release()])
    assert isinstance(next(plex.orders(["o1"])), UnreadableOrder)
    fake, plex = make_plex(kept=kept)
    fake.master_data()
    fake.order(rows.order(), [rows.line()], [rows.release()])
    (order,) = plex.orders(["o1"])
    assert order.status_name == "On Order"
    assert len(fake.calls(STATUSES)) == 1
    # What is really unknown is asked for once, not for each order.
    fake.order(rows.order(status="Nobody knows"), [rows.line()], [rows.release()])
    assert isinstance(next(plex.orders(["o1"])), UnreadableOrder)
    assert len(fake.calls(STATUSES)) == 1


def test_lines_are_read_for_several_orders_at_once_and_come_in_the_order_asked(make_plex, rows):
    there = threading.Barrier(3)
    fake, plex = make_plex(parallel_calls=3)
    fake.master_data()
    headers = [rows.order(f"o{n}", poNumber=f"PO-{n}") for n in range(3)]
    fake.put(ORDERS, headers, keep=lambda row, params: row["id"] in params.get_list("id"))
    fake.put(RELEASES, [])
    fake.put("/mdm/v1/parts", [])
    for n in range(3):

        def lines(request, n=n):
            there.wait(timeout=30)
            return httpx.Response(200, json=[rows.line(f"l{n}")])

        fake.answers[f"{ORDERS}/o{n}/line-items"] = lines
    assert [order.number for order in plex.orders(["o2", "o0", "o1"])] == ["PO-2", "PO-0", "PO-1"]


def test_an_order_that_was_deleted_after_it_was_listed_is_gone_and_not_unreadable(make_plex, rows):
    fake, plex = make_plex()
    fake.master_data()
    fake.put(ORDERS, [rows.order()])
    fake.put(RELEASES, [])
    (listed,) = plex.touched_orders(WINDOW)
    fake.answers[f"{ORDERS}/{listed.order_id}"] = lambda request: httpx.Response(404)
    fake.answers[f"{ORDERS}/{listed.order_id}/line-items"] = lambda request: httpx.Response(404)
    assert list(plex.orders([listed.order_id])) == [VanishedOrder(listed.order_id)]
