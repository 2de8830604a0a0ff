"""Plex master data, read on demand and kept for the run: statuses, suppliers, parts, supply items.

Statuses, suppliers and addresses are kept between runs too, for a day: they change rarely, and Plex limits calls.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import TypeVar

from plexstedi.decimal_json import NotPlain
from plexstedi.edi.order import Address, Part, Supplier
from plexstedi.errors import ServiceUnavailable
from plexstedi.plex.rest.client import Rest, readable
from plexstedi.plex.rest.read_order import read_part
from plexstedi.plex.rest.rows import Row
from plexstedi.plex.rest.statuses import Statuses, read_statuses
from plexstedi.plex.settings import StatusNames

_Read = TypeVar("_Read")
_SINGLE_READS = 1
"""With more unknown suppliers than this, reading the whole table in one call is cheaper."""


class Directory:
    """The master data that orders refer to."""

    def __init__(self, rest: Rest, names: StatusNames) -> None:
        self._rest = rest
        self._statuses_are_kept = False
        self._names = names
        self._statuses: Statuses | None = None
        self._suppliers: dict[str, Row] = {}
        self._all_suppliers = False
        self._addresses: dict[str, tuple[Row, ...]] = {}
        self._addresses_read: set[str] = set()
        self._addresses_exist = False
        self._parts: dict[str, Part] = {}
        self._items: dict[str, str] = {}
        self._unavailable: dict[str, ServiceUnavailable] = {}

    def statuses(self) -> Statuses:
        """The meaning of the tenant's statuses. A tenant without status tables configures `[plex.statuses]`."""
        if self._statuses is None:
            orders, releases = self._rest.kept_rows("order_statuses"), self._rest.kept_rows("release_statuses")
            self._statuses_are_kept = orders is not None and releases is not None
            if orders is None or releases is None:
                return self._read_statuses()
            self._statuses = read_statuses(orders, releases, self._names, self._rest.skip_row)
        return self._statuses

    def statuses_again(self) -> Statuses | None:
        """The statuses as Plex has them now, if those in use are of an earlier run: one may have been added since."""
        return self._read_statuses() if self._statuses_are_kept else None

    def _read_statuses(self) -> Statuses:
        orders = self._once("order statuses", partial(self._rest.all_or_none, "order_statuses"))
        releases = self._once("release statuses", partial(self._rest.all_or_none, "release_statuses"))
        skipped: list[Row] = []

        def skip(row: Row, error: Exception) -> None:
            skipped.append(row)
            self._rest.skip_row(row, error)

        if orders is None and not self._names.names_orders:
            raise self._rest.no_such_path("order_statuses")
        if releases is None and not self._names.names_releases:
            raise self._rest.no_such_path("release_statuses")
        self._statuses = read_statuses(orders or (), releases or (), self._names, skip)
        self._statuses_are_kept = False
        # What cannot be read, or is empty, is corrected in Plex, and must then not be a day old here.
        if orders and releases and not skipped:
            self._rest.keep_rows("order_statuses", orders)
            self._rest.keep_rows("release_statuses", releases)
        return self._statuses

    def supplier_codes(self, ids: Collection[str]) -> dict[str, str]:
        """The codes of these suppliers by id; one that Plex does not have is omitted."""
        missing = {each for each in ids if each not in self._suppliers and not self._load_kept_supplier(each)}
        if len(missing) > _SINGLE_READS:
            self._load_suppliers()
            for supplier_id in missing & self._suppliers.keys():
                self._keep_supplier(supplier_id)
        codes = {}
        for supplier_id in ids:
            row = self._supplier_row(supplier_id)
            code = row.raw("code") if row is not None else None
            if isinstance(code, str) and not isinstance(code, NotPlain) and code.strip():
                codes[supplier_id] = code.strip()
        return codes

    def supplier(self, supplier_id: str, address_id: str | None) -> Supplier | None:
        """The supplier with this address, else its main one; None if Plex has no such supplier."""
        row = self._supplier_row(supplier_id)
        if row is None:
            return None
        if supplier_id not in self._addresses:
            self._addresses[supplier_id] = self._rest.kept_rows("supplier_addresses", supplier_id) or ()
        # For each order: one may name an address that was added since, another one that was kept.
        if supplier_id not in self._addresses_read and not _has_address(self._addresses[supplier_id], address_id):
            self._addresses[supplier_id] = self._read_addresses(supplier_id)
            self._addresses_read.add(supplier_id)
        with readable(row.what):
            return read_supplier(row, choose_address(self._addresses[supplier_id], address_id))

    def _read_addresses(self, supplier_id: str) -> tuple[Row, ...]:
        read = partial(self._rest.all_or_none, "supplier_addresses", supplier=supplier_id)
        rows = self._once(f"addresses of {supplier_id}", read)
        if rows is None and not self._addresses_exist and self._rest.one("supplier", supplier=supplier_id) is not None:
            # The supplier exists, so it is its collection of addresses that does not.
            raise self._rest.no_such_path("supplier_addresses")
        self._addresses_exist = self._addresses_exist or rows is not None
        rows = rows or ()
        if all(_can_be_read(read_address, row) for row in rows):
            self._rest.keep_rows("supplier_addresses", rows, supplier_id)
        return rows

    def suppliers(self) -> tuple[Supplier, ...]:
        """All suppliers, without addresses, sorted by code."""
        self._load_suppliers()
        read = self._rest.each(self._suppliers.values(), lambda row: read_supplier(row, None))
        return tuple(sorted(read, key=lambda supplier: supplier.code))

    def parts(self, ids: Iterable[str]) -> dict[str, Part]:
        """These parts by id; one that Plex does not have is omitted. Raise RowFault for one that cannot be read."""
        wanted = set(ids)
        missing = wanted - self._parts.keys()
        if missing:
            for part_id, row in self._rest.by_ids("parts", by="part_ids", ids=missing, field="id"):
                self._parts[part_id or row.needed("id")] = read_part(row)
        return {key: self._parts[key] for key in wanted if key in self._parts}

    def items(self, ids: Iterable[str]) -> dict[str, str]:
        """The numbers of these supply items by id; one that Plex does not have is omitted. Raise RowFault."""
        wanted = set(ids)
        missing = wanted - self._items.keys()
        if missing:
            for item_id, row in self._rest.by_ids("supply_items", by="supply_item_ids", ids=missing, field="id"):
                self._items[item_id or row.needed("id")] = row.needed("supplyItemNumber")
        return {key: self._items[key] for key in wanted if key in self._items}

    def _load_suppliers(self) -> None:
        if not self._all_suppliers:
            rows = self._once("suppliers", lambda: self._rest.all_of("suppliers"))
            self._suppliers |= dict(self._rest.each(rows, lambda row: (row.needed("id"), row)))
            self._all_suppliers = True

    def _load_kept_supplier(self, supplier_id: str) -> bool:
        rows = self._rest.kept_rows("supplier", supplier_id)
        if rows:
            self._suppliers[supplier_id] = rows[0]
        return bool(rows)

    def _keep_supplier(self, supplier_id: str) -> None:
        if _can_be_read(lambda row: read_supplier(row, None), self._suppliers[supplier_id]):
            self._rest.keep_rows("supplier", [self._suppliers[supplier_id]], supplier_id)

    def _supplier_row(self, supplier_id: str) -> Row | None:
        if supplier_id in self._suppliers or self._load_kept_supplier(supplier_id):
            return self._suppliers[supplier_id]
        if not self._all_suppliers:
            row = self._once(f"supplier {supplier_id}", lambda: self._rest.one("supplier", supplier=supplier_id))
            if row is None:
                # A 404 on one record may mean a wrong path; reading the whole table raises the fault in that case.
                self._load_suppliers()
            else:
                self._suppliers[supplier_id] = row
                self._keep_supplier(supplier_id)
        return self._suppliers.get(supplier_id)

    def _once(self, what: str, read: Callable[[], _Read]) -> _Read:
        """Call `read`; later calls raise the same failure without a request, as many orders share these records."""
        if what in self._unavailable:
            raise self._unavailable[what]
        try:
            return read()
        except ServiceUnavailable as fault:
            if fault.code != "time-limit":
                self._unavailable[what] = fault
            raise


