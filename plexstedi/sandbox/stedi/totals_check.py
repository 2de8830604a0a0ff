"""Checks a document's own totals and quantities left to receive, from its X12 alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation

from plexstedi.sandbox.stedi.guide_check import GuideError
from plexstedi.sandbox.stedi.x12 import Segment

_LINES = {"850": ("PO1", 2), "860": ("POC", 3), "810": ("IT1", 2)}
"""The segment of a line, and the position of its quantity."""
_LEFT = 4
"""The position of the quantity left to receive (POC04)."""


def check_totals(set_id: str, body: Sequence[Segment]) -> list[GuideError]:
    """Errors if CTT01 is not the number of lines, CTT02 not the sum of quantities, or POC04 exceeds POC03."""
    if set_id not in _LINES:
        return []
    segment_id, position = _LINES[set_id]
    lines = [row for row in body if row[0] == segment_id]
    found = [GuideError("invalid_value", ("detail",), message) for message in _left(lines, segment_id, position)]
    for row in body:
        if row[0] != "CTT":
            continue
        if _number(row, 1) != len(lines):
            found.append(GuideError("invalid_value", ("summary",), f"CTT01 is {_at(row, 1)} with {len(lines)} lines"))
        if _at(row, 2):
            total = sum((_number(line, position) or Decimal(0) for line in lines), Decimal(0))
            if _number(row, 2) != total:
                message = f"CTT02 is {_at(row, 2)}; {segment_id}{position:02} add up to {total}"
                found.append(GuideError("invalid_value", ("summary",), message))
    return found


def _left(lines: Sequence[Segment], segment_id: str, position: int) -> Iterator[str]:
    if segment_id != "POC":
        return
    for row in lines:
        if not _at(row, _LEFT):
            continue
        left, ordered = _number(row, _LEFT), _number(row, position) or Decimal(0)
        if left is None or left < 0 or left > ordered:
            yield f"POC04 of line {_at(row, 1)} is {_at(row, _LEFT)}; {ordered} are ordered"


def _number(row: Segment, position: int) -> Decimal | None:
    try:
        return Decimal(_at(row, position))
    except InvalidOperation:
        return None


def _at(row: Segment, position: int) -> str:
    return row[position] if position < len(row) else ""
