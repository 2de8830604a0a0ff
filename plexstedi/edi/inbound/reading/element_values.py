"""Parse elements of received documents to typed values, or to the reason why they cannot be read.

Numbers are received as numbers or text, dates as `2026-01-15`, `20260115` or `260115`; all are equivalent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Rounded
from functools import lru_cache

from msgspec import Struct

from plexstedi.edi.plain_values import is_digits, is_plain, plain_number
from plexstedi.edi.units import plain
from plexstedi.edi.x12.transaction import Composite, Value

_SHOWN = 40
_DIGITS = 18
"""Maximum number of digits: no numeric element of an acknowledgment has more than 17 (PO104)."""
_ZERO, _ONE = Decimal(0), Decimal(1)
_LEAST, _TOO_LARGE = Decimal(10) ** -_DIGITS, Decimal(10) ** _DIGITS
_SHORT = Context(prec=_DIGITS, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[Rounded])
_QUALIFIER_LENGTH = 3
_LONGEST_DAY = len("2026-01-15")
_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(T.*)?")
_CENTURY_DAY = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_SHORT_DAY = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{2})")


class Bad(Struct, frozen=True):
    """A value that is invalid at its position; `message` quotes it."""

    message: str


def read_text(value: Value | None) -> str | None:
    """The element as stripped text; None if absent, empty or a composite."""
    if isinstance(value, str):
        return value.strip() or None
    if value is None or isinstance(value, Composite):
        return None
    plain_text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return plain_text.strip() or None


def _is_usual(number: Decimal) -> bool:
    """Whether a number is whole, written as such, positive and sensible: most are, and need no further checks."""
    return number.same_quantum(_ONE) and _ZERO < number < _TOO_LARGE


def is_sensible(number: Decimal) -> bool:
    """Whether a number has a size that X12 allows for a quantity or price."""
    if _is_usual(number):
        return True
    return not number or (-_DIGITS <= number.adjusted() < _DIGITS and (_is_short(number) or _is_short(plain(number))))


def _is_short(number: Decimal) -> bool:
    """Whether it has no more digits than a quantity or price can have."""
    try:
        _SHORT.plus(number)
    except Rounded:
        return False
    return True


def read_number(value: Value | None) -> Decimal | None | Bad:
    """The exact number; None if absent; Bad for text, a composite or a negative number."""
    if isinstance(value, Decimal):
        return value if _is_usual(value) else _exact(value)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if not isinstance(value, str):
        return Bad(f"{value} is not a number")
    read = plain_number(value)
    return Bad(f"'{shown(value)}' is not a plainly written number") if read is None else _exact(read)


def _exact(number: Decimal) -> Decimal | Bad:
    """The number in canonical form."""
    if number.is_finite() and _LEAST <= number < _TOO_LARGE and _is_short(number):
        return plain(number)
    if not is_plain(number):
        return Bad(f"{shown(str(number))} is not a number, or exceeds what X12 can hold")
    if number and not -_DIGITS <= number.adjusted() < _DIGITS:
        return Bad(f"{number} exceeds what X12 can hold")
    exact = plain(number)
    if not _is_short(exact):
        return Bad(f"{number} has more than {_DIGITS} digits")
    return Bad(f"{number} is negative") if number < 0 else exact


def read_date(value: Value | None) -> date | None | Bad:
    """A date; None if absent; Bad for a day that does not exist (`2026-02-30`) or for other text.

    A date of six digits (003040, 003060) is in the years 2000 to 2099.
    """
    if isinstance(value, date):
        return value
    written = value.strip() if isinstance(value, str) else read_text(value)
    if not written:
        return None if not isinstance(value, Composite) else Bad("a composite is not a date")
    if isinstance(value, Decimal) and len(written) < 6:
        written = written.zfill(6)
    return _day(written) if len(written) <= _LONGEST_DAY else _parsed_day(written)


def _parsed_day(written: str) -> date | Bad:
    for pattern, century in ((_ISO, ""), (_CENTURY_DAY, ""), (_SHORT_DAY, "20")):
        found = pattern.fullmatch(written)
        if found:
            try:
                return date(int(century + found[1]), int(found[2]), int(found[3]))
            except ValueError:
                return Bad(f"{century}{found[1]}-{found[2]}-{found[3]} is not a calendar day")
    return Bad(f"'{shown(written)}' is not a date")


_day = lru_cache(maxsize=1024)(_parsed_day)
"""The same few days are in all lines of a document."""


def shown(text: str) -> str:
    """The value as text, shortened for messages."""
    written = text.strip()
    return written if len(written) <= _SHOWN else f"{written[:_SHOWN]}…"


def read_items(elements: Sequence[Value | None], first: int) -> tuple[dict[str, str], tuple[dict[str, str], ...]]:
    """Item numbers by qualifier, from pairs starting at this position (PO106, ACK07, POC08).

    Of several numbers under one qualifier the first; the others follow, each as a place of its own.
    """
    items: dict[str, str] = {}
    repeated: list[dict[str, str]] = []
    for index in range(first - 1, len(elements) - 1, 2):
        qualifier, item = read_text(elements[index]), read_text(elements[index + 1])
        if not (qualifier and item):
            continue
        qualifier = qualifier.upper()
        if qualifier in items:
            repeated.append({qualifier: item})
        else:
            items[qualifier] = item
    return items, tuple(repeated)


def date_qualifier(value: Value | None) -> str | None:
    """Element 374 in upper case, digits padded to three: `68` becomes `068`."""
    written = read_text(value)
    if written is None:
        return None
    return written.zfill(_QUALIFIER_LENGTH) if is_digits(written) else written.upper()
