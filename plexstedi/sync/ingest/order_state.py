"""Where an order stands after all its answers: folded into its lines, its questions and its writes to Plex."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from plexstedi.edi.inbound.current_ids import current_ids
from plexstedi.edi.inbound.outcome import AckState, LineOutcome, Reconciliation, accept
from plexstedi.edi.inbound.precedence import (
    Folded,
    RankedAcknowledgment,
    fold,
)
from plexstedi.edi.reasons import Reason
from plexstedi.edi.sent import SentOrder
from plexstedi.state.document import Document
from plexstedi.state.document_states import BusinessStatus
from plexstedi.state.inbox import Inbound, InboxState
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import Subject, of_document, of_transaction
from plexstedi.sync.ingest.ranking import answer_header, ordered_on, sent_documents
from plexstedi.sync.ingest.unheard import tell_unheard, unheard_before
from plexstedi.sync.session import Session
from plexstedi.sync.writeback.plan import plan_order

_MOST_REASONS = 50


def move_transaction(session: Session, inbound: Inbound, state: InboxState, reason: str | None) -> None:
    """Move an answer along, and say so in the audit trail."""
    session.store.inbox.move(inbound.transaction_id, state, reason)
    session.note(
        "transaction-decided",
        of_transaction(inbound.transaction_id),
        order_id=inbound.order_id,
        state=state,
        reason=reason,
    )


def recompute_order(session: Session, order_id: str, *, fresh: str | None = None) -> None:
    """Fold all answers of an order into its lines, its writes and its questions; inside the caller's transaction.

    `fresh` is the transaction that was just reconciled: it is counted and moved to its state.
    """
    by_stream: dict[str, list[Document]] = {}
    for document in session.store.documents.of_order(order_id):
        if document.state.may_have_reached_supplier:
            by_stream.setdefault(document.stream, []).append(document)
    record = session.store.orders.get(order_id)
    assert record is not None
    order = session.store.orders.revision(order_id, record.latest)
    told_before = unheard_before(session, order_id)
    folded_streams, current, told = {}, {}, {}
    for stream, documents in by_stream.items():
        sent = [session.store.documents.sent(document.id) for document in documents]
        answers = _answers(session, order_id, documents)
        folded = fold((answer for answer, _ in answers), sent_documents(session.store, documents, sent))
        session.store.inbox.keep_lines(stream, folded.lines)
        for standing in folded.lines.values():
            session.store.inbox.set_line(stream, order_id, standing.latest, standing.latest_from.transaction_id)
        for answer, outcome in answers:
            _record_outcome(session, answer, outcome, folded, count=answer.header.transaction_id == fresh)
            is_fresh = answer.header.transaction_id == fresh
            if is_fresh or answer.header.transaction_id in told_before:
                tell_unheard(session, order_id, answer.header, outcome, folded, fresh=is_fresh)
        _set_business(session, documents[-1], sent[-1], folded)
        ids = current_ids(sent, order)
        folded_streams[stream] = folded
        current[stream], told[stream] = ids.of_folded(folded), ids.of_sent(sent[-1])
    _leave_given_up(session, order_id, {document.id for documents in by_stream.values() for document in documents})
    _ask_about_lines(session, order_id, list(folded_streams.values()))
    plan_order(session, order_id, current, told)


def tell_unheard_again(session: Session, order_id: str, inbound: Inbound, repeated: str) -> None:
    """A repetition of an answer that does not count any more, and says worse than what does: told like a first one."""
    original = session.store.inbox.get(repeated)
    outcome = session.store.inbox.outcome(repeated)
    if original is None or outcome is None or original.document_id is None:
        return
    stream = session.store.documents.get(original.document_id).stream
    documents = [d for d in session.store.documents.of_stream(stream) if d.state.may_have_reached_supplier]
    if original.document_id not in {document.id for document in documents}:
        return
    folded = folded_answers(session, order_id, documents)
    header = answer_header(inbound, outcome, ordered_on(session.store, order_id))
    counting = {number for number, line in folded.lines.items() if line.latest_from.transaction_id == repeated}
    lines = [line for line in (*outcome.lines, *outcome.earlier) if line.line not in counting]
    if lines:
        said = outcome.model_copy(update={"lines": tuple(lines), "earlier": ()})
        tell_unheard(session, order_id, header, said, folded, fresh=True)


def folded_answers(session: Session, order_id: str, documents: Sequence[Document]) -> Folded:
    """Where the lines of a stream stand after all answers to these documents of it."""
    sent = [session.store.documents.sent(document.id) for document in documents]
    answers = _answers(session, order_id, documents)
    return fold((answer for answer, _ in answers), sent_documents(session.store, documents, sent))


def _leave_given_up(session: Session, order_id: str, told: Collection[int]) -> None:
    """Held answers to documents that were given up are nobody's to decide any more."""
    for inbound in session.store.inbox.of_order(order_id):
        if inbound.state is InboxState.HELD and inbound.document_id is not None and inbound.document_id not in told:
            why = "the document that it acknowledges was abandoned"
            move_transaction(session, inbound, InboxState.SUPERSEDED, why)
            subject = of_transaction(inbound.transaction_id)
            session.withdraw(ReviewKind.ACKNOWLEDGMENT_HELD, subject, why, order_id=order_id)


