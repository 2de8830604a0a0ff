"""What decides which acknowledgment of an order counts, as the state has it; read also by `status`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from plexstedi.edi.inbound.outcome import Reconciliation
from plexstedi.edi.inbound.precedence import AnswerHeader, SentDocument, day_of, usable_date
from plexstedi.edi.inbound.revisions import same_to_supplier
from plexstedi.edi.sent import SentOrder
from plexstedi.state.document import Document
from plexstedi.state.inbox import Inbound
from plexstedi.state.store import Store


def sent_documents(store: Store, documents: Sequence[Document], sent: Sequence[SentOrder]) -> list[SentDocument]:
    """The documents of a stream, each with the lines that it changed.

    When one was sent is what Stedi's own list says: one that was not heard is accepted here long after it arrived.
    """
    found = []
    for position, (document, told) in enumerate(zip(documents, sent, strict=True)):
        before = sent[position - 1] if position else None
        found.append(
            SentDocument(
                position=position,
                sent_at=store.executions.first_seen_at(document.file_name)
                or document.accepted_at
                or document.first_attempt_at
                or document.frozen_at,
                change_sequence=document.change_sequence if document.kind == "860" else None,
                changed=frozenset() if before is None else changed_lines(before, told),
            )
        )
    return found


def changed_lines(before: SentOrder, after: SentOrder) -> frozenset[int]:
    """Numbers of the lines of which two documents tell something else; one that the first deleted is not in the second.

    Plex's own ids are nothing that a supplier is told: a line or release that was entered again is the same to it.
    """
    kept = {line.line for line in after.lines}
    gone = {line.line for line in before.lines if line.quantity == 0 and line.line not in kept}
    was, becomes = ({line.line: line for line in order.lines} for order in (before, after))
    numbers = (was.keys() | becomes.keys()) - gone
    return frozenset(n for n in numbers if not same_to_supplier(was.get(n), becomes.get(n)))


def answer_header(inbound: Inbound, outcome: Reconciliation, ordered: date | None) -> AnswerHeader:
    """What decides which of several answers counts; `ordered` is the order's date."""
    dated = None if inbound.dated is None else date.fromisoformat(inbound.dated)
    return AnswerHeader(
        transaction_id=inbound.transaction_id,
        type_code=outcome.type_code,
        supplier_reference=outcome.supplier_reference,
        dated=usable_date(dated, inbound.processed_at, ordered),
        processed_at=inbound.processed_at,
    )


def ordered_on(store: Store, order_id: str) -> date | None:
    """The day of an order: its date in Plex, else the day on which Plex made it."""
    record = store.orders.get(order_id)
    if record is None:
        return None
    order = store.orders.revision(order_id, record.latest)
    return order.order_date or (None if order.created_at is None else day_of(order.created_at))
