"""Process an 855 or 865: match it to an order and document, reconcile it, combine it with earlier acknowledgments.

The decisions are made in `edi`; this module supplies values from the state and stores the results together with the
writes and review items that follow, in one transaction.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

from msgspec import structs
from msgspec.structs import replace

from plexstedi.edi.advice import partner_table
from plexstedi.edi.inbound.current_ids import current_ids
from plexstedi.edi.inbound.matching import (
    AmbiguousOrder,
    Candidate,
    Matched,
    OtherPlant,
    OtherSupplier,
    match_order,
    why_ambiguous,
)
from plexstedi.edi.inbound.precedence import (
    Initiative,
    ReceivedDocument,
    UnknownChangeSequence,
    acknowledged_documents,
    controls_of,
    date_note,
    duplicate_of,
    usable_date,
)
from plexstedi.edi.inbound.reading.acknowledgment import (
    Acknowledgment,
    Malformed,
    content_fingerprint,
    read_acknowledgment,
)
from plexstedi.edi.inbound.reading.guide_reading import UnreadableDocument
from plexstedi.edi.inbound.reconcile import reconcile
from plexstedi.edi.inbound.revisions import revisions_of, with_deletions
from plexstedi.edi.outbound.document import Renderings
from plexstedi.edi.outbound.unsent_changes import lines_with_unsent_changes
from plexstedi.edi.reasons import Reason
from plexstedi.edi.sent import SentOrder
from plexstedi.edi.settings import SupplierSettings
from plexstedi.edi.stream import StreamKey
from plexstedi.edi.units import plex_unit, product
from plexstedi.state.document import Document
from plexstedi.state.inbox import OF_ANOTHER_PLANT, Inbound, InboxState
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import of_transaction
from plexstedi.sync.ingest.candidates import Candidates, read_document
from plexstedi.sync.ingest.listing import ANOTHER_PLANTS
from plexstedi.sync.ingest.notices import open_notice_reviews
from plexstedi.sync.ingest.order_state import (
    move_transaction,
    recompute_order,
    review_duplicate_not_applied,
)
from plexstedi.sync.ingest.ranking import earlier_releases, ordered_on, sent_documents
from plexstedi.sync.partners import configured_partner
from plexstedi.sync.session import Session
from plexstedi.sync.supplier_copy import supplier_copy_of


def decide(session: Session, inbound: Inbound, candidates: Candidates) -> None:
    """Decide one stored acknowledgment; inside the caller's transaction."""
    # What was read is let go of before the order is recomputed from what is stored: either may have thousands of lines.
    order_id = _decide_alone(session, inbound, candidates)
    if order_id is not None:
        recompute_order(session, order_id, fresh=inbound.transaction_id)


def _decide_alone(session: Session, inbound: Inbound, candidates: Candidates) -> str | None:
    """Store what one acknowledgment says; the order to recompute, if it counts."""
    read = _read(session, inbound)
    if isinstance(read, UnreadableDocument):
        if not _repeats_unassigned(session, inbound):
            _hold_whole(session, inbound, (_unreadable(read.reason),), None)
        return None
    if isinstance(read, Malformed):
        if not _repeats_unassigned(session, inbound):
            _hold_whole(session, inbound, read.reasons, read.order_number)
        return None
    if _of_another_plant(session, read.order_number, candidates):
        _ignore(session, inbound, OF_ANOTHER_PLANT.format(number=read.order_number))
        return None
    # Former partnerships count too: acknowledgments may arrive after a supplier's table was changed.
    now = {s.partnership_id for s in session.config.suppliers.values() if s.partnership_id is not None}
    partnerships = now | session.store.documents.partnerships()
    known = candidates.of(read.order_number)
    match = match_order(read.order_number, read.release_number, inbound.partnership, known, partnerships)
    match match:
        case Matched(candidate=candidate):
            return _apply(session, inbound, read, candidate)
        case OtherPlant():
            _ignore(session, inbound, ANOTHER_PLANTS)
        case AmbiguousOrder():
            _hold_whole(session, inbound, (why_ambiguous(match),), read.order_number)
        case OtherSupplier(candidates=others):
            reason = _order_of_another(session, inbound, read.order_number, others[0])
            _hold_whole(session, inbound, (reason,), read.order_number)
        case _:
            _wait(session, inbound, read)
    return None


