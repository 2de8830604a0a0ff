"""Numbers, times and texts from outside, bounded where they come in: what is beyond is no value, never an exception.

Every reader of JSON, X12, TOML and command lines uses these: Python's own `Decimal()`, `int()` and `str.isdigit` also
take underscores, digits of other scripts, `²`, NaN and exponents of any size, and a day at the edge of the calendar
has no other time zone.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

MOST_DIGITS = 30
"""A number of more digits is no quantity, price or id of anybody."""
LARGEST_EXPONENT = 30
"""The largest exponent that may be written, in either direction."""
BROKEN_CHARACTER = "\ufffd"
"""Stands where a text had something that is no character: a lone surrogate, bytes of another encoding."""

_LONGEST = 3 * MOST_DIGITS
_NUMBER = re.compile(r"[+-]?([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,3}))?")
_WHOLE = re.compile(r"[0-9]+")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
FIRST_TIME, LAST_TIME = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)
"""Times between these can be shown in every zone, and moved by a day, without leaving the calendar."""


def plain_number(text: str) -> Decimal | None:
    """The number that is plainly written there; None for anything else.

    ASCII digits, a sign, a decimal point and an exponent; at most 30 digits, an exponent of at most ±30.
    """
    written = text.strip()
    found = _NUMBER.fullmatch(written) if len(written) <= _LONGEST else None
    if found is None:
        return None
    whole, fraction, exponent = found[1], found[2] or "", found[3] or "0"
    if not whole + fraction or len(whole.lstrip("0") + fraction) > MOST_DIGITS:
        return None
    return Decimal(written) if abs(int(exponent)) <= LARGEST_EXPONENT else None


def plain_whole(text: str) -> int | None:
    """The whole number written there in ASCII digits, without a sign; None for anything else."""
    written = text.strip()
    return int(written) if len(written) <= _LONGEST and is_digits(written) and _bounded(written) else None


def is_digits(text: str) -> bool:
    """Whether the text is ASCII digits and nothing else (`str.isdigit` also takes `²` and other scripts' digits)."""
    return _WHOLE.fullmatch(text) is not None


def _bounded(digits: str) -> bool:
    return len(digits.lstrip("0")) <= MOST_DIGITS


def is_plain(number: Decimal) -> bool:
    """Whether a number that was read elsewhere is finite and within the same bounds."""
    if not number.is_finite():
        return False
    return len(number.as_tuple().digits) <= MOST_DIGITS and abs(number.adjusted()) <= MOST_DIGITS + LARGEST_EXPONENT


def as_utc(moment: datetime) -> datetime | None:
    """The same instant in UTC, a naive one taken as UTC; None if it lies at the edge of the calendar."""
    try:
        utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return None
    return utc if FIRST_TIME <= utc <= LAST_TIME else None


def iso_time(text: str) -> datetime | None:
    """An ISO 8601 time in UTC, without a zone taken as UTC; None for anything else, or at the edge of the calendar."""
    try:
        return as_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None


def moved(moment: datetime, by: timedelta) -> datetime:
    """`moment + by`, at the edge of the calendar the edge itself."""
    try:
        return moment + by
    except OverflowError:
        return FIRST_TIME if by < timedelta(0) else LAST_TIME


def whole_text(text: str) -> str:
    """The text with the broken character in place of every lone surrogate: it can be encoded and stored."""
    return _LONE_SURROGATE.sub(BROKEN_CHARACTER, text)


def is_broken(text: str) -> bool:
    """Whether something in the text was no character when it came in."""
    return BROKEN_CHARACTER in text
