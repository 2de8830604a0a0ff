"""The transaction sets that suppliers answer with: by what they speak of, and told by a document itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

ACKNOWLEDGMENTS = ("855", "865")
"""Of the order."""
ENVELOPE_ANSWERS = ("997", "TA1")
"""Of what carried it: the functional group, the interchange."""
READ_SETS = (*ACKNOWLEDGMENTS, *ENVELOPE_ANSWERS)

_OPENINGS = {"BAK": "855", "BCA": "865", "AK1": "997", "TA1": "TA1"}
"""Segments that only one of these sets has."""


def set_of_json(document: object) -> str | None:
    """The transaction set that a Guide JSON is of, by its ST or the segment that opens it; None if it tells none."""
    for name, value in _entries(document):
        segment = name.split("_")[-1]
        if segment == "ST" and isinstance(value, Mapping):
            told = next((each for key, each in value.items() if str(key).endswith("_01")), None)
            if isinstance(told, str | int) and str(told).strip():
                return str(told).strip()
        if segment in _OPENINGS:
            return _OPENINGS[segment]
    return None


def _entries(document: object) -> Iterator[tuple[str, object]]:
    if isinstance(document, Mapping):
        for name, value in document.items():
            yield str(name), value
            yield from _entries(value)
    elif isinstance(document, list | tuple):
        for value in document:
            yield from _entries(value)


def set_of_x12(text: str) -> str | None:
    """The transaction set of an X12 text: its first ST, or TA1; None if it is none."""
    if not text.startswith("ISA") or len(text) < 106:
        return None
    separator, terminator = text[3], text[105]
    for row in text.split(terminator):
        elements = row.strip().split(separator)
        if elements[0] == "TA1":
            return "TA1"
        if elements[0] == "ST" and len(elements) > 1 and re.fullmatch(r"[0-9]{3}", elements[1].strip()):
            return elements[1].strip()
    return None
