"""How far an acknowledged line is from the order; what a line does not tell is not taken as right."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from plexstedi.edi.inbound.deviation import days_late, percent_off
from plexstedi.edi.inbound.outcome import AckState, ConfirmedSchedule, LineOutcome

DUE = date(2027, 1, 10)


def promise(quantity: str = "100", *, ship: int | None = None, delivery: int | None = None, due: bool = True):
    day = lambda number: None if number is None else date(2027, 1, number)  # noqa: E731
    return ConfirmedSchedule(
        quantity=Decimal(quantity), ship_date=day(ship), delivery_date=day(delivery), due=DUE if due else None
    )


def line(*schedules: ConfirmedSchedule, confirmed: str = "100", **more) -> LineOutcome:
    told = {"state": AckState.HELD, "if_accepted": AckState.CHANGED, **more}
    zero = Decimal(0)
    return LineOutcome(
        line=10,
        line_id="l",
        ordered=Decimal(100),
        open=Decimal(100),
        unit="EA",
        confirmed=Decimal(confirmed),
        backordered=zero,
        rejected=zero,
        variance=Decimal(100) - Decimal(confirmed),
        schedules=schedules,
        **told,
    )


@pytest.mark.parametrize(
    ("lines", "transit", "days"),
    [
        ([line(promise(delivery=13))], 0, 3),
        ([line(promise(delivery=8))], 0, -2),
        ([line(promise(ship=9))], 3, 2),
        ([line(promise(ship=9))], None, None),
        ([line(promise(ship=10, delivery=11))], 3, 3),
        ([line(promise(delivery=11), promise(delivery=15))], 0, 5),
        ([line(promise(delivery=11), promise())], 0, None),
        ([line(promise(delivery=11)), line(promise(delivery=20))], 0, 10),
        ([line(promise(delivery=11, due=False))], 0, None),
        ([line(promise("0", delivery=11))], 0, None),
        ([line(promise(delivery=11), if_accepted=None)], 0, None),
        ([], 0, None),
    ],
)
def test_days_late(lines, transit, days):
    assert days_late(lines, transit) == days


@pytest.mark.parametrize(
    ("lines", "percent"),
    [
        ([line(confirmed="98")], Decimal(2)),
        ([line(confirmed="103")], Decimal(3)),
        ([line(confirmed="0")], Decimal(100)),
        ([line(price=Decimal("1.02"), price_sent=Decimal(1))], Decimal(2)),
        ([line(price=Decimal(1), price_sent=Decimal(0))], None),
        ([line(price=Decimal(1), price_sent=None)], None),
        ([line(confirmed="98", if_accepted=None)], None),
        ([], None),
    ],
)
def test_percent_off(lines, percent):
    assert percent_off(lines) == percent
