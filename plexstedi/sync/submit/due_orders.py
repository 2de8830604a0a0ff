"""Decide which orders are due, from stored revisions, and keep their holds current."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from plexstedi.config.load import KnownOrders
from plexstedi.edi.order import Order, Phase
from plexstedi.edi.outbound.actions import Cancel860, Change860, DueHeld, Nothing, Replace850, Send850
from plexstedi.edi.outbound.document import Renderings, Sendable
from plexstedi.edi.outbound.due import due, streams
from plexstedi.edi.partner import Partner
from plexstedi.edi.reasons import Held, Reason
from plexstedi.edi.stream import StreamKey, releases_of_stream
from plexstedi.state.document import Document
from plexstedi.state.orders import OrderRecord
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import of_order, of_stream
from plexstedi.sync.isolation import is_held, isolated
from plexstedi.sync.partners import partner_of
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
    moved_since_known,
    nothing_due,
    orphans,
    ready_to_send,
    record_of_trade,
    trade_of_order,
)
from plexstedi.sync.submit.order_mark import order_mark
from plexstedi.sync.submit.order_numbers import OrderNumbers
from plexstedi.sync.submit.restored_values import may_be_promise
from plexstedi.sync.supplier_copy import prepared_for, supplier_copy_of


def find_due(session: Session, number: str | None = None, *, ask_plex: bool = False) -> Iterator[DueDocument]:
    """Every due document (of one order number, or of all), oldest order first, each as soon as it is decided.

    Opens and withdraws holds as decided, and marks orders with nothing due as up to date. `ask_plex`: check in Plex
    whether a change is the supplier's own promise; otherwise every change counts as a buyer's.
    """
    _onboard(session)
    numbers = OrderNumbers(session)
    records = {record.id: record for record in session.store.orders.not_up_to_date(number)}

    def decide(trade: Trade) -> list[DueDocument]:
        record = records[trade.id]
        with session.store.transaction():
            found = _of_order(session, record, numbers)
        if ask_plex:
            # A change adopted as the supplier's own promise is not sent; what remains is due in the next run.
            found = [one for one in found if not may_be_promise(session, record, one)]
        return found

    yield from decide_each(session, [*map(trade_of_order, records.values())], decide, "deciding what is due")


def _onboard(session: Session) -> None:
    """A supplier received its table: earlier orders are known to it by other means until a user decides otherwise."""
    orders = session.store.orders
    for supplier, _count in orders.untraded_suppliers():
        if supplier not in session.config.suppliers:
            continue
        with session.store.transaction():
            for record in orders.untraded(supplier):
                orders.take_as_known(record.id)
                session.note("order-onboarded", of_order(record.number), order_id=record.id, supplier=supplier)


def _of_order(session: Session, record: OrderRecord, numbers: OrderNumbers) -> list[DueDocument]:
    if record.supplier not in session.config.suppliers:
        hold_without_settings(session, trade_of_order(record))
        return []
    problems = session.config.problems_of(record.supplier)
    if problems:
        # An unreleased order that was never sent is not due: do not open a review item for its supplier's settings.
        if record.phase is Phase.RELEASED or session.store.documents.of_order(record.id):
            hold(session, trade_of_order(record), record.id, problems)
        return []
    order = session.store.orders.revision(record.id, record.latest)
    partner = partner_of(session, record.supplier, order.supplier_address_id)
    up_to_date = True
    found = []
    documents = session.store.documents.of_order(record.id)
    keys = _streams(record, order, partner, documents)
    if all(key.release is not None for key in keys.values()):
        session.withdraw_review(
            ReviewKind.ORDER_HELD, of_stream(record.id), "nothing holds it any longer", order_id=record.id
        )
    for name, key in keys.items():
        result: DueDocument | Waits | None = Waits()
        turn = record_of_trade(trade_of_order(record), "find the change in", name)
        if not is_held(session, turn):
            with isolated(session, turn):
                result = _of_stream(session, record, order, partner, key, numbers, documents)
        up_to_date = up_to_date and result is None
        if isinstance(result, DueDocument):
            found.append(result)
    if up_to_date:
        session.store.orders.set_up_to_date(record.id, record.latest)
    return found


def _streams(
    record: OrderRecord, order: Order, partner: Partner, documents: Iterable[Document]
) -> Mapping[str, StreamKey]:
    """By name, the order's current streams and those with documents: a removed release has to be cancelled."""
    documents = [document for document in documents if not document.state.is_abandoned]
    keys = {key.name: key for key in streams(order, partner)}
    if any(document.order_release is None for document in documents):
        # Sent as a whole, it stays whole, whatever `releases` is now: sent separately, its releases would be ordered
        # twice.
        keys = {name: key for name, key in keys.items() if key.release is None}
    for document in documents:
        keys.setdefault(document.stream, StreamKey(order_id=record.id, release=document.order_release))
    return keys


