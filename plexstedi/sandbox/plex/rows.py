"""Records as rows of Plex Connect: all fields that Connect has, some null, some absent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TypeAlias
from zoneinfo import ZoneInfo

from msgspec.structs import asdict

from plexstedi.decimal_json import Json
from plexstedi.sandbox.plex.records import (
    Address,
    ApprovedSupplier,
    OrderStatus,
    Part,
    Receipt,
    ReleaseStatus,
    Supplier,
)
from plexstedi.sandbox.plex.sample_data import TIMEZONE
from plexstedi.sandbox.plex.store import Place

Value: TypeAlias = "None | bool | int | str | Sequence[Value] | Mapping[str, Value]"
Row: TypeAlias = dict[str, Value]

PLANT = ZoneInfo(TIMEZONE)
BUYER = "5eed0000-0000-4000-8000-00000000005b"
_NUMBER_MARK = "\x00"
_NUMBER = re.compile(rb'"\\u0000(-?[0-9.]+)"')


def number(value: Decimal | None) -> str | None:
    """A decimal formatted as by a service that stores doubles; `dump` writes it as a JSON number."""
    if value is None:
        return None
    text = f"{value.normalize():f}"
    return _NUMBER_MARK + (text if "." in text else text + ".0")


def dump(value: Value) -> bytes:
    """JSON bytes of rows. The standard encoder is fast but has no exact decimals: they are passed as marked strings."""
    return _NUMBER.sub(rb"\1", json.dumps(value, separators=(",", ":")).encode())


def from_json(value: Json) -> Value:
    """A value with exact decimals marked for `dump`."""
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, Mapping):
        return {key: from_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [from_json(item) for item in value]
    assert value is None or isinstance(value, bool | int | str)
    return value


def stamp(moment: datetime | None) -> str | None:
    """A date-time in Plex's format: UTC, `Z`, up to milliseconds without trailing zeros."""
    if moment is None:
        return None
    text = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}"
    return text.rstrip("0").rstrip(".") + "Z"


def day(value: date | None, *, local_midnight: bool = False) -> str | None:
    """A date in Plex's format: midnight in UTC or in the plant's zone."""
    if value is None or not local_midnight:
        return None if value is None else f"{value:%Y-%m-%d}T00:00:00Z"
    return stamp(datetime(value.year, value.month, value.day, tzinfo=PLANT).astimezone(UTC))


def day_there(moment: datetime) -> date:
    """The day that Plex's screens show for a date-time: the plant's, except that midnight UTC has no zone."""
    utc = moment.astimezone(UTC)
    return utc.date() if utc.time() == time() else utc.astimezone(PLANT).date()


def sparse(row: Row, record_id: str) -> Row:
    """Omit about a third of the null fields: a client must treat null and absent alike."""
    seed = int(record_id[:6], 16)
    return {key: item for index, (key, item) in enumerate(row.items()) if item is not None or (seed + index) % 3}


def order_row(place: Place, status: OrderStatus) -> Row:
    """One purchase order: 39 fields, none of them about acknowledgments."""
    order = place.order
    total = Decimal(0)
    for line in order.lines:
        total += sum((each.quantity for each in line.releases), Decimal(0)) * (line.price or 0)
    local = order.key % 2 == 0
    return sparse(
        {
            "id": order.id,
            "poNumber": order.number,
            "currencyCode": order.currency,
            "status": order.status,
            "active": status.active,
            "receive": status.receive,
            "type": order.type,
            "supplierId": order.supplier.id,
            "supplierAddressId": order.supplier.addresses[0].id,
            "issuedById": BUYER,
            "poDate": stamp(order.created),
            "terms": order.terms,
            "freightTerms": order.freight_terms,
            "lineItemCount": len(order.lines),
            "lineItemTotal": number(total),
            "shipTo": order.ship_to,
            "shipVia": order.ship_via,
            "orderedById": BUYER if order.ordered else None,
            "orderedDate": stamp(order.ordered),
            "fob": order.fob,
            "dueDate": day(order.due, local_midnight=local),
            "contactId": None,
            "scheduledReceiptDate": None,
            "approvedById": None,
            "approvedDate": None,
            "internalNote": order.internal_note,
            "note": order.note,
            "consignment": False,
            "carrierId": None,
            "building": "P1",
            "department": None,
            "routeToEmployeeId": None,
            "incoTerms": None,
            "weightQuantityTotal": None,
            "blanketOrder": order.blanket,
            "createdById": BUYER,
            "createdDate": stamp(order.created),
            "modifiedById": BUYER,
            "modifiedDate": stamp(order.modified),
        },
        order.id,
    )


def line_row(place: Place) -> Row:
    """One line: 30 fields, without order quantity, due date and order id."""
    line = place.line
    assert line is not None
    return sparse(
        {
            "id": line.id,
            "lineItemNumber": line.number,
            "status": line.status,
            "expirationDate": None,
            "unit": line.unit,
            "orderUnit": line.order_unit,
            "description": line.description,
            "unitPrice": number(line.price),
            "estimatedPrice": False,
            "accountId": None,
            "manufacturer": line.manufacturer,
            "manufacturerPartNumber": line.manufacturer_part,
            "supplierPartNumber": line.supplier_part,
            "itemId": None,
            "taxCode": "EXEMPT",
            "partId": line.part.id if line.part else None,
            "operationCode": None,
            "partOperationId": None,
            "routeToEmployeeId": None,
            "requestedById": None,
            "weightUnit": None,
            "weightConversion": None,
            "internalNote": None,
            "note": line.note,
            "building": None,
            "department": None,
            "blanketQuantity": number(line.blanket_quantity),
            "createdDate": stamp(line.created),
            "modifiedById": BUYER,
            "modifiedDate": stamp(line.modified),
        },
        line.id,
    )


