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

from plexstedi.decimal_json import loads
from plexstedi.edi.held import Reason
from plexstedi.edi.inbound.acknowledgment import Acknowledgment, Malformed, content_fingerprint, read_acknowledgment
from plexstedi.edi.inbound.guide_reading import Unreadable, read_guide_json
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
    duplicate_of,
    what_it_answers,
)
from plexstedi.edi.inbound.reconcile import reconcile
from plexstedi.edi.sent import SentOrder
from plexstedi.edi.settings import SupplierSettings
from plexstedi.edi.units import plex_unit, product
from plexstedi.edi.x12 import Transaction
from plexstedi.edi.x12_text import BrokenX12Error, parse
from plexstedi.state.documents import Document
from plexstedi.state.inbox import OF_ANOTHER_PLANT, Inbound, InboxState
from plexstedi.state.reviews import ReviewKind
from plexstedi.stedi.models import whole
from plexstedi.sync.session import Session
from plexstedi.sync.standings import SUPPLIER_HAS, day_of, move_transaction, sent_documents, settle_order
from plexstedi.sync.supplier_has import lines_that_differ, supplier_has

ANOTHER_PLANTS = "its partnership is another plant's"


def read_document(session: Session, inbound: Inbound) -> Transaction | Unreadable:
    """The neutral tree of a stored document."""
    document = session.store.inbox.document(inbound.transaction_id)
    if document is None:
        return Unreadable("its document was not fetched")
    if inbound.document_form == "guide-json":
        return read_guide_json(loads(document), inbound.set_id, inbound.release or "", session.look)
    return _from_x12(document.decode("utf-8", errors="replace"), inbound)


def _from_x12(text: str, inbound: Inbound) -> Transaction | Unreadable:
    try:
        interchange = parse(text)
    except BrokenX12Error as error:
        return Unreadable(f"neither its JSON nor its X12 can be read: {error}")
    found = [
        (whole(parsed.control_number), parsed.transaction)
        for group in interchange.groups
        for parsed in group.transactions
        if parsed.transaction.set_id == inbound.set_id
    ]
    same = [transaction for control, transaction in found if control == inbound.set_control]
    if len(same) == 1:
        return same[0]
    if len(found) == 1:
        return found[0][1]
    return Unreadable(f"its X12 has {len(found)} transactions {inbound.set_id}, none clearly this one")


class Candidates:
    """The orders that answers may mean, read once per run."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[tuple[str, str | None], Candidate] | None = None

    def all(self) -> Sequence[Candidate]:
        """Every order, or release sent singly, that a document went out for."""
        if self._known is None:
            suppliers = self._session.config.suppliers
            self._known = {}
            for document in self._session.store.documents.in_state(*SUPPLIER_HAS):
                key = (document.order_id, document.order_release)
                before = self._known.get(key)
                now = suppliers[document.supplier].partnership_id if document.supplier in suppliers else None
                over = frozenset(filter(None, (document.partnership, now)))
                self._known[key] = Candidate(
                    document.order_id,
                    document.order_number,
                    over if before is None else over | before.partnership_ids,
                    document.order_release,
                )
        return list(self._known.values())


def decide(session: Session, inbound: Inbound, candidates: Candidates) -> None:
    """Decide one stored answer; inside the caller's transaction."""
    tree = read_document(session, inbound)
    if isinstance(tree, Unreadable):
        if not _repeats_unassigned(session, inbound):
            _hold_whole(session, inbound, (_unreadable(tree.reason),), None)
        return
    read = read_acknowledgment(tree, session.look)
    if isinstance(read, Malformed):
        if not _repeats_unassigned(session, inbound):
            _hold_whole(session, inbound, read.reasons, read.order_number)
        return
    if _of_another_plant(session, read.order_number, candidates):
        move_transaction(session, inbound, InboxState.IGNORED, OF_ANOTHER_PLANT.format(number=read.order_number))
        return
    now = {s.partnership_id for s in session.config.suppliers.values() if s.partnership_id is not None}
    partnerships = now | session.store.documents.partnerships()
    match = match_order(read.order_number, read.release_number, inbound.partnership, candidates.all(), partnerships)
    match match:
        case Matched(candidate=candidate):
            _apply(session, inbound, read, candidate)
        case OtherPlant():
            move_transaction(session, inbound, InboxState.IGNORED, ANOTHER_PLANTS)
        case AmbiguousOrder():
            _hold_whole(session, inbound, (why_ambiguous(match),), read.order_number)
        case OtherSupplier(candidates=others):
            sent_to = min(others[0].partnership_ids)
            reason = Reason(
                code="order-of-another",
                where=f"order {read.order_number}",
                message=f"{inbound.supplier} answers an order that was sent to partnership {sent_to}",
                fix="Check partnership_id of both suppliers, or ask this supplier.",
            )
            _hold_whole(session, inbound, (reason,), read.order_number)
        case _:
            _wait(session, inbound, read)


