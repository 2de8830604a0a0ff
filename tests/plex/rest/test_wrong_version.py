"""A collection that Plex has moved to another version is a wrong path with its key named, never an empty list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from plexstedi.edi.order import Order
from plexstedi.errors import ServiceRefused
from plexstedi.plex.port import FieldValues, PlexPort, RecordRef, UnreadableOrder, Window
from plexstedi.plex.settings import Level, StatusNames
from tests.plex.conftest import ADDRESSES, FakePlex, line_row, order_row, release_row
from tests.plex.writeback.test_custom_fields import KEYS, SEARCH, changes, prepare

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
WINDOW = Window(NOW - timedelta(days=1), NOW)
GONE: Callable[[httpx.Request], httpx.Response] = lambda request: httpx.Response(404)  # noqa: E731


def values() -> list[FieldValues]:
    return [FieldValues(RecordRef(Level.LINE, "o1", "l1"), {"EDI_Quantity": None})]


def read(plex: PlexPort) -> list[object]:
    return list(plex.orders(["o1"]))


CASES: list[tuple[str, str, Callable[[PlexPort], object]]] = [
    ("tenants", "/mdm/v1/tenants", lambda plex: plex.tenants()),
    ("orders", "/purchasing/v1/purchase-orders", lambda plex: plex.touched_orders(WINDOW)),
    ("orders", "/purchasing/v1/purchase-orders", read),
    ("lines", "/purchasing/v1/purchase-orders/o1/line-items", read),
    ("releases", "/purchasing/v2-beta1/releases", read),
    ("order_statuses", "/purchasing/v1/purchase-order-statuses", read),
    ("release_statuses", "/purchasing/v1/release-statuses", read),
    ("suppliers", "/mdm/v1/suppliers", lambda plex: plex.suppliers()),
    ("supplier_addresses", "/mdm/v1/suppliers/s1/addresses", lambda plex: plex.supplier("s1")),
    ("parts", "/mdm/v1/parts", read),
    ("supply_items", "/mdm/v1/supply-items", read),
    ("receipts", "/purchasing/v1/receipts", lambda plex: plex.receipts(WINDOW)),
    ("invoices", "/accounting/v1/ar-invoices", lambda plex: plex.touched_invoices(WINDOW)),
    ("ids_to_keys", KEYS, lambda plex: plex.read_values(values())),
    ("field_values_search", SEARCH, lambda plex: plex.read_values(values())),
    ("standard_objects", "/platform/custom-fields/v1/standard-objects", lambda plex: plex.read_values(values())),
    ("field_definitions", "/platform/custom-fields/v1/field-definitions", lambda plex: plex.read_values(values())),
    ("field_values_save", "/platform/custom-fields/v1/field-values/save", lambda plex: plex.write_values(changes(1))),
]


def served(fake: FakePlex) -> None:
    fake.master_data()
    prepare(fake)
    line, item = line_row(partId="p9"), line_row("l2", 2, partId=None, itemId="i9")
    fake.order(order_row(), [line, item], [release_row(partId=None, partNumber=None)])
    fake.put("/mdm/v1/parts", [{"id": "p9", "number": "82695", "revision": "AAA"}])
    fake.put("/mdm/v1/supply-items", [{"id": "i9", "supplyItemNumber": "GLOVES"}])


@pytest.mark.parametrize(("resource", "path", "call"), CASES)
def test_a_404_on_a_collection_names_the_key_to_set(make_plex, resource, path, call):
    fake, plex = make_plex()
    served(fake)
    fake.answers[path] = GONE
    if resource == "orders":
        fake.answers[f"{path}/o1"] = GONE
    with pytest.raises(ServiceRefused) as caught:
        call(plex)
    assert caught.value.code == "wrong-path"
    assert f"[plex.paths] {resource} " in caught.value.fix
    assert "another version" in caught.value.message


def test_the_fix_shows_the_path_in_the_next_version(make_plex):
    fake, plex = make_plex()
    served(fake)
    fake.answers["/purchasing/v2-beta1/releases"] = GONE
    with pytest.raises(ServiceRefused, match="v2-beta1") as caught:
        list(plex.orders(["o1"]))
    assert "/purchasing/v3/releases" in caught.value.fix


def test_with_the_path_of_the_other_version_all_is_read(make_plex):
    fake, plex = make_plex(paths={"releases": "/purchasing/v3/releases", "parts": "/mdm/v2/parts"})
    served(fake)
    for old, new in (("/purchasing/v2-beta1/releases", "/purchasing/v3/releases"), ("/mdm/v1/parts", "/mdm/v2/parts")):
        fake.answers[new] = fake.answers[old]
        fake.answers[old] = GONE
    (order,) = plex.orders(["o1"])
    assert isinstance(order, Order)


def test_one_order_without_lines_among_others_stops_nothing(make_plex):
    fake, plex = make_plex()
    served(fake)
    fake.put(
        "/purchasing/v1/purchase-orders",
        [order_row(), order_row("o2")],
        keep=lambda row, params: row["id"] in params.get_list("id"),
    )
    fake.one("/purchasing/v1/purchase-orders/o2", order_row("o2"))
    fake.answers["/purchasing/v1/purchase-orders/o2/line-items"] = GONE
    bad, good = plex.orders(["o2", "o1"])
    assert isinstance(bad, UnreadableOrder)
    assert isinstance(good, Order)


def test_a_tenant_without_status_tables_names_its_statuses_instead(make_plex):
    fake, plex = make_plex(statuses=StatusNames(released_orders=("On Order",), firm_releases=("Firm",)))
    served(fake)
    fake.answers["/purchasing/v1/purchase-order-statuses"] = GONE
    fake.answers["/purchasing/v1/release-statuses"] = GONE
    (order,) = plex.orders(["o1"])
    assert isinstance(order, Order)


def test_a_supplier_that_was_deleted_has_no_address_and_is_no_wrong_path(make_plex):
    fake, plex = make_plex()
    served(fake)
    fake.put("/mdm/v1/suppliers/s2/addresses", ADDRESSES)
    fake.answers["/mdm/v1/suppliers/s1/addresses"] = GONE
    plex.suppliers()
    fake.answers["/mdm/v1/suppliers/s1"] = GONE
    supplier = plex.supplier("s1")
    assert supplier is not None
    assert supplier.address is None
