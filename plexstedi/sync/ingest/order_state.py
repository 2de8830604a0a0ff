"""Recompute an order from all its acknowledgments: line states, open reviews, and the Plex write plan."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from msgspec.structs import replace

from plexstedi.edi.inbound.current_ids import current_ids
from plexstedi.edi.inbound.not_applied import not_applied_reasons
from plexstedi.edi.inbound.outcome import AckState, Reconciliation
from plexstedi.edi.inbound.precedence import (
    AcknowledgmentHeader,
    Folded,
    RankedAcknowledgment,
    is_resolved,
)
from plexstedi.edi.reasons import Reason
from plexstedi.edi.sent import SentOrder
from plexstedi.state.document import Document
from plexstedi.state.document_states import BusinessStatus
from plexstedi.state.inbox import Inbound, InboxState
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import Subject, of_document, of_transaction
from plexstedi.sync.ingest.ranking import (
    acknowledgment_header,
    fold_stream,
    ordered_on,
)
from plexstedi.sync.session import Session
from plexstedi.sync.writeback.plan import plan_order

_MOST_REASONS = 50
_NOT_APPLIED = ReviewKind.ACKNOWLEDGMENT_NOT_APPLIED
"""An unapplied acknowledgment states worse terms than the current state (RULES.md Reading 13)."""


def move_transaction(session: Session, inbound: Inbound, state: InboxState, reason: str | None) -> None:
    """Change the state of a transaction and record it in the audit trail."""
    session.store.inbox.move(inbound.transaction_id, state, reason)
    session.note(
        "transaction-decided",
        of_transaction(inbound.transaction_id),
        order_id=inbound.order_id,
        state=state,
        reason=reason,
    )
    withdraw_outdated_items(session, inbound, state, reason or f"the transaction is {state} now")


_NEEDED_IN = {ReviewKind.ORDER_UNKNOWN: InboxState.WAITING, ReviewKind.ACKNOWLEDGMENT_HELD: InboxState.HELD}
"""Review items about a transaction as a whole: the only state in which there is something to decide."""


def withdraw_outdated_items(session: Session, inbound: Inbound, state: InboxState, why: str) -> None:
    """Withdraw the items about a transaction as a whole that leave nothing to decide in its new state."""
    for kind, needed_in in _NEEDED_IN.items():
        if state is not needed_in:
            session.withdraw_review(kind, of_transaction(inbound.transaction_id), why, order_id=inbound.order_id)


def recompute_order(session: Session, order_id: str, *, fresh: str | None = None) -> None:
    """Recompute lines, writes and review items of an order from all acknowledgments; in the caller's transaction.

    `fresh`: the transaction that was just reconciled; it is counted and moved to its state.
    """
    by_stream: dict[str, list[Document]] = {}
    all_documents = session.store.documents.of_order(order_id)
    for document in all_documents:
        if document.state.may_have_reached_supplier:
            by_stream.setdefault(document.stream, []).append(document)
    record = session.store.orders.get(order_id)
    assert record is not None
    order = session.store.orders.revision(order_id, record.latest)
    not_applied = _transactions_not_applied(session, order_id)
    ordered = ordered_on(session.store, order_id)
    # Moved below are only the transactions that a stream lists, each once.
    received = {inbound.transaction_id: inbound for inbound in session.store.inbox.of_order(order_id)}
    folded_streams, current, last_sent = {}, {}, {}
    for stream, documents in by_stream.items():
        sent = [session.store.documents.sent(document.id) for document in documents]
        folded, acknowledgments = fold_stream(
            session.store, order_id, documents, sent, received=[*received.values()], ordered=ordered
        )
        session.store.inbox.keep_lines(stream, order_id, folded.lines)
        session.store.inbox.set_lines(stream, order_id, [line.latest for line in folded.lines.values()])
        for ranked, outcome in acknowledgments:
            is_fresh = ranked.header.transaction_id == fresh
            _record_outcome(session, received[ranked.header.transaction_id], ranked, outcome, folded, count=is_fresh)
            if is_fresh or ranked.header.transaction_id in not_applied:
                _review_not_applied(session, order_id, ranked.header, outcome, folded, fresh=is_fresh)
        _set_business_status(session, documents[-1], sent[-1], folded)
        # Plex may have replaced line or release ids since: plan the writes for the current ones.
        ids = current_ids(sent, order)
        folded_streams[stream] = folded
        current[stream], last_sent[stream] = ids.of_folded(folded), ids.of_sent(sent[-1])
    in_streams = {document.id for documents in by_stream.values() for document in documents}
    _supersede_abandoned(session, order_id, received.values(), in_streams)
    _update_line_reviews(session, order_id, list(folded_streams.values()))
    plan_order(session, order_id, current, last_sent, all_documents[-1] if all_documents else None)


def _transactions_not_applied(session: Session, order_id: str) -> frozenset[str]:
    """Transactions of an order with an open review item of this kind."""
    if not session.store.reviews.may_be_open(_NOT_APPLIED):
        return frozenset()
    items = [item for item in session.store.reviews.open_items(order_id=order_id) if item.kind is _NOT_APPLIED]
    return frozenset(item.subject.transaction for item in items if item.subject.transaction is not None)


def _review_not_applied(
    session: Session,
    order_id: str,
    header: AcknowledgmentHeader,
    outcome: Reconciliation,
    folded: Folded,
    *,
    fresh: bool,
) -> None:
    """Open a review item for a new acknowledgment (`fresh`) that states worse terms than the current state.

    It is withdrawn once the current state says the same. One that counted before and was superseded has been reported
    already. One held as a whole has its own item.
    """
    subject = of_transaction(header.transaction_id)
    reasons = not_applied_reasons(header, (*outcome.lines, *outcome.earlier), folded.lines)
    if not reasons:
        session.withdraw_review(_NOT_APPLIED, subject, "the current state now says the same", order_id=order_id)
    # Only when it arrives: a superseded acknowledgment was reviewed while it counted.
    elif fresh and not (
        (outcome.holds and not is_resolved(outcome, header, folded))
        or session.store.reviews.decided(_NOT_APPLIED, subject)
    ):
        record = session.store.orders.get(order_id)
        session.open_review(
            _NOT_APPLIED,
            subject,
            reasons,
            supplier=None if record is None else record.supplier,
            order_id=order_id,
            order_number=None if record is None else record.number,
        )


def review_duplicate_not_applied(session: Session, order_id: str, inbound: Inbound, repeated: str) -> None:
    """Review a duplicate of a superseded acknowledgment that states worse terms than the current state."""
    original = session.store.inbox.get(repeated)
    outcome = session.store.inbox.outcome(repeated)
    if original is None or outcome is None or original.document_id is None:
        return
    stream = session.store.documents.get(original.document_id).stream
    documents = [d for d in session.store.documents.of_stream(stream) if d.state.may_have_reached_supplier]
    if original.document_id not in {document.id for document in documents}:
        return
    ordered = ordered_on(session.store, order_id)
    folded, _ = fold_stream(session.store, order_id, documents, ordered=ordered)
    header = acknowledgment_header(inbound, outcome, ordered)
    counting = {number for number, line in folded.lines.items() if line.latest_from.transaction_id == repeated}
    lines = [line for line in (*outcome.lines, *outcome.earlier) if line.line not in counting]
    if lines:
        unapplied = replace(outcome, lines=tuple(lines), earlier=())
        _review_not_applied(session, order_id, header, unapplied, folded, fresh=True)


def _supersede_abandoned(
    session: Session, order_id: str, received: Iterable[Inbound], documents: Collection[int]
) -> None:
    """Mark held acknowledgments of abandoned documents as superseded; `documents`: the others."""
    for inbound in received:
        if (
            inbound.state is InboxState.HELD
            and inbound.document_id is not None
            and inbound.document_id not in documents
        ):
            why = "the document that it acknowledges was abandoned"
            move_transaction(session, inbound, InboxState.SUPERSEDED, why)
            subject = of_transaction(inbound.transaction_id)
            session.withdraw_review(ReviewKind.ACKNOWLEDGMENT_HELD, subject, why, order_id=order_id)


_LINE_REVIEWS = {
    AckState.HELD: ReviewKind.LINE_HELD,
    AckState.REJECTED: ReviewKind.LINE_REJECTED,
    AckState.BACKORDERED: ReviewKind.LINE_BACKORDERED,
}


def _update_line_reviews(session: Session, order_id: str, streams: Sequence[Folded]) -> None:
    """Keep line review items current: one per line that needs it, for the acknowledgment that counts."""
    record = session.store.orders.get(order_id)
    assert record is not None
    still_needed: set[tuple[ReviewKind, Subject]] = set()
    for number, line in (entry for folded in streams for entry in folded.lines.items()):
        kind = _LINE_REVIEWS.get(line.latest.state)
        if kind is None and line.latest.attention:
            kind = ReviewKind.LINE_ATTENTION
        if kind is None or line.latest.accepted:
            continue
        subject = of_transaction(line.latest_from.transaction_id, f"line {number}")
        still_needed.add((kind, subject))
        # A held line needs a decision that changes it; other items are only to be taken note of.
        if kind is not ReviewKind.LINE_HELD and session.store.reviews.decided(kind, subject):
            continue
        session.open_review(
            kind,
            subject,
            line.latest.reasons,
            supplier=record.supplier,
            order_id=order_id,
            order_number=record.number,
            line=number,
            urgent=kind in (ReviewKind.LINE_HELD, ReviewKind.LINE_REJECTED),
        )
    about_line = (*_LINE_REVIEWS.values(), ReviewKind.LINE_ATTENTION)
    if not session.store.reviews.may_be_open(*about_line):
        return
    for review in session.store.reviews.open_items(order_id=order_id):
        if review.kind in about_line and (review.kind, review.subject) not in still_needed:
            session.withdraw_review(
                review.kind, review.subject, "a newer acknowledgment or a decision resolved it", order_id=order_id
            )


def _bounded(reasons: tuple[Reason, ...]) -> tuple[Reason, ...]:
    """As many reasons as are useful to a reader; the stored document has all of them."""
    more = len(reasons) - _MOST_REASONS
    if more <= 0:
        return reasons
    last = reasons[_MOST_REASONS - 1]
    return (*reasons[: _MOST_REASONS - 1], replace(last, message=f"{last.message}; and {more} more"))


def _record_outcome(
    session: Session,
    inbound: Inbound,
    acknowledgment: RankedAcknowledgment,
    outcome: Reconciliation,
    folded: Folded,
    *,
    count: bool,
) -> None:
    """Set the state of one acknowledgment after recomputing; count it if it is new."""
    transaction_id = inbound.transaction_id
    whole = (*outcome.holds, *(unmatched.reason for unmatched in outcome.unmatched))
    # "*" is the decision on the acknowledgment as a whole.
    is_undecided = bool(whole) and inbound.decisions.get("*") is None
    held_whole = is_undecided and not is_resolved(outcome, acknowledgment.header, folded)
    counting = [line for line in folded.lines.values() if line.latest_from.transaction_id == transaction_id]
    held = held_whole or any(
        line.latest.state is AckState.HELD or (line.latest.state is AckState.REJECTED and not line.latest.accepted)
        for line in counting
    )
    applied = any(
        line.applied_from is not None and line.applied_from.transaction_id == transaction_id
        for line in folded.lines.values()
    )
    if held_whole:
        session.open_review(
            ReviewKind.ACKNOWLEDGMENT_HELD,
            of_transaction(transaction_id),
            _bounded(whole),
            supplier=inbound.supplier,
            order_id=inbound.order_id,
            order_number=outcome.order_number,
        )
    if count:
        session.run.counts.acks_held += int(held)
        session.run.counts.acks_applied += int(applied or not (held or acknowledgment.outcomes))
    state = _state_of(inbound, held=held, counts=bool(counting) or not acknowledgment.outcomes)
    if state is not inbound.state:
        notes = "; ".join(outcome.notes) or None
        move_transaction(
            session, inbound, state, notes if state is not InboxState.HELD else "; ".join(map(str, whole)) or notes
        )


def _state_of(inbound: Inbound, *, held: bool, counts: bool) -> InboxState:
    if held:
        return InboxState.HELD
    return InboxState.APPLIED if counts else InboxState.SUPERSEDED


_BUSINESS = {
    AckState.CONFIRMED: BusinessStatus.CONFIRMED,
    AckState.CHANGED: BusinessStatus.CHANGED,
    AckState.BACKORDERED: BusinessStatus.BACKORDERED,
    AckState.REJECTED: BusinessStatus.REJECTED,
    AckState.HELD: BusinessStatus.HELD,
    AckState.UNACKNOWLEDGED: BusinessStatus.NONE,
}
_WORST_FIRST = (
    BusinessStatus.HELD,
    BusinessStatus.REJECTED,
    BusinessStatus.BACKORDERED,
    BusinessStatus.CHANGED,
    BusinessStatus.CONFIRMED,
)


def business_status(last_sent: SentOrder, folded: Folded) -> BusinessStatus:
    """Summary status of one document: that of its worst line; `partial` while a line is unacknowledged."""
    wanted = [line.line for line in last_sent.lines]
    found = [_BUSINESS[folded.lines[n].latest.state] for n in wanted if n in folded.lines]
    stated = [status for status in found if status is not BusinessStatus.NONE]
    if not stated:
        return BusinessStatus.NONE
    worst = next(status for status in _WORST_FIRST if status in stated)
    # A held, rejected or backordered line matters more than missing ones.
    if len(stated) < len(wanted) and worst in (BusinessStatus.CONFIRMED, BusinessStatus.CHANGED):
        return BusinessStatus.PARTIAL
    return worst


def _set_business_status(session: Session, document: Document, last_sent: SentOrder, folded: Folded) -> None:
    status = business_status(last_sent, folded)
    if status is not document.business_ack:
        session.store.documents.set_business(document.id, status)
        session.note("business-ack", of_document(document.id), order_id=document.order_id, status=status)
