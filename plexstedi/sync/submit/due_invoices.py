"""Which customer invoices are due as 810: each booked one once, the rest held or left alone."""

from __future__ import annotations

from collections.abc import Sequence

from plexstedi.decimal_json import dumps
from plexstedi.edi.outbound.actions import DueHeld, Nothing
from plexstedi.edi.outbound.document import prepare_invoice
from plexstedi.edi.outbound.due import invoice_due
from plexstedi.edi.reasons import Held, Reason
from plexstedi.state.invoices import InvoiceRecord
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import of_invoice, of_stream
from plexstedi.sync.isolation import Record, is_held, isolated
from plexstedi.sync.session import Session
from plexstedi.sync.submit.document import DueDocument, refused_before, text_witness
from plexstedi.sync.submit.executions import unknown_streams
from plexstedi.sync.submit.order_numbers import OrderNumbers

ORIGINAL = "00"
"""In place of a purpose, which an 810 has only as BIG08 and which is never another here."""


def find_due_invoices(session: Session, number: str | None = None) -> list[DueDocument]:
    """Every invoice that is due (of one invoice number, or of all), the first seen first.

    Holds are opened and withdrawn as the decisions come out; invoices with nothing due are settled.
    """
    if "810" not in session.config.documents.send:
        return []
    _onboard(session)
    found = []
    unknown = unknown_streams(session)
    numbers = OrderNumbers(session)
    candidates = [one for one in session.store.invoices.unsettled(number) if (one.number, None) not in unknown]
    for done, record in enumerate(candidates, 1):
        session.checkpoint()
        turn = _turn(record)
        if not is_held(session, turn):
            with isolated(session, turn):
                with session.store.transaction():
                    document = _of_invoice(session, record, numbers)
                if document is not None:
                    found.append(document)
        session.progress("deciding which invoices are due", done, len(candidates))
    return found


def _turn(record: InvoiceRecord) -> Record:
    return Record(
        "decide what is due of",
        record.stream,
        f"invoice {record.number}",
        f"revision {record.latest}",
        supplier=record.customer,
        order_id=record.stream,
        order_number=record.number,
    )


def _onboard(session: Session) -> None:
    """A customer got its table: invoices from before are known to it by other means."""
    invoices = session.store.invoices
    for customer, _count in invoices.untraded_customers():
        if customer not in session.config.customers:
            continue
        with session.store.transaction():
            for record in invoices.take_as_known(customer):
                session.note("invoice-onboarded", of_invoice(record.number), order_id=record.stream, customer=customer)


def _of_invoice(session: Session, record: InvoiceRecord, numbers: OrderNumbers) -> DueDocument | None:
    """The 810 that can go, None if nothing is due or it waits."""
    documents, invoices = session.store.documents, session.store.invoices
    if record.customer not in session.config.customers:
        return None
    last = documents.last_told(record.stream)
    if last is not None and not last.settled:
        return None
    has_revision = max(session.store.orders.told(record.stream), 0 if last is None else last.revision)
    if has_revision >= record.latest or (record.known and last is None and not has_revision):
        _settle(session, record)
        return None
    invoice = invoices.revision(record.id, record.latest)
    problems = session.config.customer_problems_of(record.customer)
    if problems:
        if has_revision or (invoice.booked and not invoice.void):
            _hold(session, record, problems)
        return None
    has = invoices.revision(record.id, has_revision) if has_revision else None
    partner = session.config.customer(record.customer)
    decision = invoice_due(has, invoice, partner)
    if isinstance(decision, Nothing):
        _settle(session, record)
        return None
    if isinstance(decision, DueHeld):
        _hold(session, record, decision.reasons)
        return None
    if taken := numbers.invoice_taken(record):
        _hold(session, record, taken)
        return None
    prepared = prepare_invoice(decision.invoice, partner)
    if isinstance(prepared, Held):
        _hold(session, record, prepared.reasons)
        return None
    document = DueDocument(
        stream=record.stream,
        release=None,
        order_id=record.stream,
        number=record.number,
        revision=record.latest,
        dated=invoice.invoice_date,
        partner=partner,
        prepared=prepared,
        purpose=ORIGINAL,
        change_sequence=0,
        witness=text_witness(dumps(prepared.guide_json)),
    )
    if refused_before(session, document):
        return None
    _release(session, record)
    return document


def _hold(session: Session, record: InvoiceRecord, reasons: Sequence[Reason]) -> None:
    new = session.ask(
        ReviewKind.INVOICE_HELD,
        of_stream(record.stream),
        [reason.model_copy(update={"where": "invoice"}) if reason.where == "order" else reason for reason in reasons],
        supplier=record.customer,
        order_id=record.stream,
        order_number=record.number,
    )
    session.tally.counts.documents_held += int(new)


def _settle(session: Session, record: InvoiceRecord) -> None:
    _release(session, record)
    session.store.invoices.set_settled(record.id, record.latest)


def _release(session: Session, record: InvoiceRecord) -> None:
    """Whatever held this invoice is gone."""
    session.withdraw(
        ReviewKind.INVOICE_HELD, of_stream(record.stream), "nothing holds it any more", order_id=record.stream
    )
