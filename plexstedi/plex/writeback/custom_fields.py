"""Custom fields of Plex: reading and comparing values, and choosing the object that holds them. All pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from decimal import Decimal

from msgspec import Struct, field

from plexstedi.decimal_json import Json, dumps
from plexstedi.edi.plain_values import plain_number
from plexstedi.errors import ServiceRefused
from plexstedi.plex.days import Days, is_day
from plexstedi.plex.port import FieldValue
from plexstedi.plex.rest.rows import read_time, without_zeros
from plexstedi.plex.settings import Level

_OBJECT_WORDS = {
    Level.ORDER: {"purchaseorder", "purchaseorders", "po", "purchasingpo", "purchasingvpo"},
    Level.LINE: {
        *("purchaseorderline", "purchaseorderlineitem", "purchaseorderlines", "purchaseorderlineitems"),
        *("poline", "polineitem", "polines", "polineitems", "lineitem", "purchasinglineitem", "purchasingvlineitem"),
    },
    Level.RELEASE: {
        *("release", "releases", "porelease", "purchaseorderrelease", "purchaseorderreleases"),
        *("purchasingrelease", "purchasingvrelease"),
    },
}


class StandardObject(Struct, frozen=True):
    """A Plex standard object with the custom fields that the customer defined on it."""

    name: str
    label: str
    table: str
    fields: frozenset[str]
    """Lower case: Plex compares the names case-insensitively."""
    texts: frozenset[str] = frozenset()
    """The fields whose type is text or number, not a time."""

    def missing(self, wanted: Collection[str]) -> tuple[str, ...]:
        """The wanted fields that the object does not have, in the sequence given."""
        return tuple(sorted(name for name in wanted if name.casefold() not in self.fields))

    def matches_level(self, level: Level) -> bool:
        """Whether its name, label or table denotes orders, lines or releases respectively."""
        called = {re.sub(r"[^a-z]", "", text.lower()) for text in (self.name, self.label, self.table)}
        return bool(called & _OBJECT_WORDS[level])


def choose_object(
    objects: Iterable[StandardObject], level: Level, wanted: Collection[str], named: str | None
) -> StandardObject:
    """The standard object that holds the wanted fields of this level.

    `named` is from `[plex.acknowledgments.objects]`. Raise ServiceRefused if none has the fields, or several could.
    """
    objects = tuple(objects)
    setting = f"[plex.acknowledgments.objects] {level}"
    if named is not None:
        found = [each for each in objects if each.name.casefold() == named.casefold()]
        if not found:
            raise ServiceRefused(
                f"Plex has no standard object {named}",
                fix=f"Set {setting} to one of: {', '.join(sorted(each.name for each in objects)) or '(none)'}.",
                code="custom-fields",
            )
    else:
        found = [each for each in objects if each.matches_level(level)]
        others = [each for each in objects if not any(each.matches_level(other) for other in Level)]
        whole = [each for each in (found or others) if not each.missing(wanted)]
        if len(whole) == 1 or (whole and not found):
            found = whole
        if len(found) != 1:
            raise ServiceRefused(
                f"it is unclear which Plex standard object has the custom fields of a {level}",
                fix=f"Set {setting} to its name: {', '.join(sorted(each.name for each in objects)) or '(none)'}.",
                code="custom-fields",
            )
    lacking = found[0].missing(wanted)
    if lacking:
        raise ServiceRefused(
            f"Plex's standard object {found[0].name} has no custom field {', '.join(lacking)}",
            fix="Define it in Plex, or correct [plex.acknowledgments.fields].",
            code="custom-fields",
        )
    return found[0]


def field_value(document: Json) -> FieldValue:
    """A custom field's value: text trimmed, numbers exact, empty as None."""
    if document is None or isinstance(document, bool):
        return None if document is None else str(document).lower()
    if isinstance(document, int | Decimal):
        return without_zeros(Decimal(document))
    if isinstance(document, str):
        return document.strip() or None
    return dumps(document)


def values_of(document: Json, wanted: Collection[str]) -> dict[str, FieldValue]:
    """The wanted fields of a `customFields` object; absent ones are None. Names are compared case-insensitively."""
    found = {name.casefold(): value for name, value in document.items()} if isinstance(document, Mapping) else {}
    return {name: field_value(found.get(name.casefold())) for name in wanted}


class DayFields(Struct, frozen=True):
    """Converts the custom fields that hold a day: read as the day in Plex's screens, written as the stored time.

    Without a configured time zone, days are not converted.
    """

    names: frozenset[str] = frozenset()
    days: Days = field(default_factory=Days)

    def as_read(self, values: Mapping[str, FieldValue]) -> dict[str, FieldValue]:
        """Custom field values with times converted to days."""
        return {
            name: self.days.plain(value) if name in self.names and isinstance(value, str) else value
            for name, value in values.items()
        }

    def as_written(self, values: Mapping[str, FieldValue], texts: Collection[str] = ()) -> dict[str, FieldValue]:
        """Custom field values with days converted to the plant's midnight, except fields in `texts` (lower case)."""
        return {
            name: self._midnight(value) if name in self.names and name.casefold() not in texts else value
            for name, value in values.items()
        }

    def _midnight(self, value: FieldValue) -> FieldValue:
        if self.days.zone is None or not isinstance(value, str) or not is_day(value):
            return value
        return self.days.write(date.fromisoformat(value))


def values_agree(wrote: FieldValue, found: FieldValue) -> bool:
    """Whether Plex holds the written value: numbers by value; a day also matches the midnight that Plex stores."""
    if wrote is None or found is None:
        return (wrote or None) == (found or None)
    if isinstance(wrote, Decimal) or isinstance(found, Decimal):
        return _number(wrote) is not None and _number(wrote) == _number(found)
    if wrote.strip() == found.strip():
        return True
    times = read_time(wrote), read_time(found)
    if None in times:
        return False
    if len(wrote.strip()) == 10 or len(found.strip()) == 10:
        return wrote.strip()[:10] == found.strip()[:10]
    return times[0] == times[1]


def _number(value: FieldValue) -> Decimal | None:
    return plain_number(value) if isinstance(value, str) else value
