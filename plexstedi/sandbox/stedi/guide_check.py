"""Strict validation of a transaction's Guide JSON: against the base names, or a guide's JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from decimal import Decimal

from msgspec import Struct

from plexstedi.decimal_json import Json
from plexstedi.sandbox.stedi.guide_names import ElementDef, Layout, Node, Repeat, SegmentDef

PURPOSE_CODES = frozenset(
    ("00", "01", "02", "03", "04", "05", "06", "07", "13", "14", "15", "16", "17", "18", "19", "20", "22", "24")
)
"""BEG01, BCH01, BAK01, BCA01 (X12 element 353), as far as orders use them."""

_PURPOSE_KEY = "transaction_set_purpose_code_01"


class GuideError(Struct, frozen=True):
    """One violation of a guide, with its path."""

    code: str
    path: tuple[str, ...]
    message: str

    def as_json(self) -> dict[str, Json]:
        return {"code": self.code, "path": list(self.path), "message": self.message}


def check_base(transaction: Json, layout: Layout) -> list[GuideError]:
    """All violations of this release's base specification."""
    if not isinstance(transaction, Mapping):
        return [GuideError("invalid_type", (), "a transaction must be an object")]
    errors = [
        GuideError("unrecognized_keys", (str(key),), f"unknown key {key!r}; areas are heading, detail, summary")
        for key in transaction
        if key not in ("heading", "detail", "summary")
    ]
    for area, nodes in layout.areas():
        value = transaction.get(area)
        if value is None:
            if area == "heading":
                errors.append(GuideError("required", (area,), "the heading is missing"))
            continue
        if not isinstance(value, Mapping):
            errors.append(GuideError("invalid_type", (area,), f"{area} must be an object"))
            continue
        errors.extend(_check_nodes(value, nodes, (area,)))
    errors.extend(_check_identity(transaction, layout))
    return errors


def _check_identity(transaction: Mapping[str, Json], layout: Layout) -> Iterator[GuideError]:
    heading = transaction.get("heading")
    if not isinstance(heading, Mapping):
        return
    path = ("heading", "transaction_set_header_ST")
    header = heading.get("transaction_set_header_ST")
    if not isinstance(header, Mapping):
        yield GuideError("required", path, "ST is missing")
    elif header.get("transaction_set_identifier_code_01") != layout.set_id:
        yield GuideError("invalid_value", path, f"ST01 must be {layout.set_id}, as the transaction setting says")
    first = layout.heading[1]
    if not isinstance(heading.get(first.key), Mapping):
        yield GuideError("required", ("heading", first.key), f"{first.segment.id} is missing")


def _check_nodes(value: Mapping[str, Json], nodes: Sequence[Node], path: tuple[str, ...]) -> Iterator[GuideError]:
    by_key = {node.key: node for node in nodes}
    for key, item in value.items():
        node = by_key.get(key)
        here = (*path, key)
        if node is None:
            yield GuideError("unrecognized_keys", here, f"{key!r} is not a key of this place")
            continue
        is_array = isinstance(item, list | tuple)
        if (node.repeat is Repeat.MANY and not is_array) or (node.repeat is Repeat.ONE and is_array):
            yield GuideError("invalid_type", here, f"must be an {node.repeat.value}")
            continue
        occurrences: list[tuple[Json, tuple[str, ...]]] = [(item, here)]
        if isinstance(item, list | tuple):
            occurrences = [(each, (*here, str(index))) for index, each in enumerate(item)]
            if not item:
                yield GuideError("too_small", here, "an array here needs at least one item")
        for occurrence, place in occurrences:
            if not isinstance(occurrence, Mapping):
                yield GuideError("invalid_type", place, "must be an object")
            elif node.is_loop:
                if node.children[0].key not in occurrence:
                    yield GuideError("required", (*place, node.children[0].key), "the loop's own segment is missing")
                yield from _check_nodes(occurrence, node.children, place)
            else:
                yield from _check_segment(occurrence, node.segment, place)


