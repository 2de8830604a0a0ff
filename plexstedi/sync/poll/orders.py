"""`poll`: what changed in Plex since the last look becomes revisions in the state.

A window is listed first, its orders are noted as work, and the cursor moves only when all of them are stored; a run
that ends in between leaves the rest to the next one. A sweep looks at every open order once a day: it finds what no
window shows (line-only edits, deletions, rows committed late).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from plexstedi.edi.order import Order, Phase, Supplier
from plexstedi.edi.reasons import Reason
from plexstedi.errors import PlexStediError, ServiceRefused, ServiceUnavailable
from plexstedi.plex.port import (
    OrderReading,
    Receipt,
    UnansweredOrder,
    UnforeseenOrder,
    UnreadableOrder,
    VanishedOrder,
    Window,
)
from plexstedi.plex.rest.client import QUESTION_REFUSED, UNREADABLE
from plexstedi.state.cursors import Fact
from plexstedi.state.orders import OrderRecord, Work
from plexstedi.state.reviews import ReviewKind
from plexstedi.sync.isolation import Record, Turns, hold, isolated, order_reading, try_again_after_update
from plexstedi.sync.poll import invoices
from plexstedi.sync.session import Session
from plexstedi.sync.stages import Stage
from plexstedi.sync.tenant import check_tenant
from plexstedi.sync.timezones import as_it_was_read, note_timezone

SETTLING = timedelta(minutes=1)
"""A window ends this long ago, so that what is just being committed in Plex is not passed over."""
FIRST_LOOK_BACK = timedelta(hours=24)
RECEIPTS_LOOK_BACK = timedelta(days=90)
RECEIPTS_OVERLAP = timedelta(days=3)
_BATCH = 25


@dataclass(frozen=True)
class Plan:
    """What a poll is to look at: a window, unless there is none yet, and whether to sweep."""

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
    """Decide what to look at.

    `cursor` is the end of the last window that was stored, `swept` the beginning of the last whole sweep. A clock that
    was set back leaves the cursor in the future: then a sweep finds what a window cannot (DESIGN.md section 6).
    """
    end = now - SETTLING
    begin = since if since is not None else (start if cursor is None else cursor - overlap)
    window = Window(begin, end) if begin < end else None
    if full:
        return Plan(window, True, "asked for")
    if swept is None:
        return Plan(window, True, "the first one")
    if cursor is not None and cursor > now:
        return Plan(window, True, "the clock was set back")
    if now - swept >= sweep_every:
        return Plan(window, True, "due")
    return Plan(window, False)


def poll(session: Session, *, since: datetime | None = None, full: bool = False, seconds: float | None = None) -> None:
    """Read what changed. `seconds` is this stage's share of the run; what is left waits for the next run.

    Raise ServiceUnavailable, ServiceRefused, SuspicionStop, Interrupted; what was stored until then stays stored.
    """
    check_tenant(session)
    until = session.clock.monotonic() + (seconds if seconds is not None else session.time_left())
    try_again_after_update(session)
    try:
        _poll(session, since=since, full=full, until=until)
    finally:
        ask_about_odd_records(session)


def _poll(session: Session, *, since: datetime | None, full: bool, until: float) -> None:
    memory = session.store.memory
    now = session.clock.now()
    with session.store.transaction():
        # Before polling begins: whether this is the first poll decides which invoices are known.
        invoices_start = invoices.fix_start(session, now, _orders_start(session, now))
        note_timezone(memory, session.config.plex.timezone, now)
        start = _start(session, now)
    turns = _Turns(until, Turns(session, Stage.POLL), odd_rows=_has_odd_rows(session))
    _read_all(session, turns, start, invoices_start, since=since, full=full, now=now)
    # Also where the time was over before all were read: what Plex did not answer for is told by this run.
    turns.orders.tell()


def _read_all(
    session: Session,
    turns: _Turns,
    start: datetime,
    invoices_start: datetime,
    *,
    since: datetime | None,
    full: bool,
    now: datetime,
) -> None:
    """Read what waits, what changed and, when it is due, everything; it ends early when the time is over."""
    memory = session.store.memory
    if memory.get(Fact.WINDOW_END) is not None and not _work_off(session, "window", start, turns):
        return
    poll_config = session.config.plex.poll
    plan = plan_poll(
        now=now,
        start=start,
        cursor=memory.time(Fact.PLEX_CURSOR),
        overlap=timedelta(minutes=poll_config.overlap_minutes),
        swept=memory.time(Fact.SWEEP_STARTED),
        sweep_every=timedelta(hours=poll_config.sweep_hours),
        since=since,
        full=full,
    )
    if plan.window is not None:
        _list_window(session, plan.window)
        if not _work_off(session, "window", start, turns):
            return
    if invoices.wanted(session):
        look_back = now - 2 * timedelta(hours=poll_config.sweep_hours) if plan.sweep else None
        if not invoices.poll_invoices(session, now - SETTLING, invoices_start, turns.until, since, look_back):
            return
    _read_receipts(session, now)
    if plan.sweep and session.store.orders.work_left("sweep") == len(turns.skipped):
        _list_sweep(session, now, plan.why_sweep)
    _work_off(session, "sweep", start, turns)


def _start(session: Session, now: datetime) -> datetime:
    """Before this time, orders are taken as known to their suppliers; fixed at the first poll."""
    memory = session.store.memory
    began = memory.time(Fact.BEGAN)
    start = _orders_start(session, now)
    if began is None or memory.time(Fact.START) != start:
        with session.store.transaction():
            if began is None:
                memory.put_time(Fact.BEGAN, now)
            memory.put_time(Fact.START, start)
    return start


def _orders_start(session: Session, now: datetime) -> datetime:
    return session.config.plex.poll.start or session.store.memory.time(Fact.START) or now - FIRST_LOOK_BACK


def _list_window(session: Session, window: Window) -> None:
    touched = session.plex.touched_orders(window)
    orders = session.store.orders
    work = [
        Work(one.order_id, one.number, "window")
        for one in touched
        if not _already_read(orders.get(one.order_id), one.marks)
    ]
    with session.store.transaction():
        _take_back_odd_rows(session, {row for one in touched for row in one.marks})
        orders.add_work(work)
        session.store.memory.put_time(Fact.WINDOW_BEGIN, window.begin)
        session.store.memory.put_time(Fact.WINDOW_END, window.end)


def _already_read(record: OrderRecord | None, marks: Mapping[str, datetime]) -> bool:
    """Whether every row that the window shows was read before as it is now."""
    return record is not None and all(record.marks.get(row) == at for row, at in marks.items())


def _list_sweep(session: Session, now: datetime, why: str) -> None:
    open_now = {one.order_id: one for one in session.plex.open_orders()}
    known = session.store.orders.open_ids()
    gone = [order_id for order_id in known if order_id not in open_now]
    if known and len(gone) == len(known):
        _suspect_empty_sweep(session, gone[0], len(known))
    orders = session.store.orders
    work = []
    for order_id, number in {**known, **{i: one.number for i, one in open_now.items()}}.items():
        record = orders.get(order_id)
        # A clock that was in the future has left readings from there: they are not from this poll.
        if record is None or not now <= record.read_at <= session.clock.now():
            work.append(Work(order_id, number, "sweep"))
    with session.store.transaction():
        orders.add_work(work)
        memory = session.store.memory
        memory.put_time(Fact.SWEEP_STARTED, now)
        if (cursor := memory.time(Fact.PLEX_CURSOR)) is not None and cursor > now:
            # All that is open is read now, so windows may begin here again.
            memory.put_time(Fact.PLEX_CURSOR, now - SETTLING)
        session.note(
            "sweep-started", "run", why=why, open_orders=len(open_now), known_open=len(known), to_read=len(work)
        )


def _suspect_empty_sweep(session: Session, order_id: str, known: int) -> None:
    """None of our open orders is in the list: right only if they really are no longer open."""
    reading = session.plex.order(order_id)
    if isinstance(reading, Order) and reading.phase not in (Phase.RELEASED, Phase.UNRELEASED):
        return
    session.suspect(
        "sweep-empty",
        f"Plex lists none of the {known} open orders that it had before: a permission or the tenant may have changed",
    )


@dataclass
class _Turns:
    """How far this poll has come with the orders that wait."""

    until: float
    """`Clock.monotonic` at which this stage has to end."""
    orders: Turns
    skipped: set[str] = field(default_factory=set)
    """Orders of which Plex did not answer: not asked again in this run."""
    odd_rows: bool = False
    """Whether there are review items about rows that belong to no order that could be told."""

    def late(self) -> set[str]:
        """Orders of which Plex did not answer in earlier runs: they are read after the others."""
        return self.orders.failing_orders()


def _work_off(session: Session, origin: str, start: datetime, turns: _Turns) -> bool:
    """Read the orders that wait. Whether all of this origin were read; then the cursor moves.

    An order of which Plex does not answer holds up no other and no window: it stays to be read.
    """
    orders = session.store.orders
    total = orders.work_left()
    done = 0
    size = _BATCH
    late = turns.late()
    refused: list[tuple[Work, ServiceRefused]] = []
    while work := orders.work(size, besides=turns.skipped | late) or orders.work(size, besides=turns.skipped):
        if origin == "window" and orders.work_left("window") == 0:
            break
        if session.clock.monotonic() >= turns.until:
            session.tally.warn(f"{orders.work_left()} orders are still to be read from Plex; the next run carries on")
            _tell_refused(session, refused, start, turns, others=done > 0)
            return False
        wanted = {item.order_id: item for item in work}
        try:
            for reading in session.plex.orders(list(wanted)):
                session.checkpoint()
                item = wanted.pop(reading.id if isinstance(reading, Order) else reading.order_id)
                _read(session, reading, item, start, turns)
                done += 1
                session.progress("reading orders from Plex", done, total)
        except ServiceUnavailable as fault:
            if fault.code == "time-limit":
                raise
            if len(work) == 1:
                _read(session, UnansweredOrder(work[0].order_id, work[0].number, fault), work[0], start, turns)
            # One of them may spoil the call for all: each is asked for alone.
            size = 1
        except ServiceRefused as fault:
            if fault.code != QUESTION_REFUSED:
                raise
            if len(work) == 1:
                turns.skipped.add(work[0].order_id)
                refused.append((work[0], fault))
            size = 1
        except PlexStediError:
            raise
        except Exception as error:
            if len(work) == 1:
                _read(session, UnforeseenOrder(work[0].order_id, work[0].number, error), work[0], start, turns)
            size = 1
    _tell_refused(session, refused, start, turns, others=done > 0)
    memory = session.store.memory
    with session.store.transaction():
        if (end := memory.time(Fact.WINDOW_END)) is not None:
            memory.put_time(Fact.PLEX_CURSOR, end)
            memory.put(Fact.WINDOW_BEGIN, None)
            memory.put(Fact.WINDOW_END, None)
        if origin == "sweep" and orders.work_left() == 0:
            memory.put(Fact.SWEEP_FINISHED, memory.get(Fact.SWEEP_STARTED))
    return True


def _tell_refused(
    session: Session, refused: Sequence[tuple[Work, ServiceRefused]], start: datetime, turns: _Turns, *, others: bool
) -> None:
    """Orders whose questions Plex does not take, while it answers for others: they are not answered for.

    Raise ServiceRefused where no order was read, nor was one known to fail: it is how Plex is asked.
    """
    for item, fault in refused:
        if not others and not turns.orders.failed_before(order_reading(item.order_id, item.number)):
            raise fault
        unanswered = ServiceUnavailable(fault.message, fix=fault.fix, code="record-refused")
        _read(session, UnansweredOrder(item.order_id, item.number, unanswered), item, start, turns)


def _read(session: Session, reading: OrderReading, item: Work, start: datetime, turns: _Turns) -> None:
    orders = session.store.orders
    record = order_reading(item.order_id, "" if isinstance(reading, VanishedOrder) else reading.number or item.number)
    supplier: Supplier | None = None
    with isolated(session, record) as turn:
        if isinstance(reading, UnforeseenOrder):
            raise reading.error
        if isinstance(reading, Order):
            reading, supplier = _with_supplier(session, reading)
        if isinstance(reading, UnansweredOrder):
            with session.store.transaction():
                orders.postpone_work(item.order_id)
            turns.skipped.add(item.order_id)
        else:
            with session.store.transaction():
                record_reading(session, reading, item.number, start, supplier)
                orders.finish_work(item.order_id)
                if isinstance(reading, Order) and turns.odd_rows:
                    _take_back_odd_rows(session, {reading.id, *_marks(reading)})
    if turn.held:
        # It is read again when it changes, by the daily sweep, or when a person asks for it.
        with session.store.transaction():
            orders.finish_work(item.order_id)
    elif isinstance(reading, UnansweredOrder):
        turns.orders.unanswered(record, reading.fault)
    else:
        turns.orders.succeeded(record)


def _with_supplier(session: Session, order: Order) -> tuple[Order | UnreadableOrder | UnansweredOrder, Supplier | None]:
    """The order with its supplier's name and address, as far as it is traded with; no transaction is open."""
    if order.supplier_code not in session.config.suppliers:
        return order, None
    try:
        return order, session.plex.supplier(order.supplier_id, order.supplier_address_id)
    except ServiceUnavailable as fault:
        if fault.code == "time-limit":
            raise
        if fault.code == UNREADABLE:
            return UnreadableOrder(order.id, order.number, fault.message, fault.fix), None
        return UnansweredOrder(order.id, order.number, fault), None


