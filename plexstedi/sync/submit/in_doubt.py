"""Documents of which it is not known whether Stedi has them: repeated under the same key, or looked up."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from plexstedi.edi.reasons import Reason
from plexstedi.state.document import Document
from plexstedi.state.document_states import DocumentState
from plexstedi.state.documents import REFUSED
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import of_document
from plexstedi.stedi.models import (
    OUTBOUND,
    Execution,
)
from plexstedi.stedi.outcome import Accepted
from plexstedi.sync.isolation import is_held, isolated, let_go
from plexstedi.sync.session import Session
from plexstedi.sync.submit.send import accept, record_of, send, sending_of

KEY_LIFE = timedelta(hours=23)
"""Stedi forgets a key after 24 hours; after 23 the same request might be carried out a second time."""


_LOOK_AROUND = timedelta(days=2)


_LISTED_AFTER = timedelta(minutes=15)
"""A file that Stedi has is listed by then; only after that its absence means something."""


def resolve_unheard(session: Session) -> None:
    """Settle every document whose attempt was not heard, and those in doubt or refused that Stedi shows after all."""
    for document in session.store.documents.unheard():
        session.checkpoint()
        record = sending_of(document)
        if take_execution(session, document) or is_held(session, record):
            continue
        with isolated(session, record):
            if document.state is DocumentState.SENDING:
                _settle(session, document)
            elif document.state is DocumentState.IN_DOUBT:
                _look_again(session, document)


def take_execution(session: Session, document: Document) -> bool:
    """Whether Stedi's execution feed has shown a file of this very name: then it was carried out."""
    execution = session.store.executions.by_file_name(document.file_name)
    if execution is None:
        return False
    documents = session.store.documents
    record = record_of("take over", document)
    if is_held(session, record):
        return True
    with isolated(session, record) as turn, session.store.transaction():
        if document.state is DocumentState.FROZEN:
            number = documents.begin_attempt(document, execution.created_at)
            documents.end_attempt(document.id, number, session.clock.now(), "found among Stedi's files")
        accept(session, document, found_at_stedi(execution.execution_id, execution.created_at))
    if not turn.held:
        let_go(session, sending_of(document))
    return True


def _settle(session: Session, document: Document) -> None:
    """Repeat it while Stedi surely knows the key; else look the file up, with a positive control."""
    documents, now = session.store.documents, session.clock.now()
    wait = timedelta(0) if document.next_attempt_at is None else document.next_attempt_at - now
    if timedelta(0) < wait <= _LONGEST_WAIT:
        return
    _, last_began, _, last_outcome = documents.attempts(document.id)[-1]
    refused = (last_outcome or "").startswith(REFUSED)
    latest = session.store.cursors.latest_time(now, session.stedi.service_now())
    first = document.first_attempt_at
    young = first is None or latest - first < KEY_LIFE
    if young and not refused:
        send(session, document)
        return
    if latest - last_began < _LISTED_AFTER:
        return
    found = _search(session, document, first or document.frozen_at, latest)
    if isinstance(found, Execution):
        with session.store.transaction():
            accept(session, document, found_at_stedi(found.id, found.created_at))
    elif found is Absent.PROVEN or document.retry:
        with session.store.transaction():
            documents.disprove_attempts(document.id)
            session.note("found-absent", of_document(document.id), order_id=document.order_id, search=found)
        send(session, documents.get(document.id))
    elif not young:
        _doubt(session, document)


def _doubt(session: Session, document: Document) -> None:
    reason = Reason(
        code="in-doubt",
        where="order",
        message="Cannot determine whether Stedi received this document: its idempotency key expired, and no other "
        "known file was found to validate the search.",
        fix="Look for the file in the Stedi portal. If it is there, wait: the next run that finds it marks the "
        "document as sent. If it is not, `plexstedi review accept ID --reason TEXT` sends it.",
    )
    with session.store.transaction():
        session.store.documents.move(document.id, DocumentState.IN_DOUBT, reason.message)
        session.ask_about(ReviewKind.DOCUMENT_IN_DOUBT, document, reason)


def _look_again(session: Session, document: Document) -> None:
    """A document in doubt: Stedi may list its file by now."""
    for page in session.stedi.executions(direction=OUTBOUND, display_name=document.file_name):
        for execution in page.items:
            if execution.file_name == document.file_name:
                with session.store.transaction():
                    accept(session, document, found_at_stedi(execution.id, execution.created_at))
                return


class Absent(StrEnum):
    """A file that was looked up and is not there."""

    PROVEN = "proven"
    """The same search found another file of ours."""
    UNPROVEN = "unproven"


def _search(session: Session, document: Document, since: datetime, until: datetime) -> Execution | Absent:
    """The execution that carried this exact file name; if it is not there, whether the search proves anything.

    The control is a file that we know Stedi has: it must come up in the very same listing. Days on both sides make up
    for a clock of ours that was wrong.
    """
    control = _control(session, document)
    begin = since if control is None or control.accepted_at is None else min(since, control.accepted_at)
    same_partner = control is None or control.partnership == document.partnership
    pages = session.stedi.executions(
        partnership_id=document.partnership if same_partner else None,
        direction=OUTBOUND,
        begin=begin - _LOOK_AROUND,
        end=until + _LOOK_AROUND,
    )
    proven = False
    for page in pages:
        for execution in page.items:
            if execution.file_name == document.file_name:
                return execution
            proven = proven or (control is not None and execution.file_name == control.file_name)
    return Absent.PROVEN if proven else Absent.UNPROVEN


def _control(session: Session, document: Document) -> Document | None:
    """A document that Stedi surely has, the last one; of the same partner if there is one."""
    return session.store.documents.last_that_stedi_has(document.id, document.partnership)


def found_at_stedi(execution_id: str, created_at: datetime) -> Accepted:
    """A document that was found at Stedi, as if it had answered."""
    return Accepted(
        file_execution_id=execution_id,
        interchange_control=None,
        group_control=None,
        edi=None,
        replayed=True,
        date=created_at,
    )


_LONGEST_WAIT = timedelta(hours=1)
"""No 409 asks for more; a later time was noted by a clock that was wrong."""
