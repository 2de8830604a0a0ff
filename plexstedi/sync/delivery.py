"""What became of documents that were sent: unheard ones are settled, accepted ones followed until delivered.

200 is not delivery: delivery is read from executions only (stedi.md 3.1). An attempt without an answer is repeated
with the same bytes under the same key while Stedi remembers the key; later it is looked up, never guessed.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from plexstedi.edi.held import Reason
from plexstedi.state.documents import Document, DocumentState
from plexstedi.state.reviews import ReviewKind
from plexstedi.stedi.models import (
    OUTBOUND,
    Delivered,
    DeliveryFailed,
    DeliveryPending,
    Execution,
    RetriedAs,
    delivery_of,
)
from plexstedi.stedi.outcome import Accepted, InFlight, Refused, SendOutcome, SlotTaken, Unknown
from plexstedi.sync.session import Session

KEY_LIFE = timedelta(hours=23)
"""Stedi forgets a key after 24 hours; after 23 the same request might be carried out a second time."""
_LOOK_AROUND = timedelta(hours=1)


def send(session: Session, document: Document) -> None:
    """One attempt: intent committed, call, outcome committed. No transaction is open across the call.

    Raise ServiceRefused or ServiceUnavailable where nothing can have been processed; the document then waits.
    """
    store = session.store
    body = store.documents.body(document.id)
    with store.transaction():
        number = store.documents.begin_attempt(document, session.clock.now())
        session.note("attempt-begun", f"document {document.id}", order_id=document.order_id, attempt=number)
    if document.route == "create-outbound":
        outcome = session.stedi.create_transaction(
            document.partnership, document.transaction_setting, body, document.idempotency_key
        )
    else:
        outcome = session.stedi.generate_edi(document.partnership, body, document.idempotency_key)
    with store.transaction():
        _record(session, store.documents.get(document.id), number, outcome)


def _record(session: Session, document: Document, number: int, outcome: SendOutcome) -> None:
    documents = session.store.documents
    now = session.clock.now()
    documents.end_attempt(document.id, number, now, _words(outcome))
    session.note(
        "attempt-ended", f"document {document.id}", order_id=document.order_id, attempt=number, outcome=_words(outcome)
    )
    match outcome:
        case Accepted():
            session.store.memory.latest_time(now, outcome.date)
            accept(session, document, outcome)
        case Refused():
            _refuse(session, document, outcome)
        case SlotTaken():
            reason = Reason(
                code="slot-taken",
                where="order",
                message=f"Stedi holds another content under the key of this document: {outcome.message}",
                fix="The state file may be old, or a setting changed between two attempts. Compare with"
                " `plexstedi review show`; `plexstedi recover` rebuilds the state from Stedi.",
            )
            documents.move(document.id, DocumentState.CONFLICT, outcome.message)
            _ask(session, ReviewKind.DOCUMENT_CONFLICT, document, reason)
            session.tally.counts.documents_held += 1
        case InFlight():
            wait = timedelta(seconds=outcome.retry_after or 60)
            documents.set_next_attempt(document.id, now + wait, "Stedi is still working on it (409)")
        case Unknown():
            documents.set_next_attempt(document.id, now, outcome.reason)
    session.store.memory.latest_time(now)


def _words(outcome: SendOutcome) -> str:
    match outcome:
        case Accepted(replayed=replayed):
            return "accepted (answer to an earlier attempt)" if replayed else "accepted"
        case Refused(status=status, message=message):
            return f"refused with {status}: {message}"
        case SlotTaken():
            return "refused with 422: the key was used with another content"
        case InFlight():
            return "still in flight (409)"
        case Unknown(reason=reason):
            return f"not heard: {reason}"


def accept(session: Session, document: Document, outcome: Accepted) -> None:
    """Stedi has the document; inside the caller's transaction."""
    session.store.documents.accept(
        document.id,
        session.clock.now(),
        file_execution_id=outcome.file_execution_id,
        interchange_control=outcome.interchange_control,
        group_control=outcome.group_control,
        x12=outcome.edi,
    )
    session.tally.counts.documents_sent += 1
    session.withdraw(
        ReviewKind.DOCUMENT_IN_DOUBT, f"document {document.id}", "Stedi has it", order_id=document.order_id
    )
    for earlier in session.store.documents.of_stream(document.stream):
        if earlier.state is DocumentState.REFUSED:
            session.withdraw(
                ReviewKind.DOCUMENT_REFUSED,
                f"document {earlier.id}",
                "a later document of the order was taken",
                order_id=document.order_id,
            )
    session.note(
        "document-accepted",
        f"document {document.id}",
        order_id=document.order_id,
        file_execution_id=outcome.file_execution_id,
        interchange_control=outcome.interchange_control,
        group_control=outcome.group_control,
    )


def _refuse(session: Session, document: Document, outcome: Refused) -> None:
    said = "; ".join((outcome.message, *outcome.errors))
    table = f"{'customers' if document.kind == '810' else 'suppliers'}.{document.supplier}"
    fix = (
        f"Check partnership_id and transaction_setting_id in [{table}]."
        if outcome.status == 404
        else f"Correct it in Plex, or the settings in [{table}]; a changed document is sent"
        " by itself, the same one again by `plexstedi review accept`."
    )
    reason = Reason(code="refused", where="order", message=f"Stedi refused it ({outcome.status}): {said}", fix=fix)
    session.store.documents.move(document.id, DocumentState.REFUSED, said)
    _ask(session, ReviewKind.DOCUMENT_REFUSED, document, reason)
    session.tally.counts.documents_rejected += 1


