"""One customer invoice as `status NUMBER` reports it, read from the state file."""

from __future__ import annotations

from msgspec import Struct

from plexstedi.edi.invoice import Invoice
from plexstedi.state.invoices import InvoiceRecord, invoice_of_stream
from plexstedi.state.store import Store
from plexstedi.sync.report.history import History, history_of


class InvoiceReport(Struct, frozen=True):
    """Everything that `status` shows of one invoice."""

    record: InvoiceRecord
    invoice: Invoice
    """The latest revision."""
    history: History


def find_invoice(store: Store, number: str) -> tuple[InvoiceRecord, tuple[InvoiceRecord, ...]] | None:
    """The invoice of this number (or stream, `invoice/ID`) that was read last, and others of the same number.

    None if there is none.
    """
    found = store.invoices.by_number(number)
    by_id = store.invoices.get(invoice_of_stream(number) or "")
    if not found and by_id is not None:
        found = [by_id]
    if not found:
        return None
    found.sort(key=lambda record: (-record.read_at.timestamp(), record.id))
    return found[0], tuple(found[1:])


def invoice_report(store: Store, record: InvoiceRecord) -> InvoiceReport:
    """Read the report of an invoice."""
    return InvoiceReport(
        record=record,
        invoice=store.invoices.revision(record.id, record.latest),
        history=history_of(store, record.stream),
    )