def _of_another_plant(session: Session, number: str, candidates: Candidates) -> bool:
    """Whether `documents.order_pattern` tells that this is no order number of ours, however the supplier writes it."""
    pattern = session.config.documents.order_pattern
    if not pattern or any(candidate.number == number for candidate in candidates.all()):
        return False
    return re.search(pattern, number.strip(), re.IGNORECASE) is None


def _unreadable(message: str) -> Reason:
    return Reason(
        code="unreadable",
        where="document",
        message=message,
        fix="Look at it in the Stedi portal and ask the supplier to send it again.",
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
        message=f"{inbound.supplier} acknowledges an order that no document went out for from here",
        fix="If it is another plant's, set documents.order_pattern; else settle it with the supplier, then `plexstedi"
        " review reject ID --reason TEXT`.",
    )
    session.ask(
        ReviewKind.ORDER_UNKNOWN,
        f"transaction {inbound.transaction_id}",
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
        _received_again(other)
        for other in session.store.inbox.in_state(InboxState.HELD, InboxState.WAITING)
        if other.order_id is None
        and (other.set_id, other.partnership) == (inbound.set_id, inbound.partnership)
        and (other.processed_at, other.transaction_id) < before
    ]
    repeats = duplicate_of(_received_again(inbound), others)
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
        f"transaction {inbound.transaction_id}",
        reasons,
        supplier=inbound.supplier,
        order_id=order_id,
        order_number=order_number,
    )
    session.tally.counts.acks_held += int(new)


def _apply(session: Session, inbound: Inbound, read: Acknowledgment, candidate: Candidate) -> None:
    store = session.store
    mark = content_fingerprint(read)
    dated = _iso(read.dated)
    stream = candidate.order_id if candidate.release is None else f"{candidate.order_id}/{candidate.release}"
    documents = [d for d in store.documents.of_stream(stream) if d.state in SUPPLIER_HAS]
    others = [_comparable(other, documents) for other in _decided(session, inbound, candidate)]
    repeats = duplicate_of(_received(inbound, mark, read), others)
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
        return
    sent = [store.documents.sent(document.id) for document in documents]
    answers = what_it_answers(read, inbound.processed_at, sent_documents(store, documents, sent))
    if isinstance(answers, AnswersNothingSent):
        reason = Reason(
            code="change-sequence-unknown",
            where=f"order {read.order_number}",
            message=f"it answers change {answers.change_sequence}, which was never sent",
            fix="Ask the supplier which change it answers.",
        )
        _hold_whole(session, inbound, (reason,), candidate.number, candidate.order_id)
        return
    document, told = documents[answers.position], sent[answers.position]
    # Suppliers may share a partnership: whose order it is says how its answers are read.
    settings = _settings(session, document.supplier, inbound.partnership)
    outcome = reconcile(
        read,
        told,
        settings,
        received=_received_quantities(session, candidate.order_id, told, document, settings),
        changed_since=answers.changed_since,
        changed_in_plex=_changed_in_plex(session, candidate.order_id, documents[-1]),
        earlier=store.inbox.lines_of_stream(stream),
        initiative=Initiative(answers.initiative),
        watch=session.look,
    )
    store.inbox.assign(
        inbound.transaction_id,
        order_id=candidate.order_id,
        document_id=document.id,
        type_code=read.type_code,
        dated=dated,
        content_hash=mark,
    )
    store.inbox.set_outcome(inbound.transaction_id, outcome)
    session.withdraw(ReviewKind.ORDER_UNKNOWN, f"transaction {inbound.transaction_id}", "the order is known now")
    settle_order(session, candidate.order_id, fresh=inbound.transaction_id)


