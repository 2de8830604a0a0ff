"""Which answer counts, and what it answers (RULES Reading 12 and 13). The order of arrival never matters."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import takewhile
from typing import TypeAlias

from plexstedi.edi.inbound.acknowledgment import Acknowledgment
from plexstedi.edi.inbound.outcome import AckState, LineOutcome
from plexstedi.edi.order import Frozen
from plexstedi.edi.plain_values import plain_whole


def answer_date(dated: date | None, processed_at: datetime) -> date:
    """The date of an answer: BAK09 or BCA10, else the UTC date on which Stedi processed it."""
    return dated if dated is not None else processed_at.date()


class Received(Frozen):
    """What tells one received document from another."""

    transaction_id: str
    sender: str
    """The sender's interchange id, or the partnership."""
    interchange_control: int | None = None
    """ISA13."""
    group_control: int | None = None
    """GS06."""
    transaction_control: str | None = None
    """ST02."""
    content: str
    """`content_fingerprint` of the acknowledgment."""
    dated: date | None
    processed_at: datetime


def duplicate_of(received: Received, earlier: Iterable[Received]) -> str | None:
    """The transaction that this document repeats, None if it is new (RULES Reading 12).

    The same transaction; or the same sender, ISA13, GS06 and ST02; or the same content and date from that sender.
    """
    for other in earlier:
        if other.transaction_id == received.transaction_id:
            return other.transaction_id
        if other.sender != received.sender:
            continue
        if _controls(other) is not None and _controls(other) == _controls(received):
            return other.transaction_id
        same_day = answer_date(other.dated, other.processed_at) == answer_date(received.dated, received.processed_at)
        if other.content == received.content and same_day:
            return other.transaction_id
    return None


def _controls(received: Received) -> tuple[int, int, str] | None:
    interchange, group, control = received.interchange_control, received.group_control, received.transaction_control
    if interchange is None or group is None or control is None:
        return None
    return interchange, group, control.strip().lstrip("0")


@dataclass(frozen=True, slots=True)
class SentDocument:
    """One 850 or 860 of a stream, for the question what an answer answers."""

    position: int
    """Counts the documents of the stream in the order sent, from 0."""
    sent_at: datetime
    """UTC."""
    change_sequence: int | None = None
    """BCH05 of an 860; None for an 850."""
    changed: frozenset[int] = frozenset()
    """Lines that differ from the document before it."""


class Initiative(StrEnum):
    """Who began."""

    ANSWER = "answer"
    """It answers a document of ours."""
    SELLER = "seller"
    """An 865 of the seller's own: a wish to change (RULES Reading 13)."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What an answer speaks of."""

    position: int
    """The document of ours that it answers."""
    changed_since: frozenset[int]
    """Lines that a later document of ours has changed: not to be touched."""
    initiative: Initiative


@dataclass(frozen=True, slots=True)
class AnswersNothingSent:
    """The answer names a change sequence (BCA05) that was never sent: a person decides."""

    change_sequence: str


def what_it_answers(
    acknowledgment: Acknowledgment, processed_at: datetime, documents: Sequence[SentDocument]
) -> Answers | AnswersNothingSent:
    """Which of our documents (at least one, in the order sent) this answer answers (RULES Reading 13).

    A change sequence that it names decides; else its date against the day we sent (UTC), on the same day the time at
    which it was processed. An 865 that cannot answer an 860 is the seller's own.
    """
    named = acknowledgment.change_sequence
    sequence = None if named is None else plain_whole(named)
    if named is not None and sequence != 0:
        found = [d for d in documents if sequence is not None and d.change_sequence == sequence]
        if not found and any(d.change_sequence is not None for d in documents):
            return AnswersNothingSent(named)
        answered = found[-1] if found else documents[0]
    else:
        answered = _by_date(answer_date(acknowledgment.dated, processed_at), processed_at, documents)
    later = [d.changed for d in documents if d.position > answered.position]
    is_own = acknowledgment.set_id == "865" and not any(
        d.change_sequence is not None and d.position <= answered.position for d in documents
    )
    return Answers(
        answered.position,
        frozenset[int]().union(*later),
        Initiative.SELLER if is_own else Initiative.ANSWER,
    )


