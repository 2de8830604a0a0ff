"""The supplier's view of an order: the content of a document, independent of segments (made by `build_view`)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from plexstedi.edi.guide.need import Facts
from plexstedi.edi.outbound.text import UnfitText
from plexstedi.edi.reasons import Dropped
from plexstedi.edi.sent import SentLine, SentOrder, SentSchedule
from plexstedi.edi.settings import ScheduleAs, Terms
from plexstedi.edi.units import total_of

OrderKind = Literal["standard", "blanket", "release"]


class ReleaseView(Struct, frozen=True):
    """One firm release; quantities in the line's X12 unit."""

    id: str
    number: int
    name: str
    """`10-1`."""
    quantity: Decimal
    due: date | None
    ship_to: str | None
    """Plex ship-to name if it differs from that of the order."""
    note: str | None
    received: bool
    """Received according to Plex."""


class LineView(Struct, frozen=True):
    """One ordered line."""

    id: str
    number: int
    quantity: Decimal
    unit: str
    plex_unit: str
    """Plex name of the unit ordered."""
    factor: Decimal
    """Number of X12 units in one Plex unit."""
    price: Decimal
    price_basis: str | None
    amount: Decimal | None
    """Quantity times price; None if not exact or if price and quantity have different units."""
    items: tuple[tuple[str, str], ...]
    """Item numbers as (element 235 qualifier, number)."""
    description: str | None
    description_counts: bool
    """Whether a new description is a change; not for a part, whose description is master data."""
    note: str | None
    releases: tuple[ReleaseView, ...]

    def dues(self) -> tuple[date, ...]:
        """Distinct due dates, earliest first."""
        return tuple(sorted({r.due for r in self.releases if r.due is not None}))


class OrderView(Struct, frozen=True):
    """The whole order as the supplier has it after the document."""

    number: str
    release: str | None
    kind: OrderKind
    order_date: date
    currency: str | None
    freight: str | None
    """FOB01."""
    terms: Terms | None
    routing: str | None
    ship_to: str | None
    """Plex ship-to name."""
    due: date | None
    note: str | None
    lines: tuple[LineView, ...]
    schedule: ScheduleAs
    dropped: tuple[Dropped, ...]
    adjusted: tuple[str, ...]
    facts: Facts = field(default_factory=Facts)
    """Plex names, used in the fixes of held documents."""
    unfit_texts: tuple[UnfitText, ...] = ()
    """Texts that X12 cannot carry; they hold the document if they are sent."""

    def total(self) -> Decimal | None:
        """Amount of all lines; None if the amount of a line is not known exactly."""
        amounts = [line.amount for line in self.lines]
        known = [amount for amount in amounts if amount is not None]
        return total_of(*known) if len(known) == len(amounts) else None


def sent_order(view: OrderView, removed: Iterable[LineView] = ()) -> SentOrder:
    """The order as sent, stored with the document. Removed lines stay at quantity zero, to match acknowledgments."""
    lines = [_sent_line(line, view.schedule) for line in view.lines]
    for line in removed:
        gone = _sent_line(line, view.schedule)
        lines.append(replace(gone, quantity=Decimal(0), schedules=()))
    return SentOrder(
        number=view.number,
        release=view.release,
        currency=view.currency,
        lines=tuple(sorted(lines, key=lambda ln: ln.line)),
    )


def _sent_line(line: LineView, schedule: ScheduleAs) -> SentLine:
    singly = schedule is ScheduleAs.LINES and bool(line.releases)
    return SentLine(
        line_id=line.id,
        line=line.number,
        quantity=line.quantity,
        unit=line.unit,
        price=line.price,
        price_basis=line.price_basis,
        items=dict(line.items),
        schedules=tuple(
            SentSchedule(
                release_id=r.id,
                release_number=r.number,
                assigned_id=r.name if singly else None,
                quantity=r.quantity,
                due=r.due,
            )
            for r in line.releases
        ),
    )


class DocumentLine(Struct, frozen=True):
    """One PO1 or POC: its id and its part of the order line."""

    id: str
    """PO101 / POC01: Plex line number, or line and release (RULES.md Sending 8)."""
    line: LineView
    quantity: Decimal
    releases: tuple[ReleaseView, ...]
    note: str | None
    ship_to: str | None

    def due(self) -> date | None:
        """The due date if it is the same for all releases, else None."""
        dues = {release.due for release in self.releases}
        return next(iter(dues)) if len(dues) == 1 else None


def document_lines(view: OrderView) -> tuple[DocumentLine, ...]:
    """Every line of a document of the whole order, by Plex line number."""
    return tuple(document for line in view.lines for document in _of_line(line, view.schedule))


def _of_line(line: LineView, schedule: ScheduleAs) -> Iterable[DocumentLine]:
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
