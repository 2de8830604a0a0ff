"""Parse an 855 or 865 of any release and guide to a typed value.

`read_acknowledgment` takes the neutral tree, from Guide JSON (`guide_reading`) or from raw X12 (`x12/text`). It only
parses (RULES.md Reading 15); `reconcile` decides the meaning for an order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date, time
from decimal import Decimal
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from plexstedi.edi.inbound.reading.element_values import (
    Bad,
    date_qualifier,
    read_date,
    read_items,
    read_number,
    read_text,
    shown,
)
from plexstedi.edi.inbound.reading.other_segments import Extra, StatedPrice, each, of_heading, of_line, unit_of
from plexstedi.edi.inbound.reading.stated import Detail, StatedDate, StatedSchedule
from plexstedi.edi.model import Frozen, to_json
from plexstedi.edi.plain_values import BROKEN_CHARACTER, is_broken
from plexstedi.edi.reasons import Reason
from plexstedi.edi.watched import Watch, unwatched, watched
from plexstedi.edi.x12.transaction import Composite, Loop, Node, Segment, Transaction, Value

_OF_A_LINE = ("ACK", "SCH", "DTM")
_ITEMS_END = 26
"""ACK26 is the last item number of an ACK."""
_MOST_LINES = 100_000
"""Maximum repeats of the loops PO1 and POC (X12 004010)."""
_PLAIN = frozenset({Decimal, date, time, type(None)})
"""Types of elements that contain no text."""
_ADDRESSES = ("N1", "N2", "N3", "N4", "PER")
"""Name and address segments: not interpreted, so broken text in them is not a fault."""
IMPOSSIBLE_DATE = "date-impossible"
"""Reason code of a fault that leaves the quantities of a line readable."""


class AcknowledgedLine(Frozen, frozen=True, kw_only=True):
    """One PO1 (855) or POC (865) loop."""

    position: int
    """Position in the acknowledgment, from 1."""
    place: str
    """Location for reasons: `PO1 number 2 (10)`."""
    assigned_id: str | None = None
    """PO101, POC01."""
    change_code: str | None = None
    """POC02 of an 865."""
    quantity: Decimal | None = None
    """PO102, POC03."""
    unit: str | None = None
    price: Decimal | None = None
    price_basis: str | None = None
    items: dict[str, str] = field(default_factory=dict)
    other_items: tuple[dict[str, str], ...] = ()
    """LIN: item numbers by qualifier, as in PO1."""
    other_prices: tuple[StatedPrice, ...] = ()
    """CTP and PO3."""
    currencies: tuple[str, ...] = ()
    """CUR in the line loop."""
    extras: tuple[Extra, ...] = ()
    """Segments that are not interpreted."""
    words: tuple[str, ...] = ()
    """Free text for the line: NTE, MSG, MTX, REF03."""
    details: tuple[Detail, ...] = ()
    schedules: tuple[StatedSchedule, ...] = ()
    dates: tuple[StatedDate, ...] = ()
    """DTM under PO1 or POC."""
    faults: tuple[Reason, ...] = ()
    """Unreadable elements of the line; they hold only this line (RULES.md Reading 15)."""


class Acknowledgment(Frozen, frozen=True, kw_only=True):
    """A parsed 855 or 865."""

    set_id: Literal["855", "865"]
    purpose: str
    """BAK01, BCA01 (X12 element 353)."""
    type_code: str
    """BAK02, BCA02 (X12 element 587)."""
    order_number: str
    """BAK03, BCA03: as received."""
    order_date: date | None = None
    """BAK04, BCA06: an echo of our date, never used for decisions."""
    release_number: str | None = None
    """BAK05, BCA04."""
    supplier_reference: str | None = None
    """BAK08, BCA09: the supplier's order number; if empty BAK06, BCA07, or REF02 of a REF VN."""
    dated: date | None = None
    """BAK09, BCA10: acknowledgment date; decides which acknowledgment is newer (RULES.md Reading 12)."""
    change_sequence: str | None = None
    """BCA05: change sequence of the acknowledged 860."""
    lines: tuple[AcknowledgedLine, ...] = ()
    dates: tuple[StatedDate, ...] = ()
    """DTM in the heading."""
    currencies: tuple[str, ...] = ()
    """CUR in the heading."""
    extras: tuple[Extra, ...] = ()
    """Heading segments that are not interpreted."""
    words: tuple[str, ...] = ()
    """Free text for the whole order: NTE, MSG, MTX."""
    faults: tuple[Reason, ...] = ()
    """Unreadable elements of the heading; they hold the document (RULES.md Reading 15)."""


