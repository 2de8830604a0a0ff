"""Map outcomes of lines and releases that were re-entered in Plex to their current Plex ids.

The supplier sees no difference, so its acknowledgment still applies (RULES.md Reading 13); it is written to the
current records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from plexstedi.edi.inbound.outcome import LineOutcome
from plexstedi.edi.inbound.precedence import Folded, LineAckStatus
from plexstedi.edi.order import Line, LineState, Order, Release, ReleaseState
from plexstedi.edi.sent import SentLine, SentOrder, SentSchedule


class CurrentIds(Struct, frozen=True):
    """Current Plex ids by ids as sent, for those that no longer exist or are cancelled."""

    lines: Mapping[str, str]
    releases: Mapping[str, str]

    def of_outcome(self, outcome: LineOutcome) -> LineOutcome:
        """The outcome with current ids."""
        if not (self.lines or self.releases):
            return outcome
        schedules = tuple(
            each if each.release_id is None else replace(each, release_id=self._release(each.release_id))
            for each in outcome.schedules
        )
        return replace(
            outcome,
            line_id=self.lines.get(outcome.line_id, outcome.line_id),
            release_ids=tuple(self._release(each) for each in outcome.release_ids),
            schedules=schedules,
        )

    def of_sent(self, sent: SentOrder) -> SentOrder:
        """The order as sent, with current ids."""
        if not (self.lines or self.releases):
            return sent
        return replace(sent, lines=tuple(map(self._of_line, sent.lines)))

    def of_folded(self, folded: Folded) -> Folded:
        """The current outcomes of an order, with current ids."""
        return Folded({number: self._of_status(status) for number, status in folded.lines.items()}, folded.header)

    def _release(self, release_id: str) -> str:
        return self.releases.get(release_id, release_id)

    def _of_status(self, status: LineAckStatus) -> LineAckStatus:
        applied = None if status.applied is None else self.of_outcome(status.applied)
        return replace(status, latest=self.of_outcome(status.latest), applied=applied)

    def _of_line(self, line: SentLine) -> SentLine:
        schedules = (replace(each, release_id=self._release(each.release_id)) for each in line.schedules)
        line_id = self.lines.get(line.line_id, line.line_id)
        return replace(line, line_id=line_id, schedules=tuple(schedules))


def current_ids(documents: Sequence[SentOrder], order: Order) -> CurrentIds:
    """Find replaced ids: a line matches by line number, a release by due date.

    Plex may keep what was entered again as cancelled: an open line or firm release in its place is the current one.
    """
    here = {line.id: line for line in order.lines}
    numbers = {line.number: line for line in reversed(order.open_lines())}
    lines: dict[str, str] = {}
    releases: dict[str, str] = {}
    for sent in documents:
        for line in sent.lines:
            now = here.get(line.line_id)
            if now is None or now.state is not LineState.OPEN:
                now = numbers.get(line.line, now)
            if now is None:
                continue
            if line.line_id != now.id:
                lines[line.line_id] = now.id
            releases |= _releases(line, now)
    return CurrentIds(lines, releases)


def _releases(sent: SentLine, line: Line) -> dict[str, str]:
    if line.state is not LineState.OPEN:
        return {}
    here = {release.id for release in line.releases if release.state is not ReleaseState.CANCELLED}
    kept = {schedule.release_id for schedule in sent.schedules}
    free = [release for release in line.firm_releases() if release.id not in kept]
    found: dict[str, str] = {}
    for schedule in sent.schedules:
        if schedule.release_id in here:
            continue
        match = _release_now(schedule, free)
        if match is not None:
            free.remove(match)
            found[schedule.release_id] = match.id
    return found


def _release_now(schedule: SentSchedule, free: Sequence[Release]) -> Release | None:
    """A release with the same due date; of several, the one with the same number."""
    same_day = [release for release in free if release.due == schedule.due]
    same_number = [release for release in same_day if release.number == schedule.release_number]
    return next(iter((*same_number, *same_day)), None)