def _order_of_another(session: Session, inbound: Inbound, number: str, candidate: Candidate) -> Reason:
    record = session.store.orders.get(candidate.order_id)
    assert record is not None
    return Reason(
        code="order-of-another",
        where=f"order {number}",
        message=f"{inbound.supplier} acknowledges order {candidate.number} of {record.supplier}, which was sent to"
        f" partnership {min(candidate.partnership_ids)}; this came over {inbound.partnership}",
        fix=f"If {record.supplier} sends over {inbound.partnership} now: correct partnership_id of"
        f" [{partner_table('850', record.supplier)}], then `plexstedi replay --ack TRANSACTION --reason TEXT`;"
        f" otherwise ask {inbound.supplier} which order it means, then `plexstedi review reject ID --reason TEXT`.",
    )


def _read(session: Session, inbound: Inbound) -> Acknowledgment | Malformed | UnreadableDocument:
    tree = read_document(session, inbound)
    return tree if isinstance(tree, UnreadableDocument) else read_acknowledgment(tree, session.check_deadline)


def _of_another_plant(session: Session, number: str, candidates: Candidates) -> bool:
    """Whether, by `documents.order_pattern`, this is not one of our order numbers, in any spelling of the supplier."""
    pattern = session.config.documents.order_pattern
    if not pattern or any(candidate.number == number for candidate in candidates.of(number)):
        return False
    return re.search(pattern, number.strip(), re.IGNORECASE) is None


def _ignore(session: Session, inbound: Inbound, why: str) -> None:
    """Ignore a transaction, and withdraw the review item about its unknown order."""
    move_transaction(session, inbound, InboxState.IGNORED, why)
    session.withdraw_review(ReviewKind.ORDER_UNKNOWN, of_transaction(inbound.transaction_id), why)


def _unreadable(message: str) -> Reason:
    return Reason(
        code="unreadable",
        where="document",
        message=message,
        fix="Check it in the Stedi portal and ask the supplier to send it again.",
    )


def _wait(session: Session, inbound: Inbound, read: Acknowledgment) -> None:
    """Keep an acknowledgment of an unknown order; retried in each run, needs review after `unknown_order_days`."""
    mark = content_fingerprint(read)
    session.store.inbox.assign(
        inbound.transaction_id,
        order_id=None,
        document_id=None,
        type_code=read.type_code,
        dated=_iso(read.dated),
        content_hash=mark,
    )
    if _repeats_unassigned(session, structs.replace(inbound, content_hash=mark, dated=_iso(read.dated))):
        return
    if inbound.state is not InboxState.WAITING:
        move_transaction(session, inbound, InboxState.WAITING, f"order {read.order_number} is unknown")
    settings = _settings(session, inbound.supplier, inbound.partnership)
    # An acknowledgment can precede its order here, for example after a restore.
    patience = timedelta(days=settings.acknowledgments.unknown_order_days)
    if session.clock.now() - inbound.received_at < patience:
        return
    reason = Reason(
        code="order-unknown",
        where=f"order {read.order_number}",
        message=f"{inbound.supplier} acknowledges an order that was never sent from here",
        fix="If it belongs to another plant, set documents.order_pattern; otherwise resolve it with the supplier, "
        "then `plexstedi review reject ID --reason TEXT`.",
    )
    session.open_review(
        ReviewKind.ORDER_UNKNOWN,
        of_transaction(inbound.transaction_id),
        (reason,),
        supplier=inbound.supplier,
        order_number=read.order_number,
    )


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _repeats_unassigned(session: Session, inbound: Inbound) -> bool:
    """Whether it repeats an earlier one that waits for its order or is unreadable; it is then marked as a duplicate."""
    before = (inbound.processed_at, inbound.transaction_id)
    others = [
        _received(other, None)
        for other in session.store.inbox.in_state(InboxState.HELD, InboxState.WAITING)
        if other.order_id is None
        and (other.set_id, other.partnership) == (inbound.set_id, inbound.partnership)
        and (other.processed_at, other.transaction_id) < before
    ]
    repeats = duplicate_of(_received(inbound, None), others)
    if repeats is not None:
        move_transaction(session, inbound, InboxState.DUPLICATE, f"repeats transaction {repeats}")
    return repeats is not None


