"""Reads the tables of `[plex.datasources]` as rows with the field names of the REST interfaces.

So orders are read by the same code in every dialect. A table that Plex truncated is never used: a window is halved
until each part is complete, and where nothing can be halved the run stops (plex/README.md 2.2).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from plexstedi.decimal_json import Json
from plexstedi.edi.plain_values import as_utc
from plexstedi.errors import PlexStediError, ServiceRefused
from plexstedi.plex.days import Days, parsed_time
from plexstedi.plex.port import MasterDataStore, NoMasterData, UnreadableRecord, Window
from plexstedi.plex.rest.rows import Names, Row, RowFault, filter_time
from plexstedi.plex.settings import DataSourceMap
from plexstedi.plex.writeback.datasources import AnySources, InputValue, Key, SourceRows, row_limit_reached

_Read = TypeVar("_Read")
_SHORTEST = timedelta(seconds=1)
_FIELDS: Mapping[str, Mapping[str, str]] = {
    "company": {},
    "order": {
        "order": "id",
        "number": "poNumber",
        "supplier": "supplierId",
        "supplier_address": "supplierAddressId",
        "order_date": "orderedDate",
        "created_at": "createdDate",
        "modified_at": "modifiedDate",
        "due": "dueDate",
        "currency": "currencyCode",
        "blanket": "blanketOrder",
    },
    "lines": {
        "order": "poId",
        "line_key": "id",
        "line": "lineItemNumber",
        "price": "unitPrice",
        "item": "itemId",
        "supplier_part": "supplierPartNumber",
        "manufacturer_part": "manufacturerPartNumber",
    },
    "releases": {
        "line_key": "poLineItemId",
        "release_key": "key",
        "release": "releaseLineNumber",
        "due": "dueDate",
        "ship_to": "poShipTo",
        "modified_at": "modifiedDate",
    },
    "suppliers": {"supplier": "id"},
    "addresses": {
        "supplier": "supplierId",
        "address": "id",
        "name": "alternateSupplierName",
        "street": "address",
        "postal_code": "zip",
    },
    "order_statuses": {"status": "name"},
    "line_statuses": {"status": "name"},
    "release_statuses": {"status": "name"},
    "receipts": {"receipt": "id", "order": "poId", "line_key": "poLineItemId", "received_at": "receiveDate"},
    "invoices": {
        "invoice": "id",
        "number": "invoiceNumber",
        "customer": "customerCode",
        "invoice_date": "transactionDate",
        "created_at": "createdDate",
        "modified_at": "modifiedDate",
        "customer_order": "customerPONo",
        "currency": "currencyCode",
        "due": "dueDate",
        "ship_to": "customerShipToCode",
        "note": "invoiceNote",
        "credit_memo": "creditMemo",
        "total": "amount",
    },
    "invoice_lines": {
        "invoice": "invoiceId",
        "line": "lineId",
        "price": "unitPrice",
        "unit": "uoM",
        "part": "partNo",
        "customer_order": "customerOrderNo",
        "tax": "taxCode",
        "tax_amount": "taxAmount",
    },
}
"""By table: our column name to the field name of the REST interfaces, where they differ."""
_LISTS = {"order": "id", "number": "poNumber"}
_DATES = {"order_date", "created_at", "modified_at", "due", "received_at", "invoice_date", "booked", "void"}
_FLAGS = {"blanket", "booked", "void", "credit_memo", "offset"}
_STATUS_TABLES = ("order_statuses", "line_statuses", "release_statuses")


class SourceTables:
    """The tables of one account. `tables`: `[plex.datasources]` by our names."""

    def __init__(
        self,
        sources: AnySources,
        tables: Mapping[str, DataSourceMap],
        days: Days,
        kept: MasterDataStore | None = None,
    ) -> None:
        """`kept`: the master data of earlier runs."""
        self._kept: MasterDataStore = NoMasterData() if kept is None else kept
        self._sources = sources
        self._tables = tables
        self._days = days
        self._odd: list[UnreadableRecord] = []
        self.most_rows: dict[str, int] = {}
        """By table: the most rows that one call of this run returned."""

    @property
    def sources(self) -> AnySources:
        """The client that executes them."""
        return self._sources

    @property
    def days(self) -> Days:
        """The conversion between times and days of this tenant."""
        return self._days

    @property
    def names(self) -> tuple[str, ...]:
        """The configured tables."""
        return tuple(self._tables)

    def has(self, table: str) -> bool:
        """Whether the table is configured."""
        return table in self._tables

    def map(self, table: str) -> DataSourceMap:
        """The table's configuration. Raise ServiceRefused if it is missing."""
        if table not in self._tables:
            raise ServiceRefused(
                f"there is no [plex.datasources.{table}]",
                fix="Add it to the configuration: config.example.toml shows how.",
                code="datasource-names",
            )
        return self._tables[table]

    def skip_row(self, row: Row, error: Exception) -> None:
        """Record a row that cannot be read and does not identify an order."""
        unforeseen = None if isinstance(error, RowFault) else error
        self._odd.append(UnreadableRecord(row.table, row.key(), row.what, str(error), unforeseen))

    def unreadable_records(self) -> tuple[UnreadableRecord, ...]:
        """The rows skipped since the last call of this method, each once."""
        found = {(odd.table, odd.key): odd for odd in self._odd}
        self._odd.clear()
        return tuple(found.values())

    def each(self, rows: Iterable[Row], read: Callable[[Row], _Read]) -> Iterator[_Read]:
        """The result of `read` for each row; rows that it cannot read are skipped and recorded."""
        for row in rows:
            try:
                value = read(row)
            except PlexStediError:
                raise
            except Exception as error:
                self.skip_row(row, error)
            else:
                yield value

    def kept_rows(self, table: str, key: str = "") -> tuple[Row, ...] | None:
        """The rows that an earlier run kept, read with the same names; None if there are none, or they are too old."""
        rows = self._kept.get(f"source:{table}", self._kept_key(table, key))
        return tuple(self._named(table, row) for row in rows) if isinstance(rows, list) else None

    def keep_rows(self, table: str, rows: Iterable[Row], key: str = "") -> None:
        """Keep these rows for later runs."""
        self._kept.put(f"source:{table}", self._kept_key(table, key), [row.document for row in rows])

    def _kept_key(self, table: str, key: str) -> str:
        """With other names or another data source, what was kept no longer counts."""
        source = self.map(table)
        names = [source.id, source.dates, *(sorted(map(str, each.items())) for each in _names_of(source))]
        return f"{hashlib.sha256(repr(names).encode()).hexdigest()[:16]}:{key}"

    def call(self, table: str, keys: Mapping[str, str]) -> tuple[int, Mapping[str, InputValue]]:
        """The data source and inputs that a table is read with; `keys` are ours. Equal calls have equal results."""
        source = self.map(table)
        asked: dict[str, InputValue] = {
            source.inputs[name]: Key(value) for name, value in keys.items() if name in source.inputs
        }
        return source.id, {**source.constants, **asked}

    def rows(
        self, table: str, keys: Mapping[str, str] | None = None, known: SourceRows | None = None
    ) -> tuple[Row, ...]:
        """All rows of a table for these keys; `known` is the result of the same call for another table.

        Raise ServiceUnavailable (code `row-limit`) if Plex left out rows.
        """
        source = self.map(table)
        found = known if known is not None else self.execute(table, keys or {})
        if self._is_truncated(source, found):
            raise row_limit_reached(source.id, table)
        return self._converted(table, found)

    def execute(self, table: str, keys: Mapping[str, str]) -> SourceRows:
        """Execute a table's data source for these keys."""
        number, inputs = self.call(table, keys)
        return self._sources.execute(number, inputs, table)

    def in_window(self, table: str, window: Window) -> tuple[Row, ...]:
        """All rows of a window. A window whose rows reach the limit is halved, down to one second.

        Raise ServiceUnavailable (code `row-limit`) if even one second has too many rows: none of the window is used.
        """
        begin = window.begin.astimezone(UTC).replace(microsecond=0)
        end = window.end.astimezone(UTC)
        until = end if end.microsecond == 0 else end.replace(microsecond=0) + _SHORTEST
        return tuple(self._part(table, begin, until))

    def _part(self, table: str, begin: datetime, end: datetime) -> Iterator[Row]:
        source = self.map(table)
        inputs: dict[str, InputValue] = dict(source.constants)
        inputs[source.inputs["begin"]] = self._moment(table, "begin", begin)
        inputs[source.inputs["end"]] = self._moment(table, "end", end)
        found = self._sources.execute(source.id, inputs, table)
        if not self._is_truncated(source, found):
            yield from self._converted(table, found)
            return
        middle = begin + (end - begin) // 2
        middle = middle.replace(microsecond=0)
        # In a form of days or minutes, half of a short window may be the same query again.
        if middle <= begin or self._moment(table, "end", middle) == self._moment(table, "end", end):
            raise row_limit_reached(source.id, table, f" from {filter_time(begin)} to {filter_time(end)}")
        yield from self._part(table, begin, middle)
        # Both ends count, so a row of the middle second occurs in both halves.
        yield from self._part(table, middle, end)

    def _moment(self, table: str, name: str, moment: datetime) -> str:
        """A window's end as the data source takes it: a text of its form if the input is text, else ISO 8601, UTC."""
        source = self.map(table)
        if source.dates is None:
            return filter_time(moment)
        metadata = self._sources.metadata(source.id)
        if metadata is not None and metadata.types.get(source.inputs[name], "").casefold() != "string":
            return filter_time(moment)
        sent = moment.strftime(source.dates)
        if name == "end" and datetime.strptime(sent, source.dates).replace(tzinfo=UTC) < moment:
            # The form has no seconds, or no time: round up, so that no row of the last part is missed.
            moment += _step(source.dates)
        return moment.strftime(source.dates)

    @staticmethod
    def _is_truncated(source: DataSourceMap, found: SourceRows) -> bool:
        # Over SOAP there is no flag, and no metadata: as many rows as the limit count as truncated.
        return found.is_truncated or (found.columns_are_texts and len(found.rows) >= source.row_limit)

    def _converted(self, table: str, found: SourceRows) -> tuple[Row, ...]:
        source = self.map(table)
        self.most_rows[table] = max(len(found.rows), self.most_rows.get(table, 0))
        if found.columns is not None:
            missing = sorted(name for name in source.columns.values() if name not in found.columns)
            if missing:
                raise ServiceRefused(
                    f"data source {source.id} ([plex.datasources.{table}]) returns no column {', '.join(missing)}; it "
                    f"returns {', '.join(sorted(found.columns)[:40])}",
                    fix=f"Correct [plex.datasources.{table}.columns]: names must match Plex exactly.",
                    code="datasource-names",
                )
        return tuple(self._row(table, source, values) for values in found.rows)

    def _row(self, table: str, source: DataSourceMap, values: Mapping[str, Json]) -> Row:
        fields = _FIELDS.get(table, _LISTS)
        document: dict[str, Json] = {}
        for name, column in source.columns.items():
            value = values.get(column)
            if name in _DATES and isinstance(value, str) and source.dates is not None:
                value = read_text_date(value, source.dates)
            if isinstance(value, str) and (name in _FLAGS or (table in _STATUS_TABLES and name != "status")):
                value = {"": None, "0": False, "1": True}.get(value.strip(), value)
            document[fields.get(name, name)] = value
        return self._named(table, document)

    def _named(self, table: str, document: Json) -> Row:
        row = Row(document, Names({}, {}, self._days), table)
        naming = ("invoiceNumber", "poNumber", "lineItemNumber", "releaseLineNumber", "code", "name", "id")
        number = next((found for field in naming if (found := row.raw(field)) is not None), None)
        row.what = f"{table.rstrip('s')} {number}" if isinstance(number, str | int) else table
        return row


