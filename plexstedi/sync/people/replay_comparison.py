"""How a replayed document differs from the one sent before, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from plexstedi.decimal_json import BrokenJsonError, Json, loads

_NAME = "filename"
"""The file name names the attempt: it always differs."""
_CONTENT = re.compile(r"^(transactionGroups\[1\]\.transactions\[1\]|transaction)\.")
"""The document inside a request of either kind."""


class ContentChange(StrEnum):
    """How the content of a replayed document relates to the one sent before."""

    SAME = "same"
    REBUILT = "rebuilt"
    """Built from the same revision with the settings of today, and different."""
    NOT_COMPARABLE = "not-comparable"
    """The document sent before is no longer stored, or is of another kind."""


class Comparison(Struct, frozen=True):
    """A replayed document compared with the one sent before, but for the file name."""

    change: ContentChange
    differences: tuple[str, ...] = ()
    """In words, one per value."""


def compared(before: bytes, after: bytes, *, same_kind: bool) -> Comparison:
    """Compare two requests to Stedi; `before` is empty if it is not stored. Pure."""
    if not before or not same_kind:
        return Comparison(ContentChange.NOT_COMPARABLE)
    try:
        old, new = dict(_values(loads(before))), dict(_values(loads(after)))
    except BrokenJsonError:
        return Comparison(ContentChange.NOT_COMPARABLE)
    found = tuple(_differences(old, new))
    return Comparison(ContentChange.REBUILT if found else ContentChange.SAME, found)


def _differences(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    for path in dict.fromkeys([*old, *new]):
        before, after = old.get(path), new.get(path)
        if path == _NAME or before == after:
            continue
        name = _CONTENT.sub("", path)
        if before is None:
            yield f"{name}: added, {after}"
        elif after is None:
            yield f"{name}: left out, was {before}"
        else:
            yield f"{name}: {before} → {after}"


def _values(value: Json, path: str = "") -> Iterator[tuple[str, str]]:
    """Each value with its path; entries of lists are counted from 1."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _values(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for place, inner in enumerate(value, start=1):
            yield from _values(inner, f"{path}[{place}]")
    else:
        yield path, str(value)
