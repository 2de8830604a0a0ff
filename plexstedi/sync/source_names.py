"""Which data sources a Plex has for each table, and their names: for `init --from-plex`, and suggestions of `check`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing

from plexstedi.clock import Clock
from plexstedi.config.datasource_tables import TABLES, default_id
from plexstedi.config.load import Config
from plexstedi.config.source_text import LiveSource, wanted_name
from plexstedi.credentials.secrets import Secrets
from plexstedi.errors import ServiceRefused
from plexstedi.http.caller import Deadline
from plexstedi.plex.datasource.probe import whom_to_ask
from plexstedi.plex.datasource.source_port import DataSourcePlex
from plexstedi.plex.writeback.datasources import AnySources, FoundSource
from plexstedi.sync.services import open_plex

__all__ = ["live_sources", "names_in_plex", "suggestion"]

_MOST = 3
_SECONDS = 120.0


def names_in_plex(config: Config, secrets: Secrets, clock: Clock, tables: Iterable[str]) -> dict[str, LiveSource]:
    """The data source of each table in the Plex of a configuration. Raise as `live_sources`, and CredentialsFault."""
    deadline = Deadline(clock.monotonic() + _SECONDS)
    with closing(open_plex(config, secrets, clock, deadline=deadline, calls=None)) as plex:
        assert isinstance(plex, DataSourcePlex), "only data sources have such names"
        return live_sources(plex.tables.sources, tables)


def live_sources(sources: AnySources, tables: Iterable[str]) -> dict[str, LiveSource]:
    """The data source of each table as this account sees it, one call each, two where it is not granted.

    A table is left out where nothing is known of it. Raise ServiceRefused if not one of them can be used,
    ServiceUnavailable.
    """
    # Without access this one call fails, instead of one for each table.
    sources.search("PO_")
    found = {table: live for table in tables if (live := _live(sources, table)) is not None}
    refused = [live for live in found.values() if live.refused]
    if found and len(refused) == len(found):
        raise ServiceRefused(
            f"Plex gives this account none of the data sources: {refused[0].refused}",
            fix="Check plex.base_url, plex.auth.username and the secret plex-password; then ask for the grants that "
            "README lists.",
            code="no-grant",
        )
    return found


def _live(sources: AnySources, table: str) -> LiveSource | None:
    number = default_id(table)
    if number is None:
        others = sources.search(wanted_name(table))
        return _described(sources, others[0].id) if others else None
    try:
        return _described(sources, number)
    except ServiceRefused as fault:
        more = suggestion(sources, table)
        told = whom_to_ask(number) if fault.code == ServiceRefused.code else f"{fault.message}. {fault.fix}"
        return LiveSource(number, refused=" ".join(f"Data source {number} cannot be used. {told} {more}".split()))


def _described(sources: AnySources, number: int) -> LiveSource | None:
    metadata = sources.metadata(number)
    if metadata is None:
        return None
    return LiveSource(number, metadata.name, metadata.inputs, metadata.columns)


def suggestion(sources: AnySources, table: str) -> str:
    """Granted data sources whose names fit a table, as a sentence; empty if there are none, or no search."""
    if table not in TABLES:
        return ""
    try:
        others = list(_fitting(sources, table))
    except ServiceRefused:
        return ""
    if not others:
        return ""
    return f"Granted, and similar by name: {', '.join(f'{each.id} ({each.name})' for each in others[:_MOST])}."


def _fitting(sources: AnySources, table: str) -> Iterator[FoundSource]:
    return (each for each in sources.search(wanted_name(table)) if each.id != default_id(table))
