"""`recover` for invoices: 810 files at Stedi that a lost or old state does not know.

As with orders, an invoice counts as in sync only when a revision of it renders to the mark in the name of its last
file; every other one is blocked and shown to a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plexstedi.decimal_json import dumps
from plexstedi.edi.document_name import parse_file_name
from plexstedi.edi.order_number import PossibleOwner, owner_of_files
from plexstedi.edi.outbound.document import prepare_invoice
from plexstedi.edi.reasons import Held, Reason
from plexstedi.edi.sent import SentOrder
from plexstedi.state.document import RECOVERED, NewDocument
from plexstedi.state.invoices import InvoiceRecord
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import Subject, of_document, of_stream
from plexstedi.sync.partners import customer_of
from plexstedi.sync.people.recover import look_again_from, unknown_files
from plexstedi.sync.people.recovered_files import (
    Found,
    Recovered,
    delivery_at_stedi,
    free_key,
    payload_at_stedi,
    settle_earlier,
)
from plexstedi.sync.session import Session
from plexstedi.sync.submit.document import text_witness


@dataclass(frozen=True)
class FoundInvoice:
    """The files of one invoice number, oldest first, and the invoice that they speak of."""

    number: str
    files: tuple[Found, ...]
    record: InvoiceRecord | None
    revision: int | None
    """The revision that the last file says; None: none that is known."""

    def what(self) -> str:
        """What will be done with it, in words."""
        if self.record is None:
            return "Plex shows no such invoice: the file is recorded, needs review"
        if self.revision is not None:
            return "in sync: imported"
        return "the invoice in Plex differs from the document sent: imported, blocked, needs review"


def look_at_invoices(session: Session) -> list[FoundInvoice]:
    """What recovery would take over; after `recover.look`, which has read Plex and Stedi."""
    numbers: dict[str, list[Found]] = {}
    for witness in unknown_files(session):
        parsed = parse_file_name(witness.file_name)
        if parsed is not None and parsed[0].kind == "810":
            slot, mark = parsed
            numbers.setdefault(slot.order, []).append(Found(witness, slot, mark))
    return [_found(session, number, files) for number, files in sorted(numbers.items())]


def _found(session: Session, number: str, files: Sequence[Found]) -> FoundInvoice:
    ordered = tuple(sorted(files, key=lambda file: (file.slot.counter, file.witness.created_at)))
    last = ordered[-1]
    customers, invoices = session.config.customers, session.store.invoices
    records = {record.id: record for record in invoices.by_number(number)}
    said = {each: _revision_said(session, record, last.mark) for each, record in records.items()}
    owner = owner_of_files(
        [
            PossibleOwner(
                id=record.id,
                has_documents=any(d.order_number == number for d in session.store.documents.of_order(record.stream)),
                matches_content=said[record.id] is not None,
                same_partner=record.customer in customers
                and customers[record.customer].partnership_id == last.witness.partnership,
                in_plex=not invoices.revision(record.id, record.latest).void,
                created_at=invoices.revision(record.id, record.latest).created_at,
            )
            for record in records.values()
        ],
        min(file.witness.created_at for file in ordered),
    )
    return FoundInvoice(number, ordered, None if owner is None else records[owner], said.get(owner or ""))


def _revision_said(session: Session, record: InvoiceRecord, mark: str) -> int | None:
    """The newest revision that renders to this mark."""
    if record.customer not in session.config.customers or session.config.customer_problems_of(record.customer):
        return None
    partner = session.config.customer(record.customer)
    for revision in range(record.latest, 0, -1):
        prepared = prepare_invoice(session.store.invoices.revision(record.id, revision), partner)
        if not isinstance(prepared, Held) and text_witness(dumps(prepared.guide_json)) == mark:
            return revision
    return None


def take_over_invoices(session: Session, found: Sequence[FoundInvoice]) -> None:
    """Add the files to the ledger, invoice by invoice; each in one transaction."""
    if not found:
        return
    with session.store.transaction():
        began = min(file.witness.created_at for invoice in found for file in invoice.files)
        look_again_from(session, began)
    for invoice in found:
        session.checkpoint()
        executions = [file.witness.execution_id for file in invoice.files]
        deliveries = {execution: delivery_at_stedi(session, execution) for execution in executions}
        payloads = {execution: payload_at_stedi(session, execution) for execution in executions}
        with session.store.transaction():
            if invoice.record is None:
                _note_orphan(session, invoice)
            else:
                _take_over(session, invoice, invoice.record, deliveries, payloads)
    _ask_about_the_rest(session, found)


def _take_over(
    session: Session,
    found: FoundInvoice,
    record: InvoiceRecord,
    deliveries: Mapping[str, Recovered],
    payloads: Mapping[str, tuple[bytes, str]],
) -> None:
    store = session.store
    settle_earlier(session, record.stream)
    store.invoices.set_settled(record.id, 0)
    settings = session.config.customers.get(record.customer)
    for file in found.files:
        last = file is found.files[-1]
        state = deliveries[file.witness.execution_id]
        body, text = payloads[file.witness.execution_id]
        document = store.documents.take_over(
            NewDocument(
                stream=record.stream,
                order_id=record.stream,
                order_number=record.number,
                order_release=None,
                supplier=record.customer,
                partnership=file.witness.partnership or (settings.partnership_id if settings else None) or "",
                transaction_setting=RECOVERED,
                kind="810",
                purpose=RECOVERED,
                revision=(found.revision or record.latest) if last else 0,
                change_sequence=file.slot.change_sequence,
                counter=file.slot.counter,
                idempotency_key=free_key(session, file),
                file_name=file.witness.file_name,
                route="generate-edi",
                body=body,
                x12=text,
                sent=SentOrder(number=record.number, lines=()),
                dropped=(),
            ),
            sent_at=file.witness.created_at,
            execution_id=state.execution_id,
            delivered=state.delivered or not last,
            failed=state.failed if last else None,
            blocks=last and found.revision is None,
        )
        store.documents.set_controls(document.id, state.interchange, state.group, state.set_control)
        session.note(
            "document-recovered",
            of_document(document.id),
            order_id=record.stream,
            file_name=file.witness.file_name,
            in_sync=found.revision is not None,
        )
    if found.revision is None:
        _ask_which(session, found, record)


def _ask_which(session: Session, found: FoundInvoice, record: InvoiceRecord) -> None:
    last = found.files[-1].witness
    reason = Reason(
        code="recovered-differs",
        where="invoice",
        message=f"its file at Stedi ({last.file_name}, {last.created_at:%Y-%m-%d}) differs from Plex now",
        fix="Compare it in the Stedi portal. `plexstedi review accept ID --reason TEXT`: the customer has the "
        "invoice as it is in Plex, or was informed.",
    )
    session.ask(
        ReviewKind.RECOVERED_DIFFERS,
        of_stream(record.stream),
        (reason,),
        supplier=record.customer,
        order_id=record.stream,
        order_number=record.number,
    )


def _note_orphan(session: Session, found: FoundInvoice) -> None:
    """A file for an invoice that Plex does not show: asked about, and out of the way of others."""
    for file in found.files:
        session.store.witnesses.settle(file.witness.execution_id)
    reason = Reason(
        code="invoice-missing",
        where="invoice",
        message=f"Stedi received {len(found.files)} documents for invoice {found.number}, which Plex does not show",
        fix="Resolve it with the customer, then `plexstedi review accept ID --reason TEXT`.",
    )
    session.ask(
        ReviewKind.INVOICE_HELD,
        Subject(f"invoice number {found.number}"),
        (reason,),
        supplier=customer_of(session, found.files[-1].witness.partnership),
        order_number=found.number,
    )


def _ask_about_the_rest(session: Session, found: Sequence[FoundInvoice]) -> None:
    """Invoices that a new state takes as known, and that were made while others went out: no file says them."""
    began = min(file.witness.created_at for invoice in found for file in invoice.files)
    for customer in session.config.customers:
        for record in session.store.invoices.of_customer(customer):
            if not record.known or session.store.documents.of_order(record.stream):
                continue
            invoice = session.store.invoices.revision(record.id, record.latest)
            if invoice.void or not invoice.booked or invoice.created_at is None or invoice.created_at < began:
                continue
            reason = Reason(
                code="known-invoice",
                where="invoice",
                message="it was created while invoices were sent from here, and Stedi has no file for it",
                fix="`plexstedi review accept ID --reason TEXT` sends it, `plexstedi review reject ID --reason TEXT`"
                " marks it as known to the customer.",
            )
            session.ask(
                ReviewKind.KNOWN_ORDER_CHANGED,
                of_stream(record.stream),
                (reason,),
                supplier=customer,
                order_id=record.stream,
                order_number=record.number,
            )
