"""What recover takes over of one file at Stedi, for orders and invoices alike."""

from __future__ import annotations

from dataclasses import dataclass

from plexstedi.edi.document_name import Slot, idempotency_key
from plexstedi.state.document import Document
from plexstedi.state.document_states import DocumentState
from plexstedi.state.executions import ExecutionRecord
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import of_document
from plexstedi.stedi.models import Delivered, DeliveryFailed, RetriedAs, delivery_of
from plexstedi.sync.session import Session


@dataclass(frozen=True)
class Found:
    """One file of ours at Stedi that the ledger lacks."""

    execution: ExecutionRecord
    slot: Slot
    mark: str


@dataclass(frozen=True)
class Recovered:
    """What Stedi says of one file."""

    failed: str | None
    delivered: bool
    execution_id: str
    interchange: int | None
    group: int | None
    set_control: int | None


def delivery_at_stedi(session: Session, execution_id: str) -> Recovered:
    execution = session.stedi.execution(execution_id)
    state = None if execution is None else delivery_of(execution)
    controls = session.stedi.execution_transactions(execution_id)
    first = controls[0] if controls else None
    return Recovered(
        failed=state.message if isinstance(state, DeliveryFailed) else None,
        delivered=isinstance(state, Delivered),
        execution_id=state.execution_id if isinstance(state, RetriedAs) else execution_id,
        interchange=None if first is None else first.interchange_control,
        group=None if first is None else first.group_control,
        set_control=None if first is None else first.set_control,
    )


def payload_at_stedi(session: Session, execution_id: str) -> tuple[bytes, str]:
    """The document as Stedi got it, and as X12."""
    given = session.stedi.execution_document(execution_id, "input") or b""
    text = session.stedi.execution_document(execution_id, "output") or b""
    return given, text.decode("utf-8", errors="replace")


def free_key(session: Session, file: Found) -> str:
    """The key of its slot; an own document that met a refusal (422) has it: then with the mark. It is never used again.

    Stedi was asked for this file already, so no attempt ever follows under its key.
    """
    key = idempotency_key(file.slot)
    return key if session.store.documents.by_key(key) is None else f"{key}_{file.mark}"


def close_earlier(session: Session, stream: str) -> None:
    """Documents of an old state that are open there: a later file of the stream went out, so each came to an end."""
    for document in session.store.documents.of_stream(stream):
        if document.blocks:
            session.store.documents.unblock(document.id)
        if not document.state.is_final:
            _settle(session, document)
        for kind in _OF_DOCUMENT:
            session.withdraw_review(
                kind, of_document(document.id), "a later file is at Stedi", order_id=document.order_id
            )


_OF_DOCUMENT = (
    ReviewKind.DOCUMENT_CONFLICT,
    ReviewKind.DOCUMENT_IN_DOUBT,
    ReviewKind.DOCUMENT_REFUSED,
    ReviewKind.DELIVERY_FAILED,
    ReviewKind.SYNTAX_REJECTED,
)


def _settle(session: Session, document: Document) -> None:
    documents, now = session.store.documents, session.clock.now()
    execution = session.store.executions.by_file_name(document.file_name)
    state = document.state
    if execution is not None and state.is_before_acceptance:
        if state is DocumentState.FROZEN:
            documents.begin_attempt(document, execution.created_at)
        documents.accept(
            document.id,
            execution.created_at,
            file_execution_id=execution.execution_id,
            interchange_control=None,
            group_control=None,
            x12=None,
        )
        state = DocumentState.ACCEPTED
    if state is DocumentState.ACCEPTED and (execution is None or execution.status != "FAILED"):
        documents.deliver(document.id, now)
    elif state is DocumentState.SENDING:
        documents.move(document.id, DocumentState.REFUSED, "Stedi has no such file")
    else:
        if state is DocumentState.ACCEPTED:
            documents.fail(document.id, "Stedi could not deliver it")
        documents.move(document.id, DocumentState.WITHDRAWN, "a later file of the order was sent")
    session.note(
        "document-settled",
        of_document(document.id),
        order_id=document.order_id,
        before=document.state,
        after=documents.get(document.id).state,
    )
