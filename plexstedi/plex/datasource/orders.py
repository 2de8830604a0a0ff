"""Reads orders through data sources: those of a window, the open ones, and complete orders.

A complete order takes one call each for header, lines and releases; tables of the same data source share a call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct, field

from plexstedi.decimal_json import Json
from plexstedi.edi.order import Order, Part
from plexstedi.errors import PlexStediError, ServiceRefused, ServiceUnavailable
from plexstedi.plain_text import many
from plexstedi.plex.datasource.directory import SourceDirectory
from plexstedi.plex.datasource.keys import ReleaseKey
from plexstedi.plex.datasource.tables import SourceTables, ignored_input
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
from plexstedi.plex.rest.client import UNREADABLE, in_groups
from plexstedi.plex.rest.orders import UNREADABLE_MARK
from plexstedi.plex.rest.read_order import MasterData, read_order
from plexstedi.plex.rest.rows import Row, RowFault
from plexstedi.plex.rest.statuses import UnknownStatus
from plexstedi.plex.writeback.datasources import InputValue, SourceRows

_AT_ONCE = 50
_PROBES = 3
"""So many open orders are read before a table without rows is taken for one that the account may not see."""
_MOST_READ = 10
"""Open orders read for it, as those that cannot be read, or need no releases, prove nothing."""
_FIX = "Correct the order in Plex, or the columns in [plex.datasources] if this tenant uses other ones."
_STOPS = ("time-limit", "row-limit")
"""Codes of faults that concern the run, not one order."""


class _Calls(Struct):
    """The calls of one order; equal ones are made once."""

    tables: SourceTables
    made: dict[tuple[int, tuple[tuple[str, InputValue], ...]], SourceRows] = field(default_factory=dict)

    def rows(self, table: str, keys: Mapping[str, str]) -> tuple[Row, ...]:
        number, inputs = self.tables.call(table, keys)
        key = number, tuple(sorted(inputs.items(), key=lambda item: item[0]))
        if key not in self.made:
            self.made[key] = self.tables.execute(table, keys)
        return self.tables.rows(table, keys, self.made[key])


class _OrderRows(Struct, frozen=True):
    header: Row | None
    lines: tuple[Row, ...] = ()
    releases: tuple[Row, ...] = ()

    @property
    def filled(self) -> set[str]:
        """The tables that returned rows."""
        parts = (("order", self.header), ("lines", self.lines), ("releases", self.releases))
        return {table for table, rows in parts if rows is not None and rows != ()}

    @property
    def missing(self) -> str | None:
        """The first table that returned none, where an order has some; those after it have nothing to return.

        A line with a blanket quantity needs no release.
        """
        found = next((table for table in ("order", "lines", "releases") if table not in self.filled), None)
        blanket = found == "releases" and all(row.raw("blanketQuantity") is not None for row in self.lines)
        return None if blanket else found


class SourceOrders:
    """Reads a tenant's purchase orders. `former`: the day conversions of earlier runs, if they differed."""

    def __init__(
        self, tables: SourceTables, directory: SourceDirectory, former: Sequence[Days], parallel_calls: int
    ) -> None:
        self._tables = tables
        self._directory = directory
        self._former = former
        self._parallel_calls = parallel_calls
        self._in_former_zones: dict[str, dict[str, Order]] = {}
        self._with_rows: set[str] = set()
        """The tables that returned a row of some order in this run."""

    def touched(self, window: Window) -> tuple[Touched, ...]:
        """Orders changed or created in the window, sorted by order id."""
        changed = self._tables.in_window("changed_orders", window)
        return self._listed((*changed, *self._tables.in_window("created_orders", window)))

    def open(self) -> tuple[Touched, ...]:
        """All orders of the table of open orders."""
        return self._listed(self._tables.rows("open_orders"))

    def _listed(self, rows: Iterable[Row]) -> tuple[Touched, ...]:
        found: dict[str, str] = {}
        for order_id, number in self._tables.each(rows, lambda row: (row.needed("id"), row.text("poNumber") or "")):
            found[order_id] = found.get(order_id) or number
        # A row may be listed for a change of a line or release whose time it does not show: each order is read.
        return tuple(Touched(key, number, {key: UNREADABLE_MARK}) for key, number in sorted(found.items()))

    def read(self, order_ids: Iterable[str]) -> Iterator[OrderReading]:
        """These orders, in the sequence given; each id once."""
        for some in in_groups(list(dict.fromkeys(order_ids)), _AT_ONCE):
            self._in_former_zones.clear()
            for table in ("order", "lines", "releases"):
                # Before the threads begin, so that it is read once.
                self._tables.sources.metadata(self._tables.map(table).id, table)
            if self._parallel_calls == 1 or len(some) == 1:
                for order_id in some:
                    yield self._one(order_id, self._attempt(order_id))
                continue
            with ThreadPoolExecutor(self._parallel_calls, thread_name_prefix="plex") as threads:
                begun = {order_id: threads.submit(self._attempt, order_id) for order_id in some}
                try:
                    for order_id, future in begun.items():
                        yield self._one(order_id, future.result())
                finally:
                    for future in begun.values():
                        future.cancel()

    def in_former_zone(self, order_id: str, timezone: str) -> Order | None:
        """An order read last, with its days in a former time zone; None if it cannot be read that way."""
        return self._in_former_zones.get(order_id, {}).get(timezone)

    def _attempt(self, order_id: str) -> _OrderRows | Exception:
        """The rows of one order, or what reading them raised."""
        try:
            return self._rows(order_id)
        except Exception as error:
            return error

    def _rows(self, order_id: str) -> _OrderRows:
        calls = _Calls(self._tables)
        keys = {"order": order_id}
        headers = _distinct(calls.rows("order", keys), ("id",))
        if not headers:
            return _OrderRows(None)
        if any(row.text("id") != order_id for row in headers):
            raise ignored_input(self._tables, "order", "order", order_id)
        lines = _distinct([row for row in calls.rows("lines", keys) if row.raw("id") is not None], ("id",))
        if any(row.raw("poId") is not None and row.text("poId") != order_id for row in lines):
            raise ignored_input(self._tables, "lines", "order", order_id)
        if "line_key" in self._tables.map("releases").inputs:
            found = [row for line in lines for row in calls.rows("releases", {**keys, "line_key": line.needed("id")})]
        else:
            found = list(calls.rows("releases", keys))
        releases = _distinct([row for row in found if row.text("key") is not None], ("poLineItemId", "key"))
        return _OrderRows(
            headers[0],
            tuple(_with_part(row) for row in lines),
            tuple(with_release_id(row, order_id) for row in releases),
        )

    def _prove(self, order_id: str, rows: _OrderRows) -> None:
        """Tell an order without rows from an account that may not see any: Plex answers both with an empty table.

        Raise ServiceRefused if a table returns no row of this order nor of open orders. An order without rows is gone,
        or has lost its lines, only where other orders have them.
        """
        self._with_rows |= rows.filled
        if rows.missing is None or rows.missing in self._with_rows:
            return
        probed = 0
        others = [key for key in self._open_ids() if key != order_id]
        for other in others[:_MOST_READ]:
            try:
                read = self._rows(other)
            except RowFault:
                # It proves nothing; it is held when its own turn comes.
                continue
            self._with_rows |= read.filled
            if rows.missing in self._with_rows:
                return
            # A blanket order without releases proves nothing either.
            probed += read.missing == rows.missing
            if probed == _PROBES:
                break
        if probed:
            source = self._tables.map(rows.missing)
            raise ServiceRefused(
                f"data source {source.id} ([plex.datasources.{rows.missing}]) returns no row of order {order_id}, nor "
                f"of {many(probed, 'open order')}: the web service account may not be allowed to see them",
                fix=f"Check constants of [plex.datasources.{rows.missing}], and what the account may see in Plex.",
                code="no-rows",
            )

    def _open_ids(self) -> tuple[str, ...]:
        return tuple(touched.order_id for touched in self.open())

    def _one(self, order_id: str, rows: _OrderRows | Exception) -> OrderReading:
        number = ""
        try:
            if isinstance(rows, Exception):
                raise rows
            self._prove(order_id, rows)
            if rows.header is None:
                return VanishedOrder(order_id)
            number = rows.header.text("poNumber") or ""
            known = MasterData(
                supplier_codes=self._directory.supplier_codes(_supplier_of(rows.header)),
                parts={row.needed("id"): part for row in rows.lines if (part := _part(row)) is not None},
                items={item: item for row in rows.lines if (item := row.text("itemId")) is not None},
            )
            statuses = self._directory.statuses()
            try:
                order = read_order(rows.header, rows.lines, rows.releases, statuses=statuses, known=known)
            except UnknownStatus:
                # The statuses are kept for a day: this one may be new.
                again = self._directory.statuses_again()
                if again is None:
                    raise
                statuses = again
                order = read_order(rows.header, rows.lines, rows.releases, statuses=statuses, known=known)
            self._in_former_zones[order_id] = {
                days.name: read_order(
                    rows.header.with_days(days),
                    [row.with_days(days) for row in rows.lines],
                    [row.with_days(days) for row in rows.releases],
                    statuses=statuses,
                    known=known,
                )
                for days in self._former
            }
            return order
        except ServiceUnavailable as fault:
            if fault.code in _STOPS:
                raise
            if fault.code == UNREADABLE:
                return UnreadableOrder(order_id, number, fault.message, fault.fix)
            return UnavailableOrder(order_id, number, fault)
        except UnknownStatus as error:
            fix = f"List it in [plex.statuses] under one of {', '.join(error.keys)}."
            return UnreadableOrder(order_id, number, str(error), fix)
        except RowFault as error:
            return UnreadableOrder(order_id, number, str(error), _FIX)
        except PlexStediError:
            raise
        except Exception as error:
            return UnforeseenOrder(order_id, number, error)


