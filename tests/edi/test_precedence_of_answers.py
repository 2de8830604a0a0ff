"""Which answer counts: a buyer sees the newest, and never an old one in its place."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal

import pytest

from plexstedi.edi.inbound.acknowledgment import Acknowledgment
from plexstedi.edi.inbound.outcome import AckState, LineOutcome, accept
from plexstedi.edi.inbound.precedence import (
    Answer,
    AnswerHeader,
    Answers,
    AnswersNothingSent,
    Initiative,
    Received,
    SentDocument,
    duplicate_of,
    fold,
    what_it_answers,
)

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
    ("ack", "processed", "position", "untouched"),
    [
        (_ack(date(2026, 11, 3)), NOON, 0, {10, 20}),
        (_ack(date(2026, 11, 7)), NOON, 1, {20}),
        (_ack(date(2026, 11, 11)), NOON, 2, set()),
        (_ack(date(2026, 11, 10)), NOON.replace(hour=8), 1, {20}),
        (_ack(date(2026, 11, 10)), NOON, 2, set()),
        (_ack(), NOON, 2, set()),
        (_ack(), NOON.replace(day=9), 1, {20}),
        (_ack(date(2026, 11, 11), "1", "865"), NOON, 1, {20}),
        (_ack(date(2026, 11, 3), "002", "865"), NOON, 2, set()),
        (_ack(date(2026, 10, 1)), NOON, 0, {10, 20}),
        # A supplier whose clock is a day ahead has not answered what went out afterwards.
        (_ack(date(2026, 11, 11)), NOON.replace(hour=8), 1, {20}),
    ],
)
def test_an_answer_to_an_older_order_leaves_changed_lines_alone(
    ack: Acknowledgment, processed: datetime, position: int, untouched: set[int]
) -> None:
    """A line that was changed on the 10th is not confirmed by what the supplier wrote on the 7th."""
    assert what_it_answers(ack, processed, ALL) == Answers(position, frozenset(untouched), Initiative.ANSWER)


def test_a_sequence_that_was_never_sent_is_not_guessed() -> None:
    """The supplier answers change 7, we sent two: a person looks."""
    assert what_it_answers(_ack(sequence="7", set_id="865"), NOON, ALL) == AnswersNothingSent("7")


def test_an_865_that_cannot_answer_an_860_is_the_sellers_own() -> None:
    """A supplier that wants a change is not mistaken for one that agrees to ours."""
    for documents, ack in (((ORDER,), _ack(set_id="865")), (ALL, _ack(date(2026, 11, 3), set_id="865"))):
        found = what_it_answers(ack, NOON, documents)
        assert isinstance(found, Answers)
        assert found.initiative is Initiative.SELLER
    found = what_it_answers(_ack(date(2026, 11, 7), set_id="865"), NOON, ALL)
    assert isinstance(found, Answers)
    assert found.initiative is Initiative.ANSWER


def _received(transaction: str, **changes: object) -> Received:
    base = Received(
        transaction_id=transaction,
        sender="ACME",
        interchange_control=1746,
        group_control=12,
        transaction_control="0001",
        content="aa",
        dated=date(2026, 11, 2),
        processed_at=NOON,
    )
    return base.model_copy(update=changes)


@pytest.mark.parametrize(
    ("again", "of"),
    [
        (_received("T1", sender="other", content="bb"), "T1"),
        (_received("T2", content="bb", transaction_control="1"), "T1"),
        (_received("T2", interchange_control=1747), "T1"),
        (_received("T2", interchange_control=1747, content="bb"), None),
        (_received("T2", interchange_control=1747, dated=date(2026, 11, 3)), None),
        (_received("T2", sender="other"), None),
        (_received("T2", group_control=None, content="bb"), None),
    ],
)
def test_the_same_document_twice_counts_once(again: Received, of: str | None) -> None:
    """A supplier that sends its acknowledgment again does not make work; a corrected one is not lost."""
    assert duplicate_of(again, [_received("T1")]) == of


def _outcome(line: int, confirmed: int, state: AckState = AckState.CONFIRMED, **changes: object) -> LineOutcome:
    return LineOutcome(
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
    ).model_copy(update=changes)


def _answer(name: str, day: int, *outcomes: LineOutcome, position: int = 0) -> Answer:
    header = AnswerHeader(transaction_id=name, type_code="AC", dated=date(2026, 11, day), processed_at=NOON)
    return Answer(header=header, position=position, outcomes=outcomes)


def test_a_newer_answer_wins_line_by_line() -> None:
    """A corrected acknowledgment of one line leaves the confirmation of the other one standing."""
    folded = fold([_answer("new", 3, _outcome(10, 90)), _answer("old", 2, _outcome(10, 100), _outcome(20, 100))])
    assert {n: s.latest.confirmed for n, s in folded.lines.items()} == {10: 90, 20: 100}
    assert folded.header is not None
    assert folded.header.transaction_id == "new"


def test_a_held_answer_leaves_what_was_applied() -> None:
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
