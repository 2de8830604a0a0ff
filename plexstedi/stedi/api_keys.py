"""Client of Stedi's API-keys API: create, list and delete the keys of an account (stedi/README.md 1).

A key is `ID.SECRET`. Stedi returns it once, when it is created; afterwards only its id is listed.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from plexstedi.decimal_json import Json, dumps
from plexstedi.errors import ServiceUnavailable
from plexstedi.http.caller import Caller, path_segment
from plexstedi.http.response import RejectedCall
from plexstedi.internal import remember_secret
from plexstedi.secret_text import SecretText

_MOST_PAGES = 100


def key_id(key: SecretText) -> str | None:
    """The part of a key before the dot, which Stedi lists; None if the key has no such part."""
    prefix, dot, rest = key.get_secret_value().partition(".")
    return prefix if dot and prefix and rest else None


class CreatedKey(Struct, frozen=True):
    """A new key with its secret."""

    id: str
    key: SecretText


class KeyEntry(Struct, frozen=True):
    """A key as listed, without its secret."""

    id: str
    description: str


class ApiKeys:
    """The keys of one account. Every method may raise ServiceRefused, ServiceUnavailable and RejectedCall."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def close(self) -> None:
        """Close the connections."""
        self._caller.close()

    def create(self, description: str) -> CreatedKey:
        """Create a key. Not repeated after an attempt without a response: each attempt would create one more."""
        response = self._caller.post("/api_keys", body=dumps({"description": description}).encode())
        row = _object(response.json())
        found, key = row.get("api_key_prefix"), row.get("api_key")
        if not isinstance(found, str) or not isinstance(key, str):
            raise _unexpected()
        remember_secret(key)
        return CreatedKey(found, SecretText(key))

    def list(self) -> tuple[KeyEntry, ...]:
        """All keys of the account."""
        entries: list[KeyEntry] = []
        token: str | None = None
        for _ in range(_MOST_PAGES):
            body = _object(self._caller.get("/api_keys", [] if token is None else [("page_token", token)]).json())
            rows, following = body.get("results"), body.get("next_page_token")
            if not isinstance(rows, list):
                raise _unexpected()
            entries += [_entry(row) for row in rows]
            if not isinstance(following, str) or following == token:
                return tuple(entries)
            token = following
        raise _unexpected()

    def delete(self, key: str) -> bool:
        """Delete the key with this id; return False if there is none (any more)."""
        try:
            self._caller.delete(f"/api_keys/{path_segment(key)}")
        except RejectedCall as error:
            if error.status != 404:
                raise
            return False
        return True


def _entry(row: Json) -> KeyEntry:
    fields = _object(row)
    found, description = fields.get("api_key_prefix"), fields.get("description")
    if not isinstance(found, str):
        raise _unexpected()
    return KeyEntry(found, description if isinstance(description, str) else "")


def _object(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise _unexpected()
    return value


def _unexpected() -> ServiceUnavailable:
    return ServiceUnavailable(
        "Stedi's API-keys API returned something else than its documented fields",
        fix='Check stedi.api_keys_url; without it, rotate the key by hand (README, "Rotation of the Stedi key").',
    )
