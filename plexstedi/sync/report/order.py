"""One order's whole story, read from the state: `status NUMBER`."""

from __future__ import annotations

from dataclasses import dataclass

from plexstedi.edi.order import Order
from plexstedi.state.audit import Event
from plexstedi.state.document import Document
from plexstedi.state.inbox import Inbound
from plexstedi.state.orders import OrderRecord
from plexstedi.state.reviews import Review
from plexstedi.state.store import Store
from plexstedi.sync.report.lines import OrderLine, lines_of
from plexstedi.sync.report.timeline import EventWords


@dataclass(frozen=True)
class Told:
    """One event with its words."""

    event: Event
    words: str


@dataclass(frozen=True)
class OrderReport:
    """All that is known of one order."""

    record: OrderRecord
    order: Order
    """The latest revision."""
    supplier_name: str | None
    documents: tuple[Document, ...]
    answers: tuple[Inbound, ...]
    lines: tuple[OrderLine, ...]
    reviews: tuple[Review, ...]
    """Open ones."""
    events: tuple[Told, ...]


def order_report(store: Store, record: OrderRecord) -> OrderReport:
    """The story of an order up to now."""
    order = store.orders.revision(record.id, record.latest)
    supplier = store.orders.supplier(record.supplier)
    documents = store.documents.of_order(record.id)
    answers = store.inbox.of_order(record.id)
    words = EventWords(
        {document.id: document for document in documents}, {answer.transaction_id: answer for answer in answers}
    )
    # What came in is listed and stored before it is known whose it is.
    received = store.audit.of_transactions([answer.transaction_id for answer in answers])
    events = sorted([*store.audit.events(order_id=record.id), *received], key=lambda event: event.seq)
    return OrderReport(
        record=record,
        order=order,
        supplier_name=None if supplier is None else supplier.name,
        documents=tuple(documents),
        answers=tuple(answers),
        lines=lines_of(store, order),
        reviews=tuple(store.reviews.standing(order_id=record.id)),
        events=tuple(Told(event, words.of(event)) for event in events),
    )
