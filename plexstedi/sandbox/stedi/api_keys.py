"""Stedi's API-keys API (version 2022-01-19): list, create and delete the keys of the account."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random
from typing import NoReturn

from msgspec import Struct

from plexstedi.decimal_json import Json
from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.web import HttpError, Request, Response, Routes, body_object, json_response

KEYS_PATH = "/2022-01-19/api_keys"
_TENANT = "7a1c52de-0b5f-4f0e-9d39-5c6cf0a5f0aa"
_MOST_KEYS = 50


class ListedKey(Struct, frozen=True):
    """A key as listed: the secret part is returned once, when the key is created."""

    prefix: str
    description: str
    created_at: datetime

    def as_json(self) -> dict[str, Json]:
        return {
            "tenant_id": _TENANT,
            "created_at": self.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "description": self.description,
            "api_key_prefix": self.prefix,
            "api_key_role": "stedi:developer",
        }


class ApiKeysApi:
    """Handles requests below `KEYS_PATH`. `keys` returns the valid keys, each `prefix.secret`: changed in place."""

    def __init__(self, keys: Callable[[], set[str]], clock: SandboxClock) -> None:
        self._keys, self._clock = keys, clock
        self.deleted: list[str] = []
        """Prefixes of the keys deleted through the API, in their sequence."""
        self._made: dict[str, ListedKey] = {}
        # Not seeded by the tenant: a key of the sandbox must not be found in any other.
        self._random = Random("api keys of the sandbox")
        self._routes: Routes[None] = Routes()
        self._routes.add("GET", "", self._list)
        self._routes.add("POST", "", self._create)
        self._routes.add("DELETE", "/{prefix}", self._delete)

    def respond(self, request: Request) -> Response:
        """Handle one call; the caller has checked the key. Raise HttpError."""
        found = self._routes.find(request.method, request.path.removeprefix(KEYS_PATH))
        if found is None:
            _refuse(403, "Missing Authentication Token", "invalid_token")
        handler, parameters = found
        return handler(request, *parameters)

    def listed(self) -> list[ListedKey]:
        """All valid keys, oldest first; those that were given to the sandbox came first."""
        prefixes = sorted(key.partition(".")[0] for key in self._keys())
        start = self._clock.now().replace(year=2026, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
        return sorted(
            (self._made.get(prefix) or ListedKey(prefix, "made in the portal", start) for prefix in prefixes),
            key=lambda key: (key.created_at, key.prefix),
        )

    def _list(self, request: Request) -> Response:
        size, token = request.one("page_size") or "25", request.one("page_token") or "0"
        if not size.isdigit() or not 1 <= int(size) <= 100:
            _refuse(400, "page_size must be between 1 and 100")
        if not token.isdigit():
            _refuse(400, "Malformed page token", "malformed_page_token")
        first, every = int(token), self.listed()
        shown = every[first : first + int(size)]
        body: dict[str, Json] = {"results": [key.as_json() for key in shown]}
        if first + len(shown) < len(every):
            body["next_page_token"] = str(first + len(shown))
        return json_response(body)

    def _create(self, request: Request) -> Response:
        if not request.headers.get("content-type", "").startswith("application/json"):
            _refuse(415, "Unsupported Media Type")
        body = body_object(request)
        description = None if body is None else body.get("description")
        if body is None or set(body) != {"description"} or not isinstance(description, str) or not description.strip():
            _refuse(400, "Bad Request: description is required, and must not be empty")
        if len(self._keys()) >= _MOST_KEYS:
            _refuse(422, "The limit of API keys is reached", "limit_reached")
        prefix, secret = self._text(7), self._text(24)
        key = ListedKey(prefix, description, self._clock.now())
        self._made[prefix] = key
        self._keys().add(f"{prefix}.{secret}")
        return json_response(key.as_json() | {"api_key": f"{prefix}.{secret}"}, 201)

    def _delete(self, request: Request, prefix: str) -> Response:
        found = [key for key in self._keys() if key.partition(".")[0] == prefix]
        if not found:
            _refuse(404, "The API key was not found", "api_key_not_found")
        self._keys().difference_update(found)
        self.deleted.append(prefix)
        return Response(204, b"", {})

    def _text(self, length: int) -> str:
        return "".join(self._random.choice(string.ascii_letters + string.digits) for _ in range(length))


def _refuse(status: int, message: str, code: str | None = None) -> NoReturn:
    body: Mapping[str, Json] = {"message": message} if code is None else {"message": message, "code": code}
    raise HttpError(json_response(body, status))
