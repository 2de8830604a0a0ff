"""Determine by values whether a line acknowledges our 860 or the version before it (RULES.md Reading 13).

Used where dates cannot determine it. Quantity, price, dates, unit and item numbers are compared if the change affected
them and they are stated. Tolerances apply; of two matches the nearer wins. A rejection, values of both or of neither
version, or no values: undecided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import TypeAlias

from msgspec import Struct

from plexstedi.edi.inbound.allocation import allocate, still_open
from plexstedi.edi.inbound.division import ZERO
from plexstedi.edi.inbound.findings import Findings
from plexstedi.edi.inbound.line_case import LineCase
from plexstedi.edi.inbound.line_reading import LineReading, in_sent_unit
from plexstedi.edi.inbound.matching import stated_items
from plexstedi.edi.inbound.pricing import Incomparable, compare_price, stated_prices
from plexstedi.edi.inbound.reading.ack_codes import DELETING_CHANGES, REFUSING_CHANGE, LineMeaning, line_meaning
from plexstedi.edi.inbound.reconcile_line import read_case
from plexstedi.edi.sent import SentLine

CaseOf: TypeAlias = Callable[[SentLine], LineCase]
"""The acknowledged line as a case for one version of it as sent."""
_Distance: TypeAlias = Fraction | None
"""Difference of a value from a version; None: outside the tolerance."""


class MeantVersion(Enum):
    """Version of a line that an acknowledgment refers to."""

    CHANGE = "change"
    """The line as changed."""
    BEFORE = "before"
    """The line as before the change."""
    UNDECIDED = "undecided"


class ValueVerdict(Struct, frozen=True):
    """Acknowledged version; `before` is the line as sent, if it is an earlier version."""

    version: MeantVersion
    why: str = ""
    before: SentLine | None = None


def judge(case_of: CaseOf, asked: SentLine, before: Sequence[SentLine | None]) -> ValueVerdict:
    """Determine which version is acknowledged: `asked` (as changed) or one of `before` (None: the line did not exist).

    A deleted line has quantity zero in `asked`.
    """
    earlier = [line for line in before if line is not None]
    if not earlier:
        # Only an acknowledgment of the change can list a line that the change added.
        return ValueVerdict(MeantVersion.CHANGE)
    if _rejects(case_of(earlier[-1])):
        return ValueVerdict(MeantVersion.UNDECIDED, "a rejection, either of the order or of its change")
    found = [(line, _against(case_of, asked, line)) for line in earlier]
    if any(verdict is MeantVersion.BEFORE for _, verdict in found):
        acknowledged = next(line for line, verdict in reversed(found) if verdict is MeantVersion.BEFORE)
        return ValueVerdict(MeantVersion.BEFORE, before=acknowledged)
    if all(verdict is MeantVersion.CHANGE for _, verdict in found):
        return ValueVerdict(MeantVersion.CHANGE)
    return ValueVerdict(
        MeantVersion.UNDECIDED, "its values clearly match neither the line before the change nor the line after it"
    )


def _rejects(case: LineCase) -> bool:
    own = case.settings.acknowledgments
    codes = [detail.code for match in case.matches for detail in match.acknowledged.details if detail.code != "ID"]
    if any(match.acknowledged.change_code == REFUSING_CHANGE for match in case.matches):
        return True
    return any(line_meaning(code, own) is LineMeaning.REJECTED for code in codes)


def _against(case_of: CaseOf, asked: SentLine, before: SentLine) -> MeantVersion:
    if asked.quantity == 0:
        return _deletion(case_of(before))
    verdicts = set(_evidence(case_of(asked), case_of(before)))
    if verdicts == {MeantVersion.CHANGE}:
        return MeantVersion.CHANGE
    return MeantVersion.BEFORE if verdicts == {MeantVersion.BEFORE} else MeantVersion.UNDECIDED


def _deletion(before: LineCase) -> MeantVersion:
    """Whether a deleted line is acknowledged as deleted or as before."""
    ack_lines = [match.acknowledged for match in before.matches]
    if any(a.change_code in DELETING_CHANGES or any(d.code == "ID" for d in a.details) for a in ack_lines):
        return MeantVersion.CHANGE
    read = read_case(before, Findings(""))
    if read is None:
        return MeantVersion.UNDECIDED
    if read.total.total == 0:
        return MeantVersion.CHANGE
    fits = _quantity_distance(before.open - read.total.total, before) is not None
    return MeantVersion.BEFORE if fits else MeantVersion.UNDECIDED


def _evidence(asked: LineCase, before: LineCase) -> Iterator[MeantVersion]:
    """Verdict per value; none for values that are not stated or that the change did not affect."""
    reads = read_case(asked, Findings("")), read_case(before, Findings(""))
    if asked.sent.quantity != before.sent.quantity:
        yield from _of_total(asked, before, *reads)
        if all(match.acknowledged.quantity is not None for match in asked.matches):
            yield _nearer(_echo(asked), _echo(before))
    if _price_of(asked.sent) != _price_of(before.sent):
        yield from _of_prices(asked, before)
    if asked.sent.unit != before.sent.unit or asked.sent.items != before.sent.items:
        yield from _of_units_and_items(asked, before)
    if [s.due for s in asked.sent.schedules] != [s.due for s in before.sent.schedules]:
        yield from _of_dates(asked, before, *reads)


def _of_total(
    asked: LineCase, before: LineCase, read_asked: LineReading | None, read_before: LineReading | None
) -> Iterator[MeantVersion]:
    open_asked = None if read_asked is None else asked.open - read_asked.total.total
    open_before = None if read_before is None else before.open - read_before.total.total
    if open_asked is None and open_before is None:
        return
    if open_asked == open_before:
        # A quantity equal to the ordered or the open quantity fits both versions and proves neither.
        return
    yield _nearer(
        None if open_asked is None else _quantity_distance(open_asked, asked),
        None if open_before is None else _quantity_distance(open_before, before),
    )


def _quantity_distance(variance: Decimal, case: LineCase) -> _Distance:
    off = Fraction(variance)
    tolerance = case.settings.tolerance
    limit = tolerance.quantity_under_pct if off > 0 else tolerance.quantity_over_pct
    return abs(off) if abs(off) * 100 <= Fraction(limit) * Fraction(case.open) else None


def _echo(case: LineCase) -> _Distance:
    """Distance of PO102 from the ordered or the open quantity of this version.

    Releases that were sent as lines and are not listed count as ordered: they are no evidence of either version.
    """
    listed = {match.schedule.assigned_id for match in case.matches if match.schedule is not None}
    total = sum((s.quantity for s in case.sent.schedules if listed and s.assigned_id not in listed), ZERO)
    for match in case.matches:
        ack_line = match.acknowledged
        quantity = in_sent_unit(ack_line.quantity or ZERO, ack_line.unit, case.sent, case.settings)
        if quantity is None:
            return None
        total += quantity
    return min(
        (d for each in (case.sent.quantity, case.open) if (d := _quantity_distance(each - total, case)) is not None),
        default=None,
    )


def _of_units_and_items(asked: LineCase, before: LineCase) -> Iterator[MeantVersion]:
    """Verdicts by units and item numbers that the change affected: these match exactly or not at all."""
    new, old = asked.sent, before.sent
    for match in asked.matches:
        units = {
            unit
            for unit in (match.acknowledged.unit, *(d.unit for d in match.acknowledged.details))
            if unit is not None
        }
        if new.unit != old.unit:
            yield from (_exactly(unit, new.unit, old.unit) for unit in sorted(units))
        for items in stated_items(match.acknowledged):
            for qualifier in sorted(items.keys() & {q for q in new.items if new.items[q] != old.items.get(q)}):
                was = old.items.get(qualifier, "")
                yield _exactly(items[qualifier].casefold(), new.items[qualifier].casefold(), was.casefold())


def _exactly(stated: str, asked: str, before: str) -> MeantVersion:
    if stated == asked:
        return MeantVersion.CHANGE
    return MeantVersion.BEFORE if stated == before else MeantVersion.UNDECIDED


def _price_of(line: SentLine) -> tuple[object, ...]:
    return (line.price, line.price_basis, line.unit)


def _of_prices(asked: LineCase, before: LineCase) -> Iterator[MeantVersion]:
    for match in asked.matches:
        for stated in stated_prices(match.acknowledged):
            found: list[_Distance] = []
            for case in (asked, before):
                unit = stated.unit or match.acknowledged.unit
                compared = compare_price(stated.price, stated.basis, unit, case.sent, case.settings)
                tolerance = case.settings.tolerance
                if isinstance(compared, Incomparable) or not compared.within(
                    tolerance.price_up_pct, tolerance.price_down_pct
                ):
                    found.append(None)
                else:
                    found.append(abs(compared.acknowledged - compared.sent))
            yield _nearer(found[0], found[1])


def _of_dates(
    asked: LineCase, before: LineCase, read_asked: LineReading | None, read_before: LineReading | None
) -> Iterator[MeantVersion]:
    reads = [read for read in (read_asked, read_before) if read is not None]
    if not any(piece.promises for read in reads for piece in read.pieces):
        return
    distances = [
        None if read is None else _date_distance(read, case)
        for read, case in ((read_asked, asked), (read_before, before))
    ]
    yield _nearer(distances[0], distances[1])


def _date_distance(read: LineReading, case: LineCase) -> _Distance:
    """Distance of the promises from the due dates in days, weighted by quantity; ship dates include transit days."""
    tolerance, transit = case.settings.tolerance, case.settings.acknowledgments.transit_days
    total = Fraction(0)
    for schedule in allocate(read.pieces, still_open(case.sent.schedules, case.received)):
        days = [] if schedule.delivery_date is None else [schedule.delivery_date.toordinal()]
        if schedule.ship_date is not None and not days:
            days = [schedule.ship_date.toordinal() + transit]
        for day in days:
            if schedule.due is None:
                return None
            off = day - schedule.due.toordinal()
            if not -tolerance.date_early_days <= off <= tolerance.date_late_days:
                return None
            total += abs(off) * Fraction(schedule.quantity)
    return total


def _nearer(asked: _Distance, before: _Distance) -> MeantVersion:
    if asked is None and before is None:
        return MeantVersion.UNDECIDED
    if asked is None or before is None:
        return MeantVersion.BEFORE if asked is None else MeantVersion.CHANGE
    if asked == before:
        return MeantVersion.UNDECIDED
    return MeantVersion.CHANGE if asked < before else MeantVersion.BEFORE