class Malformed(Struct, frozen=True):
    """A document that cannot be read at all: stored, and needs review (RULES.md Reading 15)."""

    reasons: tuple[Reason, ...]
    order_number: str | None = None


def content_fingerprint(acknowledgment: Acknowledgment) -> str:
    """SHA-256 (hex) of the content: equal for Guide JSON and X12 of the same acknowledgment.

    Faults are reduced to their locations, since JSON and X12 represent an unreadable value differently.
    """
    lines = tuple(replace(line, faults=_places(line.faults)) if line.faults else line for line in acknowledgment.lines)
    content = replace(acknowledgment, lines=lines, faults=_places(acknowledgment.faults))
    return hashlib.sha256(to_json(content).encode()).hexdigest()


def _places(faults: Sequence[Reason]) -> tuple[Reason, ...]:
    return tuple(replace(fault, message=fault.message.partition(":")[0], fix="") for fault in faults)


class _Heading(Struct, frozen=True):
    """Element positions in the opening segment: BAK of an 855, BCA of an 865."""

    set_id: Literal["855", "865"]
    segment: str
    line_loop: str
    release: int
    order_date: int
    supplier_reference: int
    request_reference: int
    dated: int
    change_sequence: int | None


_HEADINGS = (
    _Heading("855", "BAK", "PO1", 5, 4, 8, 6, 9, None),
    _Heading("865", "BCA", "POC", 4, 6, 9, 7, 10, 5),
)


class _Location(Struct):
    """The heading or a line being read, with its faults."""

    name: str
    faults: list[Reason] = field(default_factory=list)

    def fault(self, element: str, message: str, code: str = "malformed") -> None:
        """Record that an element cannot be read."""
        self.faults.append(
            Reason(
                code=code,
                where=self.name,
                message=f"{element}: {message}",
                fix="ask the supplier for a corrected acknowledgment and reject this one:"
                " `plexstedi review reject ID --reason TEXT`",
            )
        )

    def number(self, segment: Segment, position: int) -> Decimal | None:
        """The element as a number; a fault and None if it is not one."""
        value = read_number(segment.get(position))
        if isinstance(value, Bad):
            self.fault(f"{segment.id}{position:02}", value.message)
            return None
        return value

    def date(self, segment: Segment, position: int) -> date | None:
        """The element as a date; a fault and None if it does not exist."""
        written = segment.get(position)
        value = None if written is None else read_date(written)
        if isinstance(value, Bad):
            self.fault(f"{segment.id}{position:02}", value.message, IMPOSSIBLE_DATE)
            return None
        return value

    def texts(self, segments: Iterable[Segment]) -> None:
        """Record a fault for every text with broken characters, since its meaning is lost."""
        found = [
            (f"{segment.id}{position:02}", broken)
            for segment in segments
            # Nearly every segment is whole, which is seen without a call for each of its elements.
            if [v for v in segment.elements if (BROKEN_CHARACTER in v if type(v) is str else type(v) not in _PLAIN)]
            and segment.id not in _ADDRESSES
            for position, value in enumerate(segment.elements, start=1)
            if (broken := _broken_text(value)) is not None
        ]
        reported = {reason.message.partition(":")[0] for reason in self.faults} if found else set()
        for element, broken in found:
            if element not in reported:
                self.fault(element, f"'{shown(broken)}' is broken text: it contains something that is not a character")

    def stated_date(self, segment: Segment, qualifier_at: int, date_at: int, place: str) -> StatedDate | None:
        """A date with its qualifier; None if absent or unreadable."""
        on = self.date(segment, date_at)
        if on is None:
            return None
        return StatedDate(date_qualifier(segment.get(qualifier_at)), on, place)


