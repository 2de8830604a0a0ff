"""Read-back of values that Plex reported as written but does not show: wait, or open a review item. Pure.

Reads may lag behind writes (caches, read replicas): the previous value does not prove that the write was lost. Any
third value is somebody else's change and is not overwritten without review.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from plexstedi.edi.writeback.plan import FieldChange

LATER_READS = 2
"""Number of later runs that read again before a review item opens."""
PATIENCE = timedelta(minutes=10)
"""Minimum time before a review item opens."""


class ReadBack(StrEnum):
    """Verdict on a value that a later read does not show."""

    WAIT = "wait"
    """Read again in the next run."""
    NOT_SHOWN = "not shown"
    """Not shown after enough reads and time: needs review."""
    CHANGED = "changed"
    """Plex has a third value: neither the previous nor the written one."""


def judge_read_back(
    written: Sequence[FieldChange], left: Sequence[FieldChange], *, later_reads: int, waited: timedelta
) -> ReadBack:
    """Judge a later read; `left` are the changes that it does not show.

    `written` are the changes sent, with the previous values. `later_reads` includes this read.
    """
    before = {(change.level, change.record_id, change.field): change.before for change in written}
    for change in left:
        key = (change.level, change.record_id, change.field)
        if key not in before or before[key] != change.before:
            return ReadBack.CHANGED
    return ReadBack.NOT_SHOWN if later_reads >= LATER_READS and waited >= PATIENCE else ReadBack.WAIT


def read_back_message(verdict: ReadBack, left: Sequence[FieldChange], since: datetime) -> str:
    """Message for the review item, with the fields."""
    fields = ", ".join(sorted({change.field for change in left}))
    if verdict is ReadBack.CHANGED:
        held = "; ".join(dict.fromkeys(f"{change.field} {change.before or 'empty'}" for change in left))
        return (
            f"{fields}: Plex reported at {since:%Y-%m-%d %H:%M} UTC that it had written the values, but shows "
            f"neither them nor the previous values ({held})"
        )
    summary = f"{fields}: Plex reported at {since:%Y-%m-%d %H:%M} UTC that it had written the values, but"
    return (
        f"{summary} shows the previous value"
        if verdict is ReadBack.WAIT
        else (f"{summary} still shows the previous value")
    )
