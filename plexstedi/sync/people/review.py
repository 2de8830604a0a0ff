"""`review`: open items, the consequences of accepting and rejecting them, and the decision itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from msgspec import Struct
from msgspec.structs import asdict, replace

from plexstedi.advice import filled
from plexstedi.edi.inbound.outcome import LineOutcome, UnmatchedLine
from plexstedi.edi.sent import SentLine
from plexstedi.edi.writeback.plan import WriteEntry
from plexstedi.errors import UsageFault
from plexstedi.state.document import Document
from plexstedi.state.reviews import Review, ReviewKind
from plexstedi.sync.people.acknowledgment_decisions import transaction_of, undecided_lines
from plexstedi.sync.people.compare import NO_VERSIONS, Versions, conflict_versions, recovered_versions
from plexstedi.sync.people.review_actions import CHOICES, Choice
from plexstedi.sync.session import Session

_OF_LINES = {
    ReviewKind.ACKNOWLEDGMENT_HELD,
    ReviewKind.LINE_HELD,
    ReviewKind.LINE_REJECTED,
    ReviewKind.LINE_BACKORDERED,
    ReviewKind.LINE_ATTENTION,
}


class ReviewLine(Struct, frozen=True):
    """One line as ordered and as acknowledged."""

    ordered: SentLine | None
    """The line in the acknowledged document; None if it does not have it."""
    acknowledged: LineOutcome


class Consequence(Struct, frozen=True):
    """Consequence of accepting or rejecting a review item."""

    words: str
    possible: bool
    writes: tuple[WriteEntry, ...] = ()
    """Values that the next run would write to Plex because of it."""


class ReviewDetail(Struct, frozen=True):
    """A review item with all that is needed to decide it."""

    review: Review
    accept: Consequence
    reject: Consequence
    lines: tuple[ReviewLine, ...] = ()
    unmatched: tuple[UnmatchedLine, ...] = ()
    document: Document | None = None
    """The outbound document concerned."""
    x12: str | None = None
    versions: Versions = NO_VERSIONS
    """The versions at Stedi and here, if the item is about their difference."""


def find_review(session: Session, review_id: int) -> Review:
    """An open review item. Raise UsageFault if there is none, or it was closed already."""
    review = session.store.reviews.get(review_id)
    if review is None:
        open_ids = [str(item.id) for item in session.store.reviews.open_items()]
        known = ", ".join(open_ids[:10]) + (", …" if len(open_ids) > 10 else "")
        raise UsageFault(
            f"there is no review {review_id}", fix=f"Open reviews: {known or 'none'}. See `plexstedi review list`."
        )
    if review.state != "open":
        assert review.closed_at is not None
        raise UsageFault(
            f"review {review_id} was {review.state} by {review.closed_by} at {review.closed_at:%Y-%m-%d %H:%M} UTC:"
            f" {review.closing_reason}",
            fix="No decision is open. See `plexstedi review list`.",
        )
    return review


def decide(session: Session, review_id: int, *, accept: bool, reason: str, lines: Collection[int] = ()) -> bool:
    """Accept or reject a review item, for `lines` or (if empty) as a whole; return whether that closed it.

    Raise UsageFault, without a change, if this kind has no such choice or it is not possible now.
    """
    review = find_review(session, review_id)
    if lines and review.kind not in _OF_LINES:
        raise UsageFault(f"review {review_id} is not about lines", fix="Omit --line.")
    if lines and review.line is not None and set(lines) != {review.line}:
        raise UsageFault(f"review {review_id} is about line {review.line} only", fix="Omit --line.")
    choice = _choice(review, accept=accept)
    if choice.act is None:
        raise UsageFault(f"review {review_id} ({review.kind}) cannot be {_done(accept)}", fix=_words(review, choice))
    with session.store.transaction():
        closed = _apply(session, review, choice, accept=accept, reason=reason, lines=lines)
        session.note(
            "review-decided",
            review.subject,
            order_id=review.order_id,
            review=review.kind,
            number=review.id,
            decision=_done(accept),
            reason=reason,
            lines=sorted(lines),
            reasons=[asdict(entry) for entry in review.reasons],
            meaning=choice.words,
        )
    return closed


def _apply(
    session: Session, review: Review, choice: Choice, *, accept: bool, reason: str, lines: Collection[int]
) -> bool:
    assert choice.act is not None
    partial = bool(lines) and review.kind is ReviewKind.ACKNOWLEDGMENT_HELD
    if not partial:
        # Closed first: the consequences of the decision must not reopen or withdraw this item.
        _close(session, review, accept=accept, reason=reason)
        choice.act(session, review, lines)
        return True
    choice.act(session, review, lines)
    if undecided_lines(session, transaction_of(review)):
        return False
    session.store.inbox.decide(transaction_of(review), {"*": "line by line"})
    _close(session, review, accept=accept, reason=reason)
    choice.act(session, review, lines)
    return True


def _close(session: Session, review: Review, *, accept: bool, reason: str) -> None:
    session.store.reviews.decide(review.id, accept=accept, by=session.actor, why=reason, now=session.clock.now())


def _done(accept: bool) -> str:
    return "accepted" if accept else "rejected"


def _choice(review: Review, *, accept: bool) -> Choice:
    choices = CHOICES[review.kind]
    return choices.accept if accept else choices.reject


def _words(review: Review, choice: Choice) -> str:
    return filled(choice.words, review=review.id, order=review.order_number, transaction=review.subject.transaction)


def _with_commands(review: Review, line: LineOutcome) -> LineOutcome:
    """A line with the item's number filled into the commands of its reasons."""
    fill = partial(filled, review=review.id, order=review.order_number, transaction=review.subject.transaction)
    reasons = tuple(replace(reason, fix=fill(reason.fix)) for reason in line.reasons)
    return replace(line, reasons=reasons)


