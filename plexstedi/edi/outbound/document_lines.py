"""The lines of a document: one per order line, or one per release where releases are said as lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from plexstedi.edi.outbound.view import SeenLine, SeenOrder, SeenRelease
from plexstedi.edi.settings import ScheduleAs


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One PO1 or POC: its id, and what of the order line it says."""

    id: str
    """PO101 / POC01: the Plex line number, or line and release (RULES.md Sending 8)."""
    line: SeenLine
    quantity: Decimal
    releases: tuple[SeenRelease, ...]
    note: str | None
    ship_to: str | None

    def due(self) -> date | None:
        """The due date, if all releases have the same."""
        dues = {release.due for release in self.releases}
        return next(iter(dues)) if len(dues) == 1 else None


def document_lines(seen: SeenOrder) -> tuple[DocumentLine, ...]:
    """Every line of a document that says the whole order, in the order of Plex's numbers."""
    return tuple(document for line in seen.lines for document in _of_line(line, seen.schedule))


def _of_line(line: SeenLine, schedule: ScheduleAs) -> Iterable[DocumentLine]:
    if schedule is ScheduleAs.LINES and line.releases:
        for release in line.releases:
            note = _joined([line.note, release.note])
            yield DocumentLine(release.name, line, release.quantity, (release,), note, release.ship_to)
        return
    note = _joined([line.note, *(release.note for release in line.releases)])
    ship_to = line.releases[0].ship_to if line.releases else None
    yield DocumentLine(str(line.number), line, line.quantity, line.releases, note, ship_to)


def _joined(notes: Iterable[str | None]) -> str | None:
    return " ".join(dict.fromkeys(note for note in notes if note)) or None
