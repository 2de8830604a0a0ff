"""`replay` of an invoice: the revision that was sent last, once more, as a new document."""

from __future__ import annotations

from plexstedi.decimal_json import dumps
from plexstedi.edi.outbound.document import prepare_invoice
from plexstedi.edi.reasons import Held, Reason
from plexstedi.errors import UsageFault
from plexstedi.state.document import Document
from plexstedi.state.document_states import DocumentState
from plexstedi.state.invoices import invoice_of_stream
from plexstedi.sync.session import Session
from plexstedi.sync.submit.document import DueDocument, text_mark
from plexstedi.sync.submit.due_invoices import ORIGINAL


def invoice_again(session: Session, last: Document, purpose: str | None) -> DueDocument | tuple[Reason, ...]:
    """The same invoice under the next counter of its slot, or why it cannot go. Raise UsageFault."""
    if purpose is not None:
        raise UsageFault(f"{last.order_number} is an invoice, which has no purpose", fix="Omit --purpose.")
    record = session.store.invoices.get(invoice_of_stream(last.order_id) or "")
    if record is None or record.customer not in session.config.customers:
        raise UsageFault(
            f"customer {last.supplier} of invoice {last.order_number} has no settings",
            fix=f"Add [customers.{last.supplier}].",
        )
    problems = session.config.customer_problems_of(record.customer)
    if problems:
        return problems
    invoice = session.store.invoices.revision(record.id, last.revision)
    partner = session.config.customer(record.customer)
    prepared = prepare_invoice(invoice, partner)
    if isinstance(prepared, Held):
        return prepared.reasons
    return DueDocument(
        stream=last.stream,
        release=None,
        order_id=record.stream,
        number=record.number,
        revision=last.revision,
        dated=invoice.invoice_date,
        partner=partner,
        prepared=prepared,
        purpose=ORIGINAL,
        change_sequence=last.change_sequence,
        mark=text_mark(dumps(prepared.guide_json)),
        replay_of=last.id,
    )


def warnings_of(last: Document, latest: int) -> tuple[str, ...]:
    """What a person should know before an invoice goes again; `latest` is its revision in Plex now."""
    found = []
    if last.state is DocumentState.DELIVERED:
        found.append(
            f"the customer received this invoice on {last.delivered_at:%Y-%m-%d}, and may book it a second time: "
            "ask the customer first"
        )
    if last.state is DocumentState.FAILED:
        found.append(
            "the undelivered file is abandoned: do not retry it in the Stedi portal, or the customer receives both"
        )
    if latest > last.revision:
        found.append(
            f"Plex has changed the invoice since (revision {latest}): the document to send is revision {last.revision}"
        )
    return tuple(found)
