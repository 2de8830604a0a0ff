"""Pulling what suppliers sent from Stedi: the listing to its end, then each document, stored as received."""

from __future__ import annotations

import hashlib

from plexstedi.decimal_json import BrokenJsonError, loads
from plexstedi.edi.inbound.answer_sets import ACKNOWLEDGMENTS, ENVELOPE_ANSWERS, READ_SETS
from plexstedi.edi.inbound.guide_reading import Unreadable, read_guide_json
from plexstedi.state.inbox import Inbound, InboxState, Listed
from plexstedi.state.memory import Fact
from plexstedi.stedi.models import INBOUND, Transaction
from plexstedi.sync.session import Session
from plexstedi.sync.witness import (
    customer_of,
    feed_checkpoint,
    guard_direction,
    remember_checkpoint,
    remember_newest,
    supplier_of,
)

_OTHER_USAGE = {"P": "test", "T": "production"}
"""Transactions of this mode belong to a state of the other usage indicator."""


def pull(session: Session) -> None:
    """List what is new and fetch its documents. Raise ServiceUnavailable, SuspicionStop; what was stored stays."""
    _list_new(session)
    _fetch_documents(session)


def _list_new(session: Session) -> None:
    """Items and token are stored in one transaction: a crash repeats a page, it never loses one."""
    checkpoint = feed_checkpoint(session, Fact.TRANSACTIONS_TOKEN)
    seen = {checkpoint}
    while True:
        page = session.stedi.poll_transactions(checkpoint)
        following = page.after(checkpoint)
        newest = max((transaction.processed_at for transaction in page.items), default=None)
        guard_direction(session, Fact.TRANSACTIONS_SEEN, newest, "transaction")
        with session.store.transaction():
            for transaction in page.items:
                _note_transaction(session, transaction)
            remember_newest(session, Fact.TRANSACTIONS_SEEN, newest)
            remember_checkpoint(session, Fact.TRANSACTIONS_TOKEN, following)
        for unreadable in page.unreadable:
            session.tally.warn(f"an entry of Stedi's transaction feed cannot be read: {unreadable.reason}")
        if page.last:
            return
        if following in seen:
            session.suspect("feed-stuck", "Stedi's transaction feed gives the same pages again and again")
            return
        seen.add(following)
        checkpoint = following
        session.checkpoint()


def _note_transaction(session: Session, transaction: Transaction) -> None:
    if transaction.direction != INBOUND:
        document = session.store.documents.by_execution(transaction.execution_id)
        if document is not None:
            session.store.documents.set_controls(
                document.id, transaction.interchange_control, transaction.group_control, transaction.set_control
            )
        return
    supplier = supplier_of(session, transaction.partnership_id)
    customer = None if supplier is not None else customer_of(session, transaction.partnership_id)
    listed = Listed(
        transaction_id=transaction.id,
        execution_id=transaction.execution_id,
        set_id=transaction.set_id or "unknown",
        partnership=transaction.partnership_id or "",
        supplier=supplier or customer,
        processed_at=transaction.processed_at,
        sender=transaction.sender_isa or transaction.sender_profile,
        release=transaction.release,
        interchange_control=transaction.interchange_control,
        group_control=transaction.group_control,
        set_control=transaction.set_control,
    )
    if not session.store.inbox.list_one(listed, session.clock.now()):
        return
    why = _not_ours(session, transaction, supplier, customer)
    if why is not None:
        session.store.inbox.move(transaction.id, InboxState.IGNORED, why)
    elif listed.set_id in ACKNOWLEDGMENTS:
        session.tally.counts.acks_received += 1
    session.note(
        "transaction-listed",
        f"transaction {transaction.id}",
        set=listed.set_id,
        partnership=listed.partnership,
        supplier=supplier or customer,
        left_alone=why,
    )


def _not_ours(session: Session, transaction: Transaction, supplier: str | None, customer: str | None) -> str | None:
    """Why a transaction is only counted, None if it is to be read."""
    if supplier is None and customer is None:
        return "its partnership is not in the configuration: another plant's"
    if transaction.mode == _OTHER_USAGE[session.usage]:
        session.tally.warn(
            f"a transaction of {supplier or customer} is marked {transaction.mode}, this configuration sends with"
            f" usage indicator {session.usage}: it was left alone"
        )
        return f"its mode is {transaction.mode}"
    if supplier is None and transaction.set_id not in ENVELOPE_ANSWERS:
        return f"{customer} is a customer: only its 997 and TA1 are read"
    if transaction.set_id not in READ_SETS:
        return "its transaction set is not read"
    return None


def _fetch_documents(session: Session) -> None:
    waiting = session.store.inbox.in_state(InboxState.LISTED)
    for done, inbound in enumerate(waiting, 1):
        session.checkpoint()
        _fetch(session, inbound)
        session.progress("fetching acknowledgments", done, len(waiting))


def _fetch(session: Session, inbound: Inbound) -> None:
    """Guide JSON where Stedi has it whole, else the raw X12 (stedi.md 4.1: inbound input is EDI, output JSON)."""
    document, form = session.stedi.transaction_document(inbound.transaction_id, "output"), "guide-json"
    if document is None or not _is_guide_json(document, inbound):
        raw = session.stedi.transaction_document(inbound.transaction_id, "input")
        if raw is not None:
            document, form = raw, "x12"
    if document is None:
        session.tally.warn(f"transaction {inbound.transaction_id}: Stedi has no document for it yet; tried again")
        return
    with session.store.transaction():
        mark = hashlib.sha256(document).hexdigest()
        session.store.inbox.store(inbound.transaction_id, document, form, mark)
        session.note(
            "transaction-stored", f"transaction {inbound.transaction_id}", form=form, bytes=len(document), sha256=mark
        )


def _is_guide_json(document: bytes, inbound: Inbound) -> bool:
    """Whether it can be read: a mapping at Stedi may make any other JSON of it."""
    try:
        read = loads(document)
    except BrokenJsonError:
        return False
    if inbound.set_id not in READ_SETS or inbound.set_id == "TA1":
        return isinstance(read, dict)
    return not isinstance(read_guide_json(read, inbound.set_id, inbound.release or ""), Unreadable)
