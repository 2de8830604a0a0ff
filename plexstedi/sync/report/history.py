"""Documents, acknowledgments, review items and timeline of an order or invoice, for `status NUMBER`."""

from __future__ import annotations

from msgspec import Struct

from plexstedi.state.audit import Event
from plexstedi.state.document import Document
from plexstedi.state.inbox import Inbound
from plexstedi.state.reviews import Review
from plexstedi.state.store import Store
from plexstedi.sync.report.timeline import EventWords


class WordedEvent(Struct, frozen=True):
    """One event of the audit trail with its text."""

    event: Event
    words: str


class History(Struct, frozen=True):
    """The history of one order or invoice."""

    documents: tuple[Document, ...]
    acknowledgments: tuple[Inbound, ...]
    reviews: tuple[Review, ...]
    """Open ones."""
    events: tuple[WordedEvent, ...]

    @property
    def needs_review(self) -> bool:
        """Whether a review item is open, or Stedi did not report the outcome of a document."""
        return bool(self.reviews) or any(document.state.is_outcome_unknown for document in self.documents)


def history_of(store: Store, order_id: str) -> History:
    """Read the history of an order (by its Plex id) or an invoice (by its stream)."""
    documents = store.documents.of_order(order_id)
    acknowledgments = store.inbox.of_order(order_id)
    words = EventWords(
        {document.id: document for document in documents}, {each.transaction_id: each for each in acknowledgments}
    )
    # A transaction is listed and stored before its order is known: these events name the transaction only.
    received = store.audit.of_transactions([each.transaction_id for each in acknowledgments])
    events = sorted([*store.audit.events(order_id=order_id), *received], key=lambda event: event.seq)
    return History(
        documents=tuple(documents),
        acknowledgments=tuple(acknowledgments),
        reviews=tuple(store.reviews.open_items(order_id=order_id)),
        events=tuple(WordedEvent(event, words.of(event)) for event in events),
    )
