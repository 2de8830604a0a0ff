"""X12 text of a transaction with an envelope of its own, for previews (`submit --dry-run --show x12`).

Stedi builds the real envelope.
"""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from plexstedi.edi.units import plain
from plexstedi.edi.x12.elements import Element, segment_def
from plexstedi.edi.x12.transaction import Composite, Segment, Simple, Transaction, Value

FUNCTIONAL_IDS = {"850": "PO", "855": "PR", "860": "PC", "865": "CA", "810": "IN", "997": "FA"}
"""GS01 by set."""


class UnwritableError(ValueError):
    """A value cannot be written with these delimiters. Builders clean text beforehand."""


class Envelope(Struct, frozen=True):
    """Envelope of a transaction. Ids are padded and control numbers formatted when written."""

    sender_qualifier: str
    sender_id: str
    receiver_qualifier: str
    receiver_id: str
    sender_application: str
    receiver_application: str
    date: date
    time: time
    usage: Literal["P", "T"]
    interchange_control: int = 1
    group_control: int = 1
    transaction_control: str = "0001"
    delimiters: str = "*~>^"
    """Element, segment, component and repetition separator."""
    acknowledgment_requested: bool = False


def render(transaction: Transaction, envelope: Envelope) -> str:
    """Write the interchange, one segment per line. Raise UnwritableError for a value that contains a delimiter."""
    separator, terminator, component, repetition = tuple(envelope.delimiters)
    body = [Segment("ST", (transaction.set_id, envelope.transaction_control))]
    body += [segment for segment in transaction.walk() if segment.id not in ("ST", "SE")]
    body.append(Segment("SE", (Decimal(len(body) + 1), envelope.transaction_control)))
    release = transaction.release
    newer = release >= "005010"
    sender, receiver = f"{envelope.sender_id:<15}", f"{envelope.receiver_id:<15}"
    if len(sender) > 15 or len(receiver) > 15:
        raise UnwritableError(
            f"interchange ids are at most 15 characters: {envelope.sender_id}, {envelope.receiver_id}"
        )
    control = f"{envelope.interchange_control:09d}"
    isa = ["ISA", "00", " " * 10, "00", " " * 10, f"{envelope.sender_qualifier:<2}", sender]
    isa += [f"{envelope.receiver_qualifier:<2}", receiver, f"{envelope.date:%y%m%d}", f"{envelope.time:%H%M}"]
    isa += [repetition if newer else "U", release[:5], control, "1" if envelope.acknowledgment_requested else "0"]
    isa += [envelope.usage, component]
    functional = FUNCTIONAL_IDS.get(transaction.set_id)
    if functional is None:
        raise UnwritableError(f"set {transaction.set_id} has no functional group here")
    group_date = f"{envelope.date:%Y%m%d}" if release >= "004010" else f"{envelope.date:%y%m%d}"
    gs = ["GS", functional, envelope.sender_application, envelope.receiver_application, group_date]
    gs += [f"{envelope.time:%H%M}", str(envelope.group_control), "X", release]
    lines = [separator.join(isa), separator.join(gs)]
    lines += [_segment_text(segment, release, envelope.delimiters) for segment in body]
    lines += [separator.join(["GE", "1", str(envelope.group_control)]), separator.join(["IEA", "1", control])]
    return "".join(f"{line}{terminator}\n" for line in lines)


def _segment_text(segment: Segment, release: str, delimiters: str) -> str:
    forbidden = _forbidden(delimiters)
    texts = [segment.id]
    for position, value in enumerate(segment.elements, start=1):
        # Most elements are absent, or a text that needs nothing.
        if value is None:
            texts.append("")
        elif type(value) is str and forbidden.isdisjoint(value):
            texts.append(value)
        else:
            definition = segment_def(segment.id, release)
            element = definition.element(position) if definition else None
            texts.append(_value_text(value, element, release, delimiters, f"{segment.id}{position:02d}"))
    while len(texts) > 1 and not texts[-1]:
        texts.pop()
    return delimiters[0].join(texts)


def _value_text(value: Value, element: Element | None, release: str, delimiters: str, where: str) -> str:
    if isinstance(value, Composite):
        parts = [_simple_text(part, None, release, delimiters, where) for part in value.components]
        while parts and not parts[-1]:
            parts.pop()
        return delimiters[2].join(parts)
    return _simple_text(value, element, release, delimiters, where)


def _simple_text(value: Simple | None, element: Element | None, release: str, delimiters: str, where: str) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        shown = plain(value)
        if element is not None and element.kind == "N2":
            shown = plain(shown.scaleb(2))
            if shown != shown.to_integral_value():
                raise UnwritableError(f"{where}: {value} has more than two decimals")
        return _number_text(shown)
    if isinstance(value, date):
        return f"{value:%Y%m%d}" if release >= "004010" else f"{value:%y%m%d}"
    if isinstance(value, time):
        return f"{value:%H%M%S}" if value.second else f"{value:%H%M}"
    if not _forbidden(delimiters).isdisjoint(value):
        raise UnwritableError(f"{where}: {value!r} contains one of the delimiters {delimiters!r}")
    return value


@lru_cache(maxsize=64)
def _forbidden(delimiters: str) -> frozenset[str]:
    """The characters that no value may contain."""
    return frozenset((*delimiters, "\n"))


def _number_text(number: Decimal) -> str:
    """A number as X12 writes it, and Stedi: no zero before the decimal point (element types N and R)."""
    text = f"{number:f}"
    if text.startswith("0."):
        return text[1:]
    return f"-{text[2:]}" if text.startswith("-0.") else text
