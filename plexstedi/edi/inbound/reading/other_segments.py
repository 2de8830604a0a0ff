"""Optional segments of an acknowledgment, and free text of the supplier (RULES.md Reading 4, 6).

LIN, CTP, PO3 and CUR are interpreted where they are unambiguous. Other segments (a charge, sub-lines, quantities by
location) are reported verbatim with their amount, for review.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from msgspec import Struct, field

from plexstedi.edi.inbound.reading.element_values import Bad, read_items, read_number, read_text
from plexstedi.edi.model import Frozen
from plexstedi.edi.settings import EXTRA_SEGMENTS
from plexstedi.edi.x12.transaction import Composite, Loop, Node, Segment, Value

LIST_PRICES = frozenset({"MSR", "RTL", "SRP"})
"""CTP02, PO303 codes (X12 element 236) of prices that are not purchase prices."""
_NUMBERS = {
    "CTP": {3, 4, 7, 8, 11},
    "PO3": {4, 6},
    "QTY": {2},
    "SAC": {5, 7, 8, 10, 11},
    "SDQ": set(range(4, 23, 2)),
    "SLN": {4, 6},
}
"""Positions of numbers, which are written in canonical form whatever their JSON type."""
_READ = frozenset(("LIN", "CTP", "PO3", "SAC", "SLN", "CUR", *EXTRA_SEGMENTS))
"""Segments that are interpreted or reported."""
_CHARGE_WORDS = {"A": "an allowance", "C": "a charge", "P": "a promotion", "S": "a service"}


class Extra(Frozen, frozen=True, kw_only=True):
    """A segment that is not interpreted."""

    segment: str
    """Its id: `SAC`."""
    text: str
    """Verbatim: `SAC*C*D240***12.5`."""
    message: str
    """Description with its amount."""
    holds: bool = False
    """Whether the line is ambiguous without it, so that it holds the line."""


class StatedPrice(Struct, frozen=True):
    """A price stated in addition to PO104."""

    segment: str
    """`CTP`, `PO3`."""
    place: str
    """`CTP03`, `PO304`."""
    price: Decimal
    basis: str | None = None
    """CTP09, PO305 (X12 element 639)."""
    unit: str | None = None


class Others(Struct):
    """Content of the optional segments of a line or of the heading."""

    items: list[dict[str, str]] = field(default_factory=list)
    """LIN: item numbers by qualifier."""
    prices: list[StatedPrice] = field(default_factory=list)
    currencies: list[str] = field(default_factory=list)
    """CUR02 and CUR05, in upper case."""
    extras: list[Extra] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    """Free text: NTE, MSG, MTX, REF03."""


def each(loop: Loop, segment_id: str) -> tuple[Loop, ...]:
    """Children of a loop with this id, whether the guide has them as loops or as segments."""
    return tuple([c if isinstance(c, Loop) else Loop(c.id, (c,)) for c in loop.children[1:] if c.id == segment_id])


def of_line(loop: Loop, quantities: Sequence[Decimal | None]) -> Others:
    """Optional segments of a line loop; `quantities` are those of the line."""
    found = Others()
    for node in loop.children[1:]:
        if node.id not in _READ and (isinstance(node, Segment) or len(node.children) == 1):
            continue
        entry = node if isinstance(node, Loop) else Loop(node.id, (node,))
        _read(entry, found, quantities)
    _add_words(found.words, loop.children[1:], references=True)
    return found


def of_heading(nodes: Sequence[Node]) -> Others:
    """Optional segments of the heading, or outside of any line; only CUR is interpreted there."""
    found = Others()
    for segment in _walk(nodes):
        if segment.id == "CUR":
            found.currencies += _currencies(segment)
        elif segment.id in EXTRA_SEGMENTS and not (segment.id == "SAC" and not _amounts(segment)):
            found.extras.append(_extra(segment))
    _add_words(found.words, nodes, references=False)
    return found


def _read(entry: Loop, found: Others, quantities: Sequence[Decimal | None]) -> None:
    head = entry.head
    match entry.id:
        case "LIN":
            items, repeated = read_items(head.elements, 2)
            if items:
                found.items += [items, *repeated]
            else:
                found.extras.append(_extra(head))
        case "CTP" if _multiplier(head):
            # Whether CTP03 is the price before or after it differs between suppliers.
            found.extras.append(_extra(head))
        case "CTP":
            _price(found, head, ("CTP03", 3, 2, 9, 5))
        case "PO3":
            stated = read_number(head.get(6))
            is_priced = _price(found, head, ("PO304", 4, 3, 5, 7))
            if is_priced and isinstance(stated, Decimal) and stated != 0 and stated not in quantities:
                found.extras.append(_extra(head))
        case "SAC":
            if _amounts(head):
                found.extras.append(_extra(head))
        case "SLN":
            found.extras.append(_sub_line(entry))
        case "CUR":
            pass
        case other if other in EXTRA_SEGMENTS:
            found.extras.append(_extra(head))
        case _:
            for segment in _walk(entry.children[1:]):
                if segment.id in EXTRA_SEGMENTS and segment.id not in ("CUR", "SAC"):
                    found.extras.append(_extra(segment))
    for segment in entry.walk():
        if segment.id == "CUR":
            found.currencies += _currencies(segment)


def _price(found: Others, head: Segment, positions: tuple[str, int, int, int, int]) -> bool:
    """Whether it is a purchase price. A list price is ignored; a segment without a readable price is reported."""
    place, price_at, kind_at, basis_at, unit_at = positions
    if (read_text(head.get(kind_at)) or "").upper() in LIST_PRICES:
        return False
    price = read_number(head.get(price_at))
    if price is None or isinstance(price, Bad):
        found.extras.append(_extra(head))
        return False
    basis = read_text(head.get(basis_at))
    unit = unit_of(head, unit_at)
    found.prices.append(StatedPrice(segment=head.id, place=place, price=price, basis=basis, unit=unit))
    return True


def _multiplier(ctp: Segment) -> str:
    """CTP07, a factor of the price (0.9 with a discount of 10 %); empty without it or a price, or for a list price."""
    is_purchase = read_text(ctp.get(3)) and (read_text(ctp.get(2)) or "").upper() not in LIST_PRICES
    if not is_purchase or read_number(ctp.get(7)) in (None, Decimal(1)):
        return ""
    return _written(ctp, 7)


def unit_of(segment: Segment, position: int) -> str | None:
    """Unit of measure (element 355, or the first component of C001) in upper case."""
    value = segment.get(position)
    if isinstance(value, Composite):
        value = value.components[0] if value.components else None
    text = read_text(value)
    return text.upper() if text else None


def _currencies(cur: Segment) -> list[str]:
    return [code.upper() for position in (2, 5) if (code := read_text(cur.get(position))) is not None]


def _amounts(sac: Segment) -> list[str]:
    """Amount, percent and rate of a SAC; empty if it only states that there is no charge."""
    if read_text(sac.get(1)) == "N":
        return []
    found = []
    for position, form in ((5, "{}"), (7, "{} %"), (8, "{} a unit")):
        value = read_number(sac.get(position))
        if value is None or value == 0:
            continue
        found.append(
            form.format(_written(sac, position) if isinstance(value, Decimal) else read_text(sac.get(position)))
        )
    return found


def _sub_line(entry: Loop) -> Extra:
    if any(each(entry, "ACK")):
        message = "the supplier acknowledges parts of the line separately, which Plex cannot distinguish"
        return Extra(segment="SLN", text=_as_text(entry.head), message=message, holds=True)
    return _extra(entry.head)


def _extra(segment: Segment) -> Extra:
    return Extra(segment=segment.id, text=_as_text(segment), message=_in_words(segment))


def _in_words(segment: Segment) -> str:
    text = _as_text(segment)
    match segment.id:
        case "SAC":
            what = _CHARGE_WORDS.get(read_text(segment.get(1)) or "", "a charge or allowance")
            return f"{what} of {', '.join(_amounts(segment)) or 'no stated amount'} that was not ordered ({text})"
        case "QTY":
            return f"a quantity of {_written(segment, 2) or 'nothing'} in addition to that of the line ({text})"
        case "SLN":
            return f"a part of the line, quantity {_written(segment, 4) or 'not stated'} ({text})"
        case "SDQ":
            amounts = ", ".join(filter(None, (_written(segment, n) for n in range(4, 23, 2))))
            return f"quantities by destination: {amounts or 'none'} ({text})"
        case "CTP" if _multiplier(segment):
            return f"a price of {_written(segment, 3)} with the multiplier {_multiplier(segment)} ({text})"
        case "CTP":
            return f"a price that cannot be read: {_written(segment, 3) or _written(segment, 8) or 'none'} ({text})"
        case "PO3":
            return f"further detail of the line, quantity {_written(segment, 6) or 'not stated'} ({text})"
        case "LIN":
            return f"an item that cannot be read ({text})"
        case _:
            return f"a {segment.id} that is not understood ({text})"


def _as_text(segment: Segment) -> str:
    rows = [_written(segment, position) for position in range(1, len(segment.elements) + 1)]
    return "*".join([segment.id, *rows]).rstrip("*")


def _written(segment: Segment, position: int) -> str:
    """The element as text; a number in canonical form."""
    if position in _NUMBERS.get(segment.id, ()):
        number = read_number(segment.get(position))
        if isinstance(number, Decimal):
            return f"{number:f}"
    return _text(segment.get(position))


def _text(value: Value | None) -> str:
    if isinstance(value, Composite):
        return ":".join(_text(each) for each in value.components).rstrip(":")
    return read_text(value) or ""


_WORD_POSITIONS = {"NTE": (2,), "MSG": (1,), "MTX": (2, 3), "REF": (3,)}


def _add_words(found: list[str], nodes: Sequence[Node], *, references: bool) -> None:
    """Add the free text of these nodes, except of charges and sub-lines."""
    for node in nodes:
        if isinstance(node, Loop):
            if node.id not in ("SAC", "SLN"):
                _add_words(found, node.children, references=references)
        elif node.id in _WORD_POSITIONS and (references or node.id != "REF"):
            for position in _WORD_POSITIONS[node.id]:
                text = " ".join((read_text(node.get(position)) or "").split())
                if text and text not in found:
                    found.append(text)


def _walk(nodes: Sequence[Node]) -> Iterator[Segment]:
    """Every segment; of a SAC or SLN loop only its CUR."""
    for node in nodes:
        if isinstance(node, Segment):
            yield node
        elif node.id in ("SAC", "SLN"):
            yield node.head
            yield from (segment for segment in node.walk() if segment.id == "CUR")
        else:
            yield from _walk(node.children)
