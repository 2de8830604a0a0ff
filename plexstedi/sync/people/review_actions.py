"""Meaning of accept and reject for each kind of review item: one table, for `review show` and for execution."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias

from msgspec import Struct

from plexstedi.advice import order_command
from plexstedi.edi.stream import streams
from plexstedi.errors import UsageFault
from plexstedi.state.document import Document
from plexstedi.state.document_states import DocumentState
from plexstedi.state.invoices import invoice_of_stream
from plexstedi.state.orders import OrderRecord
from plexstedi.state.reviews import Review, ReviewKind
from plexstedi.state.subject import of_document, of_invoice, of_order
from plexstedi.state.writes import WriteState
from plexstedi.sync.isolation import try_again
from plexstedi.sync.partners import configured_partner
from plexstedi.sync.people.acknowledgment_decisions import (
    decide_lines,
    decide_whole,
    ignore_transaction,
    transaction_of,
)
from plexstedi.sync.session import Session
from plexstedi.sync.submit.in_doubt import found_at_stedi
from plexstedi.sync.submit.send import accept

Act: TypeAlias = Callable[[Session, Review, Collection[int]], None]
"""Executes a choice, for some lines or (if empty) all, in the caller's transaction. Raise UsageFault."""


class Choice(Struct, frozen=True):
    """Accept or reject for one kind of item. `act` None: not possible, for the reason in `words`."""

    words: str
    act: Act | None


class Choices(Struct, frozen=True):
    """Both choices for one kind of item."""

    accept: Choice
    reject: Choice


def _note_only(session: Session, review: Review, lines: Collection[int]) -> None:
    """Only close the item."""


def _try_again(session: Session, review: Review, lines: Collection[int]) -> None:
    try_again(session, review.subject.text, review.order_number or "")


def _record(session: Session, review: Review) -> OrderRecord:
    record = session.store.orders.get(review.order_id or "")
    if record is None:
        raise UsageFault(f"review {review.id} is about no order of this state file", fix="Report this.")
    return record


def _document(session: Session, review: Review) -> Document:
    if review.subject.document is None:
        raise ValueError(f"review {review.id} is about {review.subject}")
    return session.store.documents.get(review.subject.document)


def _informed_outside_edi(session: Session, review: Review, lines: Collection[int]) -> None:
    if review.order_id is None:
        # After `recover`: files at Stedi for an order that is not in Plex. No document can become due for it.
        return
    if invoice_of_stream(review.order_id) is not None:
        _invoice_informed(session, review, lines)
        return
    record = _record(session, review)
    names = {review.subject.text}
    if review.subject.text == record.id and record.supplier in session.config.suppliers:
        order = session.store.orders.revision(record.id, record.latest)
        names = {key.name for key in streams(order, configured_partner(session, record.supplier))}
    for name in names:
        session.store.orders.set_known_revision(name, record.latest)
    session.note("taken-as-told", of_order(record.number), order_id=record.id, revision=record.latest)


def _invoice_informed(session: Session, review: Review, lines: Collection[int]) -> None:
    record = session.store.invoices.get(invoice_of_stream(review.order_id) or "")
    if record is None:
        # After `recover`: files at Stedi for an invoice that is not in Plex.
        return
    session.store.orders.set_known_revision(record.stream, record.latest)
    session.note("taken-as-told", of_invoice(record.number), order_id=record.stream, revision=record.latest)


def _allow_known(session: Session, review: Review, lines: Collection[int]) -> None:
    invoice_id = invoice_of_stream(review.order_id)
    if invoice_id is not None:
        session.store.invoices.allow(invoice_id)
        return
    record = _record(session, review)
    session.store.orders.allow(record.id, record.latest)


def _allow_retry(session: Session, review: Review, lines: Collection[int]) -> None:
    session.store.documents.allow_retry(_document(session, review).id)


def _informed_of_document(session: Session, review: Review, lines: Collection[int]) -> None:
    document = _document(session, review)
    session.store.orders.set_known_revision(document.stream, document.revision)
    session.note(
        "taken-as-told", of_order(document.order_number), order_id=document.order_id, revision=document.revision
    )


