"""Guide JSON with the base key names of the release, for partners without a guide schema.

Guide JSON represents whole numbers as int, other numbers as Decimal, dates as `YYYY-MM-DD`, times as `HH:MM`
(stedi/README.md 8).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time
from decimal import Decimal
from typing import TypeAlias

from plexstedi.edi.units import plain
from plexstedi.edi.x12.elements import COMPOSITES, SegmentDef, segment_def
from plexstedi.edi.x12.sets import SECTIONS, SetEntry, set_def
from plexstedi.edi.x12.transaction import Composite, Loop, Node, Segment, Simple, Transaction

_ONE = Decimal(1)
GuideJson: TypeAlias = "int | Decimal | str | list[GuideJson] | dict[str, GuideJson]"


class UnknownToBaseError(ValueError):
    """The base names of a release lack this set, segment or element: a programming error in the builder."""


def base_json(transaction: Transaction) -> dict[str, GuideJson]:
    """Transaction as Guide JSON with the base names of its release, with ST, without SE.

    Raise UnknownToBaseError for anything without a base name.
    """
    definition = set_def(transaction.set_id, transaction.release)
    if definition is None:
        raise UnknownToBaseError(f"set {transaction.set_id} of release {transaction.release}")
    header = Segment("ST", (transaction.set_id, Decimal(1)))
    parts: dict[str, Sequence[Node]] = {
        "heading": (header, *(node for node in transaction.heading if node.id != "ST")),
        "detail": transaction.detail,
        "summary": transaction.summary,
    }
    document: dict[str, GuideJson] = {}
    for section in SECTIONS:
        written = _children(parts[section], definition.section(section), transaction.release)
        if written or section == "heading":
            document[section] = written
    return document


def _children(nodes: Sequence[Node], parent: SetEntry, release: str) -> dict[str, GuideJson]:
    places = {entry.id: index for index, entry in enumerate(parent.entries)}
    written: dict[str, GuideJson] = {}
    for node in sorted(nodes, key=lambda n: places.get(n.id, -1)):
        entry = parent.find(node.id)
        definition = segment_def(node.id, release)
        if entry is None or definition is None:
            raise UnknownToBaseError(f"segment {node.id} at {parent.id or 'top'} of release {release}")
        if entry.loop:
            loop = node if isinstance(node, Loop) else Loop(node.id, (node,))
            inner: dict[str, GuideJson] = {definition.key: segment_json(loop.head, definition)}
            inner.update(_children(loop.children[1:], entry, release))
            _put(written, f"{definition.key}_loop", inner, entry.repeats)
        else:
            flat = node.head if isinstance(node, Loop) else node
            _put(written, definition.key, segment_json(flat, definition), entry.repeats)
    return written


def _put(written: dict[str, GuideJson], key: str, value: dict[str, GuideJson], repeats: bool) -> None:
    if not repeats:
        if key in written:
            raise UnknownToBaseError(f"{key} occurs once in the base standard")
        written[key] = value
        return
    listed = written.setdefault(key, [])
    if isinstance(listed, list):
        listed.append(value)


def segment_json(segment: Segment, definition: SegmentDef) -> dict[str, GuideJson]:
    """Elements of a segment by base name. Raise UnknownToBaseError for a position without one."""
    written: dict[str, GuideJson] = {}
    for position, value in enumerate(segment.elements, start=1):
        if value is None:
            continue
        element = definition.element(position)
        if element is None:
            raise UnknownToBaseError(f"element {position} of {segment.id}")
        key = f"{element.name}_{position:02d}"
        if isinstance(value, Composite):
            names = COMPOSITES.get(element.kind, ())
            if len(value.components) > len(names):
                raise UnknownToBaseError(f"composite {segment.id}{position:02d}")
            written[key] = {
                f"{names[index].name}_{index + 1:02d}": simple_json(component)
                for index, component in enumerate(value.components)
                if component is not None
            }
        else:
            written[key] = simple_json(value)
    return written


def simple_json(value: Simple) -> int | Decimal | str:
    """Guide JSON of a single value."""
    if isinstance(value, Decimal):
        return json_number(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return f"{value:%H:%M:%S}" if value.second else f"{value:%H:%M}"
    return value


def json_number(value: Decimal) -> int | Decimal:
    """JSON number: int if whole, else the Decimal in canonical form."""
    short = plain(value)
    return int(short) if short.same_quantum(_ONE) else short
