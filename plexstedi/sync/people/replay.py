"""`replay`: an order's last document once more, as a new one; or a stored acknowledgment, read again.

A replay is a person's: the new document has the content of the same revision under the next counter, is linked to the
old one, and never goes out while the old one may still be on its way.
"""

from __future__ import annotations

import dataclasses
import difflib
from dataclasses import dataclass
from datetime import datetime

from plexstedi.advice import order_command, replay_command
from plexstedi.decimal_json import dumps
from plexstedi.edi.outbound.actions import Cancel860, Change860, Send850
from plexstedi.edi.outbound.build_850 import Purpose
from plexstedi.edi.outbound.document import Renderings, Sendable, prepare
from plexstedi.edi.reasons import Held, Reason
from plexstedi.edi.stream import StreamKey
from plexstedi.errors import ServiceUnavailable, UsageFault
from plexstedi.state.document import RECOVERED, Document, NewDocument
from plexstedi.state.document_states import DocumentState
from plexstedi.state.inbox import InboxState
from plexstedi.state.invoices import invoice_of_stream
from plexstedi.state.orders import OrderRecord
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import of_document, of_stream, of_transaction
from plexstedi.sync.ingest.fetch import fetch_one
from plexstedi.sync.ingest.ingest import process
from plexstedi.sync.isolation import Turns
from plexstedi.sync.partners import partner_of
from plexstedi.sync.people.replay_invoices import invoice_again, warnings_of
from plexstedi.sync.received import received_so_far
from plexstedi.sync.session import Session
from plexstedi.sync.setup import check_tenant
from plexstedi.sync.stages import Stage
from plexstedi.sync.submit.delivery import confirm_deliveries
from plexstedi.sync.submit.document import DueDocument, order_mark, text_mark
from plexstedi.sync.submit.executions import check_executions
from plexstedi.sync.submit.freeze import freeze
from plexstedi.sync.submit.order_numbers import OrderNumbers
from plexstedi.sync.submit.send import send
from plexstedi.sync.supplier_copy import sent_after, supplier_copy_of

_WHY_NOT = {
    DocumentState.FROZEN: "is already queued",
    DocumentState.SENDING: "was sent, and Stedi did not respond: whether Stedi received it is not known yet",
    DocumentState.ACCEPTED: "is at Stedi and not delivered yet",
    DocumentState.CONFLICT: "conflicts with different content at Stedi: resolve that review item first",
    DocumentState.IN_DOUBT: "is in doubt: resolve that review item first",
}


@dataclass(frozen=True)
class Replay:
    """A document that would be sent again."""

    last: Document
    new: NewDocument
    warnings: tuple[str, ...]


def find_last(session: Session, number: str, *, supplier: str | None, release: str | None) -> Document:
    """The last document of the order of this number. Raise UsageFault if that is not exactly one stream."""
    named = _orders_named(session, number)
    orders = [o for o in named if supplier is None or o.supplier == supplier]
    if not orders:
        document = _last_of_invoice(session, number, supplier)
        if document is not None:
            return document
        if named:
            codes = ", ".join(sorted({order.supplier for order in named}))
            raise UsageFault(f"order {number} is not one of {supplier}, but of {codes}", fix="Correct --supplier.")
        known = [order.number for order in session.store.orders.all()]
        near = ", ".join(difflib.get_close_matches(number, known, n=3, cutoff=0.6))
        raise UsageFault(
            f"there is no order {number} in the state file",
            fix=f"Did you mean {near}?" if near else "Check the number.",
        )
    order = _one_of(session, number, orders)
    documents = session.store.documents.of_order(order.id)
    if not documents:
        raise UsageFault(
            f"no document of order {number} was ever sent",
            fix=f"{order_command('submit --order', number)} sends what is due.",
        )
    releases = sorted({document.order_release or "" for document in documents})
    if release is None and len(releases) > 1:
        raise UsageFault(
            f"the releases of order {number} were sent separately", fix=f"Add --release, one of {', '.join(releases)}."
        )
    chosen = [document for document in documents if release is None or document.order_release == release]
    if not chosen:
        raise UsageFault(f"no document of release {release} of order {number} was sent", fix="Check --release.")
    return chosen[-1]


