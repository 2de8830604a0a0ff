"""A customer invoice of Plex, independent of the Plex dialect: the data of an 810."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from plexstedi.edi.model import Frozen
from plexstedi.edi.order import Part
from plexstedi.edi.units import plain


class Tax(Frozen, frozen=True, kw_only=True):
    """One tax of an invoice or of one of its lines."""

    name: str
    amount: Decimal
    """In the invoice's currency."""
    percent: Decimal | None = None


class InvoiceLine(Frozen, frozen=True, kw_only=True):
    """One line that bills a quantity at a price."""

    id: str
    number: int
    """Position in the invoice, from 1: Plex Connect does not number invoice lines."""
    quantity: Decimal
    unit: str | None
    price: Decimal | None
    """Per `unit`."""
    amount: Decimal | None = None
    """Line amount in Plex, without tax; None if Plex provides none."""
    part: Part | None = None
    customer_part: str | None = None
    description: str | None = None
    taxes: tuple[Tax, ...] = ()


class Invoice(Frozen, frozen=True, kw_only=True, weakref=True):
    """A customer invoice as read from Plex."""

    id: str
    number: str
    customer_id: str
    customer_code: str
    invoice_date: date
    customer_order: str | None
    """The customer's own order number (BIG04)."""
    order_date: date | None = None
    """BIG03, sent only if known."""
    currency: str | None = None
    terms: str | None = None
    due: date | None = None
    ship_to: str | None = None
    note: str | None = None
    credit: bool = False
    """A credit memo: BIG07 CR."""
    void: bool = False
    booked: bool = True
    """Booked in Plex. Only a booked invoice is sent to the customer."""
    total: Decimal | None = None
    """Invoice total in Plex, taxes included."""
    lines: tuple[InvoiceLine, ...] = ()
    taxes: tuple[Tax, ...] = ()
    """Taxes on the invoice as a whole, in addition to those of its lines."""
    created_at: datetime | None = None
    modified_at: datetime | None = None


_NOT_IN_FINGERPRINT = {"created_at", "modified_at"}


def invoice_fingerprint(invoice: Invoice) -> str:
    """SHA-256 (hex) of all invoice data that an 810 can carry, and of its status (void, booked)."""
    content = _plain({name: value for name, value in asdict(invoice).items() if name not in _NOT_IN_FINGERPRINT})
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Canonical text of a value: 3000.0 and 3000 are the same quantity."""
    match value:
        case Struct():
            return _plain(asdict(value))
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case Decimal():
            return str(plain(value))
        case date():
            return value.isoformat()
        case _:
            return value
