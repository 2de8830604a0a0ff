"""What an acknowledgment states of a part of a line: dates, status codes, schedules, as read.

Plain dataclasses: a line has several of each, and a pydantic model takes five times as long to make.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from msgspec import Struct, field


class StatedDate(Struct, frozen=True):
    """A stated date with its qualifier (X12 element 374) and location."""

    qualifier: str | None
    """Three characters (`068`); None if absent."""
    on: date
    place: str
    """Location for reasons: `SCH05`, `DTM`, `ACK04`."""


class Detail(Struct, frozen=True):
    """One ACK: status of a part of a line."""

    code: str
    """ACK01 (X12 element 668); empty if missing, which is also a fault of the line."""
    quantity: Decimal | None = None
    """ACK02."""
    unit: str | None = None
    """ACK03."""
    date: StatedDate | None = None
    """ACK04 and ACK05."""
    dates: tuple[StatedDate, ...] = ()
    """DTM in the ACK loop: more specific than `date`."""
    items: dict[str, str] = field(default_factory=dict)
    """ACK07 to ACK26: item numbers by qualifier (X12 element 235)."""
    industry_code: str | None = None
    """ACK29, or the change reason ACK27: displayed, not interpreted."""


class StatedSchedule(Struct, frozen=True):
    """One SCH: a quantity with its dates."""

    quantity: Decimal | None
    unit: str | None = None
    dates: tuple[StatedDate, ...] = ()
