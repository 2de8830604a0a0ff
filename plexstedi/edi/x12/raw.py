"""Raw X12 files: bytes to text, text to interchanges, interchanges to segments, without interpretation.

Tolerated deviations around an interchange: a byte order mark, line ends and blanks before a segment, a missing last
terminator, ^Z (the end-of-file mark of old systems), NULs, and several interchanges in one file. Contradictions are
refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from plexstedi.edi.x12.elements import COMPOSITES, segment_def

_NOISE = " \t\r\n\x00\x1a\ufeff"
"""Characters ignored before a segment and after the last one."""
_ISA_SEPARATORS = (3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103)
"""Positions of the separators in an ISA, whose elements have fixed lengths."""
_ISA_LENGTH = 106
"""Including the segment terminator."""
_SEGMENT_ID = re.compile(r"[A-Z][A-Z0-9]{1,2}")
_BARE = re.compile(r"(?:ST(?P<st>[^A-Za-z0-9 \r\n])[0-9]{3}|TA1(?P<ta1>[^A-Za-z0-9 \r\n])[0-9]{1,9})(?![A-Za-z0-9])")
_OTHER_THAN_A_CODE = re.compile(r"[^A-Za-z0-9 .\-]")
DEFAULT_COMPONENT = ">"
"""Used if no composite element shows the separator; then it makes no difference."""


class BrokenX12Error(ValueError):
    """The text is not well-formed X12; the message names the location."""


class RawInterchange(Struct, frozen=True):
    """One interchange split into segments, each a list of elements starting with the segment id."""

    isa: tuple[str, ...]
    delimiters: str
    """Element, segment, component and repetition separator; the last is missing in old releases."""
    segments: tuple[list[str], ...]
    """Segments between ISA and IEA."""
    trailer: list[str]
    """IEA."""


def decoded(document: bytes) -> str:
    """Decode a file: UTF-8, else Windows-1252 (the two that Stedi accepts from partners).

    A byte that is invalid in both becomes U+FFFD, for which readers hold the element.
    """
    try:
        return document.decode("utf-8-sig")
    except UnicodeDecodeError:
        return document.decode("cp1252", errors="replace")


def is_bare(text: str) -> bool:
    """Whether the text begins with ST or TA1: content of an interchange without its envelope."""
    return _BARE.match(text.lstrip(_NOISE)) is not None


def interchanges(text: str) -> tuple[RawInterchange, ...]:
    """Every interchange of a file, all or none. Raise BrokenX12Error."""
    rest, found = text.strip(_NOISE), []
    while rest:
        read, end = _interchange(rest)
        found.append(read)
        rest = rest[end:].lstrip(_NOISE)
    if not found:
        raise BrokenX12Error("the text is empty")
    return tuple(found)


def _interchange(text: str) -> tuple[RawInterchange, int]:
    """The interchange at the start of the text, and its end position."""
    head = text[: _ISA_LENGTH - 1]
    if not text.startswith("ISA") or len(text) < _ISA_LENGTH:
        raise BrokenX12Error("the text does not begin with an ISA segment of 106 characters")
    separator, component, terminator = text[3], text[104], text[105]
    isa = tuple(head.split(separator))
    if len(isa) != 17:
        raise BrokenX12Error(f"ISA has {len(isa) - 1} elements instead of 16")
    # The delimiters are read by position, so an ISA of other lengths would give wrong ones.
    if any(head[position] != separator for position in _ISA_SEPARATORS):
        raise BrokenX12Error("ISA is not of fixed length: an element is longer or shorter than X12 requires")
    if terminator == separator or terminator == " " or _is_plain(terminator):
        raise BrokenX12Error(f"the segment terminator after ISA would be {terminator!r}")
    repetition = isa[11] if not isa[11].isalnum() and isa[11] != " " else ""
    rows: list[list[str]] = []
    for row, end in _rows(text, _ISA_LENGTH, separator, terminator):
        if row[0] == "ISA":
            raise BrokenX12Error("a second ISA before the IEA of the first")
        if row[0] == "IEA":
            return RawInterchange(isa, separator + terminator + component + repetition, tuple(rows), row), end
        rows.append(row)
    raise BrokenX12Error("ISA without IEA")


def _rows(text: str, start: int, separator: str, terminator: str) -> Iterator[tuple[list[str], int]]:
    """Each segment with the position after its terminator."""
    while start < len(text):
        end = text.find(terminator, start)
        end = len(text) if end < 0 else end
        row = text[start:end].lstrip(_NOISE).rstrip("\r\n\x00\x1a")
        start = end + 1
        if row:
            elements = row.split(separator)
            if _SEGMENT_ID.fullmatch(elements[0]) is None:
                raise BrokenX12Error(f"a segment begins with {row[:20]!r}, which is not a segment id")
            yield elements, start


def bare_segments(text: str) -> tuple[list[str], ...]:
    """The segments of a text that begins with ST or TA1. Raise BrokenX12Error.

    Without ISA the delimiters are not declared: the separator follows the first segment id, and since ST and TA1 have
    only letters and digits, the first other character after them is the terminator.
    """
    stripped = text.strip(_NOISE)
    opening = _BARE.match(stripped)
    if opening is None:
        raise BrokenX12Error("the text begins with neither ISA nor ST")
    separator = opening["st"] or opening["ta1"]
    others = (each for each in stripped[opening.end() :] if each not in (separator, " ") and not _is_plain(each))
    terminator = next(others, "\n")
    return tuple(row for row, _ in _rows(stripped, 0, separator, terminator))


def _is_plain(character: str) -> bool:
    return character.isascii() and character.isalnum()


def component_separator(rows: Sequence[Sequence[str]], release: str) -> str:
    """The component separator, inferred from the first composite element with more than one component.

    Components are codes and numbers, so any other character is the separator.
    """
    for row in rows:
        definition = segment_def(row[0], release)
        if definition is None:
            continue
        for position, text in enumerate(row[1:], start=1):
            element = definition.element(position)
            other = _OTHER_THAN_A_CODE.search(text) if element is not None and element.kind in COMPOSITES else None
            if other is not None:
                return other[0]
    return DEFAULT_COMPONENT


def segments_of(text: str) -> tuple[list[str], ...]:
    """Every segment of a file except ISA and IEA, with or without an envelope. Raise BrokenX12Error."""
    if is_bare(text):
        return bare_segments(text)
    return tuple(row for interchange in interchanges(text) for row in interchange.segments)
