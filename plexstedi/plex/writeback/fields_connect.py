"""Custom fields through Plex Connect: up to 5,000 records per call, by integer keys (plex/README.md 7.B)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from plexstedi.decimal_json import Json, dumps
from plexstedi.errors import RequestRejected, ServiceRefused, ServiceUnavailable
from plexstedi.http.response import InconclusiveSend, RejectedCall
from plexstedi.plex.port import (
    FieldValue,
    FieldValues,
    NotWritten,
    RecordRef,
    WriteOutcome,
    WriteRefused,
    WriteResult,
    WriteUnknown,
    Written,
)
from plexstedi.plex.rest.client import Rest
from plexstedi.plex.settings import Level
from plexstedi.plex.writeback.custom_fields import DayFields, values_of
from plexstedi.plex.writeback.identities import Identities, same_keys
from plexstedi.plex.writeback.standard_objects import StandardObjects

_MAX_RECORDS = 5000
_MAX_HALVINGS = 40
"""Maximum number of splits made to find the invalid records of a rejected batch."""


class ConnectFields:
    """Reads and writes custom fields of orders, lines and releases."""

    def __init__(self, rest: Rest, objects: Mapping[Level, str], days: DayFields) -> None:
        self._rest = rest
        self._days = days
        self._objects = StandardObjects(rest, objects)
        self._identities = Identities(rest)

    def check(self, wanted: Mapping[Level, Collection[str]]) -> None:
        """Raise ServiceRefused if a field does not exist on its object."""
        for level, fields in wanted.items():
            if fields:
                self._objects.choose(level, fields)

    def read(self, wanted: Sequence[FieldValues]) -> tuple[FieldValues, ...]:
        """The current values of the fields, in the sequence of `wanted`; a record unknown to Plex has no values."""
        held: dict[RecordRef, dict[str, FieldValue]] = {}
        for level in Level:
            some = [each for each in wanted if each.record.level is level]
            if some:
                held |= self._read_level(level, some)
        return tuple(
            FieldValues(each.record, {name: held[each.record][name] for name in each.values}) for each in wanted
        )

    def write(self, changes: Sequence[FieldValues]) -> tuple[WriteResult, ...]:
        """Save values; one result per change, in the same sequence. Raises only before anything was sent."""
        outcomes: dict[int, WriteOutcome] = {}
        saved: list[int] = []
        entries: list[Json] = []
        for level in Level:
            some = [index for index, each in enumerate(changes) if each.record.level is level]
            if not some:
                continue
            held_in = self._objects.choose(level, {field for index in some for field in changes[index].values})
            name = held_in.name
            keys = self._identities.keys_of(name, [changes[index].record.record_id for index in some])
            known = [index for index in some if keys[changes[index].record.record_id] is not None]
            outcomes |= {index: WriteRefused(f"Plex no longer has this {level}") for index in set(some) - set(known)}
            saved += known
            # Each entry names its own object, so that orders, lines and releases are saved by one call.
            entries += [
                {
                    "standardObjectName": name,
                    "recordIdentifiers": keys[changes[index].record.record_id],
                    "customFields": self._days.as_written(changes[index].values, held_in.texts),
                }
                for index in known
            ]
        saving = _Saving(self._rest)
        for start in range(0, len(saved), _MAX_RECORDS):
            end = start + _MAX_RECORDS
            outcomes |= saving.save(saved[start:end], entries[start:end])
        return tuple(WriteResult(each.record, outcomes[index]) for index, each in enumerate(changes))

    def _read_level(self, level: Level, wanted: Sequence[FieldValues]) -> dict[RecordRef, dict[str, FieldValue]]:
        name = self._objects.choose(level, {field for each in wanted for field in each.values}).name
        keys = self._identities.keys_of(name, [each.record.record_id for each in wanted])
        found: dict[tuple[tuple[str, str], ...], Json] = {}
        known = [record for each in wanted if (record := keys[each.record.record_id]) is not None]
        for start in range(0, len(known), _MAX_RECORDS):
            body: Json = {"standardObjectName": name, "recordIdentifiers": known[start : start + _MAX_RECORDS]}
            response = self._rest.search("field_values_search", body)
            for row in self._rest.rows("field_values_search", response):
                found[same_keys(row.raw("recordIdentifiers"))] = row.raw("customFields")
        held: dict[RecordRef, dict[str, FieldValue]] = {}
        for each in wanted:
            record = keys[each.record.record_id]
            values = self._days.as_read(
                values_of(None if record is None else found.get(same_keys(record)), each.values)
            )
            held[each.record] = held.get(each.record, {}) | values
        return held


class _Saving:
    """Saves batches. None is sent twice; a rejected batch is halved until its invalid records are found."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._anything_sent = False
        self._stopped: NotWritten | None = None
        self._halvings = 0

    def save(self, indexes: Sequence[int], batch: Sequence[Json]) -> dict[int, WriteOutcome]:
        """The outcome for each record of the batch."""
        if self._stopped is not None:
            return dict.fromkeys(indexes, self._stopped)
        try:
            self._rest.caller.post(self._rest.path("field_values_save"), body=dumps(batch).encode(), idempotent=False)
        except InconclusiveSend as error:
            # The service is unavailable: each further batch would only cost another series of retries.
            self._stopped = NotWritten(error.message)
            return dict.fromkeys(indexes, WriteUnknown(error.message) if error.maybe_processed else self._stopped)
        except (ServiceRefused, ServiceUnavailable) as error:
            if not self._anything_sent:
                raise
            self._stopped = NotWritten(error.message)
            return dict.fromkeys(indexes, self._stopped)
        except RequestRejected as error:
            if error.status == 404 and not self._anything_sent:
                raise self._rest.no_such_path("field_values_save") from error
            return self._halve(indexes, batch, error)
        self._anything_sent = True
        return dict.fromkeys(indexes, Written())

    def _halve(self, indexes: Sequence[int], batch: Sequence[Json], error: RequestRejected) -> dict[int, WriteOutcome]:
        # Plex rejects a batch as a whole, without naming the invalid record.
        message = (error.service_message if isinstance(error, RejectedCall) else "") or error.message
        reason = "; ".join((message, *error.details[:3]))
        if len(indexes) == 1:
            return {indexes[0]: WriteRefused(reason)}
        # If every record is invalid, halving would cost about two calls per record.
        if self._halvings >= _MAX_HALVINGS:
            return dict.fromkeys(indexes, WriteRefused(f"one of {len(indexes)} records: {reason}"))
        self._halvings += 2
        middle = len(indexes) // 2
        return self.save(indexes[:middle], batch[:middle]) | self.save(indexes[middle:], batch[middle:])
