"""Transactions listed by Stedi: whether they are ours, and whose."""

from __future__ import annotations

from plexstedi.edi.inbound.reading.inbound_sets import (
    ACKNOWLEDGMENTS,
    ENVELOPE_ACKNOWLEDGMENTS,
    READ_SETS,
)
from plexstedi.errors import RequestRejected, UsageFault
from plexstedi.state.document import Document
from plexstedi.state.inbox import Inbound, InboxState, ListedTransaction
from plexstedi.state.subject import of_transaction
from plexstedi.stedi.models import INBOUND, OUTBOUND, StediTransaction
from plexstedi.sync.feed import TRANSACTIONS, read_feed
from plexstedi.sync.partners import customer_of, supplier_of
from plexstedi.sync.session import Session

UNKNOWN_SET = "unknown"
"""The set of a transaction listed without X12 metadata, until its document is read."""


NO_PARTNER = "its partnership is not in the configuration: another plant's"
ANOTHER_PLANTS = "its partnership is another plant's"


_OTHER_USAGE = {"P": "test", "T": "production"}
"""Transactions in this mode belong to a state with the other usage indicator."""


def list_new(session: Session) -> None:
    """Store what Stedi's feed lists as received since the last run."""
    read_feed(session, TRANSACTIONS, _note_transaction)


def _sent_by_us(session: Session, transaction: StediTransaction) -> tuple[bool, Document | None]:
    """Whether we sent it, and which document it is, if it is in the ledger.

    Stedi also lists transactions of direction UNKNOWN: what is none of our documents may be an acknowledgment.
    """
    if transaction.direction == INBOUND:
        return False, None
    document = session.store.documents.by_execution(transaction.execution_id)
    return transaction.direction == OUTBOUND or document is not None, document


def _note_transaction(session: Session, transaction: StediTransaction) -> None:
    ours, document = _sent_by_us(session, transaction)
    if document is not None:
        session.store.documents.set_controls(
            document.id, transaction.interchange_control, transaction.group_control, transaction.set_control
        )
    if ours:
        return
    supplier = supplier_of(session, transaction.partnership_id)
    customer = None if supplier is not None else customer_of(session, transaction.partnership_id)
    listed = ListedTransaction(
        transaction_id=transaction.id,
        execution_id=transaction.execution_id,
        set_id=transaction.set_id or UNKNOWN_SET,
        partnership=transaction.partnership_id or "",
        supplier=supplier or customer,
        processed_at=transaction.processed_at,
        sender=transaction.sender_isa or transaction.sender_profile,
        release=transaction.release,
        interchange_control=transaction.interchange_control,
        group_control=transaction.group_control,
        set_control=transaction.set_control,
    )
    # Already listed: pages overlap after a restart.
    if not session.store.inbox.list_one(listed, session.clock.now()):
        return
    why = _why_ignored(session, transaction, supplier, customer)
    if why is not None:
        session.store.inbox.move(transaction.id, InboxState.IGNORED, why)
    elif listed.set_id in ACKNOWLEDGMENTS:
        session.run.counts.acks_received += 1
    session.note(
        "transaction-listed",
        of_transaction(transaction.id),
        set=listed.set_id,
        partnership=listed.partnership,
        supplier=supplier or customer,
        left_alone=why,
    )


def partner_for(session: Session, inbound: Inbound) -> str | None:
    return supplier_of(session, inbound.partnership) or customer_of(session, inbound.partnership)


def read_ignored(session: Session, inbound: Inbound) -> str | None:
    """Assign one ignored transaction to its partner; return why it stays ignored, None if it is read now."""
    supplier = supplier_of(session, inbound.partnership)
    customer = None if supplier is not None else customer_of(session, inbound.partnership)
    partner = supplier or customer
    assert partner is not None
    why, fetched = None, inbound.document_form is not None
    if not fetched:
        # Its mode was not stored: ask Stedi again.
        transaction = session.services.stedi.transaction(inbound.transaction_id)
        why = (
            "Stedi no longer has it" if transaction is None else _why_ignored(session, transaction, supplier, customer)
        )
    with session.store.transaction():
        if why is not None:
            session.store.inbox.explain(inbound.transaction_id, why)
        else:
            session.store.inbox.list_again(inbound.transaction_id, partner, session.clock.now())
            if not fetched and inbound.set_id in ACKNOWLEDGMENTS:
                session.run.counts.acks_received += 1
        session.note(
            "transaction-known",
            of_transaction(inbound.transaction_id),
            set=inbound.set_id,
            partnership=inbound.partnership,
            supplier=partner,
            left_alone=why,
        )
    return why


def list_one(session: Session, transaction_id: str) -> Inbound:
    """Store a transaction that no listing has shown. Raise UsageFault if it is not a partner's."""
    try:
        transaction = session.services.stedi.transaction(transaction_id)
    except RequestRejected:
        transaction = None
    if transaction is None or transaction.id != transaction_id:
        raise UsageFault(
            f"there is no transaction {transaction_id} in the state file, and Stedi has none",
            fix="`plexstedi status NUMBER` shows the transactions of an order.",
        )
    if _sent_by_us(session, transaction)[0]:
        raise UsageFault(
            f"transaction {transaction_id} is one of our documents, not an acknowledgment",
            fix="`plexstedi status NUMBER` shows the transactions of an order.",
        )
    with session.store.transaction():
        _note_transaction(session, transaction)
    inbound = session.store.inbox.get(transaction_id)
    assert inbound is not None
    return inbound


def _why_ignored(
    session: Session, transaction: StediTransaction, supplier: str | None, customer: str | None
) -> str | None:
    """Why a transaction is only counted; None if it is to be read."""
    if supplier is None and customer is None:
        return NO_PARTNER
    if transaction.mode == _OTHER_USAGE[session.config.stedi.usage_indicator]:
        session.run.warn(
            f"a transaction of {supplier or customer} is marked {transaction.mode}, this configuration sends with"
            f" usage indicator {session.config.stedi.usage_indicator}: it was ignored"
        )
        return f"its mode is {transaction.mode}"
    return None if transaction.set_id is None else why_not_read(transaction.set_id, customer)


def why_not_read(set_id: str, customer: str | None) -> str | None:
    """Why a transaction set is only counted. `customer`: its sender, if it is a customer rather than a supplier."""
    if customer is not None and set_id not in ENVELOPE_ACKNOWLEDGMENTS:
        return f"{customer} is a customer: only its 997 and TA1 are read"
    return None if set_id in READ_SETS else "its transaction set is not read"
