"""The token by which an acknowledgment stands in a release's note, beside what people wrote there.

`Deliver to dock 4 [PlexStedi: 3000 confirmed for 2026-12-10, stedi:…]`. There is at most one per note; it is replaced,
never repeated, and never part of an order's fingerprint, so that our write does not come back as a change.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\s*\[PlexStedi:[^\]]*\]")


def without_token(note: str | None) -> str | None:
    """The note as people wrote it; None if nothing remains."""
    if note is None:
        return None
    return _TOKEN.sub("", note).strip() or None


def token(note: str | None) -> str | None:
    """What our token in the note says; None if there is none."""
    found = _TOKEN.search(note or "")
    return None if found is None else found[0].strip()[len("[PlexStedi:") : -1].strip()


def with_token(note: str | None, text: str) -> str:
    """The note with our token saying `text`, in place of an earlier one."""
    said = " ".join(text.replace("[", "(").replace("]", ")").split())
    written = without_token(note)
    return f"{written} [PlexStedi: {said}]" if written else f"[PlexStedi: {said}]"
