"""Decides what was received: each record in its own turn and transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from plexstedi.edi.inbound.reading.inbound_sets import ACKNOWLEDGMENTS
from plexstedi.state.inbox import Inbound, InboxState
from plexstedi.state.subject import of_transaction
from plexstedi.sync.ingest.business_ack import decide
from plexstedi.sync.ingest.candidates import Candidates, read_document
from plexstedi.sync.ingest.changed_back import decide_again_if_undone
from plexstedi.sync.ingest.functional_ack import decide_997
from plexstedi.sync.ingest.interchange_ack import decide_ta1
from plexstedi.sync.ingest.order_state import recompute_order
from plexstedi.sync.ingest.time_limit import DecisionTime
from plexstedi.sync.ingest.to_decide import RECEIVED, waiting_for_a_change
from plexstedi.sync.isolation import Record, is_held, isolated
from plexstedi.sync.session import Session
from plexstedi.sync.writeback.open_writes import planned_for_other_strategy


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
    waiting = patience.cut_short_last(store.inbox.in_state(*RECEIVED))
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
