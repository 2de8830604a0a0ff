"""Days of Plex: which calendar day a time of Plex is, and how a day is written.

Plex has no date without a time. A day stands there as the plant's own midnight (`2026-12-08T05:00:00Z` in Detroit), in
some fields and tenants as midnight UTC, which then is a day without a zone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)"
    r"(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?)?"
    r"\s*(Z|[+-]\d\d:?\d\d)?",
    re.IGNORECASE | re.ASCII,
)
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


def parsed_time(text: str) -> datetime | None:
    """An ISO 8601 time with any number of fraction digits, without an offset taken as UTC; None if it is none."""
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
    """Whether the text is a day without a time, `2026-12-08`."""
    return _DAY.fullmatch(text) is not None


@dataclass(frozen=True)
class Days:
    """The days of one tenant. `zone` is the plant's; None: not told, then the written date is the day."""

    zone: ZoneInfo | None = None

    @property
    def name(self) -> str:
        """The zone's name; empty for none."""
        return "" if self.zone is None else self.zone.key

    def read(self, text: str) -> date | None:
        """The day that a time of Plex is; None if the text is no time.

        Midnight UTC is a day without a zone: that day.
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
        """A day as Plex takes it: the plant's midnight, in UTC.

        `like`: what the field holds now. If that is a day without a zone, this one is written as such, too. Where the
        zone is not told, the day gets the time of day that is there, else midnight UTC.
        """
        if self.zone is None:
            return day.isoformat() + (like[10:] if like is not None and len(like) > 10 else "T00:00:00Z")
        held = None if like is None else parsed_time(like)
        # Where 00:00 UTC is the plant's own midnight, it tells nothing.
        if held is not None and _is_utc_midnight(held) and first_instant(held.date(), self.zone) != held:
            return f"{day.isoformat()}T00:00:00Z"
        return f"{first_instant(day, self.zone).replace(tzinfo=None).isoformat(timespec='seconds')}Z"

    def plain(self, text: str) -> str:
        """A day as text without a time, if the text is a time of Plex; any other text as it is."""
        day = None if self.zone is None else self.read(text)
        return text if day is None else day.isoformat()


def _is_utc_midnight(moment: datetime) -> bool:
    return moment.utcoffset() == timedelta(0) and moment == datetime.combine(moment.date(), moment.min.time(), UTC)


def first_instant(day: date, zone: ZoneInfo) -> datetime:
    """When this day begins there, in UTC: at midnight, or where clocks skip midnight, when they are set forward.

    At the edge of the calendar midnight UTC.
    """
    try:
        instant = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
        local = instant.astimezone(zone)
        if local.replace(tzinfo=None) == datetime(day.year, day.month, day.day):  # noqa: DTZ001
            return instant
        # Midnight is skipped: the day begins with the new offset, somewhere in the hours before.
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
