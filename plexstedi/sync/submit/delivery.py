"""Confirm the delivery of accepted documents.

HTTP 200 is not delivery: delivery is read from executions only (stedi/README.md 3.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from msgspec import Struct

from plexstedi.edi.reasons import Reason
from plexstedi.errors import ServiceUnavailable
from plexstedi.state.document import Document
from plexstedi.state.document_states import DocumentState
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import of_document
from plexstedi.stedi.client import StediClient
from plexstedi.stedi.models import (
    COMPLETED,
    Delivered,
    DeliveryFailed,
    DeliveryPending,
    DeliveryState,
    Execution,
    RetriedAs,
    StediTransaction,
    delivery_of,
)
from plexstedi.sync.isolation import Record, Turns, isolated
from plexstedi.sync.parallel import in_parallel
from plexstedi.sync.replay_advice import replay_of
from plexstedi.sync.session import Session
from plexstedi.sync.submit.send import record_of

_LISTED_WITHIN = timedelta(minutes=30)
"""Stedi attempts a delivery three times, six minutes apart; the feed lists the file after the last attempt."""


def confirm_deliveries(session: Session, turns: Turns) -> ServiceUnavailable | None:
    """Confirm earlier documents. If Stedi cannot report deliveries, return the fault.

    Raise ServiceUnavailable if the time is over.
    """
    try:
        _confirm_each(session, turns)
    except ServiceUnavailable as fault:
        if fault.code == "time-limit":
            raise
        return fault
    return None


def _confirm_each(session: Session, turns: Turns) -> None:
    """Determine whether each accepted or failed document was delivered: from the execution feed, else by a call.

    The feed has just been read: a file listed as completed was delivered, a recent one that is not listed is still in
    progress, and any other needs a call. A missing response for one document does not stop the others; `turns` reports
    it.
    """
    accepted = session.store.documents.in_state(DocumentState.ACCEPTED, DocumentState.FAILED)
    open_documents = sorted(accepted, key=lambda document: turns.failed_earlier(_confirming(document)))
    stedi = session.services.stedi

    def not_in_feed() -> Iterator[_Query]:
        for done, document in enumerate(open_documents, 1):
            session.checkpoint()
            query = None
            with isolated(session, _confirming(document), is_last_step=False):
                query = _confirm_by_feed(session, turns, document)
            if query is not None:
                yield query
            session.progress("confirming deliveries", done, len(open_documents))

    def conclude(query: _Query, found: Callable[[], _AtStedi]) -> None:
        with turns.turn(_confirming(query.document)):
            _record(session, query, found())

    in_parallel(
        session,
        not_in_feed(),
        lambda query: _ask_stedi(stedi, query),
        conclude,
        calls=session.config.stedi.parallel_calls,
    )


def _confirming(document: Document) -> Record:
    return record_of("confirm the delivery of", document)


class _Query(Struct, frozen=True):
    """A document whose delivery or control numbers need a call."""

    document: Document
    execution_id: str
    is_delivered: bool
    """The feed lists its file as completed: only the control numbers are missing."""


class _AtStedi(Struct, frozen=True):
    """What Stedi has of its file."""

    execution: Execution | None
    transactions: tuple[StediTransaction, ...]


def _confirm_by_feed(session: Session, turns: Turns, document: Document) -> _Query | None:
    """Record the delivery that the feed lists; if a call is needed, return it instead."""
    if document.file_execution_id is None:
        return None
    listed = session.store.executions.get(document.file_execution_id)
    if listed is None and _may_be_in_progress(session, document):
        return None
    query = _Query(document, document.file_execution_id, listed is not None and listed.status == COMPLETED)
    if not query.is_delivered or document.group_control is None:
        return query
    # As a response for this document: whatever kept Stedi from responding for it earlier is over.
    with turns.turn(_confirming(document)), session.store.transaction():
        _record_delivery(session, document)
    return None


def _ask_stedi(stedi: StediClient, query: _Query) -> _AtStedi:
    # The control numbers are needed to match 997 and TA1 to this document. create-outbound does not return them.
    needs_controls = query.document.group_control is None
    transactions = stedi.execution_transactions(query.execution_id) if needs_controls else ()
    return _AtStedi(None if query.is_delivered else stedi.execution(query.execution_id), transactions)


def _record(session: Session, query: _Query, found: _AtStedi) -> None:
    document, store = query.document, session.store
    with store.transaction():
        for transaction in found.transactions:
            store.documents.set_controls(
                document.id, transaction.interchange_control, transaction.group_control, transaction.set_control
            )
        if query.is_delivered:
            _record_delivery(session, document)
        elif found.execution is None:
            session.run.warn(f"order {document.order_number}: Stedi does not know execution {query.execution_id} yet")
        else:
            _record_state(session, document, delivery_of(found.execution))


def _record_state(session: Session, document: Document, state: DeliveryState) -> None:
    store = session.store
    match state:
        case Delivered():
            _record_delivery(session, document)
        case RetriedAs(execution_id=child):
            store.documents.set_next_attempt(document.id, None, None)
            # Retried in the Stedi portal: its delivery is open again.
            if document.state is DocumentState.FAILED:
                store.documents.await_delivery(document.id, child)
            else:
                store.documents.follow(document.id, child)
            session.note("delivery-retried", of_document(document.id), order_id=document.order_id, execution=child)
        case DeliveryFailed():
            if document.state is not DocumentState.FAILED:
                _fail(session, document, state)
        case DeliveryPending():
            pass


def _may_be_in_progress(session: Session, document: Document) -> bool:
    """Whether it is too early for the feed to list this file."""
    # Not `accepted_at`: a file whose send had no response may have been delivered long before it was found.
    sent_at = document.first_attempt_at or document.accepted_at
    return (
        document.state is DocumentState.ACCEPTED
        and sent_at is not None
        and session.clock.now() - sent_at < _LISTED_WITHIN
    )


def _record_delivery(session: Session, document: Document) -> None:
    session.store.documents.deliver(document.id, session.clock.now())
    session.run.counts.documents_delivered += 1
    session.withdraw_review(ReviewKind.DELIVERY_FAILED, of_document(document.id), "delivered on a later attempt")
    session.note("document-delivered", of_document(document.id), order_id=document.order_id)


def _fail(session: Session, document: Document, failure: DeliveryFailed) -> None:
    session.store.documents.fail(document.id, failure.message)
    session.run.counts.documents_failed += 1
    reason = Reason(
        code="delivery-failed",
        where="order",
        message=f"Stedi could not deliver it to {document.supplier}: {failure.message}",
        fix="Correct the connection in the Stedi portal and retry the file there; its delivery is then tracked."
        f" {replay_of(document)} sends a new one instead; then do not retry the old file.",
    )
    session.open_review_of_document(ReviewKind.DELIVERY_FAILED, document, reason)
    session.note("delivery-failed", of_document(document.id), order_id=document.order_id, message=failure.message)