def _check_segment(value: Mapping[str, Json], segment: SegmentDef, path: tuple[str, ...]) -> Iterator[GuideError]:
    yield from _check_elements(value, segment.elements, path)
    purpose = value.get(_PURPOSE_KEY)
    if segment.id in ("BEG", "BCH", "BAK", "BCA") and isinstance(purpose, str) and purpose not in PURPOSE_CODES:
        yield GuideError("invalid_enum_value", (*path, _PURPOSE_KEY), f"{purpose!r} is not a code of element 353")


def _check_elements(
    value: Mapping[str, Json], elements: Sequence[ElementDef], path: tuple[str, ...]
) -> Iterator[GuideError]:
    known = {key: element for element in elements for key in element.keys}
    for key, item in value.items():
        element = known.get(key)
        if element is None:
            yield GuideError("unrecognized_keys", (*path, key), f"{key!r} is not an element of this segment")
        elif element.components:
            if isinstance(item, Mapping):
                yield from _check_elements(item, element.components, (*path, key))
            else:
                yield GuideError("invalid_type", (*path, key), "a composite must be an object")
        else:
            problem = element_problem(item, element)
            if problem is not None:
                yield GuideError(problem[0], (*path, key), problem[1])
    for element in elements:
        if element.mandatory and not any(key in value for key in element.keys):
            yield GuideError("required", (*path, element.keys[0]), f"{element.keys[0]} is mandatory")


_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{2}:\d{2}(:\d{2}(\.\d{1,2})?)?")


def element_problem(value: Json, element: ElementDef) -> tuple[str, str] | None:
    """(code, message) if the value does not fit the element; else None."""
    kind = element.type
    if kind in ("N0", "N2", "R"):
        return _number_problem(value, element)
    if not isinstance(value, str):
        return ("invalid_type", f"expected a string, got {type(value).__name__}")
    if kind == "DT":
        if not _DATE.fullmatch(value) or not _parses(date.fromisoformat, value):
            return ("invalid_date", f"{value!r} is not a date in the form YYYY-MM-DD")
        return None
    if kind == "TM":
        if not _TIME.fullmatch(value) or not _parses(time.fromisoformat, value.partition(".")[0]):
            return ("invalid_time", f"{value!r} is not a time in the form HH:MM")
        return None
    if not value.strip():
        return ("too_small", "an empty string is not a value")
    if len(value) > element.maximum:
        return ("too_big", f"{len(value)} characters; at most {element.maximum} fit")
    if len(value) < element.minimum:
        return ("too_small", f"{len(value)} characters; at least {element.minimum} are needed")
    return None


def _parses(parse: object, text: str) -> bool:
    assert callable(parse)
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _number_problem(value: Json, element: ElementDef) -> tuple[str, str] | None:
    if isinstance(value, str) and value.isdigit() and element.keys[0].startswith("transaction_set_control_number"):
        return None  # ST02 and SE02 occur as 1 and as "0001"; Stedi renumbers them anyway.
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return ("invalid_type", f"expected a number, got {type(value).__name__}")
    number = Decimal(value)
    if element.type == "N0" and number != number.to_integral_value():
        return ("invalid_type", f"{number} is not a whole number")
    if element.type == "N2":
        number = number * 100
        if number != number.to_integral_value():
            return ("invalid_type", f"{value} has more than two decimals")
    digits = len(x12_number(number).replace("-", "").replace(".", "").lstrip("0") or "0")
    if digits > element.maximum:
        return ("too_big", f"{digits} digits; at most {element.maximum} fit")
    return None


def x12_number(number: Decimal) -> str:
    """A number in X12 format: no exponent, no trailing zeros, no leading zero before the decimal point."""
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if text.startswith("0."):
        text = text[1:]
    elif text.startswith("-0."):
        text = "-" + text[2:]
    return text if text not in ("", "-", "-0") else "0"
