"""What an answer means for each line of an order: the result of reconciling, stored and shown."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from pydantic import model_validator

from plexstedi.edi.order import Frozen
from plexstedi.edi.reasons import Reason


class AckState(StrEnum):
    """State of a line (RULES.md Reading 1)."""

    CONFIRMED = "confirmed"
    """Every compared value is equal."""
    CHANGED = "changed"
    """Differs, and is applied: inside its tolerance, or outside where the setting only warns."""
    BACKORDERED = "backordered"
    REJECTED = "rejected"
    """Nothing is written before a person accepts it."""
    HELD = "held"
    """Nothing is written before a person decides."""
    UNACKNOWLEDGED = "unacknowledged"


_WORST_FIRST = (
    AckState.HELD,
    AckState.REJECTED,
    AckState.BACKORDERED,
    AckState.UNACKNOWLEDGED,
    AckState.CHANGED,
    AckState.CONFIRMED,
)


def worst_state(states: Iterable[AckState]) -> AckState:
    """The state that needs a person most; `unacknowledged` if there is none."""
    found = set(states)
    return next((state for state in _WORST_FIRST if state in found), AckState.UNACKNOWLEDGED)


class ConfirmedSchedule(Frozen):
    """A part of a line with one pair of dates, laid against the release that it serves."""

    quantity: Decimal
    """In the unit sent."""
    backordered: bool = False
    ship_date: date | None = None
    ship_qualifier: str | None = None
    """X12 element 374 as the supplier sent it."""
    delivery_date: date | None = None
    delivery_qualifier: str | None = None
    release_id: str | None = None
    """Plex's id of the release; None if the line was sent without schedules."""
    release_number: int | None = None
    due: date | None = None
    """What we asked for."""


class LineOutcome(Frozen):
    """What one answer says of one line. All quantities are in `unit`, the unit sent.

    Always: confirmed + backordered + rejected + variance == open (== ordered as long as nothing was received).
    """

    line: int
    """Plex's line number."""
    line_id: str
    state: AckState
    ordered: Decimal
    open: Decimal
    """Ordered less received, not below zero: what the answer is about (RULES.md Reading 14)."""
    unit: str
    confirmed: Decimal
    backordered: Decimal
    rejected: Decimal
    variance: Decimal
    """What the answer does not account for; negative when the supplier confirms more."""
    schedules: tuple[ConfirmedSchedule, ...] = ()
    release_ids: tuple[str, ...] = ()
    """Plex's ids of the releases that were sent and are not received yet: those that the answer speaks of."""
    code: str | None = None
    """ACK01 codes as sent, joined by `+` (`IA+IB`); None if the line is answered by the document as a whole."""
    price: Decimal | None = None
    """As answered, per unit sent; compared, never written."""
    price_sent: Decimal | None = None
    """As sent, per unit; None where it is no finite decimal."""
    reasons: tuple[Reason, ...] = ()
    """Why it is held, or why a person should look."""
    attention: bool = False
    notes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    """What the supplier says of it in its own words (ACK29, NTE, MSG, MTX, REF03), as sent."""
    listed: bool = True
    """False: the answer does not name this line, its state follows from a setting. Never undoes a listed one."""
    whole: bool = False
    """The answer names no line at all: it speaks of every line as it was ordered."""
    date_pending: bool = False
    """SP: the supplier still owes the date."""
    if_accepted: AckState | None = None
    """For `held`: the state it takes when a person accepts it; None: there is nothing definite to accept."""
    accepted: bool = False
    """A person has accepted it (`review accept`)."""
    knows: int | None = None
    """The document of ours up to which it speaks, where it may know of later ones than the answer as a whole."""

    @model_validator(mode="after")
    def _parts_sum(self) -> LineOutcome:
        parts = (self.confirmed, self.backordered, self.rejected, self.variance)
        if sum(map(Fraction, parts)) != Fraction(self.open):
            raise ValueError(f"line {self.line}: the parts do not sum to {self.open}")
        return self

    @property
    def applies(self) -> bool:
        """Whether it may be written to Plex."""
        if self.state in (AckState.CONFIRMED, AckState.CHANGED, AckState.BACKORDERED):
            return True
        return self.state is AckState.REJECTED and self.accepted

    @property
    def ship_date(self) -> date | None:
        """The last ship date of the schedules."""
        return max((s.ship_date for s in self.schedules if s.ship_date is not None), default=None)

    @property
    def delivery_date(self) -> date | None:
        """The last delivery date of the schedules."""
        return max((s.delivery_date for s in self.schedules if s.delivery_date is not None), default=None)


def accept(outcome: LineOutcome) -> LineOutcome:
    """The outcome after a person accepted it: applied as stated.

    Raise ValueError if there is nothing definite to accept (a BP without `bp_quantity`, an unreadable line): then a
    setting has to be made and the answer processed again.
    """
    if outcome.state is AckState.HELD:
        if outcome.if_accepted is None:
            raise ValueError(f"line {outcome.line}: the acknowledgment states nothing definite to accept")
        return outcome.model_copy(update={"state": outcome.if_accepted, "accepted": True, "attention": False})
    return outcome.model_copy(update={"accepted": True, "attention": False})


class Notice(Frozen):
    """Segments of one kind that are there and not understood: a person sees them, nothing is held."""

    segment: str
    """Its id: `SAC`."""
    reasons: tuple[Reason, ...]


class UnmatchedLine(Frozen):
    """A line of the answer that is no single line of the order: added by the supplier, or ambiguous. Held."""

    place: str
    assigned_id: str | None
    candidates: tuple[int, ...] = ()
    """Order lines that it could mean; they are held too."""
    reason: Reason


class Reconciliation(Frozen):
    """What one answer means for one order."""

    set_id: str
    order_number: str
    """As the supplier wrote it."""
    type_code: str
    supplier_reference: str | None = None
    rejected: bool = False
    """The whole order is rejected (RD, RF, RJ, RN, RV)."""
    holds: tuple[Reason, ...] = ()
    """What holds the whole document."""
    lines: tuple[LineOutcome, ...] = ()
    """In the order of their numbers. Lines that this answer leaves as they are, are not among them."""
    untouched: tuple[int, ...] = ()
    """Lines that an 860 sent later than what this answers has changed (RULES.md Reading 13)."""
    unmatched: tuple[UnmatchedLine, ...] = ()
    earlier: tuple[LineOutcome, ...] = ()
    """What it says of `untouched` lines as they were before: never applied, compared with what counts."""
    notices: tuple[Notice, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def state(self) -> AckState:
        """The worst state of all lines; held if the document or an added line is."""
        held = (AckState.HELD,) if self.holds or self.unmatched else ()
        return worst_state((*held, *(line.state for line in self.lines)))

    @property
    def attention(self) -> bool:
        """Whether a person should look."""
        return bool(self.holds or self.unmatched) or any(line.attention for line in self.lines)