def _supplier_of(header: Row) -> tuple[str, ...]:
    supplier = header.text("supplierId")
    return () if supplier is None else (supplier,)


def _distinct(rows: Iterable[Row], fields: tuple[str, ...]) -> tuple[Row, ...]:
    """The rows without repetitions. Raise RowFault if two rows of the same key differ."""
    found: dict[tuple[str, ...], Row] = {}
    for row in rows:
        key = tuple(row.needed(name) for name in fields)
        if found.setdefault(key, row).mark() != row.mark():
            raise RowFault(f"{row.what}: Plex returns it twice, with different values")
    return tuple(found.values())


def _changed(row: Row, values: Mapping[str, Json]) -> Row:
    assert isinstance(row.document, Mapping)
    changed = Row({**row.document, **values}, row.names, row.table)
    changed.what = row.what
    return changed


def _with_part(row: Row) -> Row:
    """A line whose part, if any, is identified by the line's id: data sources state parts by number."""
    return _changed(row, {"partId": None if row.text("part") is None else row.needed("id")})


def _part(row: Row) -> Part | None:
    number = row.text("part")
    return None if number is None else Part(number=number, revision=row.text("revision"))


def with_release_id(row: Row, order_id: str) -> Row:
    """A release with its id, made of the keys of order, line and release."""
    return _changed(row, {"id": ReleaseKey(order_id, row.needed("poLineItemId"), row.needed("key")).id})
