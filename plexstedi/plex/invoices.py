"""Customer invoices as Plex's accounting lists them: each row is a whole invoice with lines and taxes (plex.md 6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from plexstedi.edi.order import Part
from plexstedi.edi.outbound.invoice import Invoice, InvoiceLine, Tax
from plexstedi.edi.units import total_of
from plexstedi.plex.port import InvoiceReading, UnreadableInvoice, Window
from plexstedi.plex.rest import Params, Rest
from plexstedi.plex.rows import Row, RowFault, read_time

_FIX = "Correct the invoice in Plex, or set [plex.fields] if this tenant calls the field otherwise."
_PAID_OR_NOT = "3"


def touched_invoices(rest: Rest, window: Window) -> tuple[InvoiceReading, ...]:
    """Customer invoices modified or created in the window, by id. Raise ServiceRefused, ServiceUnavailable."""
    newest: dict[str, tuple[datetime, Row]] = {}
    for by, field in (("modified", "modifiedDate"), ("created", "createdDate")):
        for extra in _void_and_not(rest):
            for row in rest.in_window("invoices", window, by=by, field=field, extra=extra):
                moment = row.time_if_readable("modifiedDate") or row.time_if_readable("createdDate") or window.begin
                try:
                    invoice_id = row.needed("id")
                except RowFault:
                    # It is held under the number that it bears.
                    invoice_id = f"({row.what})"
                if invoice_id not in newest or moment > newest[invoice_id][0]:
                    newest[invoice_id] = (moment, row)
    return tuple(_reading(invoice_id, row) for invoice_id, (_, row) in sorted(newest.items()))


def _void_and_not(rest: Rest) -> tuple[Params, ...]:
    """Whether Plex leaves out void or paid invoices by default is not known: all of them are asked for."""
    void, paid = rest.dialect.filter("void"), rest.dialect.filter("paid")
    everything: Params = () if paid is None else ((paid, _PAID_OR_NOT),)
    return (everything,) if void is None else (everything, (*everything, (void, "true")))


def _reading(invoice_id: str, row: Row) -> InvoiceReading:
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
            fix=_FIX,
        )


def read_invoice(row: Row) -> Invoice:
    """One customer invoice; its lines are counted, since Plex gives them no number. Raise RowFault.

    Lines that only balance the books (`offset`) are no lines of the customer's. An invoice in a foreign currency is
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
    """The customer's order number that all lines name; None if there is none, or several."""
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
    """What the line bills: revenue is a credit. None if Plex gives neither side."""
    credit, debit = row.number(credit_field), row.number(debit_field)
    if credit is None and debit is None:
        return None
    return total_of(credit or Decimal(0), -(debit or Decimal(0)))


def _tax(row: Row) -> Tax:
    amount = row.number("taxAmount")
    if amount is None:
        raise RowFault(f"{row.what}: taxAmount is missing")
    return Tax(name=row.text("taxCode") or "tax", amount=amount)
