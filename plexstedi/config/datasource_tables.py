"""The tables of `[plex.datasources]`: what each may map, must map, and its default number (DESIGN.md section 5).

Numbers and row limits are those of Plex's public catalogue; names of inputs and columns are the tenant's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from msgspec import Struct

from plexstedi.config.problems import toml_key
from plexstedi.errors import Problem

__all__ = ["ACCOUNT_APIS", "RELEASE_KEYS", "TABLES", "DataSourceTable", "default_id", "default_limit", "table_checks"]

ACCOUNT_APIS = ("datasource", "soap")
"""The values of `plex.api` that read everything through data sources."""
RELEASE_KEYS = ("order", "line_key", "release_key", "release")
"""Our names of the keys of a release in `acknowledgment_write`, `acknowledgment_read` and `release_write`."""
ROW_LIMIT = 1000
"""What a data source returns at most, unless the catalogue says otherwise (plex/README.md 2.4)."""


class DataSourceTable(Struct, frozen=True):
    """One table: our names of its inputs and columns; `one_of`: at least one of these inputs must be mapped."""

    id: int | None = None
    inputs: tuple[str, ...] = ()
    one_of: tuple[tuple[str, ...], ...] = ()
    needed: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    required: bool = False
    limit: int = ROW_LIMIT


_WINDOW = ("begin", "end")
_BOTH = (("begin",), ("end",))
_FLAGS = (
    *("receive", "active", "default", "includeInMrp", "cancelled", "release", "onOrder", "received"),
    *("partial", "forecast", "planStatus", "mrpAutoChange", "open", "immediateStatus"),
)
TABLES: Mapping[str, DataSourceTable] = {
    "company": DataSourceTable(382, needed=("code",), required=True),
    "changed_orders": DataSourceTable(
        19022,
        needed=("order",),
        columns=("number", "modified_at", "created_at"),
        required=True,
        inputs=_WINDOW,
        one_of=_BOTH,
    ),
    "created_orders": DataSourceTable(
        21338,
        needed=("order",),
        columns=("number", "modified_at", "created_at"),
        required=True,
        inputs=_WINDOW,
        one_of=_BOTH,
    ),
    "open_orders": DataSourceTable(2874, needed=("order",), columns=("number",), required=True, limit=10_000),
    "order": DataSourceTable(
        3827,
        inputs=("order",),
        one_of=(("order",),),
        needed=("order", "number", "supplier", "status", "order_date", "created_at"),
        columns=(
            *("modified_at", "due", "currency", "type", "blanket", "terms", "freight_terms", "fob", "ship_via"),
            *("ship_to", "note", "supplier_address"),
        ),
        required=True,
    ),
    "lines": DataSourceTable(
        6197,
        inputs=("order",),
        one_of=(("order",),),
        needed=("line_key", "line", "status", "unit", "price"),
        columns=(
            *("order", "order_unit", "part", "revision", "item", "supplier_part", "manufacturer_part"),
            *("description", "note", "blanket_quantity"),
        ),
        required=True,
    ),
    "releases": DataSourceTable(
        6200,
        inputs=("order", "line_key"),
        one_of=(("order", "line_key"),),
        needed=("line_key", "release_key", "release", "status", "quantity", "due"),
        columns=("ship_to", "note", "modified_at"),
        required=True,
    ),
    "suppliers": DataSourceTable(126, needed=("supplier", "code", "name"), required=True),
    "addresses": DataSourceTable(
        107,
        inputs=("supplier",),
        needed=("supplier",),
        columns=("address", "name", "street", "street2", "city", "state", "postal_code", "country"),
    ),
    "order_statuses": DataSourceTable(20, needed=("status",), columns=_FLAGS),
    "line_statuses": DataSourceTable(needed=("status",), columns=_FLAGS),
    "release_statuses": DataSourceTable(2769, needed=("status",), columns=_FLAGS),
    "receipts": DataSourceTable(
        needed=("receipt", "order", "line_key", "quantity", "received_at"),
        columns=("release_key",),
        inputs=_WINDOW,
        one_of=_BOTH,
    ),
    "invoices": DataSourceTable(
        21287,
        needed=("invoice", "number", "customer", "invoice_date", "created_at", "modified_at", "booked"),
        columns=("customer_order", "currency", "terms", "due", "ship_to", "note", "credit_memo", "void", "total"),
        inputs=_WINDOW,
        one_of=_BOTH,
        limit=5000,
    ),
    "invoice_lines": DataSourceTable(
        735,
        inputs=("invoice",),
        one_of=(("invoice",),),
        needed=("line", "quantity", "price"),
        columns=(
            *("invoice", "unit", "amount", "credit", "debit", "offset", "part", "description", "customer_order"),
            *("tax", "tax_amount"),
        ),
    ),
    "release_write": DataSourceTable(
        2770,
        inputs=("order", "release_key", "line_key", "release", "note", "due", "quantity", "status"),
        one_of=(("release_key", "release"),),
    ),
}
"""All but the two tables of acknowledgment records, which `datasources.py` checks."""
_RECORD_IDS = {"acknowledgment_write": 28809, "acknowledgment_read": 16518}
_OF_INVOICES = ("invoices", "invoice_lines")
_SOURCES = ("plex", "datasources")


def default_id(name: str) -> int | None:
    """The catalogue's number for a table; None if it has none."""
    return TABLES[name].id if name in TABLES else _RECORD_IDS.get(name)


