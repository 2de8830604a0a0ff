"""Process a TA1: the envelope result of the interchange that it acknowledges, before any 997."""

from __future__ import annotations

from plexstedi.decimal_json import BrokenJsonError, loads
from plexstedi.edi.inbound.reading.interchange_ack import EnvelopeVerdict, InterchangeAck, ta1_of_json, ta1_of_x12
from plexstedi.edi.reasons import Reason
from plexstedi.edi.x12.raw import decoded
from plexstedi.state.document import Document
from plexstedi.state.document_states import FunctionalStatus
from plexstedi.state.inbox import Inbound, InboxState
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import of_document
from plexstedi.sync.ingest.functional_ack import wait_for_controls
from plexstedi.sync.replay_advice import replay_of
from plexstedi.sync.session import Session


def decide_ta1(session: Session, inbound: Inbound) -> None:
    """Record one stored TA1 with the documents of its interchange; inside the caller's transaction.

    A rejected envelope was never opened: as after a rejecting 997, the document needs review and its stream waits. An
    unreadable TA1 is ignored: it is counted, and blocks nothing.
    """
    document = session.store.inbox.document(inbound.transaction_id) or b""
    read = _read(document, inbound.document_form)
    if not read:
        session.store.inbox.move(inbound.transaction_id, InboxState.IGNORED, "its TA1 cannot be read")
        session.run.warn(f"transaction {inbound.transaction_id} of {inbound.supplier}: its TA1 cannot be read")
    elif [ack for ack in read if _apply(session, inbound, ack)]:
        session.store.inbox.move(inbound.transaction_id, InboxState.APPLIED, None)
    else:
        numbers = ", ".join(str(ack.interchange_control) for ack in read)
        rejects = any(ack.verdict is EnvelopeVerdict.REJECTED for ack in read)
        why = f"it acknowledges interchange {numbers}, which is not one of ours"
        wait_for_controls(session, inbound, why, rejects=rejects)


def _read(document: bytes, form: str | None) -> tuple[InterchangeAck, ...]:
    if form != "guide-json":
        return ta1_of_x12(decoded(document))
    try:
        return ta1_of_json(loads(document))
    except BrokenJsonError:
        return ()


def _apply(session: Session, inbound: Inbound, ack: InterchangeAck) -> bool:
    """Record the TA1; return whether it refers to a document of this state."""
    document = session.store.documents.by_interchange_control(inbound.partnership, ack.interchange_control)
    if document is None:
        return False
    session.note(
        "interchange-ack",
        of_document(document.id),
        order_id=document.order_id,
        interchange_control=ack.interchange_control,
        verdict=ack.verdict,
        note=ack.note or None,
    )
    if ack.verdict is EnvelopeVerdict.REJECTED and document.functional_ack is FunctionalStatus.NONE:
        session.store.documents.set_functional(document.id, FunctionalStatus.REJECTED, blocks=True)
        session.run.counts.documents_rejected += 1
        _open_review(session, document, ReviewKind.SYNTAX_REJECTED, "was rejected", ack, urgent=True)
    elif ack.verdict is EnvelopeVerdict.ACCEPTED_WITH_ERRORS:
        _open_review(session, document, ReviewKind.SYNTAX_ERRORS, "was accepted with errors", ack, urgent=False)
    return True


def _open_review(
    session: Session, document: Document, kind: ReviewKind, what: str, ack: InterchangeAck, *, urgent: bool
) -> None:
    reason = Reason(
        code="interchange",
        where="order",
        message=f"interchange {ack.interchange_control} with the {document.kind} {what} by the supplier's system (TA1):"
        f" {ack.note or 'no reason given'}",
        fix="Compare the partnership's profiles in the Stedi portal with the supplier's EDI contact; then"
        + (
            f" {replay_of(document)}, or resolve it with the supplier, then `plexstedi review accept ID --reason TEXT`."
            if kind is ReviewKind.SYNTAX_REJECTED
            else " `plexstedi review accept ID --reason TEXT`. Do not send this one again: the supplier has it."
        ),
    )
    session.open_review_of_document(kind, document, reason, urgent=urgent)