def read_acknowledgment(tx: Transaction, watch: Watch = unwatched) -> Acknowledgment | Malformed:
    """Parse an 855 or 865. Malformed if it is neither, has no order number, or has more lines than X12 allows."""
    heading = next((h for h in _HEADINGS if h.set_id == tx.set_id), None)
    if heading is None:
        return _malformed("ST01", f"a {tx.set_id} is not an acknowledgment")
    opening = next((s for s in tx.walk() if s.id == heading.segment), None)
    if opening is None:
        return _malformed(heading.segment, "the segment is missing")
    order_number = read_text(opening.get(3))
    if order_number is None:
        return _malformed(f"{heading.segment}03", "the order number is missing")
    if is_broken(order_number):
        return _malformed(f"{heading.segment}03", f"'{shown(order_number)}' is broken text, or not a plain number")
    type_code = read_text(opening.get(2))
    if type_code is None:
        return _malformed(f"{heading.segment}02", "the acknowledgment type is missing", order_number)

    location = _Location("order")
    location.texts(node for node in (*tx.heading, *tx.summary) if isinstance(node, Segment))
    order_date = read_date(opening.get(heading.order_date))
    loops = [node for node in tx.detail if node.id == heading.line_loop]
    if len(loops) > _MOST_LINES:
        return _malformed(heading.line_loop, f"{len(loops)} lines, where X12 has {_MOST_LINES} at most", order_number)
    others = of_heading((*tx.heading, *(node for node in tx.detail if node.id != heading.line_loop), *tx.summary))
    for stray in dict.fromkeys(node.id for node in tx.detail if node.id in _OF_A_LINE):
        location.fault(stray, f"is outside any {heading.line_loop}: which line it refers to cannot be determined")
    return Acknowledgment(
        set_id=heading.set_id,
        purpose=read_text(opening.get(1)) or "",
        type_code=type_code.upper(),
        order_number=order_number,
        order_date=None if isinstance(order_date, Bad) else order_date,
        release_number=read_text(opening.get(heading.release)),
        supplier_reference=_supplier_reference(tx, opening, heading),
        dated=location.date(opening, heading.dated),
        change_sequence=read_text(opening.get(heading.change_sequence)) if heading.change_sequence else None,
        lines=tuple(_line(node, index) for index, node in enumerate(watched(loops, watch), start=1)),
        dates=_dtm(tuple(n for n in tx.heading if isinstance(n, Segment)), location, "DTM of the heading"),
        currencies=tuple(others.currencies),
        extras=tuple(others.extras),
        words=tuple(others.words),
        faults=tuple(location.faults),
    )


def _supplier_reference(tx: Transaction, opening: Segment, heading: _Heading) -> str | None:
    own = read_text(opening.get(heading.supplier_reference)) or read_text(opening.get(heading.request_reference))
    if own is not None:
        return own
    references = (node for node in tx.heading if isinstance(node, Segment) and node.id == "REF")
    return next((read_text(ref.get(2)) for ref in references if read_text(ref.get(1)) == "VN"), None)


def _broken_text(value: Value | None) -> str | None:
    if isinstance(value, str):
        return value if is_broken(value) else None
    if isinstance(value, Composite):
        return next((part for part in value.components if isinstance(part, str) and is_broken(part)), None)
    return None


def _malformed(element: str, message: str, order_number: str | None = None) -> Malformed:
    location = _Location("order")
    location.fault(element, message)
    return Malformed(tuple(location.faults), order_number)


