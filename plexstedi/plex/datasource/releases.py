"""Reads and changes single releases: `write = "releases"` over data sources (plex/README.md 7.A)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from plexstedi.edi.order import ReleaseState
from plexstedi.edi.plain_values import is_broken
from plexstedi.plex.datasource.directory import SourceDirectory
from plexstedi.plex.datasource.keys import ReleaseKey, release_key
from plexstedi.plex.datasource.orders import with_release_id
from plexstedi.plex.datasource.tables import SourceTables, text_day
from plexstedi.plex.port import CurrentRelease, RecordRef, ReleaseUpdate, WriteOutcome, WriteRefused
from plexstedi.plex.rest.client import readable
from plexstedi.plex.rest.rows import Row, RowFault
from plexstedi.plex.writeback.datasources import InputValue, Key

_ECHOED = {"note": "note", "due": "dueDate", "quantity": "quantity", "status": "status"}
"""The values of `release_write` by our name: the field of a release that holds the current value."""


def release_row(tables: SourceTables, release_id: str) -> Row | None:
    """The row of a release; None if Plex no longer has it. Raise RowFault, ServiceRefused, ServiceUnavailable."""
    keys = release_key(release_id)
    rows = tables.rows("releases", {"order": keys.order, "line_key": keys.line})
    found = [row for row in rows if (row.text("poLineItemId"), row.text("key")) == (keys.line, keys.release)]
    return with_release_id(found[0], keys.order) if found else None


def current_release(tables: SourceTables, directory: SourceDirectory, release_id: str) -> CurrentRelease | None:
    """The current values of a release; None if it no longer exists."""
    with readable(f"release {release_id}"):
        row = release_row(tables, release_id)
        if row is None:
            return None
        return CurrentRelease(
            release_id=release_id,
            status=row.text("status") or "",
            state=_state(row, directory),
            quantity=row.number("quantity"),
            due=row.day("dueDate"),
            note=row.text("note"),
        )


def _state(row: Row, directory: SourceDirectory) -> ReleaseState | None:
    # The statuses are kept for a day: this one may be new.
    for read in (directory.statuses, directory.statuses_again):
        try:
            if (statuses := read()) is not None:
                return statuses.release(row.text("status"), row.what)
        except RowFault:
            continue
    return None


def update_release(tables: SourceTables, update: ReleaseUpdate) -> WriteOutcome:
    """Read the release, then write it once: the changes, and its other values and its status as they are."""
    with readable(f"release {update.release_id}"):
        row = release_row(tables, update.release_id)
    if row is None:
        return WriteRefused("Plex no longer has this release")
    source = tables.map("release_write")
    for name, value in (("note", update.note), ("due", update.due), ("quantity", update.quantity)):
        if value is not None and name not in source.inputs:
            return WriteRefused(f"[plex.datasources.release_write] has no input for {name}")
    if row.text("status") is None:
        return WriteRefused("Plex does not say the status of this release, and would set a new one")
    for name in _ECHOED:
        held = row.raw(_ECHOED[name])
        if name in source.inputs and isinstance(held, str) and is_broken(held):
            return WriteRefused(
                f"Plex's {name} of this release cannot be read, and would be written back as a different value"
            )
    with readable(row.what):
        inputs = _inputs(tables, row, update)
    return tables.sources.write(source.id, inputs)


def _inputs(tables: SourceTables, row: Row, update: ReleaseUpdate) -> dict[str, InputValue]:
    source = tables.map("release_write")
    values: dict[str, InputValue | None] = {
        **key_values(release_key(update.release_id), row),
        "note": row.text("note") if update.note is None else update.note,
        "quantity": row.number("quantity") if update.quantity is None else update.quantity,
        "status": None if (status := row.text("status")) is None else Key(status),
        "due": _due(tables, row, update),
    }
    named = {source.inputs[name]: value for name, value in values.items() if name in source.inputs}
    return {**source.constants, **{name: value for name, value in named.items() if value is not None}}


def _due(tables: SourceTables, row: Row, update: ReleaseUpdate) -> str | None:
    form = tables.map("release_write").dates
    day = update.due if update.due is not None else row.day("dueDate")
    if day is None or form is None:
        return row.text("dueDate") if update.due is None else row.day_as_written("dueDate", update.due)
    return text_day(day, form)


class SourceReleaseKeys:
    """`ReleaseKeys` for ids of data sources: the keys are in the id; the release's number is read where it is used."""

    def __init__(self, tables: SourceTables) -> None:
        self._tables = tables

    def keys_of(
        self, records: Sequence[RecordRef], needed: Collection[str]
    ) -> dict[RecordRef, Mapping[str, InputValue] | None]:
        """As `ReleaseKeys.keys_of`."""
        found: dict[RecordRef, Mapping[str, InputValue] | None] = {}
        for record in records:
            keys = release_key(record.record_id)
            if "release" not in needed:
                found[record] = key_values(keys, None)
                continue
            with readable(f"release {record.record_id}"):
                row = release_row(self._tables, record.record_id)
                found[record] = None if row is None else key_values(keys, row)
        return found


def key_values(keys: ReleaseKey, row: Row | None) -> dict[str, InputValue]:
    """The keys of a release by our names; `release`, its number, only with its row."""
    own: dict[str, InputValue] = {
        "order": Key(keys.order),
        "line_key": Key(keys.line),
        "release_key": Key(keys.release),
    }
    return own if row is None else own | {"release": Key(row.needed("releaseLineNumber"))}