def _by_date(dated: date, processed_at: datetime, documents: Sequence[SentDocument]) -> SentDocument:
    """The last document sent before the answer: it cannot know what went out after it came in, whatever its date."""
    for document in reversed(documents):
        if processed_at >= document.sent_at and dated >= document.sent_at.date():
            return document
    return documents[0]


def _confirmations_before_wholes(best_first: list[_Said]) -> list[_Said]:
    """The newest answers, as far as they accept as a whole what an older one confirms, behind that one."""
    wholes = list(takewhile(lambda said: said[0].whole, best_first))
    rest = best_first[len(wholes) :]
    if rest and rest[0][0].state in (AckState.CONFIRMED, AckState.CHANGED):
        return [rest[0], *wholes, *rest[1:]]
    return best_first


class AnswerHeader(Frozen):
    """What one answer says of the order as a whole, for the write plan."""

    transaction_id: str
    """Stedi's id of the transaction."""
    type_code: str
    """BAK02, BCA02."""
    supplier_reference: str | None = None
    """BAK08, BCA09."""
    dated: date | None = None
    processed_at: datetime
    """UTC."""


class Answer(Frozen):
    """One answer with its outcomes: after `review accept` the accepted ones, without those that a person rejected."""

    header: AnswerHeader
    position: int = 0
    """The document of ours that it answers (`Answers.position`)."""
    outcomes: tuple[LineOutcome, ...] = ()


_Rank: TypeAlias = tuple[bool, date, datetime, str]
_Said: TypeAlias = tuple[LineOutcome, AnswerHeader]


@dataclass(frozen=True, slots=True)
class LineStanding:
    """Where a line stands after all answers."""

    latest: LineOutcome
    """What the answer that counts says; it may be held or rejected."""
    latest_from: AnswerHeader
    applied: LineOutcome | None
    """What may stand in Plex: the newest that applies; an older one while `latest` waits for a person."""
    applied_from: AnswerHeader | None


@dataclass(frozen=True, slots=True)
class Folded:
    """All answers of one order, folded into one picture."""

    lines: Mapping[int, LineStanding]
    """By Plex line number, ascending."""
    header: AnswerHeader | None
    """Of the newest answer that something in Plex comes from; None if nothing does."""


def fold(answers: Iterable[Answer], changes: Collection[SentDocument] = ()) -> Folded:
    """The state per line: the newest answer wins, whatever the order of arrival (RULES Reading 12).

    An outcome that only follows from a setting counts for lines that no answer names. An answer that accepts the order
    as a whole supersedes like one that lists the line, except where an older one confirms it: that says the same, with
    dates. What was said of a line before a later document (`changes`) changed it no longer counts.
    """
    ranked: dict[int, dict[_Rank, tuple[LineOutcome, AnswerHeader]]] = {}
    for answer in answers:
        header = answer.header
        for outcome in answer.outcomes:
            if any(outcome.line in d.changed for d in changes if d.position > answer.position):
                continue
            rank = (
                outcome.listed or (outcome.whole and outcome.applies),
                answer_date(header.dated, header.processed_at),
                header.processed_at,
                header.transaction_id,
            )
            ranked.setdefault(outcome.line, {})[rank] = (outcome, header)
    lines: dict[int, LineStanding] = {}
    newest: tuple[tuple[date, datetime, str], AnswerHeader] | None = None
    for number in sorted(ranked):
        named = any(rank[0] for rank in ranked[number])
        best_first = [ranked[number][rank] for rank in sorted(ranked[number], reverse=True) if rank[0] or not named]
        best_first = _confirmations_before_wholes(best_first)
        applied = next(((o, h) for o, h in best_first if o.applies), None)
        lines[number] = LineStanding(
            best_first[0][0],
            best_first[0][1],
            applied[0] if applied else None,
            applied[1] if applied else None,
        )
        if applied is not None:
            header = applied[1]
            rank_of = (answer_date(header.dated, header.processed_at), header.processed_at, header.transaction_id)
            if newest is None or rank_of > newest[0]:
                newest = (rank_of, header)
    return Folded(lines, newest[1] if newest else None)
