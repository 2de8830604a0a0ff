"""Match an acknowledgment to an order and its lines (RULES.md Reading 10 and 11)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct

from plexstedi.edi.inbound.reading.acknowledgment import AcknowledgedLine
from plexstedi.edi.plain_values import MOST_DIGITS, is_digits, plain_number
from plexstedi.edi.reasons import Reason
from plexstedi.edi.sent import SentLine, SentSchedule


class Candidate(Struct, frozen=True):
    """An order (or a release sent as an order of its own) that an acknowledgment may refer to."""

    order_id: str
    number: str
    partnership_ids: frozenset[str]
    """Partnerships of its documents, and the current one of its supplier."""
    release: str | None = None
    """BEG04, if releases are sent as orders of their own."""


class Matched(Struct, frozen=True):
    """The matching order; `exactly` is False if the number had to be normalised."""

    candidate: Candidate
    exactly: bool


class UnknownOrder(Struct, frozen=True):
    """No order of this supplier has that number: kept, and tried again in each run."""

    number: str


class AmbiguousOrder(Struct, frozen=True):
    """Several orders of this supplier, or releases of one, match: needs review."""

    number: str
    candidates: tuple[Candidate, ...]
    release: str | None = None
    """Release number as in the acknowledgment."""


class OtherSupplier(Struct, frozen=True):
    """The number is that of another supplier's order: nothing is applied, needs review."""

    number: str
    candidates: tuple[Candidate, ...]


class OtherPlant(Struct, frozen=True):
    """Neither the configuration nor any document has the partnership: only counted."""

    partnership_id: str


OrderMatch: TypeAlias = Matched | UnknownOrder | AmbiguousOrder | OtherSupplier | OtherPlant


def match_order(
    number: str,
    release: str | None,
    partnership_id: str,
    candidates: Sequence[Candidate],
    partnerships: Collection[str],
) -> OrderMatch:
    """Match by order number. `partnerships` are all that the configuration or a document has.

    Exact, else ignoring outer blanks, case and leading zeros if only one order matches (RULES.md Reading 10).
    """
    if partnership_id not in partnerships:
        return OtherPlant(partnership_id)
    # Two suppliers may use the same order number, so only orders of the sending partnership can match.
    own = [c for c in candidates if partnership_id in c.partnership_ids]
    exact = [c for c in own if c.number == number]
    found = exact or [c for c in own if _normal(c.number) == _normal(number)]
    if len(found) > 1:
        same_release = [c for c in found if _normal(c.release or "") == _normal(release or "")]
        if len({c.number for c in found}) == 1 and len(same_release) == 1:
            found = same_release
    # The only release sent so far is not meant where the acknowledgment names another one.
    if len(found) == 1 and not _names_another_release(found[0], release):
        return Matched(found[0], bool(exact))
    if found:
        return AmbiguousOrder(number, tuple(found), release)
    others = tuple(
        c for c in candidates if partnership_id not in c.partnership_ids and _normal(c.number) == _normal(number)
    )
    return OtherSupplier(number, others) if others else UnknownOrder(number)


def _names_another_release(candidate: Candidate, release: str | None) -> bool:
    return candidate.release is not None and bool(release) and _normal(candidate.release) != _normal(release or "")


def why_ambiguous(match: AmbiguousOrder) -> Reason:
    """Reason: several orders match, or the releases were sent as separate orders and the release is not named."""
    where = f"order {match.number}"
    releases = [c.release for c in match.candidates if c.release is not None]
    if len({c.number for c in match.candidates}) > 1 or not releases:
        numbers = ", ".join(dict.fromkeys(c.number for c in match.candidates))
        return Reason(
            code="order-ambiguous",
            where=where,
            message=f"the number could refer to {numbers}",
            fix="Ask the supplier to return the order number exactly as it was sent.",
        )
    why = "it has no release (BAK05)" if not match.release else f"its release (BAK05) {match.release} is unknown"
    return Reason(
        code="order-ambiguous",
        where=where,
        message=f"{why}, and the releases of this order were sent as separate orders: {', '.join(releases)}",
        fix="Ask the supplier to send it again with the release as it was sent (BEG04 of the 850, BAK05 of the 855).",
    )


def _normal(text: str) -> str:
    return text.strip().casefold().lstrip("0")


class LineMatch(Struct, frozen=True):
    """A line of the acknowledgment matched to an order line, or to a release that was sent as a line."""

    acknowledged: AcknowledgedLine
    line: SentLine
    schedule: SentSchedule | None = None


class NoLine(Struct, frozen=True):
    """A line of the acknowledgment that is not in the order."""

    acknowledged: AcknowledgedLine


class AmbiguousLine(Struct, frozen=True):
    """A line of the acknowledgment that matches several order lines."""

    acknowledged: AcknowledgedLine
    candidates: tuple[SentLine, ...]
    why: str


_FAMILIES = (frozenset({"BP", "IN", "PN", "CB"}), frozenset({"VP", "VN", "VC"}), frozenset({"MG"}))
"""Element 235 qualifiers by who assigns the number: buyer, seller, manufacturer."""


_FAMILY = {qualifier: index for index, family in enumerate(_FAMILIES) for qualifier in family}
_ID_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_Id: TypeAlias = tuple[Decimal | str, ...]


