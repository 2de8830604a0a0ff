"""Keys by which data sources identify a release, for ids of the REST interface."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from plexstedi.errors import ServiceRefused
from plexstedi.plex.port import RecordRef
from plexstedi.plex.rest.client import Rest
from plexstedi.plex.settings import Level
from plexstedi.plex.writeback.datasources import InputValue
from plexstedi.plex.writeback.identities import Identities
from plexstedi.plex.writeback.standard_objects import StandardObjects

OWN_KEYS = ("order_id", "release_id")
"""Names of our ids that identify a record without a key lookup: Plex's ids of the REST interface."""


class ReleaseKeys(Protocol):
    """How the records to be written are identified in data sources."""

    def keys_of(
        self, records: Sequence[RecordRef], needed: Collection[str]
    ) -> dict[RecordRef, Mapping[str, InputValue] | None]:
        """The identifying inputs of each release; None for a release unknown to Plex."""
        ...


class RestReleaseKeys:
    """Keys for ids of the REST interface: the ids themselves, and those that Plex translates them to."""

    def __init__(self, rest: Rest, objects: Mapping[Level, str]) -> None:
        self._objects = StandardObjects(rest, objects)
        self._identities = Identities(rest)

    def keys_of(
        self, records: Sequence[RecordRef], needed: Collection[str]
    ) -> dict[RecordRef, Mapping[str, InputValue] | None]:
        """As `ReleaseKeys.keys_of`. Raise ServiceRefused if Plex has no such key."""
        needed = set(needed)
        own: dict[RecordRef, dict[str, InputValue]] = {
            each: {"order_id": each.order_id, "release_id": each.record_id} for each in records
        }
        for level in (Level.RELEASE, Level.ORDER):
            if not own or any(needed <= keys.keys() for keys in own.values()):
                break
            name = self._objects.choose(level).name
            ids = {each: each.record_id if level is Level.RELEASE else each.order_id for each in records}
            keys = self._identities.keys_of(name, list(ids.values()))
            for each, record_id in ids.items():
                own[each] |= {k: v for k, v in (keys[record_id] or {}).items() if isinstance(v, int | str)}
        lacking = needed - {key for keys in own.values() for key in keys}
        if own and lacking and any(len(keys) > len(OWN_KEYS) for keys in own.values()):
            there = sorted({key for keys in own.values() for key in keys})
            raise ServiceRefused(
                f"Plex has no key {', '.join(sorted(lacking))} of a release",
                fix=f"Use in [plex.datasources] one of {', '.join(there)}.",
                code="datasource-names",
            )
        return {each: keys if needed <= keys.keys() else None for each, keys in own.items()}
