"""An X12 transaction set as a tree: sections of loops and segments, elements by position, values typed.

Result of builders and readers, and input of guide binding; independent of key names and delimiters.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

from msgspec import Struct

Simple: TypeAlias = str | Decimal | date | time
"""Value of an element: code or text, number, date, time. Only date and time positions have typed dates and times."""


class Composite(Struct, frozen=True):
    """A composite element (C001 in POC05): its components by position, from 1."""

    components: tuple[Simple | None, ...]


Value: TypeAlias = Simple | Composite


class Segment(Struct, frozen=True):
    """One segment: its id and its elements, position 1 first; an absent element is None."""

    id: str
    elements: tuple[Value | None, ...]

    def get(self, position: int) -> Value | None:
        """Element at this X12 position (1-based), None if absent."""
        return self.elements[position - 1] if 0 < position <= len(self.elements) else None

    def text(self, position: int) -> str | None:
        """The element as text; None if absent or empty."""
        value = self.get(position)
        if value is None or isinstance(value, Composite):
            return None
        plain = f"{value:f}" if isinstance(value, Decimal) else str(value)
        return plain or None


class Loop(Struct, frozen=True):
    """A loop, named by the id of the segment that opens it; `children[0]` is that segment."""

    id: str
    children: tuple[Node, ...]

    @property
    def head(self) -> Segment:
        """The segment that opens the loop."""
        first = self.children[0]
        if not isinstance(first, Segment):
            raise TypeError(f"loop {self.id} does not open with a segment")
        return first

    def segments(self, segment_id: str) -> tuple[Segment, ...]:
        """The direct segments of this id."""
        return tuple([c for c in self.children if c.id == segment_id and isinstance(c, Segment)])

    def walk(self) -> list[Segment]:
        """Every segment of the loop, in document order."""
        found: list[Segment] = []
        _collect(self.children, found)
        return found

    def loops(self, loop_id: str) -> tuple[Loop, ...]:
        """The direct loops of this id."""
        return tuple([c for c in self.children if c.id == loop_id and isinstance(c, Loop)])


Node: TypeAlias = Segment | Loop


class Transaction(Struct, frozen=True):
    """One transaction set without ST and SE. `release` is six digits, as in GS08 ("004010")."""

    set_id: str
    release: str
    heading: tuple[Node, ...]
    detail: tuple[Node, ...] = ()
    summary: tuple[Node, ...] = ()

    def walk(self) -> Iterator[Segment]:
        """Every segment in document order."""
        for node in (*self.heading, *self.detail, *self.summary):
            if isinstance(node, Segment):
                yield node
            else:
                yield from node.walk()


def _collect(nodes: tuple[Node, ...], found: list[Segment]) -> None:
    for node in nodes:
        if isinstance(node, Segment):
            found.append(node)
        else:
            _collect(node.children, found)


def segment(segment_id: str, **elements: Value | None) -> Segment:
    """A segment from `e01=…, e02=…`; trailing absent elements are cut off.

    Raise ValueError for a name that is not an element position.
    """
    found: list[Value | None] = []
    for name, value in elements.items():
        position = _position(name)
        if position == 0:
            raise ValueError(f"{segment_id}: {name} is not an element position")
        if value is None or (isinstance(value, str) and not value):
            continue
        # Builders write nearly all elements in their order.
        found += [None] * (position - len(found))
        found[position - 1] = value
    return Segment(segment_id, tuple(found))


@lru_cache(maxsize=256)
def _position(name: str) -> int:
    """The position in `e01`; 0 for any other name."""
    return int(name[1:]) if name.startswith("e") and name[1:].isdigit() else 0


def line_label(loop: Loop) -> str | None:
    """`line 10` for the loop of an order line, by its line id; None for any other loop."""
    if loop.id not in ("PO1", "POC", "IT1"):
        return None
    return f"line {loop.head.text(1) or '(without number)'}"
