"""`ingest-acks`: fetch from Stedi, decide, write to Plex."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from plexstedi.edi.inbound.reading.inbound_sets import ACKNOWLEDGMENTS
from plexstedi.edi.writeback.plan import FieldChange
from plexstedi.errors import CredentialsFault, ServiceRefused, ServiceUnavailable
from plexstedi.state.inbox import InboxState
from plexstedi.state.reviews import ReviewKind
from plexstedi.sync.ingest.deadlines import check_deadlines
from plexstedi.sync.ingest.fetch import pull
from plexstedi.sync.ingest.to_decide import anything_to_decide
from plexstedi.sync.isolation import Turns, try_again_after_update
from plexstedi.sync.poll.receipts import read_receipts_of_plex
from plexstedi.sync.session import Session
from plexstedi.sync.stages import Stage
from plexstedi.sync.writeback.open_writes import any_to_check, open_writes, report_unwritten


class PlannedChange(Struct, frozen=True):
    """One field in Plex: its current and new value, and the reason."""

    order: str
    transaction: str
    change: FieldChange


def ingest(session: Session) -> Iterable[PlannedChange]:
    """Fetch, decide and write everything received; return the changes made (dry run: planned) in Plex.

    They are read from the state when they are iterated over.

    Everything received is decided before anything is written, so that an older acknowledgment never overwrites a newer
    one. Raise ServiceUnavailable, ServiceRefused, Interrupted; what was stored stays stored.
    """
    try_again_after_update(session)
    # Without a response, and without a document at Stedi: one review item for both.
    fetches = Turns(session, Stage.INGEST, shared=ReviewKind.DOCUMENT_MISSING)
    pull(session, fetches)
    _read_receipts(session)
    if anything_to_decide(session):
        # Most runs decide nothing, and need not load what reads and compares acknowledgments.
        from plexstedi.sync.ingest.decide_received import process

        process(session)
    check_deadlines(session)
    # Last: only what is completely decided is written.
    changes = _write(session)
    fetches.raise_unanswered()
    return changes


def _read_receipts(session: Session) -> None:
    """Receipts determine how much can still be confirmed, and which releases may still be changed."""
    stored = session.store.inbox.in_state(InboxState.STORED)
    if any(each.set_id in ACKNOWLEDGMENTS for each in stored) or any_to_check(session):
        try:
            session.services.check_tenant()
            read_receipts_of_plex(session, session.clock.now())
        except (ServiceUnavailable, ServiceRefused, CredentialsFault) as fault:
            # Acknowledgments are decided without Plex, too; what was received is then known up to the last reading.
            # A refused or missing key is raised by the write that follows.
            if fault.code == "time-limit":
                raise
            session.run.warn(f"receipts cannot be read: {fault.message}")


def _write(session: Session) -> Iterable[PlannedChange]:
    if not any_to_check(session):
        return ()
    # Most runs write nothing.
    from plexstedi.sync.writeback.apply import carry_out

    session.services.check_tenant()
    if session.dry_run:
        return planned_changes(session)
    before = sorted(carry_out(session))
    report_unwritten(session)
    return (
        PlannedChange(write.plan.order_number, write.transaction_id, change)
        for write in session.store.writes.by_ids(before)
        if write.done_at is not None
        for change in write.changes
    )


def planned_changes(session: Session) -> list[PlannedChange]:
    """The changes that the open writes would make; Plex is read, nothing is written."""
    from plexstedi.sync.writeback.apply import changes_of

    writes = [write for write in open_writes(session) if write.unseen_since is None]
    changes = changes_of(session, writes) if writes else {}
    return [
        PlannedChange(write.plan.order_number, write.transaction_id, change)
        for write in writes
        for change in changes[write.id]
    ]
