"""Record the result of a write to Plex, for every strategy."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from plexstedi.edi.reasons import Reason
from plexstedi.edi.writeback.plan import FieldChange, WriteTarget
from plexstedi.edi.writeback.read_back import ReadBack, judge_read_back, read_back_message
from plexstedi.plex.port import NotWritten, WriteOutcome, WriteRefused, WriteUnknown, Written
from plexstedi.state.inbox import InboxState
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import Subject, of_write
from plexstedi.state.writes import Write, WriteState
from plexstedi.sync.session import Session


def record_done(
    session: Session,
    write: Write,
    *,
    already: bool,
    revision: int | None = None,
    outcomes: Collection[WriteOutcome] = (),
) -> None:
    """The value was read back from Plex. `already`: it was there before this run wrote. In the caller's transaction.

    `outcomes`: those of the calls that this run made for it.
    """
    session.store.writes.done(write.id, session.clock.now(), revision=revision)
    session.withdraw_review(
        ReviewKind.WRITE_FAILED, Subject(f"write of order {write.plan.order_number}"), "written now"
    )
    if not already:
        session.run.counts.writes_made += 1
    kind = "write-found-done" if already else "write-done"
    numbers = _calls(outcomes)
    session.note(kind, of_write(write.id), order_id=write.order_id, transaction=write.transaction_id, **numbers)


def _calls(outcomes: Collection[WriteOutcome]) -> dict[str, str]:
    """Plex's numbers of these calls for the audit trail: Plex lists its calls by them. Empty if it states none."""
    found = (outcome.transaction for outcome in outcomes if isinstance(outcome, Written | WriteRefused))
    numbers = ", ".join(number for number in found if number is not None)
    return {"plex_transactions": numbers} if numbers else {}


def record_not_done(
    session: Session, write: Write, left: Sequence[FieldChange], outcomes: Collection[WriteOutcome]
) -> None:
    """Plex lacks the value: rejected, no response, or reported as done but not shown. In the caller's transaction.

    `outcomes`: those of the records in `left`.
    """
    refused = [
        outcome.reason + ("" if outcome.transaction is None else f" (Plex transaction {outcome.transaction})")
        for outcome in outcomes
        if isinstance(outcome, WriteRefused)
    ]
    waiting = [outcome.reason for outcome in outcomes if isinstance(outcome, NotWritten | WriteUnknown)]
    if refused:
        fields = ", ".join(sorted({change.field for change in left}))
        _failed(session, write, f"{fields}: {'; '.join(dict.fromkeys(refused))}")
        return
    if not waiting:
        # Plex may lag behind its own writes: read again in the next run before a review item is opened.
        now = session.clock.now()
        said = read_back_message(ReadBack.WAIT, left, now)
        session.store.writes.not_seen(write.id, said, now)
        session.run.warn(f"order {write.plan.order_number}: {said}; the next run checks again")
        session.note("write-not-seen", of_write(write.id), order_id=write.order_id, reason=said, **_calls(outcomes))
        return
    message = "; ".join(dict.fromkeys(waiting))
    session.store.writes.again(write.id, message)
    session.run.warn(f"order {write.plan.order_number}: not yet written to Plex ({message}); the next run continues")
    session.note("write-not-done", of_write(write.id), order_id=write.order_id, reason=message)


def record_still_missing(session: Session, write: Write, left: Sequence[FieldChange]) -> None:
    """A later reading still lacks a value that Plex reported as written. In the caller's transaction; nothing is
    written.

    A failed write is only read: `record_done` withdraws its item once the value appears.
    """
    if write.state is WriteState.FAILED or write.unseen_since is None:
        return
    waited = session.clock.now() - write.unseen_since
    verdict = judge_read_back(write.changes, left, later_reads=write.unseen_reads + 1, waited=waited)
    said = read_back_message(verdict, left, write.unseen_since)
    session.store.writes.still_not_seen(write.id, said)
    if verdict is not ReadBack.WAIT:
        _failed(session, write, said, fix=_NOT_SEEN[verdict])


