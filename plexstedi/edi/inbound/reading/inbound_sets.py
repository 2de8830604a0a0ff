"""The transaction sets that suppliers answer with: by what they speak of, and told by a document itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from plexstedi.edi.x12.raw import BrokenX12Error, segments_of

ACKNOWLEDGMENTS = ("855", "865")
"""Of the order."""
ENVELOPE_ACKNOWLEDGMENTS = ("997", "TA1")
"""Of what carried it: the functional group, the interchange."""
READ_SETS = (*ACKNOWLEDGMENTS, *ENVELOPE_ACKNOWLEDGMENTS)

_OPENINGS = {"BAK": "855", "BCA": "865", "AK1": "997", "TA1": "TA1"}
"""Segments that only one of these sets has."""


def set_of_json(document: object) -> str | None:
    """The transaction set that a Guide JSON is of, by its ST or the segment that opens it; None if it tells none."""
    for name, value in _entries(document):
        segment = name.split("_")[-1]
        if segment == "ST" and isinstance(value, Mapping):
            stated = next((each for key, each in value.items() if str(key).endswith("_01")), None)
            if isinstance(stated, str | int) and str(stated).strip():
                return str(stated).strip()
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
    """The one transaction set that an X12 text holds, TA1 included; None if it holds none, or more than one kind."""
    try:
        rows = segments_of(text)
    except BrokenX12Error:
        return None
    found = {row[1].strip() for row in rows if row[0] == "ST" and len(row) > 1}
    found |= {"TA1" for row in rows if row[0] == "TA1"}
    return found.pop() if len(found) == 1 and all(re.fullmatch("[0-9]{3}|TA1", each) for each in found) else None
