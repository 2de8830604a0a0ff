"""A buyer hears of silence in time, and never of a supplier that has answered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexstedi.edi.business_days import EVERY_DAY, business_days, elapsed
from plexstedi.edi.deadlines import DeadlineDocument, DeadlineKind, DeadlineStream, OverdueLevel, overdue
from plexstedi.edi.inbound.outcome import AckState, LineOutcome
from plexstedi.edi.inbound.precedence import AcknowledgmentHeader, LineAckStatus
from plexstedi.edi.read_settings import InvalidSettings
from plexstedi.edi.settings import SupplierSettings

MONDAY = datetime(2026, 11, 2, 8, tzinfo=UTC)
FRIDAY = datetime(2026, 11, 6, 18, tzinfo=UTC)
D = Decimal


def at(hours: float, start: datetime = MONDAY) -> datetime:
    return start + timedelta(hours=hours)


def document(delivered: datetime | None = MONDAY, **more: object) -> DeadlineDocument:
    facts: dict[str, object] = {
        "id": 1,
        "begun_at": MONDAY,
        "delivered_at": delivered,
        "awaits_delivery": delivered is None,
        "functional_ack_received": True,
        **more,
    }
    return DeadlineDocument(**facts)  # type: ignore[arg-type]


def answer(state: AckState, confirmed: str = "10", answered: datetime = MONDAY, **more: object) -> LineAckStatus:
    quantity, rest = D(confirmed), D(10) - D(confirmed)
    backordered = rest if state is AckState.BACKORDERED else D(0)
    outcome = LineOutcome(
        line=10, line_id="l10", state=state, ordered=D(10), open=D(10), unit="EA", confirmed=quantity,
        backordered=backordered, rejected=D(0), variance=rest - backordered, **more,
    )  # type: ignore[arg-type]  # fmt: skip
    header = AcknowledgmentHeader(transaction_id="t1", type_code="AD", processed_at=answered)
    return LineAckStatus(outcome, header, outcome, header)


def stream(*documents: DeadlineDocument, wanted: bool = True, **more: object) -> DeadlineStream:
    facts: dict[str, object] = {"lines": (10,), **more}
    return DeadlineStream(documents or (document(),), wanted, **facts)  # type: ignore[arg-type]


SETTINGS = SupplierSettings()
"""Delivery 1 h; 997 warn 4 h, limit 24 h; 855 warn 24 h, limit 48 h; every day."""


def found(clocked: DeadlineStream, now: datetime, settings: SupplierSettings = SETTINGS) -> set[tuple[str, str]]:
    return {(one.kind.value, one.level.value) for one in overdue(clocked, settings, now)}


def test_a_file_that_is_not_delivered_within_its_hour_needs_review():
    waiting = stream(document(None))
    assert found(waiting, at(0.9)) == set()
    assert found(waiting, at(1)) == {("delivery", "limit")}


def test_a_failed_delivery_has_a_review_item_of_its_own_and_no_deadline():
    assert found(stream(document(None, awaits_delivery=False)), at(100)) == set()


def test_what_a_997_rejects_is_not_waited_for_as_well():
    """One cause, one item: the rejection is a person's; when it is decided, the 855 is waited for again."""
    assert found(stream(document(rejected_unresolved=True)), at(100)) == set()
    assert found(stream(document(rejected_unresolved=False)), at(100)) == {("acknowledgment", "limit")}
    change = document(id=2)
    assert found(stream(document(rejected_unresolved=True), change), at(100)) == set()


def test_a_missing_997_warns_first_and_then_needs_review():
    silent = stream(document(functional_ack_received=False), statuses={10: answer(AckState.CONFIRMED)})
    assert found(silent, at(3.9)) == set()
    assert found(silent, at(4)) == {("functional-ack", "warning")}
    assert found(silent, at(24)) == {("functional-ack", "limit")}


def test_997_and_855_have_deadlines_of_their_own():
    assert found(stream(document(functional_ack_received=False)), at(30)) == {
        ("functional-ack", "limit"),
        ("acknowledgment", "warning"),
    }


def test_lateness_says_since_when_how_much_beyond_what_and_for_which_lines():
    (one,) = overdue(stream(lines=(10, 20), statuses={10: answer(AckState.CONFIRMED)}), SETTINGS, at(50))
    assert (one.kind, one.level) == (DeadlineKind.ACKNOWLEDGMENT, OverdueLevel.LIMIT)
    assert one.since == MONDAY
    assert (one.allowed, one.by) == (timedelta(hours=48), timedelta(hours=2))
    assert one.lines == (20,)


@pytest.mark.parametrize("state", [AckState.CONFIRMED, AckState.HELD, AckState.REJECTED])
def test_an_acknowledged_line_is_not_awaited_even_if_a_user_still_has_to_decide(state):
    confirmed = "10" if state is AckState.CONFIRMED else "0"
    assert found(stream(statuses={10: answer(state, confirmed)}), at(1000)) == set()


