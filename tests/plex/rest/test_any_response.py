"""Whatever Plex answers, a call ends in a value or in a fault that is told; one odd value holds its record only."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from plexstedi.edi.model import to_json
from plexstedi.edi.order import Order
from plexstedi.errors import PlexStediError
from plexstedi.http.caller import RetryPolicy
from plexstedi.plex.build import connect_to_plex
from plexstedi.plex.port import (
    FieldValues,
    PlexPort,
    RecordRef,
    ReleaseUpdate,
    UnavailableOrder,
    UnreadableInvoice,
    UnreadableOrder,
    Window,
)
from plexstedi.plex.settings import Api, Level
from tests.examples import examples
from tests.plex.conftest import FakePlex, StillClock, line_row, order_row, release_row, settings_of, snake
from tests.plex.rest.test_invoices import invoice_row

WINDOW = Window(datetime(2026, 11, 18, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC))
VALUES = (FieldValues(RecordRef(Level.LINE, "o1", "l1"), {"EDI_Quantity": Decimal(5)}),)
UPDATE = ReleaseUpdate(order_id="o1", release_id="r1", note="n", quantity=Decimal(5), due=date(2026, 12, 1))

CALLS: dict[str, Callable[[PlexPort], object]] = {
    "tenants": lambda plex: plex.tenants(),
    "touched orders": lambda plex: plex.touched_orders(WINDOW),
    "open orders": lambda plex: plex.open_orders(),
    "one order": lambda plex: plex.order("o1"),
    "orders": lambda plex: list(plex.orders(["o1", "o2"])),
    "supplier": lambda plex: plex.supplier("s1", "a1"),
    "suppliers": lambda plex: plex.suppliers(),
    "receipts": lambda plex: plex.receipts(WINDOW),
    "invoices": lambda plex: plex.touched_invoices(WINDOW),
    "fields": lambda plex: plex.check_fields({Level.LINE: ["EDI_Quantity"]}),
    "read values": lambda plex: plex.read_values(VALUES),
    "write values": lambda plex: plex.write_values(VALUES),
    "release": lambda plex: plex.current_release("r1"),
    "update a release": lambda plex: plex.update_release(UPDATE),
}

ODD_TOKENS = [
    *("1e999999999", "1e31", "-1e-31", "9" * 40, "7" * 5000, "NaN", "-Infinity", "0." + "1" * 40),
    *(
        '"1_000"',
        '"\u0661\u0662"',
        '"\u00b2"',
        '"NaN"',
        '"Infinity"',
        '"1e99999"',
        '"\\ud800"',
        '"\\u0000"',
        '"\u202e"',
    ),
    *("null", "true", '""', '"   "', "[]", "{}", "[[]]", '[{"a": [1]}]', "-1", "0", "1.5", '{"id": "x", "id": "y"}'),
    *('"0001-01-01T00:00:00+05:00"', '"9999-12-31T23:59:59-05:00"', '"0000-01-01"', '"2026-02-30"', '"1899-12-30"'),
    *('"http://["', '"https://plex.example:99999999/x"', '"//[::1"', '"https://\u0661.\u2100/"', '"\\r\\nX: y"'),
    *("[" * 300 + "]" * 300, '"' + "x" * 10_000 + '"'),
]
ODD_HEADERS = [
    *(
        {},
        {"date": "Mon, 01 Jan 0001 00:00:00 +0500"},
        {"date": "Fri, 31 Dec 9999 23:59:59 -0500"},
        {"date": "\ud7ff9"},
    ),
    *({"date": "Mon, 99 Foo 99999999999999999999 99:99:99 GMT"}, {"retry-after": "9" * 400}, {"retry-after": "1_0"}),
    *({"retry-after": "Fri, 31 Dec 9999 23:59:59 -0500"}, {"content-type": "text/html"}, {"content-encoding": "gzip"}),
]


def plex_of(api: Api, handler: Callable[[httpx.Request], httpx.Response]) -> PlexPort:
    return connect_to_plex(
        settings_of(api),
        "a-very-secret-key",
        clock=StillClock(),
        rng=random.Random(1),
        retry=RetryPolicy(tries=1),
        transport=httpx.MockTransport(handler),
    )


@settings(max_examples=examples(120), suppress_health_check=[HealthCheck.too_slow])
@given(
    api=st.sampled_from([Api.CONNECT, Api.OAUTH2]),
    call=st.sampled_from(sorted(CALLS)),
    status=st.sampled_from([200, 200, 200, 201, 204, 301, 400, 401, 404, 409, 422, 429, 500, 503]),
    headers=st.sampled_from(ODD_HEADERS),
    body=st.binary(max_size=60)
    | st.sampled_from(ODD_TOKENS).map(str.encode)
    | st.sampled_from(ODD_TOKENS).map(lambda token: f"[{token}]".encode())
    | st.sampled_from(ODD_TOKENS).map(lambda token: f'{{"data": [{token}], "next": {token}}}'.encode())
    | st.sampled_from(ODD_TOKENS).map(lambda token: f'{{"code": {token}, "errors": [{token}]}}'.encode()),
)
def test_any_bytes_as_any_response_are_a_foreseen_outcome(
    api: Api, call: str, status: int, headers: dict[str, str], body: bytes
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        encoded = [(name.encode(), value.encode("utf-8", "replace")) for name, value in headers.items()]
        return httpx.Response(status, headers=encoded, stream=httpx.ByteStream(body))

    plex = plex_of(api, answer)
    with suppress(PlexStediError):
        CALLS[call](plex)
    plex.close()


# One odd value in one record ---------------------------------------------------------------------------------------


def tenant_with(api: Api, change: Callable[[str, Any], Any]) -> FakePlex:
    """Two orders, two receipts and two invoices; `change` gets each answer's rows to change."""
    fake = FakePlex(api)
    fake.master_data()
    headers = [order_row("o1"), order_row("o2", poNumber="PO-o2")]
    releases = [release_row(), release_row("r2", poLineItemId="l2", poId="o2", poNumber="PO-o2", partId="p1")]
    fake.order(headers[0], [line_row()], releases)
    orders = fake.path("/purchasing/v1/purchase-orders", "/purchase-orders")
    fake.put(
        orders,
        headers,
        keep=lambda row, params: not params.get_list("id") or row["id"] in params.get_list("id"),
    )
    fake.one(f"{orders}/o2", headers[1])
    fake.put(f"{orders}/o2/line-items", [line_row("l2", number=1)])
    name = fake.path("pOId", "purchase_order_id")
    fake.put(
        fake.path("/purchasing/v2-beta1/releases", "/purchase-order-releases"),
        releases,
        keep=lambda row, params: not params.get_list(name) or row["poId"] in params.get_list(name),
    )
    receipt = {"id": "c1", "poLineItemId": "l1", "poId": "o1", "quantity": 5.0, "receiveDate": "2026-11-20T08:00:00Z"}
    fake.put(fake.path("/purchasing/v1/receipts", "/receipts"), [receipt, receipt | {"id": "c2"}])
    fake.put(fake.path("/accounting/v1/ar-invoices", "/ar-invoices"), [invoice_row(), invoice_row("i2")])
    for connect, oauth2 in (("/mdm/v1/parts", "/parts"), ("/mdm/v1/supply-items", "/supply-items")):
        fake.put(fake.path(connect, oauth2), [])
    for path, answer in list(fake.answers.items()):
        fake.answers[path] = _changed(path, answer, change)
    return fake


