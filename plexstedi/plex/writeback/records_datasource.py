"""Plex acknowledgment records through two data sources: one writes records, the other reads them.

The writing data source may add a record at each call, so a record is written only if no existing one has the same
values. Our record is found among those of a release by its external reference.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches

from plexstedi.decimal_json import Json
from plexstedi.errors import ServiceRefused, ServiceUnavailable
from plexstedi.plex.days import Days, is_day
from plexstedi.plex.port import (
    FieldValue,
    FieldValues,
    NotWritten,
    RecordRef,
    WriteOutcome,
    WriteRefused,
    WriteResult,
    Written,
)
from plexstedi.plex.rest.rows import read_time
from plexstedi.plex.settings import AcknowledgmentRecords, DataSourceMap, Level
from plexstedi.plex.writeback.custom_fields import field_value, values_agree
from plexstedi.plex.writeback.datasources import AnySources, InputValue, Metadata
from plexstedi.plex.writeback.release_keys import ReleaseKeys

_REFERENCES = ("ack_reference", "ack_note")
_DAYS = ("confirmed_ship_date", "confirmed_delivery_date")

_Row = Mapping[str, Json]
_Key = tuple[tuple[str, InputValue], ...]


class DataSourceRecords:
    """Reads and writes acknowledgment records of releases. Field names are the writing data source's inputs."""

    def __init__(
        self,
        sources: AnySources,
        settings: AcknowledgmentRecords,
        keys: ReleaseKeys,
        days: Days,
    ) -> None:
        self._days = days
        self._sources = sources
        self._settings = settings
        self._write, self._read = settings.write, settings.read
        self._values = settings.values
        self._value_of = {name: value for value, name in self._write.inputs.items() if value in self._values}
        self._keys = keys
        self._checked = False

    def check(self, wanted: Mapping[Level, Collection[str]]) -> None:
        """Raise ServiceRefused if the account belongs to another company, or a configured name does not exist.

        Checked once per run: neither changes within a run.
        """
        if self._checked:
            return
        self._check_company()
        problems = [
            problem
            for name, ours in (("acknowledgment_write", self._write), ("acknowledgment_read", self._read))
            # Over SOAP there is no metadata; wrong names are then reported by the first call.
            if (theirs := self._sources.metadata(ours.id)) is not None
            for problem in missing_names(name, ours, theirs)
        ]
        if problems:
            raise ServiceRefused(
                "; ".join(problems),
                fix="Correct [plex.datasources]: names must match Plex exactly.",
                code="datasource-names",
            )
        self._checked = True

    def _check_company(self) -> None:
        company, expected = self._settings.company, self._settings.company_code
        if company is None or expected is None:
            return
        rows = self._sources.read(company.id, dict(company.constants))
        codes = {str(row.get(company.columns["code"])) for row in rows}
        if {code.casefold() for code in codes} != {expected.casefold()}:
            raise ServiceRefused(
                f"the web service account {self._settings.username} belongs to company"
                f" {', '.join(sorted(codes)) or '(none)'}, not to {expected}",
                fix="Set plex.auth.username to an account of your own company, or correct plex.auth.company_code.",
                code="wrong-tenant",
            )

    def read(self, wanted: Sequence[FieldValues]) -> tuple[FieldValues, ...]:
        """The values of each release's record: our own if there is one (identified by `wanted`), else the newest.

        A release without a record has no values.
        """
        keys = self._keys_of([each.record for each in wanted])
        rows_by_query: dict[_Key, tuple[_Row, ...]] = {}
        found = []
        for each in wanted:
            own = keys[each.record]
            if own is None:
                found.append(FieldValues(each.record, dict.fromkeys(each.values)))
                continue
            query = self._query(own)
            if query not in rows_by_query:
                rows_by_query[query] = self._sources.read(self._read.id, dict(query))
            rows = [row for row in rows_by_query[query] if self._is_of(row, own)]
            row = self._own_record(rows, each.values) or self._newest(rows)
            held = {name: self._held(row, name, planned) for name, planned in each.values.items()}
            found.append(FieldValues(each.record, held))
        return tuple(found)

    def write(self, changes: Sequence[FieldValues]) -> tuple[WriteResult, ...]:
        """Write whole records; one result per change, in the same sequence. Raises only before anything was written."""
        keys = self._keys_of([each.record for each in changes])
        results: list[WriteResult] = []
        stopped: NotWritten | None = None
        anything_written = False
        for each in changes:
            own = keys[each.record]
            outcome: WriteOutcome
            if stopped is not None:
                outcome = stopped
            elif own is None:
                outcome = WriteRefused("Plex no longer has this release")
            elif untranslated := self._untranslated(each.values):
                outcome = WriteRefused(f"[plex.datasources.acknowledgment_write.values] has no {untranslated}")
            else:
                try:
                    outcome = self._sources.write(self._write.id, self._inputs(own, each.values))
                except (ServiceRefused, ServiceUnavailable) as error:
                    if not anything_written:
                        raise
                    outcome = stopped = NotWritten(error.message)
                else:
                    anything_written = anything_written or isinstance(outcome, Written)
                    # The service is unavailable: do not spend a full series of retries on each remaining record.
                    stopped = outcome if isinstance(outcome, NotWritten) else None
            results.append(WriteResult(each.record, outcome))
        return tuple(results)

    def _query(self, own: Mapping[str, InputValue]) -> _Key:
        asked = {name: own[key] for key, name in self._read.inputs.items()}
        return tuple(sorted({**self._read.constants, **asked}.items(), key=lambda item: item[0]))

    def _inputs(self, own: Mapping[str, InputValue], values: Mapping[str, FieldValue]) -> dict[str, InputValue]:
        """All inputs of a write. A value that the acknowledgment does not state is omitted (no nulls: plex/README.md
        2.4)."""
        inputs: dict[str, InputValue] = dict(self._write.constants)
        inputs |= {name: own[key] for key, name in self._write.inputs.items() if key not in self._values}
        return inputs | {name: self._to_plex(name, value) for name, value in values.items() if value is not None}

    def _to_plex(self, name: str, value: str | Decimal) -> InputValue:
        """A value in the data source's format; data sources have no date without a time (plex/README.md 2.1)."""
        kind = self._value_of[name]
        if kind in self._write.values:
            return self._write.values[kind].get(str(value), value)
        return self._days.write(date.fromisoformat(str(value))) if kind in _DAYS and is_day(str(value)) else value

    def _untranslated(self, values: Mapping[str, FieldValue]) -> str:
        """The first value that is missing in its translation table (`values`); empty if there is none."""
        for name, value in values.items():
            table = self._write.values.get(self._value_of[name])
            if table is not None and value is not None and str(value) not in table:
                return f"{self._value_of[name]}.{value}"
        return ""

    def _is_of(self, row: _Row, own: Mapping[str, InputValue]) -> bool:
        named = [(key, column) for key, column in self._read.columns.items() if key not in self._values]
        return all(str(row.get(column)).casefold() == str(own[key]).casefold() for key, column in named)

    def _own_record(self, rows: Iterable[_Row], planned: Mapping[str, FieldValue]) -> _Row | None:
        """The record with our reference; of several, the one with the most planned values, and the later of equals."""
        reference = next((value for value in _REFERENCES if value in self._value_of.values()), None)
        best: tuple[int, _Row] | None = None
        for row in rows:
            agreeing = [name for name, value in planned.items() if values_agree(value, self._held(row, name, value))]
            if any(self._value_of[name] == reference for name in agreeing) and (
                best is None or len(agreeing) >= best[0]
            ):
                best = len(agreeing), row
        return None if best is None else best[1]

    def _newest(self, rows: Sequence[_Row]) -> _Row | None:
        column = self._read.columns.get("acknowledged_at")
        if not rows or column is None:
            return rows[-1] if rows else None
        return max(rows, key=lambda row: _moment(row.get(column)))

    def _held(self, row: _Row | None, name: str, planned: FieldValue) -> FieldValue:
        """A record's value in our notation: `planned` if the record has its translation, else the value as read."""
        if row is None:
            return None
        kind = self._value_of[name]
        found = field_value(row.get(self._read.columns[kind]))
        if kind in _DAYS and isinstance(found, str):
            found = self._days.plain(found)
        own = field_value(self._write.values.get(kind, {}).get(str(planned)))
        return planned if own is not None and values_agree(own, found) else found

    def _keys_of(self, records: Sequence[RecordRef]) -> dict[RecordRef, Mapping[str, InputValue] | None]:
        """The identifying inputs of each release; None for a release unknown to Plex."""
        needed = {
            key
            for source in (self._write, self._read)
            for key in (*source.inputs, *source.columns)
            if key not in self._values
        }
        return self._keys.keys_of(records, needed)


