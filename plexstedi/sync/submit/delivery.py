"""What became of documents that were sent: unheard ones are settled, accepted ones followed until delivered.

200 is not delivery: delivery is read from executions only (stedi/README.md 3.1). An attempt without an answer is
repeated with the same bytes under the same key while Stedi remembers the key; later it is looked up, never guessed.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum

from plexstedi.edi.reasons import Reason
from plexstedi.errors import ServiceRefused, ServiceUnavailable
from plexstedi.state.document_states import DocumentState
from plexstedi.state.documents import IN_FLIGHT, NOT_HEARD, NOT_PROCESSED, REFUSED, Document
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
from plexstedi.sync.isolation import Record, Turns, is_held, isolated, let_go
from plexstedi.sync.replay_words import replay_of
from plexstedi.sync.session import Session

KEY_LIFE = timedelta(hours=23)
"""Stedi forgets a key after 24 hours; after 23 the same request might be carried out a second time."""
_LOOK_AROUND = timedelta(days=2)
_LISTED_AFTER = timedelta(minutes=15)
"""A file that Stedi has is listed by then; only after that its absence means something."""
_LONGEST_WAIT = timedelta(hours=1)
"""No 409 asks for more; a later time was noted by a clock that was wrong."""


def _record_of(step: str, document: Document) -> Record:
    word = "invoice" if document.kind == "810" else "order"
    return Record(
        step,
        f"document {document.id}",
        f"the {document.kind} of {word} {document.order_number}",
        supplier=document.supplier,
        order_id=document.order_id,
        order_number=document.order_number,
    )


def sending_of(document: Document) -> Record:
    """The sending of a document, as a record with a turn of its own."""
    return _record_of("send", document)


def send_one(session: Session, document: Document) -> None:
    """One attempt, as `send`; what nobody foresaw holds this document, and whether it was sent is resolved later."""
    record = sending_of(document)
    if not is_held(session, record):
        with isolated(session, record):
            send(session, document)


def send(session: Session, document: Document) -> None:
    """One attempt: intent committed, call, outcome committed. No transaction is open across the call.

    Raise ServiceRefused or ServiceUnavailable where nothing can have been processed; the document then waits.
    """
    store = session.store
    body = store.documents.body(document.id)
    with store.transaction():
        number = store.documents.begin_attempt(document, _began(session))
        session.note(
            "attempt-begun",
            f"document {document.id}",
            order_id=document.order_id,
            attempt=number,
            sha256=hashlib.sha256(body).hexdigest(),
        )
    try:
        outcome = _call(session, document, body)
    except (ServiceRefused, ServiceUnavailable) as fault:
        with store.transaction():
            store.documents.end_attempt(document.id, number, session.clock.now(), f"{NOT_PROCESSED}: {fault.message}")
            store.documents.forget_first_attempt(document.id)
        raise
    with store.transaction():
        _record(session, store.documents.get(document.id), number, outcome)


def _call(session: Session, document: Document, body: bytes) -> SendOutcome:
    if document.route == "create-outbound":
        return session.stedi.create_transaction(
            document.partnership, document.transaction_setting, body, document.idempotency_key
        )
    return session.stedi.generate_edi(document.partnership, body, document.idempotency_key)


def _began(session: Session) -> datetime:
    """When an attempt begins, for the age of its key: a clock of ours that is ahead must not make it look young."""
    theirs = session.stedi.service_now()
    now = session.clock.now()
    return now if theirs is None else min(now, theirs)


def _record(session: Session, document: Document, number: int, outcome: SendOutcome) -> None:
    documents = session.store.documents
    now = session.clock.now()
    documents.end_attempt(document.id, number, now, _words(outcome))
    session.note(
        "attempt-ended", f"document {document.id}", order_id=document.order_id, attempt=number, outcome=_words(outcome)
    )
    match outcome:
        case Accepted():
            accept(session, document, outcome)
        case Refused() if documents.unsettled_attempts(document.id):
            # An earlier attempt may have been carried out: what is refused now is no proof that it was not.
            documents.set_next_attempt(document.id, now, _words(outcome))
        case Refused():
            _refuse(session, document, outcome)
        case SlotTaken():
            reason = Reason(
                code="slot-taken",
                where="order",
                message=f"Stedi holds another content under the key of this document: {outcome.message}",
                fix="The state file may be old, or a setting changed between two attempts. Compare with"
                " `plexstedi review show ID`; `plexstedi recover` rebuilds the state from Stedi.",
            )
            documents.move(document.id, DocumentState.CONFLICT, outcome.message)
            session.ask_about(ReviewKind.DOCUMENT_CONFLICT, document, reason)
            session.tally.counts.documents_held += 1
        case InFlight():
            wait = timedelta(seconds=outcome.retry_after or 60)
            documents.set_next_attempt(document.id, now + wait, "Stedi is still working on it (409)")
        case Unknown():
            documents.set_next_attempt(document.id, now, outcome.reason)
            documents.forget_first_attempt(document.id)
    session.store.memory.latest_time(now, session.stedi.service_now())


def _words(outcome: SendOutcome) -> str:
    match outcome:
        case Accepted(replayed=replayed):
            return "accepted (answer to an earlier attempt)" if replayed else "accepted"
        case Refused(status=status, message=message):
            return f"{REFUSED} with {status}: {message}"
        case SlotTaken():
            return f"{REFUSED} with 422: the key was used with another content"
        case InFlight():
            return f"{IN_FLIGHT} (409)"
        case Unknown(reason=reason, maybe_processed=maybe):
            return f"{NOT_HEARD if maybe else NOT_PROCESSED}: {reason}"


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
    for kind in (ReviewKind.DOCUMENT_IN_DOUBT, ReviewKind.DOCUMENT_REFUSED):
        session.withdraw(kind, f"document {document.id}", "Stedi has it", order_id=document.order_id)
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
        f"Correct partnership_id and transaction_setting_id in [{table}]; the document is then sent automatically. If"
        " they are right, add what is missing at Stedi, then `plexstedi review accept ID --reason TEXT`."
        if outcome.status == 404
        else f"Correct it in Plex, or the settings in [{table}]; a changed document is sent"
        " automatically, the same one again by `plexstedi review accept ID --reason TEXT`."
    )
    reason = Reason(code="refused", where="order", message=f"Stedi refused it ({outcome.status}): {said}", fix=fix)
    session.store.documents.move(document.id, DocumentState.REFUSED, said)
    session.ask_about(ReviewKind.DOCUMENT_REFUSED, document, reason)
    session.tally.counts.documents_rejected += 1


def settle_unheard(session: Session) -> None:
    """Settle every document whose attempt was not heard, and those in doubt or refused that Stedi shows after all."""
    for document in session.store.documents.unheard():
        session.checkpoint()
        record = sending_of(document)
        if take_witness(session, document) or is_held(session, record):
            continue
        with isolated(session, record):
            if document.state is DocumentState.SENDING:
                _settle(session, document)
            elif document.state is DocumentState.IN_DOUBT:
                _look_again(session, document)


def take_witness(session: Session, document: Document) -> bool:
    """Whether Stedi's execution feed has shown a file of this very name: then it was carried out."""
    witness = session.store.witnesses.by_file_name(document.file_name)
    if witness is None:
        return False
    documents = session.store.documents
    record = _record_of("take over", document)
    if is_held(session, record):
        return True
    with isolated(session, record) as turn, session.store.transaction():
        if document.state is DocumentState.FROZEN:
            number = documents.begin_attempt(document, witness.created_at)
            documents.end_attempt(document.id, number, session.clock.now(), "found among Stedi's files")
        accept(session, document, _found(witness.execution_id, witness.created_at))
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
    latest = session.store.memory.latest_time(now, session.stedi.service_now())
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
            accept(session, document, _found(found.id, found.created_at))
    elif found is Absent.PROVEN or document.retry:
        with session.store.transaction():
            documents.disprove_attempts(document.id)
            session.note("found-absent", f"document {document.id}", order_id=document.order_id, search=found)
        send(session, documents.get(document.id))
    elif not young:
        _doubt(session, document)


