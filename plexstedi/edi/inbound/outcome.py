"""Outcome of an acknowledgment per order line: the stored result of reconciliation."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Context, Decimal
from enum import StrEnum
from typing import TypeAlias

from msgspec.structs import replace

from plexstedi.edi.model import Frozen
from plexstedi.edi.reasons import Reason
from plexstedi.edi.sent import SentLine

_EXACT = Context(prec=1000)
"""Sums are exact in this context: no product of a plain number and configured factors has as many digits."""

CHANGED_IN_PLEX = "changed-in-plex"
"""Reason code of a line with a change in Plex that is not sent."""
SELLER_CHANGE = "seller-change"
"""Reason code of a change that the supplier requests on its own."""


class AckState(StrEnum):
    """State of a line (RULES.md Reading 1)."""

    CONFIRMED = "confirmed"
    """All compared values are equal."""
    CHANGED = "changed"
    """Differs and is applied: inside the tolerance, or outside it if the setting only warns."""
    BACKORDERED = "backordered"
    REJECTED = "rejected"
    """Nothing is written until a review accepts it."""
    HELD = "held"
    """Nothing is written until a review decides it."""
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
    """The most severe state; `unacknowledged` if there is none."""
    found = set(states)
    return next((state for state in _WORST_FIRST if state in found), AckState.UNACKNOWLEDGED)


class ConfirmedSchedule(Frozen, frozen=True, kw_only=True):
    """A part of a line with its dates, allocated to a release."""

    quantity: Decimal
    """In the unit sent."""
    backordered: bool = False
    ship_date: date | None = None
    ship_qualifier: str | None = None
    """X12 element 374 as the supplier sent it."""
    delivery_date: date | None = None
    delivery_qualifier: str | None = None
    release_id: str | None = None
    """Plex release id; None if the line was sent without schedules."""
    release_number: int | None = None
    due: date | None = None
    """Due date as ordered."""


class ReleaseOutcome(Frozen, frozen=True, kw_only=True):
    """What is acknowledged of one release that was sent as a line of the document; in the unit sent."""

    assigned_id: str
    """PO101 of the release: `10-1`."""
    release_id: str
    """Plex release id; its dates are in the schedules with this id."""
    open: Decimal
    """Ordered less received, when it was acknowledged."""
    confirmed: Decimal
    backordered: Decimal
    rejected: Decimal
    listed: bool = True
    """False: it is omitted, and as an earlier acknowledgment has it."""
    held: Reason | None = None
    """Why the earlier acknowledgment is held."""


class LineOutcome(Frozen, frozen=True, kw_only=True):
    """Outcome of one acknowledgment for one line. All quantities are in `unit`, the unit sent.

    Invariant: confirmed + backordered + rejected + variance == open (== ordered while nothing is received).
    """

    line: int
    """Plex line number."""
    line_id: str
    state: AckState
    ordered: Decimal
    open: Decimal
    """Ordered less received, not below zero: the quantity to acknowledge (RULES.md Reading 14)."""
    unit: str
    confirmed: Decimal
    backordered: Decimal
    rejected: Decimal
    variance: Decimal
    """Quantity not accounted for by the acknowledgment; negative if the supplier confirms more."""
    schedules: tuple[ConfirmedSchedule, ...] = ()
    releases: tuple[ReleaseOutcome, ...] = ()
    """The acknowledged releases, if each was sent as a line: by this acknowledgment or an earlier one."""
    unread_releases: tuple[str, ...] = ()
    """PO101 of the releases that it lists, if their quantities could not be read; there are no `releases` then."""
    release_ids: tuple[str, ...] = ()
    """Plex ids of the releases that were sent and are not yet received."""
    code: str | None = None
    """ACK01 codes as received, joined by `+` (`IA+IB`); None if the outcome follows from the document as a whole."""
    price: Decimal | None = None
    """Acknowledged price per unit sent; compared, never written to Plex."""
    price_sent: Decimal | None = None
    """Price as sent, per unit; None if it has no finite decimal form."""
    reasons: tuple[Reason, ...] = ()
    """Reasons for the hold or for attention."""
    attention: bool = False
    notes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    """Free text of the supplier for the line (ACK29, NTE, MSG, MTX, REF03), as received."""
    listed: bool = True
    """False: the acknowledgment omits the line, its state follows from a setting. Never replaces a listed outcome."""
    whole: bool = False
    """The acknowledgment has no lines and applies to every line as ordered."""
    date_pending: bool = False
    """SP: the supplier will send the date later."""
    if_accepted: AckState | None = None
    """For `held`: the state after acceptance in a review; None if there is nothing definite to accept."""
    accepted: bool = False
    """Accepted in a review (`review accept`)."""
    knows: int | None = None
    """Position of the last document that this line acknowledges, if later than that of the whole acknowledgment."""

    def __post_init__(self) -> None:
        add = _EXACT.add
        if add(add(self.confirmed, self.backordered), add(self.rejected, self.variance)) != self.open:
            raise ValueError(f"line {self.line}: the parts do not sum to {self.open}")

    @property
    def applies(self) -> bool:
        """Whether it may be written to Plex."""
        if self.state in (AckState.CONFIRMED, AckState.CHANGED, AckState.BACKORDERED):
            return True
        return self.state is AckState.REJECTED and self.accepted

    @property
    def ship_date(self) -> date | None:
        """Latest ship date of the schedules."""
        return max((s.ship_date for s in self.schedules if s.ship_date is not None), default=None)

    @property
    def delivery_date(self) -> date | None:
        """Latest delivery date of the schedules."""
        return max((s.delivery_date for s in self.schedules if s.delivery_date is not None), default=None)


EarlierOutcome: TypeAlias = tuple[SentLine, LineOutcome]
"""An outcome of an earlier acknowledgment, with the line as in the document that it acknowledges."""


def accept(outcome: LineOutcome) -> LineOutcome:
    """The outcome after acceptance in a review: applied as stated.

    Raise ValueError if there is nothing definite to accept (a BP without `bp_quantity`, an unreadable line): this
    needs a setting and a replay of the acknowledgment.
    """
    if outcome.state is AckState.HELD:
        if outcome.if_accepted is None:
            raise ValueError(f"line {outcome.line}: the acknowledgment states nothing definite to accept")
        return replace(outcome, state=outcome.if_accepted, accepted=True, attention=False)
    return replace(outcome, accepted=True, attention=False)


class Notice(Frozen, frozen=True, kw_only=True):
    """Segments of one type that are not interpreted: a review item without a hold."""

    segment: str
    """Segment id: `SAC`."""
    reasons: tuple[Reason, ...]


class UnmatchedLine(Frozen, frozen=True, kw_only=True):
    """A line of the acknowledgment without a unique order line: added by the supplier, or ambiguous. Held."""

    place: str
    assigned_id: str | None
    candidates: tuple[int, ...] = ()
    """Order lines that it may refer to; they are held as well."""
    reason: Reason


class Reconciliation(Frozen, frozen=True, kw_only=True):
    """Result of one acknowledgment for one order."""

    set_id: str
    order_number: str
    """Order number as the supplier wrote it."""
    type_code: str
    supplier_reference: str | None = None
    rejected: bool = False
    """The whole order is rejected (RD, RF, RJ, RN, RV)."""
    holds: tuple[Reason, ...] = ()
    """Reasons that hold the whole document."""
    lines: tuple[LineOutcome, ...] = ()
    """By line number, without lines that this acknowledgment does not change."""
    untouched: tuple[int, ...] = ()
    """Lines changed by an 860 that was sent after the acknowledged document (RULES.md Reading 13)."""
    unmatched: tuple[UnmatchedLine, ...] = ()
    earlier: tuple[LineOutcome, ...] = ()
    """Outcomes of `untouched` lines as they were before: never applied, compared with the current state."""
    notices: tuple[Notice, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def state(self) -> AckState:
        """The worst state of all lines; held if the document or an added line is."""
        held = (AckState.HELD,) if self.holds or self.unmatched else ()
        return worst_state((*held, *(line.state for line in self.lines)))

    @property
    def attention(self) -> bool:
        """Whether it needs attention."""
        return bool(self.holds or self.unmatched) or any(line.attention for line in self.lines)
