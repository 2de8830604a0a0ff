"""Store one order as read from Plex: revision, trading status, deletion."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from plexstedi.edi.order import Order, Phase, Supplier
from plexstedi.edi.reasons import Reason
from plexstedi.plex.port import (
    UnreadableOrder,
    VanishedOrder,
)
from plexstedi.state.cursors import Fact
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import of_order
from plexstedi.sync.session import Session
from plexstedi.sync.timezones import in_stored_timezone


def record_reading(
    session: Session,
    reading: Order | UnreadableOrder | VanishedOrder,
    number: str,
    start: datetime,
    supplier: Supplier | None,
) -> None:
    """Store one order and its supplier as read from Plex; inside the caller's transaction."""
    if isinstance(reading, UnreadableOrder):
        session.run.counts.orders_seen += 1
        reason = Reason(code="order-unreadable", where="order", message=reading.reason, fix=reading.fix)
        number = reading.number or number
        session.open_review(ReviewKind.ORDER_UNREADABLE, of_order(reading.order_id), (reason,), order_number=number)
        return
    if isinstance(reading, VanishedOrder):
        _record_vanished(session, reading.order_id)
        return
    session.run.counts.orders_seen += 1
    reading = in_stored_timezone(session, reading)
    session.withdraw_review(ReviewKind.ORDER_UNREADABLE, of_order(reading.id), "it can be read now")
    now = session.clock.now()
    began = session.store.cursors.time(Fact.BEGAN) or now
    known = reading.created_at is not None and reading.created_at < start
    baseline = reading.modified_at is None or reading.modified_at <= began
    before = session.store.orders.get(reading.id)
    first = before is None
    revision = session.store.orders.record(reading, marks=marks_of(reading), now=now, known=known, baseline=baseline)
    _record_trade(session, reading, None if before is None else before.supplier)
    if supplier is not None:
        session.store.orders.set_supplier(supplier, reading.supplier_address_id)
    if revision is None:
        return
    # At the first poll, thousands of known orders are read: they are no changes.
    if not (first and known):
        _count_change(session, reading)
    session.note(
        "order-seen" if first else "order-changed",
        of_order(reading.number),
        order_id=reading.id,
        revision=revision,
        phase=reading.phase,
        supplier=reading.supplier_code,
        known=known if first else None,
    )


def _count_change(session: Session, order: Order) -> None:
    session.run.counts.orders_changed += 1
    session.run.counts.orders_not_reported += int(not _is_reported(session, order))


def _is_reported(session: Session, order: Order) -> bool:
    """Whether a change of this order is worth reporting: not for drafts and orders not exchanged by EDI.

    Changes of an order that was sent always are.
    """
    record = session.store.orders.get(order.id)
    traded = record is not None and not record.untraded
    return (traded and order.phase is not Phase.UNRELEASED) or bool(session.store.documents.of_order(order.id))


def _record_trade(session: Session, order: Order, supplier_before: str | None) -> None:
    """Record whether the order's supplier is traded with by EDI."""
    orders = session.store.orders
    record = orders.get(order.id)
    assert record is not None
    untraded = order.supplier_code not in session.config.suppliers
    # An order that was sent stays traded: its supplier has it, even if Plex now names another one.
    if untraded and not record.untraded and not session.store.documents.of_order(order.id):
        orders.set_untraded(order.id, True)
        session.note("order-not-traded", of_order(order.number), order_id=order.id, supplier=order.supplier_code)
    # Given to a supplier with settings: it cannot have the order by other means, as the orders can that it already had
    # when it received its table.
    if record.untraded and not untraded and supplier_before != order.supplier_code:
        orders.set_untraded(order.id, False)
        session.note("order-traded", of_order(order.number), order_id=order.id, supplier=order.supplier_code)


def _record_vanished(session: Session, order_id: str) -> None:
    record = session.store.orders.get(order_id)
    if record is None or record.phase is Phase.VANISHED:
        return
    last = session.store.orders.revision(order_id, record.latest)
    gone = replace(last, phase=Phase.VANISHED)
    revision = session.store.orders.record(
        gone, marks=session.store.orders.marks(record.id), now=session.clock.now(), known=record.known, baseline=False
    )
    _count_change(session, last)
    session.note("order-vanished", of_order(record.number), order_id=order_id, revision=revision)


def marks_of(order: Order) -> dict[str, datetime]:
    marks = {} if order.modified_at is None else {order.id: order.modified_at}
    for line in order.lines:
        marks.update({r.id: r.modified_at for r in line.releases if r.modified_at is not None})
    return marks
