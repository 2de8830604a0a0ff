"""Query filters of the simulated Plex. Unknown parameters are silently ignored, as in Plex."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time
from enum import Enum
from typing import Generic, TypeVar

from msgspec import Struct

from plexstedi.sandbox.plex.records import (
    ApprovedSupplier,
    Invoice,
    OrderStatus,
    Part,
    Receipt,
    ReleaseStatus,
    Supplier,
    Tenant,
)
from plexstedi.sandbox.plex.rows import snake
from plexstedi.sandbox.plex.store import Place
from plexstedi.sandbox.web import Request

R = TypeVar("R")


class Kind(Enum):
    """How a parameter's values are compared with a record's value."""

    ANY_OF = "any of"
    FLAG = "flag"
    BEGIN = "not before"
    END = "not after"


class Filter(Struct, Generic[R], frozen=True):
    """One query parameter in both spellings, and the value that it compares."""

    name: str
    snake: str
    kind: Kind
    get: Callable[[R], object]


def _text(name: str, get: Callable[[R], object], snake_name: str | None = None) -> tuple[Filter[R], ...]:
    return (Filter(name, snake_name or snake(name), Kind.ANY_OF, get),)


def _flag(name: str, get: Callable[[R], object]) -> tuple[Filter[R], ...]:
    return (Filter(name, snake(name), Kind.FLAG, get),)


def _window(name: str, get: Callable[[R], date | datetime | None]) -> tuple[Filter[R], ...]:
    def moment(record: R) -> datetime | None:
        value = get(record)
        if isinstance(value, datetime):
            return value.replace(microsecond=value.microsecond // 1000 * 1000)  # The precision of the row.
        return datetime.combine(value, time(), UTC) if value is not None else None

    return (
        Filter(f"{name}Begin", snake(f"{name}Begin"), Kind.BEGIN, moment),
        Filter(f"{name}End", snake(f"{name}End"), Kind.END, moment),
    )


_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,7})?)?(Z|[+-]\d{2}:\d{2})")


def read_moment(text: str) -> datetime | None:
    """A complete ISO 8601 date-time with zone; None otherwise: Plex then finds no rows."""
    if not _MOMENT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        return None


def select(
    records: Iterable[R],
    filters: Sequence[Filter[R]],
    request: Request,
    *,
    spelling: str,
    ignored: str = "",
) -> list[R]:
    """The records that match all filters of the request; `ignored` is a pattern of parameters without effect."""
    rows = list(records)
    for each in filters:
        name = each.snake if spelling == "snake" else each.name
        values = request.all(name)
        if not values or (ignored and re.search(ignored, name)):
            continue
        rows = _apply(rows, each, values)
    return rows


def _apply(rows: list[R], each: Filter[R], values: list[str]) -> list[R]:
    get = each.get
    if each.kind is Kind.ANY_OF:
        wanted = set(values)
        return [row for row in rows if str(get(row)) in wanted]
    if each.kind is Kind.FLAG:
        flag = {"true": True, "false": False}.get(values[-1].lower())
        return [row for row in rows if get(row) is flag] if flag is not None else []
    moment = read_moment(values[-1])
    if moment is None:
        return []
    kept = []
    for row in rows:
        value = get(row)
        if isinstance(value, datetime) and (value >= moment if each.kind is Kind.BEGIN else value <= moment):
            kept.append(row)
    return kept


def _line_number(place: Place) -> int | None:
    return place.line.number if place.line else None


def _part_id(place: Place) -> str | None:
    part = place.line.part if place.line is not None else None
    return part.id if part is not None else None


def order_filters(active: Callable[[Place], object], receive: Callable[[Place], object]) -> tuple[Filter[Place], ...]:
    """The filters of the order list; both flags are looked up in the tenant's status table."""
    return (
        *_text("id", lambda p: p.order.id),
        *_text("pONumber", lambda p: p.order.number, "po_number"),
        *_text("status", lambda p: p.order.status),
        *_flag("active", active),
        *_flag("receive", receive),
        *_text("type", lambda p: p.order.type),
        *_text("supplierId", lambda p: p.order.supplier.id),
        *_text("shipTo", lambda p: p.order.ship_to),
        *_window("orderedDate", lambda p: p.order.ordered),
        *_window("dueDate", lambda p: p.order.due),
        *_flag("blanketOrder", lambda p: p.order.blanket),
        *_window("createdDate", lambda p: p.order.created),
        *_window("modifiedDate", lambda p: p.order.modified),
    )


