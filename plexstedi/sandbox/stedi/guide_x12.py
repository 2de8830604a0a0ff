"""Converts Guide JSON into X12 segments (by suffix, so that a guide's own names work) and back (base names)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from plexstedi.decimal_json import Json
from plexstedi.sandbox.stedi.guide_check import x12_number
from plexstedi.sandbox.stedi.guide_names import ElementDef, Layout, Node, Repeat, SegmentDef, segments
from plexstedi.sandbox.stedi.x12 import COMPONENT, Segment, X12Error

_SEGMENT_KEY = re.compile(r"_([A-Z][A-Z0-9]{1,2})(?:_(?!loop)[a-z0-9_]+?)?(_loop(?:_[a-z0-9_]+)?)?$")
_ELEMENT_KEY = re.compile(r"_(\d{2})$")


def to_segments(transaction: Json, layout: Layout) -> tuple[Segment, ...]:
    """The transaction's segments, without ST and SE, in X12 order. Raise X12Error for a key without an X12 suffix."""
    rows: list[Segment] = []
    if isinstance(transaction, Mapping):
        for area, nodes in layout.areas():
            value = transaction.get(area)
            if isinstance(value, Mapping):
                _collect(value, nodes, layout.release, rows)
    return as_dated(tuple(row for row in rows if row[0] not in ("ST", "SE")), layout.release)


def as_dated(rows: tuple[Segment, ...], release: str) -> tuple[Segment, ...]:
    """The segments with dates in the release's format: YYMMDD before 004010."""
    return rows if release >= "004010" else tuple(_six_digits(row, release) for row in rows)


def _six_digits(row: Segment, release: str) -> Segment:
    definition = segments(release).get(row[0])
    dated = {each.position for each in definition.elements if each.type == "DT"} if definition else set()
    return tuple(
        text[2:] if index in dated and re.fullmatch(r"\d{8}", text) else text for index, text in enumerate(row)
    )


def _collect(value: Mapping[str, Json], nodes: Sequence[Node], release: str, rows: list[Segment]) -> None:
    order = {(node.segment.id, node.is_loop): index for index, node in enumerate(nodes)}

    def rank(key: str) -> int:
        segment_id, loop = _identity(key)
        return order.get((segment_id, loop), len(order))

    for key in sorted(value, key=rank):
        segment_id, loop = _identity(key)
        node = next((each for each in nodes if (each.segment.id, each.is_loop) == (segment_id, loop)), None)
        item = value[key]
        for occurrence in item if isinstance(item, list | tuple) else (item,):
            if not isinstance(occurrence, Mapping):
                raise X12Error(f"{key} is not an object")
            if loop:
                _collect(occurrence, node.children if node else (), release, rows)
            else:
                rows.append(_segment(segment_id, occurrence, node.segment if node else None))


def _identity(key: str) -> tuple[str, bool]:
    match = _SEGMENT_KEY.search(key)
    if match is None:
        raise X12Error(f"the key {key!r} is not an X12 segment")
    return match.group(1), match.group(2) is not None


def _segment(segment_id: str, value: Mapping[str, Json], definition: SegmentDef | None) -> Segment:
    elements: dict[int, str] = {}
    for key, item in value.items():
        match = _ELEMENT_KEY.search(key)
        if match is None:
            raise X12Error(f"the key {key!r} of {segment_id} names no position")
        position = int(match.group(1))
        known = definition.element(position) if definition else None
        if isinstance(item, Mapping):
            parts = _segment(segment_id, item, None)[1:]
            elements[position] = COMPONENT.join(parts).rstrip(COMPONENT)
        else:
            elements[position] = _text(item, known, key)
    return (segment_id, *(elements.get(position, "") for position in range(1, max(elements, default=0) + 1)))


def _text(value: Json, element: ElementDef | None, key: str) -> str:
    kind = element.type if element else ""
    if isinstance(value, bool) or value is None or isinstance(value, list | tuple):
        raise X12Error(f"{key} holds no X12 value")
    if isinstance(value, int | Decimal):
        number = Decimal(value) * 100 if kind == "N2" else Decimal(value)
        return x12_number(number)
    text = str(value)
    if COMPONENT in text:
        raise X12Error(f"{key} holds a control character")
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) and (kind == "DT" or "date_" in key):
        return text.replace("-", "")
    if kind == "TM" or (element is None and "time_" in key and ":" in text):
        return text.replace(":", "").replace(".", "")
    return text


def to_guide_json(set_id: str, number: str, body: Sequence[Segment], layout: Layout) -> dict[str, Json]:
    """Translate one transaction set. Raise X12Error for a misplaced segment or a value of the wrong type."""
    rows: list[Segment] = [("ST", set_id, str(int(number)) if number.isdigit() else number), *body]
    rows.append(("SE", str(len(body) + 2), number))
    position = 0
    result: dict[str, Json] = {}
    for area, nodes in layout.areas():
        value, position = _parse(nodes, rows, position)
        if value:
            result[area] = value
    if position < len(rows):
        raise X12Error(f"segment {rows[position][0]} (number {position + 1}) is not expected there")
    return result


def _parse(nodes: Sequence[Node], rows: Sequence[Segment], position: int) -> tuple[dict[str, Json], int]:
    value: dict[str, Json] = {}
    lists: dict[str, list[Json]] = {}
    at = 0
    while position < len(rows):
        found = next((index for index in range(at, len(nodes)) if nodes[index].segment.id == rows[position][0]), None)
        if found is None:
            break
        node = nodes[found]
        item: Json
        if node.is_loop:
            item, position = _parse(node.children, rows, position)
        else:
            item = _read_segment(rows[position], node.segment)
            position += 1
        if node.repeat is Repeat.MANY:
            if node.key not in lists:
                lists[node.key] = []
                value[node.key] = lists[node.key]
            lists[node.key].append(item)
            at = found
        else:
            value[node.key] = item
            at = found + 1
    return value, position


def _read_segment(row: Segment, definition: SegmentDef) -> dict[str, Json]:
    value: dict[str, Json] = {}
    for position, text in enumerate(row[1:], start=1):
        if not text:
            continue
        element = definition.element(position)
        if element is None:
            raise X12Error(f"{row[0]}{position:02} is not an element of this release")
        if element.components:
            value[element.keys[0]] = {
                part.keys[0]: _read_value(piece, part, row[0])
                for part, piece in zip(element.components, text.split(COMPONENT), strict=False)
                if piece
            }
        elif row[0] == "SE" and position == 2:
            value[element.keys[0]] = text
        else:
            value[element.keys[0]] = _read_value(text, element, row[0])
    return value


def _read_value(text: str, element: ElementDef, segment_id: str) -> Json:
    where = f"{segment_id}{element.position:02}"
    if element.type in ("N0", "N2", "R"):
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise X12Error(f"{where} {text!r} is not a number") from None
        if element.type == "N2":
            number /= 100
        return int(number) if number == number.to_integral_value() else number
    if element.type == "DT":
        if not re.fullmatch(r"\d{6}|\d{8}", text):
            raise X12Error(f"{where} {text!r} is not a date")
        full = f"20{text}" if len(text) == 6 else text
        return f"{full[:4]}-{full[4:6]}-{full[6:]}"
    if element.type == "TM":
        return ":".join(text[index : index + 2] for index in range(0, min(len(text), 6), 2))
    if len(text) > element.maximum:
        raise X12Error(f"{where} has {len(text)} characters; at most {element.maximum} fit")
    return text
