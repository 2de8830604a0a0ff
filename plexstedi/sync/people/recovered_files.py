"""Import of single files at Stedi by `recover`, for orders and invoices."""

from __future__ import annotations

from msgspec import Struct

from plexstedi.edi.document_name import Slot, idempotency_key
from plexstedi.edi.sent import SentOrder
from plexstedi.state.document import RECOVERED, Document, NewDocument
from plexstedi.state.document_states import DocumentState
from plexstedi.state.executions import ExecutionRecord
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import of_document
from plexstedi.stedi.models import Delivered, DeliveryFailed, RetriedAs, delivery_of
from plexstedi.sync.session import Session
from plexstedi.sync.submit.lifecycle import Trade


class Found(Struct, frozen=True):
    """A file of this program at Stedi that the ledger lacks."""

    execution: ExecutionRecord
    slot: Slot
    mark: str


class FileAtStedi(Struct, frozen=True):
    """A file with its delivery, control numbers and contents at Stedi."""

    file: Found
    execution_id: str
    """Of a file that was retried in the portal, its last execution."""
    delivered: bool
    failed: str | None
    """Why it could not be delivered."""
    interchange: int | None
    group: int | None
    set_control: int | None
    body: bytes
    """The content as sent to Stedi."""
    x12: str


def file_at_stedi(session: Session, file: Found) -> FileAtStedi:
    """Read delivery, control numbers and contents of one file from Stedi. Raise ServiceUnavailable."""
    execution_id = file.execution.execution_id
    execution = session.services.stedi.execution(execution_id)
    delivery = None if execution is None else delivery_of(execution)
    controls = session.services.stedi.execution_transactions(execution_id)
    first = controls[0] if controls else None
    body = session.services.stedi.execution_document(execution_id, "input") or b""
    text = session.services.stedi.execution_document(execution_id, "output") or b""
    return FileAtStedi(
        file=file,
        execution_id=delivery.execution_id if isinstance(delivery, RetriedAs) else execution_id,
        delivered=isinstance(delivery, Delivered),
        failed=delivery.message if isinstance(delivery, DeliveryFailed) else None,
        interchange=None if first is None else first.interchange_control,
        group=None if first is None else first.group_control,
        set_control=None if first is None else first.set_control,
        body=body,
        x12=text.decode("utf-8", errors="replace"),
    )


def import_file(
    session: Session,
    found: FileAtStedi,
    trade: Trade,
    *,
    stream: str,
    release: str | None,
    partnership: str,
    revision: int,
    sent: SentOrder,
    is_last: bool,
    in_sync: bool,
) -> None:
    """Add one file to the ledger as a sent document. The last one of a stream that is not in sync blocks the stream."""
    documents, slot = session.store.documents, found.file.slot
    document = documents.import_sent(
        NewDocument(
            stream=stream,
            order_id=trade.id,
            order_number=trade.number,
            order_release=release,
            supplier=trade.partner,
            partnership=partnership,
            transaction_setting=RECOVERED,
            kind=slot.kind,
            purpose=RECOVERED,
            revision=revision,
            change_sequence=slot.change_sequence,
            counter=slot.counter,
            idempotency_key=_free_key(session, found.file),
            file_name=found.file.execution.file_name,
            route="generate-edi",
            body=found.body,
            x12=found.x12,
            sent=sent,
            dropped=(),
        ),
        sent_at=found.file.execution.created_at,
        execution_id=found.execution_id,
        delivered=found.delivered or not is_last,
        failed=found.failed if is_last else None,
        blocks=is_last and not in_sync,
    )
    documents.set_controls(document.id, found.interchange, found.group, found.set_control)
    session.note(
        "document-recovered",
        of_document(document.id),
        order_id=trade.id,
        file_name=document.file_name,
        in_sync=in_sync,
    )


def _free_key(session: Session, file: Found) -> str:
    """The key of its slot, with the mark appended if a refused document (422) of the ledger has that key.

    The key is never used for an attempt: Stedi has the file already.
    """
    key = idempotency_key(file.slot)
    return key if session.store.documents.by_key(key) is None else f"{key}_{file.mark}"


def close_earlier(session: Session, stream: str) -> None:
    """Close open documents of an old state: a later file of the stream was sent, so none of them is pending."""
    for document in session.store.documents.of_stream(stream):
        if document.blocks:
            session.store.documents.unblock(document.id)
        if not document.state.is_final:
            _close(session, document)
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


def _close(session: Session, document: Document) -> None:
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
