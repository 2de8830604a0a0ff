"""One customer invoice's whole story, read from the state: `status NUMBER` of an invoice."""

from __future__ import annotations

from dataclasses import dataclass

from plexstedi.edi.invoice import Invoice
from plexstedi.state.document import Document
from plexstedi.state.invoices import InvoiceRecord, invoice_of_stream
from plexstedi.state.reviews import Review
from plexstedi.state.store import Store
from plexstedi.sync.report.order import Told
from plexstedi.sync.report.timeline import EventWords


@dataclass(frozen=True)
class InvoiceReport:
    """All that is known of one invoice."""

    record: InvoiceRecord
    invoice: Invoice
    """The latest revision."""
    documents: tuple[Document, ...]
    reviews: tuple[Review, ...]
    """Open ones."""
    events: tuple[Told, ...]


def find_invoice(store: Store, number: str) -> tuple[InvoiceRecord, tuple[InvoiceRecord, ...]] | None:
    """The invoice of this number (or stream, `invoice/ID`) that was read last, and others of the same number."""
    found = store.invoices.by_number(number)
    by_id = store.invoices.get(invoice_of_stream(number) or "")
    if not found and by_id is not None:
        found = [by_id]
    if not found:
        return None
    found.sort(key=lambda record: (-record.read_at.timestamp(), record.id))
    return found[0], tuple(found[1:])


def invoice_report(store: Store, record: InvoiceRecord) -> InvoiceReport:
    """The story of an invoice up to now."""
    documents = store.documents.of_order(record.stream)
    words = EventWords({document.id: document for document in documents}, {})
    return InvoiceReport(
        record=record,
        invoice=store.invoices.revision(record.id, record.latest),
        documents=tuple(documents),
        reviews=tuple(store.reviews.standing(order_id=record.stream)),
        events=tuple(Told(event, words.of(event)) for event in store.audit.events(order_id=record.stream)),
    )