def record_reading(
    session: Session,
    reading: Order | UnreadableOrder | VanishedOrder,
    number: str,
    start: datetime,
    supplier: Supplier | None,
) -> None:
    """Store what Plex said of one order and its supplier; inside the caller's transaction."""
    if isinstance(reading, UnreadableOrder):
        session.tally.counts.orders_seen += 1
        reason = Reason(code="order-unreadable", where="order", message=reading.reason, fix=reading.fix)
        number = reading.number or number
        session.ask(ReviewKind.ORDER_UNREADABLE, f"order {reading.order_id}", (reason,), order_number=number)
        return
    if isinstance(reading, VanishedOrder):
        _record_vanished(session, reading.order_id)
        return
    session.tally.counts.orders_seen += 1
    reading = as_it_was_read(session, reading)
    session.withdraw(ReviewKind.ORDER_UNREADABLE, f"order {reading.id}", "it can be read now")
    now = session.clock.now()
    began = session.store.memory.time(Fact.BEGAN) or now
    known = reading.created_at is not None and reading.created_at < start
    baseline = reading.modified_at is None or reading.modified_at <= began
    first = session.store.orders.get(reading.id) is None
    revision = session.store.orders.record(reading, marks=_marks(reading), now=now, known=known, baseline=baseline)
    _record_trade(session, reading)
    if supplier is not None:
        session.store.orders.set_supplier(supplier)
    if revision is None:
        return
    if not (first and known):
        _count_change(session, reading)
    session.note(
        "order-seen" if first else "order-changed",
        f"order {reading.number}",
        order_id=reading.id,
        revision=revision,
        phase=reading.phase,
        supplier=reading.supplier_code,
        known=known if first else None,
    )


