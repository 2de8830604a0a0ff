"""X12 text parsed to a transaction's tree: received raw X12, and what Stedi generated.

`writing.py` writes such a tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, time
from decimal import Decimal
from functools import lru_cache

from msgspec import Struct

from plexstedi.edi.plain_values import MOST_DIGITS, plain_number, plain_whole
from plexstedi.edi.units import plain
from plexstedi.edi.x12.elements import COMPOSITES, segment_def
from plexstedi.edi.x12.raw import BrokenX12Error as BrokenX12Error
from plexstedi.edi.x12.raw import RawInterchange, bare_segments, component_separator, interchanges, is_bare
from plexstedi.edi.x12.sets import SECTIONS, Section, SetEntry, set_def
from plexstedi.edi.x12.transaction import Composite, Loop, Node, Segment, Simple, Transaction, Value


class ParsedTransaction(Struct, frozen=True):
    """One parsed transaction set, with its ST02."""

    control_number: str
    transaction: Transaction


class Group(Struct, frozen=True):
    """One parsed functional group: GS01, GS06, GS08 and its sets."""

    functional_id: str
    control_number: int
    release: str
    transactions: tuple[ParsedTransaction, ...]


class Interchange(Struct, frozen=True):
    """One parsed interchange."""

    sender_qualifier: str
    sender_id: str
    receiver_qualifier: str
    receiver_id: str
    control_number: int
    usage: str
    delimiters: str
    groups: tuple[Group, ...]

    def transactions(self) -> tuple[ParsedTransaction, ...]:
        """Every transaction set, in order."""
        return tuple(parsed for group in self.groups for parsed in group.transactions)


class FoundSet(Struct, frozen=True):
    """One transaction set of a file, with its control numbers; None if the text has no envelope."""

    parsed: ParsedTransaction
    interchange_control: int | None = None
    group_control: int | None = None


def parse(text: str) -> Interchange:
    """Parse one interchange. Raise BrokenX12Error if it is not well formed or not exactly one.

    A value of the wrong type (letters in a quantity) stays text: its reader decides.
    """
    found = parse_file(text)
    if len(found) != 1:
        raise BrokenX12Error(f"the text holds {len(found)} interchanges, one is wanted")
    return found[0]


def parse_file(text: str) -> tuple[Interchange, ...]:
    """Parse every interchange of a file, all or none. Raise BrokenX12Error."""
    return tuple(_read_interchange(raw) for raw in interchanges(text))


def parse_bare(text: str, release: str) -> tuple[ParsedTransaction, ...]:
    """Parse ST to SE without an envelope, in this release (six digits). Raise BrokenX12Error."""
    rows = bare_segments(text)
    return tuple(_transactions(rows, release, component_separator(rows, release)))


def sets_of(text: str, release: str) -> tuple[FoundSet, ...]:
    """Every transaction set of a file, or of a part without envelope, which is parsed in this release.

    Raise BrokenX12Error if one of them is broken.
    """
    if is_bare(text):
        return tuple(FoundSet(parsed) for parsed in parse_bare(text, release))
    return tuple(
        FoundSet(parsed, interchange.control_number, group.control_number)
        for interchange in parse_file(text)
        for group in interchange.groups
        for parsed in group.transactions
    )


def _read_interchange(raw: RawInterchange) -> Interchange:
    groups = tuple(_groups(raw.segments, raw.delimiters[2]))
    _agree("IEA01", raw.trailer, 1, len(groups))
    control = _whole(raw.isa[13], "ISA13")
    _agree("IEA02", raw.trailer, 2, control)
    return Interchange(
        sender_qualifier=raw.isa[5].strip(),
        sender_id=raw.isa[6].strip(),
        receiver_qualifier=raw.isa[7].strip(),
        receiver_id=raw.isa[8].strip(),
        control_number=control,
        usage=raw.isa[15].strip(),
        delimiters=raw.delimiters,
        groups=groups,
    )


def _groups(rows: Sequence[list[str]], component: str) -> Iterator[Group]:
    position = 0
    while position < len(rows):
        opening = rows[position]
        if opening[0] == "TA1":
            position += 1
            continue
        if opening[0] != "GS" or len(opening) < 9:
            raise BrokenX12Error(f"{opening[0]} where GS is wanted")
        end = next((i for i in range(position, len(rows)) if rows[i][0] == "GE"), None)
        if end is None:
            raise BrokenX12Error("GS without GE")
        release = opening[8].strip()[:6]
        control = _whole(opening[6], "GS06")
        sets = tuple(_transactions(rows[position + 1 : end], release, component))
        _agree("GE01", rows[end], 1, len(sets))
        _agree("GE02", rows[end], 2, control)
        yield Group(opening[1].strip(), control, release, sets)
        position = end + 1


def _transactions(rows: Sequence[list[str]], release: str, component: str) -> Iterator[ParsedTransaction]:
    position = 0
    while position < len(rows):
        opening = rows[position]
        if opening[0] != "ST" or len(opening) < 3:
            raise BrokenX12Error(f"{opening[0]} where ST is wanted")
        end = next((i for i in range(position, len(rows)) if rows[i][0] == "SE"), None)
        if end is None:
            raise BrokenX12Error(f"ST {opening[2]} without SE")
        _agree("SE01", rows[end], 1, end - position + 1)
        _same_control(opening[2], rows[end])
        segments = [_read_segment(row, release, component) for row in rows[position + 1 : end]]
        yield ParsedTransaction(opening[2].strip(), _tree(opening[1].strip(), release, segments))
        position = end + 1


def _whole(text: str, where: str) -> int:
    value = plain_whole(text)
    if value is None:
        raise BrokenX12Error(f"{where} is {text[:40]!r}, no number")
    return value


def _same_control(opened: str, closing: list[str]) -> None:
    """Compare ST02 and SE02, as numbers if they are: leading zeros are ignored."""
    closed = closing[2] if len(closing) > 2 else ""
    first, second = plain_whole(opened), plain_whole(closed)
    if (opened.strip() != closed.strip()) if first is None or second is None else first != second:
        raise BrokenX12Error(f"SE02 says {closed[:40]!r}, ST02 says {opened[:40]!r}")


def _agree(where: str, row: list[str], position: int, wanted: int) -> None:
    stated = _whole(row[position], where) if len(row) > position else -1
    if stated != wanted:
        raise BrokenX12Error(f"{where} says {stated}, counted {wanted}")


def _read_segment(row: list[str], release: str, component: str) -> Segment:
    definition = segment_def(row[0], release)
    elements: list[Value | None] = [text if text.strip() else None for text in row[1:]]
    for index, kind in definition.not_texts if definition else ():
        if index >= len(elements):
            break
        text = elements[index]
        if isinstance(text, str):
            elements[index] = _read_value(text, kind, component)
    while elements and elements[-1] is None:
        elements.pop()
    return Segment(row[0], tuple(elements))


def _read_value(text: str, kind: str, component: str) -> Value:
    names = COMPOSITES.get(kind)
    if names is None:
        return _read_simple(text, kind)
    parts = text.split(component)
    kinds = [names[i].kind if i < len(names) else "" for i in range(len(parts))]
    return Composite(
        tuple(_read_simple(part, k) if part.strip() else None for part, k in zip(parts, kinds, strict=True))
    )


_NUMBER = re.compile(r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_DAY = re.compile(r"[0-9]{6}([0-9]{2})?")
_TIME = re.compile(r"[0-9]{4}([0-9]{2})?")
_LONGEST_DAY = len("20260115")


def _read_simple(text: str, kind: str) -> Simple:
    if kind in ("N", "R", "N2"):
        return _read_number(text, kind == "N2") if len(text) <= 2 * MOST_DIGITS else text
    if kind == "D":
        return (_read_date(text) if len(text) <= _LONGEST_DAY else None) or text
    if kind == "T":
        return _read_time(text) or text
    return text


@lru_cache(maxsize=1024)
def _read_number(text: str, cents: bool) -> Decimal | str:
    """The number in canonical form. The same few numbers are in several segments of a line, or in many lines."""
    if not _NUMBER.fullmatch(text):
        return text
    written = f"{text}e-2" if cents else text
    # A number out of bounds stays text, like any other value that is not a number. A short one is within them.
    number = Decimal(written) if len(text) <= MOST_DIGITS else plain_number(written)
    return text if number is None else plain(number)


@lru_cache(maxsize=1024)
def _read_date(text: str) -> date | None:
    """CCYYMMDD, or YYMMDD in releases before 004010 (years from 70 on are 19YY). All lines have the same few days."""
    if not _DAY.fullmatch(text):
        return None
    if len(text) < _LONGEST_DAY:
        text = ("19" if text[:2] >= "70" else "20") + text
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def _read_time(text: str) -> time | None:
    if not _TIME.fullmatch(text):
        return None
    try:
        return time(int(text[:2]), int(text[2:4]), int(text[4:] or "0"))
    except ValueError:
        return None


class _Open(Struct):
    """A loop under construction."""

    entry: SetEntry
    nodes: list[Node]


def _tree(set_id: str, release: str, segments: Sequence[Segment]) -> Transaction:
    """Nest segments into their loops; for an unsupported set all are flat in the heading."""
    definition = set_def(set_id, release)
    if definition is None:
        return Transaction(set_id, release, tuple(segments))
    sections: dict[Section, tuple[Node, ...]] = {}
    remaining = list(segments)
    for index, section in enumerate(SECTIONS):
        # A section begins with the first entry of its definition.
        later = [definition.section(s).entries[:1] for s in SECTIONS[index + 1 :]]
        opening = {entry.id for first in later for entry in first}
        begins = next((i for i, s in enumerate(remaining) if s.id in opening), len(remaining))
        sections[section] = _nest(remaining[:begins], definition.section(section))
        remaining = remaining[begins:]
    return Transaction(set_id, release, sections["heading"], sections["detail"], sections["summary"])


def _nest(segments: Sequence[Segment], section: SetEntry) -> tuple[Node, ...]:
    """Put each segment into the innermost open loop that allows it; one that no loop allows does not close a loop."""
    stack = [_Open(section, [])]

    def close() -> None:
        done = stack.pop()
        stack[-1].nodes.append(Loop(done.entry.id, tuple(done.nodes)))

    for segment in segments:
        entry = stack[-1].entry.find(segment.id)
        if entry is None and any(open_loop.entry.find(segment.id) is not None for open_loop in stack):
            while entry is None:
                close()
                entry = stack[-1].entry.find(segment.id)
        if entry is not None and entry.loop:
            stack.append(_Open(entry, [segment]))
        else:
            stack[-1].nodes.append(segment)
    while len(stack) > 1:
        close()
    return tuple(stack[0].nodes)
