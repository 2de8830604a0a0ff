"""`poll`: store what changed in Plex since the last poll as revisions.

A window is listed, its orders are stored as work, and the cursor advances once all of them are read; an interrupted run
leaves the rest to the next one. A daily sweep reads every open order: it finds what no window shows (line-only edits,
deletions, rows committed late).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from plexstedi.edi.order import Order, Phase, Supplier
from plexstedi.errors import PlexStediError, ServiceRefused, ServiceUnavailable
from plexstedi.plex.port import (
    OrderReading,
    Touched,
    UnavailableOrder,
    UnforeseenOrder,
    UnreadableOrder,
    VanishedOrder,
    Window,
)
from plexstedi.plex.rest.client import QUERY_REFUSED, UNREADABLE
from plexstedi.state.cursors import Fact
from plexstedi.state.orders import Orders, Work
from plexstedi.state.subject import Subject
from plexstedi.sync.isolation import Turns, isolated, order_reading, try_again_after_update
from plexstedi.sync.poll import invoices
from plexstedi.sync.poll.odd_rows import close_odd_row_reviews, has_odd_rows, open_odd_record_reviews
from plexstedi.sync.poll.receipts import read_receipts_of_plex
from plexstedi.sync.poll.record_order import marks_of, record_reading
from plexstedi.sync.session import Session
from plexstedi.sync.setup import check_tenant
from plexstedi.sync.stages import Stage
from plexstedi.sync.timezones import note_timezone

COMMIT_DELAY = timedelta(minutes=1)
"""A window ends this long ago, so that rows being committed in Plex are not missed."""
FIRST_LOOK_BACK = timedelta(hours=24)
_BATCH = 25


@dataclass(frozen=True)
class Plan:
    """What a poll reads: a window, unless it would be empty, and whether to sweep."""

    window: Window | None
    sweep: bool
    why_sweep: str = ""


def plan_poll(
    *,
    now: datetime,
    start: datetime,
    cursor: datetime | None,
    overlap: timedelta,
    swept: datetime | None,
    sweep_every: timedelta,
    since: datetime | None = None,
    full: bool = False,
) -> Plan:
    """Decide what to read.

    `cursor`: end of the last stored window; `swept`: begin of the last complete sweep. If the clock was set back, the
    cursor is in the future and a sweep finds what windows would miss (DESIGN.md section 6).
    """
    end = now - COMMIT_DELAY
    begin = since if since is not None else (start if cursor is None else cursor - overlap)
    window = Window(begin, end) if begin < end else None
    if full:
        return Plan(window, True, "asked for")
    if swept is None:
        return Plan(window, True, "the first one")
    # Windows would start in the future and miss every change until then.
    if cursor is not None and cursor > now:
        return Plan(window, True, "the clock was set back")
    if now - swept >= sweep_every:
        return Plan(window, True, "due")
    return Plan(window, False)


def poll(session: Session, *, since: datetime | None = None, full: bool = False, seconds: float | None = None) -> None:
    """Read what changed. `seconds`: this stage's share of the run; the rest is left to the next run.

    Raise ServiceUnavailable, ServiceRefused, SuspicionStop, Interrupted; what was stored stays stored.
    """
    check_tenant(session)
    until = session.clock.monotonic() + (seconds if seconds is not None else session.time_left())
    try_again_after_update(session)
    try:
        _poll(session, since=since, full=full, until=until)
    finally:
        open_odd_record_reviews(session)


def _poll(session: Session, *, since: datetime | None, full: bool, until: float) -> None:
    cursors = session.store.cursors
    now = session.clock.now()
    with session.store.transaction():
        if full:
            session.store.plex_rows.forget()
        # Before BEGAN is set: whether this is the first poll decides which invoices count as known.
        invoices_start = invoices.set_start(session, now, _orders_start(session, now))
        note_timezone(cursors, session.config.plex.timezone, now)
        start = _start(session, now)
    progress = _Progress(until, Turns(session, Stage.POLL), odd_rows=has_odd_rows(session))
    _read_all(session, progress, start, invoices_start, since=since, full=full, now=now)
    # Also if the time ran out: orders without a response are reported by this run.
    progress.orders.raise_unanswered()


def _read_all(
    session: Session,
    progress: _Progress,
    start: datetime,
    invoices_start: datetime,
    *,
    since: datetime | None,
    full: bool,
    now: datetime,
) -> None:
    """Read pending work, the window and, when due, the sweep; stop early when the time is over."""
    cursors = session.store.cursors
    # An interrupted run left a window: finish it first, so that the cursor advances without a gap.
    if cursors.get(Fact.WINDOW_END) is not None and not _read_pending(session, "window", start, progress):
        return
    poll_config = session.config.plex.poll
    plan = plan_poll(
        now=now,
        start=start,
        cursor=cursors.time(Fact.PLEX_CURSOR),
        overlap=timedelta(minutes=poll_config.overlap_minutes),
        swept=cursors.time(Fact.SWEEP_STARTED),
        sweep_every=timedelta(hours=poll_config.sweep_hours),
        since=since,
        full=full,
    )
    if plan.window is not None:
        _list_window(session, plan.window)
        if not _read_pending(session, "window", start, progress):
            return
    if invoices.wanted(session):
        # Two sweep intervals, so that a late sweep leaves no gap.
        look_back = now - 2 * timedelta(hours=poll_config.sweep_hours) if plan.sweep else None
        if not invoices.poll_invoices(session, now - COMMIT_DELAY, invoices_start, progress.until, since, look_back):
            return
    # A change order may state what is left to receive (POC04). Otherwise receipts are read before they are needed.
    # A receipt that could not be read is read again until it can be.
    if plan.sweep or progress.odd_rows or session.store.orders.any_not_up_to_date():
        read_receipts_of_plex(session, now)
    # The previous sweep is complete except for skipped orders: listing again would only repeat it.
    if plan.sweep and session.store.orders.work_left("sweep") == len(progress.skipped):
        _list_sweep(session, now, plan.why_sweep)
    _read_pending(session, "sweep", start, progress)


def _start(session: Session, now: datetime) -> datetime:
    """Store and return the start: earlier orders count as known to their suppliers. Fixed at the first poll."""
    cursors = session.store.cursors
    began = cursors.time(Fact.BEGAN)
    start = _orders_start(session, now)
    if began is None or cursors.time(Fact.START) != start:
        with session.store.transaction():
            if began is None:
                cursors.put_time(Fact.BEGAN, now)
            cursors.put_time(Fact.START, start)
    return start


def _orders_start(session: Session, now: datetime) -> datetime:
    return session.config.plex.poll.start or session.store.cursors.time(Fact.START) or now - FIRST_LOOK_BACK


def _list_window(session: Session, window: Window) -> None:
    touched = session.plex.touched_orders(window)
    orders = session.store.orders
    work = [Work(one.order_id, one.number, "window") for one in touched if not _already_read(orders, one)]
    with session.store.transaction():
        close_odd_row_reviews(session, {row for one in touched for row in one.marks})
        orders.add_work(work)
        session.store.cursors.put_time(Fact.WINDOW_BEGIN, window.begin)
        session.store.cursors.put_time(Fact.WINDOW_END, window.end)


def _already_read(orders: Orders, touched: Touched) -> bool:
    """Whether every row in the window was already read in its current version."""
    if orders.get(touched.order_id) is None:
        return False
    marks = orders.marks(touched.order_id)
    return all(marks.get(row) == at for row, at in touched.marks.items())


def _list_sweep(session: Session, now: datetime, why: str) -> None:
    open_now = {one.order_id: one for one in session.plex.open_orders()}
    known = session.store.orders.open_ids()
    gone = [order_id for order_id in known if order_id not in open_now]
    if known and len(gone) == len(known):
        # A lost permission looks like an empty list, and would mark every order as closed.
        _suspect_empty_sweep(session, gone[0], len(known))
    orders = session.store.orders
    work = []
    for order_id, number in {**known, **{i: one.number for i, one in open_now.items()}}.items():
        record = orders.get(order_id)
        # A clock that was ahead left read times in the future: those do not count as read in this poll.
        if record is None or not now <= record.read_at <= session.clock.now():
            work.append(Work(order_id, number, "sweep"))
    with session.store.transaction():
        orders.add_work(work)
        cursors = session.store.cursors
        cursors.put_time(Fact.SWEEP_STARTED, now)
        if (cursor := cursors.time(Fact.PLEX_CURSOR)) is not None and cursor > now:
            # The sweep reads every open order, so windows may restart from here.
            cursors.put_time(Fact.PLEX_CURSOR, now - COMMIT_DELAY)
        session.note(
            "sweep-started",
            Subject("run"),
            why=why,
            open_orders=len(open_now),
            known_open=len(known),
            to_read=len(work),
        )


def _suspect_empty_sweep(session: Session, order_id: str, known: int) -> None:
    """The list has none of the known open orders: plausible only if they are really closed, so one is read to check."""
    reading = session.plex.order(order_id)
    if isinstance(reading, Order) and reading.phase not in (Phase.RELEASED, Phase.UNRELEASED):
        return
    session.suspect(
        "sweep-empty",
        f"Plex lists none of the {known} open orders that it had before: a permission or the tenant may have changed",
    )


@dataclass
class _Progress:
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


def _read_pending(session: Session, origin: str, start: datetime, progress: _Progress) -> bool:
    """Read the pending orders; return whether all of this origin were read. The cursor then advances.

    An order without a response from Plex blocks neither other orders nor the window: it stays pending.
    """
    orders = session.store.orders
    total = orders.work_left()
    done, limit = 0, session.config.plex.requests_per_minute
    size = _BATCH
    late = progress.late()
    refused: list[tuple[Work, ServiceRefused]] = []
    # Orders that failed before come last: they must not use up the time of the others.
    while work := orders.work(size, excluding=progress.skipped | late) or orders.work(size, excluding=progress.skipped):
        if origin == "window" and orders.work_left("window") == 0:
            break
        if session.clock.monotonic() >= progress.until:
            left = orders.work_left()
            session.run.warn(
                f"{left} orders are still to be read from Plex{reading_time(left, limit)}; the next run continues"
            )
            _report_refused(session, refused, start, progress, others=done > 0)
            return False
        wanted = {item.order_id: item for item in work}
        try:
            for reading in session.plex.orders(list(wanted)):
                session.checkpoint()
                item = wanted.pop(reading.id if isinstance(reading, Order) else reading.order_id)
                _read(session, reading, item, start, progress)
                done += 1
                session.progress(f"reading orders from Plex{reading_time(total, limit)}", done, total)
        except ServiceUnavailable as fault:
            if fault.code == "time-limit":
                raise
            if len(work) == 1:
                _read(session, UnavailableOrder(work[0].order_id, work[0].number, fault), work[0], start, progress)
            # A single order may make the joint call fail: read each one separately.
            size = 1
        except ServiceRefused as fault:
            if fault.code != QUERY_REFUSED:
                raise
            if len(work) == 1:
                progress.skipped.add(work[0].order_id)
                refused.append((work[0], fault))
            size = 1
        except PlexStediError:
            raise
        except Exception as error:
            if len(work) == 1:
                _read(session, UnforeseenOrder(work[0].order_id, work[0].number, error), work[0], start, progress)
            size = 1
    _report_refused(session, refused, start, progress, others=done > 0)
    cursors = session.store.cursors
    with session.store.transaction():
        # Every order of the window is stored or queued: the cursor may advance.
        if (end := cursors.time(Fact.WINDOW_END)) is not None:
            cursors.put_time(Fact.PLEX_CURSOR, end)
            cursors.put(Fact.WINDOW_BEGIN, None)
            cursors.put(Fact.WINDOW_END, None)
        if origin == "sweep" and orders.work_left() == 0:
            cursors.put(Fact.SWEEP_FINISHED, cursors.get(Fact.SWEEP_STARTED))
    return True


def _report_refused(
    session: Session,
    refused: Sequence[tuple[Work, ServiceRefused]],
    start: datetime,
    progress: _Progress,
    *,
    others: bool,
) -> None:
    """Treat orders whose requests Plex rejects, while others succeed, as without a response.

    Raise ServiceRefused if no order was read and this one never failed before: the request itself is then wrong.
    """
    for item, fault in refused:
        if not others and not progress.orders.failed_earlier(order_reading(item.order_id, item.number)):
            raise fault
        unanswered = ServiceUnavailable(fault.message, fix=fault.fix, code="record-refused")
        _read(session, UnavailableOrder(item.order_id, item.number, unanswered), item, start, progress)


def _read(session: Session, reading: OrderReading, item: Work, start: datetime, progress: _Progress) -> None:
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
        return order, session.plex.supplier(order.supplier_id, order.supplier_address_id)
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
