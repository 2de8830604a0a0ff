"""The canonical order: what Plex holds of a purchase order, free of any Plex dialect.

An order has lines, a line has releases: in Plex Connect quantities and due dates live in the releases only
(plex/README.md 5.4). Ids are Plex's own, kept as opaque text. All models are frozen and keep Decimals exact.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Base of stored values: immutable, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Phase(StrEnum):
    """Where an order stands, from the flags of its Plex status (plex/README.md 5.6), never from its name alone."""

    UNRELEASED = "unreleased"
    """Not yet ordered: status without onOrder and without release."""
    RELEASED = "released"
    """On order: the supplier is to have it."""
    RECEIVED = "received"
    """Fully received: nothing more is to be said to the supplier."""
    CANCELLED = "cancelled"
    """Cancelled in Plex."""
    VANISHED = "vanished"
    """Was there, is no longer returned by Plex."""


class LineState(StrEnum):
    """Whether a line is still wanted."""

    OPEN = "open"
    CANCELLED = "cancelled"


class ReleaseState(StrEnum):
    """What a release is, from the flags of its Plex release status."""

    FIRM = "firm"
    """Ordered: belongs into an 850."""
    FORECAST = "forecast"
    """Forecast or plan: 830 material, never sent (RULES.md Sending 3)."""
    RECEIVED = "received"
    """Fully received: was ordered, counts into the ordered quantity."""
    CANCELLED = "cancelled"


class Part(Frozen):
    """Our part: number and revision apart, since BP is the number alone (DESIGN.md section 6)."""

    number: str
    revision: str | None = None


class Release(Frozen):
    """One schedule line of an order line."""

    id: str
    number: int
    """Plex's release line number: counts within the line."""
    state: ReleaseState
    quantity: Decimal | None
    """In the line's unit; None if Plex gives none."""
    due: date | None
    ship_to: str | None = None
    note: str | None = None
    """Without any token that we wrote into it."""
    status_name: str = ""
    modified_at: datetime | None = None


class Line(Frozen):
    """One order line. The unit of quantity is `order_unit` where Plex has one, priced per `unit`."""

    id: str
    number: int
    state: LineState
    unit: str | None
    order_unit: str | None = None
    price: Decimal | None
    """Per `unit`, in the order's currency; None if Plex has none (held, RULES.md Sending 3)."""
    part: Part | None = None
    item: str | None = None
    """Supply item number, where the line orders no part."""
    supplier_part: str | None = None
    manufacturer_part: str | None = None
    description: str | None = None
    note: str | None = None
    blanket_quantity: Decimal | None = None
    releases: tuple[Release, ...] = ()
    status_name: str = ""
    modified_at: datetime | None = None

    def firm_releases(self) -> tuple[Release, ...]:
        """What is ordered on this line: firm and received releases, in the order of their numbers."""
        wanted = (ReleaseState.FIRM, ReleaseState.RECEIVED)
        return tuple(sorted((r for r in self.releases if r.state in wanted), key=lambda r: (r.number, r.id)))

    def firm_quantity(self) -> Decimal:
        """Sum of the quantities of `firm_releases`, in the order unit."""
        return sum((r.quantity for r in self.firm_releases() if r.quantity is not None), Decimal(0))


class Address(Frozen):
    """A party's place. `street` is one or two lines."""

    name: str | None = None
    street: tuple[str, ...] = ()
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Supplier(Frozen):
    """Master data of a supplier; never part of an order's fingerprint."""

    id: str
    code: str
    name: str
    address: Address | None = None


class Order(Frozen):
    """A purchase order as Plex holds it now."""

    id: str
    number: str
    supplier_id: str
    supplier_code: str
    supplier_address_id: str | None = None
    phase: Phase
    status_name: str
    type_name: str | None = None
    blanket: bool = False
    order_date: date | None
    """Plex's order date (BEG05), never today."""
    due: date | None = None
    currency: str | None = None
    terms: str | None = None
    freight_terms: str | None = None
    fob: str | None = None
    ship_via: str | None = None
    ship_to: str | None = None
    note: str | None = None
    lines: tuple[Line, ...] = ()
    created_at: datetime | None = None
    modified_at: datetime | None = None

    def open_lines(self) -> tuple[Line, ...]:
        """Lines that are wanted, in the order of their numbers."""
        return tuple(sorted((ln for ln in self.lines if ln.state is LineState.OPEN), key=lambda ln: ln.number))

    def line(self, number: int) -> Line | None:
        """The line of this Plex line number, if there is one."""
        return next((ln for ln in self.lines if ln.number == number), None)


_NOT_IN_FINGERPRINT = {"supplier_address_id", "status_name", "created_at", "modified_at"}


def fingerprint(order: Order) -> str:
    """SHA-256 (hex) of what a supplier could be told of this order (DESIGN.md section 6).

    Left out: modification times, status names (their meaning is in `phase` and the states), and the description
    of a line that orders a part (it is the part's master data). So neither our write-back nor an edit of a part
    comes back as a change.
    """
    lines = []
    for line in sorted(order.lines, key=lambda ln: (ln.number, ln.id)):
        hidden = {"status_name", "modified_at", "releases"} | ({"description"} if line.part else set())
        entry = line.model_dump(mode="json", exclude=hidden)
        entry["price"] = _plain(line.price)
        entry["blanket_quantity"] = _plain(line.blanket_quantity)
        entry["releases"] = [
            release.model_dump(mode="json", exclude={"status_name", "modified_at"})
            | {"quantity": _plain(release.quantity)}
            for release in sorted(line.releases, key=lambda r: (r.number, r.id))
            if release.state is not ReleaseState.FORECAST
        ]
        lines.append(entry)
    content = order.model_dump(mode="json", exclude=_NOT_IN_FINGERPRINT | {"lines"})
    content["lines"] = lines
    return hashlib.sha256(repr(_sorted(content)).encode()).hexdigest()


def _plain(number: Decimal | None) -> str | None:
    """One text for equal numbers: 3000 and 3000.0 are the same quantity."""
    return None if number is None else f"{number.normalize():f}"


def _sorted(value: object) -> object:
    if isinstance(value, dict):
        return tuple((key, _sorted(value[key])) for key in sorted(value))
    if isinstance(value, list):
        return tuple(_sorted(item) for item in value)
    return value