def _doubt(session: Session, document: Document) -> None:
    reason = Reason(
        code="in-doubt",
        where="order",
        message="whether Stedi has this document cannot be told: its key has expired and no other file of ours"
        " could be found there to prove the search right",
        fix="Look for the file in the Stedi portal. If it is there, wait: the next run that sees it takes it over. If"
        " it is not, `plexstedi review accept ID --reason TEXT` sends it.",
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
                    accept(session, document, _found(execution.id, execution.created_at))
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
    known = [
        other
        for other in session.store.documents.in_state(DocumentState.DELIVERED, DocumentState.ACCEPTED)
        if other.accepted_at is not None and other.id != document.id
    ]
    return max(known, key=lambda other: (other.partnership == document.partnership, other.id), default=None)


def _found(execution_id: str, created_at: datetime) -> Accepted:
    """A document that was found at Stedi, as if it had answered."""
    return Accepted(
        file_execution_id=execution_id,
        interchange_control=None,
        group_control=None,
        edi=None,
        replayed=True,
        date=created_at,
    )


def confirm_deliveries(session: Session, turns: Turns) -> None:
    """Ask Stedi about every accepted or failed document that is not yet known to be delivered.

    One that Stedi does not answer for keeps no other from being asked about; it is told by `turns`.
    """
    accepted = session.store.documents.in_state(DocumentState.ACCEPTED, DocumentState.FAILED)
    open_documents = sorted(accepted, key=lambda document: turns.failed_before(_confirming(document)))
    for done, document in enumerate(open_documents, 1):
        session.checkpoint()
        with turns.turn(_confirming(document)):
            _confirm(session, document)
        session.progress("confirming deliveries", done, len(open_documents))


def _confirming(document: Document) -> Record:
    return _record_of("confirm the delivery of", document)


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
        fix="Correct the connection in the Stedi portal and retry the file there; its delivery is then followed."
        f" {replay_of(document)} sends a new one instead; do not retry the old file then.",
    )
    session.ask_about(ReviewKind.DELIVERY_FAILED, document, reason)
    session.note("delivery-failed", f"document {document.id}", order_id=document.order_id, message=failure.message)


def _read_controls(session: Session, document: Document) -> None:
    """create-outbound and found-again files: the control numbers are in the execution's transactions."""
    assert document.file_execution_id is not None
    for transaction in session.stedi.execution_transactions(document.file_execution_id):
        session.store.documents.set_controls(
            document.id, transaction.interchange_control, transaction.group_control, transaction.set_control
        )