def default_limit(name: str) -> int:
    """How many rows the table's data source returns at most."""
    return TABLES[name].limit if name in TABLES else ROW_LIMIT


def table_checks(raw: Mapping[str, Any], file: str) -> Iterator[Problem]:
    """All problems of the tables from which `api = "datasource"` and `api = "soap"` read."""
    plex = _table(raw, "plex")
    api = plex.get("api")
    sources = _table(plex, "datasources")
    write = _table(plex, "acknowledgments").get("write")
    for name, table in TABLES.items():
        because = f'api = "{api}" needs it' if table.required else ""
        if name == "release_write" and write == "releases":
            because = 'write = "releases" needs it'
        if name in _OF_INVOICES and "810" in (_table(raw, "documents").get("send") or ()):
            because = '"810" in documents.send needs it'
        if name not in sources and because:
            yield Problem(
                file,
                toml_key((*_SOURCES, name)),
                f"is missing; {because}",
                f"Write its columns {_listed(table.needed)}"
                + (f" and inputs {_listed(table.inputs)}." if table.inputs else "."),
            )
    for name, given in sources.items():
        if name in TABLES:
            yield from _one(name, TABLES[name], given, file)
        elif name not in _RECORD_IDS:
            known = (*TABLES, *_RECORD_IDS)
            near = get_close_matches(name, known, n=1)
            yield Problem(
                file,
                toml_key((*_SOURCES, name)),
                "is not a data source that PlexStedi uses",
                f"Did you mean {near[0]}?" if near else f"Use {_listed(known)}, or omit it.",
            )
    if write == "releases" and "release_write" in sources:
        yield from _release_values(plex, sources, file)


def _release_values(plex: Mapping[str, Any], sources: Mapping[str, Any], file: str) -> Iterator[Problem]:
    """Each value that `write = "releases"` writes needs an input, and a column to read it back."""
    wanted = _table(plex, "acknowledgments").get("release_values", ("note",))
    for value in wanted if isinstance(wanted, list | tuple) else ():
        key = "due" if value == "due_date" else value
        for name, kind in (("release_write", "inputs"), ("releases", "columns")):
            if isinstance(key, str) and key not in _table(_table(sources, name), kind):
                yield Problem(
                    file,
                    toml_key((*_SOURCES, name, kind, key)),
                    "is missing; plex.acknowledgments.release_values names it",
                    "Write its name in Plex, or omit the value in release_values.",
                )


def _one(name: str, table: DataSourceTable, given: object, file: str) -> Iterator[Problem]:
    if isinstance(given, int):
        given = {}
    if not isinstance(given, Mapping):
        return
    inputs, columns = _table(given, "inputs"), _table(given, "columns")
    where = (*_SOURCES, name)
    if table.id is None and "id" not in given:
        yield Problem(file, toml_key((*where, "id")), "is missing", "Write the number of the data source in Plex.")
    for kind, names, known in (
        ("inputs", inputs, table.inputs),
        ("columns", columns, (*table.needed, *table.columns)),
    ):
        for key in names:
            if key not in known:
                near = get_close_matches(key, known, n=1)
                fix = f"Did you mean {near[0]}?" if near else f"Use {_listed(known)}." if known else "Omit it."
                yield Problem(file, toml_key((*where, kind, key)), f"is not one of our names of {kind} here", fix)
    for choice in table.one_of:
        if not any(key in inputs for key in choice):
            yield Problem(
                file,
                toml_key((*where, "inputs", choice[0])),
                "is missing",
                f"Write the name of the input in Plex{f', or of {choice[1]}' if choice[1:] else ''}.",
            )
    for key in table.needed:
        if key not in columns:
            yield Problem(
                file, toml_key((*where, "columns", key)), "is missing", "Write the name of the column in Plex."
            )
    for key, value in _table(given, "constants").items():
        if key in inputs.values():
            yield Problem(
                file,
                toml_key((*where, "constants", key)),
                f"is also the input of another value ({value!r} would replace it)",
                "Omit it in one of the two.",
            )
    form = given.get("dates")
    if isinstance(form, str) and not _is_form(form):
        yield Problem(
            file,
            toml_key((*where, "dates")),
            "is not a form of dates with year, month and day",
            'Write it like "%m/%d/%Y" or "%m/%d/%Y %I:%M:%S %p".',
        )


def _is_form(form: str) -> bool:
    """Whether a day written in this form is read back as the same day."""
    day = datetime(2026, 11, 28)  # noqa: DTZ001
    try:
        return datetime.strptime(day.strftime(form), form).date() == day.date()  # noqa: DTZ007
    except ValueError:
        return False


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names)


def _table(raw: object, name: str) -> Mapping[str, Any]:
    found = raw.get(name) if isinstance(raw, Mapping) else None
    return found if isinstance(found, Mapping) else {}
