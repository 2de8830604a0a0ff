"""Reads the fields of one Plex row, tolerant of spelling and strict about values.

No published field of Plex is guaranteed to be present: absent and null are equivalent, unknown fields are ignored, and
names vary (`dueDate`, `dueDateTime`, `due_date`; plex/README.md 4.2, 4.4). A present value must have the expected type.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache

from plexstedi.decimal_json import Json, NotPlain, dumps
from plexstedi.edi.plain_values import as_utc, is_plain, plain_number
from plexstedi.edi.units import plain
from plexstedi.plex.days import Days, parsed_time

_SHOWN = 40
_TOO_LARGE = 10**18
"""Upper limit of line and release numbers; larger ones do not fit into an SQLite column."""


class RowFault(ValueError):
    """A row lacks a required field, or a field has an invalid value."""


@lru_cache(maxsize=4096)
def normalized(name: str) -> str:
    """The normalized form of a field name: the same for `poNumber`, `po_number` and `PONumber`."""
    return name.replace("_", "").lower()


@dataclass(frozen=True)
class Names:
    """The field names of a resource, normalized: the tenant's (`[plex.fields]`), else the dialect's."""

    own: Mapping[str, str]
    aliases: Mapping[str, tuple[str, ...]]
    days: Days = field(default_factory=Days)
    """The conversion of times to days."""
    _known: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False, compare=False, repr=False)

    def of(self, field: str) -> tuple[str, ...]:
        """All names of the field; the first one present is used."""
        names = self._known.get(field)
        if names is None:
            names = self._known[field] = self._of(normalized(field))
        return names

    def _of(self, key: str) -> tuple[str, ...]:
        if key in self.own:
            return (self.own[key],)
        dated = (f"{key}time",) if key.endswith("date") else ()
        return (key, *dated, *self.aliases.get(key, ()))


@lru_cache(maxsize=256)
def _spellings(names: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    """The names of an object by their normalized form, the last one first. Most rows of a list have the same names."""
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        found[normalized(name)] = (name, *found.get(normalized(name), ()))
    return found


class Row:
    """One object of a response. `what` names it in messages: the resource, and its id or number if known.

    `table` is the resource alone.
    """

    def __init__(self, document: Json, names: Names, what: str) -> None:
        """Raise RowFault if the document is not an object."""
        if not isinstance(document, Mapping):
            raise RowFault(f"{what}: an object was expected")
        self._names = names
        self._document: Mapping[str, Json] = document
        self._spelled = _spellings(tuple(document))
        self.table = what
        self.what = what

    def with_days(self, days: Days) -> Row:
        """The same row with another conversion of times to days."""
        return Row(self._document, replace(self._names, days=days), self.what)

    @property
    def names(self) -> Names:
        """The field names with which it is read."""
        return self._names

    @property
    def document(self) -> Json:
        """The object as Plex returned it."""
        return self._document

    def mark(self) -> str:
        """A fingerprint of the row's complete content."""
        return hashlib.sha256(dumps(self._document).encode(errors="backslashreplace")).hexdigest()[:16]

    def key(self) -> str:
        """The row's identity within its table: its id, else the fingerprint of its content."""
        value = self.raw("id")
        return value if isinstance(value, str) and not isinstance(value, NotPlain) and value.strip() else self.mark()

    def raw(self, field: str) -> Json:
        """The unconverted value; None if absent or null."""
        for name in self._names.of(field):
            for spelled in self._spelled.get(name, ()):
                value = self._document[spelled]
                if value is not None:
                    return value
        return None

    def spelled(self, field: str) -> str:
        """The field's name as spelled in this row, for writing it back; the given name if the field is absent."""
        return next((self._spelled[name][0] for name in self._names.of(field) if name in self._spelled), field)

    def text(self, field: str) -> str | None:
        """Trimmed text; None if absent or blank. A number is converted to its digits."""
        value = self.raw(field)
        # Not `NotPlain`, which is a str.
        if type(value) is str:
            return value.strip() or None
        if value is None:
            return None
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return f"{value}"
        raise self.fault(field, value, "text")

    def needed(self, field: str) -> str:
        """Required text. Raise RowFault if absent."""
        value = self.text(field)
        if value is None:
            raise RowFault(f"{self.what}: {field} is missing")
        return value

    def whole(self, field: str) -> int:
        """A required whole number. Raise RowFault."""
        value = self.number(field)
        if value is None:
            raise RowFault(f"{self.what}: {field} is missing")
        if value != value.to_integral_value() or abs(value) >= _TOO_LARGE:
            raise self.fault(field, value, "a whole number")
        return int(value)

    def number(self, field: str) -> Decimal | None:
        """An exact number without trailing zeros (3000.0 and 3000 are the same quantity); None if absent."""
        value = self.raw(field)
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
            raise self.fault(field, value, "a number")
        number = plain_number(value) if isinstance(value, str) else Decimal(value)
        if number is None or not is_plain(number):
            raise self.fault(field, value, "a plainly written number")
        return without_zeros(number)

    def flag(self, field: str) -> bool | None:
        """A boolean; None if absent."""
        value = self.raw(field)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int) and value in (0, 1):
            return bool(value)
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        raise self.fault(field, value, "yes or no")

    def time(self, field: str) -> datetime | None:
        """An instant, UTC; text without an offset is UTC (plex/README.md 4.2). None if absent."""
        text = self.text(field)
        if text is None:
            return None
        found = read_time(text)
        if found is None:
            raise self.fault(field, text, "a time")
        return found

    def time_if_readable(self, field: str) -> datetime | None:
        """As `time`, but None also for a malformed time: for lists, whose records are read individually afterwards."""
        try:
            return self.time(field)
        except RowFault:
            return None

    def day(self, field: str) -> date | None:
        """A calendar day of the plant (`plex.timezone`; see `Days.read`); None if absent."""
        text = self.text(field)
        if text is None:
            return None
        day = self._names.days.read(text)
        if day is None:
            raise self.fault(field, text, "a date")
        return day

    def day_as_written(self, field: str, day: date) -> str:
        """A day in the format that this field currently has (see `Days.write`)."""
        return self._names.days.write(day, self.text(field))

    def rows(self, field: str) -> tuple[Json, ...]:
        """A list; empty if absent."""
        value = self.raw(field)
        if value is None:
            return ()
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise self.fault(field, value, "a list")
        return tuple(value)

    def nested(self, field: str) -> tuple[Row, ...]:
        """A list of objects as rows; empty if absent."""
        return tuple(
            Row(item, self._names, f"{self.what}, {field} {number}") for number, item in enumerate(self.rows(field), 1)
        )

    def fault(self, field: str, value: object, wanted: str) -> RowFault:
        """The fault for a field whose value is not what was expected."""
        return RowFault(f"{self.what}: {field} is {shown(value)}, not {wanted}")


def shown(value: object) -> str:
    """A value as shown in messages: short, on one line, in quotes; for a list or object only its type."""
    if isinstance(value, str | int | Decimal):
        text = f"{value}"
        return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
    return "a list" if isinstance(value, Sequence) else "an object"


def without_zeros(number: Decimal) -> Decimal:
    """The same number without trailing zeros and without an exponent."""
    return plain(number)


def read_time(text: str) -> datetime | None:
    """An ISO 8601 time with any number of fraction digits; None if malformed or at the limits of `datetime`."""
    parsed = parsed_time(text)
    return None if parsed is None else as_utc(parsed)


def filter_time(moment: datetime) -> str:
    """A time as Plex's filters expect it: UTC, whole seconds, `Z` (plex/README.md 4.2)."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