_NOT_SEEN = {
    ReadBack.NOT_SHOWN: "Check it in Plex: when Plex shows it, this item closes automatically. `plexstedi review "
    "accept ID --reason TEXT` writes it again.",
    ReadBack.CHANGED: "Check who changed it in Plex. `plexstedi review accept ID --reason TEXT` writes the"
    " acknowledgment"
    " over it, `plexstedi review reject ID --reason TEXT` leaves Plex as it is.",
}


def conflicts_with_other(session: Session, write: Write, changes: Sequence[FieldChange]) -> bool:
    """Whether a change would overwrite the reference of an acknowledgment that this state does not know, or still
    holds.

    Another PlexStedi wrote it, or this one before its state was restored: our acknowledgment may be the older one
    (DESIGN.md section 6). Opens a review item then.
    """
    foreign = next(
        (
            transaction
            for change in changes
            for transaction in references(change.before or "")
            if _may_take_precedence(session, transaction, write.transaction_id)
        ),
        None,
    )
    if foreign is None:
        return False
    number = write.plan.order_number
    subject = Subject(f"write of order {number} over {foreign}")
    # A user already chose our acknowledgment over this one.
    if session.store.reviews.decided(ReviewKind.WRITE_CONFLICT, subject):
        return False
    reason = Reason(
        code="reference-unknown",
        where="order",
        message=f"Plex holds the acknowledgment of transaction {foreign}, which is not in this state file or not "
        f"decided yet; ours is of {write.transaction_id}",
        fix="Check whether another PlexStedi writes into this Plex, or an old state file was restored. Compare the "
        "two acknowledgments in the Stedi portal, then accept or reject: `plexstedi review show ID` shows what "
        "each does.",
    )
    record = session.store.orders.get(write.order_id)
    with session.store.transaction():
        session.store.writes.fail(write.id, reason.message)
        session.open_review(
            ReviewKind.WRITE_CONFLICT,
            subject,
            (reason,),
            supplier=None if record is None else record.supplier,
            order_id=write.order_id,
            order_number=number,
        )
    return True


def references(text: str) -> list[str]:
    """The transactions referenced in a Plex field or note that we wrote."""
    return list(_REFERENCE.findall(text))


def _may_take_precedence(session: Session, theirs: str, ours: str) -> bool:
    """Whether the acknowledgment in Plex may take precedence over ours: unknown here, or newer and still held."""
    known, mine = session.store.inbox.get(theirs), session.store.inbox.get(ours)
    # Unknown here: written by another PlexStedi or by a lost state.
    if known is None or mine is None:
        return known is None
    return known.state is InboxState.HELD and known.processed_at > mine.processed_at


_REFERENCE = re.compile(r"stedi:([^\s;\]]+)")


def _failed(session: Session, write: Write, message: str, *, fix: str | None = None) -> None:
    session.store.writes.fail(write.id, message)
    reason = Reason(
        code="write-failed",
        where="order",
        message=f"the acknowledgment could not be written to Plex: {message}",
        fix=fix or f"Correct {_TO_CORRECT[write.plan.target]}, then `plexstedi review accept ID --reason TEXT`.",
    )
    record = session.store.orders.get(write.order_id)
    session.open_review(
        ReviewKind.WRITE_FAILED,
        Subject(f"write of order {write.plan.order_number}"),
        (reason,),
        supplier=None if record is None else record.supplier,
        order_id=write.order_id,
        order_number=write.plan.order_number,
    )


_TO_CORRECT = {
    WriteTarget.CUSTOM_FIELDS: "the custom fields in Plex or [plex.acknowledgments.fields]",
    WriteTarget.RELEASES: "the release in Plex",
    WriteTarget.RECORDS: "[plex.datasources], or what Plex rejects",
}
