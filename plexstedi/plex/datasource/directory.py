"""Master data of Plex through data sources: statuses, suppliers and addresses, read once per run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from plexstedi.edi.order import LineState, Supplier
from plexstedi.plex.datasource.tables import SourceTables, ignored_input
from plexstedi.plex.rest.client import readable
from plexstedi.plex.rest.directory import choose_address, read_supplier
from plexstedi.plex.rest.rows import Row
from plexstedi.plex.rest.statuses import Statuses, read_statuses
from plexstedi.plex.settings import StatusNames


class SourceDirectory:
    """The master data that orders refer to."""

    def __init__(self, tables: SourceTables, names: StatusNames) -> None:
        self._tables = tables
        self._names = names
        self._statuses: Statuses | None = None
        self._suppliers: dict[str, Row] | None = None
        self._addresses: dict[str, tuple[Row, ...]] = {}

    def statuses(self) -> Statuses:
        """The meaning of the tenant's statuses: `[plex.statuses]`, else the flags of the status tables."""
        if self._statuses is None:
            skip = self._tables.skip_row
            orders, releases = self._optional("order_statuses"), self._optional("release_statuses")
            read = read_statuses(orders, releases, self._names, skip)
            lines = {**read.lines, **self._line_states()}
            # The configuration takes precedence over Plex's flags, as for orders and releases.
            configured = read_statuses((), (), self._names, skip).lines
            named = {*self._names.open_lines, *self._names.cancelled_lines}
            own = {key: configured[key] for name in named if (key := " ".join(name.split()).casefold()) in configured}
            self._statuses = replace(read, lines={**lines, **own})
        return self._statuses

    def _line_states(self) -> dict[str, LineState]:
        rows = self._optional("line_statuses")

        def state(row: Row) -> tuple[str, LineState]:
            name = " ".join(row.needed("name").split()).casefold()
            return name, LineState.CANCELLED if row.flag("cancelled") else LineState.OPEN

        return dict(self._tables.each(rows, state))

    def _optional(self, table: str) -> tuple[Row, ...]:
        return self._tables.rows(table) if self._tables.has(table) else ()

    def supplier_codes(self) -> Mapping[str, str]:
        """The code of each supplier by id; one that cannot be read is skipped and recorded."""
        return {row.needed("id"): row.needed("code") for row in self._supplier_rows().values()}

    def suppliers(self) -> tuple[Supplier, ...]:
        """All suppliers, without addresses, sorted by code."""
        read = self._tables.each(self._supplier_rows().values(), lambda row: read_supplier(row, None))
        return tuple(sorted(read, key=lambda supplier: supplier.code))

    def supplier(self, supplier_id: str, address_id: str | None) -> Supplier | None:
        """A supplier with this address, else its main or only one; None if Plex has no such supplier."""
        row = self._supplier_rows().get(supplier_id)
        if row is None:
            return None
        with readable(row.what):
            return read_supplier(row, choose_address(self._addresses_of(supplier_id), address_id))

    def _supplier_rows(self) -> dict[str, Row]:
        if self._suppliers is None:
            read = self._tables.each(
                self._tables.rows("suppliers"), lambda row: (row.needed("id"), row.needed("code"), row)
            )
            self._suppliers = {key: row for key, _, row in read}
        return self._suppliers

    def _addresses_of(self, supplier_id: str) -> tuple[Row, ...]:
        if not self._tables.has("addresses"):
            return ()
        by_supplier = "supplier" in self._tables.map("addresses").inputs
        asked = supplier_id if by_supplier else ""
        if asked not in self._addresses:
            rows = self._tables.rows("addresses", {"supplier": supplier_id} if by_supplier else {})
            self._addresses[asked] = tuple(_with_street(row) for row in rows)
        found = [row for row in self._addresses[asked] if row.text("supplierId") == supplier_id]
        if by_supplier and len(found) != len(self._addresses[asked]):
            raise ignored_input(self._tables, "addresses", "supplier", supplier_id)
        return tuple(found)


def _with_street(row: Row) -> Row:
    """An address with both street lines in one text, as the REST interfaces have them."""
    second = row.text("street2")
    if second is None or not isinstance(row.document, Mapping):
        return row
    whole = Row({**row.document, "address": f"{row.text('address') or ''}\n{second}"}, row.names, row.table)
    whole.what = row.what
    return whole
