"""The data sources of customer (AR) invoices: by the day of creation, and their lines by the invoice's key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from plexstedi.decimal_json import Json
from plexstedi.sandbox.plex.filters import read_moment
from plexstedi.sandbox.plex.records import Invoice, InvoiceLine
from plexstedi.sandbox.plex.rows import day, stamp
from plexstedi.sandbox.plex.source import CarryOut, Input, Result, Source
from plexstedi.sandbox.plex.store import PlexStore

_CREATED, _LINES = 21287, 735
_FIRST_KEY = 400_001
_CENT = Decimal("0.01")

INVOICE_SOURCES = (
    Source(
        _CREATED, "AR_Invoices_for_Created_Date_Get",
        (Input("Begin_Date", "date", required=True), Input("End_Date", "date", required=True)), (),
        (
            ("Invoice_Link", "int32"), ("Invoice_No", "string"), ("Customer_Code", "string"),
            ("Customer_PO_No", "string"), ("Invoice_Date", "date"), ("Due_Date", "date"), ("Terms", "string"),
            ("Currency_Code", "string"), ("Invoice_Status", "string"), ("Amount", "decimal"), ("Booked", "bool"),
            ("Void", "bool"), ("Created_Date", "date"), ("Updated_Date", "date"),
        ),
        limit=5000,
    ),
    Source(
        _LINES, "AR_Invoice_Dist_Get", (Input("Invoice_Link", "int32", required=True),), (),
        (
            ("Invoice_Link", "int32"), ("Line_No", "int32"), ("Description", "string"), ("Part_No", "string"),
            ("Unit", "string"), ("Quantity", "decimal"), ("Unit_Price", "decimal"), ("Amount", "decimal"),
            ("Tax_Code", "string"), ("Tax_Amount", "decimal"),
        ),
    ),
)  # fmt: skip


def _keyed(store: PlexStore) -> Iterator[tuple[int, Invoice]]:
    yield from enumerate(store.tenant.invoices, _FIRST_KEY)


def _created(store: PlexStore, inputs: Mapping[str, Json]) -> Result:
    """Invoices created in the window: a later change of one is not found by this data source."""
    begin = read_moment(str(inputs.get("Begin_Date"))) or datetime.min.replace(tzinfo=UTC)
    end = read_moment(str(inputs.get("End_Date"))) or datetime.max.replace(tzinfo=UTC)
    return Result({}, tuple(_row(key, each) for key, each in _keyed(store) if begin <= each.created <= end))


def _row(key: int, invoice: Invoice) -> dict[str, Json]:
    taxes = sum((line.tax_amount or Decimal(0) for line in invoice.lines), Decimal(0))
    return {
        "Invoice_Link": key,
        "Invoice_No": invoice.number,
        "Customer_Code": invoice.customer_code,
        "Customer_PO_No": invoice.customer_order,
        "Invoice_Date": day(invoice.day, local_midnight=True),
        "Due_Date": day(invoice.due, local_midnight=True),
        "Terms": invoice.terms,
        "Currency_Code": invoice.currency,
        "Invoice_Status": invoice.status,
        "Amount": sum((_amount(line) for line in invoice.lines), taxes),
        "Booked": invoice.booked,
        "Void": invoice.void,
        "Created_Date": stamp(invoice.created),
        "Updated_Date": stamp(invoice.modified),
    }


def _lines(store: PlexStore, inputs: Mapping[str, Json]) -> Result:
    wanted = inputs.get("Invoice_Link")
    return Result(
        {},
        tuple(
            _line_row(key, number, line)
            for key, invoice in _keyed(store)
            if wanted in (None, key)
            for number, line in enumerate(invoice.lines, 1)
        ),
    )


def _line_row(key: int, number: int, line: InvoiceLine) -> dict[str, Json]:
    return {
        "Invoice_Link": key,
        "Line_No": number,
        "Description": line.description,
        "Part_No": line.part_number,
        "Unit": line.unit,
        "Quantity": line.quantity,
        "Unit_Price": line.unit_price,
        "Amount": _amount(line),
        "Tax_Code": line.tax_code,
        "Tax_Amount": line.tax_amount,
    }


def _amount(line: InvoiceLine) -> Decimal:
    return (line.quantity * line.unit_price).quantize(_CENT)


INVOICE_CARRY_OUT: Mapping[int, CarryOut] = {_CREATED: _created, _LINES: _lines}
"""By number: what the data source does."""