def _count_change(session: Session, order: Order) -> None:
    session.tally.counts.orders_changed += 1
    session.tally.counts.orders_of_no_news += int(not _is_news(session, order))


def _is_news(session: Session, order: Order) -> bool:
    """Whether a change of this order is a change to anybody: a draft, or an order that is not traded by EDI, is not.

    One that was sent is, whatever has become of it.
    """
    record = session.store.orders.get(order.id)
    traded = record is not None and not record.untraded
    return (traded and order.phase is not Phase.UNRELEASED) or bool(session.store.documents.of_order(order.id))


def _marks(order: Order) -> dict[str, datetime]:
    marks = {} if order.modified_at is None else {order.id: order.modified_at}
    for line in order.lines:
        marks.update({r.id: r.modified_at for r in line.releases if r.modified_at is not None})
    return marks


def _record_trade(session: Session, order: Order) -> None:
    """Note whether the order's supplier is traded with by EDI."""
    orders = session.store.orders
    record = orders.get(order.id)
    assert record is not None
    untraded = order.supplier_code not in session.config.suppliers
    # One that was sent stays in sight: its supplier has it, whoever Plex names now.
    if untraded and not record.untraded and not session.store.documents.of_order(order.id):
        orders.set_untraded(order.id, True)
        session.note("order-not-traded", f"order {order.number}", order_id=order.id, supplier=order.supplier_code)


