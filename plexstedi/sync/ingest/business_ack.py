"""What an 855 or 865 means: matched to order and document, reconciled, folded with what was said before.

The decisions are in `edi`; here they get their values from the state, and their results are stored in one transaction
together with the writes and the questions that follow from them.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

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
    AnswersNothingSent,
    Initiative,
    Received,
    controls_of,
    date_note,
    duplicate_of,
    usable_date,
    what_it_answers,
)
from plexstedi.edi.inbound.reading.acknowledgment import (
    Acknowledgment,
    Malformed,
    content_fingerprint,
    read_acknowledgment,
)
from plexstedi.edi.inbound.reading.guide_reading import UnreadableDocument
from plexstedi.edi.inbound.reconcile import reconcile
from plexstedi.edi.inbound.revisions import revisions_of
from plexstedi.edi.outbound.document import Renderings
from plexstedi.edi.outbound.untold import untold_lines
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
from plexstedi.sync.ingest.notices import give_notice
from plexstedi.sync.ingest.order_state import (
    move_transaction,
    recompute_order,
    tell_unheard_again,
)
from plexstedi.sync.ingest.ranking import ordered_on, sent_documents
from plexstedi.sync.session import Session
from plexstedi.sync.supplier_copy import supplier_has

ANOTHER_PLANTS = "its partnership is another plant's"


def decide(session: Session, inbound: Inbound, candidates: Candidates) -> None:
    """Decide one stored answer; inside the caller's transaction."""
    tree = read_document(session, inbound)
    if isinstance(tree, UnreadableDocument):
        if not _repeats_unassigned(session, inbound):
            _hold_whole(session, inbound, (_unreadable(tree.reason),), None)
        return
    read = read_acknowledgment(tree, session.look)
    if isinstance(read, Malformed):
        if not _repeats_unassigned(session, inbound):
            _hold_whole(session, inbound, read.reasons, read.order_number)
        return
    if _of_another_plant(session, read.order_number, candidates):
        _ignore(session, inbound, OF_ANOTHER_PLANT.format(number=read.order_number))
        return
    now = {s.partnership_id for s in session.config.suppliers.values() if s.partnership_id is not None}
    partnerships = now | session.store.documents.partnerships()
    known = candidates.of(read.order_number)
    match = match_order(read.order_number, read.release_number, inbound.partnership, known, partnerships)
    match match:
        case Matched(candidate=candidate):
            _apply(session, inbound, read, candidate)
        case OtherPlant():
            _ignore(session, inbound, ANOTHER_PLANTS)
        case AmbiguousOrder():
            _hold_whole(session, inbound, (why_ambiguous(match),), read.order_number)
        case OtherSupplier(candidates=others):
            sent_to = min(others[0].partnership_ids)
            reason = Reason(
                code="order-of-another",
                where=f"order {read.order_number}",
                message=f"{inbound.supplier} acknowledges an order that was sent to partnership {sent_to}",
                fix="Check partnership_id of both suppliers, or ask this supplier.",
            )
            _hold_whole(session, inbound, (reason,), read.order_number)
        case _:
            _wait(session, inbound, read)


def _of_another_plant(session: Session, number: str, candidates: Candidates) -> bool:
    """Whether `documents.order_pattern` tells that this is no order number of ours, however the supplier writes it."""
    pattern = session.config.documents.order_pattern
    if not pattern or any(candidate.number == number for candidate in candidates.of(number)):
        return False
    return re.search(pattern, number.strip(), re.IGNORECASE) is None


def _ignore(session: Session, inbound: Inbound, why: str) -> None:
    """Left alone, and asked about no more, whatever was asked before the settings told it apart."""
    move_transaction(session, inbound, InboxState.IGNORED, why)
    session.withdraw(ReviewKind.ORDER_UNKNOWN, of_transaction(inbound.transaction_id), why)


def _unreadable(message: str) -> Reason:
    return Reason(
        code="unreadable",
        where="document",
        message=message,
        fix="Check it in the Stedi portal and ask the supplier to send it again.",
    )


