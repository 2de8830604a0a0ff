"""A supplier is judged by what it answered, when, and against its own limit."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from plexstedi.edi.inbound.outcome import AckState, LineOutcome, Reconciliation
from plexstedi.edi.model import from_json
from plexstedi.edi.settings import SupplierSettings
from plexstedi.state.reporting.page_statistics import Response
from plexstedi.sync.statistics.scorecards import (
    DayRecord,
    SupplierDay,
    percent,
    quantile,
    scorecards,
    supplier_days,
    verdict_of,
)

FRIDAY = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
SETTINGS = SupplierSettings(ack_within_hours=Decimal(24), business_days="mon-fri")


def outcome(*states: AckState, rejected: bool = False) -> Reconciliation:
    """An acknowledgment whose lines have these states."""
    lines = tuple(
        LineOutcome(
            line=number,
            line_id=str(number),
            state=state,
            ordered=Decimal(1),
            open=Decimal(1),
            unit="EA",
            confirmed=Decimal(1),
            backordered=Decimal(0),
            rejected=Decimal(0),
            variance=Decimal(0),
        )
        for number, state in enumerate(states, 1)
    )
    return Reconciliation(set_id="855", order_number="PO-1", type_code="AD", lines=lines, rejected=rejected)


CONFIRMED = outcome(AckState.CONFIRMED)


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        (outcome(AckState.CONFIRMED, AckState.CONFIRMED), "as_ordered"),
        (outcome(AckState.CONFIRMED, AckState.CHANGED), "changed"),
        (outcome(AckState.BACKORDERED), "changed"),
        (outcome(AckState.HELD), "changed"),
        (outcome(AckState.CHANGED, AckState.REJECTED), "rejected"),
        (outcome(rejected=True), "rejected"),
        (outcome(), "unclear"),
        (None, "unclear"),
    ],
)
def test_what_an_acknowledgment_says_of_the_order(given: Reconciliation | None, verdict: str) -> None:
    assert verdict_of(given) == verdict


def test_a_weekend_is_not_held_against_a_supplier_that_does_not_work_then() -> None:
    """Sent on Friday 16:00, answered on Monday 10:00: 18 hours on its days."""
    monday = FRIDAY + timedelta(days=2, hours=18)
    found = supplier_days([Response("ACME01", monday, FRIDAY, CONFIRMED)], {"ACME01": SETTINGS})
    assert found == {monday.date(): {"ACME01": SupplierDay(as_ordered=1, timed=1, on_time=1, minutes=(18 * 60,))}}


def test_an_answer_after_the_limit_is_late_and_one_of_a_supplier_without_settings_is_neither() -> None:
    late = FRIDAY + timedelta(days=4)
    found = supplier_days(
        [Response("ACME01", late, FRIDAY, None), Response("GONE", late, FRIDAY, CONFIRMED)], {"ACME01": SETTINGS}
    )[late.date()]
    assert (found["ACME01"].timed, found["ACME01"].on_time, found["ACME01"].unclear) == (1, 0, 1)
    assert (found["GONE"].timed, found["GONE"].on_time, found["GONE"].as_ordered) == (0, 0, 1)


TODAY = date(2026, 11, 28)
DAYS = {
    TODAY: DayRecord(suppliers={"A": SupplierDay(as_ordered=1, timed=1, on_time=1, minutes=(10,))}),
    TODAY - timedelta(days=29): DayRecord(
        suppliers={"A": SupplierDay(changed=2, rejected=1, timed=3, on_time=1, minutes=(30, 20, 40))}
    ),
    TODAY - timedelta(days=30): DayRecord(suppliers={"B": SupplierDay(as_ordered=5, timed=5, on_time=5)}),
    TODAY - timedelta(days=365): DayRecord(suppliers={"C": SupplierDay(as_ordered=1)}),
}


def test_a_card_counts_its_period_and_nothing_older() -> None:
    (card,) = scorecards(DAYS, {}, TODAY, 30)
    assert (card.supplier, card.responses, card.on_time) == ("A", 4, 50)
    assert (card.as_ordered, card.changed, card.rejected) == (25, 50, 25)
    assert (card.lower_minutes, card.median_minutes, card.upper_minutes) == (10, 20, 30)
    assert [each.supplier for each in scorecards(DAYS, {}, TODAY, 365)] == ["B", "A"], "most responses first"


def test_who_does_not_answer_at_all_is_not_on_time() -> None:
    overdue = {"A": [TODAY], "SILENT": [TODAY - timedelta(days=3)], "OLD": [TODAY - timedelta(days=40)]}
    cards = {card.supplier: card for card in scorecards(DAYS, overdue, TODAY, 30)}
    assert (cards["A"].on_time, cards["A"].overdue) == (40, 1)
    silent = cards["SILENT"]
    assert (silent.on_time, silent.responses, silent.as_ordered, silent.median_minutes) == (0, 0, None, None)
    assert "OLD" not in cards


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(0, 0, None), (0, 7, 0), (7, 7, 100), (1, 3, 33), (2, 3, 67), (1, 1000, 1), (999, 1000, 99), (1, 8, 13)],
)
def test_a_share_is_all_or_nothing_only_if_it_is(part: int, whole: int, shown: int | None) -> None:
    assert percent(part, whole) == shown


@pytest.mark.parametrize(
    ("values", "quarters"),
    [([], (None, None, None)), ([5], (5, 5, 5)), ([1, 2, 3, 4], (1, 2, 3)), (list(range(1, 101)), (25, 50, 75))],
)
def test_quarters_of_sorted_values(values: list[int], quarters: tuple[int | None, ...]) -> None:
    assert tuple(quantile(values, quarter) for quarter in (1, 2, 3)) == quarters


def test_a_record_is_read_back_as_it_was_stored() -> None:
    record = DayRecord(orders={"confirmed": 3}, suppliers={"A": SupplierDay(changed=1, minutes=(7,))})
    assert from_json(DayRecord, record.text()) == record
    assert DayRecord().text() == "{}"