def missing_names(name: str, ours: DataSourceMap, theirs: Metadata) -> list[str]:
    """Configured names that the data source lacks, and required inputs that are not configured."""
    what = f"data source {ours.id} ({theirs.name}, [plex.datasources.{name}])"
    given = {*ours.inputs.values(), *ours.constants}
    problems = []
    if unknown := sorted(given - theirs.inputs.keys()):
        problems.append(f"{what} has no input {_named(unknown, theirs.inputs)}; it has {_listed(theirs.inputs)}")
    if missing := sorted(each for each, required in theirs.inputs.items() if required and each not in given):
        problems.append(f"{what} requires {', '.join(missing)}, which has no value")
    if theirs.columns and (unknown := sorted(set(ours.columns.values()) - theirs.columns)):
        problems.append(f"{what} has no column {_named(unknown, theirs.columns)}; it has {_listed(theirs.columns)}")
    return problems


def _named(unknown: Iterable[str], known: Collection[str]) -> str:
    """The unknown names, each with the nearest known one."""
    spelled = {name.casefold(): name for name in known}
    parts = []
    for name in unknown:
        near = get_close_matches(name.casefold(), spelled, n=1)
        parts.append(f"{name} (did you mean {spelled[near[0]]}?)" if near else name)
    return ", ".join(parts)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _moment(value: Json) -> datetime:
    """A Plex time as a sort key; a malformed one sorts first."""
    read = read_time(value) if isinstance(value, str) else None
    return read if read is not None else datetime.fromisoformat("0001-01-01T00:00:00+00:00")
