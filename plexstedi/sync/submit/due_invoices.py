"""Customer invoices that are due as 810: each booked invoice once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from plexstedi.edi.outbound.actions import DueHeld, Nothing
from plexstedi.edi.outbound.document import prepare_invoice
from plexstedi.edi.outbound.due import invoice_due
from plexstedi.edi.reasons import Held
from plexstedi.state.document import Document
from plexstedi.state.invoices import InvoiceRecord
from plexstedi.state.subject import of_invoice
from plexstedi.sync.session import Session
from plexstedi.sync.submit.document import DueDocument
from plexstedi.sync.submit.lifecycle import (
    Trade,
    Waits,
    decide_each,
    has_revision,
    hold,
    hold_without_settings,
    last_sent,
    moved,
    nothing_due,
    orphans,
    ready_to_send,
    trade_of_invoice,
)
from plexstedi.sync.submit.order_numbers import OrderNumbers

ORIGINAL = "00"
"""Stored as the purpose of every 810: its BIG08 is never another here."""


def find_due_invoices(session: Session, number: str | None = None) -> Iterator[DueDocument]:
    """Every due invoice (of one invoice number, or of all), oldest first, each as soon as it is decided.

    Opens and withdraws holds as decided, and marks invoices with nothing due as up to date.
    """
    if "810" not in session.config.documents.send:
        return
    _onboard(session)
    numbers = OrderNumbers(session)
    records = {record.stream: record for record in session.store.invoices.not_up_to_date(number)}

    def decide(trade: Trade) -> list[DueDocument]:
        with session.store.transaction():
            document = _of_invoice(session, records[trade.id], trade, numbers)
        return [document] if isinstance(document, DueDocument) else []

    trades = [*map(trade_of_invoice, records.values())]
    yield from decide_each(session, trades, decide, "deciding which invoices are due")


def _onboard(session: Session) -> None:
    """A customer received its table: earlier invoices are known to it by other means."""
    invoices = session.store.invoices
    for customer, _count in invoices.untraded_customers():
        if customer not in session.config.customers:
            continue
        with session.store.transaction():
            for record in invoices.take_as_known(customer):
                session.note("invoice-onboarded", of_invoice(record.number), order_id=record.stream, customer=customer)


def _of_invoice(
    session: Session, record: InvoiceRecord, trade: Trade, numbers: OrderNumbers
) -> DueDocument | Waits | None:
    """The 810 to send, Waits, or None if nothing is due."""
    if record.customer not in session.config.customers:
        hold_without_settings(session, trade)
        return Waits()
    documents = session.store.documents.of_stream(trade.id)
    last = last_sent(documents)
    if isinstance(last, Waits):
        return last
    known_revision = has_revision(session, trade, trade.id, last)
    # Sent in its latest revision, or known to the customer by other means.
    if known_revision >= record.latest or (record.known and last is None and not known_revision):
        _resolved(session, record, trade, documents)
        return None
    invoice = session.store.invoices.revision(record.id, record.latest)
    problems = session.config.customer_problems_of(record.customer)
    if problems:
        # A draft that was never sent is not due, so incomplete settings do not matter yet.
        if known_revision or (invoice.booked and not invoice.void):
            return hold(session, trade, trade.id, problems)
        return Waits()
    if last is not None and (reasons := moved(trade, last)):
        return hold(session, trade, trade.id, reasons)
    has = session.store.invoices.revision(record.id, known_revision) if known_revision else None
    partner = session.config.customer(record.customer)
    decision = invoice_due(has, invoice, partner)
    if isinstance(decision, Nothing):
        _resolved(session, record, trade, documents)
        return None
    if isinstance(decision, DueHeld):
        return hold(session, trade, trade.id, decision.reasons)
    if reasons := numbers.taken(trade) or orphans(session, trade, invoice.created_at):
        return hold(session, trade, trade.id, reasons)
    prepared = prepare_invoice(decision.invoice, partner)
    if isinstance(prepared, Held):
        return hold(session, trade, trade.id, prepared.reasons)
    return ready_to_send(
        session,
        trade,
        prepared,
        partner,
        stream=trade.id,
        documents=documents,
        dated=invoice.invoice_date,
        purpose=ORIGINAL,
    )


def _resolved(session: Session, record: InvoiceRecord, trade: Trade, documents: Sequence[Document]) -> None:
    nothing_due(session, trade, trade.id, documents)
    session.store.invoices.set_up_to_date(record.id, record.latest)
