"""The canonical purchase order, independent of the Plex dialect.

An order has lines, a line has releases. In Plex Connect only releases have quantities and due dates
(plex/README.md 5.4). Ids are Plex ids, kept as opaque text. All models are frozen; Decimals stay exact.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import to_builtins
from msgspec.structs import replace

from plexstedi.edi.model import Frozen


class Phase(StrEnum):
    """Phase of an order, derived from the flags of its Plex status (plex/README.md 5.6), never from its name alone."""

    UNRELEASED = "unreleased"
    """Not yet ordered: the status has neither onOrder nor release."""
    RELEASED = "released"
    """On order: to be sent to the supplier."""
    RECEIVED = "received"
    """Fully received: no further document is sent."""
    CANCELLED = "cancelled"
    """Cancelled in Plex."""
    VANISHED = "vanished"
    """No longer returned by Plex."""


class LineState(StrEnum):
    """Whether a line is still ordered."""

    OPEN = "open"
    CANCELLED = "cancelled"


class ReleaseState(StrEnum):
    """State of a release, derived from the flags of its Plex release status."""

    FIRM = "firm"
    """Firm: included in an 850."""
    FORECAST = "forecast"
    """Forecast or plan (830 data): never sent (RULES.md Sending 3)."""
    RECEIVED = "received"
    """Fully received: still part of the ordered quantity."""
    CANCELLED = "cancelled"


class Part(Frozen, frozen=True, kw_only=True):
    """Our part. Number and revision are separate, since BP holds the number alone (DESIGN.md section 6)."""

    number: str
    revision: str | None = None


class Release(Frozen, frozen=True, kw_only=True):
    """One schedule line of an order line."""

    id: str
    number: int
    """Plex's release number within the line."""
    state: ReleaseState
    quantity: Decimal | None
    """In the line's order unit; None if Plex provides none."""
    due: date | None
    ship_to: str | None = None
    note: str | None = None
    """Without the tokens that PlexStedi wrote into it."""
    status_name: str = ""
    modified_at: datetime | None = None


class Line(Frozen, frozen=True, kw_only=True):
    """One order line. Quantities are in `order_unit` if Plex has one, else in `unit`; the price is per `unit`."""

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
    approved_supplier_part: str | None = None
    """The supplier's number of the part by Plex's list of approved suppliers, for a line without `supplier_part`."""
    manufacturer_part: str | None = None
    description: str | None = None
    note: str | None = None
    blanket_quantity: Decimal | None = None
    releases: tuple[Release, ...] = ()
    status_name: str = ""
    modified_at: datetime | None = None

    def firm_releases(self) -> tuple[Release, ...]:
        """Firm and received releases, ordered by number."""
        wanted = (ReleaseState.FIRM, ReleaseState.RECEIVED)
        return tuple(sorted((r for r in self.releases if r.state in wanted), key=lambda r: (r.number, r.id)))

    def firm_quantity(self) -> Decimal:
        """Sum of the quantities of `firm_releases`, in the order unit."""
        return sum((r.quantity for r in self.firm_releases() if r.quantity is not None), Decimal(0))


class Address(Frozen, frozen=True, kw_only=True):
    """Postal address of a party. `street` has one or two lines."""

    name: str | None = None
    street: tuple[str, ...] = ()
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Supplier(Frozen, frozen=True, kw_only=True):
    """Master data of a supplier; never part of an order's fingerprint."""

    id: str
    code: str
    name: str
    address: Address | None = None


class Order(Frozen, frozen=True, kw_only=True, weakref=True):
    """A purchase order as read from Plex."""

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
    """Order date in Plex (BEG05), never the day of sending."""
    due: date | None = None
    currency: str | None = None
    terms: str | None = None
    freight_terms: str | None = None
    fob: str | None = None
    ship_via: str | None = None
    ship_to: str | None = None
    note: str | None = None
    buyer: str | None = None
    """Plex's id of who issued the order, as of the revision: for digests only."""
    lines: tuple[Line, ...] = ()
    created_at: datetime | None = None
    modified_at: datetime | None = None

    def open_lines(self) -> tuple[Line, ...]:
        """Lines that are still ordered, by line number."""
        return tuple(sorted((ln for ln in self.lines if ln.state is LineState.OPEN), key=lambda ln: ln.number))

    def line(self, number: int) -> Line | None:
        """The line with this Plex line number, the open one if there are several; None if absent."""
        found = [ln for ln in self.lines if ln.number == number]
        return next((ln for ln in found if ln.state is LineState.OPEN), found[0] if found else None)


def last_modified(order: Order) -> datetime | None:
    """The latest modification time of the order, its lines and its releases: Plex keeps one for each."""
    times = [order.modified_at]
    for line in order.lines:
        times += [line.modified_at, *[release.modified_at for release in line.releases]]
    return max((at for at in times if at is not None), default=None)


_NOT_IN_FINGERPRINT = {"buyer", "supplier_address_id", "status_name", "created_at", "modified_at"}
_OF_RELEASE = {"status_name", "modified_at"}


def fingerprint(order: Order) -> str:
    """SHA-256 (hex) of all order data that a document can carry (DESIGN.md section 6).

    Excluded: modification times, status names (`phase` and the states have their meaning), and master data of the part:
    the description of a line that orders one, and the number that its approved supplier has for it. So neither our
    write-back nor an edit of a part is taken for a change of the order.
    """
    content = _content(replace(order, lines=()), _NOT_IN_FINGERPRINT)
    digest = hashlib.sha256()
    # The text is `repr(_sorted(content))` with the lines in it, hashed line by line.
    before = "("
    for key in sorted(content):
        digest.update(f"{before}({key!r}, ".encode())
        before = "), "
        if key == "lines":
            for piece in _line_pieces(order):
                digest.update(piece.encode())
        else:
            digest.update(repr(_sorted(content[key])).encode())
    digest.update(b"))")
    return digest.hexdigest()


def _line_pieces(order: Order) -> Iterator[str]:
    """The text of a tuple of the lines."""
    yield "("
    for index, line in enumerate(sorted(order.lines, key=lambda ln: (ln.number, ln.id))):
        hidden = {"status_name", "modified_at", "releases", "approved_supplier_part"} | (
            {"description"} if line.part else set()
        )
        entry = _content(line, hidden)
        entry["price"] = _plain(line.price)
        entry["blanket_quantity"] = _plain(line.blanket_quantity)
        entry["releases"] = [
            _content(release, _OF_RELEASE) | {"quantity": _plain(release.quantity)}
            for release in sorted(line.releases, key=lambda r: (r.number, r.id))
            if release.state is not ReleaseState.FORECAST
        ]
        yield f"{', ' if index else ''}{_sorted(entry)!r}"
    yield ",)" if len(order.lines) == 1 else ")"


def _content(model: Frozen, hidden: set[str]) -> dict[str, object]:
    return {name: value for name, value in to_builtins(model).items() if name not in hidden}


def _plain(number: Decimal | None) -> str | None:
    """Canonical text of a number: 3000 and 3000.0 are the same quantity."""
    return None if number is None else f"{number.normalize():f}"


def _sorted(value: object) -> object:
    if isinstance(value, dict):
        return tuple((key, _sorted(value[key])) for key in sorted(value))
    if isinstance(value, list):
        return tuple(_sorted(item) for item in value)
    return value
