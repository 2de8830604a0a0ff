"""The error body of a service: read leniently, bounded in length, with secrets removed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import httpx
from msgspec import Struct

from plexstedi.decimal_json import BrokenJsonError, Json, loads
from plexstedi.http.headers import request_id

_LONGEST_MESSAGE = 500
_MAX_DETAILS = 20


class ErrorBody(Struct, frozen=True):
    """Code, message and details of an error as the service states them; empty if nothing is readable."""

    code: str | None
    message: str
    details: tuple[str, ...]
    request_id: str | None

    @property
    def text(self) -> str:
        """Code, message and details in brackets, to be appended to a status; empty if there are none."""
        words = [word for word in (self.code, self.message, "; ".join(self.details[:5])) if word]
        return f" ({': '.join(words)[: 2 * _LONGEST_MESSAGE]})" if words else ""


def read_error(response: httpx.Response, *, secrets: Sequence[str] = ()) -> ErrorBody:
    """Read the error of a 4xx or 5xx response: Plex's {code, message, errors}, Stedi's {message, code}, and variants.

    `secrets` are removed from the text, should the service have echoed one.
    """
    code: str | None = response.headers.get("x-amzn-errortype")
    message = ""
    details: list[str] = []
    try:
        document = loads(response.content) if response.content.strip() else None
    except BrokenJsonError:
        document = None
    if isinstance(document, Mapping):
        code = code or _first_text(document, "code", "error", "__type")
        message = _first_text(document, "message", "Message", "error_description", "detail", "title") or ""
        for name in ("errors", "validation_errors", "validationErrors", "failures"):
            found = document.get(name)
            if isinstance(found, Sequence) and not isinstance(found, str):
                details.extend(_detail(item) for item in found[:_MAX_DETAILS])
    return ErrorBody(
        code=None if code is None else clean(code.split(":")[0], secrets)[:100],
        message=clean(message, secrets),
        details=tuple(clean(text, secrets) for text in details if text),
        request_id=None if (named := request_id(response.headers)) is None else clean(named, secrets),
    )


def clean(text: str, secrets: Sequence[str] = ()) -> str:
    """A service's text on one line, bounded in length, without URLs and without echoed secrets."""
    for secret in secrets:
        text = text.replace(secret, "(secret)")
    text = re.sub(r"(?:https?|ftp|sftp)://\S+", "(address)", text)
    text = "".join(character if character.isprintable() else " " for character in text)
    return text if len(text) <= _LONGEST_MESSAGE else text[:_LONGEST_MESSAGE] + "…"


def _first_text(document: Mapping[str, Json], *names: str) -> str | None:
    return next((value for name in names if isinstance(value := document.get(name), str) and value), None)


def _detail(item: Json) -> str:
    if isinstance(item, Mapping):
        path = item.get("path")
        where = ".".join(str(step) for step in path) if isinstance(path, list | tuple) else _first_text(item, "path")
        parts = (_first_text(item, "code"), where, _first_text(item, "message"))
        return ": ".join(part for part in parts if part)
    return str(item) if isinstance(item, str | int) else ""
