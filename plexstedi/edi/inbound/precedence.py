"""Which acknowledgment counts, and which document it acknowledges (RULES.md Reading 12 and 13).

The result does not depend on the order of arrival.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from plexstedi.edi.inbound.outcome import SELLER_CHANGE, AckState, LineOutcome, Reconciliation
from plexstedi.edi.model import Frozen
from plexstedi.edi.plain_values import plain_whole

if TYPE_CHECKING:
    # `status` needs the precedence, and reads no document.
    from plexstedi.edi.inbound.reading.acknowledgment import Acknowledgment

ONE_DAY = timedelta(days=1)
"""How far a supplier's calendar day may differ from the UTC day: time zones range from -12 to +14 hours."""


def usable_date(dated: date | None, processed_at: datetime, ordered_on: date | None) -> date | None:
    """BAK09 or BCA10 if it is plausible; None: the processing time is used instead (RULES.md Reading 12).

    Plausible is from the day before the order date (None: unknown) to the day after Stedi processed the file.
    """
    if dated is None or dated > day_of(processed_at) + ONE_DAY:
        return None
    if ordered_on is not None and ordered_on.toordinal() - dated.toordinal() > 1:
        return None
    return dated


def day_of(at: datetime) -> date:
    """The UTC day of an instant."""
    return at.astimezone(UTC).date()


def date_note(dated: date | None, processed_at: datetime, ordered_on: date | None) -> str | None:
    """Note about a date that is not usable; None if it is."""
    if usable_date(dated, processed_at, ordered_on) is not None:
        return None
    counts = f"its processing time, {processed_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC, is used"
    if dated is None:
        return f"it has no date: {counts}"
    return f"its date {dated} cannot be the day it was written: {counts}"


class ReceivedDocument(Frozen, frozen=True, kw_only=True):
    """Identity of a received document, for finding duplicates."""

    transaction_id: str
    sender: str
    """Interchange id of the sender, or the partnership."""
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
    """A later document of ours outdated it: the same content received again is new, not a duplicate."""


def duplicate_of(received: ReceivedDocument, earlier: Iterable[ReceivedDocument]) -> str | None:
    """The transaction that this document duplicates, None if it is new (RULES.md Reading 12).

    A duplicate is the same transaction, or the same content of the same sender with equal ISA13, GS06 and ST02 or
    equal date.
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


def controls_of(received: ReceivedDocument, earlier: Iterable[ReceivedDocument]) -> str | None:
    """The transaction with the same control numbers but other content; None if there is none."""
    same = (o for o in earlier if o.sender == received.sender and o.transaction_id != received.transaction_id)
    return next((o.transaction_id for o in same if _same_controls(o, received) and o.content != received.content), None)


def _same_controls(one: ReceivedDocument, other: ReceivedDocument) -> bool:
    return _controls(one) is not None and _controls(one) == _controls(other)


def _controls(received: ReceivedDocument) -> tuple[int, int, str] | None:
    interchange, group, control = received.interchange_control, received.group_control, received.transaction_control
    if interchange is None or group is None or control is None:
        return None
    return interchange, group, control.strip().lstrip("0")


class SentDocument(Struct, frozen=True):
    """One 850 or 860 of a stream, a candidate for being acknowledged."""

    position: int
    """Position in the stream in the order sent, from 0."""
    sent_at: datetime
    """UTC."""
    change_sequence: int | None = None
    """BCH05 of an 860; None for an 850."""
    changed: frozenset[int] = frozenset()
    """Lines that differ from the document before it."""


class Initiative(StrEnum):
    """Who initiated the document."""

    RESPONSE = "answer"
    """It acknowledges a document of ours."""
    SELLER = "seller"
    """A seller-initiated 865: a requested change (RULES.md Reading 13)."""


class AcknowledgedDocuments(Struct, frozen=True):
    """The documents of ours that an acknowledgment refers to."""

    position: int
    """Position of the last document that it may acknowledge."""
    changed_since: frozenset[int]
    """Lines changed by a later document: not changed by this acknowledgment."""
    initiative: Initiative
    undecided: frozenset[int] = frozenset()
    """Lines changed so close to the date of the acknowledgment that dates cannot determine which version it refers to:
    their values decide."""
    since: int = 0
    """Position of the first document that it may acknowledge for these lines."""
    named: bool = False
    """Determined by its change sequence (BCA05), so values need not decide."""


class UnknownChangeSequence(Struct, frozen=True):
    """BCA05 is a change sequence that was never sent: needs review."""

    change_sequence: str


def acknowledged_documents(
    acknowledgment: Acknowledgment,
    processed_at: datetime,
    documents: Sequence[SentDocument],
    ordered_on: date | None = None,
) -> AcknowledgedDocuments | UnknownChangeSequence:
    """Determine which of `documents` (at least one, in the order sent) is acknowledged (RULES.md Reading 13).

    A change sequence (BCA05) decides; else the date, with one day of tolerance, compared with the UTC day of sending.
    An acknowledgment processed before a document was sent cannot acknowledge it, whatever its date. An 865 that cannot
    acknowledge an 860 is seller-initiated.
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
    """The last document that it certainly acknowledges, and the last that it may acknowledge."""
    certain = possible = documents[0]
    for document in documents[1:]:
        sent_on = day_of(document.sent_at)
        # Documents are in the order sent: if this one is too late to be acknowledged, so are all that follow.
        if processed_at < document.sent_at or dated < sent_on - ONE_DAY:
            break
        possible = document
        if dated > sent_on + ONE_DAY:
            certain = document
    return certain, possible


