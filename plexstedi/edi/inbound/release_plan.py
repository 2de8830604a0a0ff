"""What is to stand in an order's releases (strategy `releases`): our token in the note, by opt-in date and quantity.

A release holds one quantity and one due date, and they are our demand, not the supplier's promise. So only what a
release can hold faithfully goes there; all else stands in the note, and where it was asked for, a person is told.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, localcontext

from plexstedi.edi.held import Reason
from plexstedi.edi.inbound.outcome import ConfirmedSchedule, LineOutcome
from plexstedi.edi.inbound.precedence import AnswerHeader, LineStanding
from plexstedi.edi.inbound.write_plan import EXACT, ReleaseField, WriteEntry, WritePlan, plex_factor, why_of
from plexstedi.edi.order import Line, LineState, Order, Release, ReleaseState
from plexstedi.edi.sent import SentOrder, SentSchedule
from plexstedi.edi.settings import SupplierSettings
from plexstedi.edi.units import exact_quotient, total_of

_PLACES = 10
_BY_HAND = "enter it in Plex by hand"


@dataclass(slots=True)
class _Draft:
    values: Collection[ReleaseField]
    entries: list[WriteEntry] = field(default_factory=list)
    withheld: list[Reason] = field(default_factory=list)

    def withhold(self, code: str, where: str, message: str, fix: str = _BY_HAND) -> None:
        self.withheld.append(Reason(code=code, where=where, message=message, fix=fix))


@dataclass(frozen=True, slots=True)
class _Place:
    """One release with what the supplier says of it, quantities in Plex's unit."""

    line: Line
    release: Release
    parts: tuple[ConfirmedSchedule, ...]
    asked_quantity: Decimal | None
    asked_due: date | None
    why: str

    @property
    def where(self) -> str:
        return f"line {self.line.number} release {self.release.number}"

    @property
    def unit(self) -> str:
        return self.line.order_unit or self.line.unit or ""


def plan_release_writes(
    order: Order,
    outcomes: Mapping[int, LineStanding],
    sent: SentOrder,
    values: Collection[ReleaseField],
    settings: SupplierSettings,
) -> WritePlan:
    """What is to stand in the releases of this order after all answers (`precedence.fold` gives `outcomes`).

    `sent` is what the supplier was told last: only a date or quantity that Plex still holds as asked for is replaced.
    A release that is received, cancelled or no longer there is left alone, as is one of a line that is held. The due
    date is a promised delivery date, never a ship date. Of a line of which something was received only the note is
    written (RULES Reading 14). What `values` lists and a release cannot hold is in `withheld`.
    """
    draft = _Draft(values)
    with localcontext(EXACT):
        for number, standing in sorted(outcomes.items()):
            if standing.applied is None or standing.applied_from is None:
                continue
            line = next((line for line in order.lines if line.id == standing.applied.line_id), None)
            if line is None:
                if standing.applied.confirmed > 0:
                    draft.withhold("line-gone", f"line {number}", "the line is no longer in Plex", "decide in Plex")
            elif line.state is LineState.OPEN:
                _plan_line(draft, line, standing.applied, standing.applied_from, sent, settings)
    return WritePlan(
        order_id=order.id,
        order_number=order.number,
        entries=tuple(draft.entries),
        withheld=tuple(draft.withheld),
    )


def _plan_line(
    draft: _Draft,
    line: Line,
    outcome: LineOutcome,
    header: AnswerHeader,
    sent: SentOrder,
    settings: SupplierSettings,
) -> None:
    where = f"line {line.number}"
    factor = plex_factor(line, outcome, settings)
    if factor is None:
        draft.withhold(
            "unit-unknown",
            where,
            f"confirmed in {outcome.unit}, which the Plex unit {line.order_unit or line.unit} is not mapped to",
            "set `units` of this supplier as it was when the order was sent",
        )
        return
    if not outcome.release_ids and outcome.confirmed > 0:
        draft.withhold("no-release", where, f"{why_of(outcome)}; the line was sent without releases")
    sent_line = sent.line(line.number)
    asked = {} if sent_line is None else {schedule.release_id: schedule for schedule in sent_line.schedules}
    # What a blanket line orders beyond its releases is of none of them, and confirmed it counts for the last one.
    beyond_releases = sent_line is not None and sent_line.quantity > total_of(*(s.quantity for s in asked.values()))
    for release_id in outcome.release_ids:
        release = next((each for each in line.releases if each.id == release_id), None)
        if release is None or release.state is not ReleaseState.FIRM:
            continue
        own = [part for part in outcome.schedules if part.release_id == release_id]
        if beyond_releases and release_id in asked:
            own = _within(own, asked[release_id].quantity)
        place = _place(line, release, own, asked.get(release_id), factor, why_of(outcome))
        if place is None:
            shown = total_of(*(part.quantity for part in own))
            message = f"{shown:f} {outcome.unit} are no exact number of {line.order_unit or line.unit}"
            draft.withhold("quantity-inexact", f"{where} release {release.number}", message)
            continue
        note = f"{outcome.code or header.type_code}: {_promise(place)}; stedi:{header.transaction_id}"
        _add(draft, place, ReleaseField.NOTE, note, None)
        if outcome.open == outcome.ordered:
            _plan_demand(draft, place)


