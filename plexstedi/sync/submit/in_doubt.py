"""Documents that Stedi may or may not have: repeat under the same key, or look up the file."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from plexstedi.edi.reasons import Reason
from plexstedi.state.document import Document
from plexstedi.state.document_states import DocumentState
from plexstedi.state.documents import REFUSED
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import of_document
from plexstedi.stedi.models import Execution
from plexstedi.stedi.outcome import Accepted
from plexstedi.sync.isolation import is_held, isolated, release_hold
from plexstedi.sync.session import Session
from plexstedi.sync.submit.send import accept, record_of, send, sending_of

KEY_LIFE = timedelta(hours=23)
"""Stedi forgets a key after 24 hours; from 23 on a repeated request might be executed a second time."""


_SEARCH_MARGIN = timedelta(days=2)


_LISTED_AFTER = timedelta(minutes=15)
"""Stedi lists an existing file within this time; only then its absence is significant."""


def resolve_unconfirmed(session: Session) -> None:
    """Resolve every send without a response, and adopt documents in doubt or rejected that Stedi lists after all."""
    for document in session.store.documents.unconfirmed():
        session.checkpoint()
        record = sending_of(document)
        if adopt_execution(session, document) or is_held(session, record):
            continue
        with isolated(session, record):
            if document.state is DocumentState.SENDING:
                _resolve(session, document)
            elif document.state is DocumentState.IN_DOUBT:
                _search_again(session, document)


def adopt_execution(session: Session, document: Document) -> bool:
    """Whether the execution feed contains this document's file name: it was sent, and is marked as accepted."""
    execution = session.store.executions.by_file_name(document.file_name)
    if execution is None:
        return False
    documents = session.store.documents
    record = record_of("take over", document)
    if is_held(session, record):
        return True
    with isolated(session, record) as turn, session.store.transaction():
        # Record an attempt first: an accepted document always has one.
        if document.state is DocumentState.FROZEN:
            number = documents.begin_attempt(document, execution.created_at)
            documents.end_attempt(document.id, number, session.clock.now(), "found among Stedi's files")
        accept(session, document, found_at_stedi(execution.execution_id, execution.created_at))
    if not turn.held:
        release_hold(session, sending_of(document))
    return True


def _resolve(session: Session, document: Document) -> None:
    """Repeat the send while Stedi certainly knows the key; later look up the file, with a positive control."""
    documents, now = session.store.documents, session.clock.now()
    wait = timedelta(0) if document.next_attempt_at is None else document.next_attempt_at - now
    if timedelta(0) < wait <= _LONGEST_WAIT:
        return
    _, last_began, _, last_outcome = documents.attempts(document.id)[-1]
    # Rejected after an attempt without a response: repeating would be rejected again, so search instead.
    refused = (last_outcome or "").startswith(REFUSED)
    # The latest of all known times: a local clock set back must not make the key look valid.
    latest = session.store.cursors.latest_time(now, session.services.stedi.service_now())
    first = document.first_attempt_at
    young = first is None or latest - first < KEY_LIFE
    if young and not refused:
        send(session, document)
        return
    # Too early for a search: Stedi may not list the file yet.
    if latest - last_began < _LISTED_AFTER:
        return
    found = _search(session, document, first or document.frozen_at, latest)
    if isinstance(found, Execution):
        with session.store.transaction():
            accept(session, document, found_at_stedi(found.id, found.created_at))
    # Certainly not at Stedi, or a user decided to send: a new attempt begins with a fresh key lifetime.
    elif found is Absent.PROVEN or document.retry:
        with session.store.transaction():
            documents.disprove_attempts(document.id)
            session.note("found-absent", of_document(document.id), order_id=document.order_id, search=found)
        send(session, documents.get(document.id))
    elif not young:
        _mark_in_doubt(session, document)


def _mark_in_doubt(session: Session, document: Document) -> None:
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
        session.open_review_of_document(ReviewKind.DOCUMENT_IN_DOUBT, document, reason)


def _search_again(session: Session, document: Document) -> None:
    """Search for the file of a document in doubt: Stedi may list it by now."""
    for page in session.services.stedi.executions(display_name=document.file_name):
        for execution in page.items:
            if execution.file_name == document.file_name:
                with session.store.transaction():
                    accept(session, document, found_at_stedi(execution.id, execution.created_at))
                return


class Absent(StrEnum):
    """The result of a search that did not find the file."""

    PROVEN = "proven"
    """The same search found another known file."""
    UNPROVEN = "unproven"


def _search(session: Session, document: Document, since: datetime, until: datetime) -> Execution | Absent:
    """The execution with exactly this file name; else whether the search was valid.

    The control is a file that Stedi is known to have: the same listing must contain it. The searched period has a
    margin of days on both sides for a wrong local clock.
    """
    control = _control(session, document)
    begin = since if control is None or control.accepted_at is None else min(since, control.accepted_at)
    # A control of another partner would not appear in a list of this partnership.
    # Not of one direction only: a file that Stedi lists as UNKNOWN would be taken for absent, and sent again.
    same_partner = control is None or control.partnership == document.partnership
    pages = session.services.stedi.executions(
        partnership_id=document.partnership if same_partner else None,
        begin=begin - _SEARCH_MARGIN,
        end=until + _SEARCH_MARGIN,
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
    """An accepted outcome for a document that was found at Stedi."""
    return Accepted(
        file_execution_id=execution_id,
        interchange_control=None,
        group_control=None,
        edi=None,
        replayed=True,
        date=created_at,
    )


_LONGEST_WAIT = timedelta(hours=1)
"""No 409 asks for a longer wait; a later time was stored by a wrong clock."""