def _decided(session: Session, inbound: Inbound, candidate: Candidate) -> list[Inbound]:
    """Answers to the same order that were decided already."""
    undecided = (InboxState.LISTED, InboxState.STORED, InboxState.WAITING, InboxState.DUPLICATE, InboxState.IGNORED)
    return [
        other
        for other in session.store.inbox.of_order(candidate.order_id)
        if other.transaction_id != inbound.transaction_id and other.state not in undecided
    ]


def _comparable(other: Inbound, documents: Sequence[Document]) -> Received:
    """An earlier answer to compare with; one that a later document of ours outdated, by its control numbers only.

    A supplier that confirms an order again after it went there and back in a day says the same once more, and means it.
    """
    given_up = other.document_id is not None and other.document_id not in {document.id for document in documents}
    outdated = other.state is InboxState.SUPERSEDED and bool(documents) and other.document_id != documents[-1].id
    again = _received_again(other)
    return again.model_copy(update={"content": ""}) if given_up or outdated else again


def _received(inbound: Inbound, mark: str, read: Acknowledgment) -> Received:
    return Received(
        transaction_id=inbound.transaction_id,
        sender=inbound.sender or inbound.partnership,
        interchange_control=inbound.interchange_control,
        group_control=inbound.group_control,
        transaction_control=None if inbound.set_control is None else str(inbound.set_control),
        content=mark,
        dated=read.dated,
        processed_at=inbound.processed_at,
    )


def _received_again(inbound: Inbound) -> Received:
    return Received(
        transaction_id=inbound.transaction_id,
        sender=inbound.sender or inbound.partnership,
        interchange_control=inbound.interchange_control,
        group_control=inbound.group_control,
        transaction_control=None if inbound.set_control is None else str(inbound.set_control),
        content=inbound.content_hash or "",
        dated=None if inbound.dated is None else day_of(inbound.dated),
        processed_at=inbound.processed_at,
    )


def _changed_in_plex(session: Session, order_id: str, last: Document) -> Collection[int]:
    """Lines that Plex has changed since the last document, as long as the change did not go out."""
    record = session.store.orders.get(order_id)
    if record is None or record.latest <= last.revision:
        return ()
    has = supplier_has(session.store, record, last.revision)
    return lines_that_differ(has, session.store.orders.revision(order_id, record.latest))


def _settings(session: Session, supplier: str | None, partnership: str) -> SupplierSettings:
    """How answers over this partnership are read: as its supplier says, also when the table got another name since."""
    suppliers = session.config.suppliers
    if supplier is not None and supplier in suppliers:
        return suppliers[supplier]
    return next((s for s in suppliers.values() if s.partnership_id == partnership), session.config.supplier_defaults)


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
    quantities: dict[int, Decimal] = {}
    for line in told.lines:
        quantity = received.get(line.line_id)
        plex_line = order.line(line.line)
        if quantity is None or plex_line is None:
            continue
        unit = plex_unit(plex_line.order_unit or plex_line.unit, settings)
        quantities[line.line] = quantity if unit is None else product(quantity, unit.factor)
    return quantities
