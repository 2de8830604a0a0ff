"""What a purchasing desk is shown first: goods that are late, due and not confirmed, or not as ordered."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from plexstedi.edi.inbound.outcome import AckState
from plexstedi.edi.order import Line, LineState, Phase, Release, ReleaseState
from plexstedi.state.orders import OrderRecord
from plexstedi.sync.report.lines import OrderLine, Promise, Wanted
from plexstedi.sync.report.risks import (
    OpenLine,
    OpenOrder,
    difference,
    due_soon,
    lateness,
    next_due,
    worst_lines,
)
from plexstedi.sync.statistics.stages import OrderStage

TODAY = date(2026, 11, 28)
DUE, LATER = date(2026, 12, 1), date(2026, 12, 15)


def a_release(number: int, quantity: str, due: date | None, state: ReleaseState = ReleaseState.FIRM) -> Release:
    return Release(id=f"r{number}", number=number, state=state, quantity=Decimal(quantity), due=due)


def a_plex_line(*releases: Release) -> Line:
    return Line(id="l1", number=1, state=LineState.OPEN, unit="Ea", price=Decimal(1), releases=releases)


FIRST, SECOND = a_release(1, "60", DUE), a_release(2, "40", LATER)
GOT = a_release(1, "60", DUE, ReleaseState.RECEIVED)


@pytest.mark.parametrize(
    ("releases", "received", "due"),
    [
        pytest.param((FIRST, SECOND), "0", DUE, id="nothing received"),
        pytest.param((SECOND, FIRST), "59", DUE, id="a part of the first is still due"),
        pytest.param((FIRST, SECOND), "60", LATER, id="the first is covered"),
        pytest.param((GOT, SECOND), "60", LATER, id="a receipt of a received release covers no other"),
        pytest.param((GOT, SECOND), "0", LATER, id="received in Plex, with no receipt read"),
        pytest.param((FIRST, SECOND), "100", None, id="all received"),
        pytest.param((a_release(1, "5", None),), "0", None, id="without a due date"),
        pytest.param((a_release(1, "9", DUE, ReleaseState.FORECAST),), "0", None, id="a forecast is not ordered"),
    ],
)
def test_the_next_due_date_is_that_of_what_has_not_arrived(
    releases: tuple[Release, ...], received: str, due: date | None
) -> None:
    assert next_due(a_plex_line(*releases), Decimal(received)) == due


def a_line(
    state: AckState = AckState.CONFIRMED,
    due: date | None = DUE,
    promised: date | None = None,
    *,
    sent: bool = True,
    reasons: tuple[str, ...] = (),
    number: int = 1,
) -> OpenLine:
    """A line of 100 that is due and promised on these days."""
    quantity = Decimal(100)
    line = OrderLine(
        line=number,
        part="82695",
        ordered=quantity,
        unit="EA",
        confirmed=Decimal(60),
        backordered=Decimal(0),
        rejected=Decimal(0),
        state=state,
        reasons=reasons,
        wanted=() if due is None else (Wanted(quantity, due),),
        promised=() if promised is None else (Promise(quantity, None, promised),),
        acknowledged=True,
        sent=sent,
    )
    return OpenLine(line, due)


@pytest.mark.parametrize(
    ("line", "today", "late"),
    [
        pytest.param(a_line(), TODAY, None, id="due later"),
        pytest.param(a_line(), DUE, None, id="due today is not late"),
        pytest.param(a_line(), date(2026, 12, 4), (3, "not received; no date is promised", DUE), id="past due"),
        pytest.param(
            a_line(promised=date(2026, 12, 2)), date(2026, 12, 4), (3, "not received", DUE), id="a broken promise"
        ),
        pytest.param(
            a_line(promised=LATER), TODAY, (14, "delivery promised later than ordered", DUE), id="promised late"
        ),
        pytest.param(
            a_line(promised=LATER),
            date(2026, 12, 4),
            (14, "delivery promised later than ordered, not received", DUE),
            id="past due, and promised later still",
        ),
        pytest.param(a_line(promised=date(2026, 11, 30)), TODAY, None, id="promised early"),
        pytest.param(a_line(due=None, promised=LATER), TODAY, None, id="all received"),
    ],
)
def test_how_late_a_line_is(line: OpenLine, today: date, late: tuple[int, str, date] | None) -> None:
    found = lateness(line, today)
    assert (None if found is None else (found.rank, found.what, found.due)) == late


@pytest.mark.parametrize(
    ("line", "within", "found"),
    [
        (a_line(AckState.UNACKNOWLEDGED), 10, (3, "no confirmation received")),
        (a_line(AckState.UNACKNOWLEDGED), 3, (3, "no confirmation received")),
        (a_line(AckState.UNACKNOWLEDGED), 2, None),
        (a_line(AckState.HELD), 10, (3, "the confirmation needs a decision")),
        (a_line(AckState.BACKORDERED), 10, (3, "backordered by the supplier")),
        (a_line(AckState.REJECTED), 10, (3, "rejected by the supplier")),
        (a_line(AckState.UNACKNOWLEDGED, sent=False), 10, (3, "not sent to the supplier yet")),
        (a_line(AckState.CONFIRMED), 10, None),
        (a_line(AckState.CHANGED), 10, None),
        (a_line(AckState.UNACKNOWLEDGED, due=date(2026, 11, 27)), 10, None),
        (a_line(AckState.UNACKNOWLEDGED, due=TODAY), 0, (0, "no confirmation received")),
    ],
)
def test_what_is_due_soon_and_not_confirmed(line: OpenLine, within: int, found: tuple[int, str] | None) -> None:
    risk = due_soon(line, TODAY, within)
    assert (None if risk is None else (risk.rank, risk.what)) == found


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (a_line(AckState.CONFIRMED), None),
        (a_line(AckState.UNACKNOWLEDGED), None),
        (a_line(AckState.REJECTED, sent=False), None),
        (a_line(AckState.CHANGED), "changed: 60 of 100 EA confirmed"),
        (a_line(AckState.REJECTED, reasons=("part is discontinued",)), "rejected: part is discontinued"),
        (a_line(AckState.HELD, reasons=("a", "b", "c")), "held: a (and 2 more)"),
    ],
)
def test_what_differs_from_the_order(line: OpenLine, what: str | None) -> None:
    risk = difference(line)
    assert (None if risk is None else risk.what) == what


def an_open_order(number: str, *lines: OpenLine) -> OpenOrder:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    record = OrderRecord(number, number, "A", Phase.RELEASED, False, 0, 1, {}, at, 1, 0, False)
    return OpenOrder(record, "Acme", OrderStage.CONFIRMED, DUE, lines, None, ())


def test_the_worst_line_stands_for_its_order_and_the_worst_order_comes_first() -> None:
    orders = [
        an_open_order("PO-1", a_line(promised=date(2026, 12, 3)), a_line(promised=LATER, number=2)),
        an_open_order("PO-2", a_line()),
        an_open_order("PO-3", a_line(promised=date(2026, 12, 31))),
    ]
    found = worst_lines(orders, lambda line: lateness(line, TODAY), most_first=True)
    assert [(one.order.record.number, one.verdict.rank, one.line.line.line, one.others) for one in found] == [
        ("PO-3", 30, 1, 0),
        ("PO-1", 14, 2, 1),
    ]


def test_what_is_most_severe_comes_first_then_what_is_due_first() -> None:
    orders = [
        an_open_order("PO-1", a_line(AckState.CHANGED)),
        an_open_order("PO-2", a_line(AckState.REJECTED, due=LATER)),
        an_open_order("PO-3", a_line(AckState.REJECTED)),
    ]
    found = worst_lines(orders, difference, most_first=False)
    assert [one.order.record.number for one in found] == ["PO-3", "PO-2", "PO-1"]
