"""Bounded parsing of external numbers, times and texts: a value out of bounds gives None, never an exception.

Every reader of JSON, X12, TOML and command lines uses these functions. Python's `Decimal()`, `int()` and `str.isdigit`
also accept underscores, digits of other scripts, `²`, NaN and exponents of any size, and a time at the edge of the
calendar cannot be converted to another time zone.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Rounded

MOST_DIGITS = 30
"""Maximum number of digits: no real quantity, price or id has more."""
LARGEST_EXPONENT = 30
"""Maximum absolute value of a written exponent."""
BROKEN_CHARACTER = "\ufffd"
"""Replaces what is not a character: a lone surrogate, or bytes of another encoding."""

_LONGEST = 3 * MOST_DIGITS
_BOUNDED = Context(prec=MOST_DIGITS, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[Rounded])
_NUMBER = re.compile(r"[+-]?([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,3}))?")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
FIRST_TIME, LAST_TIME = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)
"""Times in this range can be converted to any zone and shifted by a day without leaving the calendar."""


def plain_number(text: str) -> Decimal | None:
    """The decimal number written in the text; None for anything else.

    Accepts ASCII digits, sign, decimal point and exponent; at most 30 digits and an exponent of at most ±30.
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
    """The unsigned whole number written in ASCII digits; None for anything else."""
    written = text.strip()
    return int(written) if len(written) <= _LONGEST and is_digits(written) and _bounded(written) else None


def is_digits(text: str) -> bool:
    """Whether the text consists of ASCII digits only (`str.isdigit` alone accepts `²` and digits of other scripts)."""
    return text.isascii() and text.isdigit()


def _bounded(digits: str) -> bool:
    return len(digits.lstrip("0")) <= MOST_DIGITS


def is_plain(number: Decimal) -> bool:
    """Whether a number parsed elsewhere is finite and within the same bounds."""
    if not number.is_finite() or abs(number.adjusted()) > MOST_DIGITS + LARGEST_EXPONENT:
        return False
    try:
        # In a tenth of the time of counting its digits.
        _BOUNDED.plus(number)
    except Rounded:
        return False
    return True


def as_utc(moment: datetime) -> datetime | None:
    """The instant in UTC; a naive time is taken as UTC. None at the edge of the calendar."""
    try:
        utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return None
    return utc if FIRST_TIME <= utc <= LAST_TIME else None


def iso_time(text: str) -> datetime | None:
    """Parse an ISO 8601 time to UTC; without a zone it is UTC. None for other text, or at the edge of the calendar."""
    try:
        return as_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None


def moved(moment: datetime, by: timedelta) -> datetime:
    """`moment + by`, clamped to the range of the calendar."""
    try:
        return moment + by
    except OverflowError:
        return FIRST_TIME if by < timedelta(0) else LAST_TIME


def whole_text(text: str) -> str:
    """The text with each lone surrogate replaced, so that it can be encoded and stored."""
    return _LONE_SURROGATE.sub(BROKEN_CHARACTER, text)


def is_broken(text: str) -> bool:
    """Whether the received text contained something that is not a character."""
    return BROKEN_CHARACTER in text