def _record_vanished(session: Session, order_id: str) -> None:
    record = session.store.orders.get(order_id)
    if record is None or record.phase is Phase.VANISHED:
        return
    last = session.store.orders.revision(order_id, record.latest)
    gone = last.model_copy(update={"phase": Phase.VANISHED})
    revision = session.store.orders.record(
        gone, marks=record.marks, now=session.clock.now(), known=record.known, baseline=False
    )
    _count_change(session, last)
    session.note("order-vanished", f"order {record.number}", order_id=order_id, revision=revision)


def _read_receipts(session: Session, now: datetime) -> None:
    """Receipts have no modified filter: the window overlaps by days (plex/README.md 5.1)."""
    memory = session.store.memory
    cursor = memory.time(Fact.RECEIPTS_CURSOR)
    begin = now - RECEIPTS_LOOK_BACK if cursor is None else cursor - RECEIPTS_OVERLAP
    if begin >= now or not session.store.documents.any():
        return
    try:
        receipts = session.plex.receipts(Window(begin, now))
    except ServiceRefused as fault:
        if fault.code != "wrong-path":
            raise
        session.tally.warn(f"receipts cannot be read, so what came in already is not known: {fault.message}")
        return
    with session.store.transaction():
        for receipt in receipts:
            with isolated(session, _receipt_record(session, receipt)):
                session.store.receipts.record(
                    receipt.id, receipt.order_id, receipt.line_id, receipt.quantity, receipt.received_at
                )
        _take_back_odd_rows(session, {receipt.id for receipt in receipts})
        memory.put_time(Fact.RECEIPTS_CURSOR, now)


