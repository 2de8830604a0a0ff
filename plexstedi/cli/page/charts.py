"""Geometry of the page's charts: from values to rectangles. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from msgspec import Struct

from plexstedi.sync.statistics.scorecards import DayRecord, Scorecard
from plexstedi.sync.statistics.stages import OrderStage

WIDTH, HEIGHT = 720, 190
_LEFT, _TOP, _BOTTOM = 44, 8, 24
_MOST_BARS = 92
_WIDEST = 28
_TICKS = 4


class Box(Struct, frozen=True):
    """A rectangle; `css` names its stage or verdict."""

    css: str
    x: int
    y: int
    width: int
    height: int


class Label(Struct, frozen=True):
    """A text at an axis."""

    text: str
    x: int
    y: int


class StageChart(Struct, frozen=True):
    """Stacked columns: open orders by stage over time."""

    boxes: tuple[Box, ...]
    days: tuple[Label, ...]
    counts: tuple[Label, ...]
    rows: tuple[tuple[date, tuple[int, ...]], ...]
    """The numbers of the columns, by stage, for the table below the chart."""
    stages: tuple[OrderStage, ...] = tuple(OrderStage)


def css_of(stage: OrderStage) -> str:
    """The class of a stage."""
    return stage.name.lower().replace("_", "-")


def thinned(days: Sequence[date], most: int = _MOST_BARS) -> list[date]:
    """At most so many days, evenly spaced, always with the last one."""
    step = -(-len(days) // most)
    return list(days[::-1][:: max(step, 1)])[::-1]


def top_of(highest: int) -> int:
    """The end of an axis: a round number that is divisible by its number of ticks."""
    size = _TICKS
    while size < highest:
        for factor in (2, 5, 10):
            if size * factor >= highest:
                return size * factor
        size *= 10
    return size


def stage_chart(days: Mapping[date, DayRecord]) -> StageChart | None:
    """The chart of the days whose open orders are recorded; None if there are none."""
    counted = {day: record.orders for day, record in days.items() if record.orders is not None}
    if not any(sum(orders.values()) for orders in counted.values()):
        return None
    shown = thinned(sorted(counted))
    top = top_of(max(sum(counted[day].values()) for day in shown))
    room, width = HEIGHT - _TOP - _BOTTOM, WIDTH - _LEFT
    slot = width // max(len(shown), width // _WIDEST // 2)
    boxes: list[Box] = []
    for index, day in enumerate(shown):
        below = 0
        for stage in OrderStage:
            count = counted[day].get(stage.value, 0)
            low, high = room * below // top, room * (below + count) // top
            if high > low:
                x = _LEFT + index * slot
                boxes.append(Box(css_of(stage), x, _TOP + room - high, max(slot - (slot > 3), 1), high - low))
            below += count
    every = -(-len(shown) // 6)
    return StageChart(
        boxes=tuple(boxes),
        days=tuple(
            Label(day.isoformat(), _LEFT + index * slot, HEIGHT - 6)
            for index, day in enumerate(shown)
            if index % every == 0
        ),
        counts=tuple(
            Label(str(top * tick // _TICKS), _LEFT - 6, _TOP + room - room * tick // _TICKS)
            for tick in range(_TICKS + 1)
        ),
        rows=tuple((day, tuple(counted[day].get(stage.value, 0) for stage in OrderStage)) for day in shown),
    )


BAR = 96
"""Width of the charts in a scorecard."""


def verdict_boxes(card: Scorecard) -> list[Box]:
    """Shares of the acknowledgments: as ordered, changed, rejected."""
    boxes, x = [], 0
    for css, share in (("as-ordered", card.as_ordered), ("changed", card.changed), ("rejected", card.rejected)):
        width = BAR * (share or 0) // 100
        if width:
            boxes.append(Box(css, x, 0, width, 10))
        x += width
    return boxes


class Spread(Struct, frozen=True):
    """The middle half of the response times, and their median, on a scale that all suppliers share."""

    x: int
    width: int
    median: int


def spread(card: Scorecard, longest: int) -> Spread | None:
    """`longest`: the longest upper quartile of all cards, in minutes; None without responses."""
    if card.median_minutes is None or card.lower_minutes is None or card.upper_minutes is None:
        return None
    scale = max(longest, 1)
    low, high = (BAR * minutes // scale for minutes in (card.lower_minutes, card.upper_minutes))
    return Spread(low, max(high - low, 2), BAR * card.median_minutes // scale)