def _orders_named(session: Session, number: str) -> list[OrderRecord]:
    """Orders that have this number or were sent under it; else the one of this Plex id."""
    orders = session.store.orders
    sent = (orders.get(order_id) for order_id in session.store.documents.orders_sent_as(number))
    found = {record.id: record for record in (*orders.by_number(number), *sent) if record is not None}
    by_id = orders.get(number)
    return list(found.values()) or ([] if by_id is None else [by_id])


def _one_of(session: Session, number: str, orders: list[OrderRecord]) -> OrderRecord:
    """The one that has documents. Raise UsageFault if that is not exactly one of several."""
    sent = [order for order in orders if session.store.documents.of_order(order.id)]
    if len(orders) == 1 or len(sent) == 1:
        return (sent or orders)[0]
    codes = ", ".join(order.supplier for order in orders)
    ids = " or ".join(order.id for order in sent or orders)
    fix = "Add --supplier CODE." if len({order.supplier for order in orders}) > 1 else f"Give {ids} instead."
    raise UsageFault(f"several orders have the number {number} (suppliers {codes})", fix=fix)


def _last_of_invoice(session: Session, number: str, customer: str | None) -> Document | None:
    """The last 810 of the invoice of this number. Raise UsageFault if several customers have invoices of it."""
    found = [
        documents[-1]
        for record in session.store.invoices.by_number(number)
        if customer in (None, record.customer) and (documents := session.store.documents.of_order(record.stream))
    ]
    if len(found) > 1:
        codes = ", ".join(document.supplier for document in found)
        raise UsageFault(f"several invoices have the number {number} (customers {codes})", fix="Add --supplier CODE.")
    return found[0] if found else None


def failed_since(session: Session, since: datetime) -> list[Document]:
    """Documents that ended refused or undelivered and were begun at this time or later: the last of each stream."""
    found = []
    for document in session.store.documents.in_state(DocumentState.FAILED, DocumentState.REFUSED):
        begun = document.first_attempt_at or document.frozen_at
        if begun >= since and session.store.documents.of_stream(document.stream)[-1].id == document.id:
            found.append(document)
    return found


