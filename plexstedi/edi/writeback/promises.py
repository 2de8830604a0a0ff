"""Promises of a supplier per release of an order, in the Plex unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, localcontext

from msgspec import Struct
from msgspec.structs import replace

from plexstedi.edi.inbound.outcome import ConfirmedSchedule, LineOutcome
from plexstedi.edi.inbound.precedence import AcknowledgmentHeader, LineAckStatus
from plexstedi.edi.order import Line, LineState, Order, Release, ReleaseState
from plexstedi.edi.reasons import Reason
from plexstedi.edi.sent import SentLine, SentOrder, SentSchedule
from plexstedi.edi.settings import SupplierSettings
from plexstedi.edi.units import exact_quotient, total_of
from plexstedi.edi.writeback.custom_fields import EXACT, outcome_summary, plex_factor

_PLACES = 10
BY_HAND = "enter it in Plex by hand"


class ReleasePromise(Struct, frozen=True):
    """One release with its promised parts; quantities in the Plex unit."""

    line: Line
    release: Release
    parts: tuple[ConfirmedSchedule, ...]
    asked_quantity: Decimal | None
    asked_due: date | None
    outcome: LineOutcome
    """Outcome of the whole line, in the unit sent."""
    header: AcknowledgmentHeader
    """Header of the acknowledgment that applies to the line."""

    @property
    def where(self) -> str:
        """Line and release, for display."""
        return f"line {self.line.number} release {self.release.number}"

    @property
    def unit(self) -> str:
        """The Plex unit."""
        return self.line.order_unit or self.line.unit or ""

    @property
    def why(self) -> str:
        """Summary of the line outcome."""
        return outcome_summary(self.outcome)

    @property
    def code(self) -> str:
        """Acknowledgment code: ACK01, else BAK02."""
        return self.outcome.code or self.header.type_code

    @property
    def reference(self) -> str:
        """External reference of the acknowledgment."""
        return f"stedi:{self.header.transaction_id}"

    @property
    def confirmed(self) -> Decimal:
        """Confirmed quantity, without backorders."""
        return total_of(*(part.quantity for part in self.parts if not part.backordered))

    @property
    def total(self) -> Decimal:
        """Confirmed and backordered quantity."""
        return total_of(*(part.quantity for part in self.parts))

    def last(self, of_ship: bool) -> date | None:
        """Latest ship (`of_ship`) or delivery date of the confirmed part; of the backorder if nothing is confirmed."""
        dated = [part for part in self.parts if not part.backordered] or list(self.parts)
        days = [part.ship_date if of_ship else part.delivery_date for part in dated]
        return max((day for day in days if day is not None), default=None)

    def in_words(self) -> str:
        """`60 Ea confirmed, delivery 2026-12-10; 40 Ea backordered, ship 2026-12-28`."""
        sums: dict[tuple[bool, date | None, date | None], Decimal] = {}
        for part in self.parts:
            key = (part.backordered, part.ship_date, part.delivery_date)
            sums[key] = sums.get(key, Decimal(0)) + part.quantity
        parts = []
        for (backordered, ship, delivery), quantity in sums.items():
            words = f"{quantity:f} {self.unit} {'backordered' if backordered else 'confirmed'}"
            words += f", ship {ship.isoformat()}" if ship is not None else ""
            words += f", delivery {delivery.isoformat()}" if delivery is not None else ""
            parts.append(words)
        return "; ".join(parts) or f"0 {self.unit} confirmed"

    def note(self) -> str:
        """Code, promise and reference on one line."""
        return f"{self.code}: {self.in_words()}; {self.reference}"


def release_promises(
    order: Order, outcomes: Mapping[int, LineAckStatus], sent: SentOrder, settings: SupplierSettings
) -> tuple[list[ReleasePromise], list[Reason]]:
    """Promises for each firm release of the open lines, and reasons for what cannot be expressed per release.

    `outcomes` comes from `precedence.fold`; `sent` is the order as last sent. A release that is received, cancelled or
    deleted has no promise, nor has a release of a held line.
    """
    promises: list[ReleasePromise] = []
    withheld: list[Reason] = []
    with localcontext(EXACT):
        for number, status in sorted(outcomes.items()):
            if status.applied is None or status.applied_from is None:
                continue
            line = next((line for line in order.lines if line.id == status.applied.line_id), None)
            if line is None:
                if status.applied.confirmed > 0:
                    withheld.append(_reason("line-gone", f"line {number}", "the line is no longer in Plex", _IN_PLEX))
            elif line.state is LineState.OPEN:
                _of_line(promises, withheld, line, status.applied, status.applied_from, sent, settings)
    return promises, withheld


_IN_PLEX = "decide in Plex"


def _of_line(
    promises: list[ReleasePromise],
    withheld: list[Reason],
    line: Line,
    outcome: LineOutcome,
    header: AcknowledgmentHeader,
    sent: SentOrder,
    settings: SupplierSettings,
) -> None:
    where = f"line {line.number}"
    factor = plex_factor(line, outcome, settings)
    if factor is None:
        message = f"confirmed in {outcome.unit}, which is not mapped to the Plex unit {line.order_unit or line.unit}"
        fix = "set `units` of this supplier as it was when the order was sent"
        withheld.append(_reason("unit-unknown", where, message, fix))
        return
    if not outcome.release_ids and outcome.confirmed > 0:
        message = f"{outcome_summary(outcome)}; the line was sent without releases"
        withheld.append(_reason("no-release", where, message, BY_HAND))
    sent_line = sent.line(line.number)
    asked = {} if sent_line is None else {schedule.release_id: schedule for schedule in sent_line.schedules}
    for release_id in outcome.release_ids:
        release = next((each for each in line.releases if each.id == release_id), None)
        if release is None or release.state is not ReleaseState.FIRM:
            continue
        own = _own_parts(outcome, release_id, sent_line, asked.get(release_id))
        parts = _in_plex_unit(own, factor)
        if parts is None:
            shown = total_of(*(part.quantity for part in own))
            message = f"{shown:f} {outcome.unit} are not a whole number of {line.order_unit or line.unit}"
            withheld.append(_reason("quantity-inexact", f"{where} release {release.number}", message, BY_HAND))
            continue
        wanted = asked.get(release_id)
        promises.append(
            ReleasePromise(
                line=line,
                release=release,
                parts=parts,
                asked_quantity=None if wanted is None else exact_quotient(wanted.quantity, factor, _PLACES),
                asked_due=None if wanted is None else wanted.due,
                outcome=outcome,
                header=header,
            )
        )


def _own_parts(
    outcome: LineOutcome, release_id: str, sent_line: SentLine | None, asked: SentSchedule | None
) -> list[ConfirmedSchedule]:
    """Parts of a release. A blanket quantity beyond the releases belongs to none of them."""
    own = [part for part in outcome.schedules if part.release_id == release_id]
    if sent_line is None or asked is None:
        return own
    if sent_line.quantity > total_of(*(schedule.quantity for schedule in sent_line.schedules)):
        return _within(own, asked.quantity)
    return own


def _within(parts: Sequence[ConfirmedSchedule], asked: Decimal) -> list[ConfirmedSchedule]:
    """Parts up to the ordered quantity, those with dates first."""
    left, kept = asked, []
    for part in sorted(parts, key=lambda each: each.ship_date is None and each.delivery_date is None):
        quantity = min(left, part.quantity)
        left -= quantity
        if quantity > 0:
            kept.append(replace(part, quantity=quantity))
    return kept


def _in_plex_unit(parts: Sequence[ConfirmedSchedule], factor: Decimal) -> tuple[ConfirmedSchedule, ...] | None:
    """The parts in the Plex unit; None if the factor does not divide a quantity exactly."""
    found = []
    for part in parts:
        quantity = exact_quotient(part.quantity, factor, _PLACES)
        if quantity is None:
            return None
        if quantity > 0:
            found.append(replace(part, quantity=quantity))
    return tuple(found)


def _reason(code: str, where: str, message: str, fix: str) -> Reason:
    return Reason(code=code, where=where, message=message, fix=fix)