def _wait(session: Session, inbound: Inbound, read: Acknowledgment) -> None:
    """An order that we do not know: kept, tried again each run, a person's after `unknown_order_days`."""
    mark = content_fingerprint(read)
    session.store.inbox.assign(
        inbound.transaction_id,
        order_id=None,
        document_id=None,
        type_code=read.type_code,
        dated=_iso(read.dated),
        content_hash=mark,
    )
    if _repeats_unassigned(session, dataclasses.replace(inbound, content_hash=mark, dated=_iso(read.dated))):
        return
    if inbound.state is not InboxState.WAITING:
        move_transaction(session, inbound, InboxState.WAITING, f"order {read.order_number} is unknown")
    settings = _settings(session, inbound.supplier, inbound.partnership)
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
    session.ask(
        ReviewKind.ORDER_UNKNOWN,
        of_transaction(inbound.transaction_id),
        (reason,),
        supplier=inbound.supplier,
        order_number=read.order_number,
    )


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _repeats_unassigned(session: Session, inbound: Inbound) -> bool:
    """Whether it repeats one that waits without an order, or cannot be read either; then it is put beside it."""
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
    new = session.ask(
        ReviewKind.ACKNOWLEDGMENT_HELD,
        of_transaction(inbound.transaction_id),
        reasons,
        supplier=inbound.supplier,
        order_id=order_id,
        order_number=order_number,
    )
    session.run.counts.acks_held += int(new)


def _apply(session: Session, inbound: Inbound, read: Acknowledgment, candidate: Candidate) -> None:
    store = session.store
    mark = content_fingerprint(read)
    dated = _iso(read.dated)
    stream = candidate.order_id if candidate.release is None else f"{candidate.order_id}/{candidate.release}"
    documents = [d for d in store.documents.of_stream(stream) if d.state.may_have_reached_supplier]
    ordered = ordered_on(store, candidate.order_id)
    others = [_comparable(other, documents, ordered) for other in _decided(session, inbound, candidate)]
    received = _received(dataclasses.replace(inbound, content_hash=mark, dated=dated), ordered)
    repeats = duplicate_of(received, others)
    store.inbox.assign(
        inbound.transaction_id,
        order_id=candidate.order_id,
        document_id=None,
        type_code=read.type_code,
        dated=dated,
        content_hash=mark,
    )
    if repeats is not None:
        move_transaction(session, inbound, InboxState.DUPLICATE, f"repeats transaction {repeats}")
        tell_unheard_again(session, candidate.order_id, inbound, repeats)
        return
    sent = [store.documents.sent(document.id) for document in documents]
    answers = what_it_answers(read, inbound.processed_at, sent_documents(store, documents, sent), ordered)
    if isinstance(answers, AnswersNothingSent):
        reason = Reason(
            code="change-sequence-unknown",
            where=f"order {read.order_number}",
            message=f"it acknowledges change {answers.change_sequence}, which was never sent",
            fix="Ask the supplier which change it acknowledges.",
        )
        _hold_whole(session, inbound, (reason,), candidate.number, candidate.order_id)
        return
    document, told = documents[answers.position], sent[answers.position]
    # Suppliers may share a partnership: whose order it is says how its answers are read.
    settings = _settings(session, document.supplier, inbound.partnership)
    outcome = reconcile(
        read,
        _with_currency(session, candidate.order_id, told, document),
        settings,
        received=_received_quantities(session, candidate.order_id, told, document, settings),
        changed_since=answers.changed_since,
        changed_in_plex=_changed_in_plex(session, candidate.order_id, documents[-1]),
        earlier=store.inbox.lines_of_stream(stream),
        initiative=Initiative(answers.initiative),
        watch=session.look,
        revisions=revisions_of(sent, answers),
        ordered_on=ordered,
    )
    notes = [date_note(read.dated, inbound.processed_at, ordered), _controls_note(received, others)]
    outcome = outcome.model_copy(update={"notes": (*outcome.notes, *filter(None, notes))})
    store.inbox.assign(
        inbound.transaction_id,
        order_id=candidate.order_id,
        document_id=document.id,
        type_code=read.type_code,
        dated=dated,
        content_hash=mark,
    )
    store.inbox.set_outcome(inbound.transaction_id, outcome)
    session.withdraw(ReviewKind.ORDER_UNKNOWN, of_transaction(inbound.transaction_id), "the order is known now")
    give_notice(session, inbound, candidate.order_id, candidate.number, outcome.notices)
    recompute_order(session, candidate.order_id, fresh=inbound.transaction_id)


