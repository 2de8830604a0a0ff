"""Classify the dates of an acknowledgment as ship or delivery promises (RULES.md Reading 9; X12 element 374)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum

from msgspec import Struct

from plexstedi.edi.inbound.reading.stated import StatedDate
from plexstedi.edi.plain_values import is_digits
from plexstedi.edi.settings import DateMeaning


class DateClass(StrEnum):
    """Class of a date by its qualifier."""

    SHIP = "ship"
    """A committed ship date."""
    DELIVERY = "delivery"
    """A committed delivery date."""
    AMBIGUOUS = "ambiguous"
    """Confirmed, available, released: whether shipment or delivery is not stated."""
    INEXACT = "inexact"
    """A week, or only an earliest or latest day."""
    ECHO = "echo"
    """Echo of our requested date."""
    LIMIT = "limit"
    """Cancel after, not before, expiry."""
    PAST = "past"
    """A past event."""
    NO_PROMISE = "no-promise"
    """Dates of documents and revisions."""
    IGNORED = "ignored"
    """Ignored by the supplier's `date_qualifiers`."""
    UNKNOWN = "unknown"
    MISSING = "missing"
    """No qualifier."""


_CLASSES: dict[str, DateClass] = {
    **dict.fromkeys(("066", "068", "079", "369"), DateClass.SHIP),
    **dict.fromkeys(("017", "065", "067", "069", "371"), DateClass.DELIVERY),
    **dict.fromkeys(("018", "055", "168", "169"), DateClass.AMBIGUOUS),
    **dict.fromkeys(("070", "072", "073", "075", "076", "078"), DateClass.INEXACT),
    **dict.fromkeys(("080", "082", "083", "085", "086"), DateClass.INEXACT),
    **dict.fromkeys(("002", "010", "071", "074", "077", "081", "084", "087", "106", "118", "996"), DateClass.ECHO),
    **dict.fromkeys(("001", "036", "037", "038", "061", "063", "064"), DateClass.LIMIT),
    **dict.fromkeys(("011", "035", "370", "372"), DateClass.PAST),
    **dict.fromkeys(("ACK", "007", "171", "177"), DateClass.NO_PROMISE),
}

_OWN = {"ship": DateClass.SHIP, "delivery": DateClass.DELIVERY, "ignore": DateClass.IGNORED}

_PROMISES = (DateClass.SHIP, DateClass.DELIVERY)
_UNDECIDED = {
    DateClass.AMBIGUOUS: "which does not say whether it is a ship or a delivery date",
    DateClass.INEXACT: "which is not an exact day",
    DateClass.UNKNOWN: "which is not known",
    DateClass.MISSING: "",
}


def classify(qualifier: str | None, own: Mapping[str, DateMeaning]) -> DateClass:
    """Class of a date qualifier; the supplier's `date_qualifiers` have precedence over the built-in classes."""
    if qualifier is None:
        return DateClass.MISSING
    for known, meaning in own.items():
        if (known.zfill(3) if is_digits(known) else known.upper()) == qualifier:
            return _OWN[meaning]
    return _CLASSES.get(qualifier, DateClass.UNKNOWN)


class DatePromise(Struct, frozen=True):
    """A committed date with its qualifier."""

    on: date
    qualifier: str


class Promises(Struct, frozen=True):
    """Ship and delivery promise of one quantity."""

    ship: DatePromise | None = None
    delivery: DatePromise | None = None

    def filled_from(self, other: Promises) -> Promises:
        """These promises, with missing ones taken from the less specific `other`."""
        if other.ship is None and other.delivery is None:
            return self
        return Promises(self.ship or other.ship, self.delivery or other.delivery)

    def __bool__(self) -> bool:
        return self.ship is not None or self.delivery is not None


NO_PROMISES = Promises()


class Reading(Struct, frozen=True):
    """Promises at one location, and descriptions of undecided dates there."""

    promises: Promises
    undecided: tuple[str, ...] = ()


_NOTHING_READ = Reading(NO_PROMISES)


def promises_at(dates: Sequence[StatedDate], own: Mapping[str, DateMeaning]) -> Reading:
    """Promises by the dates of one location. Two different days of one class are undecided."""
    ship: DatePromise | None = None
    delivery: DatePromise | None = None
    undecided: list[str] = []
    for stated in dates:
        kind = classify(stated.qualifier, own)
        if kind in _PROMISES:
            is_ship = kind is DateClass.SHIP
            known = ship if is_ship else delivery
            if known is not None and known.on != stated.on:
                undecided.append(f"{stated.place} gives two {kind} dates, {known.on} and {stated.on}")
            promise = known or DatePromise(stated.on, stated.qualifier or "")
            ship, delivery = (promise, delivery) if is_ship else (ship, promise)
        elif kind in _UNDECIDED:
            named = f"qualifier {stated.qualifier}" if stated.qualifier else "no qualifier"
            undecided.append(f"{stated.place} gives {stated.on} with {named} {_UNDECIDED[kind]}".rstrip())
    if ship is None and delivery is None and not undecided:
        return _NOTHING_READ
    return Reading(Promises(ship, delivery), tuple(undecided))


def is_ship_late(ship: date, due: date, *, transit_days: int, late_days: int) -> bool:
    """Whether goods shipped on this day arrive after the due date plus tolerance (RULES.md Reading 9)."""
    return ship.toordinal() + transit_days > due.toordinal() + late_days


def days_off(delivery: date, due: date) -> int:
    """Days after the due date; negative if before it."""
    return delivery.toordinal() - due.toordinal()
