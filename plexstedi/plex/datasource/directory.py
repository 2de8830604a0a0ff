"""Master data of Plex through data sources: statuses, suppliers and addresses, read once per run and kept for a day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec.structs import replace

from plexstedi.edi.order import LineState, Supplier
from plexstedi.plex.datasource.tables import SourceTables, ignored_input
from plexstedi.plex.rest.client import readable
from plexstedi.plex.rest.directory import choose_address, read_address, read_supplier
from plexstedi.plex.rest.rows import Row, RowFault
from plexstedi.plex.rest.statuses import Statuses, read_statuses
from plexstedi.plex.settings import StatusNames

_STATUSES = ("order_statuses", "line_statuses", "release_statuses")


class SourceDirectory:
    """The master data that orders refer to."""

    def __init__(self, tables: SourceTables, names: StatusNames) -> None:
        self._tables = tables
        self._names = names
        self._statuses: Statuses | None = None
        self._statuses_are_kept = False
        self._suppliers: dict[str, Row] = {}
        self._all_suppliers = False
        self._addresses: dict[str, tuple[Row, ...]] = {}
        self._addresses_read: set[str] = set()

    def statuses(self) -> Statuses:
        """The meaning of the tenant's statuses: `[plex.statuses]`, else the flags of the status tables."""
        if self._statuses is None:
            rows = {table: self._tables.kept_rows(table) for table in self._status_tables()}
            self._statuses_are_kept = bool(rows) and None not in rows.values()
            if not self._statuses_are_kept:
                return self._read_statuses()
            self._statuses = self._meaning({table: each or () for table, each in rows.items()}, self._tables.skip_row)
        return self._statuses

    def statuses_again(self) -> Statuses | None:
        """The statuses as Plex has them now, if those in use are of an earlier run: one may have been added since."""
        return self._read_statuses() if self._statuses_are_kept else None

    def _status_tables(self) -> tuple[str, ...]:
        return tuple(table for table in _STATUSES if self._tables.has(table))

    def _read_statuses(self) -> Statuses:
        rows = {table: self._tables.rows(table) for table in self._status_tables()}
        skipped: list[Row] = []

        def skip(row: Row, error: Exception) -> None:
            skipped.append(row)
            self._tables.skip_row(row, error)

        self._statuses = self._meaning(rows, skip)
        self._statuses_are_kept = False
        # What cannot be read, or is empty, is corrected in Plex, and must then not be a day old here.
        if all(rows.values()) and not skipped:
            for table, each in rows.items():
                self._tables.keep_rows(table, each)
        return self._statuses

    def _meaning(self, rows: Mapping[str, tuple[Row, ...]], skip: Callable[[Row, Exception], None]) -> Statuses:
        read = read_statuses(rows.get("order_statuses", ()), rows.get("release_statuses", ()), self._names, skip)
        lines = {**read.lines, **_line_states(rows.get("line_statuses", ()), skip)}
        # The configuration takes precedence over Plex's flags, as for orders and releases.
        configured = read_statuses((), (), self._names, skip).lines
        named = {*self._names.open_lines, *self._names.cancelled_lines}
        own = {key: configured[key] for name in named if (key := " ".join(name.split()).casefold()) in configured}
        return replace(read, lines={**lines, **own})

    def supplier_codes(self, ids: Iterable[str]) -> dict[str, str]:
        """The codes of these suppliers by id; one that Plex does not have, or that cannot be read, is omitted."""
        rows = {key: row for key in ids if (row := self._supplier_row(key)) is not None}
        return {key: row.needed("code") for key, row in rows.items()}

    def suppliers(self) -> tuple[Supplier, ...]:
        """All suppliers, without addresses, sorted by code."""
        self._load_suppliers()
        read = self._tables.each(self._suppliers.values(), lambda row: read_supplier(row, None))
        return tuple(sorted(read, key=lambda supplier: supplier.code))

    def supplier(self, supplier_id: str, address_id: str | None) -> Supplier | None:
        """A supplier with this address, else its main or only one; None if Plex has no such supplier."""
        row = self._supplier_row(supplier_id)
        if row is None:
            return None
        with readable(row.what):
            return read_supplier(row, choose_address(self._addresses_of(supplier_id, address_id), address_id))

    def _supplier_row(self, supplier_id: str) -> Row | None:
        if supplier_id not in self._suppliers and not self._all_suppliers:
            if kept := self._tables.kept_rows("suppliers", supplier_id):
                self._suppliers[supplier_id] = kept[0]
            else:
                self._load_suppliers()
                if supplier_id in self._suppliers:
                    self._tables.keep_rows("suppliers", [self._suppliers[supplier_id]], supplier_id)
        return self._suppliers.get(supplier_id)

    def _load_suppliers(self) -> None:
        if not self._all_suppliers:
            rows = self._tables.rows("suppliers")
            read = self._tables.each(rows, lambda row: (row.needed("id"), row.needed("code"), row))
            self._suppliers = {key: row for key, _, row in read}
            self._all_suppliers = True

    def _addresses_of(self, supplier_id: str, address_id: str | None) -> tuple[Row, ...]:
        if not self._tables.has("addresses"):
            return ()
        by_supplier = "supplier" in self._tables.map("addresses").inputs
        asked = supplier_id if by_supplier else ""
        if asked not in self._addresses:
            kept = self._tables.kept_rows("addresses", asked)
            self._addresses[asked] = self._read_addresses(asked) if kept is None else kept
        found = self._found_addresses(supplier_id, asked)
        # An order may name an address that was added since.
        if asked not in self._addresses_read and not any(address_id in (None, row.text("id")) for row in found):
            self._addresses[asked] = self._read_addresses(asked)
            found = self._found_addresses(supplier_id, asked)
        return found

    def _found_addresses(self, supplier_id: str, asked: str) -> tuple[Row, ...]:
        found = tuple(row for row in self._addresses[asked] if row.text("supplierId") == supplier_id)
        if asked and len(found) != len(self._addresses[asked]):
            raise ignored_input(self._tables, "addresses", "supplier", supplier_id)
        return found

    def _read_addresses(self, asked: str) -> tuple[Row, ...]:
        rows = self._tables.rows("addresses", {"supplier": asked} if asked else {})
        rows = tuple(_with_street(row) for row in rows)
        self._addresses_read.add(asked)
        if rows and all(_is_readable(row) for row in rows):
            self._tables.keep_rows("addresses", rows, asked)
        return rows


def _line_states(rows: Iterable[Row], skip: Callable[[Row, Exception], None]) -> dict[str, LineState]:
    found: dict[str, LineState] = {}
    for row in rows:
        try:
            name = " ".join(row.needed("name").split()).casefold()
            found[name] = LineState.CANCELLED if row.flag("cancelled") else LineState.OPEN
        except RowFault as error:
            skip(row, error)
    return found


def _is_readable(row: Row) -> bool:
    """Whether it can be kept: a row that cannot be read is corrected in Plex, and must then be read again."""
    try:
        read_address(row)
    except RowFault:
        return False
    return True


def _with_street(row: Row) -> Row:
    """An address with both street lines in one text, as the REST interfaces have them."""
    second = row.text("street2")
    if second is None or not isinstance(row.document, Mapping):
        return row
    whole = Row({**row.document, "address": f"{row.text('address') or ''}\n{second}"}, row.names, row.table)
    whole.what = row.what
    return whole