def _of_stream(
    session: Session,
    record: OrderRecord,
    order: Order,
    partner: Partner,
    key: StreamKey,
    numbers: OrderNumbers,
    of_order: Sequence[Document],
) -> DueDocument | Waits | None:
    """A document to send, Waits, or None if nothing is due. `of_order`: all documents of the order."""
    trade, name = trade_of_order(record), key.name
    documents = [document for document in of_order if document.stream == name]
    last = last_sent(documents)
    if isinstance(last, Waits):
        return last
    known_revision = has_revision(session, trade, name, last)
    if last is None and known_revision < record.latest and key.release is None and _was_sent_by_release(of_order):
        return hold(session, trade, name, (_SENT_BY_RELEASE,))
    # The supplier has the latest revision, so what was held before is no longer due.
    if known_revision >= record.latest:
        nothing_due(session, trade, name, documents)
        return None
    # An 860 would go to the new supplier, or name a number that the former documents do not have.
    if last is not None and (reasons := moved(trade, last)):
        return hold(session, trade, name, reasons)
    has = supplier_copy_of(session.store, record, known_revision) if known_revision else None
    if last is None and has is not None:
        if has.phase is Phase.UNRELEASED:
            # Counted as known while unreleased: the supplier cannot have it, so it is due as a new order.
            has = None
        elif reasons := _moved_since_known(session, trade, has, order):
            return hold(session, trade, name, reasons)
        elif key.release is not None and _is_newer(session, has, name, key.release):
            has = None
    renderings = Renderings(partner)
    decision = due(has, order, renderings, key)
    if isinstance(decision, Nothing):
        nothing_due(session, trade, name, documents)
        return None
    # The supplier may have it by other means, so whether it is sent is a setting's or a user's decision.
    if record.known and last is None and not _is_allowed(session, record, name):
        waits = _known_order(session, record, key, has_baseline=known_revision > 0)
        if waits is not None:
            return waits if isinstance(waits, Waits) else None
    # After the decision: an order with nothing due is not held because of its number.
    if taken := numbers.taken(trade):
        return hold(session, trade, name, taken)
    # A new order may be one that a lost state sent under another number.
    if isinstance(decision, Send850) and last is None and (reasons := orphans(session, trade, order.created_at)):
        return hold(session, trade, name, reasons)
    return _prepared(session, record, renderings, decision, last, known_revision, name, documents)


def _is_newer(session: Session, has: Order, stream: str, release: str) -> bool:
    """Whether a release is newer than the order that its supplier knows by other means: then it is a new order.

    A forecast was no order. A decision of a user about this release counts instead.
    """
    return not session.store.orders.known_revision(stream) and not releases_of_stream(has, release)


def _moved_since_known(session: Session, trade: Trade, has: Order, now: Order) -> tuple[Reason, ...]:
    """Why a known order is no longer the one that its supplier has: an 860 would be about another order."""
    if session.config.documents.known_orders is KnownOrders.IGNORE:
        return ()
    # A supplier that only has another code now is the same supplier.
    was = now.supplier_code if has.supplier_id == now.supplier_id else has.supplier_code
    return moved_since_known(trade, was, has.number)


def _was_sent_by_release(documents: Iterable[Document]) -> bool:
    return any(d.order_release is not None and not d.state.is_abandoned for d in documents)


