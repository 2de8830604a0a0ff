"""What is needed to reconcile one order line: the line as sent, and what the acknowledgment has of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from msgspec import Struct

from plexstedi.edi.inbound.matching import LineMatch
from plexstedi.edi.inbound.outcome import AckState, EarlierOutcome
from plexstedi.edi.inbound.reading.stated import StatedDate
from plexstedi.edi.sent import SentLine, SentSchedule
from plexstedi.edi.settings import SupplierSettings


class LineCase(Struct, frozen=True):
    """Input for reconciling one line."""

    sent: SentLine
    matches: tuple[LineMatch, ...]
    """Lines of the acknowledgment matched to it."""
    received: Decimal
    """In the unit sent."""
    open: Decimal
    """Ordered less received."""
    open_releases: Sequence[SentSchedule]
    """The releases as sent, less what is received."""
    heading: tuple[StatedDate, ...]
    settings: SupplierSettings
    listed: bool = True
    """False: the acknowledgment omits the line; it is accepted as ordered."""
    missing_releases: AckState = AckState.UNACKNOWLEDGED
    """State of omitted releases that were sent as lines: confirmed, rejected or unacknowledged."""
    earlier: Sequence[EarlierOutcome] = ()
    """Earlier outcomes of the line, newest first, if its releases were sent as lines."""
    currency: str | None = None
    """Currency of the order as sent."""
    ordered_on: date | None = None
    """Order date, else the day of creation in Plex: an earlier promised date is implausible."""

    @property
    def release_ids(self) -> tuple[str, ...]:
        """Plex ids of the releases as sent that are not yet received."""
        return tuple([schedule.release_id for schedule in self.open_releases])

    @property
    def code(self) -> str | None:
        """ACK01 codes of the line, as received, joined by `+`."""
        codes = dict.fromkeys([d.code for m in self.matches for d in m.acknowledged.details if d.code])
        return "+".join(codes) or None

    @property
    def words(self) -> tuple[str, ...]:
        """Free text of the supplier for the line."""
        text: list[str] = []
        for match in self.matches:
            text += [detail.industry_code for detail in match.acknowledged.details if detail.industry_code]
            text += match.acknowledged.words
        return tuple(dict.fromkeys(text)) if text else ()