def test_a_line_that_an_acknowledgment_left_out_is_still_awaited():
    assert found(stream(statuses={10: answer(AckState.UNACKNOWLEDGED, "0")}), at(48)) == {("acknowledgment", "limit")}


def test_an_860_restarts_the_855_deadline_and_has_a_997_deadline_of_its_own():
    changed = document(at(40), id=2, begun_at=at(40), functional_ack_received=False)
    both = stream(document(), changed)
    assert found(both, at(60)) == {("functional-ack", "warning")}
    assert found(both, at(40 + 48)) == {("functional-ack", "limit"), ("acknowledgment", "limit")}


def test_an_860_does_not_excuse_the_997_of_the_850_before_it():
    changed = document(at(20), id=2, begun_at=at(20))
    clocked = stream(document(functional_ack_received=False), changed, statuses={10: answer(AckState.CONFIRMED)})
    (one,) = overdue(clocked, SETTINGS, at(25))
    assert (one.document, one.kind) == (1, DeadlineKind.FUNCTIONAL_ACK)


def test_a_cancellation_ends_the_deadlines_but_must_itself_arrive():
    cancel = document(at(10), id=2, begun_at=at(10), functional_ack_received=False, cancels=True)
    cancelled = stream(document(functional_ack_received=False), cancel, wanted=False, lines=())
    (one,) = overdue(cancelled, SETTINGS, at(1000))
    assert (one.document, one.kind) == (2, DeadlineKind.FUNCTIONAL_ACK)


def test_an_order_that_plex_no_longer_wants_is_not_chased():
    assert found(stream(document(functional_ack_received=False), wanted=False), at(1000)) == set()


def test_what_stays_backordered_is_asked_for_once_the_acknowledgment_is_as_old_as_the_limit():
    short = stream(statuses={10: answer(AckState.BACKORDERED, "4", at(40))})
    assert found(short, at(60)) == set()
    assert found(short, at(40 + 24)) == {("confirmed-short", "warning")}
    assert found(short, at(40 + 48)) == {("confirmed-short", "limit")}


def test_a_backorder_that_a_user_took_note_of_is_not_asked_for_again():
    short = stream(statuses={10: answer(AckState.BACKORDERED, "4")}, reviewed=(10,))
    assert found(short, at(1000)) == set()


def test_a_little_less_inside_the_tolerance_is_agreed_to():
    assert found(stream(statuses={10: answer(AckState.CHANGED, "9")}), at(1000)) == set()
    outside = stream(statuses={10: answer(AckState.CHANGED, "9", attention=True)})
    assert found(outside, at(48)) == {("confirmed-short", "limit")}


def test_a_weekend_does_not_count_for_a_supplier_that_works_on_weekdays():
    weekdays = SupplierSettings(business_days="mon-fri")
    sent_on_friday = stream(document(FRIDAY, begun_at=FRIDAY))
    assert found(sent_on_friday, at(48, FRIDAY)) == {("acknowledgment", "limit")}
    assert found(sent_on_friday, at(48, FRIDAY), weekdays) == set()
    assert found(sent_on_friday, at(24 + 48, FRIDAY), weekdays) == {("acknowledgment", "warning")}
    assert found(sent_on_friday, at(48 + 48, FRIDAY), weekdays) == {("acknowledgment", "limit")}


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("", set(range(7))),
        ("mon-fri", {0, 1, 2, 3, 4}),
        ("Mon-Sat", {0, 1, 2, 3, 4, 5}),
        ("sun-thu", {6, 0, 1, 2, 3}),
        ("mon, tue, thu", {0, 1, 3}),
        ("mon-wed,fri", {0, 1, 2, 4}),
        ("tue", {1}),
    ],
)
def test_business_days_are_named_as_people_write_them(text, days):
    assert business_days(text) == days


@pytest.mark.parametrize("text", ["monday", "mon-", "1-5", "mon;tue", "mon,,tue"])
def test_a_day_that_does_not_exist_is_an_error_of_configuration(text):
    with pytest.raises(ValueError, match="is not a day"):
        business_days(text)
    with pytest.raises(InvalidSettings):
        SupplierSettings.of({"business_days": text})


MOMENTS = st.integers(0, 2 * 365 * 86_400).map(lambda seconds: MONDAY + timedelta(seconds=seconds))
DAYS = st.frozensets(st.integers(0, 6), min_size=1)


@given(st.lists(MOMENTS, min_size=3, max_size=3).map(sorted), DAYS)
def test_a_span_is_the_sum_of_its_parts_and_of_its_days(moments, days):
    first, middle, last = moments
    assert elapsed(first, last, days) == elapsed(first, middle, days) + elapsed(middle, last, days)
    by_day = sum((elapsed(first, last, frozenset({day})) for day in days), timedelta(0))
    assert elapsed(first, last, days) == by_day
    assert elapsed(first, last, EVERY_DAY) == last - first


@given(MOMENTS, MOMENTS, DAYS)
def test_time_does_not_run_backwards(first, second, days):
    span = elapsed(first, second, days)
    assert timedelta(0) <= span <= max(second - first, timedelta(0))
