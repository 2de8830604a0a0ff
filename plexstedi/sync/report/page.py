"""Everything that the page of `status --html` shows, read from the state file.

Its cost depends on open orders, and on the days of the last year, each of which is one stored record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from plexstedi.config.load import Config
from plexstedi.config.machine_tables import ReportConfig
from plexstedi.edi.deadlines import DeadlineKind, OverdueLevel
from plexstedi.edi.order import Order
from plexstedi.state.document import Document
from plexstedi.state.document_states import DocumentState, FunctionalStatus
from plexstedi.state.store import Store
from plexstedi.sync.health import EVERY_MINUTES, Health
from plexstedi.sync.ingest.deadlines import LateDocument
from plexstedi.sync.report.lines import OrderLine, lines_of
from plexstedi.sync.report.overview import OrderRow, Overview, open_order_rows, overview
from plexstedi.sync.report.risks import (
    OpenLine,
    OpenOrder,
    RiskyLine,
    difference,
    due_soon,
    lateness,
    next_due,
    worst_lines,
)
from plexstedi.sync.statistics.daily import days_until
from plexstedi.sync.statistics.scorecards import DayRecord, Scorecard, scorecards
from plexstedi.sync.statistics.stages import stage_of_last

PERIODS = (30, 90, 365)
"""Days of the scorecards."""


class PageData(Struct, frozen=True):
    """What the page shows, of one supplier or of all."""

    supplier: str | None
    now: datetime
    today: date
    """In the tenant's time zone."""
    every_minutes: int
    radar_days: int
    seen: Overview
    health: Health
    orders: Sequence[OpenOrder] = ()
    late: Sequence[RiskyLine] = ()
    due_soon: Sequence[RiskyLine] = ()
    differs: Sequence[RiskyLine] = ()
    overdue: Sequence[LateDocument] = ()
    """Deliveries and acknowledgments that are overdue, or past their warning."""
    failed: Sequence[Document] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    """Suppliers by code."""
    days: Mapping[date, DayRecord] = field(default_factory=dict)
    cards: Mapping[int, Sequence[Scorecard]] = field(default_factory=dict)
    """By period."""

    @property
    def closed_orders(self) -> int:
        """Orders that are only counted."""
        return max(0, sum(self.seen.orders.values()) - len(self.orders))


def page_data(
    store: Store, config: Config | None, health: Health, now: datetime, supplier: str | None = None
) -> PageData:
    """Read the page. Raise UsageFault for an unknown supplier."""
    seen = overview(store, config, now, supplier)
    today, settings = _today(config, now), {} if config is None else config.suppliers
    radar = (ReportConfig() if config is None else config.report).radar_days
    names = _Names(store)
    orders = sorted(
        (_open_order(store, row, reviews, names) for row, reviews in _rows(store, seen, supplier)),
        key=lambda order: (order.due or date.max, order.record.number, order.record.id),
    )
    awaited = [one for one in orders if not one.record.untraded]
    days = days_until(store, settings, now)
    if supplier is not None:
        days = {day: _only(record, supplier) for day, record in days.items()}
    unanswered: dict[str, list[date]] = {}
    for one in seen.late:
        if one.late.kind is DeadlineKind.ACKNOWLEDGMENT and one.late.level is OverdueLevel.LIMIT:
            unanswered.setdefault(one.document.supplier, []).append(one.late.since.date())
    cards = {length: scorecards(days, unanswered, now.astimezone(UTC).date(), length) for length in PERIODS}
    for card in cards[PERIODS[-1]]:
        names(card.supplier)
    for counts in seen.suppliers:
        names(counts.supplier)
    return PageData(
        supplier=supplier,
        now=now,
        today=today,
        every_minutes=EVERY_MINUTES if config is None else config.run.every_minutes,
        radar_days=radar,
        seen=seen,
        health=health,
        orders=orders,
        late=worst_lines(awaited, lambda line: lateness(line, today), most_first=True),
        due_soon=worst_lines(awaited, lambda line: due_soon(line, today, radar), most_first=False),
        differs=worst_lines(awaited, difference, most_first=False),
        overdue=_most_overdue(seen.late),
        failed=_failed(store, orders, supplier),
        names=names.found,
        days=days,
        cards=cards,
    )


def _today(config: Config | None, now: datetime) -> date:
    name = None if config is None else config.plex.timezone
    return now.astimezone(UTC if name is None else ZoneInfo(name)).date()


def _only(record: DayRecord, supplier: str) -> DayRecord:
    """The record of one supplier; open orders are counted for all suppliers together."""
    suppliers = record.suppliers or {}
    return DayRecord(suppliers={code: one for code, one in suppliers.items() if code == supplier})


class _Names:
    """Names of suppliers, read once each."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.found: dict[str, str] = {}

    def __call__(self, code: str) -> str:
        if code not in self.found:
            supplier = self._store.orders.supplier(code)
            self.found[code] = code if supplier is None else supplier.name
        return self.found[code]


def _rows(store: Store, seen: Overview, supplier: str | None) -> list[tuple[OrderRow, tuple[int, ...]]]:
    reviews: dict[str, list[int]] = {}
    for review in seen.open_reviews:
        if review.order_id is not None:
            reviews.setdefault(review.order_id, []).append(review.id)
    return [(row, tuple(reviews.get(row.record.id, ()))) for row in open_order_rows(store, supplier)]


def _open_order(store: Store, row: OrderRow, reviews: tuple[int, ...], name: Callable[[str], str]) -> OpenOrder:
    record, last = row.record, row.last
    order = store.orders.revision(record.id, record.latest)
    lines = _open_lines(store, order)
    open_due = min((line.next_due for line in lines if line.next_due is not None), default=None)
    return OpenOrder(
        record=record,
        supplier_name=name(record.supplier),
        stage=stage_of_last(last),
        due=open_due or order.due or max((line.line.due for line in lines if line.line.due), default=None),
        lines=lines,
        last=last,
        reviews=reviews,
    )


def _open_lines(store: Store, order: Order) -> tuple[OpenLine, ...]:
    received = store.receipts.received(order.id)

    def opened(line: OrderLine) -> OpenLine:
        plex = order.line(line.line)
        got = received.get(plex.id) if plex is not None else None
        return OpenLine(line, next_due(plex, got or Decimal(0)))

    return tuple(map(opened, lines_of(store, order)))


def _most_overdue(late: Sequence[LateDocument]) -> list[LateDocument]:
    return sorted(late, key=lambda one: (one.late.level is not OverdueLevel.LIMIT, -one.late.by, one.document.id))


def _failed(store: Store, orders: Sequence[OpenOrder], supplier: str | None) -> list[Document]:
    """Documents that the supplier does not have or could not read, oldest first."""
    blocked = store.documents.in_state(DocumentState.FAILED, DocumentState.CONFLICT, DocumentState.IN_DOUBT)
    last = [
        order.last
        for order in orders
        if order.last is not None
        and (order.last.state is DocumentState.REFUSED or order.last.functional_ack is FunctionalStatus.REJECTED)
    ]
    found = {document.id: document for document in (*blocked, *last) if supplier in (None, document.supplier)}
    return [found[number] for number in sorted(found)]