def _can_be_read(read: Callable[[Row], object], row: Row) -> bool:
    """Whether it can be kept: a row that cannot be read is corrected in Plex, and must then be read again."""
    try:
        read(row)
    except Exception:
        return False
    return True


def _has_address(rows: Iterable[Row], address_id: str | None) -> bool:
    """Whether the address is among these; without an id, any address."""
    return any(address_id in (None, row.raw("id")) for row in rows)


def choose_address(rows: Iterable[Row], address_id: str | None) -> Row | None:
    """The address with this id, else the main one, else the only one; None if there is no clear choice."""
    rows = list(rows)
    named = [row for row in rows if address_id is not None and row.text("id") == address_id]
    main = [row for row in rows if row.flag("main")]
    for choice in (named, main, rows):
        if len(choice) == 1:
            return choice[0]
    return None


def read_supplier(row: Row, address: Row | None) -> Supplier:
    """A supplier; the address's name takes precedence over the supplier's. Raise RowFault."""
    return Supplier(
        id=row.needed("id"),
        code=row.needed("code"),
        name=row.text("name") or row.needed("code"),
        address=None if address is None else read_address(address),
    )


def read_address(row: Row) -> Address:
    """A supplier's address; street lines from the second on are joined into one, since X12 N3 has two elements."""
    street = [line.strip() for line in (row.text("address") or "").splitlines() if line.strip()]
    return Address(
        name=row.text("alternateSupplierName"),
        street=tuple(street[:1] + ([", ".join(street[1:])] if street[1:] else [])),
        city=row.text("city"),
        state=row.text("state"),
        postal_code=row.text("zip"),
        country=row.text("country"),
    )