_SENT_BY_RELEASE = Reason(
    code="sent-singly",
    where="order",
    message="its releases were sent as separate orders, and the order would now be sent as a whole: the supplier "
    "would receive it twice",
    fix='Set `releases = "order-per-release"` again (and the order to blanket in Plex); or resolve it with the'
    " supplier, then `plexstedi review accept ID --reason TEXT`.",
)


def _is_allowed(session: Session, record: OrderRecord, stream: str) -> bool:
    """Whether a user allowed this stream of a known order to be sent.

    A decision about one release is none about the others: each has a review item of its own.
    """
    if record.allowed < record.latest:
        return False
    return not session.store.reviews.is_open(ReviewKind.KNOWN_ORDER_CHANGED, of_stream(stream))


def _known_order(
    session: Session, record: OrderRecord, key: StreamKey, *, has_baseline: bool
) -> Waits | Nothing | None:
    """Apply `documents.known_orders` to a changed order from before the start of polling. None: it may be sent."""
    name = key.name
    policy = session.config.documents.known_orders
    if policy is KnownOrders.IGNORE:
        session.store.orders.set_known_revision(name, record.latest)
        session.note("known-order-ignored", of_order(record.number), order_id=record.id, revision=record.latest)
        return Nothing()
    if policy is KnownOrders.SEND and has_baseline:
        return None
    what = "changed" if has_baseline else "has never been sent from here"
    reason = Reason(
        code="known-order",
        where=trade_of_order(record).where(name),
        message=f"it was created before PlexStedi sent orders to this supplier, and {what} (revision {record.latest})",
        fix="`plexstedi review accept ID --reason TEXT` sends it, `plexstedi review reject ID --reason TEXT` marks "
        "it as known to the supplier.",
    )
    new = session.open_review(
        ReviewKind.KNOWN_ORDER_CHANGED,
        of_stream(name),
        (reason,),
        supplier=record.supplier,
        order_id=record.id,
        order_number=record.number,
    )
    session.run.counts.documents_held += int(new)
    return Waits()


def _prepared(
    session: Session,
    record: OrderRecord,
    renderings: Renderings,
    decision: Sendable | DueHeld,
    last: Document | None,
    supplier_has: int,
    stream: str,
    documents: Sequence[Document],
) -> DueDocument | Waits:
    """The document to send; a hold if it cannot be built or may not be sent."""
    trade = trade_of_order(record)
    if isinstance(decision, DueHeld):
        return hold(session, trade, stream, decision.reasons)
    key, order = decision.stream, decision.order
    kind = "850" if isinstance(decision, Send850 | Replace850) else "860"
    if kind not in session.config.documents.send:
        return hold(session, trade, stream, (_kind_not_sent(kind),))
    change_sequence, purpose = _next_change_sequence(decision, last), _purpose_of(decision)
    prepared = prepared_for(
        session.store,
        decision,
        renderings,
        revision=record.latest,
        change_sequence=change_sequence,
        last=last,
        supplier_has=supplier_has,
    )
    if isinstance(prepared, Held):
        return hold(session, trade, stream, prepared.reasons)
    return ready_to_send(
        session,
        trade,
        prepared,
        renderings.partner,
        stream=stream,
        documents=documents,
        dated=order.order_date,
        purpose=purpose,
        change_sequence=change_sequence,
        order_release=key.release,
        mark=order_mark(order, key, renderings),
    )


def _next_change_sequence(decision: Sendable, last: Document | None) -> int:
    """0 for the first 850 of a stream, then counting up (RULES.md Sending 8: BCH05 counts from 1)."""
    if isinstance(decision, Send850) and last is None:
        return 0
    return (0 if last is None else last.change_sequence) + 1


def _purpose_of(decision: Sendable) -> str:
    """BEG01 or BCH01 of the due document (X12 element 353)."""
    match decision:
        case Send850():
            return decision.purpose
        case Replace850():
            return "05"
        case Cancel860():
            return "01"
        case Change860():
            return "04"


def _kind_not_sent(kind: str) -> Reason:
    return Reason(
        code=f"{kind}-not-sent",
        where="order",
        message=f"an {kind} is due and documents.send does not list it",
        fix=f'Add "{kind}" to documents.send, or resolve it with the supplier, then'
        " `plexstedi review accept ID --reason TEXT`.",
    )
