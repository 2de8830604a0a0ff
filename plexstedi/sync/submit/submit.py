"""`submit`: resolve sends without a response, confirm deliveries, send what is due."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from plexstedi.edi.reasons import Reason
from plexstedi.errors import ServiceUnavailable, SuspicionStop
from plexstedi.plain_text import many
from plexstedi.state.document import Document, NewDocument
from plexstedi.state.document_states import DocumentState
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import of_document, of_stream
from plexstedi.sync.isolation import Record, Turns, is_held, isolated, try_again_after_update
from plexstedi.sync.session import Session
from plexstedi.sync.stages import Stage
from plexstedi.sync.submit.delivery import confirm_deliveries
from plexstedi.sync.submit.document import DueDocument
from plexstedi.sync.submit.due_documents import DueDocuments
from plexstedi.sync.submit.due_invoices import find_due_invoices
from plexstedi.sync.submit.due_orders import find_due
from plexstedi.sync.submit.executions import check_executions, read_executions
from plexstedi.sync.submit.freeze import freeze
from plexstedi.sync.submit.in_doubt import adopt_execution, resolve_unconfirmed
from plexstedi.sync.submit.send import send_all, sending_of


@dataclass(frozen=True)
class Preview:
    """A document that a dry run would send, complete."""

    document: NewDocument
    guide_json: object


def preview(session: Session, *, number: str | None = None, limit: int | None = None) -> list[Preview]:
    """What `submit` would send, from stored revisions only: no service is called, nothing is stored."""
    previews = []
    found = DueDocuments(_find(session, number))
    if len(found) > session.config.documents.max_per_run:
        session.run.warn(f"{_too_many(session, len(found))}: `submit` stops before the first of them")
    for document in found.take(limit):
        with isolated(session, _freezing(document)):
            frozen = freeze(session, document)
            if isinstance(frozen, Reason):
                _hold(session, document, frozen)
            else:
                previews.append(Preview(frozen, document.prepared.guide_json))
    session.run.counts.documents_queued = len(previews)
    return previews


def mark_due(session: Session) -> Iterator[DueDocument]:
    """The due documents after a poll, each as soon as it is decided; counted as queued."""
    for document in _find(session):
        session.run.counts.documents_queued += 1
        yield document


def submit(
    session: Session, *, number: str | None = None, limit: int | None = None, seconds: float | None = None
) -> None:
    """Send what is due, of one order number or of all; at most `limit` new documents.

    `seconds`: this stage's share of the run. Raise SuspicionStop before anything is sent, ServiceUnavailable,
    ServiceRefused, Interrupted; what was sent is recorded.
    """
    until = session.clock.monotonic() + (seconds if seconds is not None else session.deadline.left(session.clock))
    session.services.check_tenant()
    try_again_after_update(session)
    # Before any send: an unknown file of ours means that this state is old.
    check_executions(session)
    resolve_unconfirmed(session)
    deliveries = Turns(session, Stage.SUBMIT)
    silent = _confirm_first(session, deliveries)
    queued = session.store.documents.in_state(DocumentState.FROZEN)
    # A frozen document may be at Stedi all the same: the state file was restored to before the send.
    send_all(session, (document for document in queued if not adopt_execution(session, document)))
    found = DueDocuments(_find(session, number, ask_plex=True))
    # Checked for all due documents, before the limit and before the first send.
    _guard_size(session, len(found))
    send_all(session, _frozen(session, found, limit, until))
    _search_unconfirmed(session)
    _report_unconfirmed(session)
    if silent is not None:
        raise silent
    deliveries.raise_unanswered()


def _search_unconfirmed(session: Session) -> None:
    """Read the execution feed again if Stedi did not respond to a send: it may list the file by now."""
    if not session.store.documents.in_state(DocumentState.SENDING):
        return
    try:
        read_executions(session)
    except (ServiceUnavailable, SuspicionStop) as fault:
        # The sends are reported in any case; the next run begins with the feed.
        session.run.warn(fault.message)
        return
    for document in session.store.documents.in_state(DocumentState.SENDING):
        adopt_execution(session, document)


def _confirm_first(session: Session, deliveries: Turns) -> ServiceUnavailable | None:
    """Confirm earlier documents. If Stedi cannot report deliveries, return the fault: sending continues.

    Raise ServiceUnavailable if the time is over.
    """
    try:
        confirm_deliveries(session, deliveries)
    except ServiceUnavailable as fault:
        if fault.code == "time-limit":
            raise
        return fault
    return None


def _find(session: Session, number: str | None = None, *, ask_plex: bool = False) -> Iterator[DueDocument]:
    """Orders first, then invoices, of this number or of all."""
    yield from find_due(session, number, ask_plex=ask_plex)
    yield from find_due_invoices(session, number)


def _guard_size(session: Session, count: int) -> None:
    if count > session.config.documents.max_per_run:
        session.suspect("max-per-run", f"{_too_many(session, count)}. Nothing was sent")


def _too_many(session: Session, count: int) -> str:
    most = session.config.documents.max_per_run
    return f"{count} new documents are due, more than documents.max_per_run = {most}"


def _frozen(session: Session, found: DueDocuments, limit: int | None, until: float) -> Iterator[Document]:
    """Freeze each due document when a call is free to send it; stop when this stage's time is used up."""
    total = len(found) if limit is None else min(limit, len(found))
    for done, due in enumerate(found.take(limit)):
        session.checkpoint()
        if session.clock.monotonic() >= until:
            session.run.warn(f"still to be sent: {many(total - done, 'document')}; the next run continues")
            break
        document = None
        record = _freezing(due)
        if not is_held(session, record):
            with isolated(session, record):
                document = _freeze(session, due)
        if document is not None:
            yield document
        session.progress("sending", done + 1, total)


