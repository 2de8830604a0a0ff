"""Values sent by the earlier documents of a recovered stream: lines changed later are marked as unknown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from plexstedi.edi.sent import SentLine, SentOrder
from plexstedi.edi.x12.text import BrokenX12Error, parse

_LINE = re.compile(r"[0-9]{1,18}")


class RecoveredSent(Struct, frozen=True):
    """One file at Stedi."""

    kind: str
    mark: str
    """Mark of the order as the supplier has it after this document."""
    x12: str


def sent_by_position(last: SentOrder, files: Sequence[RecoveredSent]) -> list[SentOrder]:
    """The values sent by each document of a stream, derived from the current ones (`last`); `files`: all, oldest first.

    A line that a later document changed has no items and schedules: it counts as changed, so an old acknowledgment of
    it is not applied (RULES.md Reading 13). A document whose lines cannot be read counts as changing all of them.
    """
    found = [last]
    for before, after in reversed(list(pairwise(files))):
        if before.mark == after.mark:
            changed: frozenset[int] | None = frozenset()
        else:
            changed = changed_lines(after.x12) if after.kind == "860" else None
        lines = tuple(_before(line, changed) for line in found[0].lines)
        found.insert(0, replace(found[0], lines=lines))
    return found


def changed_lines(text: str) -> frozenset[int] | None:
    """Line numbers in POC01 of an 860; None if they cannot be read."""
    try:
        transactions = parse(text).transactions()
    except BrokenX12Error:
        return None
    ids = [
        segment.text(1) or "" for parsed in transactions for segment in parsed.transaction.walk() if segment.id == "POC"
    ]
    numbers = [_LINE.match(each) for each in ids]
    if not transactions or not all(numbers):
        return None
    return frozenset(int(number[0]) for number in numbers if number is not None)


def _before(line: SentLine, changed: frozenset[int] | None) -> SentLine:
    if changed is not None and line.line not in changed:
        return line
    # Differs from every line that was ever sent: its earlier values are not known.
    return replace(line, items={}, schedules=(), price_basis=f"before {line.price_basis or 'it'}")
