"""Lengths of X12 elements by release: a longer or shorter value is held, never truncated (RULES.md Sending 9)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache

from plexstedi.edi.reasons import Reason
from plexstedi.edi.x12.elements import ITEM_PAIRS_FROM
from plexstedi.edi.x12.transaction import Composite, Loop, Node, Segment, Simple, Transaction, line_label

_OLD, _MIDDLE, _4010, _5010 = "003010", "003060", "004010", "005010"

_PO_NUMBER = ("order number", {_OLD: (1, 22)}, "Shorten the order number in Plex")
_LINE_ID = ("line number", {_OLD: (1, 11), _4010: (1, 20)}, "Renumber the line in Plex")
_RELEASE = ("release number", {_OLD: (1, 30)}, "Renumber the release in Plex")
_ITEM = (
    "part number",
    {_OLD: (1, 30), _MIDDLE: (1, 40), _4010: (1, 48)},
    "Shorten it in Plex, or leave it out (`items`)",
)
_NAME = ("name", {_OLD: (1, 35), _4010: (1, 60)}, "Shorten the name in Plex or in the settings")
_PARTY_CODE = ("party code", {_OLD: (2, 17), _MIDDLE: (2, 20), _4010: (2, 80)}, "Correct the code in the settings")
_STREET = ("street", {_OLD: (1, 35), _4010: (1, 55)}, "Split the street into two in the settings")
_REFERENCE = ("reference", {_OLD: (1, 30), _5010: (1, 50)}, "Shorten it in `references`")
_UNIT = ("unit", {_OLD: (2, 2)}, "Correct the unit in `units`")
_QUANTITY = (
    "quantity",
    {_OLD: (1, 10), _4010: (1, 15)},
    "Correct the quantity in Plex, or map a larger unit",
)
_PRICE = ("price", {_OLD: (1, 14), _4010: (1, 17)}, "Correct the price in Plex")

Limit = tuple[str, dict[str, tuple[int, int]], str]

_LIMITS: dict[tuple[str, int], Limit] = {
    ("BEG", 2): ("order type", {_OLD: (2, 2)}, "Correct `po_type`"),
    ("BEG", 3): _PO_NUMBER,
    ("BEG", 4): _RELEASE,
    ("BEG", 7): ("acknowledgment type", {_OLD: (2, 2)}, "Correct `acknowledgment_type`"),
    ("BCH", 2): ("order type", {_OLD: (2, 2)}, "Correct `po_type`"),
    ("BCH", 3): _PO_NUMBER,
    ("BCH", 4): _RELEASE,
    ("BCH", 5): ("change sequence", {_OLD: (1, 8)}, "Send the order again"),
    ("BIG", 2): ("invoice number", {_OLD: (1, 22)}, "Shorten the invoice number in Plex"),
    ("BIG", 4): ("order number", {_OLD: (1, 22)}, "Correct the customer's order number in Plex"),
    ("CUR", 2): ("currency", {_OLD: (3, 3)}, "Correct the currency in Plex"),
    ("REF", 1): ("reference qualifier", {_OLD: (2, 2), _4010: (2, 3)}, "Correct it in `references`"),
    ("REF", 2): _REFERENCE,
    ("FOB", 1): ("freight terms code", {_OLD: (2, 2)}, "Correct `freight_terms`"),
    ("ITD", 1): ("terms type", {_OLD: (2, 2)}, "Correct `terms`"),
    ("ITD", 2): ("terms basis date", {_OLD: (1, 2)}, "Correct `terms`"),
    ("ITD", 12): ("terms description", {_OLD: (1, 80)}, "Shorten it in `terms`"),
    ("TD5", 5): ("routing", {_OLD: (1, 35)}, "Shorten the ship-via in Plex"),
    ("N1", 2): _NAME,
    ("N1", 4): _PARTY_CODE,
    ("N3", 1): _STREET,
    ("N3", 2): _STREET,
    ("N4", 1): ("city", {_OLD: (2, 30)}, "Correct the city in Plex or in the settings"),
    ("N4", 2): ("state", {_OLD: (2, 2)}, "Use the two-letter state code"),
    ("N4", 3): ("postal code", {_OLD: (3, 11), _4010: (3, 15)}, "Correct the postal code"),
    ("N4", 4): ("country", {_OLD: (2, 3)}, "Use the two-letter country code"),
    ("PO1", 1): _LINE_ID,
    ("PO1", 2): _QUANTITY,
    ("PO1", 3): _UNIT,
    ("PO1", 4): _PRICE,
    ("PO1", 5): ("price basis", {_OLD: (2, 2)}, "Correct `price_basis` in `units`"),
    ("POC", 1): _LINE_ID,
    ("POC", 3): _QUANTITY,
    ("POC", 4): ("quantity left to receive", {_OLD: (1, 9)}, "Correct the quantity in Plex"),
    ("POC", 6): _PRICE,
    ("IT1", 1): _LINE_ID,
    ("IT1", 2): ("quantity", {_OLD: (1, 10)}, "Correct the quantity in Plex, or map a larger unit"),
    ("IT1", 3): _UNIT,
    ("IT1", 4): _PRICE,
    ("SCH", 1): _QUANTITY,
    ("SCH", 2): _UNIT,
    ("PID", 5): ("description", {_OLD: (1, 80)}, "Shorten the description in Plex"),
    ("MSG", 1): ("note", {_OLD: (1, 264)}, "Shorten the note in Plex"),
    ("MTX", 2): ("note", {_OLD: (1, 4096)}, "Shorten the note in Plex"),
    ("AMT", 2): ("amount", {_OLD: (1, 15), _4010: (1, 18)}, "Correct quantities and prices in Plex"),
    ("TDS", 1): ("total", {_OLD: (1, 10), _4010: (1, 15)}, "Correct the invoice in Plex"),
    ("CTP", 3): _PRICE,
    ("CTT", 2): ("sum of the quantities", {_OLD: (1, 10)}, "Split the order in Plex"),
    ("CTT", 1): ("number of lines", {_OLD: (1, 6)}, "Split the order in Plex"),
}
"""Limited elements: name, (minimum, maximum) by first release, and fix. From the X12 data dictionary."""


@lru_cache(maxsize=2048)
def limit(segment_id: str, position: int, release: str) -> tuple[int, int] | None:
    """Minimum and maximum length of an element in this release; None if not defined here."""
    known = _limit(segment_id, position)
    if known is None:
        return None
    _, by_release, _ = known
    return by_release[max(since for since in by_release if since <= release)]


def _limit(segment_id: str, position: int) -> Limit | None:
    start = ITEM_PAIRS_FROM.get(segment_id)
    if start is not None and position > start and (position - start) % 2 == 1:
        return _ITEM
    if start is not None and position >= start:
        return ("item qualifier", {_OLD: (2, 2)}, "Correct `items`")
    return _LIMITS.get((segment_id, position))


@lru_cache(maxsize=1024)
def _limits(segment_id: str, release: str, length: int) -> tuple[tuple[int, int] | None, ...]:
    """`limit` of each of so many elements."""
    return tuple(limit(segment_id, position, release) for position in range(1, length + 1))


def beyond_limits(placed: Iterable[tuple[str, Segment]], release: str) -> tuple[Reason, ...]:
    """A reason for each element that is too long or too short for the release (RULES.md Sending 9).

    `placed` has each segment with its location.
    """
    found: list[Reason | None] = []
    for where, segment in placed:
        limits = _limits(segment.id, release, len(segment.elements))
        for index, (value, allowed) in enumerate(zip(segment.elements, limits, strict=True)):
            if allowed is None or value is None or isinstance(value, Composite):
                continue
            size = len(value) if isinstance(value, str) else _size(value)
            if not allowed[0] <= size <= allowed[1]:
                found.append(beyond_limit(segment, index + 1, release, where))
    return tuple(reason for reason in found if reason is not None)


def beyond_limit(segment: Segment, position: int, release: str, where: str) -> Reason | None:
    """Reason if one element is too long or too short for the release, else None."""
    value = segment.get(position)
    if value is None or isinstance(value, Composite):
        return None
    allowed = limit(segment.id, position, release)
    if allowed is None:
        return None
    size = _size(value)
    if allowed[0] <= size <= allowed[1]:
        return None
    known = _limit(segment.id, position)
    what, _, fix = known if known is not None else ("value", {}, "Correct it")
    short = size < allowed[0]
    return Reason(
        code="too-short" if short else "too-long",
        where=where,
        message=f"{what} {value} has {size} characters; {segment.id}{position:02d} of release "
        f"{release} takes {'at least' if short else 'at most'} {allowed[0 if short else 1]}",
        fix=fix,
    )


def _size(value: Simple) -> int:
    """Length as defined by X12: for a number only its digits, without sign and decimal point."""
    if isinstance(value, Decimal):
        return len(f"{value.copy_abs():f}".replace(".", ""))
    return len(str(value))


def placed_segments(transaction: Transaction) -> list[tuple[str, Segment]]:
    """Every segment with its location: `order` or its line."""
    placed: list[tuple[str, Segment]] = []
    _place((*transaction.heading, *transaction.detail, *transaction.summary), "order", placed)
    return placed


def _place(nodes: Sequence[Node], where: str, placed: list[tuple[str, Segment]]) -> None:
    for node in nodes:
        if isinstance(node, Loop):
            _place(node.children, line_label(node) or where, placed)
        else:
            placed.append((where, node))