def plan(session: Session, last: Document, purpose: str | None = None) -> Replay:
    """What would be sent. Raise UsageFault, with the reason, if it cannot be. Changes nothing."""
    if last.state in _WHY_NOT:
        raise UsageFault(
            f"the last {last.kind} of order {last.order_number} {_WHY_NOT[last.state]}",
            fix="Resolve its item in `plexstedi review list`."
            if last.state in (DocumentState.CONFLICT, DocumentState.IN_DOUBT)
            else f"Run {order_command('submit --order', last.order_number)}, then repeat it.",
        )
    if last.kind == "810":
        return _plan_invoice(session, last, purpose)
    record = session.store.orders.get(last.order_id)
    if record is None:
        raise ValueError(f"document {last.id} has no order {last.order_id}")
    if (record.supplier, record.number) != (last.supplier, last.order_number):
        raise UsageFault(
            f"it was sent as order {last.order_number} to {last.supplier} and is now order {record.number} of"
            f" {record.supplier} in Plex",
            fix=f"Cancel it with {last.supplier} and send a new order under another number.",
            code="order-moved",
        )
    if record.supplier not in session.config.suppliers:
        raise UsageFault(
            f"supplier {record.supplier} of order {record.number} has no settings",
            fix=f"Add [suppliers.{record.supplier}].",
        )
    problems = session.config.problems_of(record.supplier)
    if problems:
        raise _cannot_go(record.number, problems)
    if taken := OrderNumbers(session).order_taken(record):
        raise _cannot_go(record.number, taken)
    due = _sendable(session, last, record, purpose)
    partner = partner_of(session, record.supplier)
    renderings = Renderings(partner)
    seen_at, modified_at = session.store.orders.revision_seen(record.id, last.revision)
    # The same slot under the next counter; only the whole order in place of a recovered 860 is a step of its own.
    change_sequence = last.change_sequence + int(isinstance(due, Send850) and last.kind == "860")
    prepared = prepare(
        due,
        renderings,
        change_sequence=change_sequence,
        revision_seen=(modified_at or seen_at).date(),
        received=received_so_far(session.store, record.id),
    )
    if isinstance(prepared, Held):
        raise _cannot_go(record.number, prepared.reasons)
    if isinstance(due, Change860):
        sent = sent_after(session.store, due, last, _before(session, last, record), prepared.sent, renderings)
        prepared = dataclasses.replace(prepared, sent=sent)
    document = DueDocument(
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
    frozen = freeze(session, document)
    if isinstance(frozen, Reason):
        raise _cannot_go(record.number, (frozen,))
    return Replay(last, frozen, _warnings(last, record, frozen.purpose))


def _plan_invoice(session: Session, last: Document, purpose: str | None) -> Replay:
    document = invoice_again(session, last, purpose)
    frozen = freeze(session, document) if isinstance(document, DueDocument) else document
    if not isinstance(frozen, NewDocument):
        raise _cannot_go(last.order_number, (frozen,) if isinstance(frozen, Reason) else frozen)
    record = session.store.invoices.get(invoice_of_stream(last.order_id) or "")
    return Replay(last, frozen, warnings_of(last, last.revision if record is None else record.latest))


def _cannot_go(number: str, reasons: tuple[Reason, ...]) -> UsageFault:
    return UsageFault(
        f"{number} cannot be sent: " + "; ".join(f"{r.where}: {r.message}" for r in reasons),
        fix=" ".join(dict.fromkeys(f"{r.fix.rstrip('.')}." for r in reasons)),
        code="held",
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
    revisions = [d.revision for d in session.store.documents.of_stream(last.stream) if not d.state.is_given_up]
    earlier = [
        revision
        for revision in (record.baseline, session.store.orders.told(last.stream), *revisions)
        if 0 < revision < last.revision
    ]
    if not earlier:
        raise UsageFault(
            f"what the supplier had before this {last.kind} of order {record.number} is not known",
            fix="Resolve it with the supplier.",
        )
    return max(earlier)


def _warnings(last: Document, record: OrderRecord, purpose: str) -> tuple[str, ...]:
    found = []
    if last.state is DocumentState.DELIVERED and last.kind == "850" and purpose == "00":
        found.append(
            f"the supplier received this order on {last.delivered_at:%Y-%m-%d}; purpose 00 (original) may order it "
            "a second time: --purpose 15 marks it as a resubmission, 07 as a duplicate, 05 as a replacement"
        )
    if last.state is DocumentState.FAILED:
        found.append(
            "the undelivered file is abandoned: do not retry it in the Stedi portal, or the supplier receives both"
        )
    if record.latest > last.revision:
        found.append(
            f"Plex has changed the order since (revision {record.latest}, this is {last.revision}): the next submit "
            "sends that change"
        )
    return tuple(found)


def replay(session: Session, planned: list[Replay], reason: str, *, queue: bool) -> list[Document]:
    """Freeze these documents and, unless `queue`, send them at once; as they then stand.

    Raise SuspicionStop, ServiceUnavailable, ServiceRefused, Interrupted; what was frozen until then goes out by the
    next submit.
    """
    if not queue:
        check_tenant(session)
        check_executions(session)
    sent = []
    for one in planned:
        session.checkpoint()
        document = _freeze(session, one, reason)
        if not queue:
            send(session, document)
        sent.append(document.id)
    if not queue:
        confirm_deliveries(session, deliveries := Turns(session, Stage.SUBMIT))
        for fault in deliveries.failed:
            session.run.warn(fault.message)
    documents = [session.store.documents.get(document_id) for document_id in sent]
    unheard = [document.order_number for document in documents if document.state is DocumentState.SENDING]
    if unheard:
        raise ServiceUnavailable(
            f"Stedi did not respond for order {', '.join(unheard)}: whether it received the document is not known yet",
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
    """Read a stored acknowledgment again with today's settings; its state afterwards. The next run writes to Plex.

    A document that was never fetched, or was dropped since, is fetched from Stedi; also a transaction that no listing
    has shown. Raise UsageFault if there is none, or it is not read here; ServiceUnavailable.
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
