"""Reads customer (AR) invoices: each row is a complete invoice with lines and taxes (plex/README.md 6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from plexstedi.edi.invoice import Invoice, InvoiceLine, Tax
from plexstedi.edi.order import Part
from plexstedi.edi.units import total_of
from plexstedi.errors import PlexStediError
from plexstedi.plex.days import Days
from plexstedi.plex.port import InvoiceReading, UnforeseenInvoice, UnreadableInvoice, Window
from plexstedi.plex.rest.client import Params, Rest
from plexstedi.plex.rest.rows import Row, RowFault, read_time

_FIX = "Correct the invoice in Plex, or set [plex.fields] if this tenant uses another field name."
_PAID_OR_NOT = "3"


class InvoiceReader:
    """Reads a tenant's customer invoices. `former`: the day conversions of earlier runs, if they differed."""

    def __init__(self, rest: Rest, former: Sequence[Days] = ()) -> None:
        self._rest = rest
        self._former = former
        self._rows: dict[str, Row] = {}

    def touched(self, window: Window) -> tuple[InvoiceReading, ...]:
        """Customer invoices modified or created in the window, sorted by id.

        Raise ServiceRefused, ServiceUnavailable.
        """
        self._rows = _touched_rows(self._rest, window)
        return tuple(invoice_reading(invoice_id, row) for invoice_id, row in sorted(self._rows.items()))

    def in_former_zone(self, invoice_id: str, timezone: str) -> Invoice | None:
        """An invoice of the last window, with its days in a former time zone; None if it cannot be read that way."""
        row, days = self._rows.get(invoice_id), next((each for each in self._former if each.name == timezone), None)
        read = None if row is None or days is None else invoice_reading(invoice_id, row.with_days(days))
        return read if isinstance(read, Invoice) else None


def _touched_rows(rest: Rest, window: Window) -> dict[str, Row]:
    newest: dict[str, tuple[datetime, Row]] = {}
    for by, field in (("modified", "modifiedDate"), ("created", "createdDate")):
        for extra in _void_and_not(rest):
            for row in rest.in_window("invoices", window, by=by, field=field, extra=extra):
                try:
                    invoice_id = row.needed("id")
                except RowFault as error:
                    rest.skip_row(row, error)
                    continue
                moment = _changed_at(row) or window.begin
                if invoice_id not in newest or moment > newest[invoice_id][0]:
                    newest[invoice_id] = (moment, row)
    return {invoice_id: row for invoice_id, (_, row) in newest.items()}


def _changed_at(row: Row) -> datetime | None:
    """The invoice's modified time, else its created time; None if missing or unreadable (`read_invoice` reports it)."""
    try:
        return row.time("modifiedDate") or row.time("createdDate")
    except RowFault:
        return None


def _void_and_not(rest: Rest) -> tuple[Params, ...]:
    """Queries for void and paid invoices too: whether Plex omits them by default is unknown (plex/README.md 6)."""
    void, paid = rest.dialect.filter("void"), rest.dialect.filter("paid")
    everything: Params = () if paid is None else ((paid, _PAID_OR_NOT),)
    return (everything,) if void is None else (everything, (*everything, (void, "true")))


def invoice_reading(invoice_id: str, row: Row, fix: str = _FIX) -> InvoiceReading:
    """A complete row as an invoice, or why it cannot be read. Raise PlexStediError."""
    try:
        return read_invoice(row)
    except RowFault as error:
        number, code, created = (row.raw(field) for field in ("invoiceNumber", "customerCode", "createdDate"))
        return UnreadableInvoice(
            invoice_id=invoice_id,
            number=number.strip() if isinstance(number, str) else "",
            customer_code=code.strip() if isinstance(code, str) else "",
            created_at=read_time(created) if isinstance(created, str) else None,
            reason=str(error),
            fix=fix,
        )
    except PlexStediError:
        raise
    except Exception as error:
        number = row.raw("invoiceNumber")
        return UnforeseenInvoice(invoice_id, number if isinstance(number, str) else "", error, row.mark())


def read_invoice(row: Row) -> Invoice:
    """One customer invoice; lines are numbered consecutively, since Plex gives them no number. Raise RowFault.

    Balancing lines (`offset`) are omitted: they are not billed to the customer. An invoice in a foreign currency is
    read in that currency (`currencyAmount`, `currencyCredit`, `currencyDebit`).
    """
    booked, created_at, day = row.flag("booked"), row.time("createdDate"), row.day("transactionDate")
    if booked is None or created_at is None or day is None:
        missing = "booked" if booked is None else "createdDate" if created_at is None else "transactionDate"
        raise RowFault(f"{row.what}: {missing} is missing")
    billed = [line for line in row.nested("lines") if not line.number("offset")]
    foreign = row.number("currencyAmount")
    return Invoice(
        id=row.needed("id"),
        number=row.needed("invoiceNumber"),
        customer_id=row.text("customerId") or "",
        customer_code=row.needed("customerCode"),
        invoice_date=day,
        customer_order=row.text("customerPONo") or _order_of_lines(billed),
        currency=row.text("currencyCode"),
        terms=row.text("terms"),
        due=row.day("dueDate"),
        ship_to=row.text("customerShipToCode"),
        note=row.text("invoiceNote"),
        credit=row.flag("creditMemo") or False,
        void=row.flag("void") or False,
        booked=booked,
        total=row.number("amount") if foreign is None else foreign,
        lines=tuple(_line(line, number, foreign=foreign is not None) for number, line in enumerate(billed, 1)),
        created_at=created_at,
        modified_at=row.time("modifiedDate"),
    )


def _order_of_lines(lines: Sequence[Row]) -> str | None:
    """The customer's order number if all lines name the same one; otherwise None."""
    named = {line.text("customerOrderNo") for line in lines}
    return named.pop() if len(named) == 1 else None


def _line(row: Row, number: int, *, foreign: bool) -> InvoiceLine:
    quantity, part = row.number("quantity"), row.text("partNo")
    if quantity is None:
        raise RowFault(f"{row.what}: quantity is missing")
    return InvoiceLine(
        id=row.text("lineId") or f"{number}",
        number=number,
        quantity=quantity,
        unit=row.text("uoM"),
        price=row.number("unitPrice"),
        amount=_amount(row, "currencyCredit", "currencyDebit") if foreign else _amount(row, "credit", "debit"),
        part=None if part is None else Part(number=part),
        description=row.text("description"),
        taxes=tuple(_tax(tax) for tax in row.nested("taxes")),
    )


def _amount(row: Row, credit_field: str, debit_field: str) -> Decimal | None:
    """The billed amount of a line: credit minus debit, since revenue is a credit. None if both are missing."""
    credit, debit = row.number(credit_field), row.number(debit_field)
    if credit is None and debit is None:
        return None
    return total_of(credit or Decimal(0), -(debit or Decimal(0)))


def _tax(row: Row) -> Tax:
    amount = row.number("taxAmount")
    if amount is None:
        raise RowFault(f"{row.what}: taxAmount is missing")
    return Tax(name=row.text("taxCode") or "tax", amount=amount)
