"""The order as sent: in the units, ids and prices of the document.

Stored with each document, so that an acknowledgment is compared with the document and not with today's settings.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from msgspec import field

from plexstedi.edi.model import Frozen


class SentSchedule(Frozen, frozen=True, kw_only=True):
    """One release as sent."""

    release_id: str
    release_number: int
    assigned_id: str | None = None
    """PO101 if each release is a line of the document (`10-1`), else None."""
    quantity: Decimal
    """In the line's X12 unit."""
    due: date | None


class SentLine(Frozen, frozen=True, kw_only=True):
    """One order line as sent."""

    line_id: str
    """Plex line id."""
    line: int
    """Plex line number: PO101, unless each release is a line of the document."""
    quantity: Decimal
    """In `unit`: sum of the firm releases, or the blanket quantity."""
    unit: str
    """X12 unit of measure (element 355)."""
    price: Decimal
    """As sent in PO104, per `price_basis`."""
    price_basis: str | None = None
    """PO105 as sent; None: per unit."""
    items: dict[str, str] = field(default_factory=dict)
    """Item numbers as sent by qualifier (element 235): {"BP": "82695", "VP": "AB-7816"}."""
    schedules: tuple[SentSchedule, ...] = ()


class SentOrder(Frozen, frozen=True, kw_only=True):
    """The order as the supplier has it after one document."""

    number: str
    release: str | None = None
    """BEG04, if a release is sent as an order of its own."""
    currency: str | None = None
    """CUR02, currency of the prices; None if Plex has none, and in documents stored before this field existed."""
    lines: tuple[SentLine, ...]

    def line(self, number: int) -> SentLine | None:
        """The line with this Plex line number, None if it was not sent."""
        return next((ln for ln in self.lines if ln.line == number), None)