LINE_FILTERS: tuple[Filter[Place], ...] = (
    *_text("id", lambda p: p.line.id if p.line else None),
    *_text("lineItemNumber", _line_number),
    *_text("status", lambda p: p.line.status if p.line else None),
    *_text("supplierPartNumber", lambda p: p.line.supplier_part if p.line else None),
    *_text("partId", _part_id),
    *_window("createdDate", lambda p: p.line.created if p.line else None),
    *_window("modifiedDate", lambda p: p.line.modified if p.line else None),
)

RELEASE_FILTERS: tuple[Filter[Place], ...] = (
    *_text("id", lambda p: p.release.id if p.release else None),
    *_text("pOLineItemId", lambda p: p.line.id if p.line else None, "line_item_id"),
    *_text("status", lambda p: p.release.status if p.release else None),
    *_window("dueDate", lambda p: p.release.due if p.release else None),
    *_window("originalDueDate", lambda p: p.release.original_due if p.release else None),
    *_window("createdDate", lambda p: p.release.created if p.release else None),
    *_window("modifiedDate", lambda p: p.release.modified if p.release else None),
    *_text("releaseLineNumber", lambda p: p.release.number if p.release else None),
    *_text("partId", _part_id),
    *_text("pOId", lambda p: p.order.id, "purchase_order_id"),
    *_text("supplierId", lambda p: p.order.supplier.id),
    *_text("type", lambda p: p.release.type if p.release else None),
)

RECEIPT_FILTERS: tuple[Filter[Receipt], ...] = (
    *_text("id", lambda r: r.id),
    *_text("pOLineItemId", lambda r: r.line.id, "line_item_id"),
    *_text("pOId", lambda r: r.order.id, "purchase_order_id"),
    *_text("supplierId", lambda r: r.order.supplier.id),
    *_text("releaseId", lambda r: r.release.id),
    *_window("receiveDate", lambda r: r.received),
)

SUPPLIER_FILTERS: tuple[Filter[Supplier], ...] = (
    *_text("id", lambda s: s.id),
    *_text("code", lambda s: s.code),
    *_text("name", lambda s: s.name),
    *_text("status", lambda s: s.status),
    *_window("createdDate", lambda s: s.created),
    *_window("modifiedDate", lambda s: s.modified),
)

PART_FILTERS: tuple[Filter[Part], ...] = (
    *_text("id", lambda p: p.id),
    *_text("number", lambda p: p.number),
    *_text("revision", lambda p: p.revision),
    *_text("type", lambda p: p.type),
    *_text("status", lambda p: p.status),
)

APPROVED_FILTERS: tuple[Filter[ApprovedSupplier], ...] = (
    *_text("id", lambda a: a.id),
    *_text("partId", lambda a: a.part_id),
    *_text("supplierId", lambda a: a.supplier_id),
)

INVOICE_FILTERS: tuple[Filter[Invoice], ...] = (
    *_text("id", lambda i: i.id),
    *_text("invoiceNumber", lambda i: i.number),
    *_window("transactionDate", lambda i: i.day),
    *_window("createdDate", lambda i: i.created),
    *_flag("booked", lambda i: i.booked),
    *_window("modifiedDate", lambda i: i.modified),
    *_text("customerCode", lambda i: i.customer_code),
    *_text("customerPONo", lambda i: i.customer_order, "customer_po_no"),
    *_text("status", lambda i: i.status),
    *_flag("void", lambda i: i.void),
)

TENANT_FILTERS: tuple[Filter[Tenant], ...] = (
    *_text("idList", lambda t: t.id),
    *_text("code", lambda t: t.code),
    *_text("codeList", lambda t: t.code),
)

ORDER_STATUS_FILTERS: tuple[Filter[OrderStatus], ...] = (
    *_text("name", lambda s: s.name),
    *_flag("active", lambda s: s.active),
    *_flag("cancelled", lambda s: s.cancelled),
    *_flag("onOrder", lambda s: s.on_order),
)

RELEASE_STATUS_FILTERS: tuple[Filter[ReleaseStatus], ...] = (
    *_text("name", lambda s: s.name),
    *_flag("active", lambda s: s.active),
    *_flag("open", lambda s: s.open),
)