def _changed(
    path: str, answer: Callable[[httpx.Request], httpx.Response], change: Callable[[str, Any], Any]
) -> Callable[[httpx.Request], httpx.Response]:
    def changed(request: httpx.Request) -> httpx.Response:
        document = json.loads(answer(request).content)
        text = json.dumps(change(path, document))
        for index, token in enumerate(ODD_TOKENS):
            text = text.replace(f'"@odd{index}@"', token)
        return httpx.Response(200, content=text.encode("utf-8", "surrogatepass"))

    return changed


def spoiling(
    record: str, key: str, field: str, token: str, *, api: Api, nested: str | None = None
) -> Callable[[str, Any], Any]:
    """Puts a token in place of one field of the one row that has `record` under `key`."""
    spelled = {name: snake(name) if api is Api.OAUTH2 else name for name in (key, field, nested or "")}

    def change(path: str, document: Any) -> Any:
        listed = document["data"] if isinstance(document, dict) and "data" in document else document
        for row in listed if isinstance(listed, list) else [listed]:
            if isinstance(row, dict) and row.get(spelled[key]) == record:
                for target in [row] if nested is None else row.get(spelled[nested], []):
                    target[field if nested else spelled[field]] = f"@odd{ODD_TOKENS.index(token)}@"
        return document

    return change


def _fields() -> Iterator[tuple[str, str, str]]:
    for name in order_row():
        yield "o1", "id", name
    for name in line_row():
        yield "l1", "id", name
    for name in release_row():
        yield "r1", "id", name


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow])
@given(
    api=st.sampled_from([Api.CONNECT, Api.OAUTH2]),
    place=st.sampled_from(
        [place for place in _fields() if place[2] not in ("poId", "poLineItemId") and place[2] != "id"]
    ),
    token=st.sampled_from(ODD_TOKENS),
)
def test_an_odd_value_in_one_order_leaves_the_other_as_it_is(api: Api, place: tuple[str, str, str], token: str) -> None:
    # Another status or time than was asked for is no odd value: it means that the filter was ignored.
    assume(not (place[2] in ("createdDate", "modifiedDate") and token == '"1899-12-30"'))
    plex = plex_of(api, tenant_with(api, spoiling(*place, token, api=api)))
    touched = plex.touched_orders(WINDOW)
    assert {"o1", "o2"} <= {each.order_id for each in touched}
    if place != ("o1", "id", "status"):
        assert "o2" in {each.order_id for each in plex.open_orders()}
    odd, ordinary = plex.orders(["o1", "o2"])
    assert isinstance(ordinary, Order)
    assert ordinary.lines[0].releases[0].quantity == 3000
    assert isinstance(odd, Order | UnreadableOrder | UnavailableOrder)
    if isinstance(odd, Order):
        to_json(odd).encode()
    elif isinstance(odd, UnreadableOrder):
        odd.reason.encode()
    plex.close()


