"""Parse the `business_days` setting and measure elapsed time on these weekdays. All times are UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EVERY_DAY = frozenset(range(7))
_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)
_WEEK = timedelta(weeks=1)


def business_days(text: str) -> frozenset[int]:
    """Weekdays (Monday is 0) of a setting such as `mon-fri`, `sun-thu` or `mon,tue,thu`; empty: every day.

    Raise ValueError for any other text.
    """
    if not text.strip():
        return EVERY_DAY
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        begin = _day(first)
        end = _day(last) if dash else begin
        days.update((begin + step) % 7 for step in range((end - begin) % 7 + 1))
    return frozenset(days)


def _day(text: str) -> int:
    name = text.strip().lower()
    if name not in _NAMES:
        shown = repr(text.strip()) if len(text) <= 40 else "a long text"
        raise ValueError(f"{shown} is not a day; days are {', '.join(_NAMES)}")
    return _NAMES.index(name)


def elapsed(since: datetime, until: datetime, days: frozenset[int] = EVERY_DAY) -> timedelta:
    """Time between two instants that falls on these weekdays (UTC); zero if `until` is not after `since`."""
    cursor, end = since.astimezone(UTC), until.astimezone(UTC)
    if end <= cursor:
        return timedelta(0)
    weeks, _ = divmod(end - cursor, _WEEK)
    total = weeks * len(days) * _DAY
    cursor += weeks * _WEEK
    while cursor < end:
        midnight = cursor.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
        stop = min(midnight, end)
        if cursor.weekday() in days:
            total += stop - cursor
        cursor = stop
    return total


def days(count: int) -> str:
    """`1 day`, `2 days`: a number of days in a reason."""
    return "1 day" if count == 1 else f"{count} days"