def _hold_whole(
    session: Session,
    inbound: Inbound,
    reasons: tuple[Reason, ...],
    order_number: str | None,
    order_id: str | None = None,
) -> None:
    move_transaction(session, inbound, InboxState.HELD, "; ".join(str(reason) for reason in reasons))
    new = session.open_review(
        ReviewKind.ACKNOWLEDGMENT_HELD,
        of_transaction(inbound.transaction_id),
        reasons,
        supplier=inbound.supplier,
        order_id=order_id,
        order_number=order_number,
    )
    session.run.counts.acks_held += int(new)


def _apply(session: Session, inbound: Inbound, read: Acknowledgment, candidate: Candidate) -> str | None:
    """Store how it compares with what was sent; the order to recompute, if it counts."""
    store = session.store
    mark = content_fingerprint(read)
    dated = _iso(read.dated)
    stream = candidate.order_id if candidate.release is None else f"{candidate.order_id}/{candidate.release}"
    documents = [d for d in store.documents.of_stream(stream) if d.state.may_have_reached_supplier]
    ordered = ordered_on(store, candidate.order_id)
    others = [_comparable(other, documents, ordered) for other in _decided(session, inbound, candidate)]
    received = _received(structs.replace(inbound, content_hash=mark, dated=dated), ordered)
    repeats = duplicate_of(received, others)

    def assign(document_id: int | None) -> None:
        store.inbox.assign(
            inbound.transaction_id,
            order_id=candidate.order_id,
            document_id=document_id,
            type_code=read.type_code,
            dated=dated,
            content_hash=mark,
        )

    if repeats is not None:
        assign(None)
        move_transaction(session, inbound, InboxState.DUPLICATE, f"repeats transaction {repeats}")
        review_duplicate_not_applied(session, candidate.order_id, inbound, repeats)
        return None
    sent = [store.documents.sent(document.id) for document in documents]
    reference = acknowledged_documents(read, inbound.processed_at, sent_documents(store, documents, sent), ordered)
    if isinstance(reference, UnknownChangeSequence):
        reason = Reason(
            code="change-sequence-unknown",
            where=f"order {read.order_number}",
            message=f"it acknowledges change {reference.change_sequence}, which was never sent",
            fix="Ask the supplier to send it again with the number of the change that it acknowledges (BCH05 of the"
            " 860, BCA05 of the 865), then `plexstedi review reject ID --reason TEXT`. If that change was sent from"
            " another state file: `plexstedi recover`, then `plexstedi replay --ack TRANSACTION --reason TEXT`.",
        )
        assign(None)
        _hold_whole(session, inbound, (reason,), candidate.number, candidate.order_id)
        return None
    document = documents[reference.position]
    last_sent, deleted_before = with_deletions(sent, reference.position)
    # Suppliers may share a partnership: the order's supplier determines how it is read.
    settings = _settings(session, document.supplier, inbound.partnership)
    outcome = reconcile(
        read,
        _with_currency(session, candidate.order_id, last_sent, document),
        settings,
        received=_received_quantities(session, candidate.order_id, last_sent, document, settings),
        changed_since=reference.changed_since,
        changed_in_plex=unsent_changes(session, candidate.order_id, documents[-1]),
        earlier=store.inbox.lines_of_stream(stream, candidate.order_id),
        initiative=Initiative(reference.initiative),
        watch=session.check_deadline,
        revisions=revisions_of(sent, reference),
        ordered_on=ordered,
        deleted_before=deleted_before,
        earlier_releases=earlier_releases(store, inbound, candidate.order_id, documents, sent),
    )
    notes = [date_note(read.dated, inbound.processed_at, ordered), _controls_note(received, others)]
    outcome = replace(outcome, notes=(*outcome.notes, *filter(None, notes)))
    assign(document.id)
    store.inbox.set_outcome(inbound.transaction_id, outcome)
    session.withdraw_review(ReviewKind.ORDER_UNKNOWN, of_transaction(inbound.transaction_id), "the order is known now")
    open_notice_reviews(session, inbound, candidate.order_id, candidate.number, outcome.notices)
    return candidate.order_id


def _controls_note(received: ReceivedDocument, others: Sequence[ReceivedDocument]) -> str | None:
    other = controls_of(received, others)
    return None if other is None else f"its control numbers are those of transaction {other}, with different content"


