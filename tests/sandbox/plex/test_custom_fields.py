"""Custom fields: integer keys that must be looked up, all or nothing, and the write-back that looks like an edit."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from plexstedi.decimal_json import Json, loads
from plexstedi.sandbox.plex.records import Order
from plexstedi.sandbox.server import Sandbox

FIELDS = "/platform/custom-fields/v1"
SAVE = f"{FIELDS}/field-values/save"
LINE_OBJECT = "PurchaseOrderLineItem"


@pytest.fixture
def order(sandbox: Sandbox) -> Order:
    return sandbox.plex.tenant.orders[0]


def record(order: Order, values: dict[str, Json]) -> dict[str, Json]:
    return {
        "standardObjectName": "PurchaseOrder",
        "recordIdentifiers": {"PO_Key": order.key},
        "customFields": values,
    }


def test_objects_and_fields_can_be_discovered(caller: Any) -> None:
    objects = {row["standardObjectName"]: row for row in caller.rows(f"{FIELDS}/standard-objects")}
    assert objects[LINE_OBJECT]["recordIdentifiers"] == {"keyCount": 2, "keys": ["PO_Key", "Line_Item_Key"]}
    found = {row["fieldName"] for row in caller.rows(f"{FIELDS}/field-definitions", standardObjectName=LINE_OBJECT)}
    assert found == {"EDI_Confirmed_Qty", "EDI_Confirmed_Ship_Date", "EDI_Confirmed_Delivery_Date"}


def test_ids_become_keys_in_no_particular_order_and_unknown_ones_are_left_out(
    sandbox: Sandbox, caller: Any, order: Order
) -> None:
    lines = [line for each in sandbox.plex.tenant.orders for line in each.lines][:4]
    body: Json = {"standardObjectName": LINE_OBJECT, "ids": [*(line.id for line in lines), "unknown", order.id]}
    answer = loads(caller.plex_post("/platform/identity-mappings/v1/ids-to-keys", body).content)
    assert answer["standardObject"] == {"name": LINE_OBJECT, "keys": ["PO_Key", "Line_Item_Key"]}
    rows = {row["id"]: row["Line_Item_Key"] for row in answer["recordIdentifiers"]}
    assert rows == {line.id: line.key for line in lines}
    back: Json = {
        "standardObjectName": LINE_OBJECT,
        "recordIdentifiers": [{"PO_Key": order.key, "Line_Item_Key": order.lines[0].key}],
    }
    found = loads(caller.plex_post("/platform/identity-mappings/v1/keys-to-ids", back).content)
    assert [row["id"] for row in found["recordIdentifiers"]] == [order.lines[0].id]


def test_a_saved_value_reads_back_and_bumps_the_orders_modified_date(
    sandbox: Sandbox, caller: Any, order: Order
) -> None:
    sandbox.advance(timedelta(minutes=30))
    line = order.lines[0]
    entry: Json = {
        "standardObjectName": LINE_OBJECT,
        "recordIdentifiers": {"PO_Key": order.key, "Line_Item_Key": line.key},
        "customFields": {"EDI_Confirmed_Qty": Decimal("12.5"), "EDI_Confirmed_Ship_Date": "2026-12-01"},
    }
    answer = caller.plex_post(SAVE, [entry])
    assert (answer.status_code, answer.content) == (200, b"")
    search: Json = {"standardObjectName": LINE_OBJECT, "recordIdentifiers": [{"PO_Key": order.key}]}
    (row,) = loads(caller.plex_post(f"{FIELDS}/field-values/search", search).content)
    assert row["customFields"] == entry["customFields"]  # type: ignore[index, call-overload]
    since = f"{sandbox.clock.now():%Y-%m-%dT%H:%M:%SZ}"
    changed = caller.rows("/purchasing/v1/purchase-orders", modifiedDateBegin=since)
    assert [each["id"] for each in changed] == [order.id]


def test_writing_the_same_again_is_recorded_as_without_effect(sandbox: Sandbox, caller: Any, order: Order) -> None:
    for _ in range(2):
        caller.plex_post(SAVE, [record(order, {"EDI_Ack_Code": "AD"})])
    assert [write.effective for write in sandbox.plex.writes] == [True, False]
    caller.plex_post(SAVE, [record(order, {"EDI_Ack_Code": None})])
    assert sandbox.plex.custom_of("PurchaseOrder", order.id) == {}


@pytest.mark.parametrize(
    "bad",
    [
        {"customFields": {"EDI_Unknown": "x"}},
        {"customFields": {"EDI_Confirmed_Qty": 5}},
        {"customFields": {"EDI_Acknowledged_At": "soon"}},
        {"customFields": {"EDI_Ack_Code": "x" * 21}},
        {"customFields": {}},
        {"standardObjectName": "PurchaseOrders"},
        {"recordIdentifiers": {"PO_Key": 1}},
        {"recordIdentifiers": {"PO_Key": "700001"}},
        {"recordIdentifiers": {"Id": 7}},
    ],
)
def test_one_bad_record_and_nothing_of_the_batch_is_saved(
    sandbox: Sandbox, caller: Any, order: Order, bad: dict[str, Json]
) -> None:
    good = record(order, {"EDI_Ack_Code": "AD"})
    answer = caller.plex_post(SAVE, [good, {**good, **bad}])
    assert (answer.status_code, answer.json()["code"]) == (400, "REQUEST_VALIDATION_FAILED")
    assert sandbox.plex.writes == []
    assert caller.plex_post(f"{FIELDS}/field-values/validate", [{**good, **bad}]).status_code == 400


def test_save_takes_an_array_of_at_most_5000(sandbox: Sandbox, caller: Any, order: Order) -> None:
    good = record(order, {"EDI_Ack_Code": "AD"})
    assert caller.plex_post(SAVE, good).status_code == 400
    assert caller.plex_post(SAVE, [good] * 5001).status_code == 400
    assert sandbox.plex.writes == []
    assert caller.plex_post(f"{FIELDS}/field-values/validate", [good]).status_code == 200
    assert sandbox.plex.writes == []


def test_search_by_value(sandbox: Sandbox, caller: Any, order: Order) -> None:
    other = sandbox.plex.tenant.orders[1]
    caller.plex_post(SAVE, [record(order, {"EDI_Ack_Code": "AD"}), record(other, {"EDI_Ack_Code": "RD"})])

    def found(operation: str, operand: str) -> list[int]:
        filters: Json = [{"fieldName": "EDI_Ack_Code", "operation": operation, "operand": operand}]
        body: Json = {"standardObjectName": "PurchaseOrder", "fieldValueSearchFilters": filters}
        rows = loads(caller.plex_post(f"{FIELDS}/field-values/search", body).content)
        return [row["recordIdentifiers"]["PO_Key"] for row in rows]

    assert found("=", "RD") == [other.key]
    assert found("StartsWith", "A") == [order.key]
