"""Report unexpected errors without secrets: their text and traceback may contain anything a service returned."""

from __future__ import annotations

import re
import traceback
from pathlib import Path

from plexstedi.errors import InternalFault
from plexstedi.plain_text import one_line, visible

_MOST_TEXT = 300
_MOST_TRACEBACK_LINES = 120
_SHORTEST_SECRET = 6
_QUERY = re.compile(r"(https?://[^\s?#'\"<>]*)[?#][^\s'\"<>]*")
_USER = re.compile(r"(https?://)[^\s/@'\"<>]+@")
_CREDENTIAL = re.compile(
    r"(?i)\b(authorization|bearer|basic|x-plex-connect-api-(?:key|secret))"
    r"(['\"]?\s*[:= ]\s*)(?:['\"]?(?:bearer|basic)\s+)?\S+"
)
_secrets: set[str] = set()


def remember_secret(value: str) -> None:
    """Register a secret that this process has read; it is removed from every text of an internal error."""
    if len(value) >= _SHORTEST_SECRET:
        _secrets.add(value)


def redacted(text: str) -> str:
    """The text without registered secrets, URL queries (presigned URLs grant access) and credentials in headers."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, "(secret)")
    text = _QUERY.sub(r"\1?(…)", text)
    text = _USER.sub(r"\1(…)@", text)
    return _CREDENTIAL.sub(r"\1\2(secret)", text)


def bounded(error: BaseException) -> str:
    """An unexpected error in one short line: its type and its redacted text."""
    text = one_line(redacted(str(error))).strip()
    if len(text) > _MOST_TEXT:
        text = text[: _MOST_TEXT - 1] + "…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def place_of(error: BaseException) -> str:
    """Where it was raised: `file.py:line` of the innermost frame of this program; empty if there is none."""
    here = Path(__file__).parent
    frames = [
        f"{Path(frame.f_code.co_filename).name}:{line}"
        for frame, line in traceback.walk_tb(error.__traceback__)
        if here in Path(frame.f_code.co_filename).parents
    ]
    return frames[-1] if frames else ""


def internal_fault(error: BaseException, where: str) -> InternalFault:
    """Wrap an unexpected error as a fault. `where`: the stage or command that it ended."""
    place = place_of(error)
    return InternalFault(
        f"internal error in {where}: {bounded(error)}" + (f" ({place})" if place else ""),
        fix="Report it with its traceback, printed when it first appears. Committed work is kept; the next run"
        " tries again.",
        error=error,
        key=f"{type(error).__name__} {place}".strip(),
    )


def traceback_text(error: BaseException) -> str:
    """The traceback, redacted, without control characters, limited in length."""
    try:
        text = "".join(traceback.format_exception(error))
    except Exception:
        # The exception's own __str__ failed.
        text = "".join(traceback.format_tb(error.__traceback__)) + f"{type(error).__name__}\n"
    lines = [visible(line) for line in redacted(text).splitlines()]
    if len(lines) > _MOST_TRACEBACK_LINES:
        half = _MOST_TRACEBACK_LINES // 2
        lines = [*lines[:half], f"  … {len(lines) - 2 * half} lines left out …", *lines[-half:]]
    return "\n".join(lines)