def _names_of(source: DataSourceMap) -> tuple[Mapping[str, object], ...]:
    return source.inputs, source.columns, source.constants


def ignored_input(tables: SourceTables, table: str, name: str, wanted: str) -> ServiceRefused:
    """The fault for a row of another record than the requested one: Plex ignored the input."""
    source = tables.map(table)
    return ServiceRefused(
        f"data source {source.id} ([plex.datasources.{table}]) ignored its input {source.inputs.get(name, name)}: it "
        f"returned other rows than those of {name} {wanted}",
        fix=f"Correct [plex.datasources.{table}] id, inputs and columns.",
        code="ignored-filter",
    )


def read_text_date(text: str, form: str) -> str:
    """A date or time of this form in ISO 8601, without a zone UTC; other texts as they are."""
    if parsed_time(text) is not None:
        return text
    try:
        found = datetime.strptime(text.strip(), form)  # noqa: DTZ007
    except ValueError:
        return text
    moment = as_utc(found.replace(tzinfo=UTC) if found.tzinfo is None else found)
    if moment is None:
        return text
    return moment.date().isoformat() if _is_day_form(form) else filter_time(moment)


def text_day(day: date, form: str) -> str:
    """A day in the form of a data source's texts."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC).strftime(form)


def _step(form: str) -> timedelta:
    """The shortest span that a form of texts can express."""
    if _is_day_form(form):
        return timedelta(days=1)
    return timedelta(minutes=1) if any(f"%{letter}" in form for letter in "MTXcr") else timedelta(hours=1)


def _is_day_form(form: str) -> bool:
    return not any(f"%{letter}" in form for letter in "HIMSTXcrf")
