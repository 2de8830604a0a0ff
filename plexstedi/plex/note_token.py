"""The token that records an acknowledgment in a release's note, next to the users' own text.

`Deliver to dock 4 [PlexStedi: 3000 confirmed for 2026-12-10, stedi:…]`. A note has at most one token, which is replaced
by later ones. It is not part of an order's fingerprint, so that our own write is not detected as a change.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\s*\[PlexStedi:[^\]]*\]")


def without_token(note: str | None) -> str | None:
    """The note without our token; None if nothing remains."""
    if note is None:
        return None
    return _TOKEN.sub("", note).strip() or None


def token(note: str | None) -> str | None:
    """The text of our token in the note; None if there is none."""
    found = _TOKEN.search(note or "")
    return None if found is None else found[0].strip()[len("[PlexStedi:") : -1].strip()


def with_token(note: str | None, text: str) -> str:
    """The note with `text` as our token, replacing an earlier one."""
    cleaned = " ".join(text.replace("[", "(").replace("]", ")").split())
    written = without_token(note)
    return f"{written} [PlexStedi: {cleaned}]" if written else f"[PlexStedi: {cleaned}]"
