"""`check` of `[plex.datasources]`: each table against Plex's metadata, and row limits against what was returned."""

from __future__ import annotations

from collections.abc import Iterator

from plexstedi.errors import ExitCode, PlexStediError, ServiceUnavailable
from plexstedi.plex.datasource.probe import near_limits, probe
from plexstedi.plex.datasource.tables import SourceTables
from plexstedi.sync.report.check import Area, Finding, not_verified, ok, warn, wrong
from plexstedi.sync.source_names import suggestion

_MOST_SEARCHES = 3
_MOST_TABLES = 17
"""For so many tables that may not be read, others of similar names are searched; for none where all tables are
configured, since `check` makes at most 30 calls."""
_NOT_READ = ("release_write", "acknowledgment_write", "acknowledgment_read")
"""Tables that `check` does not execute: two of them write."""


def check_tables(tables: SourceTables) -> Iterator[Finding]:
    """The data sources exist, are granted to the account, and are named as configured; nothing is executed."""
    good: list[str] = []
    unknown: list[str] = []
    searches = min(_MOST_SEARCHES, _MOST_TABLES - len(tables.names))
    try:
        for each in probe(tables):
            if each.problem is None:
                unknown.append(each.table)
            elif each.problem:
                more = suggestion(tables.sources, each.table) if not each.name and searches > 0 else ""
                searches -= not each.name
                yield wrong(Area.PLEX, f"plex.datasources.{each.table}", each.problem, f"{each.fix} {more}".strip())
            else:
                good.append(f"{each.table} {each.source}")
    except ServiceUnavailable as fault:
        yield wrong(Area.PLEX, "data sources", fault.message, fault.fix, ExitCode.UNAVAILABLE)
    except PlexStediError as fault:
        yield wrong(Area.PLEX, "data sources", fault.message, fault.fix)
    if good:
        yield ok(Area.PLEX, "data sources", f"granted, and named as configured: {', '.join(good)}")
    if unknown:
        # The calls below read most of them; a wrong name of a column is an error there.
        yield ok(Area.PLEX, "data sources", "over SOAP there is no metadata: names are verified by reading")
    if written := [name for name in unknown if name in _NOT_READ]:
        message = f"over SOAP, names and grants of {', '.join(written)} are only seen when they are used"
        yield not_verified(Area.PLEX, "data sources", message, "Compare them with Plex exactly.")


def check_limits(tables: SourceTables) -> Iterator[Finding]:
    """Row limits against the rows that this check was returned."""
    for near in near_limits(tables):
        fix = "A full table stops the run: limit it by constants, or ask Plex Customer Care for a higher limit."
        yield warn(Area.PLEX, "row limits", f"nearly reached: {near}", fix)
