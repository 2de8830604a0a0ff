"""The state of the simulated Plex: records with keys, custom fields, edits, and a log of all writes."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from msgspec import Struct, field
from msgspec.structs import replace

from plexstedi.decimal_json import Json
from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.plex.records import (
    ORDER_STATUSES,
    RELEASE_STATUSES,
    Line,
    Order,
    OrderStatus,
    Receipt,
    Release,
    ReleaseAcknowledgement,
    ReleaseStatus,
    Tenant,
)


class Place(Struct, frozen=True):
    """A record with its parents: an order, or one of its lines, or a release of that line."""

    order: Order
    line: Line | None = None
    release: Release | None = None


class PlexWrite(Struct, frozen=True):
    """One write by a client. `effective` is False if it changed nothing."""

    at: datetime
    kind: str
    object: str
    record_id: str
    order: str
    line: int | None
    release: int | None
    before: Mapping[str, Json]
    after: Mapping[str, Json]

    @property
    def effective(self) -> bool:
        return any(self.before.get(key) != value for key, value in self.after.items())


class NewLine(Struct, frozen=True):
    """A line to add to an order."""

    part_number: str
    unit: str
    price: Decimal | None
    quantity: Decimal
    due: date


class PlexStore(Struct):
    """One tenant's data and indexes."""

    tenant: Tenant
    clock: SandboxClock
    places: dict[str, Place] = field(default_factory=dict)
    custom: dict[tuple[str, str], dict[str, Json]] = field(default_factory=dict)
    writes: list[PlexWrite] = field(default_factory=list)
    acknowledgements: list[ReleaseAcknowledgement] = field(default_factory=list)
    stale_for: timedelta | None = None
    """How long reads return the values from before the current write (a lagging replica)."""
    _stale_custom: dict[tuple[str, str], tuple[datetime, dict[str, Json]]] = field(default_factory=dict)
    _stale_releases: dict[str, tuple[datetime, Release]] = field(default_factory=dict)
    _unseen_records: dict[int, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reindex()

    def reindex(self) -> None:
        self.places.clear()
        for order in self.tenant.orders:
            self._index(order)

    def _index(self, order: Order) -> None:
        self.places[order.id] = Place(order)
        for line in order.lines:
            self.places[line.id] = Place(order, line)
            for release in line.releases:
                self.places[release.id] = Place(order, line, release)

    def order_status(self, order: Order) -> OrderStatus:
        return next(status for status in ORDER_STATUSES if status.name == order.status)

    def order(self, number: str) -> Order:
        return self.tenant.order(number)

    def line(self, number: str, line: int) -> Line:
        for each in self.order(number).lines:
            if each.number == line:
                return each
        raise KeyError(f"{number} line {line}")

    def release(self, number: str, line: int, release: int) -> Release:
        for each in self.line(number, line).releases:
            if each.number == release:
                return each
        raise KeyError(f"{number} line {line} release {release}")

    # Edits by users. As in Plex, editing a line or release does not change the order's modified date.

    def add_order(self, order: Order) -> None:
        """Add an order. A second copy of one has the keys of the first: it is renumbered, as a key is of one record."""
        taken = {key for each in self.tenant.orders for key in _keys(each)}
        if not taken.isdisjoint(_keys(order)):
            _shift_keys(order, max(taken) + 1 - min(_keys(order)))
        self.tenant.orders.append(order)
        self._index(order)

    def delete_order(self, number: str) -> None:
        self.tenant.orders.remove(self.order(number))
        self.reindex()

    def edit_header(self, number: str, **fields: object) -> None:
        """Set header fields (`note`, `ship_to`, `terms`, `status`, …) and update the order's modified date."""
        order = self.order(number)
        _assign(order, fields)
        order.modified = self.clock.now()

    def edit_line(self, number: str, line: int, **fields: object) -> None:
        """Set line fields (`price`, `unit`, `description`, `status`, …); only the line's modified date is updated."""
        each = self.line(number, line)
        _assign(each, fields)
        each.modified = self.clock.now()

    def edit_release(self, number: str, line: int, release: int, **fields: object) -> None:
        """Set release fields (`quantity`, `due`, `status`, `note`); only the release's modified date is updated."""
        each = self.release(number, line, release)
        _assign(each, fields)
        each.modified = self.clock.now()

    def add_line(self, number: str, new: NewLine) -> int:
        """Add a line with one firm release; return its number. Raise KeyError for an unknown part."""
        order, now = self.order(number), self.clock.now()
        part = next((part for part in self.tenant.parts if part.number == new.part_number), None)
        if part is None:
            raise KeyError(new.part_number)
        line_number = max((line.number for line in order.lines), default=0) + 1
        line = Line(_new_id(), self._next_key(), line_number, new.unit, new.price, now, now, order_unit=new.unit)
        line.part, line.description = part, part.name
        line.releases.append(self._new_release(1, new.quantity, new.due, now))
        order.lines.append(line)
        self._index(order)
        return line_number

    def add_release(self, number: str, line: int, quantity: Decimal, due: date, status: str = "Firm") -> int:
        each, now = self.line(number, line), self.clock.now()
        release = self._new_release(max((r.number for r in each.releases), default=0) + 1, quantity, due, now)
        release.status = status
        each.releases.append(release)
        self._index(self.order(number))
        return release.number

    def delete_line(self, number: str, line: int) -> None:
        """Delete a line and its releases; only the order's line count shows it."""
        order = self.order(number)
        order.lines.remove(self.line(number, line))
        self.reindex()

    def cancel(self, number: str) -> None:
        self.edit_header(number, status="Cancelled")

    def reopen(self, number: str) -> None:
        self.edit_header(number, status="On Order")

    def receive(self, number: str, line: int, release: int, quantity: Decimal) -> None:
        """Receive goods: add a receipt and update the release's status."""
        each, now = self.release(number, line, release), self.clock.now()
        order, of_line = self.order(number), self.line(number, line)
        self.tenant.receipts.append(Receipt(_new_id(), order, of_line, each, quantity, now))
        received = sum((r.quantity for r in self.tenant.receipts if r.release is each), Decimal(0))
        self.edit_release(number, line, release, status="Received" if received >= each.quantity else "Partial")

    def _new_release(self, number: int, quantity: Decimal, due: date, now: datetime) -> Release:
        return Release(_new_id(), self._next_key(), number, quantity, due, "Firm", now, now, original_due=due)

    def _next_key(self) -> int:
        keys = (key for order in self.tenant.orders for key in _keys(order))
        return max(keys, default=0) + 1

    # Writes by clients.

    def record_write(
        self, kind: str, object_name: str, record_id: str, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        place = self.places[record_id]
        line = place.line.number if place.line else None
        release = place.release.number if place.release else None
        write = PlexWrite(
            self.clock.now(), kind, object_name, record_id, place.order.number, line, release, dict(before), dict(after)
        )
        self.writes.append(write)

    def save_custom(self, kind: str, object_name: str, record_id: str, values: Mapping[str, Json]) -> None:
        """Store custom field values. As in Plex, this updates the order's modified date, as an edit would."""
        if self.stale_for is not None:
            shown = dict(self.custom_of(object_name, record_id))
            self._stale_custom[object_name, record_id] = (self.clock.now() + self.stale_for, shown)
        stored = self.custom.setdefault((object_name, record_id), {})
        self.record_write(kind, object_name, record_id, {name: stored.get(name) for name in values}, values)
        for name, value in values.items():
            if value is None:
                stored.pop(name, None)
            else:
                stored[name] = value
        order = self.places[record_id].order
        order.modified = self.clock.now()

    def add_acknowledgement(self, record: ReleaseAcknowledgement) -> None:
        """Add an acknowledgment record. As for a custom field, this updates a modified date that is polled."""
        self.acknowledgements.append(record)
        if self.stale_for is not None:
            self._unseen_records[record.key] = self.clock.now() + self.stale_for
        after: dict[str, Json] = {"date": record.date, "note": record.note, "type": record.type_key}
        self.record_write("acknowledgement", "Release_Acknowledgement", record.release_id, {}, after)
        release = self.places[record.release_id].release
        assert release is not None
        release.modified = self.clock.now()

    # Reads.

    def custom_of(self, object_name: str, record_id: str) -> dict[str, Json]:
        until, before = self._stale_custom.get((object_name, record_id), (self.clock.now(), {}))
        return before if self.clock.now() < until else self.custom.get((object_name, record_id), {})

    def shown(self, place: Place) -> Place:
        """A release as reads return it (possibly stale)."""
        release = place.release
        if release is None:
            return place
        until, before = self._stale_releases.get(release.id, (self.clock.now(), release))
        return replace(place, release=before) if self.clock.now() < until else place

    def shows_record(self, record: ReleaseAcknowledgement) -> bool:
        """Whether reads already return an acknowledgment record."""
        return self.clock.now() >= self._unseen_records.get(record.key, self.clock.now())

    def release_written(self, place: Place) -> None:
        """Called before a release is written: keeps its old values for stale reads."""
        release = self.shown(place).release
        if self.stale_for is not None and release is not None:
            self._stale_releases[release.id] = (self.clock.now() + self.stale_for, replace(release))


def release_status(name: str) -> ReleaseStatus:
    return next(status for status in RELEASE_STATUSES if status.name == name)


def _assign(record: Order | Line | Release, fields: Mapping[str, object]) -> None:
    for name, value in fields.items():
        if name not in record.__struct_fields__:
            raise KeyError(f"{type(record).__name__} has no field {name!r}")
        setattr(record, name, value)


def _keys(order: Order) -> Iterable[int]:
    yield order.key
    for line in order.lines:
        yield line.key
        for release in line.releases:
            yield release.key


def _new_id() -> str:
    return str(uuid.uuid4())


def _shift_keys(order: Order, by: int) -> None:
    order.key += by
    for line in order.lines:
        line.key += by
        for release in line.releases:
            release.key += by


def copy_order(order: Order, number: str, now: datetime) -> Order:
    """A copy of an order under a new number, released now."""
    lines = [
        replace(
            line, id=_new_id(), created=now, modified=now, key=line.key + 500000,
            releases=[
                replace(release, id=_new_id(), key=release.key + 500000, created=now, modified=now, note=None)
                for release in line.releases
            ],
        )
        for line in order.lines
    ]  # fmt: skip
    return replace(
        order, id=_new_id(), key=order.key + 500000, number=number, status="On Order",
        created=now, modified=now, ordered=now, lines=lines,
    )  # fmt: skip
