"""Maps Plex ids (UUIDs of the REST interface) to the integer keys of data sources and custom fields
(plex/README.md 7.B)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from plexstedi.decimal_json import Json
from plexstedi.errors import ServiceUnavailable
from plexstedi.plex.rest.client import Rest, in_groups

_MAX_IDS = 5000

Keys: TypeAlias = Mapping[str, Json]
"""A record's keys by Plex's names: `{"Line_Item_Key": 4711, "Release_No": 1}`."""


class Identities:
    """Looks up keys and caches them."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._keys: dict[tuple[str, str], Keys | None] = {}

    def keys_of(self, name: str, ids: Sequence[str]) -> dict[str, Keys | None]:
        """The keys of records of the standard object `name`; None for one that Plex does not know."""
        unknown = sorted({each for each in ids if (name, each) not in self._keys})
        for some in in_groups(unknown, _MAX_IDS):
            body: Json = {"standardObjectName": name, "ids": list(some)}
            response = self._rest.search("ids_to_keys", body)
            read = read_keys(response.json(), some)
            for each in some:
                self._keys[name, each] = read.get(each)
        return {each: self._keys[name, each] for each in ids}


def read_keys(document: Json, ids: Sequence[str]) -> dict[str, Keys]:
    """The keys of records by id, from a response of ids-to-keys. Raise ServiceUnavailable if it is malformed.

    Each record has its id next to its keys; the id is recognized by its value, since its field name is not published.
    """
    records = document.get("recordIdentifiers") if isinstance(document, Mapping) else None
    if isinstance(records, str) or not isinstance(records, Sequence):
        raise ServiceUnavailable(
            "Plex answered a request for record keys with something else", fix="The next run tries again."
        )
    described = document.get("standardObject") if isinstance(document, Mapping) else None
    listed = described.get("keys") if isinstance(described, Mapping) else None
    key_names = {
        name
        for item in (listed if isinstance(listed, Sequence) and not isinstance(listed, str) else ())
        if isinstance(name := item.get("name") if isinstance(item, Mapping) else item, str)
    }
    asked = {each.lower(): each for each in ids}
    found: dict[str, Keys] = {}
    for record in records:
        if not isinstance(record, Mapping):
            continue
        flat = _flat(record)
        own = [asked[value.lower()] for value in flat.values() if isinstance(value, str) and value.lower() in asked]
        keys = {
            name: value
            for name, value in flat.items()
            if (name in key_names if key_names else isinstance(value, int) and not isinstance(value, bool))
        }
        if len(own) == 1 and keys:
            found[own[0]] = keys
    return found


def _flat(record: Mapping[str, Json]) -> dict[str, Json]:
    """A record with the values of its nested object (`keys`, `recordIdentifiers`) merged in."""
    flat: dict[str, Json] = {}
    for name, value in record.items():
        flat |= value if isinstance(value, Mapping) else {name: value}
    return flat


def same_keys(keys: Json) -> tuple[tuple[str, str], ...]:
    """Keys in a normalized, comparable form."""
    if not isinstance(keys, Mapping):
        return ()
    return tuple(sorted((name.casefold(), str(value)) for name, value in keys.items()))
