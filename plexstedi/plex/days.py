"""Conversion between Plex times and calendar days.

Plex has no date without a time. It stores a day as the plant's midnight (`2026-12-08T05:00:00Z` in Detroit); in some
fields and tenants as midnight UTC, which is then a day without a time zone.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec import Struct

_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)"
    r"(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?)?"
    r"\s*(Z|[+-]\d\d:?\d\d)?",
    re.IGNORECASE | re.ASCII,
)
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


@lru_cache(maxsize=4096)
def parsed_time(text: str) -> datetime | None:
    """Parse an ISO 8601 time with any number of fraction digits; without an offset it is UTC. None if malformed."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    day, clock, fraction, zone = found.groups()
    offset = "+00:00" if zone in (None, "Z", "z") else zone
    try:
        parsed = datetime.fromisoformat(f"{day}T{clock or '00:00:00'}{offset}")
    except ValueError:
        return None
    return parsed.replace(microsecond=int((fraction or "")[:6].ljust(6, "0")))


def is_day(text: str) -> bool:
    """Whether the text is a date without a time, `2026-12-08`."""
    return _DAY.fullmatch(text) is not None


class Days(Struct, frozen=True):
    """Day conversion of one tenant. `zone` is the plant's; None: not configured, the date part is used as written."""

    zone: ZoneInfo | None = None

    @property
    def name(self) -> str:
        """The zone's name; empty if there is none."""
        return "" if self.zone is None else self.zone.key

    def read(self, text: str) -> date | None:
        """The plant's calendar day of a Plex time; None if the text is not a time.

        Midnight UTC counts as a day without a zone and is read as that date.
        """
        parsed = parsed_time(text)
        if parsed is None:
            return None
        if self.zone is None or _is_utc_midnight(parsed):
            return parsed.date()
        try:
            return parsed.astimezone(self.zone).date()
        except OverflowError:
            return parsed.date()

    def write(self, day: date, like: str | None = None) -> str:
        """A day as Plex expects it: the plant's midnight, in UTC.

        `like`: the field's current value. If that is a day without a zone (midnight UTC), the day is written in the
        same form. If no zone is configured, the day gets the current value's time of day, else midnight UTC.
        """
        if self.zone is None:
            return day.isoformat() + (like[10:] if like is not None and len(like) > 10 else "T00:00:00Z")
        held = None if like is None else parsed_time(like)
        # If 00:00 UTC is also the plant's midnight, it does not show that the day has no zone.
        if held is not None and _is_utc_midnight(held) and first_instant(held.date(), self.zone) != held:
            return f"{day.isoformat()}T00:00:00Z"
        return f"{first_instant(day, self.zone).replace(tzinfo=None).isoformat(timespec='seconds')}Z"

    def plain(self, text: str) -> str:
        """The day as `2026-12-08` if the text is a Plex time; any other text unchanged."""
        day = None if self.zone is None else self.read(text)
        return text if day is None else day.isoformat()


def _is_utc_midnight(moment: datetime) -> bool:
    return moment.utcoffset() == timedelta(0) and moment == datetime.combine(moment.date(), moment.min.time(), UTC)


def first_instant(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of this day in the zone, in UTC: midnight, or the DST change if that skips midnight.

    For dates at the limits of `datetime` it is midnight UTC.
    """
    try:
        instant = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
        local = instant.astimezone(zone)
        if local.replace(tzinfo=None) == datetime(day.year, day.month, day.day):  # noqa: DTZ001
            return instant
        # Midnight is skipped by a DST change: search the hours before for the start of the new offset.
        before, after = instant - timedelta(days=1), instant
        while after - before > timedelta(seconds=1):
            middle = before + (after - before) // 2
            if middle.astimezone(zone).utcoffset() == local.utcoffset():
                after = middle
            else:
                before = middle
        return (before + timedelta(seconds=1)).replace(microsecond=0)
    except OverflowError:
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
