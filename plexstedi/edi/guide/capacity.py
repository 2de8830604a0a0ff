"""What a target document has room for: builders ask before they choose how to say a fact (RULES.md Sending 4, 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from plexstedi.edi.x12.elements import segment_def
from plexstedi.edi.x12.sets import Section, set_def


@dataclass(frozen=True, slots=True)
class Placement:
    """One place for a segment: what may stand there."""

    codes: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """The code list of a position, in the guide's order; a position not listed takes any value."""
    positions: frozenset[int] | None = None
    """The positions that exist; None: all of X12."""
    required: frozenset[int] = frozenset()
    """The positions that must be filled."""
    max_lengths: Mapping[int, int] = field(default_factory=dict)
    repeats: int | None = None
    """How often the segment may stand here; None: as often as X12 allows."""
    must: bool = False
    """Whether the document is refused without it."""

    def has(self, position: int) -> bool:
        """Whether the position exists."""
        return self.positions is None or position in self.positions

    def allows(self, position: int, code: str) -> bool:
        """Whether this code may stand at this position."""
        return self.has(position) and (position not in self.codes or code in self.codes[position])

    def length(self, position: int, default: int) -> int:
        """How long a text may be here, at most `default`."""
        return min(self.max_lengths.get(position, default), default)


class Capacity(Protocol):
    """A target: a partner's guide, or the base names of a release."""

    @property
    def by_guide(self) -> bool:
        """Whether a guide decides; without one everything of the base standard has a place."""
        ...

    def placements(self, section: Section, path: tuple[str, ...], segment_id: str) -> tuple[Placement, ...]:
        """The places of a segment (alone or opening a loop) inside the loops of `path`, outermost first."""
        ...


def placement_for(
    capacity: Capacity, section: Section, path: tuple[str, ...], segment_id: str, codes: Mapping[int, str] | None = None
) -> Placement | None:
    """The first place that takes these codes at these positions; None if there is no such place."""
    wanted = codes or {}
    for placement in capacity.placements(section, path, segment_id):
        if all(placement.allows(position, code) for position, code in wanted.items()):
            return placement
    return None


@dataclass(frozen=True, slots=True)
class BaseCapacity:
    """Room without a guide: what the base standard of the release has, every code, every position."""

    set_id: str
    release: str

    @property
    def by_guide(self) -> bool:
        return False

    def placements(self, section: Section, path: tuple[str, ...], segment_id: str) -> tuple[Placement, ...]:
        definition = set_def(self.set_id, self.release)
        entry = None if definition is None else definition.section(section)
        for loop_id in path:
            entry = None if entry is None else entry.find(loop_id)
        found = None if entry is None else entry.find(segment_id)
        if found is None or segment_def(segment_id, self.release) is None:
            return ()
        return (Placement(repeats=None if found.repeats else 1),)
