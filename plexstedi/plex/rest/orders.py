"""Reads orders: those changed in a window, all open ones, and complete orders with few calls (plex/README.md 5.7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

from msgspec import Struct, field

from plexstedi.decimal_json import Json, NotPlain
from plexstedi.edi.order import Order, Part, Phase
from plexstedi.errors import PlexStediError, ServiceRefused, ServiceUnavailable
from plexstedi.packed import Packed
from plexstedi.plex.days import Days
from plexstedi.plex.port import (
    OrderReading,
    Touched,
    UnavailableOrder,
    UnforeseenOrder,
    UnreadableOrder,
    VanishedOrder,
    Window,
)
from plexstedi.plex.rest.client import UNREADABLE, Params, Rest, in_groups
from plexstedi.plex.rest.directory import Directory
from plexstedi.plex.rest.read_order import MasterData, parts_named, read_order
from plexstedi.plex.rest.rows import Row, RowFault
from plexstedi.plex.rest.statuses import UnknownStatus

_ReadLines = Callable[[], tuple[Row, ...] | None]
_MAX_LISTED = 2000
"""A list of a first poll may have tens of thousands of headers; they would fill the memory."""
_EMPTY_WINDOW = Window(datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC))


class _Marks(Struct):
    number: str = ""
    marks: dict[str, datetime] = field(default_factory=dict)


class _Entry(Struct, frozen=True):
    """What is kept of a row of a list of orders or releases: a list may have tens of thousands."""

    order_id: str
    key: str
    number: str
    moment: datetime | None
    row: Packed[Json] | None


class _Odd(Struct, frozen=True):
    """A row that names no order."""

    row: Row
    error: Exception


class _Found:
    """The orders that the entries of several lists belong to. An entry may occur several times.

    Rows that name no order are passed to `skip_row`.
    """

    def __init__(self, skip_row: Callable[[Row, Exception], None]) -> None:
        self._skip_row = skip_row
        self._orders: dict[str, _Marks] = {}
        self.rows: dict[str, Packed[Json]] = {}
        """Headers, by order id."""

    def add(self, entries: Iterable[_Entry | _Odd]) -> None:
        """Add the entries of a list that was read completely."""
        for each in entries:
            if isinstance(each, _Odd):
                self._skip_row(each.row, each.error)
                continue
            order = self._orders.setdefault(each.order_id, _Marks())
            order.number = order.number or each.number
            if each.moment is not None and each.moment >= order.marks.get(each.key, each.moment):
                order.marks[each.key] = each.moment
            if each.row is not None:
                self.rows[each.order_id] = each.row

    def touched(self) -> tuple[Touched, ...]:
        """The orders, sorted by order id."""
        return tuple(Touched(order_id, each.number, each.marks) for order_id, each in sorted(self._orders.items()))


class _OtherStatus(Struct, frozen=True):
    """A row of another status than was requested."""

    text: str


class OrderReader:
    """Reads a tenant's purchase orders. `former`: the day conversions of earlier runs, if they differed."""

    def __init__(self, rest: Rest, directory: Directory, former: Sequence[Days] = (), parallel_calls: int = 1) -> None:
        self._rest = rest
        self._directory = directory
        self._former = former
        self._parallel_calls = parallel_calls
        self._in_former_zones: dict[str, dict[str, Order]] = {}
        self._collection_exists = False
        self._lines_exist = False
        self._listed: dict[str, Packed[Json]] = {}

    def touched(self, window: Window) -> tuple[Touched, ...]:
        """Orders whose header or a release was modified or created in the window, sorted by order id."""
        found = _Found(self._rest.skip_row)
        window_of = self._rest.read_window
        # Whether creation also sets the modified time is not known (plex/README.md 5.7): both are queried.
        for extra in self._active_and_not():
            found.add(window_of("orders", window, self._headers_of(), by="modified", field="modifiedDate", extra=extra))
        # By creation too: Plex may not set the modified time then. An order that is closed by now was modified.
        found.add(window_of("orders", window, self._headers_of(), by="created", field="createdDate"))
        for by, name in (("modified", "modifiedDate"), ("created", "createdDate")):
            found.add(window_of("releases", window, partial(_entry, id_field="poId"), by=by, field=name))
        self._collection_exists = True
        self._remember(found.rows)
        return found.touched()

    def open(self) -> tuple[Touched, ...]:
        """All orders on order: filtered by status where the dialect can, else selected from all orders."""
        statuses = self._directory.statuses()
        if not statuses.released_names:
            statuses = self._directory.statuses_again() or statuses
        if not statuses.released_names:
            raise ServiceRefused(
                "Plex has no status for released orders",
                fix='Set it in the configuration: [plex.statuses] released_orders = ["On Order"].',
            )
        name = self._rest.dialect.filter("order_status")
        asked: list[tuple[str | None, Params]] = [(None, ())]
        if name is not None:
            asked = [(status, [(name, status)]) for status in statuses.released_names]
        found = _Found(self._rest.skip_row)
        for status, params in asked:
            listed = self._rest.read_all("orders", self._released(status, statuses.orders), params)
            for each in listed:
                if isinstance(each, _OtherStatus):
                    raise self._rest.ignored("orders", "order_status", name or "", each.text)
            found.add(each for each in listed if each is not None and not isinstance(each, _OtherStatus))
        self._collection_exists = True
        self._remember(found.rows)
        return found.touched()

    def _headers_of(self) -> Callable[[Row], _Entry | _Odd]:
        """Reads the entries of an order list; the first ones with their rows."""
        left = _MAX_LISTED - len(self._listed)

        def read(row: Row) -> _Entry | _Odd:
            nonlocal left
            left -= 1
            return _entry(row, id_field="id", with_row=left >= 0)

        return read

    def _released(
        self, status: str | None, phases: Mapping[str, Phase]
    ) -> Callable[[Row], _Entry | _Odd | _OtherStatus | None]:
        """Reads the entries of a list of open orders, which was requested by this status, or of all orders."""
        read = self._headers_of()

        def judged(row: Row) -> _Entry | _Odd | _OtherStatus | None:
            try:
                found = _text_if_readable(row, "status")
                if status is not None and found is not None and found.casefold() != status.casefold():
                    return _OtherStatus(f"{row.what} has status {found}")
                # Orders with an unknown status are kept: they are then held with a reason instead of being dropped.
                wanted = _may_be_released(row, phases)
            except Exception as error:
                return _Odd(row, error)
            return read(row) if wanted else None

        return judged

    def read(self, order_ids: Iterable[str]) -> Iterator[OrderReading]:
        """These orders, in the sequence given; each id once."""
        for some in in_groups(list(dict.fromkeys(order_ids)), 50):
            self._in_former_zones.clear()
            headers = {order_id: self._listed_header(order_id) for order_id in some if order_id in self._listed}
            headers |= self._headers([order_id for order_id in some if order_id not in headers])
            releases = self._releases([order_id for order_id in some if order_id in headers])
            codes = self._directory.supplier_codes(_supplier_ids(headers.values()))
            with self._lines_of([order_id for order_id in some if order_id in headers]) as lines:
                for order_id in some:
                    header = headers.get(order_id)
                    if header is None:
                        yield VanishedOrder(order_id)
                    else:
                        others = [each for each in some if each in headers and each != order_id]
                        yield self._one(order_id, header, releases.pop(order_id, []), codes, lines[order_id], others)

    def _listed_header(self, order_id: str) -> Row:
        return self._rest.row_of("orders", self._listed.pop(order_id).unpacked())

    def _remember(self, rows: Mapping[str, Packed[Json]]) -> None:
        """Keep headers that were just listed, so that they are not read again for their orders."""
        for order_id, row in rows.items():
            if len(self._listed) < _MAX_LISTED:
                self._listed[order_id] = row

    @contextmanager
    def _lines_of(self, order_ids: Sequence[str]) -> Iterator[Mapping[str, _ReadLines]]:
        """For each order a function that returns its lines: read when it is called, or by threads ahead of it."""
        reads = {order_id: partial(self._rest.all_or_none, "lines", order=order_id) for order_id in order_ids}
        if self._parallel_calls == 1 or len(reads) < 2:
            yield reads
            return
        with ThreadPoolExecutor(self._parallel_calls, thread_name_prefix="plex") as threads:
            begun = {order_id: threads.submit(read) for order_id, read in reads.items()}
            try:
                # A future keeps its result: it is let go of once its lines are used.
                yield {order_id: partial(_result_of, begun, order_id) for order_id in reads}
            finally:
                # Nobody waits for the rest after a failure or an interrupt.
                for future in begun.values():
                    future.cancel()

    def in_former_zone(self, order_id: str, timezone: str) -> Order | None:
        """An order read last, with its days in a former time zone; None if it cannot be read that way."""
        return self._in_former_zones.get(order_id, {}).get(timezone)

    def _one(
        self,
        order_id: str,
        header: Row,
        releases: Sequence[Row] | RowFault,
        codes: Mapping[str, str],
        read_lines: _ReadLines,
        others: Sequence[str],
    ) -> OrderReading:
        number = ""
        try:
            number = header.text("poNumber") or ""
            if isinstance(releases, RowFault):
                raise releases
            lines = read_lines()
            self._lines_exist = self._lines_exist or lines is not None
            if lines is None:
                # The header may have been listed minutes ago, and the order deleted since.
                if self._rest.one("order", order=order_id) is None:
                    return VanishedOrder(order_id)
                if not self._any_lines(others):
                    raise self._rest.no_such_path("lines")
                raise RowFault(f"order {number}: Plex answers 404 for its lines ([plex.paths] lines, or just deleted)")
            known = MasterData(
                supplier_codes=codes,
                approved=self._directory.approved_for(header, lines),
                parts=self._parts(lines, releases),
                items=self._directory.items(
                    item for row in lines if row.text("partId") is None and (item := row.text("itemId")) is not None
                ),
            )
            statuses = self._directory.statuses()
            try:
                order = read_order(header, lines, releases, statuses=statuses, known=known)
            except UnknownStatus:
                # The statuses are kept for a day: this one may be new.
                again = self._directory.statuses_again()
                if again is None:
                    raise
                statuses = again
                order = read_order(header, lines, releases, statuses=statuses, known=known)
            # Also with former time zones: a changed `plex.timezone` must not make every order look changed.
            self._in_former_zones[order_id] = {
                days.name: read_order(
                    header.with_days(days),
                    [row.with_days(days) for row in lines],
                    [row.with_days(days) for row in releases],
                    statuses=statuses,
                    known=known,
                )
                for days in self._former
            }
            return order
        except ServiceUnavailable as fault:
            # The run's time is over, which is not a fault of this order.
            if fault.code == "time-limit":
                raise
            if fault.code == UNREADABLE:
                return UnreadableOrder(order_id, number, fault.message, fault.fix)
            return UnavailableOrder(order_id, number, fault)
        except UnknownStatus as error:
            fix = f"List it in [plex.statuses] under one of {', '.join(error.keys)}."
            return UnreadableOrder(order_id, number, str(error), fix)
        except RowFault as error:
            fix = "Correct the order in Plex, or set [plex.fields] if this tenant uses another field name."
            return UnreadableOrder(order_id, number, str(error), fix)
        except PlexStediError:
            raise
        except Exception as error:
            return UnforeseenOrder(order_id, number, error)

    def _any_lines(self, others: Iterable[str]) -> bool:
        """Whether some order has lines: a 404 then concerns one order, not the path (plex/README.md 4.4)."""
        for order_id in () if self._lines_exist else others:
            self._lines_exist = self._rest.all_or_none("lines", order=order_id) is not None
            if self._lines_exist:
                break
        return self._lines_exist

    def _parts(self, lines: Sequence[Row], releases: Sequence[Row]) -> dict[str, Part]:
        named = parts_named(releases)
        wanted = {part_id for row in lines if (part_id := row.text("partId")) is not None}
        return named | self._directory.parts(wanted - named.keys())

    def _headers(self, order_ids: Sequence[str]) -> dict[str, Row]:
        """Headers by requested order id; an order that does not exist is omitted."""
        found: dict[str, Row] = {}
        if self._rest.dialect.filter("order_ids") is not None:
            for extra in self._active_and_not():
                missing = [order_id for order_id in order_ids if order_id not in found]
                # A header whose id cannot be read is requested separately below.
                rows = self._rest.by_ids("orders", by="order_ids", ids=missing, field="id", extra=extra)
                found |= {key: row for key, row in rows if key is not None}
            self._collection_exists = True
        for order_id in order_ids:
            if order_id not in found:
                row = self._rest.one("order", order=order_id)
                if row is not None:
                    found[order_id] = row
                elif not self._collection_exists:
                    # A 404 means "no such order" only if the collection itself exists (plex/README.md 4.4).
                    self._rest.in_window("orders", _EMPTY_WINDOW, by="created", field="createdDate")
                    self._collection_exists = True
        return found

    def _releases(self, order_ids: Sequence[str]) -> dict[str, list[Row] | RowFault]:
        """All releases of these orders, by order id; a RowFault for an order with an unreadable release."""
        rows = self._rest.by_ids("releases", by="release_order_ids", ids=order_ids, field="poId")
        if any(order_id is None for order_id, _ in rows):
            if len(order_ids) == 1:
                return {order_ids[0]: RowFault("one of its releases has no poId to identify its order")}
            # The unreadable row belongs to one of these orders; one call per order finds out which.
            alone: dict[str, list[Row] | RowFault] = {}
            for order_id in order_ids:
                alone |= self._releases([order_id])
            return alone
        found: dict[str, list[Row]] = {}
        for owner, row in rows:
            if owner is not None:
                found.setdefault(owner, []).append(row)
        return {**found}

    def _active_and_not(self) -> tuple[Params, ...]:
        """Queries for active and inactive orders: the filter's default is not known (plex/README.md 5.2)."""
        name = self._rest.dialect.filter("active")
        return ((),) if name is None else ((), ((name, "false"),))


