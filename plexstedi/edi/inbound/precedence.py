"""Which answer counts, and what it answers (RULES.md Reading 12 and 13). The order of arrival never matters."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import TypeAlias

from plexstedi.edi.inbound.outcome import AckState, LineOutcome
from plexstedi.edi.inbound.reading.acknowledgment import Acknowledgment
from plexstedi.edi.order import Frozen
from plexstedi.edi.plain_values import plain_whole

ONE_DAY = timedelta(days=1)
"""How far the supplier's own calendar day may be from the day in UTC: time zones go from -12 to +14 hours."""


def usable_date(dated: date | None, processed_at: datetime, ordered_on: date | None) -> date | None:
    """BAK09 or BCA10 as far as it can be the day of the answer; None: the time of processing counts
    (RULES.md Reading 12).

    It can be from the day before the order's date (None: not known) to the day after Stedi processed it.
    """
    if dated is None or dated > day_of(processed_at) + ONE_DAY:
        return None
    if ordered_on is not None and ordered_on.toordinal() - dated.toordinal() > 1:
        return None
    return dated


def day_of(at: datetime) -> date:
    """The day in UTC."""
    return at.astimezone(UTC).date()


def date_note(dated: date | None, processed_at: datetime, ordered_on: date | None) -> str | None:
    """What is to be said of a date that is not usable; None: it is."""
    if usable_date(dated, processed_at, ordered_on) is not None:
        return None
    counts = f"its processing time, {processed_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC, is used"
    if dated is None:
        return f"it has no date: {counts}"
    return f"its date {dated} cannot be the day it was written: {counts}"


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
    """BAK09 or BCA10 where it is usable."""
    processed_at: datetime
    outdated: bool = False
    """A later document of ours outdated it: the same content once more is said anew, and no repetition."""


def duplicate_of(received: Received, earlier: Iterable[Received]) -> str | None:
    """The transaction that this document repeats, None if it is new (RULES.md Reading 12).

    The same transaction; or from the same sender the same content, with the same ISA13, GS06 and ST02 or the same date.
    """
    for other in earlier:
        if other.transaction_id == received.transaction_id:
            return other.transaction_id
        if other.sender != received.sender or other.content != received.content:
            continue
        if _same_controls(other, received):
            return other.transaction_id
        same_day = (other.dated or day_of(other.processed_at)) == (received.dated or day_of(received.processed_at))
        if same_day and not other.outdated:
            return other.transaction_id
    return None


def controls_of(received: Received, earlier: Iterable[Received]) -> str | None:
    """The transaction whose control numbers this one has again, with another content; None if there is none."""
    same = (o for o in earlier if o.sender == received.sender and o.transaction_id != received.transaction_id)
    return next((o.transaction_id for o in same if _same_controls(o, received) and o.content != received.content), None)


def _same_controls(one: Received, other: Received) -> bool:
    return _controls(one) is not None and _controls(one) == _controls(other)


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

    RESPONSE = "answer"
    """It answers a document of ours."""
    SELLER = "seller"
    """An 865 of the seller's own: a wish to change (RULES.md Reading 13)."""


@dataclass(frozen=True, slots=True)
class AcknowledgedDocuments:
    """What an answer speaks of."""

    position: int
    """The last document of ours that it can answer."""
    changed_since: frozenset[int]
    """Lines that a later document of ours has changed: not to be touched."""
    initiative: Initiative
    undecided: frozenset[int] = frozenset()
    """Lines that `position`, or a document before it, changed so shortly before or after that no date tells whether the
    answer knows of it: their values decide."""
    since: int = 0
    """The first document that it can answer for these lines."""
    named: bool = False
    """By its change sequence, which leaves nothing to be decided."""


@dataclass(frozen=True, slots=True)
class UnknownChangeSequence:
    """The answer names a change sequence (BCA05) that was never sent: a person decides."""

    change_sequence: str


def acknowledged_documents(
    acknowledgment: Acknowledgment,
    processed_at: datetime,
    documents: Sequence[SentDocument],
    ordered_on: date | None = None,
) -> AcknowledgedDocuments | UnknownChangeSequence:
    """Which of our documents (at least one, in the order sent) this answer answers (RULES.md Reading 13).

    A change sequence that it names decides; else its date, a day more or less, against the day we sent (UTC). What was
    processed before we sent cannot know of it, whatever its date. An 865 that cannot answer an 860 is the seller's own.
    """
    named = acknowledgment.change_sequence
    sequence = None if named is None else plain_whole(named)
    is_named = named is not None and sequence != 0
    if named is not None and is_named:
        found = [d for d in documents if sequence is not None and d.change_sequence == sequence]
        if not found and any(d.change_sequence is not None for d in documents):
            return UnknownChangeSequence(named)
        last = found[-1] if found else documents[0]
        first = last
    else:
        dated = usable_date(acknowledgment.dated, processed_at, ordered_on) or day_of(processed_at)
        first, last = _by_date(dated, processed_at, documents)
    is_own = acknowledgment.set_id == "865" and not any(
        d.change_sequence is not None and d.position <= last.position for d in documents
    )
    return AcknowledgedDocuments(
        position=last.position,
        changed_since=_changed(d for d in documents if d.position > last.position),
        initiative=Initiative.SELLER if is_own else Initiative.RESPONSE,
        undecided=_changed(d for d in documents if first.position < d.position <= last.position),
        since=first.position,
        named=is_named,
    )


def _changed(documents: Iterable[SentDocument]) -> frozenset[int]:
    return frozenset[int]().union(*(document.changed for document in documents))