def _freezing(due: DueDocument) -> Record:
    word = "invoice" if due.prepared.kind == "810" else "order"
    return Record(
        "freeze",
        f"the {due.prepared.kind} of stream {due.stream}",
        f"the {due.prepared.kind} of {word} {due.number}",
        due.mark,
        supplier=due.partner.code,
        order_id=due.order_id,
        order_number=due.number,
    )


def _freeze(session: Session, due: DueDocument) -> Document | None:
    frozen = freeze(session, due)
    with session.store.transaction():
        if isinstance(frozen, Reason):
            _hold(session, due, frozen)
            return None
        document = session.store.documents.freeze(frozen, session.clock.now())
        session.run.counts.documents_queued += 1
        session.note(
            "document-frozen",
            of_document(document.id),
            order_id=document.order_id,
            document=document.kind,
            purpose=document.purpose,
            revision=document.revision,
            key=document.idempotency_key,
            file_name=document.file_name,
            dropped=list(document.dropped),
            adjusted=list(due.prepared.adjusted),
            replay_of=document.replay_of,
        )
    return document


def _hold(session: Session, due: DueDocument, reason: Reason) -> None:
    new = session.open_review(
        ReviewKind.INVOICE_HELD if due.prepared.kind == "810" else ReviewKind.ORDER_HELD,
        of_stream(due.stream),
        (reason,),
        supplier=due.partner.code,
        order_id=due.order_id,
        order_number=due.number,
    )
    session.run.counts.documents_held += int(new)


def _report_unconfirmed(session: Session) -> None:
    """A send still without a response ends the run with 5, even if the rest succeeded (DESIGN.md section 4)."""
    sending = session.store.documents.in_state(DocumentState.SENDING)
    unconfirmed = [document for document in sending if not is_held(session, sending_of(document))]
    if unconfirmed:
        numbers = ", ".join(document.order_number for document in unconfirmed[:5])
        raise ServiceUnavailable(
            f"Stedi did not respond for {many(len(unconfirmed), 'document')} (orders {numbers}):"
            " whether it received them is not known yet",
            fix="The next run resolves this under the same key: nothing is sent twice.",
            code="not-heard",
        )
