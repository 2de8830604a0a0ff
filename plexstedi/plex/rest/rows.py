"""Reading one row of Plex: whichever way a field is spelled, and never more than what is there.

Plex's published fields carry no promise of being there: absent and null are the same, unknown ones are ignored, and
names drift (`dueDate`, `dueDateTime`, `due_date`; plex/README.md 4.2, 4.4). What is there must be what it claims to be.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal

from plexstedi.decimal_json import Json, NotPlain, dumps
from plexstedi.edi.plain_values import as_utc, is_plain, plain_number
from plexstedi.edi.units import plain
from plexstedi.plex.days import Days, parsed_time

_SHOWN = 40
_TOO_LARGE = 10**18
"""No line or release has such a number, and no column holds it."""


class RowFault(ValueError):
    """A row lacks a field, or holds something there that the field cannot mean."""


def squeezed(name: str) -> str:
    """The one form of `poNumber`, `po_number` and `PONumber`."""
    return name.replace("_", "").lower()


@dataclass(frozen=True)
class Names:
    """How the fields of a resource are called, all squeezed: by the tenant (`[plex.fields]`), else by the dialect."""

    own: Mapping[str, str]
    aliases: Mapping[str, tuple[str, ...]]
    days: Days = field(default_factory=Days)
    """Which day a time is."""

    def of(self, field: str) -> tuple[str, ...]:
        """All names under which the field may come, the first that is there counts."""
        key = squeezed(field)
        if key in self.own:
            return (self.own[key],)
        dated = (f"{key}time",) if key.endswith("date") else ()
        return (key, *dated, *self.aliases.get(key, ()))


class Row:
    """One object of an answer. `what` names it in faults: the resource, and its id or number where known.

    `table` is the resource alone.
    """

    def __init__(self, document: Json, names: Names, what: str) -> None:
        """Raise RowFault if the document is no object."""
        if not isinstance(document, Mapping):
            raise RowFault(f"{what}: an object was expected")
        self._values = {squeezed(name): value for name, value in document.items() if value is not None}
        self._spelled = {squeezed(name): name for name in document}
        self._names = names
        self._document = document
        self.table = what
        self.what = what

    def with_days(self, days: Days) -> Row:
        """The same row, with its times read as other days."""
        return Row(self._document, replace(self._names, days=days), self.what)

    def mark(self) -> str:
        """A fingerprint of the row's whole content."""
        return hashlib.sha256(dumps(self._document).encode(errors="backslashreplace")).hexdigest()[:16]

    def key(self) -> str:
        """What tells the row from others of its table: its id, else the fingerprint of its content."""
        value = self.raw("id")
        return value if isinstance(value, str) and not isinstance(value, NotPlain) and value.strip() else self.mark()

    def raw(self, field: str) -> Json:
        """The value as it came; None if absent or null."""
        return next((self._values[name] for name in self._names.of(field) if name in self._values), None)

    def spelled(self, field: str) -> str:
        """The field's name as this row spells it, for writing it back; the given name if it is not there."""
        return next((self._spelled[name] for name in self._names.of(field) if name in self._spelled), field)

    def text(self, field: str) -> str | None:
        """Trimmed text; None if absent or blank. A number stands for its digits."""
        value = self.raw(field)
        if value is None:
            return None
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return f"{value}"
        if not isinstance(value, str) or isinstance(value, NotPlain):
            raise self.fault(field, value, "text")
        return value.strip() or None

    def needed(self, field: str) -> str:
        """Text that a row cannot be without."""
        value = self.text(field)
        if value is None:
            raise RowFault(f"{self.what}: {field} is missing")
        return value

    def whole(self, field: str) -> int:
        """A whole number that a row cannot be without."""
        value = self.number(field)
        if value is None:
            raise RowFault(f"{self.what}: {field} is missing")
        if value != value.to_integral_value() or abs(value) >= _TOO_LARGE:
            raise self.fault(field, value, "a whole number")
        return int(value)

    def number(self, field: str) -> Decimal | None:
        """An exact number, without trailing zeros (3000.0 and 3000 are one quantity)."""
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
        """A yes or no; None if absent."""
        value = self.raw(field)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int) and value in (0, 1):
            return bool(value)
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        raise self.fault(field, value, "yes or no")

    def time(self, field: str) -> datetime | None:
        """An instant, UTC; a text without offset is taken as UTC (plex/README.md 4.2)."""
        text = self.text(field)
        if text is None:
            return None
        found = read_time(text)
        if found is None:
            raise self.fault(field, text, "a time")
        return found

    def time_if_readable(self, field: str) -> datetime | None:
        """The same, None also for what is no time: for lists, where the record itself is read afterwards."""
        try:
            return self.time(field)
        except RowFault:
            return None

    def day(self, field: str) -> date | None:
        """A day of the plant's (`plex.timezone`; see `Days.read`)."""
        text = self.text(field)
        if text is None:
            return None
        day = self._names.days.read(text)
        if day is None:
            raise self.fault(field, text, "a date")
        return day

    def day_as_written(self, field: str, day: date) -> str:
        """A day as this field takes it, in the form that it has now."""
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
        """A list of objects, each to be read like a row of its own; empty if absent."""
        return tuple(
            Row(item, self._names, f"{self.what}, {field} {number}") for number, item in enumerate(self.rows(field), 1)
        )

    def fault(self, field: str, value: object, wanted: str) -> RowFault:
        """The fault of a field that holds something else than it should."""
        return RowFault(f"{self.what}: {field} is {shown(value)}, not {wanted}")


def shown(value: object) -> str:
    """A value in a fault: short, on one line, in quotes. What is no scalar is only named."""
    if isinstance(value, str | int | Decimal):
        text = f"{value}"
        return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
    return "a list" if isinstance(value, Sequence) else "an object"


def without_zeros(number: Decimal) -> Decimal:
    """The same number without trailing zeros and without an exponent."""
    return plain(number)


def read_time(text: str) -> datetime | None:
    """An ISO 8601 time with any number of fraction digits; None if it is none, or at the edge of the calendar."""
    parsed = parsed_time(text)
    return None if parsed is None else as_utc(parsed)


def filter_time(moment: datetime) -> str:
    """A time as Plex's filters take it: UTC, whole seconds, `Z` (plex/README.md 4.2)."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
