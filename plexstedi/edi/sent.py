"""What a supplier was told: an order in the units, ids and prices of the document that carried it.

Stored with each document, so that an answer is compared with what was sent and not with today's settings.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import Field

from plexstedi.edi.order import Frozen


class SentSchedule(Frozen):
    """One release as sent."""

    release_id: str
    release_number: int
    assigned_id: str | None = None
    """PO101 of its own where each release is a line of the document (`10-1`), else None."""
    quantity: Decimal
    """In the line's X12 unit."""
    due: date | None


class SentLine(Frozen):
    """One order line as sent."""

    line_id: str
    """Plex's id of the line."""
    line: int
    """Plex's line number: PO101, unless each release is a line of the document."""
    quantity: Decimal
    """In `unit`: the sum of the firm releases, or the blanket quantity."""
    unit: str
    """X12 unit of measure (element 355)."""
    price: Decimal
    """As sent in PO104, per `price_basis`."""
    price_basis: str | None = None
    """PO105 as sent; None: per unit."""
    items: dict[str, str] = Field(default_factory=dict)
    """Item numbers as sent by qualifier (element 235): {"BP": "82695", "VP": "AB-7816"}."""
    schedules: tuple[SentSchedule, ...] = ()


class SentOrder(Frozen):
    """An order as its supplier knows it after one document."""

    number: str
    release: str | None = None
    """BEG04, where a release is sent as an order of its own."""
    currency: str | None = None
    """CUR02: that of the prices; None where Plex has none, and in documents of before it was kept here."""
    lines: tuple[SentLine, ...]

    def line(self, number: int) -> SentLine | None:
        """The line of this Plex line number, if it was sent."""
        return next((ln for ln in self.lines if ln.line == number), None)
