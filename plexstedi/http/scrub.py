"""Removes our secrets from what a service returned, should it have echoed one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import httpx

from plexstedi.decimal_json import Json

_SHORTEST_SECRET = 12
"""Characters. Shorter texts occur by chance in a body; no key of Plex or Stedi is that short."""


def header_secrets(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The values of those headers that hold a secret, by their names."""
    return tuple(value for name, value in headers.items() if _names_a_secret(name) and len(value) >= _SHORTEST_SECRET)


def _names_a_secret(header: str) -> bool:
    # A tenant id is not a secret; Plex's responses are full of it.
    return any(word in header.lower() for word in ("authorization", "key", "secret", "token"))


def authorization_of(request: httpx.Request) -> str:
    """The credentials that a request was sent with by `httpx.Auth`; empty if there are none."""
    value: str = request.headers.get("authorization", "")
    return value.removeprefix("Bearer ")


def long_enough(secret: str) -> tuple[str, ...]:
    """The secret, unless it is so short that it occurs by chance."""
    return (secret,) if len(secret) >= _SHORTEST_SECRET else ()


def without(document: Json, secrets: Sequence[str]) -> Json:
    """The document with these secrets removed."""
    if isinstance(document, str):
        for secret in secrets:
            document = document.replace(secret, "(secret)")
        return document
    if isinstance(document, Mapping):
        return {str(without(name, secrets)): without(value, secrets) for name, value in document.items()}
    if isinstance(document, Sequence):
        return [without(value, secrets) for value in document]
    return document


def scrub_for(body: bytes, secrets: Sequence[str]) -> Callable[[Json], Json]:
    """A function that removes secrets from this body; the identity where there are none (the usual case).

    Walking a large document costs time, so it is only done where the bytes can contain a secret.
    """
    # With a backslash in the body, a secret may be spelled with JSON escapes.
    if b"\\" in body or any(secret.encode() in body for secret in secrets):
        return lambda document: without(document, secrets)
    return lambda document: document


def scrub_items(keep: Callable[[Json], object], secrets: Sequence[str]) -> Callable[[Json, str], object]:
    """`keep` for an item and its text as written, on items without secrets."""

    def kept(item: Json, written: str) -> object:
        if "\\" in written or any(secret in written for secret in secrets):
            item = without(item, secrets)
        return keep(item)

    return kept