def _line(node: Node, position: int) -> AcknowledgedLine:
    loop = node if isinstance(node, Loop) else Loop(node.id, (node,))
    head = loop.head
    assigned_id = read_text(head.get(1))
    location = _Location(f"{head.id} number {position}" + (f" ({assigned_id})" if assigned_id else ""))
    is_change = head.id == "POC"
    price_at, items_at = (6, 8) if is_change else (4, 6)
    acks = each(loop, "ACK")
    details = tuple([_detail(entry, location) for entry in acks])
    for sub in loop.children[1:]:
        if isinstance(sub, Loop) and sub.id not in ("ACK", "SCH", "SLN"):
            for stray in dict.fromkeys(s.id for s in sub.walk() if s.id in ("ACK", "SCH")):
                location.fault(
                    stray, f"is in the loop {sub.id}: whether it applies to the whole line cannot be determined"
                )
    quantity = location.number(head, 3 if is_change else 2)
    others = of_line(loop, (quantity, *[detail.quantity for detail in details]))
    price = location.number(head, price_at)
    items, repeated = read_items(head.elements, items_at)
    schedules = tuple([_schedule(entry.head, location) for entry in each(loop, "SCH")])
    dates = _dtm(loop.segments("DTM"), location, f"DTM under {head.id}")
    location.texts(loop.walk())
    return AcknowledgedLine(
        position=position,
        place=location.name,
        assigned_id=assigned_id,
        change_code=(read_text(head.get(2)) or "").upper() or None if is_change else None,
        quantity=quantity,
        unit=unit_of(head, 5 if is_change else 3),
        price=price,
        price_basis=read_text(head.get(price_at + 1)),
        items=items,
        other_items=(
            *repeated,
            *others.items,
            *[more for entry in acks for more in read_items(entry.head.elements[:_ITEMS_END], 7)[1]],
        ),
        other_prices=tuple(others.prices),
        currencies=tuple(others.currencies),
        extras=tuple(others.extras),
        words=tuple(others.words),
        details=details,
        schedules=schedules,
        dates=dates,
        faults=tuple(location.faults),
    )


def _detail(loop: Loop, location: _Location) -> Detail:
    ack = loop.head
    code = read_text(ack.get(1))
    if code is None:
        location.fault("ACK01", "the ACK segment has no status code")
    reason = read_text(ack.get(29)) or read_text(ack.get(27))
    return Detail(
        code=(code or "").upper(),
        quantity=location.number(ack, 2),
        unit=unit_of(ack, 3),
        date=location.stated_date(ack, 4, 5, "ACK04"),
        dates=_dtm(loop.segments("DTM"), location, "DTM under ACK"),
        items=read_items(ack.elements[:_ITEMS_END], 7)[0],
        industry_code=reason,
    )


def _schedule(sch: Segment, location: _Location) -> StatedSchedule:
    quantity = location.number(sch, 1)
    if quantity is None and not isinstance(read_number(sch.get(1)), Bad):
        location.fault("SCH01", "the schedule has no quantity")
    dates = (location.stated_date(sch, 5, 6, "SCH05"), location.stated_date(sch, 8, 9, "SCH08"))
    return StatedSchedule(quantity=quantity, unit=unit_of(sch, 2), dates=tuple([d for d in dates if d is not None]))


def _dtm(segments: tuple[Segment, ...], location: _Location, name: str) -> tuple[StatedDate, ...]:
    """DTM dates: DTM02, else DTM06 if DTM05 is a single day (D8). A longer period is a fault."""
    dates = []
    for dtm in segments:
        if dtm.id != "DTM":
            continue
        stated = location.stated_date(dtm, 1, 2, name)
        period = read_text(dtm.get(6))
        if stated is None and dtm.get(2) is None and period is not None:
            if read_text(dtm.get(5)) == "D8":
                stated = location.stated_date(dtm, 1, 6, name)
            else:
                location.fault("DTM06", f"the period '{period}' is not a single day", IMPOSSIBLE_DATE)
        if stated is not None:
            dates.append(stated)
    return tuple(dates)
