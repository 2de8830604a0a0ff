"""HTTP types of the sandbox's origins: request, response, error, routing table."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar
from urllib.parse import parse_qsl, unquote

from msgspec import Struct, field

from plexstedi.decimal_json import BrokenJsonError, Json, dumps, loads

Environ: TypeAlias = dict[str, Any]
"""A WSGI environ (PEP 3333)."""


class Request(Struct, frozen=True):
    """One HTTP request. Header names are in lower case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes

    def all(self, name: str) -> list[str]:
        """All values of a query parameter."""
        return [value for key, value in self.query if key == name]

    def one(self, name: str) -> str | None:
        """The last value of a query parameter."""
        values = self.all(name)
        return values[-1] if values else None

    def json(self) -> Json:
        """The body as JSON. Raise BrokenJsonError."""
        return loads(self.body)


class Response(Struct):
    """One HTTP response; `body` is the encoded body."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class HttpError(Exception):
    """Ends the request with this response."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class ConnectionDropped(Exception):
    """The connection is closed without a response."""


def json_response(value: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A response with a JSON body."""
    return raw_json_response(dumps(value).encode(), status, headers)


def raw_json_response(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A response whose body is already encoded as JSON."""
    return Response(status, body, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})


def request_from_environ(environ: Environ) -> Request:
    """The request of a WSGI environ."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body: bytes = environ["wsgi.input"].read(length) if length else b""
    headers = {
        key[5:].replace("_", "-").lower(): str(value) for key, value in environ.items() if key.startswith("HTTP_")
    }
    if environ.get("CONTENT_TYPE"):
        headers["content-type"] = str(environ["CONTENT_TYPE"])
    path = str(environ.get("PATH_INFO", "/")).encode("latin-1").decode("utf-8", "replace")
    query = tuple(parse_qsl(str(environ.get("QUERY_STRING", "")), keep_blank_values=True))
    return Request(str(environ["REQUEST_METHOD"]), path, query, headers, body)


def body_object(request: Request) -> Mapping[str, Json] | None:
    """The JSON object in the body; None if there is none."""
    try:
        value = request.json()
    except BrokenJsonError:
        return None
    return value if isinstance(value, Mapping) else None


ContextT = TypeVar("ContextT")


class Routes(Generic[ContextT]):
    """Handlers by method and path pattern (`/a/{id}/b`). A parameter matches one path segment."""

    def __init__(self) -> None:
        self._table: list[tuple[str, re.Pattern[str], Callable[..., Response]]] = []

    def add(self, method: str, pattern: str, handler: Callable[..., Response]) -> None:
        expression = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
        self._table.append((method, re.compile(expression), handler))

    def find(self, method: str, path: str) -> tuple[Callable[..., Response], Sequence[str]] | None:
        """The handler and the path's parameters; None if no route matches."""
        for wanted, pattern, handler in self._table:
            if wanted == method:
                match = pattern.fullmatch(path)
                if match is not None:
                    return handler, [unquote(group) for group in match.groups()]
        return None
