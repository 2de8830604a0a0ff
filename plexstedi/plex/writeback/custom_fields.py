"""Custom fields of Plex: what a value is, when two are the same, and which object holds them. All pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

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


@dataclass(frozen=True)
class StandardObject:
    """A standard object of Plex and the custom fields that the customer has defined on it."""

    name: str
    label: str
    table: str
    fields: frozenset[str]
    """Without case: Plex does not tell them apart by it."""
    texts: frozenset[str] = frozenset()
    """Those of them whose type holds no time, but text or numbers."""

    def missing(self, wanted: Collection[str]) -> tuple[str, ...]:
        """The wanted fields that it does not have, in order."""
        return tuple(sorted(name for name in wanted if name.casefold() not in self.fields))

    def matches_level(self, level: Level) -> bool:
        """Whether its name, label or table is that of orders, lines or releases."""
        called = {re.sub(r"[^a-z]", "", text.lower()) for text in (self.name, self.label, self.table)}
        return bool(called & _OBJECT_WORDS[level])


def choose_object(
    objects: Iterable[StandardObject], level: Level, wanted: Collection[str], named: str | None
) -> StandardObject:
    """Given the tenant's standard objects, return the one that holds the wanted fields of this level.

    `named` is from `[plex.acknowledgments.objects]`. Raise ServiceRefused if none does, or more than one could.
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
    """A custom field's value as read: text trimmed, a number exact, empty as None."""
    if document is None or isinstance(document, bool):
        return None if document is None else str(document).lower()
    if isinstance(document, int | Decimal):
        return without_zeros(Decimal(document))
    if isinstance(document, str):
        return document.strip() or None
    return dumps(document)


def values_of(document: Json, wanted: Collection[str]) -> dict[str, FieldValue]:
    """The wanted fields of a `customFields` object; one that is not there is empty. Names are compared without case."""
    found = {name.casefold(): value for name, value in document.items()} if isinstance(document, Mapping) else {}
    return {name: field_value(found.get(name.casefold())) for name in wanted}


@dataclass(frozen=True)
class DayFields:
    """The custom fields that hold a day: read as the day that it is in Plex's screens, written as it is kept there.

    Where the plant's zone is not told, days go and come as they are.
    """

    names: frozenset[str] = frozenset()
    days: Days = field(default_factory=Days)

    def as_read(self, values: Mapping[str, FieldValue]) -> dict[str, FieldValue]:
        """Values of custom fields with days in place of times."""
        return {
            name: self.days.plain(value) if name in self.names and isinstance(value, str) else value
            for name, value in values.items()
        }

    def as_written(self, values: Mapping[str, FieldValue], texts: Collection[str] = ()) -> dict[str, FieldValue]:
        """Values of custom fields with the plant's midnights in place of days; not in `texts`, without case."""
        return {
            name: self._midnight(value) if name in self.names and name.casefold() not in texts else value
            for name, value in values.items()
        }

    def _midnight(self, value: FieldValue) -> FieldValue:
        if self.days.zone is None or not isinstance(value, str) or not is_day(value):
            return value
        return self.days.write(date.fromisoformat(value))


def values_agree(wrote: FieldValue, found: FieldValue) -> bool:
    """Whether Plex holds what was written: numbers by value, a day also as the midnight that Plex makes of it."""
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
