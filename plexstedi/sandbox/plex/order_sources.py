"""The data sources of orders, releases, suppliers, statuses and receipts: Classic column names, integer keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from plexstedi.decimal_json import Json
from plexstedi.sandbox.plex.filters import read_moment
from plexstedi.sandbox.plex.records import ORDER_STATUSES, RELEASE_STATUSES, Line, Order
from plexstedi.sandbox.plex.rows import day, day_there, stamp
from plexstedi.sandbox.plex.source import CarryOut, Input, Result, Source
from plexstedi.sandbox.plex.store import Place, PlexStore

Columns = tuple[tuple[str, str], ...]
_WINDOW = (Input("Begin_Date", "date", required=True), Input("End_Date", "date", required=True))
_BY_ORDER = (Input("PO_Key", "int32", required=True),)
_LISTED: Columns = (("PO_Key", "int32"), ("PO_No", "string"), ("Update_Date", "date"), ("Add_Date", "date"))
_RECEIPTS = 15303
_UPDATED: Columns = (("Result_Error", "bool"), ("Result_Message", "string"))

ORDER_SOURCES = (
    Source(19022, "PO_Line_Item_Release_Get", _WINDOW, (), _LISTED),
    Source(21338, "POs_for_Created_Date_Get", _WINDOW, (), _LISTED),
    Source(2874, "Open_PO_Get", (), (), _LISTED, limit=10_000),
    Source(
        3827, "PO_Detail", _BY_ORDER, (),
        (
            ("PO_Key", "int32"), ("PO_No", "string"), ("Supplier_No", "int32"), ("Supplier_Address_No", "int32"),
            ("PO_Status", "string"), ("PO_Type", "string"), ("PO_Date", "date"), ("Add_Date", "date"),
            ("Update_Date", "date"), ("Due_Date", "date"), ("Currency_Code", "string"), ("Blanket_Order", "bool"),
            ("Terms", "string"), ("Freight_Terms", "string"), ("FOB", "string"), ("Ship_Via", "string"),
            ("Ship_To", "string"), ("Note", "string"),
        ),
    ),
    Source(
        6197, "Line_Item_Get", _BY_ORDER, (),
        (
            ("PO_Key", "int32"), ("Line_Item_Key", "int32"), ("Line_Item_No", "int32"), ("Status", "string"),
            ("Unit", "string"), ("Order_Unit", "string"), ("Unit_Price", "decimal"), ("Part_No", "string"),
            ("Revision", "string"), ("Supplier_Part_No", "string"), ("Manufacturer_Part_No", "string"),
            ("Description", "string"), ("Note", "string"), ("Blanket_Quantity", "decimal"),
        ),
    ),
    Source(
        6200, "Releases_Get", (Input("PO_Key", "int32"), Input("Line_Item_Key", "int32")), (),
        (
            ("Line_Item_Key", "int32"), ("Release_No", "int32"), ("Release_Line_No", "int32"),
            ("Release_Status", "string"), ("Quantity", "decimal"), ("Due_Date", "date"), ("Ship_To", "string"),
            ("Note", "string"), ("Update_Date", "date"),
        ),
    ),
    Source(
        126, "Suppliers_Get", (), (),
        (("Supplier_No", "int32"), ("Supplier_Code", "string"), ("Name", "string")),
    ),
    Source(
        107, "Supplier_Addresss_Get", (Input("Supplier_No", "int32", required=True),), (),
        (
            ("Supplier_No", "int32"), ("Supplier_Address_No", "int32"), ("Address", "string"), ("City", "string"),
            ("State", "string"), ("Zip", "string"), ("Country", "string"),
        ),
    ),
    Source(
        20, "PO_Statuses_Get", (), (),
        (("PO_Status", "string"), *((name, "bool") for name in ("On_Order", "Cancelled", "Received", "Active"))),
    ),
    Source(
        2769, "Release_Statuses_Get", (), (),
        (
            ("Release_Status", "string"),
            *((name, "bool") for name in ("Open", "Cancelled", "Received", "Forecast", "Plan_Status", "Partial")),
        ),
    ),
    Source(
        _RECEIPTS, "Receipts_Get", _WINDOW, (),
        (
            ("Receipt_Key", "int32"), ("PO_Key", "int32"), ("Line_Item_Key", "int32"), ("Release_No", "int32"),
            ("Quantity", "decimal"), ("Receive_Date", "date"),
        ),
    ),
    Source(
        2770, "Release_Update",
        (
            Input("Line_Item_Key", "int32", required=True), Input("Release_No", "int32", required=True),
            Input("Note", "string", nullable=True), Input("Due_Date", "date"), Input("Quantity", "decimal"),
            Input("Release_Status", "string"),
        ),
        _UPDATED, (),
    ),
)  # fmt: skip


def _listed(order: Order) -> dict[str, Json]:
    return {
        "PO_Key": order.key,
        "PO_No": order.number,
        "Update_Date": stamp(order.modified),
        "Add_Date": stamp(order.created),
    }


def _window(inputs: Mapping[str, Json]) -> tuple[datetime, datetime]:
    """The window of the inputs; one that is ignored has no end."""
    begin, end = (read_moment(str(inputs.get(name))) for name in ("Begin_Date", "End_Date"))
    return begin or datetime.min.replace(tzinfo=UTC), end or datetime.max.replace(tzinfo=UTC)


def _changed(store: PlexStore, inputs: Mapping[str, Json]) -> Result:
    """Orders of which the header, a line or a release was changed, or a line or a release was added, in the window."""
    begin, end = _window(inputs)

    def moments(order: Order) -> Iterator[datetime]:
        yield order.modified
        for line in order.lines:
            yield line.modified
            yield from (release.modified for release in line.releases)

    return Result({}, tuple(_listed(o) for o in store.tenant.orders if any(begin <= at <= end for at in moments(o))))


def _created(store: PlexStore, inputs: Mapping[str, Json]) -> Result:
    begin, end = _window(inputs)
    return Result({}, tuple(_listed(o) for o in store.tenant.orders if begin <= o.created <= end))


def _open(store: PlexStore, inputs: Mapping[str, Json]) -> Result:
    return Result({}, tuple(_listed(o) for o in store.tenant.orders if store.order_status(o).on_order))


def _order(store: PlexStore, inputs: Mapping[str, Json]) -> Result:
    return Result({}, tuple(_order_row(store, o) for o in store.tenant.orders if inputs.get("PO_Key") in (None, o.key)))


def _order_row(store: PlexStore, order: Order) -> dict[str, Json]:
    return _listed(order) | {
        "Supplier_No": _number(store, order.supplier.id),
        "Supplier_Address_No": _number(store, order.supplier.addresses[0].id),
        "PO_Status": order.status,
        "PO_Type": order.type,
        "PO_Date": stamp(order.ordered or order.created),
        "Due_Date": day(order.due, local_midnight=True),
        "Currency_Code": order.currency,
        "Blanket_Order": order.blanket,
        "Terms": order.terms,
        "Freight_Terms": order.freight_terms,
        "FOB": order.fob,
        "Ship_Via": order.ship_via,
        "Ship_To": order.ship_to,
        "Note": order.note,
    }


def _number(store: PlexStore, record_id: str) -> int:
    """The integer key of a supplier or address, which the other interfaces know by its UUID."""
    suppliers = store.tenant.suppliers
    ids = [each.id for each in suppliers] + [address.id for each in suppliers for address in each.addresses]
    return 100_001 + ids.index(record_id)


def _places(store: PlexStore, inputs: Mapping[str, Json]) -> list[Place]:
    """The lines and releases that the inputs name."""
    return [
        store.shown(place)
        for place in store.places.values()
        if place.line is not None
        and inputs.get("PO_Key") in (None, place.order.key)
        and inputs.get("Line_Item_Key") in (None, place.line.key)
    ]


def _lines(store: PlexStore, inputs: Mapping[str, Json]) -> Result:
    found = [place for place in _places(store, inputs) if place.release is None]
    return Result({}, tuple(_line_row(place.order, place.line) for place in found if place.line is not None))


def _line_row(order: Order, line: Line) -> dict[str, Json]:
    return {
        "PO_Key": order.key,
        "Line_Item_Key": line.key,
        "Line_Item_No": line.number,
        "Status": line.status,
        "Unit": line.unit,
        "Order_Unit": line.order_unit,
        "Unit_Price": line.price,
        "Part_No": line.part.number if line.part else None,
        "Revision": line.part.revision if line.part else None,
        "Supplier_Part_No": line.supplier_part,
        "Manufacturer_Part_No": line.manufacturer_part,
        "Description": line.description,
        "Note": line.note,
        "Blanket_Quantity": line.blanket_quantity,
    }


def _releases(store: PlexStore, inputs: Mapping[str, Json]) -> Result:
    rows: list[Mapping[str, Json]] = []
    for place in _places(store, inputs):
        if place.release is None or place.line is None:
            continue
        rows.append(
            {
                "Line_Item_Key": place.line.key,
                "Release_No": place.release.number,
                "Release_Line_No": place.release.number,
                "Release_Status": place.release.status,
                "Quantity": place.release.quantity,
                "Due_Date": day(place.release.due, local_midnight=True),
                "Ship_To": place.release.ship_to or place.order.ship_to,
                "Note": place.release.note,
                "Update_Date": stamp(place.release.modified),
            }
        )
    return Result({}, tuple(rows))


def _suppliers(store: PlexStore, inputs: Mapping[str, Json]) -> Result:
    return Result(
        {},
        tuple(
            {"Supplier_No": _number(store, each.id), "Supplier_Code": each.code, "Name": each.name}
            for each in store.tenant.suppliers
        ),
    )


def _addresses(store: PlexStore, inputs: Mapping[str, Json]) -> Result:
    rows: list[Mapping[str, Json]] = []
    for supplier in store.tenant.suppliers:
        if inputs.get("Supplier_No") in (None, _number(store, supplier.id)):
            rows += [
                {
                    "Supplier_No": _number(store, supplier.id),
                    "Supplier_Address_No": _number(store, each.id),
                    "Address": each.street,
                    "City": each.city,
                    "State": each.state,
                    "Zip": each.postal_code,
                    "Country": each.country,
                }
                for each in supplier.addresses
            ]
    return Result({}, tuple(rows))


def _order_statuses(store: PlexStore, inputs: Mapping[str, Json]) -> Result:
    return Result(
        {},
        tuple(
            {
                "PO_Status": each.name,
                "On_Order": each.on_order,
                "Cancelled": each.cancelled,
                "Received": each.received,
                "Active": each.active,
            }
            for each in ORDER_STATUSES
        ),
    )


def _release_statuses(store: PlexStore, inputs: Mapping[str, Json]) -> Result:
    return Result(
        {},
        tuple(
            {
                "Release_Status": each.name,
                "Open": each.open,
                "Cancelled": each.cancelled,
                "Received": each.received,
                "Forecast": each.forecast,
                "Plan_Status": each.plan_status,
                "Partial": each.partial,
            }
            for each in RELEASE_STATUSES
        ),
    )


def _receipts(store: PlexStore, inputs: Mapping[str, Json]) -> Result:
    begin, end = _window(inputs)
    return Result(
        {},
        tuple(
            {
                "Receipt_Key": 500_001 + index,
                "PO_Key": each.order.key,
                "Line_Item_Key": each.line.key,
                "Release_No": each.release.number,
                "Quantity": each.quantity,
                "Receive_Date": stamp(each.received),
            }
            for index, each in enumerate(store.tenant.receipts)
            if begin <= each.received <= end
        ),
    )


def _update_release(store: PlexStore, inputs: Mapping[str, Json]) -> Result:
    """Change a release. Business errors come with HTTP 200; an omitted note is cleared, as by PUT."""
    place = next(
        (
            each
            for each in store.places.values()
            if each.line is not None
            and each.release is not None
            and (each.line.key, each.release.number) == (inputs["Line_Item_Key"], inputs["Release_No"])
        ),
        None,
    )
    if place is None or place.release is None:
        return Result({"Result_Error": True, "Result_Message": "The release does not exist."})
    release, status, quantity = place.release, inputs.get("Release_Status"), inputs.get("Quantity")
    if status is not None and all(each.name != status for each in RELEASE_STATUSES):
        return Result({"Result_Error": True, "Result_Message": f"There is no release status {status}."})
    if quantity is not None and Decimal(str(quantity)) <= 0:
        return Result({"Result_Error": True, "Result_Message": "The quantity must be positive."})
    store.release_written(place)
    before: dict[str, Json] = _state(place)
    due, note = inputs.get("Due_Date"), inputs.get("Note")
    if due is not None:
        moment = read_moment(str(due))
        assert moment is not None
        release.due = day_there(moment.astimezone(UTC))
    release.quantity = release.quantity if quantity is None else Decimal(str(quantity))
    release.status = release.status if status is None else str(status)
    release.note = note if isinstance(note, str) and note else None
    release.modified = store.clock.now()
    store.record_write("release", "Release", release.id, before, _state(place))
    return Result({"Result_Error": False, "Result_Message": None})


def _state(place: Place) -> dict[str, Json]:
    each = place.release
    assert each is not None
    return {"status": each.status, "dueDate": f"{each.due}", "quantity": each.quantity, "note": each.note}


CARRY_OUT: Mapping[int, CarryOut] = {
    19022: _changed,
    21338: _created,
    2874: _open,
    3827: _order,
    6197: _lines,
    6200: _releases,
    126: _suppliers,
    107: _addresses,
    20: _order_statuses,
    2769: _release_statuses,
    _RECEIPTS: _receipts,
    2770: _update_release,
}
"""By number: what the data source does."""