def _answers(
    session: Session, order_id: str, documents: Sequence[Document]
) -> list[tuple[RankedAcknowledgment, Reconciliation]]:
    """Every reconciled answer to one of these documents, with what a person decided of it."""
    positions = {document.id: position for position, document in enumerate(documents)}
    ordered = ordered_on(session.store, order_id)
    found = []
    for inbound in session.store.inbox.of_order(order_id):
        outcome = session.store.inbox.outcome(inbound.transaction_id)
        if outcome is None or inbound.document_id not in positions:
            continue
        if inbound.state.is_disregarded:
            continue
        header = answer_header(inbound, outcome, ordered)
        outcomes = tuple(_decided_outcomes(outcome.lines, inbound.decisions))
        position = positions[inbound.document_id]
        found.append((RankedAcknowledgment(header=header, position=position, outcomes=outcomes), outcome))
    return found


def _decided_outcomes(outcomes: Sequence[LineOutcome], decisions: Mapping[str, str]) -> list[LineOutcome]:
    """The outcomes after a person's decisions: accepted ones as stated, rejected ones left out."""
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


_LINE_REVIEWS = {
    AckState.HELD: ReviewKind.LINE_HELD,
    AckState.REJECTED: ReviewKind.LINE_REJECTED,
    AckState.BACKORDERED: ReviewKind.LINE_BACKORDERED,
}


def _ask_about_lines(session: Session, order_id: str, streams: Sequence[Folded]) -> None:
    """Questions follow the answer that counts: what a newer answer settled is withdrawn."""
    record = session.store.orders.get(order_id)
    assert record is not None
    standing: set[tuple[ReviewKind, Subject]] = set()
    for number, line in (entry for folded in streams for entry in folded.lines.items()):
        kind = _LINE_REVIEWS.get(line.latest.state)
        if kind is None and line.latest.attention:
            kind = ReviewKind.LINE_ATTENTION
        if kind is None or line.latest.accepted:
            continue
        subject = of_transaction(line.latest_from.transaction_id, f"line {number}")
        standing.add((kind, subject))
        if kind is not ReviewKind.LINE_HELD and session.store.reviews.decided(kind, subject):
            continue
        session.ask(
            kind,
            subject,
            line.latest.reasons,
            supplier=record.supplier,
            order_id=order_id,
            order_number=record.number,
            line=number,
            urgent=kind in (ReviewKind.LINE_HELD, ReviewKind.LINE_REJECTED),
        )
    for review in session.store.reviews.standing(order_id=order_id):
        about_line = review.kind in (*_LINE_REVIEWS.values(), ReviewKind.LINE_ATTENTION)
        if about_line and (review.kind, review.subject) not in standing:
            session.withdraw(
                review.kind, review.subject, "a newer acknowledgment or a decision resolved it", order_id=order_id
            )


def _bounded(reasons: tuple[Reason, ...]) -> tuple[Reason, ...]:
    """As many as a person reads; the document itself has them all."""
    more = len(reasons) - _MOST_REASONS
    if more <= 0:
        return reasons
    last = reasons[_MOST_REASONS - 1]
    return (*reasons[: _MOST_REASONS - 1], last.model_copy(update={"message": f"{last.message}; and {more} more"}))


def _record_outcome(
    session: Session, answer: RankedAcknowledgment, outcome: Reconciliation, folded: Folded, *, count: bool
) -> None:
    """The state of one answer after folding, and what it counts as when it is new."""
    transaction_id = answer.header.transaction_id
    inbound = session.store.inbox.get(transaction_id)
    assert inbound is not None
    whole = (*outcome.holds, *(unmatched.reason for unmatched in outcome.unmatched))
    held_whole = bool(whole) and inbound.decisions.get("*") is None
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
        session.ask(
            ReviewKind.ACKNOWLEDGMENT_HELD,
            of_transaction(transaction_id),
            _bounded(whole),
            supplier=inbound.supplier,
            order_id=inbound.order_id,
            order_number=outcome.order_number,
        )
    if count:
        session.run.counts.acks_held += int(held)
        session.run.counts.acks_applied += int(applied or not (held or answer.outcomes))
    state = _state_of(inbound, held=held, counts=bool(counting) or not answer.outcomes)
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


def business_status(told: SentOrder, folded: Folded) -> BusinessStatus:
    """What the answers amount to for one document: its worst line, `partial` while a line is unanswered."""
    wanted = [line.line for line in told.lines]
    found = [_BUSINESS[folded.lines[n].latest.state] for n in wanted if n in folded.lines]
    spoken = [status for status in found if status is not BusinessStatus.NONE]
    if not spoken:
        return BusinessStatus.NONE
    worst = next(status for status in _WORST_FIRST if status in spoken)
    if len(spoken) < len(wanted) and worst in (BusinessStatus.CONFIRMED, BusinessStatus.CHANGED):
        return BusinessStatus.PARTIAL
    return worst


def _set_business(session: Session, document: Document, told: SentOrder, folded: Folded) -> None:
    status = business_status(told, folded)
    if status is not document.business_ack:
        session.store.documents.set_business(document.id, status)
        session.note("business-ack", of_document(document.id), order_id=document.order_id, status=status)
