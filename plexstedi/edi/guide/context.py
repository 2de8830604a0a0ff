"""Position in guide and document during binding, for paths, locations and fixes."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from plexstedi.edi.guide.model import Child
from plexstedi.edi.guide.need import Need, Sources
from plexstedi.edi.guide.segment import is_head, item_numbers
from plexstedi.edi.x12.elements import ITEM_PAIRS_FROM
from plexstedi.edi.x12.transaction import Composite, Loop, Node, Segment, line_label

ORDER_DATE = "004"
"""DTM01 code of the order date."""


class Context(Struct, frozen=True):
    """Current position: guide path and order location for messages, enclosing loops, line, party."""

    path: str
    where: str
    vital: frozenset[str]
    """Segments that must not be dropped here although they are optional elsewhere (DTM without SCH)."""
    release: str
    sources: Sources
    loops: tuple[str, ...] = ()
    party: Segment | None = None
    """N1 of the current loop."""
    line: Segment | None = None
    """Line segment of the current loop."""
    role: str | None = None
    """For an N1 loop without our data: the first role that the guide allows."""

    def into(self, child: Child, node: Node | None = None) -> Context:
        """Context one key deeper, with the node to bind there."""
        head = None if node is None else node.head if isinstance(node, Loop) else node
        label = line_label(node) if isinstance(node, Loop) else None
        # Not `replace`, which takes three times as long, for each segment.
        return Context(
            f"{self.path}.{child.key}",
            label or self.where,
            self.vital,
            self.release,
            self.sources,
            (*self.loops, child.id) if child.loop else self.loops,
            head if head is not None and head.id == "N1" else self.party,
            head if head is not None and head.id in ITEM_PAIRS_FROM else self.line,
            self.role,
        )

    def at(self, key: str) -> Context:
        """The same context with a key appended to the path."""
        return replace(self, path=f"{self.path}.{key}")

    def must_place(self, node: Node) -> bool:
        """Whether the document would be wrong without it. The order date (DTM 004) may be dropped: BEG05 has it."""
        head = node.head if isinstance(node, Loop) else node
        return is_head(node.id) or (node.id in self.vital and head.text(1) != ORDER_DATE)

    def need(self, segment_id: str, position: int, codes: Sequence[str] | None, head: Segment | None = None) -> Need:
        """Description of a requirement at this position, for the fix."""
        line = head if head is not None and head.id in ITEM_PAIRS_FROM else self.line
        party = head if head is not None and head.id == "N1" else self.party
        role = party.text(1) if party is not None else self.role
        inside = self.loops[:-1] if self.loops[-1:] == (segment_id,) else self.loops
        return Need(
            segment_id,
            position,
            tuple(codes or ()),
            path=inside,
            party=role if segment_id in ("N1", "N2", "N3", "N4") or "N1" in self.loops else None,
            line="" if line is None else line.text(1) or "",
            unit=None if line is None else _unit_of(line),
            given=item_numbers(line) if line is not None and segment_id == line.id else _given(party),
            code=None if head is None else head.text(1),
        )


def _unit_of(line: Segment) -> str | None:
    value = line.get(5) if line.id == "POC" else line.get(3)
    if isinstance(value, Composite):
        value = value.components[0] if value.components else None
    return value if isinstance(value, str) else None


def _given(party: Segment | None) -> tuple[tuple[str, str], ...]:
    if party is None:
        return ()
    texts = ((str(position), party.text(position)) for position in range(2, 5))
    return tuple((position, text) for position, text in texts if text)
