"""No word of a supplier is lost in silence, whatever the order of arrival, its time zone and its control numbers.

Each acknowledgment is decided as it comes in, as a run does it: a duplicate or not, to which of our documents, line by
line, folded with what came before. At its arrival it counts, or what counts says as much or more, or a person is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plexstedi.edi.inbound.not_applied import not_applied_reasons
from plexstedi.edi.inbound.outcome import AckState, LineOutcome, Reconciliation
from plexstedi.edi.inbound.precedence import (
    AcknowledgedDocuments,
    AcknowledgmentHeader,
    Folded,
    RankedAcknowledgment,
    ReceivedDocument,
    SentDocument,
    acknowledged_documents,
    duplicate_of,
    fold,
    usable_date,
)
from plexstedi.edi.inbound.reading.acknowledgment import (
    AcknowledgedLine,
    Acknowledgment,
    content_fingerprint,
)
from plexstedi.edi.inbound.reading.stated import Detail, StatedDate
from plexstedi.edi.inbound.reconcile import reconcile
from plexstedi.edi.inbound.revisions import revisions_of
from plexstedi.edi.reasons import Reason
from plexstedi.edi.sent import SentLine, SentOrder, SentSchedule
from plexstedi.edi.settings import SupplierSettings

ORDERED = date(2026, 11, 1)
SENT = datetime(2026, 11, 1, 9, tzinfo=UTC)
CHANGED = datetime(2026, 11, 5, 1, 30, tzinfo=UTC)
DUE = date(2026, 12, 1)


def _order(quantity: int) -> SentOrder:
    schedule = SentSchedule(release_id="R1", release_number=1, quantity=Decimal(quantity), due=DUE)
    line = SentLine(
        line_id="L1", line=1, quantity=Decimal(quantity), unit="EA", price=Decimal("2.50"), schedules=(schedule,)
    )
    return SentOrder(number="PO-1", currency="USD", lines=(line,))


ORDERS = (_order(100), _order(150))
DOCUMENTS = (SentDocument(0, SENT), SentDocument(1, CHANGED, 1, frozenset({1})))


@dataclass(frozen=True)
class Word:
    """What a supplier says of the line, and when: `knows` is the quantity that it believes to be ordered."""

    knows: int
    less: int
    late: int
    dearer: Decimal
    rejects: bool
    at: datetime
    zone: int
    """Hours from UTC of the calendar that gives BAK09."""
    dated: bool
    control: int

    @property
    def worse_than_asked(self) -> bool:
        return self.rejects or self.less > 0 or self.late > 0 or self.dearer > 0

    def acknowledgment(self) -> Acknowledgment:
        """The 855 of it."""
        quantity = Decimal(self.knows - self.less)
        promised = StatedDate(qualifier="067", on=DUE + timedelta(days=self.late), place="ACK04")
        detail = Detail(code="IR" if self.rejects else "IA", quantity=quantity, unit="EA", date=promised)
        line = AcknowledgedLine(
            position=1,
            place="PO1 number 1",
            assigned_id="1",
            quantity=Decimal(self.knows),
            unit="EA",
            price=Decimal("2.50") + self.dearer,
            details=(detail,),
        )
        local = self.at.astimezone(timezone(timedelta(hours=self.zone))).date()
        return Acknowledgment(
            set_id="855", purpose="00", type_code="AC", order_number="PO-1", lines=(line,),
            dated=local if self.dated else None,
        )  # fmt: skip


WORDS = st.builds(
    Word,
    knows=st.sampled_from([100, 150]),
    less=st.sampled_from([0, 0, 10]),
    late=st.sampled_from([0, 0, 9]),
    dearer=st.sampled_from([Decimal(0), Decimal(0), Decimal("0.30")]),
    rejects=st.sampled_from([False, False, True]),
    at=st.integers(1, 8 * 24).map(lambda hours: SENT + timedelta(hours=hours)),
    zone=st.integers(-14, 14),
    dated=st.booleans(),
    control=st.integers(1, 2),
).map(lambda word: word if word.at >= CHANGED else replace(word, knows=100))
"""Nobody knows of the change before it is sent."""
TOLERANCES = st.sampled_from([{}, {"price_up_pct": 20, "quantity_under_pct": 20, "date_late_days": 20}])


@dataclass
class Desk:
    """What a run keeps of one order, and decides of each acknowledgment as it comes in."""

    settings: SupplierSettings
    answers: list[RankedAcknowledgment]
    seen: list[ReceivedDocument]

    def folded(self) -> Folded:
        """Where the line stands."""
        return fold(self.answers, DOCUMENTS)

    def decide(self, name: str, word: Word) -> tuple[Reconciliation | None, tuple[Reason, ...]]:
        """What it says, None for a repetition; and what a person is told of an acknowledgment that does not count."""
        read = word.acknowledgment()
        dated = usable_date(read.dated, word.at, ORDERED)
        received = ReceivedDocument(
            transaction_id=name, sender="S", interchange_control=word.control, group_control=1, transaction_control="1",
            content=content_fingerprint(read), dated=dated, processed_at=word.at,
        )  # fmt: skip
        repeats = duplicate_of(received, self.seen)
        self.seen.append(received)
        if repeats is not None:
            return None, ()
        answers = acknowledged_documents(read, word.at, DOCUMENTS, ORDERED)
        assert isinstance(answers, AcknowledgedDocuments)
        done = reconcile(
            read, ORDERS[answers.position], self.settings, received={}, changed_since=answers.changed_since,
            revisions=revisions_of(ORDERS, answers), ordered_on=ORDERED,
        )  # fmt: skip
        header = AcknowledgmentHeader(transaction_id=name, type_code="AC", dated=dated, processed_at=word.at)
        self.answers.append(RankedAcknowledgment(header=header, position=answers.position, outcomes=done.lines))
        return done, not_applied_reasons(header, (*done.lines, *done.earlier), self.folded().lines)


def _desk(tolerance: dict[str, int]) -> Desk:
    return Desk(SupplierSettings.of({"tolerance": tolerance}), [], [])


def _says_as_much(counts: LineOutcome, word: Word) -> bool:
    """Whether what counts is at least as good for the buyer's eyes: it hides nothing that this word would tell."""
    if word.rejects:
        return counts.state is AckState.REJECTED or counts.if_accepted is AckState.REJECTED
    late = counts.delivery_date is not None and counts.delivery_date >= DUE + timedelta(days=word.late)
    short = counts.confirmed <= word.knows - word.less or counts.rejected > 0
    dear = counts.price is None or counts.price >= Decimal("2.50") + word.dearer
    return (not word.late or late) and (not word.less or short) and (not word.dearer or dear)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(words=st.lists(WORDS, min_size=1, max_size=4), tolerance=TOLERANCES, data=st.data())
