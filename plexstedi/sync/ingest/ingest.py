"""`ingest-acks`: fetch from Stedi, decide, write to Plex."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from msgspec import Struct

from plexstedi.edi.inbound.reading.inbound_sets import ACKNOWLEDGMENTS
from plexstedi.edi.writeback.plan import FieldChange
from plexstedi.errors import CredentialsFault, ServiceRefused, ServiceUnavailable
from plexstedi.state.inbox import Inbound, InboxState
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import of_transaction
from plexstedi.sync.ingest.business_ack import decide
from plexstedi.sync.ingest.candidates import Candidates, read_document
from plexstedi.sync.ingest.changed_back import decide_again_if_undone, waiting_for_a_change
from plexstedi.sync.ingest.deadlines import check_deadlines
from plexstedi.sync.ingest.fetch import pull
from plexstedi.sync.ingest.functional_ack import decide_997
from plexstedi.sync.ingest.interchange_ack import decide_ta1
from plexstedi.sync.ingest.order_state import recompute_order
from plexstedi.sync.ingest.time_limit import DecisionTime
from plexstedi.sync.isolation import Record, Turns, is_held, isolated, try_again_after_update
from plexstedi.sync.poll.receipts import read_receipts_of_plex
from plexstedi.sync.session import Session
from plexstedi.sync.stages import Stage
from plexstedi.sync.writeback.apply import carry_out, changes_of
from plexstedi.sync.writeback.open_writes import any_to_check, open_writes, report_unwritten
from plexstedi.sync.writeback.plan import planned_for_other_strategy


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
    writes = [write for write in open_writes(session) if write.unseen_since is None]
    changes = changes_of(session, writes) if writes else {}
    return [
        PlannedChange(write.plan.order_number, write.transaction_id, change)
        for write in writes
        for change in changes[write.id]
    ]


def process(session: Session) -> None:
    """Decide everything pending in the order in which Stedi processed it, each in a transaction of its own.

    No service is called, so many of these transactions are committed together.
    """
    with session.store.group():
        _process(session)


def _process(session: Session) -> None:
    store = session.store
    for order_id in store.documents.unfolded():
        # A sent change invalidates earlier acknowledgments of the changed lines (RULES.md Reading 13).
        with _turn_of_order(session, order_id) as is_free:
            if is_free:
                recompute_order(session, order_id)
                store.documents.set_folded(order_id)
    for order_id in planned_for_other_strategy(session):
        # The write-back strategy changed: plans made for the former one are not written.
        with _turn_of_order(session, order_id) as is_free:
            if is_free:
                recompute_order(session, order_id)
    for review in waiting_for_a_change(session):
        with _turn_of_order(session, review.order_id or "") as is_free:
            if is_free:
                decide_again_if_undone(session, review)
    candidates = Candidates(session)
    patience = DecisionTime(session)
    waiting = patience.cut_short_last(store.inbox.in_state(InboxState.STORED, InboxState.WAITING))
    for done, inbound in enumerate(waiting, 1):
        # Before its own time is counted: what the others used up is not its fault.
        session.check_deadline()
        with patience.deciding(inbound), _turn(session, _deciding(inbound)) as is_free:
            if is_free:
                _decide(session, inbound, candidates)
        session.progress("deciding acknowledgments", done, len(waiting))


@contextmanager
def _turn(session: Session, record: Record) -> Iterator[bool]:
    """One record in isolation and in a transaction of its own; yields False if it is held and must be skipped."""
    if is_held(session, record):
        yield False
        return
    with isolated(session, record), session.store.transaction():
        yield True


@contextmanager
def _turn_of_order(session: Session, order_id: str) -> Iterator[bool]:
    """The same for an order that is recomputed, while the run has time."""
    with _turn(session, _recomputing(session, order_id)) as is_free:
        if is_free:
            session.check_deadline()
        yield is_free


def _recomputing(session: Session, order_id: str) -> Record:
    order = session.store.orders.get(order_id)
    number = order_id if order is None else order.number
    latest = 0 if order is None else order.latest
    return Record(
        "recompute",
        f"order {order_id}",
        f"order {number}",
        f"revision {latest}",
        supplier=None if order is None else order.supplier,
        order_id=order_id,
        order_number=number,
    )


def _deciding(inbound: Inbound) -> Record:
    transaction = f"transaction {inbound.transaction_id}"
    about = of_transaction(inbound.transaction_id)
    return Record(
        "decide", transaction, f"the {inbound.set_id} of {transaction}", supplier=inbound.supplier, about=about
    )


def _decide(session: Session, inbound: Inbound, candidates: Candidates) -> None:
    if inbound.set_id in ACKNOWLEDGMENTS:
        decide(session, inbound, candidates)
    elif inbound.set_id == "997":
        decide_997(session, inbound, read_document(session, inbound))
    elif inbound.set_id == "TA1":
        decide_ta1(session, inbound)
    else:
        session.store.inbox.move(inbound.transaction_id, InboxState.IGNORED, "its transaction set is not read")