def _within(parts: Sequence[ConfirmedSchedule], asked: Decimal) -> list[ConfirmedSchedule]:
    """The parts as far as they serve what was asked for, those with dates before those without."""
    left, kept = asked, []
    for part in sorted(parts, key=lambda each: each.ship_date is None and each.delivery_date is None):
        quantity = min(left, part.quantity)
        left -= quantity
        if quantity > 0:
            kept.append(part.model_copy(update={"quantity": quantity}))
    return kept


def _place(
    line: Line,
    release: Release,
    own: Sequence[ConfirmedSchedule],
    asked: SentSchedule | None,
    factor: Decimal,
    why: str,
) -> _Place | None:
    """Quantities brought into Plex's unit; None if the factor does not divide one of them exactly."""
    parts = []
    for part in own:
        quantity = exact_quotient(part.quantity, factor, _PLACES)
        if quantity is None:
            return None
        if quantity > 0:
            parts.append(part.model_copy(update={"quantity": quantity}))
    asked_quantity = None if asked is None else exact_quotient(asked.quantity, factor, _PLACES)
    return _Place(line, release, tuple(parts), asked_quantity, None if asked is None else asked.due, why)


def _promise(place: _Place) -> str:
    """`60 Ea confirmed, delivery 2026-12-10; 40 Ea backordered, ship 2026-12-28`."""
    sums: dict[tuple[bool, date | None, date | None], Decimal] = {}
    for part in place.parts:
        key = (part.backordered, part.ship_date, part.delivery_date)
        sums[key] = sums.get(key, Decimal(0)) + part.quantity
    said = []
    for (backordered, ship, delivery), quantity in sums.items():
        words = f"{quantity:f} {place.unit} {'backordered' if backordered else 'confirmed'}"
        words += f", ship {ship.isoformat()}" if ship is not None else ""
        words += f", delivery {delivery.isoformat()}" if delivery is not None else ""
        said.append(words)
    return "; ".join(said) or f"0 {place.unit} confirmed"


def _plan_demand(draft: _Draft, place: _Place) -> None:
    """The release's own quantity and due date, as far as `values` lists them and a release can hold them."""
    total = total_of(*(part.quantity for part in place.parts))
    if total == 0:
        if set(draft.values) - {ReleaseField.NOTE}:
            draft.withhold("quantity-zero", place.where, "nothing of it is confirmed", "cancel the release in Plex")
        return
    if ReleaseField.QUANTITY in draft.values:
        # What is backordered is still to come: without it the demand for it would be lost.
        asked = place.asked_quantity
        _add(draft, place, ReleaseField.QUANTITY, f"{total:f}", None if asked is None else f"{asked:f}")
    if ReleaseField.DUE_DATE not in draft.values:
        return
    days = {part.delivery_date for part in place.parts}
    if len(days) > 1:
        message = f"it is promised in parts, and a release has one due date: {_promise(place)}"
        draft.withhold("release-in-parts", place.where, message, "split the release in Plex, or keep its due date")
        return
    (day,) = days
    if day is not None:
        asked_due = place.asked_due
        _add(
            draft,
            place,
            ReleaseField.DUE_DATE,
            day.isoformat(),
            None if asked_due is None else asked_due.isoformat(),
        )


def _add(draft: _Draft, place: _Place, kind: ReleaseField, value: str, asked: str | None) -> None:
    if kind not in draft.values:
        return
    draft.entries.append(
        WriteEntry(
            level="release",
            record_id=place.release.id,
            line=place.line.number,
            release_number=place.release.number,
            field=kind.value,
            kind=kind,
            value=value,
            asked=asked,
            why=place.why,
        )
    )