def _result_of(begun: dict[str, Future[tuple[Row, ...] | None]], order_id: str) -> tuple[Row, ...] | None:
    return begun.pop(order_id).result()


UNREADABLE_MARK = datetime.min.replace(tzinfo=UTC)
"""Replaces an unreadable modified time: differs from any real one, so that the row counts as changed."""


def _entry(row: Row, *, id_field: str, with_row: bool = False) -> _Entry | _Odd:
    try:
        order_id, key = row.needed(id_field), row.needed("id")
        number = _text_if_readable(row, "poNumber") or ""
        return _Entry(order_id, key, number, _changed_at(row), Packed(row.document) if with_row else None)
    except Exception as error:
        return _Odd(row, error)


def _changed_at(row: Row) -> datetime | None:
    try:
        return row.time("modifiedDate") or row.time("createdDate")
    except RowFault:
        return UNREADABLE_MARK


def _text_if_readable(row: Row, field: str) -> str | None:
    """Text, empty if absent; None if the value is not text (reading the order itself reports it)."""
    try:
        return row.text(field) or ""
    except RowFault:
        return None


def _supplier_ids(headers: Iterable[Row]) -> set[str]:
    """The supplier ids of these orders; one that cannot be read is reported when its order is read."""
    found = (row.raw("supplierId") for row in headers)
    return {each.strip() for each in found if isinstance(each, str) and not isinstance(each, NotPlain) and each.strip()}


def _may_be_released(row: Row, phases: Mapping[str, Phase]) -> bool:
    phase = phases.get(" ".join((_text_if_readable(row, "status") or "").split()).casefold())
    return phase is None or phase is Phase.RELEASED
