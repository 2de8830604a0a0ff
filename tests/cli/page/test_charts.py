"""The charts show the numbers that they are made from."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from plexstedi.cli.page.charts import BAR, HEIGHT, WIDTH, spread, stage_chart, thinned, top_of, verdict_boxes
from plexstedi.sync.statistics.scorecards import DayRecord, Scorecard

FIRST = date(2026, 1, 1)


def days(count: int, **orders: int) -> dict[date, DayRecord]:
    counted = {name.replace("_", " "): number for name, number in orders.items()}
    return {FIRST + timedelta(days=day): DayRecord(orders=counted) for day in range(count)}


@pytest.mark.parametrize(
    ("highest", "top"), [(0, 4), (4, 4), (5, 8), (9, 20), (21, 40), (59, 80), (81, 200), (4999, 8000), (80, 80)]
)
def test_an_axis_ends_at_a_round_number_above_all_columns(highest: int, top: int) -> None:
    assert top_of(highest) == top


def test_columns_are_as_high_as_their_numbers() -> None:
    chart = stage_chart(days(2, confirmed=30, not_sent=10))
    assert chart is not None
    heights = {box.css: box.height for box in chart.boxes}
    assert heights["confirmed"] == pytest.approx(3 * heights["not-sent"], abs=3)
    assert [label.text for label in chart.counts] == ["0", "10", "20", "30", "40"]
    assert [sum(numbers) for _, numbers in chart.rows] == [40, 40]


@pytest.mark.parametrize("count", [1, 2, 31, 92, 93, 365])
def test_a_chart_of_any_length_stays_in_its_frame_and_ends_with_today(count: int) -> None:
    chart = stage_chart(days(count, confirmed=7, changed=2))
    assert chart is not None
    assert all(box.x >= 44 and box.x + box.width <= WIDTH and 0 <= box.y <= HEIGHT for box in chart.boxes)
    assert len(chart.rows) <= 92
    assert chart.rows[-1][0] == FIRST + timedelta(days=count - 1)
    assert len(chart.days) <= 6


def test_without_open_orders_there_is_no_chart() -> None:
    assert stage_chart({}) is None
    assert stage_chart(days(3)) is None
    assert stage_chart({FIRST: DayRecord(suppliers={})}) is None


def test_thinned_days_are_evenly_spaced() -> None:
    assert thinned([FIRST + timedelta(days=day) for day in range(10)], 5) == [
        FIRST + timedelta(days=day) for day in (1, 3, 5, 7, 9)
    ]


def a_card(**more: int | None) -> Scorecard:
    values: dict[str, int | None] = {
        **dict.fromkeys(("on_time", "as_ordered", "changed", "rejected")),
        **dict.fromkeys(("median_minutes", "lower_minutes", "upper_minutes")),
        **more,
    }
    return Scorecard("A", 4, 0, **values)  # type: ignore[arg-type]


def test_shares_fill_the_bar_in_their_order() -> None:
    boxes = verdict_boxes(a_card(as_ordered=50, changed=0, rejected=50))
    half = BAR // 2
    assert [(box.css, box.x, box.width) for box in boxes] == [("as-ordered", 0, half), ("rejected", half, half)]
    assert verdict_boxes(a_card()) == []


def test_response_times_share_one_scale() -> None:
    found = spread(a_card(lower_minutes=30, median_minutes=60, upper_minutes=90), longest=180)
    assert found is not None
    assert (found.x, found.median, found.width) == (BAR // 6, BAR // 3, BAR // 3)
    assert spread(a_card(), longest=10) is None
    instant = spread(a_card(lower_minutes=0, median_minutes=0, upper_minutes=0), longest=0)
    assert instant is not None
    assert instant.width > 0