def _receipt_record(session: Session, receipt: Receipt) -> Record:
    mark = f"{receipt.quantity} {receipt.received_at.isoformat()}"
    return Record("store", f"receipt {receipt.id}", f"receipt {receipt.id}", mark, order_id=receipt.order_id)


def _odd_row(table: str, key: str, words: str) -> Record:
    return Record("read", f"{table} row {key}", words)


def _has_odd_rows(session: Session) -> bool:
    return any(review.kind is ReviewKind.RECORD_UNREADABLE for review in session.store.reviews.standing())


def _take_back_odd_rows(session: Session, rows: Collection[str]) -> None:
    """These rows, by their ids, can be read: review items about them close; inside the caller's transaction."""
    for review in session.store.reviews.standing():
        _, _, key = review.subject.rpartition(" row ")
        if review.kind is ReviewKind.RECORD_UNREADABLE and key in rows:
            session.withdraw(review.kind, review.subject, "it can be read now")


def ask_about_odd_records(session: Session) -> None:
    """Rows of Plex that could not be read and belong to nothing that is held instead: a review item each, once."""
    odd_records = session.plex.odd_records()
    if not odd_records:
        return
    with session.store.transaction():
        for odd in odd_records:
            words = f"a row of Plex's {odd.table} ({odd.words})"
            record = _odd_row(odd.table, odd.key, words)
            if odd.error is not None:
                hold(session, record, odd.error)
                continue
            reason = Reason(
                code="record-unreadable",
                where=odd.table,
                message=f"{words} cannot be read and was left out: {odd.reason}",
                fix="Correct the record in Plex, or set [plex.fields] if this tenant calls the field otherwise; then"
                " `plexstedi review accept ID --reason TEXT`.",
            )
            if not session.store.reviews.rejected(ReviewKind.RECORD_UNREADABLE, record.subject):
                session.ask(ReviewKind.RECORD_UNREADABLE, record.subject, (reason,))