def test_every_word_counts_or_is_superseded_or_is_reported(
    words: list[Word], tolerance: dict[str, int], data: st.DataObject
) -> None:
    """In any order of arrival, from any time zone, with control numbers that come again."""
    desk = _desk(tolerance)
    arrival: Sequence[int] = data.draw(st.permutations(range(len(words))))
    for number in arrival:
        word, name = words[number], f"T{number}"
        done, told = desk.decide(name, word)
        if done is None:
            # The same content again: what it repeats was decided and told.
            assert any(answer.header.transaction_id != name for answer in desk.answers)
            continue
        standing = desk.folded().lines.get(1)
        counts = standing is not None and standing.latest_from.transaction_id == name
        if counts or told or not word.worse_than_asked:
            continue
        assert standing is not None
        assert _says_as_much(standing.latest, word), (word, standing.latest)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(words=st.lists(WORDS, min_size=1, max_size=3), tolerance=TOLERANCES)
def test_any_order_of_arrival_ends_in_the_same_picture(words: list[Word], tolerance: dict[str, int]) -> None:
    """What stands of the line follows from what was said and when, not from when it was fetched."""
    different = [word for n, word in enumerate(words) if word not in words[:n]]
    finals = []
    for arrival in permutations(enumerate(different)):
        desk = _desk(tolerance)
        for number, word in arrival:
            desk.decide(f"T{number}", word)
        kept = {answer.header.transaction_id for answer in desk.answers}
        if len(kept) < len(different):
            return
        finals.append({n: (s.latest, s.applied) for n, s in desk.folded().lines.items()})
    assert all(final == finals[0] for final in finals)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(words=st.lists(WORDS, min_size=1, max_size=4), zone=st.integers(-14, 14))
def test_nobody_who_speaks_of_a_hundred_confirms_a_hundred_and_fifty(words: list[Word], zone: int) -> None:
    """An answer to the order as it was before the 860 never passes as an answer to the 860."""
    desk = _desk({})
    for number, word in enumerate(words):
        desk.decide(f"T{number}", word)
    standing = desk.folded().lines.get(1)
    if standing is not None and standing.latest.applies:
        name = standing.latest_from.transaction_id
        assert words[int(name[1:])].knows == 150
        assert standing.latest.ordered == 150


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(knows=st.sampled_from([100, 150]), zone=st.integers(-14, 14), hours=st.integers(0, 90), dated=st.booleans())
@pytest.mark.parametrize("rejects", [False, True])
def test_a_time_zone_changes_nothing_about_a_plain_acknowledgment(
    rejects: bool, knows: int, zone: int, hours: int, dated: bool
) -> None:
    """Who accepts the change is confirmed whatever its calendar says; who rejects is never passed over."""
    at = CHANGED + timedelta(hours=hours)
    word = Word(knows, 0, 0, Decimal(0), rejects, at, zone, dated, 1)
    desk = _desk({})
    done, told = desk.decide("T1", word)
    assert done is not None
    standing = desk.folded().lines.get(1)
    if rejects:
        needs = standing is not None and standing.latest.state in (AckState.REJECTED, AckState.HELD)
        assert needs or told
    elif knows == 150:
        assert standing is not None
        assert standing.latest.state in (AckState.CONFIRMED, AckState.HELD)
    elif standing is not None:
        assert standing.latest.state is AckState.HELD
