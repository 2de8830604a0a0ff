"""What a guide asks for, against one real document: for setting up a supplier (`check --supplier`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from plexstedi.edi.guide.hints import advice_for_missing
from plexstedi.edi.guide.model import Child, read_guide
from plexstedi.edi.guide.need import Need, Sources
from plexstedi.edi.x12.sets import SECTIONS

State = Literal["met", "missing", "unused"]
"""In the document; required and not in it; optional and not in it."""


@dataclass(frozen=True, slots=True)
class Demand:
    """One segment or loop of a guide, in the guide's order."""

    path: str
    segment_id: str
    required: bool
    """Whether the guide requires it wherever what encloses it is present."""
    state: State
    description: str
    codes: tuple[str, ...]
    """Qualifiers that the guide takes in its first element, where it lists them."""
    source: str
    """Where its values come from: a Plex field or a setting; '' for what is met."""


def demands(schema: Mapping[str, Any], document: Mapping[str, Any]) -> tuple[Demand, ...]:
    """Every segment and loop of the guide with its state in this Guide JSON (`{}`: nothing is met).

    Raise GuideUnreadableError for a schema that cannot be followed.
    """
    guide = read_guide(schema)
    found: list[Demand] = []
    for section in SECTIONS:
        shape = guide.sections.get(section)
        if shape is None:
            continue
        for child in shape.children:
            _visit(child, section, [document.get(section, {})], found, enclosed=True)
    return tuple(found)


def _visit(child: Child, path: str, holders: list[Any], found: list[Demand], *, enclosed: bool) -> None:
    here = f"{path}.{child.key}"
    values = [holder[child.key] for holder in holders if isinstance(holder, Mapping) and child.key in holder]
    entries = [item for value in values for item in (value if isinstance(value, list) else [value])]
    heads = child.heads()
    slot = heads[0].slot(1) if heads else None
    codes = () if slot is None or slot.codes is None else slot.codes
    lacking = child.required and enclosed and not entries
    state: State = "met" if entries else ("missing" if lacking else "unused")
    party = codes[0] if child.id == "N1" and codes else None
    source = "" if entries else advice_for_missing(Need(child.id, 0, codes, party=party), Sources())
    found.append(Demand(here, child.id, child.required, state, child.description, codes, source))
    for shape in child.shapes:
        for inner in shape.children:
            if inner.loop or inner.id != child.id:
                _visit(inner, here, entries, found, enclosed=bool(entries))
