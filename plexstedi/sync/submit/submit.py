"""`submit`: resolve sends without a response, confirm deliveries, send what is due."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from plexstedi.edi.order_number import number_key
from plexstedi.edi.reasons import Reason
from plexstedi.errors import ServiceUnavailable, SuspicionStop
from plexstedi.plain_text import many
from plexstedi.state.document import Document, NewDocument
from plexstedi.state.document_states import DocumentState
from plexstedi.stedi.requests import transaction_of
from plexstedi.sync.isolation import Turns, is_held, isolated, try_again_after_update
from plexstedi.sync.session import Session
from plexstedi.sync.stages import Stage
from plexstedi.sync.submit.delivery import confirm_deliveries
from plexstedi.sync.submit.document import DueDocument
from plexstedi.sync.submit.due_documents import DueDocuments, find_each
from plexstedi.sync.submit.executions import check_executions, read_executions
from plexstedi.sync.submit.freeze import freeze, freeze_each, freezing, hold_unfrozen
from plexstedi.sync.submit.in_doubt import adopt_execution, resolve_unconfirmed
from plexstedi.sync.submit.send import send_all, sending_of


class Preview(Struct, frozen=True):
    """A document that a dry run would send, complete."""

    document: NewDocument
    guide_json: object


def preview(session: Session, *, number: str | None = None, limit: int | None = None) -> list[Preview]:
    """What `submit` would send, from the state file only: no service is called, nothing is stored."""
    previews = []
    for queued in _queued(session, number):
        if session.store.executions.by_file_name(queued.file_name) is None:
            with isolated(session, sending_of(queued)):
                previews.append(_preview_of(session, queued))
    found = DueDocuments(find_each(session, number))
    if found.total > session.config.documents.max_per_run:
        session.run.warn(f"{_too_many(session, found.total)}: `submit` stops before the first of them")
    for document in found.take(limit):
        with isolated(session, freezing(document)):
            frozen = freeze(session, document)
            if isinstance(frozen, Reason):
                hold_unfrozen(session, document, frozen)
            else:
                previews.append(Preview(frozen, document.prepared.guide_json))
    session.run.counts.documents_queued = len(previews)
    return previews


def _queued(session: Session, number: str | None) -> list[Document]:
    """Frozen documents: queued by `replay`, accepted in a review, or left by a run that ended before it sent them."""
    return [
        document
        for document in session.store.documents.in_state(DocumentState.FROZEN)
        if number is None
        or number in (document.order_id, document.stream)
        or number_key(document.order_number) == number_key(number)
    ]


def _preview_of(session: Session, document: Document) -> Preview:
    documents = session.store.documents
    body, x12, sent = documents.body(document.id), documents.x12(document.id), documents.sent(document.id)
    same: dict[str, Any] = {k: v for k, v in asdict(document).items() if k in NewDocument.__struct_fields__}
    return Preview(NewDocument(body=body, x12=x12, sent=sent, **same), transaction_of(body))


def mark_due(session: Session) -> Iterator[DueDocument]:
    """The due documents after a poll, each as soon as it is decided; counted as queued."""
    with session.store.group():
        for document in find_each(session):
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
    deliveries = Turns(session, Stage.SUBMIT)
    # Before any send: an unknown file of ours means that this state is old.
    check_executions(session)
    resolve_unconfirmed(session)
    # If Stedi cannot report deliveries, sending continues; that fault ends the stage afterwards.
    no_deliveries = confirm_deliveries(session, deliveries)
    # A frozen document may be at Stedi all the same: the state file was restored to before the send.
    send_all(session, (one for one in _queued(session, number) if not adopt_execution(session, one)))
    with session.store.group():
        found = DueDocuments(find_each(session, number, ask_plex=True))
    # Checked for all due documents, before the limit and before the first send.
    _guard_size(session, found.total)
    wanted = found.total if limit is None else min(limit, found.total)
    send_all(session, freeze_each(session, found.take(limit), wanted, until))
    _search_unconfirmed(session)
    _report_unconfirmed(session)
    if no_deliveries is not None:
        raise no_deliveries
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


def _guard_size(session: Session, count: int) -> None:
    if count > session.config.documents.max_per_run:
        session.suspect("max-per-run", _too_many(session, count), effect=". None of them was sent")


def _too_many(session: Session, count: int) -> str:
    most = session.config.documents.max_per_run
    return f"{count} new documents are due, more than documents.max_per_run = {most}"


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
