"""How far an acknowledged line is from the order: days late, and percent of quantity or price."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal

from plexstedi.edi.inbound.outcome import AckState, ConfirmedSchedule, LineOutcome
from plexstedi.edi.inbound.reading.dates import days_off

_EXACT = Context(prec=50)
_HUNDRED = Decimal(100)


def days_late(lines: Iterable[LineOutcome], transit_days: int | None) -> int | None:
    """The largest number of days after a due date; negative if all are early. None: some line does not tell.

    `transit_days` None: not known, so a ship date alone does not tell.
    """
    found: list[int] = []
    for line in lines:
        promised = [schedule for schedule in line.schedules if schedule.quantity > 0]
        if not promised or not _is_definite(line):
            return None
        for schedule in promised:
            late = _days_late(schedule, transit_days)
            if late is None:
                return None
            found.append(late)
    return max(found, default=None)


def percent_off(lines: Iterable[LineOutcome]) -> Decimal | None:
    """The largest difference of a quantity or price from the order, in percent. None: some line does not tell.

    A backordered or rejected quantity counts as not confirmed. A price that is not stated does not count.
    """
    found: list[Decimal] = []
    for line in lines:
        if not _is_definite(line):
            return None
        shares = [_share(line.confirmed, line.open)]
        if line.price is not None:
            shares.append(None if line.price_sent is None else _share(line.price, line.price_sent))
        for share in shares:
            if share is None:
                return None
            found.append(share)
    return max(found, default=None)


def _is_definite(line: LineOutcome) -> bool:
    return line.state is not AckState.HELD or line.if_accepted is not None


def _days_late(schedule: ConfirmedSchedule, transit_days: int | None) -> int | None:
    if schedule.due is None:
        return None
    late = [] if schedule.delivery_date is None else [days_off(schedule.delivery_date, schedule.due)]
    if schedule.ship_date is not None and transit_days is not None:
        late.append(days_off(schedule.ship_date, schedule.due) + transit_days)
    return max(late, default=None)


def _share(found: Decimal, ordered: Decimal) -> Decimal | None:
    if found == ordered:
        return Decimal(0)
    if ordered == 0:
        return None
    difference = _EXACT.abs(_EXACT.subtract(found, ordered))
    return _EXACT.divide(_EXACT.multiply(difference, _HUNDRED), _EXACT.abs(ordered))