def _controls_note(received: Received, others: Sequence[Received]) -> str | None:
    other = controls_of(received, others)
    return None if other is None else f"its control numbers are those of transaction {other}, with different content"


def _decided(session: Session, inbound: Inbound, candidate: Candidate) -> list[Inbound]:
    """Answers to the same order that were decided already."""
    return [
        other
        for other in session.store.inbox.of_order(candidate.order_id)
        if other.transaction_id != inbound.transaction_id
        and not (other.state.is_undecided or other.state.is_disregarded)
    ]


def _comparable(other: Inbound, documents: Sequence[Document], ordered: date | None) -> Received:
    """An earlier answer to compare with; one that a later document of ours outdated, by its control numbers only.

    A supplier that confirms an order again after it went there and back in a day says the same once more, and means it.
    """
    given_up = other.document_id is not None and other.document_id not in {document.id for document in documents}
    outdated = other.state is InboxState.SUPERSEDED and bool(documents) and other.document_id != documents[-1].id
    return _received(other, ordered).model_copy(update={"outdated": given_up or outdated})


def _received(inbound: Inbound, ordered: date | None) -> Received:
    dated = None if inbound.dated is None else date.fromisoformat(inbound.dated)
    return Received(
        transaction_id=inbound.transaction_id,
        sender=inbound.sender or inbound.partnership,
        interchange_control=inbound.interchange_control,
        group_control=inbound.group_control,
        transaction_control=None if inbound.set_control is None else str(inbound.set_control),
        content=inbound.content_hash or "",
        dated=usable_date(dated, inbound.processed_at, ordered),
        processed_at=inbound.processed_at,
    )


def _changed_in_plex(session: Session, order_id: str, last: Document) -> Collection[int]:
    """Lines that Plex has changed since the last document, as long as the change did not go out."""
    record = session.store.orders.get(order_id)
    # What a person has settled with the supplier otherwise never goes out, so nothing waits for it.
    revision = max(last.revision, session.store.orders.told(last.stream))
    if record is None or record.latest <= revision:
        return ()
    has = supplier_has(session.store, record, revision)
    latest = session.store.orders.revision(order_id, record.latest)
    renderings = None
    if record.supplier in session.config.suppliers and not session.config.problems_of(record.supplier):
        renderings = Renderings(session.partner(record.supplier))
    return untold_lines(has, latest, renderings, StreamKey(order_id=order_id, release=last.order_release))


def _settings(session: Session, supplier: str | None, partnership: str) -> SupplierSettings:
    """How answers over this partnership are read: as its supplier says, also when the table got another name since."""
    suppliers = session.config.suppliers
    if supplier is not None and supplier in suppliers:
        return suppliers[supplier]
    return next((s for s in suppliers.values() if s.partnership_id == partnership), session.config.supplier_defaults)


def _with_currency(session: Session, order_id: str, told: SentOrder, document: Document) -> SentOrder:
    """A document of before currencies were kept with it has that of its revision."""
    if told.currency is not None or not document.revision:
        return told
    order = session.store.orders.revision(order_id, document.revision)
    return told.model_copy(update={"currency": order.currency})


def _received_quantities(
    session: Session, order_id: str, told: SentOrder, document: Document, settings: SupplierSettings
) -> Mapping[int, Decimal]:
    """What came in so far, by line number, in the unit sent."""
    received = session.store.receipts.received(order_id)
    if not received:
        return {}
    record = session.store.orders.get(order_id)
    assert record is not None
    # What `recover` took over has no revision of its own but the last file's.
    order = session.store.orders.revision(order_id, document.revision or record.latest)
    entered_again = current_ids((told,), session.store.orders.revision(order_id, record.latest)).lines
    quantities: dict[int, Decimal] = {}
    for line in told.lines:
        ids = {line.line_id, entered_again.get(line.line_id, line.line_id)} & received.keys()
        quantity = sum((received[each] for each in ids), Decimal(0)) if ids else None
        plex_line = order.line(line.line)
        if quantity is None or plex_line is None:
            continue
        unit = plex_unit(plex_line.order_unit or plex_line.unit, settings)
        quantities[line.line] = quantity if unit is None else product(quantity, unit.factor)
    return quantities
