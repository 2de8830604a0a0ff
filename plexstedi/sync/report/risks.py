"""What a purchasing desk looks for in open orders: late, due soon and not confirmed, different from the order. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal

from msgspec import Struct

from plexstedi.edi.inbound.outcome import AckState
from plexstedi.edi.order import Line, ReleaseState
from plexstedi.state.document import Document
from plexstedi.state.orders import OrderRecord
from plexstedi.sync.report.lines import OrderLine, plain_quantity
from plexstedi.sync.statistics.stages import OrderStage

_CONFIRMED = (AckState.CONFIRMED, AckState.CHANGED)
"""`changed` is applied: the supplier promises the goods, with other values."""
_DIFFERS = (AckState.REJECTED, AckState.BACKORDERED, AckState.HELD, AckState.CHANGED)
"""Worst first."""


class OpenLine(Struct, frozen=True):
    """One line of an open order."""

    line: OrderLine
    next_due: date | None
    """The earliest due date of a quantity that is not received; None: nothing is due."""


class OpenOrder(Struct, frozen=True):
    """One open order of the page."""

    record: OrderRecord
    supplier_name: str
    stage: OrderStage
    due: date | None
    """The earliest due date that is open; else that of the order."""
    lines: tuple[OpenLine, ...]
    last: Document | None
    """The last document."""
    reviews: tuple[int, ...]
    """Open review items."""

    @property
    def promised(self) -> date | None:
        """The last promised date of its lines: delivery, else shipment."""
        dates = (each.line.delivery_date or each.line.ship_date for each in self.lines)
        return max((day for day in dates if day is not None), default=None)


class LineRisk(Struct, frozen=True):
    """Why one line is listed."""

    rank: int
    """Days late, days until the due date, or severity."""
    what: str
    due: date | None
    """The due date concerned."""


class RiskyLine(Struct, frozen=True):
    """The worst line of an order for one kind of risk."""

    order: OpenOrder
    line: OpenLine
    verdict: LineRisk
    others: int = 0
    """Further lines of the order with the same kind of risk."""


def next_due(line: Line | None, received: Decimal) -> date | None:
    """The earliest due date of firm releases that receipts do not cover; they cover the earliest first."""
    if line is None:
        return None
    left = received
    for release in sorted(line.firm_releases(), key=lambda each: (each.due or date.max, each.number)):
        quantity = release.quantity or Decimal(0)
        if release.state is ReleaseState.RECEIVED or left >= quantity > 0:
            left = max(left - quantity, Decimal(0))
        elif release.due is not None:
            return release.due
    return None


def lateness(one: OpenLine, today: date) -> LineRisk | None:
    """By how many days: past its due date and not received, or promised later than ordered."""
    line, due = one.line, one.next_due
    if due is None:
        return None
    promised = line.delivery_date or line.ship_date
    later = 0 if promised is None or line.due is None else (promised - line.due).days
    passed = (today - due).days
    if max(later, passed) <= 0:
        return None
    if passed >= later:
        what = "not received" if promised is None or promised < today else "not received, promised for later"
        return LineRisk(passed, f"{what}; no date is promised" if promised is None else what, due)
    verb = "delivery" if line.delivery_date else "shipment"
    return LineRisk(later, f"{verb} promised later than ordered" + (", not received" if passed > 0 else ""), line.due)


def due_soon(one: OpenLine, today: date, within: int) -> LineRisk | None:
    """Days until the due date and what is missing, for a line that is due soon and not confirmed."""
    line, due = one.line, one.next_due
    if due is None or not today <= due <= today + timedelta(days=within) or line.state in _CONFIRMED:
        return None
    return LineRisk((due - today).days, _MISSING[line.state] if line.sent else "not sent to the supplier yet", due)


_MISSING = {
    AckState.UNACKNOWLEDGED: "no confirmation received",
    AckState.HELD: "the confirmation needs a decision",
    AckState.BACKORDERED: "backordered by the supplier",
    AckState.REJECTED: "rejected by the supplier",
}


def difference(one: OpenLine) -> LineRisk | None:
    """What the supplier changed of a line, and how severe it is (0 is worst)."""
    line = one.line
    if not line.sent or line.state not in _DIFFERS:
        return None
    words = line.reasons[0] if line.reasons else ""
    if not words:
        words = f"{plain_quantity(line.confirmed)} of {plain_quantity(line.ordered)} {line.unit} confirmed"
    more = f" (and {len(line.reasons) - 1} more)" if len(line.reasons) > 1 else ""
    return LineRisk(_DIFFERS.index(line.state), f"{line.state.value}: {words}{more}", line.due)


def worst_lines(
    orders: Iterable[OpenOrder], judged: Callable[[OpenLine], LineRisk | None], *, most_first: bool
) -> list[RiskyLine]:
    """One entry per order that has such a line: its worst, by rank, then by due date and number."""

    def rank(verdict: LineRisk) -> int:
        return -verdict.rank if most_first else verdict.rank

    found: list[RiskyLine] = []
    for order in orders:
        lines = [(line, verdict) for line in order.lines if (verdict := judged(line)) is not None]
        if lines:
            line, verdict = min(lines, key=lambda each: rank(each[1]))
            found.append(RiskyLine(order, line, verdict, len(lines) - 1))
    found.sort(key=lambda one: (rank(one.verdict), one.verdict.due or date.max, one.order.record.number))
    return found
