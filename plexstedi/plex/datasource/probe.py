"""What `check` finds out about each table of `[plex.datasources]` without executing it: grant, inputs, columns."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from plexstedi.errors import ServiceRefused
from plexstedi.plex.datasource.tables import SourceTables
from plexstedi.plex.writeback.records_datasource import missing_names

_BY_CUSTOMER_CARE = (20, 2769, 2770, 28809, 16518)
"""Data sources that a customer cannot grant (plex/README.md 2.4)."""
_NEARLY = 0.8


class TableFinding(Struct, frozen=True):
    """A table's state: `problem` is empty if it is as configured; None: not known, there is no metadata."""

    table: str
    source: int
    name: str
    problem: str | None
    fix: str = ""


def probe(tables: SourceTables) -> Iterator[TableFinding]:
    """One finding per configured table, one call each. Raise ServiceUnavailable.

    Without `company`, which has been read by then: its grant and its column are proven.
    """
    for table in tables.names:
        if table == "company":
            continue
        source = tables.map(table)
        try:
            metadata = tables.sources.metadata(source.id, table)
        except ServiceRefused as error:
            yield TableFinding(table, source.id, "", error.message, whom_to_ask(source.id))
            continue
        if metadata is None:
            yield TableFinding(table, source.id, "", None)
            continue
        problems = missing_names(table, source, metadata)
        fix = f"Correct [plex.datasources.{table}]: names must match Plex exactly."
        yield TableFinding(table, source.id, metadata.name, "; ".join(problems), fix if problems else "")


def whom_to_ask(source: int) -> str:
    """The fix text for a data source that the account may not use."""
    if source in _BY_CUSTOMER_CARE:
        return f"Open a case with Plex Customer Care: the web service account needs data source {source}."
    return (
        f"Grant data source {source} to the web service account in Plex, screen Web Service Access By User Account; if "
        "it is not offered there, open a case with Plex Customer Care."
    )


def near_limits(tables: SourceTables) -> tuple[str, ...]:
    """The tables whose largest result of this run came near their row limit."""
    return tuple(
        f"{table} (data source {tables.map(table).id}): {rows} rows of at most {tables.map(table).row_limit}"
        for table, rows in sorted(tables.most_rows.items())
        if rows >= tables.map(table).row_limit * _NEARLY
    )
