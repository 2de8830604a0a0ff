"""A write that Plex said it had made, and that a later reading does not show: wait for it, or ask a person. Pure.

What is read may lag behind what was written (caches, read replicas): the same value as before the write is no proof
that it was not made. A value that is neither is somebody else's, and nothing is written over it unasked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from plexstedi.edi.writeback.plan import FieldChange

LATER_READS = 2
"""In so many later runs it is looked for before a person is asked."""
PATIENCE = timedelta(minutes=10)
"""And at least so long."""


class ReadBack(StrEnum):
    """What to do about it."""

    WAIT = "wait"
    """The next run reads again."""
    NOT_SHOWN = "not shown"
    """It was looked for long enough."""
    CHANGED = "changed"
    """Something else stands there: neither what was before the write nor what was written."""


def judge_read_back(
    written: Sequence[FieldChange], left: Sequence[FieldChange], *, later_reads: int, waited: timedelta
) -> ReadBack:
    """What a later reading means, of which `left` are the changes that it does not show.

    `written` are those that were sent, with what stood there before; `later_reads` counts this one.
    """
    before = {(change.level, change.record_id, change.field): change.before for change in written}
    for change in left:
        key = (change.level, change.record_id, change.field)
        if key not in before or before[key] != change.before:
            return ReadBack.CHANGED
    return ReadBack.NOT_SHOWN if later_reads >= LATER_READS and waited >= PATIENCE else ReadBack.WAIT


def read_back_message(verdict: ReadBack, left: Sequence[FieldChange], since: datetime) -> str:
    """For a person, with the fields."""
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
