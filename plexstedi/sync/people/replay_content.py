"""Content of a replayed document: the revision that was sent last, rendered with the current settings."""

from __future__ import annotations

from plexstedi.advice import replay_command
from plexstedi.decimal_json import dumps
from plexstedi.edi.outbound.actions import Cancel860, Change860, Send850
from plexstedi.edi.outbound.build_850 import Purpose
from plexstedi.edi.outbound.document import Renderings, Sendable, prepare_invoice
from plexstedi.edi.reasons import Held, Reason
from plexstedi.edi.stream import StreamKey
from plexstedi.errors import UsageFault
from plexstedi.state.document import RECOVERED, Document
from plexstedi.state.orders import OrderRecord
from plexstedi.sync.partners import partner_of
from plexstedi.sync.session import Session
from plexstedi.sync.submit.document import DueDocument, text_mark
from plexstedi.sync.submit.due_invoices import ORIGINAL
from plexstedi.sync.submit.lifecycle import Trade, plex_id
from plexstedi.sync.submit.order_mark import order_mark
from plexstedi.sync.supplier_copy import prepared_for, supplier_copy_of


def order_again(
    session: Session, last: Document, trade: Trade, purpose: str | None
) -> DueDocument | tuple[Reason, ...]:
    """The order's last 850 or 860 under the next counter of its slot, or why it cannot be sent. Raise UsageFault."""
    record = session.store.orders.get(trade.id)
    assert record is not None
    due = _sendable(session, last, record, purpose)
    partner = partner_of(session, record.supplier, due.order.supplier_address_id)
    renderings = Renderings(partner)
    # The same slot under the next counter. Only a whole order that replaces a recovered 860 needs the next sequence.
    change_sequence = last.change_sequence + int(isinstance(due, Send850) and last.kind == "860")
    prepared = prepared_for(
        session.store,
        due,
        renderings,
        revision=last.revision,
        change_sequence=change_sequence,
        last=last,
        supplier_has=_before(session, last, record) if isinstance(due, Change860) else 0,
    )
    if isinstance(prepared, Held):
        return prepared.reasons
    return DueDocument(
        stream=last.stream,
        release=last.order_release,
        order_id=record.id,
        number=record.number,
        revision=last.revision,
        dated=due.order.order_date,
        partner=partner,
        prepared=prepared,
        purpose=purpose or last.purpose,
        change_sequence=change_sequence,
        mark=order_mark(due.order, due.stream, renderings) or text_mark(dumps(prepared.guide_json)),
        replay_of=last.id,
    )


def invoice_again(
    session: Session, last: Document, trade: Trade, purpose: str | None
) -> DueDocument | tuple[Reason, ...]:
    """The invoice's last 810 under the next counter of its slot, or why it cannot be sent. Raise UsageFault."""
    if purpose is not None:
        raise UsageFault(f"{last.order_number} is an invoice, which has no purpose", fix="Omit --purpose.")
    invoice = session.store.invoices.revision(plex_id(trade), last.revision)
    partner = session.config.customer(trade.partner)
    prepared = prepare_invoice(invoice, partner)
    if isinstance(prepared, Held):
        return prepared.reasons
    return DueDocument(
        stream=last.stream,
        release=None,
        order_id=trade.id,
        number=trade.number,
        revision=last.revision,
        dated=invoice.invoice_date,
        partner=partner,
        prepared=prepared,
        purpose=ORIGINAL,
        change_sequence=last.change_sequence,
        mark=text_mark(dumps(prepared.guide_json)),
        replay_of=last.id,
    )


def _sendable(session: Session, last: Document, record: OrderRecord, purpose: str | None) -> Sendable:
    key = StreamKey(order_id=record.id, release=last.order_release)
    order = session.store.orders.revision(record.id, last.revision)
    if last.purpose == RECOVERED and purpose is None:
        raise UsageFault(
            f"the last document of order {record.number} was imported by `recover`, so its purpose is not known",
            fix=f"{replay_command(record.number, release=last.order_release, purpose='05')} replaces what the"
            " supplier has; --purpose 00, 07 and 15 mark it as original, duplicate or resubmission.",
        )
    if last.kind == "850" or last.purpose == RECOVERED:
        return Send850(order, key, _purpose(purpose or last.purpose))
    if purpose is not None:
        raise UsageFault(
            f"the last document of order {record.number} is an {last.kind}, whose purpose is always {last.purpose}",
            fix="Omit --purpose.",
        )
    has = supplier_copy_of(session.store, record, _before(session, last, record))
    return Cancel860(has, order, key) if last.purpose == "01" else Change860(has, order, key)


def _purpose(code: str) -> Purpose:
    match code:
        case "00" | "05" | "07" | "15":
            return code
        case _:
            raise UsageFault(f"{code} is not a purpose of an 850", fix="Give 00, 05, 07 or 15.")


def _before(session: Session, last: Document, record: OrderRecord) -> int:
    """The revision that the supplier had when this 860 was first sent."""
    revisions = [d.revision for d in session.store.documents.of_stream(last.stream) if not d.state.is_abandoned]
    earlier = [
        revision
        for revision in (record.baseline, session.store.orders.known_revision(last.stream), *revisions)
        if 0 < revision < last.revision
    ]
    if not earlier:
        raise UsageFault(
            f"what the supplier had before this {last.kind} of order {record.number} is not known",
            fix="Resolve it with the supplier.",
        )
    return max(earlier)
