"""Which answer counts: a buyer sees the newest, and never an old one in its place."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import permutations
from typing import Literal

import pytest
from msgspec.structs import replace

from plexstedi.edi.inbound.outcome import AckState, LineOutcome, accept
from plexstedi.edi.inbound.precedence import (
    AcknowledgedDocuments,
    AcknowledgmentHeader,
    Initiative,
    RankedAcknowledgment,
    ReceivedDocument,
    SentDocument,
    UnknownChangeSequence,
    acknowledged_documents,
    controls_of,
    date_note,
    duplicate_of,
    fold,
    is_newer,
    newest_first,
    usable_date,
)
from plexstedi.edi.inbound.reading.acknowledgment import Acknowledgment

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)


def _ack(
    dated: date | None = None, sequence: str | None = None, set_id: Literal["855", "865"] = "855"
) -> Acknowledgment:
    return Acknowledgment(
        set_id=set_id, purpose="00", type_code="AD", order_number="PO-1", dated=dated, change_sequence=sequence
    )


ORDER = SentDocument(0, datetime(2026, 11, 1, 9, tzinfo=UTC))
CHANGE_1 = SentDocument(1, datetime(2026, 11, 5, 9, tzinfo=UTC), 1, frozenset({10}))
CHANGE_2 = SentDocument(2, datetime(2026, 11, 10, 9, tzinfo=UTC), 2, frozenset({20}))
ALL = (ORDER, CHANGE_1, CHANGE_2)


@pytest.mark.parametrize(
    ("ack", "processed", "position", "untouched", "undecided"),
    [
        # More than a day before the 860, or processed before it went out: it answers what was sent before.
        (_ack(date(2026, 11, 3)), NOON, 0, {10, 20}, set()),
        (_ack(date(2026, 11, 8)), NOON, 1, {20}, set()),
        (_ack(date(2026, 11, 10)), NOON.replace(hour=8), 1, {20}, set()),
        (_ack(), NOON.replace(day=9), 1, {20}, set()),
        # A supplier whose clock is a day ahead has not answered what went out afterwards.
        (_ack(date(2026, 11, 11)), NOON.replace(hour=8), 1, {20}, set()),
        # More than a day after it: it answers the 860.
        (_ack(date(2026, 11, 7)), NOON, 1, {20}, set()),
        (_ack(date(2026, 11, 12)), NOON.replace(day=12), 2, set(), set()),
        (_ack(), NOON.replace(day=12), 2, set(), set()),
        # Between: for the line that the 860 changed the values decide.
        (_ack(date(2026, 11, 9)), NOON, 2, set(), {20}),
        (_ack(date(2026, 11, 10)), NOON, 2, set(), {20}),
        (_ack(date(2026, 11, 11)), NOON, 2, set(), {20}),
        (_ack(), NOON, 2, set(), {20}),
        (_ack(date(2026, 11, 5)), NOON, 1, {20}, {10}),
        # A date that no answer can have: the day of its processing instead.
        (_ack(date(2206, 11, 10)), NOON.replace(day=15), 2, set(), set()),
        (_ack(date(2020, 1, 1)), NOON.replace(day=15), 2, set(), set()),
        # A change sequence that is named leaves nothing open.
        (_ack(date(2026, 11, 11), "1", "865"), NOON, 1, {20}, set()),
        (_ack(date(2026, 11, 10), "002", "865"), NOON, 2, set(), set()),
        (_ack(date(2026, 11, 3), "002", "865"), NOON, 2, set(), set()),
    ],
)
def test_an_acknowledgment_of_an_older_order_leaves_changed_lines_alone(
    ack: Acknowledgment, processed: datetime, position: int, untouched: set[int], undecided: set[int]
) -> None:
    """A line that was changed on the 10th is not confirmed by what the supplier wrote on the 7th."""
    found = acknowledged_documents(ack, processed, ALL, date(2026, 11, 1))
    assert isinstance(found, AcknowledgedDocuments)
    assert (found.position, found.changed_since, found.undecided) == (position, untouched, undecided)
    assert found.initiative is Initiative.RESPONSE


def test_two_changes_within_a_day_are_both_open() -> None:
    """An answer between them may know of none, one or both: from the first that is sure on, the values decide."""
    second = SentDocument(2, CHANGE_1.sent_at.replace(hour=15), 2, frozenset({10, 30}))
    found = acknowledged_documents(
        _ack(date(2026, 11, 5)), CHANGE_1.sent_at.replace(hour=18), (ORDER, CHANGE_1, second)
    )
    assert isinstance(found, AcknowledgedDocuments)
    assert (found.position, found.since, found.undecided) == (2, 0, {10, 30})


def test_an_evening_in_america_is_the_day_before_by_utc() -> None:
    """The 860 went out on the 28th by UTC, its answer within the hour is dated the 27th: it can be the answer to it."""
    documents = (
        SentDocument(0, datetime(2026, 11, 27, 12, tzinfo=UTC)),
        SentDocument(1, datetime(2026, 11, 28, 1, 30, tzinfo=UTC), 1, frozenset({1})),
    )
    found = acknowledged_documents(_ack(date(2026, 11, 27)), datetime(2026, 11, 28, 2, 10, tzinfo=UTC), documents)
    assert found == AcknowledgedDocuments(1, frozenset(), Initiative.RESPONSE, frozenset({1}), 0)


@pytest.mark.parametrize(
    ("dated", "usable"),
    [
        (date(2026, 11, 1), True),
        (date(2026, 10, 31), True),
        (date(2026, 10, 30), False),
        (date(2026, 11, 11), True),
        (date(2026, 11, 12), False),
        (date(2206, 11, 10), False),
        (date.min, False),
        (date.max, False),
        (None, False),
    ],
)
def test_the_date_of_an_acknowledgment_can_be_a_day_off_and_no_more(dated: date | None, usable: bool) -> None:
    """A typing error in BAK09 decides nothing: the order is of the 1st, Stedi processed it on the 10th."""
    assert (usable_date(dated, NOON, date(2026, 11, 1)) == dated) is (usable or dated is None)
    assert (date_note(dated, NOON, date(2026, 11, 1)) is None) is usable


def test_a_sequence_that_was_never_sent_is_not_guessed() -> None:
    """The supplier answers change 7, we sent two: a person looks."""
    assert acknowledged_documents(_ack(sequence="7", set_id="865"), NOON, ALL) == UnknownChangeSequence("7")


def test_an_865_that_cannot_acknowledge_an_860_is_the_sellers_own() -> None:
    """A supplier that wants a change is not mistaken for one that agrees to ours."""
    for documents, ack in (((ORDER,), _ack(set_id="865")), (ALL, _ack(date(2026, 11, 3), set_id="865"))):
        found = acknowledged_documents(ack, NOON, documents)
        assert isinstance(found, AcknowledgedDocuments)
        assert found.initiative is Initiative.SELLER
    found = acknowledged_documents(_ack(date(2026, 11, 7), set_id="865"), NOON, ALL)
    assert isinstance(found, AcknowledgedDocuments)
    assert found.initiative is Initiative.RESPONSE


def _received(transaction: str, **changes: object) -> ReceivedDocument:
    base = ReceivedDocument(
        transaction_id=transaction,
        sender="ACME",
        interchange_control=1746,
        group_control=12,
        transaction_control="0001",
        content="aa",
        dated=date(2026, 11, 2),
        processed_at=NOON,
    )
    return replace(base, **changes)


@pytest.mark.parametrize(
    ("again", "of"),
    [
        (_received("T1", sender="other", content="bb"), "T1"),
        (_received("T2", dated=date(2026, 11, 5), transaction_control="1"), "T1"),
        (_received("T2", content="bb", transaction_control="1"), None),
        (_received("T2", interchange_control=1747), "T1"),
        (_received("T2", interchange_control=1747, content="bb"), None),
        (_received("T2", interchange_control=1747, dated=date(2026, 11, 3)), None),
        (_received("T2", sender="other"), None),
        (_received("T2", group_control=None, content="bb"), None),
    ],
)
def test_the_same_document_twice_counts_once(again: ReceivedDocument, of: str | None) -> None:
    """A supplier that sends its acknowledgment again does not make work; a corrected one is not lost."""
    assert duplicate_of(again, [_received("T1")]) == of


def test_control_numbers_that_come_again_with_another_content_are_noted() -> None:
    """A supplier whose numbers begin anew each day loses no answer."""
    again = _received("T2", content="bb")
    assert controls_of(again, [_received("T1")]) == "T1"
    assert controls_of(_received("T2"), [_received("T1")]) is None
    assert controls_of(_received("T2", content="bb", group_control=9), [_received("T1")]) is None


def test_what_was_outdated_is_no_repetition_when_it_is_said_again() -> None:
    """There and back in a day: the supplier confirms the first order once more, and means it."""
    outdated = _received("T1", outdated=True)
    assert duplicate_of(_received("T2", interchange_control=1747), [outdated]) is None
    assert duplicate_of(_received("T2"), [outdated]) == "T1"


def _outcome(line: int, confirmed: int, state: AckState = AckState.CONFIRMED, **changes: object) -> LineOutcome:
    return replace(
        LineOutcome(
            line=line,
            line_id=f"L{line}",
            state=state,
            ordered=Decimal(100),
            open=Decimal(100),
            unit="EA",
            confirmed=Decimal(confirmed),
            backordered=Decimal(0),
            rejected=Decimal(0),
            variance=Decimal(100 - confirmed),
        ),
        **changes,
    )


def _answer(
    name: str, day: int, *outcomes: LineOutcome, position: int = 0, dated: date | None = None
) -> RankedAcknowledgment:
    """Processed at noon of its day, without a date of its own unless one is given."""
    header = AcknowledgmentHeader(transaction_id=name, type_code="AC", dated=dated, processed_at=NOON.replace(day=day))
    return RankedAcknowledgment(header=header, position=position, outcomes=outcomes)


def test_a_newer_acknowledgment_wins_line_by_line() -> None:
    """A corrected acknowledgment of one line leaves the confirmation of the other one standing."""
    folded = fold([_answer("new", 3, _outcome(10, 90)), _answer("old", 2, _outcome(10, 100), _outcome(20, 100))])
    assert {n: s.latest.confirmed for n, s in folded.lines.items()} == {10: 90, 20: 100}
    assert folded.header is not None
    assert folded.header.transaction_id == "new"


@pytest.mark.parametrize(
    ("first", "second", "counts"),
    [
        (date(2026, 11, 2), date(2026, 11, 5), "second"),
        (date(2026, 11, 5), date(2026, 11, 2), "first"),
        (date(2026, 11, 5), date(2026, 11, 3), "first"),
        # A day apart is no difference between a supplier's calendar and ours.
        (date(2026, 11, 5), date(2026, 11, 4), "second"),
        (None, date(2026, 11, 2), "second"),
        (date(2026, 11, 5), None, "second"),
    ],
)
def test_dates_decide_only_where_they_are_more_than_a_day_apart(
    first: date | None, second: date | None, counts: str
) -> None:
    """Both usable and two days apart, else the later processing time."""
    answers = [_answer("first", 8, _outcome(10, 90), dated=first), _answer("second", 9, _outcome(10, 80), dated=second)]
    for arrival in (answers, answers[::-1]):
        assert fold(arrival).lines[10].latest_from.transaction_id == counts


def test_acknowledgments_that_are_each_newer_than_the_next_have_one_order_all_the_same() -> None:
    """Dates 3, 2 and 1 processed in the opposite order: whatever order they come in, the buyer sees the same."""
    headers = [
        _answer(name, day, dated=date(2026, 11, dated)).header
        for name, day, dated in (("a", 5, 3), ("b", 6, 2), ("c", 7, 1))
    ]
    assert is_newer(headers[0], headers[2])
    assert is_newer(headers[1], headers[0])
    assert is_newer(headers[2], headers[1])
    orders = {tuple(h.transaction_id for h in newest_first(arrival)) for arrival in permutations(headers)}
    assert len(orders) == 1


def test_a_line_that_is_left_out_never_undoes_an_acceptance() -> None:
    """Whatever `missing_lines` says: it speaks of lines that were never answered."""
    accepted = _outcome(10, 100, listed=False)
    missing = _outcome(10, 0, AckState.REJECTED, listed=False)
    for answers in ([_answer("old", 2, accepted), _answer("new", 9, missing)], [_answer("new", 9, missing)]):
        latest = fold(answers).lines[10].latest
        assert latest.state is (AckState.CONFIRMED if len(answers) == 2 else AckState.REJECTED)


def test_a_held_acknowledgment_leaves_what_was_applied() -> None:
    """While a person decides, Plex keeps the older confirmation; the header is that of the answer applied."""
    held = _outcome(10, 50, AckState.HELD, if_accepted=AckState.CHANGED)
    answers = [_answer("old", 2, _outcome(10, 100)), _answer("new", 3, held)]
    standing = fold(answers).lines[10]
    assert standing.latest.state is AckState.HELD
    assert standing.applied is not None
    assert standing.applied.confirmed == 100
    header = fold(answers).header
    assert header is not None
    assert header.transaction_id == "old"

    decided = [answers[0], _answer("new", 3, accept(held))]
    after = fold(decided).lines[10]
    assert after.applied is not None
    assert (after.applied.confirmed, after.applied.state) == (Decimal(50), AckState.CHANGED)


def test_a_line_that_is_not_named_undoes_nothing() -> None:
    """A newer answer without the line, even one that means "rejected" by setting, keeps the confirmation."""
    unlisted = _outcome(10, 0, AckState.REJECTED, listed=False, attention=True)
    standing = fold([_answer("old", 2, _outcome(10, 100)), _answer("new", 3, unlisted)]).lines[10]
    assert standing.latest.confirmed == 100


def test_a_later_860_makes_a_changed_line_open_again() -> None:
    """What was confirmed before the change no longer counts for that line, and still counts for the others."""
    change = SentDocument(1, NOON, 1, frozenset({10}))
    answers = [_answer("old", 2, _outcome(10, 100), _outcome(20, 100))]
    assert set(fold(answers, [ORDER, change]).lines) == {20}
    answers.append(_answer("new", 12, _outcome(10, 100), position=1))
    assert set(fold(answers, [ORDER, change]).lines) == {10, 20}


def test_what_is_indefinite_cannot_be_accepted() -> None:
    """`review accept` on a BP whose meaning nobody set would write a guess."""
    with pytest.raises(ValueError, match="line 10"):
        accept(_outcome(10, 0, AckState.HELD))
