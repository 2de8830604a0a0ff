"""Reads customer (AR) invoices through data sources: the list of a window, then the lines of each, one call each.

The catalogue's list is by time of creation only (plex/README.md 8). A later booking or void is found by looking at the
invoices created in the weeks before the window and reading those that were modified in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from plexstedi.decimal_json import Json
from plexstedi.edi.invoice import Invoice
from plexstedi.edi.plain_values import plain_number
from plexstedi.errors import ServiceUnavailable
from plexstedi.plex.datasource.tables import SourceTables, ignored_input
from plexstedi.plex.days import Days
from plexstedi.plex.port import InvoiceReading, UnreadableInvoice, Window
from plexstedi.plex.rest.client import UNREADABLE
from plexstedi.plex.rest.invoices import invoice_reading
from plexstedi.plex.rest.rows import Row, RowFault

LOOK_BACK = timedelta(days=35)
"""An invoice that is booked, voided or changed longer than this after its creation is not seen."""
_GRACE = timedelta(seconds=1)
_FIX = "Correct the invoice in Plex, or the columns in [plex.datasources] if this tenant uses other ones."


class SourceInvoices:
    """Reads a tenant's customer invoices. `former`: the day conversions of earlier runs, if they differed."""

    def __init__(self, tables: SourceTables, former: Sequence[Days]) -> None:
        self._tables = tables
        self._former = former
        self._rows: dict[str, Row] = {}

    def touched(self, window: Window, most: int | None = None) -> tuple[InvoiceReading, ...]:
        """Customer invoices modified or created in the window, sorted by id; with `most`, only as many of them.

        Raise ServiceRefused, ServiceUnavailable (code `row-limit` if Plex left out rows).
        """
        self._rows.clear()
        wider = Window(window.begin - LOOK_BACK, window.end)
        headers = {
            invoice_id: row
            for invoice_id, row in self._headers(self._tables.in_window("invoices", wider))
            if _is_touched(row, window)
        }
        return tuple(self._one(invoice_id, headers[invoice_id]) for invoice_id in sorted(headers)[:most])

    def in_former_zone(self, invoice_id: str, timezone: str) -> Invoice | None:
        """An invoice of the last window, with its days in a former time zone; None if it cannot be read that way."""
        row, days = self._rows.get(invoice_id), next((each for each in self._former if each.name == timezone), None)
        read = None if row is None or days is None else invoice_reading(invoice_id, row.with_days(days), _FIX)
        return read if isinstance(read, Invoice) else None

    def _headers(self, rows: Iterable[Row]) -> Iterable[tuple[str, Row]]:
        # Both halves of a halved window have the rows of their common second.
        return self._tables.each(rows, lambda row: (row.needed("id"), row))

    def _one(self, invoice_id: str, header: Row) -> InvoiceReading:
        try:
            lines = self._tables.rows("invoice_lines", {"invoice": invoice_id})
            if any(row.raw("invoiceId") is not None and row.text("invoiceId") != invoice_id for row in lines):
                raise ignored_input(self._tables, "invoice_lines", "invoice", invoice_id)
            row = _whole(header, lines)
        except ServiceUnavailable as fault:
            if fault.code != UNREADABLE:
                raise
            return _unreadable(invoice_id, header, fault.message)
        except RowFault as error:
            return _unreadable(invoice_id, header, str(error))
        self._rows[invoice_id] = row
        return invoice_reading(invoice_id, row, _FIX)


def _is_touched(row: Row, window: Window) -> bool:
    """Whether the invoice was created or modified in the window; also if that cannot be read: reading reports it."""
    try:
        moments = [moment for field in ("createdDate", "modifiedDate") if (moment := row.time(field)) is not None]
    except RowFault:
        return True
    return not moments or any(_is_within(moment, window) for moment in moments)


def _is_within(moment: datetime, window: Window) -> bool:
    return window.begin - _GRACE <= moment <= window.end + _GRACE


def _whole(header: Row, lines: Sequence[Row]) -> Row:
    """One row with its lines, as the REST interfaces have it. Raise RowFault."""
    assert isinstance(header.document, Mapping)
    given: dict[str, Json] = {
        **header.document,
        **{name: _is_so(header, name) for name in ("booked", "void")},
        "lines": [_line(row) for row in sorted(lines, key=_place)],
    }
    whole = Row(given, header.names, header.table)
    whole.what = header.what
    return whole


def _is_so(row: Row, field: str) -> Json:
    """A flag, or the date since which it is so: booked, void. Without a value it is not so."""
    try:
        return bool(row.flag(field))
    except RowFault:
        return row.day(field) is not None


def _place(row: Row) -> tuple[Decimal, str]:
    """The line's place in its invoice: its number where that is one, so that each reading has the same sequence."""
    text = row.needed("lineId")
    return plain_number(text) or Decimal(0), text


def _line(row: Row) -> Json:
    """A line as the REST interfaces have it, with at most one tax."""
    assert isinstance(row.document, Mapping)
    line: dict[str, Json] = {**row.document, "offset": 1 if row.flag("offset") else None}
    tax = row.number("taxAmount")
    if tax:
        line["taxes"] = [{"taxCode": row.text("taxCode"), "taxAmount": tax}]
    if (amount := row.number("amount")) is not None:
        line["credit"] = amount
    return line


def _unreadable(invoice_id: str, header: Row, reason: str) -> UnreadableInvoice:
    number, code = header.raw("invoiceNumber"), header.raw("customerCode")
    return UnreadableInvoice(
        invoice_id=invoice_id,
        number=f"{number}".strip() if isinstance(number, str | int) else "",
        customer_code=code.strip() if isinstance(code, str) else "",
        created_at=header.time_if_readable("createdDate"),
        reason=reason,
        fix=_FIX,
    )
