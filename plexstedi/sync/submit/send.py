"""One attempt to send a document: committed before the call, its outcome recorded after it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from plexstedi.edi.advice import partner_table
from plexstedi.edi.reasons import Reason
from plexstedi.errors import ServiceRefused, ServiceUnavailable
from plexstedi.state.document import Document
from plexstedi.state.document_states import DocumentState
from plexstedi.state.documents import IN_FLIGHT, NOT_HEARD, NOT_PROCESSED, REFUSED
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import of_document
from plexstedi.stedi.client import StediClient
from plexstedi.stedi.outcome import Accepted, InFlight, Refused, SendOutcome, SlotTaken, Unknown
from plexstedi.sync.isolation import Record, is_held, isolated
from plexstedi.sync.parallel import in_parallel
from plexstedi.sync.session import Session


def record_of(step: str, document: Document) -> Record:
    word = "invoice" if document.kind == "810" else "order"
    return Record(
        step,
        f"document {document.id}",
        f"the {document.kind} of {word} {document.order_number}",
        supplier=document.supplier,
        order_id=document.order_id,
        order_number=document.order_number,
        about=of_document(document.id),
    )


def sending_of(document: Document) -> Record:
    """The sending of a document as an isolated record."""
    return record_of("send", document)


class _Attempt(Struct, frozen=True):
    """An attempt whose intent is committed."""

    document: Document
    number: int
    body: bytes


def send_all(session: Session, documents: Iterable[Document]) -> None:
    """One attempt for each, several at once, as `send`. `documents` is consumed as calls become free.

    After an unexpected error the document is held, and its outcome is resolved later. Raise what `send` or `documents`
    raises, after all attempts under way are concluded.
    """

    def begun() -> Iterator[_Attempt]:
        for document in documents:
            record = sending_of(document)
            if is_held(session, record):
                continue
            attempt = None
            with isolated(session, record, is_last_step=False):
                attempt = _begin(session, document)
            if attempt is not None:
                yield attempt

    def conclude(attempt: _Attempt, outcome: Callable[[], SendOutcome]) -> None:
        with isolated(session, sending_of(attempt.document)):
            _conclude(session, attempt, outcome)

    stedi = session.services.stedi
    calls = session.config.stedi.parallel_calls
    in_parallel(session, begun(), lambda attempt: _call(stedi, attempt), conclude, calls=calls)


def send(session: Session, document: Document) -> None:
    """One attempt: commit the intent, call, commit the outcome. No transaction is open during the call.

    Raise ServiceRefused or ServiceUnavailable if Stedi cannot have processed it; the next run then sends it.
    """
    attempt = _begin(session, document)
    _conclude(session, attempt, lambda: _call(session.services.stedi, attempt))


def _begin(session: Session, document: Document) -> _Attempt:
    store = session.store
    body = store.documents.body(document.id)
    began = _began(session)
    # Committed before the call: after a crash the attempt is known, and is repeated or looked up.
    with store.transaction():
        number = store.documents.begin_attempt(document, began)
        session.note(
            "attempt-begun",
            of_document(document.id),
            order_id=document.order_id,
            attempt=number,
            sha256=hashlib.sha256(body).hexdigest(),
        )
    return _Attempt(document, number, body)


def _conclude(session: Session, attempt: _Attempt, outcome: Callable[[], SendOutcome]) -> None:
    """Commit the outcome. Raise ServiceRefused or ServiceUnavailable if Stedi cannot have processed it."""
    documents, document_id = session.store.documents, attempt.document.id
    try:
        found = outcome()
    except (ServiceRefused, ServiceUnavailable) as fault:
        ended_at = session.clock.now()
        with session.store.transaction():
            documents.end_attempt(document_id, attempt.number, ended_at, f"{NOT_PROCESSED}: {fault.message}")
            # Nothing reached Stedi, so the key's lifetime has not begun.
            documents.forget_first_attempt(document_id)
        raise
    with session.store.transaction():
        _record(session, attempt.document, attempt.number, found)


def _call(stedi: StediClient, attempt: _Attempt) -> SendOutcome:
    document = attempt.document
    if document.route == "create-outbound":
        return stedi.create_transaction(
            document.partnership, document.transaction_setting, attempt.body, document.idempotency_key
        )
    return stedi.generate_edi(document.partnership, attempt.body, document.idempotency_key)


def _began(session: Session) -> datetime:
    """Start time of an attempt, for the age of its key: a clock that is ahead must not make it look recent."""
    theirs = session.services.stedi.service_now()
    now = session.clock.now()
    return now if theirs is None else min(now, theirs)


def _record(session: Session, document: Document, number: int, outcome: SendOutcome) -> None:
    """Record the outcome of an attempt. `document`: as it was before the attempt."""
    documents = session.store.documents
    now = session.clock.now()
    documents.end_attempt(document.id, number, now, _outcome_text(outcome))
    session.note(
        "attempt-ended",
        of_document(document.id),
        order_id=document.order_id,
        attempt=number,
        outcome=_outcome_text(outcome),
    )
    match outcome:
        case Accepted():
            accept(session, document, outcome)
        case Refused() if documents.open_attempts(document.id):
            # An earlier attempt may have succeeded: a rejection now does not prove that it did not.
            documents.set_next_attempt(document.id, now, _outcome_text(outcome))
        case Refused():
            _refuse(session, document, outcome)
        case SlotTaken():
            reason = Reason(
                code="slot-taken",
                where="order",
                message=f"Stedi holds different content under the key of this document: {outcome.message}",
                fix="The state file may be old, or a setting changed between two attempts. Compare with"
                " `plexstedi review show ID`; `plexstedi recover` rebuilds the state from Stedi.",
            )
            documents.move(document.id, DocumentState.CONFLICT, outcome.message)
            session.open_review_of_document(ReviewKind.DOCUMENT_CONFLICT, document, reason)
            session.run.counts.documents_held += 1
        case InFlight():
            wait = timedelta(seconds=outcome.retry_after or 60)
            documents.set_next_attempt(document.id, now + wait, "Stedi is still working on it (409)")
        case Unknown():
            documents.set_next_attempt(document.id, now, outcome.reason)
            documents.forget_first_attempt(document.id)
    session.store.cursors.latest_time(now, session.services.stedi.service_now())


def _outcome_text(outcome: SendOutcome) -> str:
    match outcome:
        case Accepted(replayed=replayed):
            return "accepted (response to an earlier attempt)" if replayed else "accepted"
        case Refused(status=status, message=message):
            return f"{REFUSED} with {status}: {message}"
        case SlotTaken():
            return f"{REFUSED} with 422: the key was used with different content"
        case InFlight():
            return f"{IN_FLIGHT} (409)"
        case Unknown(reason=reason, maybe_processed=maybe):
            return f"{NOT_HEARD if maybe else NOT_PROCESSED}: {reason}"


def accept(session: Session, document: Document, outcome: Accepted) -> None:
    """Stedi accepted the document; inside the caller's transaction."""
    session.store.documents.accept(
        document.id,
        session.clock.now(),
        file_execution_id=outcome.file_execution_id,
        interchange_control=outcome.interchange_control,
        group_control=outcome.group_control,
        x12=outcome.edi,
    )
    session.run.counts.documents_sent += 1
    for kind in (ReviewKind.DOCUMENT_IN_DOUBT, ReviewKind.DOCUMENT_REFUSED):
        session.withdraw_review(kind, of_document(document.id), "Stedi has it", order_id=document.order_id)
    if session.store.reviews.may_be_open(ReviewKind.DOCUMENT_REFUSED):
        for earlier in session.store.documents.of_stream(document.stream):
            if earlier.state is DocumentState.REFUSED:
                session.withdraw_review(
                    ReviewKind.DOCUMENT_REFUSED,
                    of_document(earlier.id),
                    "a later document of the order was accepted",
                    order_id=document.order_id,
                )
    session.note(
        "document-accepted",
        of_document(document.id),
        order_id=document.order_id,
        file_execution_id=outcome.file_execution_id,
        interchange_control=outcome.interchange_control,
        group_control=outcome.group_control,
    )


def _refuse(session: Session, document: Document, outcome: Refused) -> None:
    errors = "; ".join((outcome.message, *outcome.errors))
    table = partner_table(document.kind, document.supplier)
    fix = (
        f"Correct partnership_id and transaction_setting_id in [{table}]; the document is then sent automatically. If"
        " they are right, add what is missing at Stedi, then `plexstedi review accept ID --reason TEXT`."
        if outcome.status == 404
        else f"Correct it in Plex, or the settings in [{table}]; a changed document is sent"
        " automatically, the same one is sent again by `plexstedi review accept ID --reason TEXT`."
    )
    reason = Reason(code="refused", where="order", message=f"Stedi refused it ({outcome.status}): {errors}", fix=fix)
    session.store.documents.move(document.id, DocumentState.REFUSED, errors)
    session.open_review_of_document(ReviewKind.DOCUMENT_REFUSED, document, reason)
    session.run.counts.documents_rejected += 1
