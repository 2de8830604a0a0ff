"""`poll`: store what changed in Plex since the last poll as revisions.

A window is listed, its orders are stored as work, and the cursor advances once all of them are read; an interrupted run
leaves the rest to the next one. A daily sweep reads every open order: it finds what no window shows (line-only edits,
deletions, rows committed late).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from plexstedi.edi.order import Order, Phase
from plexstedi.plain_text import many
from plexstedi.plex.port import Touched, Window
from plexstedi.state.cursors import Fact
from plexstedi.state.orders import Orders, Work
from plexstedi.state.subject import Subject
from plexstedi.sync.isolation import Turns, try_again_after_update
from plexstedi.sync.poll import invoices
from plexstedi.sync.poll.odd_rows import close_odd_row_reviews, has_odd_rows, open_odd_record_reviews
from plexstedi.sync.poll.pending import Progress, read_pending
from plexstedi.sync.poll.receipts import read_receipts_of_plex
from plexstedi.sync.session import Session
from plexstedi.sync.stages import Stage

COMMIT_DELAY = timedelta(minutes=1)
"""A window ends this long ago, so that rows being committed in Plex are not missed."""
FIRST_LOOK_BACK = timedelta(hours=24)


class Plan(Struct, frozen=True):
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
    session.services.check_tenant()
    until = session.clock.monotonic() + (seconds if seconds is not None else session.deadline.left(session.clock))
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
        cursors.note_timezone(session.config.plex.timezone, now)
        start = _start(session, now)
    progress = Progress(until, Turns(session, Stage.POLL), odd_rows=has_odd_rows(session))
    _read_all(session, progress, start, invoices_start, since=since, full=full, now=now)
    # Also if the time ran out: orders without a response are reported by this run.
    progress.orders.raise_unanswered()


def _read_all(
    session: Session,
    progress: Progress,
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
    if cursors.get(Fact.WINDOW_END) is not None and not read_pending(session, "window", start, progress):
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
        if not read_pending(session, "window", start, progress):
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
    read_pending(session, "sweep", start, progress)


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
    touched = session.services.plex.touched_orders(window)
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
    open_now = {one.order_id: one for one in session.services.plex.open_orders()}
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
    reading = session.services.plex.order(order_id)
    if isinstance(reading, Order) and reading.phase not in (Phase.RELEASED, Phase.UNRELEASED):
        return
    session.suspect(
        "sweep-empty",
        f"Plex had {many(known, 'open order')} before and now lists none of them: a permission or the tenant may have"
        " changed",
    )