def _ask(session: Session, kind: ReviewKind, document: Document, reason: Reason) -> None:
    session.ask(
        kind,
        f"document {document.id}",
        (reason,),
        supplier=document.supplier,
        order_id=document.order_id,
        order_number=document.order_number,
    )


def settle_unheard(session: Session) -> int:
    """Settle every document whose attempt was not heard; how many are still open afterwards."""
    for document in session.store.documents.in_state(DocumentState.SENDING):
        session.checkpoint()
        _settle(session, document)
    return session.store.documents.count(DocumentState.SENDING)


def _settle(session: Session, document: Document) -> None:
    now = session.clock.now()
    if document.next_attempt_at is not None and document.next_attempt_at > now:
        return
    latest = session.store.memory.latest_time(now)
    first = document.first_attempt_at or document.frozen_at
    if latest - first < KEY_LIFE:
        send(session, document)
        return
    found = look_up(session, document, first, latest)
    if found is not None:
        with session.store.transaction():
            accept(session, document, _as_accepted(found))
        return
    if document.retry or _can_find_others(session, document):
        send(session, document)
        return
    reason = Reason(
        code="in-doubt",
        where="order",
        message="whether Stedi has this document cannot be told: its key has expired and no other file of ours"
        " could be found there to prove the search right",
        fix="Look for the file in the Stedi portal. If it is not there, `plexstedi review accept` sends it;"
        " if it is, `plexstedi recover` takes it over.",
    )
    with session.store.transaction():
        session.store.documents.move(document.id, DocumentState.IN_DOUBT, reason.message)
        _ask(session, ReviewKind.DOCUMENT_IN_DOUBT, document, reason)


def look_up(session: Session, document: Document, since: datetime, until: datetime) -> Execution | None:
    """The execution that carried this exact file name, if Stedi lists it."""
    pages = session.stedi.executions(
        partnership_id=document.partnership, direction=OUTBOUND, begin=since - _LOOK_AROUND, end=until + _LOOK_AROUND
    )
    for page in pages:
        for execution in page.items:
            if execution.file_name == document.file_name:
                return execution
    return None


def _can_find_others(session: Session, document: Document) -> bool:
    """The positive control: a file that we know to be there is found by the same kind of search."""
    known = [
        other
        for other in session.store.documents.in_state(DocumentState.DELIVERED, DocumentState.ACCEPTED)
        if other.accepted_at is not None and other.id != document.id
    ]
    for other in sorted(known, key=lambda d: (d.partnership != document.partnership, -d.id))[:2]:
        assert other.accepted_at is not None
        if look_up(session, other, other.first_attempt_at or other.accepted_at, other.accepted_at) is not None:
            return True
    return False


def _as_accepted(execution: Execution) -> Accepted:
    return Accepted(
        file_execution_id=execution.id,
        interchange_control=None,
        group_control=None,
        edi=None,
        replayed=True,
        date=execution.created_at,
    )


def confirm_deliveries(session: Session) -> None:
    """Ask Stedi about every accepted or failed document that is not yet known to be delivered."""
    open_documents = session.store.documents.in_state(DocumentState.ACCEPTED, DocumentState.FAILED)
    for done, document in enumerate(open_documents, 1):
        session.checkpoint()
        _confirm(session, document)
        session.progress("confirming deliveries", done, len(open_documents))


def _confirm(session: Session, document: Document) -> None:
    if document.file_execution_id is None:
        return
    if document.group_control is None:
        _read_controls(session, document)
    execution = session.stedi.execution(document.file_execution_id)
    if execution is None:
        session.tally.warn(
            f"order {document.order_number}: Stedi does not know execution {document.file_execution_id} yet"
        )
        return
    state = delivery_of(execution)
    store = session.store
    with store.transaction():
        match state:
            case Delivered():
                store.documents.deliver(document.id, session.clock.now())
                session.tally.counts.documents_delivered += 1
                session.withdraw(ReviewKind.DELIVERY_FAILED, f"document {document.id}", "delivered after all")
                session.note("document-delivered", f"document {document.id}", order_id=document.order_id)
            case RetriedAs(execution_id=child):
                store.documents.set_next_attempt(document.id, None, None)
                if document.state is DocumentState.FAILED:
                    store.documents.await_delivery(document.id, child)
                else:
                    store.documents.follow(document.id, child)
                session.note("delivery-retried", f"document {document.id}", order_id=document.order_id, execution=child)
            case DeliveryFailed():
                if document.state is not DocumentState.FAILED:
                    _fail(session, document, state)
            case DeliveryPending():
                pass


def _fail(session: Session, document: Document, failure: DeliveryFailed) -> None:
    session.store.documents.fail(document.id, failure.message)
    session.tally.counts.documents_failed += 1
    reason = Reason(
        code="delivery-failed",
        where="order",
        message=f"Stedi could not deliver it to {document.supplier}: {failure.message}",
        fix="Mend the connection in the Stedi portal and retry the file there; it is then followed by itself."
        " `plexstedi replay` sends a new one instead.",
    )
    _ask(session, ReviewKind.DELIVERY_FAILED, document, reason)
    session.note("delivery-failed", f"document {document.id}", order_id=document.order_id, message=failure.message)


def _read_controls(session: Session, document: Document) -> None:
    """create-outbound and found-again files: the control numbers are in the execution's transactions."""
    assert document.file_execution_id is not None
    for transaction in session.stedi.execution_transactions(document.file_execution_id):
        session.store.documents.set_controls(
            document.id, transaction.interchange_control, transaction.group_control, transaction.set_control
        )
