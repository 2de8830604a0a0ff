"""Error texts and tracebacks without secrets: for what nobody foresaw, whose text is not of our making."""

from __future__ import annotations

import re
from collections.abc import Collection

_HIDDEN = "(secret)"
_SHORTEST_SECRET = 6
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Presigned addresses, proxies with a password, ping addresses: the host is enough to find the cause.
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]{1,12}://)(?:[^\s/@'\"]*@)?([^\s/?#'\"]*)[^\s'\"]*"), r"\1\2/(address)"),
    (
        re.compile(
            r"(?i)\b(bearer|basic|key|token|password|secret|signature|authorization)(['\"]?\s*[:= ]\s*['\"]?)"
            r"[^\s'\",;)}]{6,}"
        ),
        rf"\1\2{_HIDDEN}",
    ),
    (
        re.compile(
            r"\b(?=[A-Za-z0-9+/_.-]*[0-9])(?=[A-Za-z0-9+/_.-]*[A-Za-z])[A-Za-z0-9+/_-]{32,}(?:\.[A-Za-z0-9+/_-]+)*"
        ),
        _HIDDEN,
    ),
)


def redacted(text: str, secrets: Collection[str] = ()) -> str:
    """The text without these secrets, addresses, and what looks like a key or token."""
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, _HIDDEN)
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text
