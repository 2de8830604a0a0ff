"""Process a 997: the syntax result of the documents that it acknowledges (RULES.md Reading 16), not a confirmation."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from plexstedi.edi.inbound.reading.acknowledgment import Malformed
from plexstedi.edi.inbound.reading.functional_ack import (
    AcceptedWithErrors,
    FunctionalAck,
    NotMentioned,
    SyntaxAccepted,
    SyntaxRejected,
    read_997,
    verdict,
)
from plexstedi.edi.inbound.reading.guide_reading import UnreadableDocument
from plexstedi.edi.model import to_json
from plexstedi.edi.reasons import Reason
from plexstedi.edi.x12.transaction import Transaction
from plexstedi.state.document import Document
from plexstedi.state.document_states import FunctionalStatus
from plexstedi.state.inbox import Inbound, InboxState
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import of_document, of_transaction
from plexstedi.sync.replay_advice import replay_of
from plexstedi.sync.session import Session

_KINDS = {"PO": "850", "PC": "860", "IN": "810"}
_READ_CODES = ("A", "E")
"""AK901 (X12 element 715) values of a group that was received completely."""
_PATIENCE = timedelta(days=3)
"""How long a 997 or TA1 waits for a document whose control numbers are not known yet."""


def decide_997(session: Session, inbound: Inbound, tree: Transaction | UnreadableDocument) -> None:
    """Decide one 997 as it was stored; inside the caller's transaction."""
    read = Malformed((_unreadable(tree.reason),)) if isinstance(tree, UnreadableDocument) else read_997(tree)
    if isinstance(read, Malformed):
        session.store.inbox.move(
            inbound.transaction_id, InboxState.HELD, "; ".join(str(reason) for reason in read.reasons)
        )
        session.open_review(
            ReviewKind.ACKNOWLEDGMENT_HELD,
            of_transaction(inbound.transaction_id),
            read.reasons,
            supplier=inbound.supplier,
        )
        return
    kind = _KINDS.get(read.functional_id)
    documents = [
        document
        for document in session.store.documents.by_group_control(inbound.partnership, read.group_control)
        if document.kind == kind
    ]
    # Control numbers wrap around: the newest document with this number is meant.
    for document in documents[:1]:
        mark = hashlib.sha256(to_json(read).encode()).hexdigest()
        last = session.store.inbox.last_functional_ack(document.id, inbound.transaction_id)
        # A repeated older 997 must not replace the result of a newer one.
        if last is not None and (last.content_hash == mark or _same_controls(last, inbound)):
            why = f"repeats transaction {last.transaction_id}"
            session.store.inbox.move(inbound.transaction_id, InboxState.DUPLICATE, why)
            return
        if _apply(session, document, read):
            session.store.inbox.assign(
                inbound.transaction_id,
                order_id=None,
                document_id=document.id,
                type_code=read.code,
                dated=None,
                content_hash=mark,
            )
            session.store.inbox.move(inbound.transaction_id, InboxState.APPLIED, None)
            return
    wait_for_controls(
        session,
        inbound,
        f"it acknowledges group {read.functional_id} {read.group_control}, which is not one of our documents",
        rejects=read.code not in _READ_CODES,
    )


def _same_controls(one: Inbound, other: Inbound) -> bool:
    """Whether both have the same ISA13, GS06 and ST02."""
    controls = (one.interchange_control, one.group_control, one.set_control)
    return None not in controls and controls == (other.interchange_control, other.group_control, other.set_control)


def _unreadable(message: str) -> Reason:
    return Reason(
        code="unreadable",
        where="997",
        message=message,
        fix="Ask the supplier for a corrected functional acknowledgment.",
    )


def wait_for_controls(session: Session, inbound: Inbound, why: str, *, rejects: bool) -> None:
    """Retry for some days: the control numbers of the acknowledged document may not be known yet.

    After that, a rejection needs review, since the supplier may not have read a document; others are only counted.
    """
    if session.clock.now() - inbound.received_at >= _PATIENCE:
        if rejects:
            reason = Reason(
                code="answer-to-unknown",
                where=inbound.set_id,
                message=f"the supplier's system rejects something, but {why}",
                fix="Look up the control number in the Stedi portal and with the supplier; accept if it belongs to "
                "somebody else.",
            )
            session.store.inbox.move(inbound.transaction_id, InboxState.HELD, reason.message)
            session.open_review(
                ReviewKind.ACKNOWLEDGMENT_HELD,
                of_transaction(inbound.transaction_id),
                (reason,),
                supplier=inbound.supplier,
            )
            return
        session.store.inbox.move(inbound.transaction_id, InboxState.IGNORED, why)
    elif inbound.state is not InboxState.WAITING:
        session.store.inbox.move(inbound.transaction_id, InboxState.WAITING, why)


def _apply(session: Session, document: Document, read: FunctionalAck) -> bool:
    """Record the result for one document; return whether the 997 refers to it."""
    result = verdict(read, document.group_control or 0, document.set_control or 1)
    match result:
        case NotMentioned():
            return False
        case SyntaxAccepted():
            _accept(session, document, FunctionalStatus.ACCEPTED)
        case AcceptedWithErrors(errors=errors):
            _accept(session, document, FunctionalStatus.ACCEPTED_WITH_ERRORS)
            _open_review(session, document, ReviewKind.SYNTAX_ERRORS, errors, "was accepted with errors", urgent=False)
        case SyntaxRejected(errors=errors):
            _set(session, document, FunctionalStatus.REJECTED, blocks=True)
            session.run.counts.documents_rejected += 1
            _open_review(session, document, ReviewKind.SYNTAX_REJECTED, errors, "was rejected", urgent=True)
    return True


def _accept(session: Session, document: Document, status: FunctionalStatus) -> None:
    _set(session, document, status, blocks=False)
    session.withdraw_review(
        ReviewKind.SYNTAX_REJECTED,
        of_document(document.id),
        "a later 997 accepts it",
        order_id=document.order_id,
    )


def _set(session: Session, document: Document, status: FunctionalStatus, *, blocks: bool) -> None:
    session.store.documents.set_functional(document.id, status, blocks=blocks)
    session.note("functional-ack", of_document(document.id), order_id=document.order_id, status=status)


def _open_review(
    session: Session, document: Document, kind: ReviewKind, errors: tuple[str, ...], what: str, *, urgent: bool
) -> None:
    reason = Reason(
        code="syntax",
        where="order",
        message=f"the {document.kind} {what} by the supplier's system (997): {'; '.join(errors) or 'no reason given'}",
        fix=f"Correct the settings or the guide, then {replay_of(document)}; or resolve it with the supplier, then "
        "`plexstedi review accept ID --reason TEXT`."
        if kind is ReviewKind.SYNTAX_REJECTED
        else "Correct the settings or the guide for the next documents, then `plexstedi review accept ID --reason"
        " TEXT`. Do not send this one again: the supplier has it.",
    )
    session.open_review_of_document(kind, document, reason, urgent=urgent)