def release_row(place: Place) -> Row:
    """One release: 31 fields, many of its order and part, without a received quantity."""
    order, line, release = place.order, place.line, place.release
    assert line is not None
    assert release is not None
    local = order.key % 2 == 0
    part = line.part
    revision = part.revision or None if part else None
    return sparse(
        {
            "id": release.id,
            "poLineItemId": line.id,
            "status": release.status,
            "releaseDate": stamp(release.created),
            "releaseById": BUYER,
            "quantity": number(release.quantity),
            "dueDate": day(release.due, local_midnight=local),
            "releaseLineNumber": release.number,
            "note": release.note,
            "weightQuantity": None,
            "createdDate": stamp(release.created),
            "modifiedById": BUYER,
            "modifiedDate": stamp(release.modified),
            "partId": part.id if part else None,
            "originalDueDate": day(release.original_due or release.due, local_midnight=local),
            "poId": order.id,
            "supplierId": order.supplier.id,
            "releaseAuthorizationNumber": None,
            "operationCode": None,
            "type": release.type,
            "lineItemNo": line.number,
            "poNumber": order.number,
            "supplierCode": order.supplier.code,
            "releaseByDisplayName": "Buyer, Pat",
            "modifiedByDisplayName": "Buyer, Pat",
            "partNumber": part.number if part else None,
            "partRevision": revision,
            "partNumberRevision": (f"{part.number}-{revision}" if revision else part.number) if part else None,
            "poShipTo": release.ship_to or order.ship_to,
            "buildingCode": "P1",
            "buildingId": None,
        },
        release.id,
    )


def supplier_row(supplier: Supplier) -> Row:
    return sparse(
        {
            "id": supplier.id,
            "code": supplier.code,
            "oldCode": None,
            "name": supplier.name,
            "language": None,
            "category": "Direct",
            "status": supplier.status,
            "type": "Material",
            "parentSupplierId": None,
            "webAddress": None,
            "contactNote": None,
            "note": None,
            "createdById": None,
            "createdDate": stamp(supplier.created),
            "modifiedById": None,
            "modifiedDate": stamp(supplier.modified),
        },
        supplier.id,
    )


def address_row(address: Address, supplier: Supplier) -> Row:
    return sparse(
        {
            "id": address.id,
            "code": address.code,
            "type": "Main",
            "country": address.country,
            "address": address.street,
            "city": address.city,
            "zip": address.postal_code,
            "state": address.state,
            "main": True,
            "remit": True,
            "phone": None,
            "fax": None,
            "email": address.email,
            "alternateSupplierName": None,
            "createdById": None,
            "createdDate": stamp(supplier.created),
            "modifiedById": None,
            "modifiedDate": stamp(supplier.modified),
        },
        address.id,
    )


def approved_row(approved: ApprovedSupplier) -> Row:
    """One approved supplier of a part."""
    return sparse(
        {
            "id": approved.id,
            "partId": approved.part_id,
            "operationCode": "Receive",
            "supplierId": approved.supplier_id,
            "leadTime": number(Decimal(14)),
            "supplierPartNumber": approved.part_number,
            "businessPercentage": number(Decimal(100)),
            "transitTime": None,
            "note": None,
            "partOperationId": None,
        },
        approved.id,
    )


def part_row(part: Part) -> Row:
    """One part, without a unit of measure."""
    return sparse(
        {
            "id": part.id,
            "number": part.number,
            "name": part.name,
            "revision": part.revision,
            "description": part.description,
            "type": part.type,
            "group": None,
            "source": "Purchased",
            "productType": None,
            "status": part.status,
            "note": None,
            "leadTimeDays": number(Decimal(14)),
            "buildingCode": None,
            "createdById": None,
            "createdDate": stamp(part.created),
            "modifiedById": None,
            "modifiedDate": stamp(part.modified),
            "allergens": [],
        },
        part.id,
    )


def receipt_row(receipt: Receipt) -> Row:
    return sparse(
        {
            "id": receipt.id,
            "poLineItemId": receipt.line.id,
            "supplierId": receipt.order.supplier.id,
            "poId": receipt.order.id,
            "partId": receipt.line.part.id if receipt.line.part else None,
            "itemId": None,
            "operationCode": None,
            "releaseId": receipt.release.id,
            "supplierShipperNumber": receipt.shipper,
            "receiveDate": stamp(receipt.received),
            "receivedById": BUYER,
            "createdDate": stamp(receipt.received),
            "quantity": number(receipt.quantity),
            "priceUnit": receipt.line.unit,
            "orderUnit": receipt.line.order_unit,
            "unitPrice": number(receipt.line.price),
            "unitPriceOriginal": number(receipt.line.price),
            "estimatedPrice": False,
            "inventoryUnit": receipt.line.unit,
            "exchangeRate": number(Decimal(1)),
            "taxRate": None,
            "modifiedById": BUYER,
        },
        receipt.id,
    )


def order_status_row(status: OrderStatus) -> Row:
    return _flags(asdict(status))


def release_status_row(status: ReleaseStatus) -> Row:
    return _flags(asdict(status))


def _flags(fields: Mapping[str, str | bool]) -> Row:
    return {camel(name): value for name, value in fields.items()}


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def snake(name: str) -> str:
    """`poLineItemId` as `po_line_item_id`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def snake_row(row: Row) -> Row:
    """The row in the spelling of the `oauth2` dialect, including nested lists."""
    return {snake(key): _snake_value(item) for key, item in row.items()}


def _snake_value(value: Value) -> Value:
    if isinstance(value, list):
        return [snake_row(item) if isinstance(item, dict) else item for item in value]
    return value