def _by_date(
    dated: date, processed_at: datetime, documents: Sequence[SentDocument]
) -> tuple[SentDocument, SentDocument]:
    """The last document that it surely knows, and the last that it can know."""
    surely = possibly = documents[0]
    for document in documents[1:]:
        sent_on = day_of(document.sent_at)
        if processed_at < document.sent_at or dated < sent_on - ONE_DAY:
            break
        possibly = document
        if dated > sent_on + ONE_DAY:
            surely = document
    return surely, possibly


def _confirmations_before_wholes(best_first: list[_Ranked]) -> list[_Ranked]:
    """The newest answers, as far as they accept as a whole what an older one confirms, behind that one."""
    wholes = list(takewhile(lambda pair: pair[0].whole, best_first))
    rest = best_first[len(wholes) :]
    if rest and rest[0][0].state in (AckState.CONFIRMED, AckState.CHANGED):
        return [rest[0], *wholes, *rest[1:]]
    return best_first


class AcknowledgmentHeader(Frozen):
    """What one answer says of the order as a whole, for the write plan."""

    transaction_id: str
    """Stedi's id of the transaction."""
    type_code: str
    """BAK02, BCA02."""
    supplier_reference: str | None = None
    """BAK08, BCA09."""
    dated: date | None = None
    """BAK09 or BCA10 where it is usable (`usable_date`)."""
    processed_at: datetime
    """UTC."""


def is_newer(one: AcknowledgmentHeader, other: AcknowledgmentHeader) -> bool:
    """Whether it counts rather than the other (RULES.md Reading 12).

    Two usable dates decide only if they lie more than a day apart: a supplier's calendar can be a day off from ours.
    """
    if one.dated is not None and other.dated is not None and abs(one.dated - other.dated) > ONE_DAY:
        return one.dated > other.dated
    return (one.processed_at, one.transaction_id) > (other.processed_at, other.transaction_id)


def newest_first(headers: Iterable[AcknowledgmentHeader]) -> list[AcknowledgmentHeader]:
    """The answers, the one that counts first; the same whatever the order in which they came in.

    `is_newer` is no order (of three answers each can be newer than the next), so they are taken as Stedi processed
    them, each before the first that it is newer than. One that is newer than all others comes first.
    """
    found: list[AcknowledgmentHeader] = []
    by_time = {header.transaction_id: header for header in headers}
    for header in sorted(by_time.values(), key=lambda h: (h.processed_at, h.transaction_id)):
        position = next((i for i, other in enumerate(found) if is_newer(header, other)), len(found))
        found.insert(position, header)
    return found


class RankedAcknowledgment(Frozen):
    """One answer with its outcomes: after `review accept` the accepted ones, without those that a person rejected."""

    header: AcknowledgmentHeader
    position: int = 0
    """The document of ours that it answers (`Answers.position`)."""
    outcomes: tuple[LineOutcome, ...] = ()


_Ranked: TypeAlias = tuple[LineOutcome, AcknowledgmentHeader]


@dataclass(frozen=True, slots=True)
class LineAckStatus:
    """Where a line stands after all answers."""

    latest: LineOutcome
    """What the answer that counts says; it may be held or rejected."""
    latest_from: AcknowledgmentHeader
    applied: LineOutcome | None
    """What may stand in Plex: the newest that applies; an older one while `latest` waits for a person."""
    applied_from: AcknowledgmentHeader | None


@dataclass(frozen=True, slots=True)
class Folded:
    """All answers of one order, folded into one picture."""

    lines: Mapping[int, LineAckStatus]
    """By Plex line number, ascending."""
    header: AcknowledgmentHeader | None
    """Of the newest answer that something in Plex comes from; None if nothing does."""


def fold(acknowledgments: Iterable[RankedAcknowledgment], changes: Collection[SentDocument] = ()) -> Folded:
    """The state per line: the newest answer wins, whatever the order of arrival (RULES.md Reading 12).

    An outcome that only follows from a setting counts for lines that no answer names. An answer that accepts the order
    as a whole supersedes like one that lists the line, except where an older one confirms it: that says the same, with
    dates. What was said of a line before a later document (`changes`) changed it no longer counts.
    """
    outcomes: dict[int, dict[str, _Ranked]] = {}
    for acknowledgment in acknowledgments:
        for outcome in acknowledgment.outcomes:
            knows = acknowledgment.position if outcome.knows is None else outcome.knows
            if any(outcome.line in d.changed for d in changes if d.position > knows):
                continue
            outcomes.setdefault(outcome.line, {})[acknowledgment.header.transaction_id] = (
                outcome,
                acknowledgment.header,
            )
    lines: dict[int, LineAckStatus] = {}
    for number in sorted(outcomes):
        by_id = outcomes[number]
        best_first = [by_id[header.transaction_id] for header in newest_first(h for _, h in by_id.values())]
        best_first = _confirmations_before_wholes(_effective(best_first))
        applied = next(((o, h) for o, h in best_first if o.applies), None)
        lines[number] = LineAckStatus(
            best_first[0][0],
            best_first[0][1],
            applied[0] if applied else None,
            applied[1] if applied else None,
        )
    sources = newest_first(line.applied_from for line in lines.values() if line.applied_from is not None)
    return Folded(lines, sources[0] if sources else None)


def _effective(best_first: list[_Ranked]) -> list[_Ranked]:
    """Those that name the line; else those that accept it without naming it, which being left out never undoes."""
    named = [pair for pair in best_first if pair[0].listed or (pair[0].whole and pair[0].applies)]
    accepting = [pair for pair in best_first if pair[0].applies]
    return named or accepting or best_first
