"""The values that determine precedence among an order's acknowledgments, from the state; `status` reads them too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from plexstedi.edi.inbound.outcome import AckState, EarlierOutcome, LineOutcome, Reconciliation, accept
from plexstedi.edi.inbound.precedence import (
    AcknowledgmentHeader,
    Folded,
    RankedAcknowledgment,
    SentDocument,
    day_of,
    fold,
    newest_first,
    usable_date,
)
from plexstedi.edi.inbound.revisions import same_to_supplier
from plexstedi.edi.sent import SentOrder
from plexstedi.state.document import Document
from plexstedi.state.inbox import Inbound
from plexstedi.state.store import Store

Ranked = tuple[RankedAcknowledgment, Reconciliation]


def fold_stream(
    store: Store,
    order_id: str,
    documents: Sequence[Document],
    sent: Sequence[SentOrder] | None = None,
    *,
    received: Sequence[Inbound] | None = None,
    ordered: date | None = None,
    decided: bool = True,
) -> tuple[Folded, list[Ranked]]:
    """The line states of a stream after all acknowledgments of these documents, and these acknowledgments.

    `sent`, `received` and `ordered`: the lines of the documents, the order's transactions and its date, if they are
    known already. `decided`: after the user's decisions; else as received.
    """
    positions = {document.id: position for position, document in enumerate(documents)}
    counting = [
        (inbound, positions[inbound.document_id], outcome)
        for inbound in (store.inbox.of_order(order_id) if received is None else received)
        if inbound.document_id in positions
        and not inbound.state.is_disregarded
        and (outcome := store.inbox.outcome(inbound.transaction_id)) is not None
    ]
    # Most streams with a deadline have no acknowledgment yet: then nothing more is read.
    if not counting:
        return Folded({}, None), []
    ordered = ordered or ordered_on(store, order_id)
    ranked = []
    for inbound, position, outcome in counting:
        header = acknowledgment_header(inbound, outcome, ordered)
        lines = tuple(_decided_outcomes(outcome.lines, inbound.decisions)) if decided else outcome.lines
        ranked.append((RankedAcknowledgment(header=header, position=position, outcomes=lines), outcome))
    if sent is None:
        sent = [store.documents.sent(document.id) for document in documents]
    return fold((one for one, _ in ranked), sent_documents(store, documents, sent)), ranked


def _decided_outcomes(outcomes: Sequence[LineOutcome], decisions: Mapping[str, str]) -> list[LineOutcome]:
    """Outcomes after the user's decisions: accepted ones as stated, rejected ones removed."""
    decided = []
    for outcome in outcomes:
        decision = decisions.get(str(outcome.line)) or decisions.get("*")
        if decision == "reject" and not outcome.applies:
            continue
        if decision == "accept" and (outcome.if_accepted is not None or outcome.state is AckState.REJECTED):
            decided.append(accept(outcome))
        else:
            decided.append(outcome)
    return decided


def earlier_releases(
    store: Store, inbound: Inbound, order_id: str, documents: Sequence[Document], sent: Sequence[SentOrder]
) -> Mapping[int, Sequence[EarlierOutcome]]:
    """Outcomes of all other acknowledgments for lines whose releases were sent as lines, by line, newest first."""
    if not any(s.assigned_id is not None for order in sent for line in order.lines for s in line.schedules):
        return {}
    others = [each for each in store.inbox.of_order(order_id) if each.transaction_id != inbound.transaction_id]
    _, ranked = fold_stream(store, order_id, documents, sent, received=others)
    by_id = {one.header.transaction_id: one for one, _ in ranked}
    found: dict[int, list[EarlierOutcome]] = {}
    for header in newest_first(one.header for one in by_id.values()):
        one = by_id[header.transaction_id]
        for outcome in one.outcomes:
            line = sent[one.position if outcome.knows is None else outcome.knows].line(outcome.line)
            # A line that is omitted is not acknowledged, whatever `missing_lines` makes of it.
            is_stated = outcome.listed or (outcome.whole and outcome.applies)
            if line is not None and is_stated and (outcome.releases or outcome.unread_releases):
                found.setdefault(outcome.line, []).append((line, outcome))
    return found


def sent_documents(store: Store, documents: Sequence[Document], sent: Sequence[SentOrder]) -> list[SentDocument]:
    """The documents of a stream, each with the lines that it changed.

    The time of sending is taken from Stedi's executions: a send without a response is accepted here long after it
    arrived.
    """
    found = []
    for position, (document, last_sent) in enumerate(zip(documents, sent, strict=True)):
        before = sent[position - 1] if position else None
        found.append(
            SentDocument(
                position=position,
                sent_at=store.executions.first_seen_at(document.file_name)
                or document.accepted_at
                or document.first_attempt_at
                or document.frozen_at,
                change_sequence=document.change_sequence if document.kind == "860" else None,
                changed=frozenset() if before is None else changed_lines(before, last_sent),
            )
        )
    return found


def changed_lines(before: SentOrder, after: SentOrder) -> frozenset[int]:
    """Numbers of the lines that differ between two documents; lines deleted by the first are not in the second.

    Plex ids are not sent to suppliers: a line or release that was entered again counts as unchanged.
    """
    kept = {line.line for line in after.lines}
    # A line deleted by an 860 is sent once with quantity 0 and then omitted: that omission does not count as a change.
    gone = {line.line for line in before.lines if line.quantity == 0 and line.line not in kept}
    was, becomes = ({line.line: line for line in order.lines} for order in (before, after))
    numbers = (was.keys() | becomes.keys()) - gone
    return frozenset(n for n in numbers if not same_to_supplier(was.get(n), becomes.get(n)))


def acknowledgment_header(inbound: Inbound, outcome: Reconciliation, ordered: date | None) -> AcknowledgmentHeader:
    """The values that determine precedence among acknowledgments; `ordered`: the order's date."""
    dated = None if inbound.dated is None else date.fromisoformat(inbound.dated)
    return AcknowledgmentHeader(
        transaction_id=inbound.transaction_id,
        type_code=outcome.type_code,
        supplier_reference=outcome.supplier_reference,
        dated=usable_date(dated, inbound.processed_at, ordered),
        processed_at=inbound.processed_at,
    )


def ordered_on(store: Store, order_id: str) -> date | None:
    """The order date in Plex, else the day on which Plex created the order."""
    record = store.orders.get(order_id)
    if record is None:
        return None
    order = store.orders.revision(order_id, record.latest)
    return order.order_date or (None if order.created_at is None else day_of(order.created_at))
