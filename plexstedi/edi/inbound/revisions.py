"""Versions of lines that were changed at about the time of an acknowledgment, or later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Struct, field
from msgspec.structs import replace

from plexstedi.edi.inbound.precedence import AcknowledgedDocuments
from plexstedi.edi.sent import SentLine, SentOrder


class SentRevisions(Struct, frozen=True):
    """Versions of lines between which acknowledged values decide (RULES.md Reading 13)."""

    before: Mapping[int, tuple[SentLine | None, ...]] = field(default_factory=dict)
    """Previous versions of lines whose values decide, oldest first; None: the line did not exist."""
    since: Mapping[int, SentLine] = field(default_factory=dict)
    """Lines as changed by a later document (quantity zero: deleted)."""
    last: int = 0
    """Position of the last document."""


NO_REVISIONS = SentRevisions()


def revisions_of(sent: Sequence[SentOrder], acknowledged: AcknowledgedDocuments) -> SentRevisions:
    """Collect these versions from the documents of the stream, in the order sent."""
    before = {number: _before(sent, acknowledged, number) for number in acknowledged.undecided}
    asked = {number: sent[-1].line(number) for number in acknowledged.changed_since} if not acknowledged.named else {}
    return SentRevisions(
        before={number: versions for number, versions in before.items() if versions},
        since={number: line for number, line in asked.items() if line is not None},
        last=len(sent) - 1,
    )


def _before(sent: Sequence[SentOrder], acknowledged: AcknowledgedDocuments, number: int) -> tuple[SentLine | None, ...]:
    now = _sent_values(sent[acknowledged.position].line(number))
    versions: list[SentLine | None] = []
    for order in sent[acknowledged.since : acknowledged.position]:
        line = order.line(number)
        known = [_sent_values(version) for version in versions]
        if _sent_values(line) != now and _sent_values(line) not in known:
            versions.append(None if line is None or line.quantity == 0 else line)
    return tuple(versions)


def with_deletions(sent: Sequence[SentOrder], position: int) -> tuple[SentOrder, tuple[SentLine, ...]]:
    """The order as in this document of the stream, and the lines that earlier documents deleted.

    What is deleted has quantity zero, releases that were sent as lines included: a supplier may still list it.
    """
    order, earlier = sent[position], sent[:position]
    if not earlier:
        return order, ()
    here = {line.line for line in order.lines}
    gone: dict[int, SentLine] = {}
    versions: dict[int, list[SentLine]] = {}
    for line in (line for one in earlier for line in one.lines):
        versions.setdefault(line.line, []).append(line)
        if line.line not in here:
            gone[line.line] = replace(line, quantity=Decimal(0), schedules=())
    lines, deleted = (
        tuple(_with_deleted_releases(line, versions.get(line.line, ())) for line in of)
        for of in (order.lines, gone.values())
    )
    return replace(order, lines=lines), deleted


def _with_deleted_releases(line: SentLine, versions: Sequence[SentLine]) -> SentLine:
    here = {schedule.assigned_id for schedule in line.schedules}
    deleted = {
        schedule.assigned_id: replace(schedule, quantity=Decimal(0))
        for before in versions
        for schedule in before.schedules
        if schedule.assigned_id not in here
    }
    deleted.pop(None, None)
    return replace(line, schedules=(*line.schedules, *deleted.values())) if deleted else line


def same_to_supplier(one: SentLine | None, other: SentLine | None) -> bool:
    """Whether two versions of a line are the same to the supplier, which does not see Plex ids."""
    return _sent_values(one) == _sent_values(other)


def _sent_values(line: SentLine | None) -> SentLine | None:
    if line is None:
        return None
    schedules = (replace(each, release_id="", release_number=0) for each in line.schedules)
    return replace(line, line_id="", schedules=tuple(schedules))
