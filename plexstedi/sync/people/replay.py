"""`replay`: send the last document of an order or invoice again, or process a stored acknowledgment again.

A replay is decided by a user. The new document has the content of the same revision under the next counter, is linked
to the old one, and is never sent while the old one may still be on its way.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from plexstedi.advice import order_command
from plexstedi.edi.advice import partner_table
from plexstedi.edi.reasons import Reason
from plexstedi.errors import ServiceUnavailable, UsageFault
from plexstedi.state.document import Document, NewDocument
from plexstedi.state.document_states import DocumentState
from plexstedi.state.inbox import InboxState
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import of_document, of_stream, of_transaction
from plexstedi.sync.ingest.decide_received import process
from plexstedi.sync.ingest.fetch import fetch_one
from plexstedi.sync.people.replay_comparison import Comparison, compared
from plexstedi.sync.people.replay_content import invoice_again, order_again
from plexstedi.sync.session import Session
from plexstedi.sync.submit.executions import check_executions
from plexstedi.sync.submit.freeze import freeze
from plexstedi.sync.submit.lifecycle import Trade, moved
from plexstedi.sync.submit.order_numbers import OrderNumbers
from plexstedi.sync.submit.send import send
from plexstedi.sync.submit.trades import trades_of_kind

_WHY_NOT = {
    DocumentState.FROZEN: "is already queued",
    DocumentState.SENDING: "was sent, and Stedi did not respond: whether Stedi received it is not known yet",
    DocumentState.ACCEPTED: "is at Stedi and not delivered yet",
    DocumentState.CONFLICT: "conflicts with different content at Stedi: resolve that review item first",
    DocumentState.IN_DOUBT: "is in doubt: resolve that review item first",
}


class Replay(Struct, frozen=True):
    """A planned replay: the last document, and the one to be sent."""

    last: Document
    new: NewDocument
    warnings: tuple[str, ...]
    comparison: Comparison


def failed_since(session: Session, since: datetime) -> list[Document]:
    """Refused or undelivered documents first attempted at or after `since`, if they are the last of their stream."""
    found = []
    for document in session.store.documents.in_state(DocumentState.FAILED, DocumentState.REFUSED):
        begun = document.first_attempt_at or document.frozen_at
        if begun >= since and session.store.documents.of_stream(document.stream)[-1].id == document.id:
            found.append(document)
    return found


def plan(session: Session, last: Document, purpose: str | None = None) -> Replay:
    """Build the document to be sent. Raise UsageFault, with the reason, if it cannot be sent. Changes nothing."""
    trades = trades_of_kind(session, last.kind)
    word = trades.word
    if last.state in _WHY_NOT:
        raise UsageFault(
            f"the last {last.kind} of {word} {last.order_number} {_WHY_NOT[last.state]}",
            fix="Resolve its item in `plexstedi review list`."
            if last.state in (DocumentState.CONFLICT, DocumentState.IN_DOUBT)
            else f"Run {order_command('submit --order', last.order_number)}, then repeat it.",
        )
    trade = trades.get(last.order_id)
    if trade is None:
        raise ValueError(f"document {last.id} has no {word} {last.order_id}")
    if moved(trade, last):
        raise UsageFault(
            f"it was sent as {word} {last.order_number} to {last.supplier} and is now {word} {trade.number} of"
            f" {trade.partner} in Plex",
            fix=f"Cancel it with {last.supplier} and send a new order under another number."
            if word == "order"
            else f"Resolve it with {last.supplier}; a Plex credit memo is sent as a separate 810.",
            code=f"{word}-moved",
        )
    if trade.partner not in trades.partners:
        raise UsageFault(
            f"{trade.counterpart} {trade.partner} of {word} {trade.number} has no settings",
            fix=f"Add [{partner_table(last.kind, trade.partner)}].",
        )
    if reasons := trades.problems(trade.partner) or OrderNumbers(session).taken(trade):
        raise _cannot_go(trade.number, reasons)
    again = order_again if word == "order" else invoice_again
    document = again(session, last, trade, purpose)
    if isinstance(document, tuple):
        raise _cannot_go(trade.number, document)
    frozen = freeze(session, document)
    if isinstance(frozen, Reason):
        raise _cannot_go(trade.number, (frozen,))
    comparison = compared(session.store.documents.body(last.id), frozen.body, same_kind=last.kind == frozen.kind)
    return Replay(last, frozen, _warnings(last, trade, frozen.purpose), comparison)


def _cannot_go(number: str, reasons: tuple[Reason, ...]) -> UsageFault:
    return UsageFault(
        f"{number} cannot be sent: " + "; ".join(f"{r.where}: {r.message}" for r in reasons),
        fix=" ".join(dict.fromkeys(f"{r.fix.rstrip('.')}." for r in reasons)),
        code="held",
    )


def _warnings(last: Document, trade: Trade, purpose: str) -> tuple[str, ...]:
    """Warnings to confirm before it is sent again."""
    found = []
    if last.state is DocumentState.DELIVERED and trade.word == "invoice":
        found.append(
            f"the customer received this invoice on {last.delivered_at:%Y-%m-%d}, and may book it a second time: "
            "ask the customer first"
        )
    elif last.state is DocumentState.DELIVERED and last.kind == "850" and purpose == "00":
        found.append(
            f"the supplier received this order on {last.delivered_at:%Y-%m-%d}; purpose 00 (original) may order it "
            "a second time: --purpose 15 marks it as a resubmission, 07 as a duplicate, 05 as a replacement"
        )
    if last.state is DocumentState.FAILED:
        found.append(
            "the undelivered file is abandoned: do not retry it in the Stedi portal, or the"
            f" {trade.counterpart} receives both"
        )
    if trade.revision > last.revision:
        later = (
            "the next submit sends that change" if trade.word == "order" else "the next submit decides on that change"
        )
        found.append(
            f"Plex has changed the {trade.word} since (revision {trade.revision}, this is {last.revision}): {later}"
        )
    return tuple(found)


def replay(session: Session, planned: list[Replay], reason: str, *, queue: bool) -> list[Document]:
    """Freeze these documents and, unless `queue`, send them; return them with their resulting states.

    Raise SuspicionStop, ServiceUnavailable, ServiceRefused, Interrupted; documents frozen until then are sent by the
    next submit.
    """
    if not queue:
        session.services.check_tenant()
        check_executions(session)
    sent = []
    for one in planned:
        session.checkpoint()
        document = _freeze(session, one, reason)
        if not queue:
            send(session, document)
        sent.append(document.id)
    documents = [session.store.documents.get(document_id) for document_id in sent]
    without_response = [document.order_number for document in documents if document.state is DocumentState.SENDING]
    if without_response:
        raise ServiceUnavailable(
            f"Stedi did not respond for order {', '.join(without_response)}: whether it received the document is not"
            " known yet",
            fix="`plexstedi submit` resolves this under the same key: nothing is sent twice. Do not replay it again.",
            code="not-heard",
        )
    return documents


def _freeze(session: Session, one: Replay, reason: str) -> Document:
    documents, last = session.store.documents, one.last
    with session.store.transaction():
        if last.state is DocumentState.FAILED:
            documents.move(last.id, DocumentState.WITHDRAWN, "abandoned for a replay")
        if last.blocks:
            documents.unblock(last.id)
        document = documents.freeze(one.new, session.clock.now())
        for kind in (ReviewKind.DELIVERY_FAILED, ReviewKind.DOCUMENT_REFUSED, ReviewKind.SYNTAX_REJECTED):
            session.withdraw_review(kind, of_document(last.id), "replayed by a user", order_id=last.order_id)
        session.withdraw_review(
            ReviewKind.RECOVERED_DIFFERS, of_stream(last.stream), "replayed by a user", order_id=last.order_id
        )
        session.run.counts.documents_queued += 1
        session.note(
            "document-replayed",
            of_document(document.id),
            order_id=document.order_id,
            replay_of=last.id,
            document=document.kind,
            purpose=document.purpose,
            revision=document.revision,
            key=document.idempotency_key,
            file_name=document.file_name,
            reason=reason,
        )
    return document


def replay_acknowledgment(session: Session, transaction_id: str, reason: str) -> str:
    """Process a stored acknowledgment again with the current settings; return its new state. The next run writes it.

    A document that was never fetched, was deleted, or whose transaction was never listed, is fetched from Stedi. Raise
    UsageFault if there is none, or its set is not read; ServiceUnavailable.
    """
    inbound = fetch_one(session, transaction_id)
    with session.store.transaction():
        if inbound.state is not InboxState.STORED:
            session.store.inbox.move(transaction_id, InboxState.STORED, "replayed by a user")
        session.store.unforeseen.try_again(f"decide transaction {transaction_id}")
        session.withdraw_review(
            ReviewKind.ACKNOWLEDGMENT_HELD, of_transaction(transaction_id), "read again", order_id=inbound.order_id
        )
        session.note(
            "acknowledgment-replayed",
            of_transaction(transaction_id),
            order_id=inbound.order_id,
            before=inbound.state,
            reason=reason,
        )
    process(session)
    after = session.store.inbox.get(transaction_id)
    assert after is not None
    return after.state.value
