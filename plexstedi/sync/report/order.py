"""One order's whole story, read from the state: `status NUMBER`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from plexstedi.edi.order import Order
from plexstedi.state.audit import Event
from plexstedi.state.document import Document
from plexstedi.state.inbox import Inbound
from plexstedi.state.orders import OrderRecord
from plexstedi.state.reviews import Review
from plexstedi.state.store import Store
from plexstedi.sync.report.lines import OrderLine, iso, json_line, lines_of
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

    def as_json(self) -> dict[str, object]:
        """The keys of `status NUMBER --json` (DESIGN.md section 4), and `answers`."""
        return {
            "order": self._order(),
            "documents": [json_document(document) for document in self.documents],
            "lines": [json_line(line) for line in self.lines],
            "answers": [json_answer(answer) for answer in self.answers],
            "events": [json_event(told) for told in self.events],
        }

    def _order(self) -> dict[str, object]:
        return {
            "id": self.order.id,
            "number": self.order.number,
            "supplier": self.record.supplier,
            "supplier_name": self.supplier_name,
            "phase": self.record.phase.value,
            "status_in_plex": self.order.status_name,
            "order_date": iso(self.order.order_date),
            "due_date": iso(self.order.due),
            "currency": self.order.currency,
            "blanket": self.order.blanket,
            "revision": self.record.latest,
            "known_before": self.record.known,
            "traded": not self.record.untraded,
            "read_at": stamp(self.record.read_at),
            "reviews": [json_review(review) for review in self.reviews],
        }


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
    received = store.audit.about([f"transaction {answer.transaction_id}" for answer in answers])
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


def json_review(review: Review) -> Mapping[str, object]:
    """A review item as every command writes it (DESIGN.md section 4)."""
    document = _DOCUMENT.search(review.subject)
    transaction = _TRANSACTION.search(review.subject)
    return {
        "id": review.id,
        "kind": review.kind.value,
        "state": review.state,
        "order": review.order_number,
        "supplier": review.supplier,
        "line": review.line,
        "document": None if document is None else int(document[1]),
        "transaction": None if transaction is None else transaction[1],
        "since": stamp(review.opened_at),
        "closed_at": stamp(review.closed_at),
        "closed_by": review.closed_by,
        "closing_reason": review.closing_reason,
        "reasons": [reason.model_dump() for reason in review.reasons],
    }


_DOCUMENT = re.compile(r"\bdocument ([0-9]+)\b", re.ASCII)
_TRANSACTION = re.compile(r"\btransaction (\S+)")


def json_document(document: Document) -> dict[str, object]:
    """A document as `status NUMBER --json` lists it (DESIGN.md section 4)."""
    return {
        "id": document.id,
        "kind": document.kind,
        "revision": document.revision,
        "state": document.state.value,
        "delivery": document.delivery.value,
        "functional_ack": document.functional_ack.value,
        "business_ack": document.business_ack.value,
        "purpose": document.purpose,
        "change_sequence": document.change_sequence,
        "replay_of": document.replay_of,
        "file_name": document.file_name,
        "idempotency_key": document.idempotency_key,
        "file_execution_id": document.file_execution_id,
        "interchange_control_number": document.interchange_control,
        "group_control_number": document.group_control,
        "error": document.error,
        "dropped": list(document.dropped),
    }


def json_answer(answer: Inbound) -> dict[str, object]:
    """One 855, 865 or 997 that came in for the order."""
    return {
        "transaction": answer.transaction_id,
        "set": answer.set_id,
        "document": answer.document_id,
        "type": answer.type_code,
        "dated": answer.dated,
        "processed_at": stamp(answer.processed_at),
        "state": answer.state.value,
        "reason": answer.reason,
    }


def json_event(told: Told) -> dict[str, object]:
    """An event with its words."""
    event = told.event
    return {
        "at": stamp(event.at),
        "actor": event.actor,
        "kind": event.kind,
        "subject": event.subject,
        "text": told.words,
        "detail": dict(event.detail),
    }


def stamp(at: datetime | None) -> str | None:
    """A time in ISO 8601, UTC, to the second."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