def _decided(session: Session, inbound: Inbound, candidate: Candidate) -> list[Inbound]:
    """Acknowledgments of the same order that are already decided."""
    return [
        other
        for other in session.store.inbox.of_order(candidate.order_id)
        if other.transaction_id != inbound.transaction_id
        and not (other.state.is_undecided or other.state.is_disregarded)
    ]


def _comparable(other: Inbound, documents: Sequence[Document], ordered: date | None) -> ReceivedDocument:
    """An earlier acknowledgment for the duplicate check.

    If a later document of ours superseded it, only its control numbers are compared: a supplier may legitimately repeat
    the same confirmation after an order was changed and changed back.
    """
    given_up = other.document_id is not None and other.document_id not in {document.id for document in documents}
    outdated = other.state is InboxState.SUPERSEDED and bool(documents) and other.document_id != documents[-1].id
    return replace(_received(other, ordered), outdated=given_up or outdated)


def _received(inbound: Inbound, ordered: date | None) -> ReceivedDocument:
    dated = None if inbound.dated is None else date.fromisoformat(inbound.dated)
    return ReceivedDocument(
        transaction_id=inbound.transaction_id,
        sender=inbound.sender or inbound.partnership,
        interchange_control=inbound.interchange_control,
        group_control=inbound.group_control,
        transaction_control=None if inbound.set_control is None else str(inbound.set_control),
        content=inbound.content_hash or "",
        dated=usable_date(dated, inbound.processed_at, ordered),
        processed_at=inbound.processed_at,
    )


def unsent_changes(session: Session, order_id: str, last: Document) -> Collection[int]:
    """Lines that Plex has changed since the last document, while that change is not sent."""
    # A change that a user resolved with the supplier is never sent, so it must not hold anything.
    known = max(last.revision, session.store.orders.known_revision(last.stream))
    return changed_since_revision(session, order_id, last, known)


def changed_since_revision(session: Session, order_id: str, last: Document, revision: int) -> Collection[int]:
    """Lines that an 860 after this revision would report; `last` is the last document of the stream."""
    record = session.store.orders.get(order_id)
    if record is None or record.latest <= revision:
        return ()
    has = supplier_copy_of(session.store, record, revision)
    latest = session.store.orders.revision(order_id, record.latest)
    renderings = None
    if record.supplier in session.config.suppliers and not session.config.problems_of(record.supplier):
        renderings = Renderings(configured_partner(session, record.supplier))
    return lines_with_unsent_changes(has, latest, renderings, StreamKey(order_id=order_id, release=last.order_release))


def _settings(session: Session, supplier: str | None, partnership: str) -> SupplierSettings:
    """Settings for reading acknowledgments of this partnership, also if its supplier's table was renamed."""
    suppliers = session.config.suppliers
    if supplier is not None and supplier in suppliers:
        return suppliers[supplier]
    return next((s for s in suppliers.values() if s.partnership_id == partnership), session.config.supplier_defaults)


def _with_currency(session: Session, order_id: str, last_sent: SentOrder, document: Document) -> SentOrder:
    """A document stored before currencies were recorded has the currency of its revision."""
    if last_sent.currency is not None or not document.revision:
        return last_sent
    order = session.store.orders.revision(order_id, document.revision)
    return replace(last_sent, currency=order.currency)


def _received_quantities(
    session: Session, order_id: str, last_sent: SentOrder, document: Document, settings: SupplierSettings
) -> Mapping[int, Decimal]:
    """Quantities received so far by line number, in the unit sent."""
    received = session.store.receipts.received(order_id)
    if not received:
        return {}
    record = session.store.orders.get(order_id)
    assert record is not None
    # A document imported by `recover` has no revision: use the latest.
    order = session.store.orders.revision(order_id, document.revision or record.latest)
    entered_again = current_ids((last_sent,), session.store.orders.revision(order_id, record.latest)).lines
    quantities: dict[int, Decimal] = {}
    for line in last_sent.lines:
        ids = {line.line_id, entered_again.get(line.line_id, line.line_id)} & received.keys()
        quantity = sum((received[each] for each in ids), Decimal(0)) if ids else None
        plex_line = order.line(line.line)
        if quantity is None or plex_line is None:
            continue
        unit = plex_unit(plex_line.order_unit or plex_line.unit, settings)
        quantities[line.line] = quantity if unit is None else product(quantity, unit.factor)
    return quantities