class LineIndex:
    """Index of the order lines as sent, by number and by part; built once per acknowledgment."""

    def __init__(self, lines: Sequence[SentLine]) -> None:
        self._by_id: dict[_Id, tuple[SentLine, SentSchedule | None]] = {}
        self._by_part: dict[tuple[int, str], dict[int, SentLine]] = {}
        for line in lines:
            for schedule in line.schedules:
                if schedule.assigned_id is not None:
                    self._by_id.setdefault(_id_parts(schedule.assigned_id), (line, schedule))
        for line in lines:
            self._by_id.setdefault(_id_parts(str(line.line)), (line, None))
            for key in _part_keys((line.items,)):
                self._by_part.setdefault(key, {})[line.line] = line

    def by_assigned_id(self, written: str) -> tuple[SentLine, SentSchedule | None] | None:
        """The line, or release sent as a line, with this PO101. Numbers are compared as numbers."""
        return self._by_id.get(_id_parts(written))

    def by_part(self, acknowledged: AcknowledgedLine) -> list[SentLine]:
        """Lines with the same part, in the order sent; the buyer's number has precedence over the seller's."""
        found = {number: line for lines in self._of_part(acknowledged) for number, line in lines.items()}
        return [found[number] for number in sorted(found)]

    def has_another_part(self, acknowledged: AcknowledgedLine, line: SentLine) -> bool:
        """Whether the part is that of other lines only. A part may be on all lines, so these are not listed for it."""
        if stated_items(acknowledged) == (line.items,):
            # Like most lines: it repeats the numbers sent.
            return False
        found = self._of_part(acknowledged)
        return bool(found) and line not in [lines.get(line.line) for lines in found]

    def _of_part(self, acknowledged: AcknowledgedLine) -> Sequence[Mapping[int, SentLine]]:
        """Lines by number, for each number of the family that decides."""
        keys = [key for key in _part_keys(stated_items(acknowledged)) if key in self._by_part]
        decisive = min([family for family, _ in keys], default=None)
        return [self._by_part[key] for key in keys if key[0] == decisive]


def stated_items(acknowledged: AcknowledgedLine) -> tuple[Mapping[str, str], ...]:
    """Item numbers by qualifier, for each place that states some."""
    places = (acknowledged.items, *acknowledged.other_items, *[detail.items for detail in acknowledged.details])
    return tuple([items for items in places if items])


def _part_keys(stated: Sequence[Mapping[str, str]]) -> set[tuple[int, str]]:
    return {
        (_FAMILY[qualifier], _part(item))
        for items in stated
        for qualifier, item in items.items()
        if qualifier in _FAMILY
    }


def match_line(acknowledged: AcknowledgedLine, index: LineIndex) -> LineMatch | NoLine | AmbiguousLine:
    """Match by PO101, or by part if PO101 is missing or unknown (RULES.md Reading 11)."""
    by_id = index.by_assigned_id(acknowledged.assigned_id) if acknowledged.assigned_id is not None else None
    if by_id is not None and not index.has_another_part(acknowledged, by_id[0]):
        return LineMatch(acknowledged, *by_id)
    by_part = index.by_part(acknowledged)
    numbers = ", ".join(str(line.line) for line in by_part)
    if by_id is not None:
        # Number and part contradict each other: choosing either could confirm the wrong line.
        line, _ = by_id
        why = f"its number {acknowledged.assigned_id} is line {line.line}, its part is that of line {numbers}"
        return AmbiguousLine(acknowledged, (line, *by_part), why)
    if len(by_part) == 1:
        return LineMatch(acknowledged, by_part[0])
    if by_part:
        return AmbiguousLine(acknowledged, tuple(by_part), f"lines {numbers} have the same part")
    return NoLine(acknowledged)


def match_deleted(acknowledged: AcknowledgedLine, index: LineIndex, deleted: LineIndex) -> LineMatch | None:
    """Match by PO101 to a line that earlier documents deleted, if it has its part; a line of today has precedence."""
    written = acknowledged.assigned_id
    if written is None or index.by_assigned_id(written) is not None:
        return None
    found = deleted.by_assigned_id(written)
    return None if found is None or other_items(acknowledged, found[0]) else LineMatch(acknowledged, *found)


def _id_parts(written: str) -> _Id:
    """A normalised id: `0010-01` equals `10-1`."""
    if len(written) <= MOST_DIGITS and is_digits(written):
        return (Decimal(written),)
    parts: list[Decimal | str] = []
    for part in re.split(r"\s*-\s*", written.strip()):
        number = plain_number(part) if _ID_NUMBER.fullmatch(part) else None
        parts.append(part.casefold() if number is None else number)
    return tuple(parts)


def other_items(acknowledged: AcknowledgedLine, line: SentLine) -> tuple[str, ...]:
    """Descriptions of item numbers that differ from those sent.

    They are compared under the same qualifier. A place that states none of the numbers sent, but another number of the
    same side (IN or CB for the BP sent, VN for the VP sent), names another part, too.
    """
    found: list[str] = []
    for items in stated_items(acknowledged):
        if items.items() <= line.items.items():
            continue
        differing = [(q, item, line.items[q]) for q, item in items.items() if q in line.items]
        found += [f"{q} {item} instead of {sent}" for q, item, sent in differing if _part(sent) != _part(item)]
        found += _other_of_a_side(items, line)
    return tuple(dict.fromkeys(found)) if found else ()


def _other_of_a_side(items: Mapping[str, str], line: SentLine) -> list[str]:
    if _part_keys((items,)) & _part_keys((line.items,)):
        return []
    return [
        f"{stated} {items[stated]} instead of {sent} {line.items[sent]}"
        for family in _FAMILIES
        if not family & items.keys() & line.items.keys()
        for stated in sorted(family & items.keys())
        for sent in sorted(family & line.items.keys())[:1]
    ]


def _part(item: str) -> str:
    return item.strip().casefold()