NUMBERS = ["1e999999999", "1e31", "9" * 40, "NaN", '"1_000"', '"\u0661\u0662"', '"\u00b2"', "[]", "{}", "true"]


@pytest.mark.parametrize("api", [Api.CONNECT, Api.OAUTH2])
@pytest.mark.parametrize("token", NUMBERS)
@pytest.mark.parametrize(
    ("place", "named"),
    [(("l1", "id", "unitPrice"), "unitPrice"), (("r1", "id", "quantity"), "quantity")],
    ids=["price", "quantity"],
)
def test_a_number_that_is_not_plain_holds_its_order_with_the_field_named(api, token, place, named) -> None:
    plex = plex_of(api, tenant_with(api, spoiling(*place, token, api=api)))
    odd, ordinary = plex.orders(["o1", "o2"])
    assert isinstance(odd, UnreadableOrder)
    assert named in odd.reason
    assert isinstance(ordinary, Order)


@pytest.mark.parametrize("api", [Api.CONNECT, Api.OAUTH2])
@pytest.mark.parametrize(
    "place",
    [("o1", "id", "dueDate"), ("r1", "id", "dueDate"), ("o1", "id", "createdDate"), ("o1", "id", "modifiedDate")],
)
@pytest.mark.parametrize("token", ['"0000-01-01"', '"2026-02-30"', '"\u0661\u0662"', "1e31", "[]"])
def test_a_date_of_no_calendar_holds_its_order_with_the_field_named(api, place, token) -> None:
    plex = plex_of(api, tenant_with(api, spoiling(*place, token, api=api)))
    odd, ordinary = plex.orders(["o1", "o2"])
    assert isinstance(odd, UnreadableOrder)
    assert place[2] in odd.reason
    assert isinstance(ordinary, Order)


@pytest.mark.parametrize("api", [Api.CONNECT, Api.OAUTH2])
@pytest.mark.parametrize("field", ["quantity", "receiveDate", "poId", "id"])
@pytest.mark.parametrize("token", ["1e999999999", "NaN", "[]"])
def test_an_odd_receipt_is_reported_and_the_others_count(api, field, token) -> None:
    plex = plex_of(api, tenant_with(api, spoiling("c1", "id", field, token, api=api)))
    assert [each.id for each in plex.receipts(WINDOW)] == ["c2"]
    (odd,) = plex.unreadable_records()
    assert (odd.table, odd.error) == ("receipts", None)
    assert field in odd.reason


@pytest.mark.parametrize("api", [Api.CONNECT, Api.OAUTH2])
@pytest.mark.parametrize(
    "field", ["amount", "transactionDate", "createdDate", "modifiedDate", "id", "lines", "dueDate"]
)
@pytest.mark.parametrize("token", ["1e999999999", "NaN", "true"])
def test_an_odd_invoice_is_held_and_the_others_are_read(api, field, token) -> None:
    plex = plex_of(api, tenant_with(api, spoiling("i1", "id", field, token, api=api)))
    found = plex.touched_invoices(WINDOW)
    unreadable = [each for each in found if isinstance(each, UnreadableInvoice)]
    assert len(unreadable) + len(plex.unreadable_records()) == 1
    assert [each.id for each in found if not isinstance(each, UnreadableInvoice)] == ["i2"]


@pytest.mark.parametrize("api", [Api.CONNECT, Api.OAUTH2])
@pytest.mark.parametrize("row", ["o1", "r1"])
def test_a_row_that_names_no_order_is_reported_and_the_list_goes_on(api, row) -> None:
    field = "id" if row == "o1" else "poId"
    plex = plex_of(api, tenant_with(api, spoiling(row, "id", field, "1e999999999", api=api)))
    touched = plex.touched_orders(WINDOW)
    assert "o2" in [each.order_id for each in touched]
    (odd,) = plex.unreadable_records()
    assert field in odd.reason


@pytest.mark.parametrize("api", [Api.CONNECT, Api.OAUTH2])
def test_a_status_that_cannot_be_read_concerns_its_own_orders_only(api) -> None:
    plex = plex_of(api, tenant_with(api, spoiling("Cancelled", "name", "cancelled", "1e999999999", api=api)))
    assert all(isinstance(each, Order) for each in plex.orders(["o1", "o2"]))


@pytest.mark.parametrize("token", ['"\\ud800"', "1e999999999"])
def test_a_release_is_never_written_back_with_what_could_not_be_read(token) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        text = json.dumps(release_row()).replace('"Top [PlexStedi: 3000 confirmed]"', token)
        return httpx.Response(200, content=text.encode())

    plex = plex_of(Api.CONNECT, answer)
    outcome = plex.update_release(UPDATE)
    assert "note" in getattr(outcome, "reason", "")
    assert asked == ["GET"]
