"""Parse the TA1: whether a supplier's system accepted the envelope of an interchange of ours.

A TA1 is between ISA and the first GS, outside of any transaction set. Its JSON form at Stedi is not published, so it
is found by the suffix of its key, at any depth.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from plexstedi.edi.inbound.reading.element_values import read_text
from plexstedi.edi.model import Frozen
from plexstedi.edi.plain_values import is_digits, plain_whole
from plexstedi.edi.x12.raw import BrokenX12Error, segments_of


class EnvelopeVerdict(StrEnum):
    """TA104 (X12 element I17)."""

    ACCEPTED = "accepted"
    ACCEPTED_WITH_ERRORS = "accepted_with_errors"
    REJECTED = "rejected"


class InterchangeAck(Frozen, frozen=True, kw_only=True):
    """A parsed TA1."""

    interchange_control: int
    """TA101: our ISA13."""
    verdict: EnvelopeVerdict
    note: str
    """Text of TA105; empty for "no error"."""


_VERDICTS = {
    "A": EnvelopeVerdict.ACCEPTED,
    "E": EnvelopeVerdict.ACCEPTED_WITH_ERRORS,
    "R": EnvelopeVerdict.REJECTED,
}
_NOTES = {
    "000": "",
    "001": "the control numbers of its header and trailer differ",
    "005": "the sender's qualifier is not valid",
    "006": "the sender's id is not valid",
    "007": "the receiver's qualifier is not valid",
    "008": "the receiver's id is not valid",
    "009": "the receiver is unknown there",
    "014": "its date is not valid",
    "015": "its time is not valid",
    "017": "its version is not valid",
    "018": "its control number is not valid",
    "020": "its usage indicator is not valid",
    "021": "the number of its groups is wrong",
    "022": "its control structure is not valid",
    "023": "it ends too early",
    "025": "an interchange with this control number came in before",
}
"""Texts for TA105 (X12 element I18); other codes are shown by number."""


def ta1_of_json(document: object) -> tuple[InterchangeAck, ...]:
    """Every readable TA1 in a JSON value. Never raises."""
    return _all(_in_json(document))


def ta1_of_x12(text: str) -> tuple[InterchangeAck, ...]:
    """Every readable TA1 in an X12 text. Never raises."""
    return _all(_in_x12(text))


def _all(found: Iterable[Mapping[int, object]]) -> tuple[InterchangeAck, ...]:
    return tuple(ack for elements in found if (ack := _read(elements)) is not None)


def _in_json(value: object) -> Iterator[Mapping[int, object]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if isinstance(key, str) and key.split("_")[-1] == "TA1" and isinstance(inner, Mapping):
                yield {
                    int(name[-2:]): element
                    for name, element in inner.items()
                    if isinstance(name, str) and is_digits(name[-2:])
                }
            else:
                yield from _in_json(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _in_json(inner)


def _in_x12(text: str) -> Iterator[Mapping[int, object]]:
    try:
        rows = segments_of(text)
    except BrokenX12Error:
        return
    for row in rows:
        if row[0] == "TA1":
            yield dict(enumerate(row[1:], start=1))


def _read(elements: Mapping[int, object]) -> InterchangeAck | None:
    written, verdict, note = (_text(elements.get(position)) for position in (1, 4, 5))
    control = None if written is None else plain_whole(written)
    if control is None:
        return None
    known = _VERDICTS.get((verdict or "").upper())
    if known is None:
        return None
    code = (note or "000").zfill(3)
    return InterchangeAck(interchange_control=control, verdict=known, note=_NOTES.get(code, f"its note code is {code}"))


def _text(value: object) -> str | None:
    """The element as text; JSON may have it as a number."""
    if isinstance(value, bool):
        return None
    return read_text(str(value)) if isinstance(value, str | int) else None