def detail(session: Session, review_id: int) -> ReviewDetail:
    """A review item with the lines, document or versions concerned, and the consequences. Changes nothing."""
    review = find_review(session, review_id)
    accept, reject = (consequence(session, review, accept=choice) for choice in (True, False))
    if review.kind in (ReviewKind.UNFORESEEN, ReviewKind.UNANSWERED):
        return ReviewDetail(review, accept, reject)
    if review.subject.transaction is not None:
        lines, unmatched, document = _acknowledged_lines(session, review)
        return ReviewDetail(review, accept, reject, lines, unmatched, document)
    if review.subject.document is not None:
        document = session.store.documents.get(review.subject.document)
        current = session.store.inbox.lines_of_stream(document.stream, document.order_id)
        sent = session.store.documents.sent(document.id)
        lines = tuple(ReviewLine(sent.line(number), outcome) for number, outcome in current.items())
        if review.kind is ReviewKind.DOCUMENT_CONFLICT:
            versions = conflict_versions(session, document)
            return ReviewDetail(review, accept, reject, lines, (), document, None, versions)
        return ReviewDetail(review, accept, reject, lines, (), document, session.store.documents.x12(document.id))
    if review.kind is ReviewKind.RECOVERED_DIFFERS:
        return _recovered(session, review, accept, reject)
    return ReviewDetail(review, accept, reject)


def _recovered(session: Session, review: Review, accept: Consequence, reject: Consequence) -> ReviewDetail:
    record = session.store.orders.get(review.order_id or "")
    last = session.store.documents.last_sent_document(review.subject.text)
    if record is None or last is None:
        return ReviewDetail(review, accept, reject)
    versions = recovered_versions(session, record, last)
    return ReviewDetail(review, accept, reject, document=last, versions=versions)


def _acknowledged_lines(
    session: Session, review: Review
) -> tuple[tuple[ReviewLine, ...], tuple[UnmatchedLine, ...], Document | None]:
    transaction_id = transaction_of(review)
    inbound = session.store.inbox.get(transaction_id)
    outcome = session.store.inbox.outcome(transaction_id)
    if inbound is None or inbound.document_id is None or outcome is None:
        return (), (), None
    sent = session.store.documents.sent(inbound.document_id)
    lines = tuple(ReviewLine(sent.line(line.line), _with_commands(review, line)) for line in outcome.lines)
    return lines, outcome.unmatched, session.store.documents.get(inbound.document_id)


def consequence(session: Session, review: Review, *, accept: bool) -> Consequence:
    """The consequence of a decision. Changes nothing."""
    choice = _choice(review, accept=accept)
    if choice.act is None:
        return Consequence(_words(review, choice), possible=False)
    try:
        # The decision itself is executed and rolled back, so the preview cannot differ from it.
        with _rolled_back(session):
            before = _planned(session, review)
            _apply(session, review, choice, accept=accept, reason="to preview it", lines=())
            after = _planned(session, review)
    except UsageFault as fault:
        return Consequence(f"{_words(review, choice)} Not possible now: {fault.message}. {fault.fix}", possible=False)
    return Consequence(
        _words(review, choice), possible=True, writes=tuple(entry for entry in after if entry not in before)
    )


def _planned(session: Session, review: Review) -> Sequence[WriteEntry]:
    """The values of the last write, open or done, for the order of a review item."""
    for write in reversed(session.store.writes.of_order(review.order_id or "")):
        if write.state in ("planned", "writing", "done"):
            return write.plan.entries
    return ()


class _Undo(Exception):
    """Raised to roll back a transaction."""


@contextmanager
def _rolled_back(session: Session) -> Iterator[None]:
    """Roll back all changes of the state made inside; a fault inside is raised."""
    news = list(session.run.news)
    try:
        with session.store.transaction():
            yield
            raise _Undo
    except _Undo:
        pass
    finally:
        session.run.news[:] = news