def _take_execution(session: Session, review: Review, lines: Collection[int]) -> None:
    document = _document(session, review)
    execution = session.store.executions.by_file_name(document.file_name)
    if execution is None:
        raise UsageFault(
            f"Stedi's execution feed has shown no file {document.file_name}: Stedi does not hold this document",
            fix="Run `plexstedi recover`: it reads what Stedi actually sent and rebuilds the state from it.",
        )
    accept(session, document, found_at_stedi(execution.execution_id, execution.created_at))


def _send_again(session: Session, review: Review, lines: Collection[int]) -> None:
    document = _document(session, review)
    session.store.documents.move(document.id, DocumentState.SENDING, "a user requested it again")
    session.store.documents.allow_retry(document.id)


def _withdraw(session: Session, review: Review, lines: Collection[int]) -> None:
    document = _document(session, review)
    session.store.documents.move(document.id, DocumentState.WITHDRAWN, "abandoned by a user")
    invoice_id = invoice_of_stream(document.order_id)
    if invoice_id is None:
        session.store.orders.set_up_to_date(document.order_id, 0)
    else:
        session.store.invoices.set_up_to_date(invoice_id, 0)
    session.note("document-withdrawn", of_document(document.id), order_id=document.order_id)


def _withdraw_informed(session: Session, review: Review, lines: Collection[int]) -> None:
    _withdraw(session, review, lines)
    _informed_of_document(session, review, lines)


def _unblock(session: Session, review: Review, lines: Collection[int]) -> None:
    session.store.documents.unblock(_document(session, review).id)


def _withdraw_unread(session: Session, review: Review, lines: Collection[int]) -> None:
    document = _document(session, review)
    if document.state is not DocumentState.DELIVERED:
        raise UsageFault(
            f"the {document.kind} of order {document.order_number} is not confirmed as delivered yet",
            fix="Run `plexstedi submit` first, which checks it with Stedi.",
        )
    _withdraw(session, review, lines)
    session.store.documents.unblock(document.id)
    # Later changes of an order that the supplier could not read are abandoned too: the whole order is sent again.
    for later in session.store.documents.of_stream(document.stream):
        if later.id > document.id and later.state is DocumentState.DELIVERED:
            session.store.documents.move(later.id, DocumentState.WITHDRAWN, "the previous document was abandoned")
            session.note("document-withdrawn", of_document(later.id), order_id=later.order_id)


def _in_sync(session: Session, review: Review, lines: Collection[int]) -> None:
    last = session.store.documents.last_sent_document(review.subject.text)
    if last is None:
        raise UsageFault(f"order {review.order_number} has no document", fix=_status_command(review))
    session.store.documents.unblock(last.id)


def _status_command(review: Review) -> str:
    return f"Look with {order_command('status', review.order_number or 'NUMBER')}."


def _ignore(session: Session, review: Review, lines: Collection[int]) -> None:
    ignore_transaction(session, transaction_of(review), "ignored by a user")


def _write_again(session: Session, review: Review, lines: Collection[int]) -> None:
    session.store.writes.plan_again(_failed_write(session, review))


def _leave_plex(session: Session, review: Review, lines: Collection[int]) -> None:
    session.store.writes.abandon(_failed_write(session, review))


def _failed_write(session: Session, review: Review) -> int:
    failed = [w for w in session.store.writes.of_order(review.order_id or "") if w.state is WriteState.FAILED]
    if not failed:
        raise UsageFault(f"order {review.order_number} has no failed write any longer", fix=_status_command(review))
    return failed[-1].id


def _accept_whole(session: Session, review: Review, lines: Collection[int]) -> None:
    decide_whole(session, transaction_of(review), lines, accept=True)


def _reject_whole(session: Session, review: Review, lines: Collection[int]) -> None:
    decide_whole(session, transaction_of(review), lines, accept=False)


def _accept_line(session: Session, review: Review, lines: Collection[int]) -> None:
    decide_lines(session, transaction_of(review), {review.line or 0}, accept=True)


