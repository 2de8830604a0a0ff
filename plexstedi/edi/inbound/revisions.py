"""What our documents say of the lines that were changed about when an answer was written, or later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from plexstedi.edi.inbound.precedence import Acknowledgments
from plexstedi.edi.sent import SentLine, SentOrder


@dataclass(frozen=True, slots=True)
class SentRevisions:
    """The versions of a line between which an answer's values decide (RULES.md Reading 13)."""

    before: Mapping[int, tuple[SentLine | None, ...]] = field(default_factory=dict)
    """Lines of which values decide what is answered: as they stood before, oldest first; None: not there."""
    since: Mapping[int, SentLine] = field(default_factory=dict)
    """Lines that a later document changed, as it asks for them (quantity zero: taken out)."""
    last: int = 0
    """The position of the last document."""


NO_REVISIONS = SentRevisions()


def revisions_of(sent: Sequence[SentOrder], answers: Acknowledgments) -> SentRevisions:
    """The versions of those lines, from the documents of the stream in the order sent."""
    before = {number: _before(sent, answers, number) for number in answers.undecided}
    asked = {number: sent[-1].line(number) for number in answers.changed_since} if not answers.named else {}
    return SentRevisions(
        before={number: versions for number, versions in before.items() if versions},
        since={number: line for number, line in asked.items() if line is not None},
        last=len(sent) - 1,
    )


def _before(sent: Sequence[SentOrder], answers: Acknowledgments, number: int) -> tuple[SentLine | None, ...]:
    now = _told(sent[answers.position].line(number))
    versions: list[SentLine | None] = []
    for order in sent[answers.since : answers.position]:
        line = order.line(number)
        known = [_told(version) for version in versions]
        if _told(line) != now and _told(line) not in known:
            versions.append(None if line is None or line.quantity == 0 else line)
    return tuple(versions)


def same_to_supplier(one: SentLine | None, other: SentLine | None) -> bool:
    """Whether two versions of a line tell the supplier the same: Plex's own ids are nothing that it is told."""
    return _told(one) == _told(other)


def _told(line: SentLine | None) -> SentLine | None:
    if line is None:
        return None
    schedules = (each.model_copy(update={"release_id": "", "release_number": 0}) for each in line.schedules)
    return line.model_copy(update={"line_id": "", "schedules": tuple(schedules)})
