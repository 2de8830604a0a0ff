"""Transaction sets that suppliers send, and detection of the set of a document."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from plexstedi.edi.x12.raw import BrokenX12Error, segments_of

ACKNOWLEDGMENTS = ("855", "865")
"""Acknowledgments of an order."""
ENVELOPE_ACKNOWLEDGMENTS = ("997", "TA1")
"""Acknowledgments of the envelope: functional group, interchange."""
READ_SETS = (*ACKNOWLEDGMENTS, *ENVELOPE_ACKNOWLEDGMENTS)

_OPENINGS = {"BAK": "855", "BCA": "865", "AK1": "997", "TA1": "TA1"}
"""Segments that occur in only one of these sets."""


def set_of_json(document: object) -> str | None:
    """Set of a Guide JSON document, by its ST or opening segment; None if undetermined."""
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
    """The only transaction set in an X12 text, TA1 included; None if there is none or more than one kind."""
    try:
        rows = segments_of(text)
    except BrokenX12Error:
        return None
    found = {row[1].strip() for row in rows if row[0] == "ST" and len(row) > 1}
    found |= {"TA1" for row in rows if row[0] == "TA1"}
    return found.pop() if len(found) == 1 and all(re.fullmatch("[0-9]{3}|TA1", each) for each in found) else None
