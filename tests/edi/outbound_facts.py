"""What must be true of every document that goes out, judged without the code that made it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import jsonschema

from plexstedi import decimal_json
from plexstedi.edi.order import Order
from plexstedi.edi.outbound.document import Prepared
from plexstedi.edi.x12.transaction import Composite, Loop, Segment

_FACTOR = {"Ea": 1, "Thousand": 1000, "Box": 12}
_PER = {None: 1, "PE": 1, "TP": 1000, "HP": 100, "UM": 1}


def assert_valid(prepared: Prepared, schema: dict[str, Any]) -> None:
    """The document is valid for an independent validator, and has no number that a float has touched."""
    # Exact on both sides: as floats, 2.34 is no multiple of 0.01.
    document = json.loads(decimal_json.dumps(prepared.guide_json), parse_float=Decimal)
    exact = json.loads(json.dumps(schema), parse_float=Decimal)
    validator = jsonschema.validators.validator_for(exact)(exact)
    faults = [f"{list(e.absolute_path)}: {e.message}" for e in validator.iter_errors(document)]
    assert not faults, faults[:3]
    assert not list(_floats(prepared.guide_json))


def _floats(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _floats(item)
    elif isinstance(value, list):
        for item in value:
            yield from _floats(item)


def assert_same_as_x12(prepared: Prepared) -> None:
    """The JSON says exactly what the X12 says, segment for segment."""
    from_json = sorted(_json_segments(prepared.guide_json))
    from_tree = sorted((s.id, _elements(s)) for s in prepared.transaction.walk())
    assert [s for s in from_json if s[0] not in ("ST", "SE")] == from_tree


def _json_segments(value: Any, key: str = "") -> Iterator[tuple[str, tuple[tuple[int, str], ...]]]:
    if isinstance(value, list):
        for item in value:
            yield from _json_segments(item, key)
        return
    found = re.search(r"(?:^|_)([A-Z][A-Z0-9]{1,2})(_loop)?(?:_[a-z0-9_]*)?$", key)
    if found and not found.group(2):
        elements = sorted((int(name[-2:]), _plain(item)) for name, item in value.items())
        yield found.group(1), tuple(elements)
        return
    for name, item in value.items():
        yield from _json_segments(item, name)


def _elements(segment: Segment) -> tuple[tuple[int, str], ...]:
    return tuple((i, _plain(v)) for i, v in enumerate(segment.elements, start=1) if v is not None)


def _plain(value: Any) -> str:
    if isinstance(value, Composite):
        return ":".join("" if c is None else _plain(c) for c in value.components)
    if isinstance(value, dict):
        return ":".join(_plain(item) for item in value.values())
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    if re.fullmatch(r"-?[0-9]+\.[0-9]+", text):
        text = text.rstrip("0").rstrip(".")
    return text.lstrip("0") or "0" if re.fullmatch(r"[0-9.]+", text) else text.replace("-", "")


def assert_facts_kept(order: Order, prepared: Prepared) -> None:
    """Number, quantities, prices, dates and part numbers of the order are in the 850, none altered."""
    heading = [n for n in prepared.transaction.heading if isinstance(n, Segment)]
    begin = heading[0]
    assert begin.text(3) == order.number
    assert begin.get(5) == order.order_date
    lines = [loop for loop in prepared.transaction.detail if isinstance(loop, Loop)]
    dropped = " ".join(str(d) for d in prepared.dropped)
    header_dates = {s.get(2) for s in heading if s.id == "DTM"}
    by_line: dict[str, list[Loop]] = {}
    ordered_lines = [line for line in order.open_lines() if line.firm_releases()]
    for index, loop in enumerate(lines):
        # A guide may have no place for line ids; then there is one loop for each line, in their order.
        line_id = loop.head.text(1) or str(ordered_lines[index].number)
        by_line.setdefault(line_id.split("-")[0], []).append(loop)
    for line in ordered_lines:
        loops = by_line.pop(str(line.number))
        factor = _FACTOR[line.unit or "Ea"]
        ordered = line.blanket_quantity if order.blanket and line.blanket_quantity else line.firm_quantity()
        if len(loops) == 1 or not order.blanket:
            assert sum(_number(loop, 2) for loop in loops) in (ordered * factor, line.firm_quantity() * factor)
        for loop in loops:
            assert line.price is not None
            price, basis = _price(loop)
            per_each = Fraction(price) / _PER[basis]
            assert per_each == Fraction(line.price) / factor
        said = {s.get(p) for loop in loops for s in _inside(loop) for p in (2, 6) if s.id in ("SCH", "DTM")}
        for release in line.firm_releases():
            assert release.due is None or release.due in said | header_dates
        numbers = {loop.head.text(p) for loop in loops for p in range(6, 26)}
        if line.part is not None:
            assert line.part.number in numbers or line.part.number in dropped
    assert not by_line, "a line that nobody ordered"


def _price(loop: Loop) -> tuple[Decimal, str | None]:
    """The price of a line and its basis: in PO1, or in CTP where the guide has it there only."""
    for apart in loop.segments("CTP"):
        assert loop.head.get(4) is None
        return Decimal(str(apart.get(3))), apart.text(9)
    return _number(loop, 4), loop.head.text(5)


def _number(loop: Loop, position: int) -> Decimal:
    value = loop.head.get(position)
    return Decimal(str(value))


def _inside(loop: Loop) -> Iterator[Segment]:
    for child in loop.children:
        yield child.head if isinstance(child, Loop) else child
