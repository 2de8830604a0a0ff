"""Which past days a run reads again: recent ones, and those that no run has recorded."""

from __future__ import annotations

from datetime import date, timedelta

from plexstedi.sync.statistics.daily import days_to_read
from plexstedi.sync.statistics.scorecards import DayRecord

TODAY = date(2026, 11, 28)
READ = DayRecord(suppliers={})


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def test_the_last_week_is_read_again_since_acknowledgments_are_listed_late() -> None:
    stored = {ago(back): READ for back in range(1, 100)}
    assert days_to_read(stored, ago(99), TODAY) == [ago(back) for back in range(1, 8)]


def test_a_gap_is_read_and_a_day_with_only_a_count_of_orders_is_one() -> None:
    stored = {ago(back): READ for back in range(1, 100) if back != 20} | {ago(30): DayRecord(orders={"confirmed": 1})}
    assert days_to_read(stored, ago(99), TODAY)[7:] == [ago(20), ago(30)]


def test_a_file_of_years_is_read_a_month_at_a_time_and_a_year_back() -> None:
    assert days_to_read({}, ago(3000), TODAY) == [ago(back) for back in range(1, 39)]
    stored = {ago(back): READ for back in range(1, 360)}
    assert days_to_read(stored, ago(3000), TODAY)[7:] == [ago(back) for back in range(360, 366)]


def test_a_new_file_has_no_past() -> None:
    assert days_to_read({}, TODAY, TODAY) == []
    assert days_to_read({}, TODAY + timedelta(days=5), TODAY) == [], "its clock was set back"
