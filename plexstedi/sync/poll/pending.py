"""Read pending orders from Plex: work that a window or a sweep found, each order until it is stored.

An order that fails alone (no response, refused, an unforeseen error) blocks no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct, field

from plexstedi.edi.order import Order, Supplier
from plexstedi.errors import PlexStediError, ServiceRefused, ServiceUnavailable
from plexstedi.plain_text import many
from plexstedi.plex.port import OrderReading, UnavailableOrder, UnforeseenOrder, UnreadableOrder, VanishedOrder
from plexstedi.plex.rest.client import QUERY_REFUSED, UNREADABLE
from plexstedi.state.cursors import Fact
from plexstedi.state.orders import Work
from plexstedi.sync.isolation import Turns, isolated, order_reading
from plexstedi.sync.poll.odd_rows import close_odd_row_reviews
from plexstedi.sync.poll.record_order import marks_of, record_reading
from plexstedi.sync.session import Session

_BATCH = 25
_GROUP_SECONDS = 0.1
"""Orders that are read within this time are committed together."""


class Progress(Struct):
    """Progress of this poll through the pending orders."""

    until: float
    """`Clock.monotonic` at which this stage has to end."""
    orders: Turns
    skipped: set[str] = field(default_factory=set)
    """Orders without a response from Plex: not read again in this run."""
    odd_rows: bool = False
    """Whether there are review items about rows that belong to no identifiable order."""

    def late(self) -> set[str]:
        """Orders without a response in earlier runs: they are read after the others."""
        return self.orders.failing_orders()


def read_pending(session: Session, origin: str, start: datetime, progress: Progress) -> bool:
    """Read the pending orders; return whether all of this origin were read. The cursor then advances.

    An order without a response from Plex blocks neither other orders nor the window: it stays pending.
    """
    orders = session.store.orders
    limit = session.config.plex.requests_per_minute
    reader = _PendingReader(session, start, progress, total=orders.work_left())
    late = progress.late()
    # Orders that failed before come last: they must not use up the time of the others.
    while work := (
        orders.work(reader.size, excluding=progress.skipped | late)
        or orders.work(reader.size, excluding=progress.skipped)
    ):
        if origin == "window" and orders.work_left("window") == 0:
            break
        if session.clock.monotonic() >= progress.until:
            left = orders.work_left()
            session.run.warn(
                f"still to be read from Plex: {many(left, 'order')}{reading_time(left, limit)}; the next run continues"
            )
            reader.report_refused()
            return False
        reader.read(work)
    reader.report_refused()
    _note_all_read(session, origin)
    return True


def _note_all_read(session: Session, origin: str) -> None:
    """Every order of the window is stored or queued: the cursor may advance."""
    cursors = session.store.cursors
    with session.store.transaction():
        if (end := cursors.time(Fact.WINDOW_END)) is not None:
            cursors.put_time(Fact.PLEX_CURSOR, end)
            cursors.put(Fact.WINDOW_BEGIN, None)
            cursors.put(Fact.WINDOW_END, None)
        if origin == "sweep" and session.store.orders.work_left() == 0:
            cursors.put(Fact.SWEEP_FINISHED, cursors.get(Fact.SWEEP_STARTED))


def may_be_of_one_order(error: Exception) -> bool:
    """Whether a joint reading can have failed for one of its orders. Else every reading would fail alike. Pure."""
    if isinstance(error, ServiceUnavailable):
        return error.code != "time-limit"
    if isinstance(error, ServiceRefused):
        return error.code == QUERY_REFUSED
    return not isinstance(error, PlexStediError)


class _PendingReader(Struct):
    """Reads pending orders, many with a call; once a call failed, each one separately."""

    session: Session
    start: datetime
    progress: Progress
    total: int
    size: int = _BATCH
    done: int = 0
    refused: list[tuple[Work, ServiceRefused]] = field(default_factory=list)

    def read(self, work: Sequence[Work]) -> None:
        """Read these orders. Raise what is not about a single order."""
        session = self.session
        wanted = {item.order_id: item for item in work}
        told = f"reading orders from Plex{reading_time(self.total, session.config.plex.requests_per_minute)}"
        try:
            with session.store.group():
                began = session.clock.monotonic()
                for reading in session.services.plex.orders(list(wanted)):
                    session.checkpoint()
                    item = wanted.pop(reading.id if isinstance(reading, Order) else reading.order_id)
                    self._take(reading, item)
                    self.done += 1
                    session.progress(told, self.done, self.total)
                    # Where Plex is slow each order is committed when it is read: the next may be long in coming.
                    if session.clock.monotonic() - began >= _GROUP_SECONDS:
                        session.store.database.write_group()
                        began = session.clock.monotonic()
        except Exception as error:
            if not may_be_of_one_order(error):
                raise
            if len(work) == 1:
                self._failed(work[0], error)
            self.size = 1

    def report_refused(self) -> None:
        """Treat orders whose requests Plex rejects, while others succeed, as without a response.

        Raise ServiceRefused if no order was read and this one never failed before: the request itself is then wrong.
        """
        for item, fault in self.refused:
            if not self.done and not self.progress.orders.failed_earlier(order_reading(item.order_id, item.number)):
                raise fault
            unanswered = ServiceUnavailable(fault.message, fix=fault.fix, code="record-refused")
            self._take(UnavailableOrder(item.order_id, item.number, unanswered), item)

    def _failed(self, item: Work, error: Exception) -> None:
        if isinstance(error, ServiceRefused):
            self.progress.skipped.add(item.order_id)
            self.refused.append((item, error))
        elif isinstance(error, ServiceUnavailable):
            self._take(UnavailableOrder(item.order_id, item.number, error), item)
        else:
            self._take(UnforeseenOrder(item.order_id, item.number, error), item)

    def _take(self, reading: OrderReading, item: Work) -> None:
        _read(self.session, reading, item, self.start, self.progress)


def _read(session: Session, reading: OrderReading, item: Work, start: datetime, progress: Progress) -> None:
    orders = session.store.orders
    record = order_reading(item.order_id, "" if isinstance(reading, VanishedOrder) else reading.number or item.number)
    supplier: Supplier | None = None
    with isolated(session, record) as turn:
        if isinstance(reading, UnforeseenOrder):
            raise reading.error
        if isinstance(reading, Order):
            reading, supplier = _with_supplier(session, reading)
        if isinstance(reading, UnavailableOrder):
            with session.store.transaction():
                orders.postpone_work(item.order_id)
            progress.skipped.add(item.order_id)
        else:
            with session.store.transaction():
                record_reading(session, reading, item.number, start, supplier)
                orders.finish_work(item.order_id)
                if isinstance(reading, Order) and progress.odd_rows:
                    close_odd_row_reviews(session, {reading.id, *marks_of(reading)})
    if turn.held:
        # Not pending any more: it is read again when it changes, by the daily sweep, or on a user's request.
        with session.store.transaction():
            orders.finish_work(item.order_id)
    elif isinstance(reading, UnavailableOrder):
        progress.orders.no_response(record, reading.fault)
    else:
        progress.orders.succeeded(record)


def _with_supplier(
    session: Session, order: Order
) -> tuple[Order | UnreadableOrder | UnavailableOrder, Supplier | None]:
    """The order with its supplier's name and address; without them if its supplier has no settings."""
    if order.supplier_code not in session.config.suppliers:
        return order, None
    try:
        return order, session.services.plex.supplier(order.supplier_id, order.supplier_address_id)
    except ServiceUnavailable as fault:
        if fault.code == "time-limit":
            raise
        if fault.code == UNREADABLE:
            return UnreadableOrder(order.id, order.number, fault.message, fault.fix), None
        return UnavailableOrder(order.id, order.number, fault), None


def reading_time(orders: int, limit: int) -> str:
    """How long so many orders take at this limit of calls a minute, at one call each; empty for up to a minute."""
    minutes = -(-orders // limit)
    return "" if minutes < 2 else f" (at least {minutes} minutes at {limit} calls a minute)"
