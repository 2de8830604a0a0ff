"""A customer invoice of Plex, free of any Plex dialect: what an 810 tells."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from plexstedi.edi.order import Frozen, Part


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
    total: Decimal | None = None
    """What Plex bills altogether, taxes included."""
    lines: tuple[InvoiceLine, ...] = ()
    taxes: tuple[Tax, ...] = ()
    """Taxes of the invoice as a whole, besides those of its lines."""
    modified_at: datetime | None = None