def _confirmations_before_wholes(best_first: list[_Ranked]) -> list[_Ranked]:
    """Move the newest acceptances of the whole order behind an older acknowledgment that confirms the line."""
    wholes = list(takewhile(lambda pair: pair[0].whole, best_first))
    rest = best_first[len(wholes) :]
    if rest and rest[0][0].state in (AckState.CONFIRMED, AckState.CHANGED):
        return [rest[0], *wholes, *rest[1:]]
    return best_first


class AcknowledgmentHeader(Frozen, frozen=True, kw_only=True):
    """Document-level values of an acknowledgment, for the write plan."""

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
    """Whether `one` has precedence over `other` (RULES.md Reading 12).

    Two usable dates decide only if they are more than one day apart, since a supplier's calendar day may differ from
    the UTC day.
    """
    if one.dated is not None and other.dated is not None and abs(one.dated - other.dated) > ONE_DAY:
        return one.dated > other.dated
    return (one.processed_at, one.transaction_id) > (other.processed_at, other.transaction_id)


def newest_first(headers: Iterable[AcknowledgmentHeader]) -> list[AcknowledgmentHeader]:
    """Sort by precedence, highest first; independent of the order of arrival.

    `is_newer` is not transitive, so the acknowledgments are inserted in the order of processing, each before the first
    that it is newer than. One that is newer than all others comes first.
    """
    found: list[AcknowledgmentHeader] = []
    by_time = {header.transaction_id: header for header in headers}
    for header in sorted(by_time.values(), key=lambda h: (h.processed_at, h.transaction_id)):
        position = next((i for i, other in enumerate(found) if is_newer(header, other)), len(found))
        found.insert(position, header)
    return found


class RankedAcknowledgment(Frozen, frozen=True, kw_only=True):
    """One acknowledgment with its outcomes: accepted ones as accepted, without those rejected in a review."""

    header: AcknowledgmentHeader
    position: int = 0
    """Position of the acknowledged document (`AcknowledgedDocuments.position`)."""
    outcomes: tuple[LineOutcome, ...] = ()


_Ranked: TypeAlias = tuple[LineOutcome, AcknowledgmentHeader]


class LineAckStatus(Struct, frozen=True):
    """Current state of a line from all acknowledgments."""

    latest: LineOutcome
    """Outcome of the acknowledgment that counts; may be held or rejected."""
    latest_from: AcknowledgmentHeader
    applied: LineOutcome | None
    """Outcome to write to Plex: the newest that applies; an older one while `latest` is under review."""
    applied_from: AcknowledgmentHeader | None


class Folded(Struct, frozen=True):
    """All acknowledgments of one order, combined."""

    lines: Mapping[int, LineAckStatus]
    """By Plex line number, ascending."""
    header: AcknowledgmentHeader | None
    """Header of the newest acknowledgment with applied values; None if there is none."""


def fold(acknowledgments: Iterable[RankedAcknowledgment], changes: Collection[SentDocument] = ()) -> Folded:
    """Combine acknowledgments into the current state per line: the newest wins (RULES.md Reading 12).

    An outcome that follows from a setting counts only for lines that no acknowledgment lists. An acceptance of the
    whole order has precedence like one that lists the line, except over an older one that confirms the line: that one
    has the dates. Outcomes of a line from before a later document (`changes`) changed it are ignored.
    """
    outcomes: dict[int, dict[str, _Ranked]] = {}
    for acknowledgment in acknowledgments:
        for outcome in acknowledgment.outcomes:
            knows = acknowledgment.position if outcome.knows is None else outcome.knows
            # The acknowledged version of the line is no longer the current one.
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
    """Outcomes that list the line; else those that accept it without listing it; else all."""
    named = [pair for pair in best_first if pair[0].listed or (pair[0].whole and pair[0].applies)]
    accepting = [pair for pair in best_first if pair[0].applies]
    return named or accepting or best_first


def is_resolved(held: Reconciliation, header: AcknowledgmentHeader, folded: Folded) -> bool:
    """Whether newer acknowledgments state all lines of one that is held as a whole, which leaves nothing to decide.

    A change that the seller requests, and a line that is not on the order, are not resolved by them.
    """
    if held.unmatched or not held.lines or SELLER_CHANGE in {reason.code for reason in held.holds}:
        return False
    found = [folded.lines.get(outcome.line) for outcome in held.lines]
    return all(line is not None and is_newer(line.latest_from, header) for line in found)