def _reject_line(session: Session, review: Review, lines: Collection[int]) -> None:
    decide_lines(session, transaction_of(review), {review.line or 0}, accept=False)


def _only_noted(what: str) -> Choices:
    return Choices(
        Choice(f"Close the item: {what}", _note_only),
        Choice("There is nothing to reject; `plexstedi review accept ID --reason TEXT` closes the item.", None),
    )


CHOICES: Mapping[ReviewKind, Choices] = {
    ReviewKind.ORDER_HELD: Choices(
        Choice(
            "The supplier was informed outside EDI: this revision is not sent. Only later changes are sent.",
            _informed_outside_edi,
        ),
        Choice(
            "Holds cannot be rejected. Fix the order in Plex or the named setting; the order is then sent "
            "automatically.",
            None,
        ),
    ),
    ReviewKind.ORDER_UNREADABLE: _only_noted("a new item opens if the order is read and still cannot be understood."),
    ReviewKind.KNOWN_ORDER_CHANGED: Choices(
        Choice("The next submit sends what is due for this order.", _allow_known),
        Choice(
            "The supplier has this revision outside EDI: it is not sent. Only later changes are sent.",
            _informed_outside_edi,
        ),
    ),
    ReviewKind.INVOICE_HELD: Choices(
        Choice(
            "The customer has this revision of the invoice outside EDI: it is not sent. A later change opens a new "
            "review item.",
            _invoice_informed,
        ),
        Choice(
            "Holds cannot be rejected. Fix the invoice in Plex or the named setting; an invoice that was not sent "
            "yet is then sent automatically.",
            None,
        ),
    ),
    ReviewKind.INVOICE_UNREADABLE: _only_noted(
        "a new item opens if the invoice changes and still cannot be understood."
    ),
    ReviewKind.DOCUMENT_REFUSED: Choices(
        Choice("The next submit sends the order again, as a new document under a new key.", _allow_retry),
        Choice(
            "The supplier was informed outside EDI: this revision is not sent. Only later changes are sent.",
            _informed_of_document,
        ),
    ),
    ReviewKind.DOCUMENT_CONFLICT: Choices(
        Choice(
            "Stedi has exactly this document: it is tracked until delivery. Only possible if Stedi's execution feed "
            "has listed a file with its name; otherwise `plexstedi recover`.",
            _take_execution,
        ),
        Choice(
            "Abandon this document; the next submit sends the order as it is now, under a new key. THIS MAY ORDER"
            " TWICE: Stedi holds another document of this order under the old key, and may have delivered it.",
            _withdraw,
        ),
    ),
    ReviewKind.DOCUMENT_IN_DOUBT: Choices(
        Choice(
            "The file is not at Stedi: the next submit checks once more and sends the same bytes if it is not "
            "found. If Stedi has it after all, the supplier receives it twice.",
            _send_again,
        ),
        Choice(
            "Abandon this document and record that the supplier was informed outside EDI: this revision is not "
            "sent. If the file is at Stedi, wait instead: the next run that finds it there marks it as sent, and "
            "only then are its acknowledgments matched.",
            _withdraw_informed,
        ),
    ),
    ReviewKind.DELIVERY_FAILED: Choices(
        Choice(
            "Keep waiting: when the file is retried at Stedi, its delivery is tracked. The order's next document "
            "waits.",
            _note_only,
        ),
        Choice(
            "Abandon this document; the next submit sends the order as it is now, as a new document. Then do not "
            "retry the old file at Stedi, or the supplier receives both.",
            _withdraw,
        ),
    ),
    ReviewKind.SYNTAX_REJECTED: Choices(
        Choice("The supplier received it outside EDI: the order continues from this revision.", _unblock),
        Choice(
            "Abandon this document; the next submit sends the order again with today's settings, as a new document."
            " Correct the errors named in the 997 first.",
            _withdraw_unread,
        ),
    ),
    ReviewKind.SYNTAX_ERRORS: _only_noted("the supplier's system accepted the document."),
    ReviewKind.ACKNOWLEDGMENT_HELD: Choices(
        Choice(
            "Accept the acknowledgment as stated, for all its lines or those of --line. The next run writes it to "
            "Plex. Lines that state nothing definite stay held.",
            _accept_whole,
        ),
        Choice(
            "Reject the acknowledgment, as a whole or for the lines of --line. The previous state is kept.",
            _reject_whole,
        ),
    ),
    ReviewKind.LINE_HELD: Choices(
        Choice("Accept this line as acknowledged. The next run writes it to Plex.", _accept_line),
        Choice("Reject the acknowledgment of this line. The previous state is kept.", _reject_line),
    ),
    ReviewKind.LINE_REJECTED: Choices(
        Choice("Accept the supplier's rejection. The next run writes it to Plex.", _accept_line),
        Choice("Ignore the supplier's rejection. The previous state is kept.", _reject_line),
    ),
    ReviewKind.LINE_BACKORDERED: _only_noted("confirmed values are already in Plex or are written by the next run."),
    ReviewKind.LINE_ATTENTION: _only_noted("confirmed values are already in Plex or are written by the next run."),
    ReviewKind.ORDER_UNKNOWN: Choices(
        Choice(
            "An acknowledgment of an unknown order cannot be accepted; it is applied automatically once the order "
            "is known.",
            None,
        ),
        Choice(
            "The acknowledgment is ignored from now on; `plexstedi replay --ack TRANSACTION --reason TEXT` "
            "processes it again.",
            _ignore,
        ),
    ),
    ReviewKind.WRITE_FAILED: Choices(
        Choice("The next run reads the current values from Plex and writes it again.", _write_again),
        Choice("Plex stays unchanged; the next acknowledgment of this order is written again.", _leave_plex),
    ),
    ReviewKind.WRITE_CONFLICT: Choices(
        Choice("Our acknowledgment is used: the next run replaces the one in Plex.", _write_again),
        Choice("The acknowledgment in Plex is kept until the next acknowledgment of this order.", _leave_plex),
    ),
    ReviewKind.WRITE_WITHHELD: _only_noted(
        "a new item opens with the order's next acknowledgment if it still does not fit."
    ),
    ReviewKind.ACKNOWLEDGMENT_NOT_APPLIED: _only_noted(
        "the current state is kept; if this acknowledgment is the right one, ask the supplier to send it again."
    ),
    ReviewKind.DOCUMENT_MISSING: _only_noted("it is fetched and processed as soon as Stedi provides it."),
    ReviewKind.FEED_ENTRY_UNREADABLE: _only_noted(
        "the entry is not read again; resolve its content outside PlexStedi."
    ),
    ReviewKind.INBOUND_FILE_FAILED: _only_noted("a file that is retried at Stedi is received automatically."),
    ReviewKind.RECOVERED_DIFFERS: Choices(
        Choice(
            "The supplier has the order as it was in Plex at the recovery: later changes are sent from there.", _in_sync
        ),
        Choice(
            "Rejecting sends nothing. `plexstedi review show ID` names the command that sends the order to replace"
            " what the supplier has; that closes this item. For an invoice, resolve it with the customer, then "
            "accept.",
            None,
        ),
    ),
    ReviewKind.OVERDUE: _only_noted(
        "no new item opens for this deadline; a late acknowledgment is processed like any other."
    ),
    ReviewKind.UNFORESEEN: Choices(
        accept=Choice("The next run tries the record again.", _try_again),
        reject=Choice(
            "It cannot be rejected: the record is tried again when it changes or a new version of PlexStedi is"
            " installed. `plexstedi review accept ID --reason TEXT` tries it again now.",
            None,
        ),
    ),
    ReviewKind.RECORD_UNREADABLE: Choices(
        accept=Choice("The next run reads the row again.", _try_again),
        reject=Choice("This row is not reported again.", _note_only),
    ),
    ReviewKind.UNANSWERED: _only_noted("each run requests it again; the item opens again if that fails for a day."),
    ReviewKind.NOTICE: _only_noted("it is marked as seen; nothing depends on it."),
}
