"""A customer invoice of Plex, free of any Plex dialect: what an 810 tells."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from plexstedi.edi.order import Frozen, Part
from plexstedi.edi.units import plain


class Tax(Frozen):
    """One tax of an invoice or of one of its lines."""

    name: str
    amount: Decimal
    """In the invoice's currency."""
    percent: Decimal | None = None


class InvoiceLine(Frozen):
    """One line that bills a quantity at a price."""

    id: str
    number: int
    """Counts within the invoice, from 1: Plex Connect's invoice lines have no number."""
    quantity: Decimal
    unit: str | None
    price: Decimal | None
    """Per `unit`."""
    amount: Decimal | None = None
    """What Plex bills for the line, without tax; None if Plex gives none."""
    part: Part | None = None
    customer_part: str | None = None
    description: str | None = None
    taxes: tuple[Tax, ...] = ()


class Invoice(Frozen):
    """A customer invoice as Plex holds it."""

    id: str
    number: str
    customer_id: str
    customer_code: str
    invoice_date: date
    customer_order: str | None
    """The customer's own order number (BIG04)."""
    order_date: date | None = None
    """Only if known (BIG03)."""
    currency: str | None = None
    terms: str | None = None
    due: date | None = None
    ship_to: str | None = None
    note: str | None = None
    credit: bool = False
    """A credit memo: BIG07 CR."""
    void: bool = False
    booked: bool = True
    """Entered in the accounts: only then is it a debt that a customer is told of."""
    total: Decimal | None = None
    """What Plex bills altogether, taxes included."""
    lines: tuple[InvoiceLine, ...] = ()
    taxes: tuple[Tax, ...] = ()
    """Taxes of the invoice as a whole, besides those of its lines."""
    created_at: datetime | None = None
    modified_at: datetime | None = None


_NOT_IN_FINGERPRINT = {"created_at", "modified_at"}


def invoice_fingerprint(invoice: Invoice) -> str:
    """SHA-256 (hex) of what a customer could be told of this invoice, and of whether it counts (void, booked)."""
    content = _plain(invoice.model_dump(exclude=_NOT_IN_FINGERPRINT))
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """A value in one spelling: 3000.0 and 3000 are one quantity."""
    match value:
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
