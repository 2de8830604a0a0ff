"""Capacity of a target document, used by builders to choose the form of a value (RULES.md Sending 4, 6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct, field

from plexstedi.edi.x12.elements import segment_def
from plexstedi.edi.x12.sets import Section, set_def


class Placement(Struct, frozen=True):
    """One placement of a segment, with its constraints."""

    codes: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Allowed codes by position, in the order of the guide; other positions accept any value."""
    positions: frozenset[int] | None = None
    """Existing positions; None: all of X12."""
    required: frozenset[int] = frozenset()
    """Required positions."""
    max_lengths: Mapping[int, int] = field(default_factory=dict)
    repeats: int | None = None
    """Maximum repeats; None: as in X12."""
    must: bool = False
    """Whether the segment is required."""

    def has(self, position: int) -> bool:
        """Whether the position exists."""
        return self.positions is None or position in self.positions

    def allows(self, position: int, code: str) -> bool:
        """Whether this code is allowed at this position."""
        return self.has(position) and (position not in self.codes or code in self.codes[position])

    def length(self, position: int, default: int) -> int:
        """Maximum text length at this position, at most `default`."""
        return min(self.max_lengths.get(position, default), default)


class Capacity(Protocol):
    """Capacity of a target: a partner's guide, or the base standard of a release."""

    @property
    def by_guide(self) -> bool:
        """Whether it is that of a guide; without one the whole base standard is available."""
        ...

    def placements(self, section: Section, path: tuple[str, ...], segment_id: str) -> tuple[Placement, ...]:
        """Placements of a segment (alone or opening a loop) inside the loops of `path`, outermost first."""
        ...


def placement_for(
    capacity: Capacity, section: Section, path: tuple[str, ...], segment_id: str, codes: Mapping[int, str] | None = None
) -> Placement | None:
    """The first placement that allows these codes at these positions, None if there is none."""
    wanted = (codes or {}).items()
    for placement in capacity.placements(section, path, segment_id):
        for position, code in wanted:
            if not placement.allows(position, code):
                break
        else:
            return placement
    return None


class BaseCapacity(Struct, frozen=True):
    """Capacity without a guide: the base standard of the release, with every code and position."""

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
