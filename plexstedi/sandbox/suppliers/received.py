"""Orders as the supplier reads them from 850s and updates them by 860s."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation

from msgspec import Struct, field
from msgspec.structs import replace

from plexstedi.sandbox.stedi.x12 import COMPONENT, Segment, X12Error


class Schedule(Struct, frozen=True):
    """A quantity on a day; `day` is None if the document states none."""

    quantity: Decimal
    day: date | None


class OrderedLine(Struct, frozen=True):
    """One line of a received order. `items` are qualifier and id, as sent."""

    number: str
    quantity: Decimal
    unit: str
    price: str
    basis: str
    items: tuple[tuple[str, str], ...]
    schedules: tuple[Schedule, ...]

    @property
    def last_day(self) -> date | None:
        return max((each.day for each in self.schedules if each.day is not None), default=None)


class ReceivedOrder(Struct, frozen=True):
    """An order as known to the supplier."""

    number: str
    day: str
    lines: tuple[OrderedLine, ...]
    cancelled: bool = False


class LineChange(Struct, frozen=True):
    """One POC: its code (POC02), and the line after the change."""

    code: str
    line: OrderedLine
    left: Decimal | None = None
    """The quantity left to receive (POC04), if stated."""


class ReceivedChange(Struct, frozen=True):
    """One 860."""

    number: str
    purpose: str
    day: str
    sequence: str
    changes: tuple[LineChange, ...]


class OrderBook(Struct):
    """One supplier's orders by number."""

    orders: dict[str, ReceivedOrder] = field(default_factory=dict)

    def take_order(self, order: ReceivedOrder) -> None:
        self.orders[order.number] = order

    def take_change(
        self, change: ReceivedChange, shipped: Callable[[str, str], Decimal] = lambda order, line: Decimal(0)
    ) -> ReceivedOrder:
        """Apply an 860 to the order; an unknown line is added.

        `shipped` is the quantity of a line that this supplier has shipped. Raise X12Error if POC04 contradicts it.
        """
        for each in change.changes:
            ordered = Decimal(0) if each.code == "DI" else each.line.quantity
            left = max(Decimal(0), ordered - shipped(change.number, each.line.number))
            if each.left is not None and each.left != left:
                raise X12Error(f"line {each.line.number}: POC04 says {each.left} are left, we count {left}")
        order = self.orders.get(change.number) or ReceivedOrder(change.number, change.day, ())
        lines = {line.number: line for line in order.lines}
        for each in change.changes:
            former = lines.get(each.line.number)
            if each.code == "DI":
                lines.pop(each.line.number, None)
            elif former is None:
                lines[each.line.number] = each.line
            else:
                lines[each.line.number] = _merge(former, each.line)
        order = replace(order, lines=tuple(lines.values()), cancelled=change.purpose == "01")
        self.orders[order.number] = order
        return order


def _merge(former: OrderedLine, changed: OrderedLine) -> OrderedLine:
    """The changed line: values that the 860 does not state are unchanged."""
    return OrderedLine(
        former.number,
        changed.quantity if changed.quantity else former.quantity,
        changed.unit or former.unit,
        changed.price or former.price,
        changed.basis or former.basis,
        changed.items or former.items,
        changed.schedules or former.schedules,
    )


def read_order(body: tuple[Segment, ...]) -> ReceivedOrder:
    """Read an 850. Raise X12Error."""
    head = _head(body, "BEG")
    lines = []
    for rows in _loops(body, "PO1"):
        first = rows[0]
        lines.append(_line(first, rows, _at(first, 2), _at(first, 3), _at(first, 4), _at(first, 5), first[6:], body))
    return ReceivedOrder(_at(head, 3), _full(_at(head, 5)), tuple(lines))


def read_change(body: tuple[Segment, ...]) -> ReceivedChange:
    """Read an 860. Raise X12Error."""
    head = _head(body, "BCH")
    changes = []
    for rows in _loops(body, "POC"):
        first = rows[0]
        unit = _at(first, 5).split(COMPONENT)[0]
        line = _line(first, rows, _at(first, 3) or "0", unit, _at(first, 6), _at(first, 7), first[8:], body)
        left = _decimal(_at(first, 4)) if _at(first, 4) else None
        changes.append(LineChange(_at(first, 2), line, left))
    return ReceivedChange(_at(head, 3), _at(head, 1), _full(_at(head, 6)), _at(head, 5), tuple(changes))


def _line(
    first: Segment,
    rows: list[Segment],
    quantity: str,
    unit: str,
    price: str,
    basis: str,
    items: tuple[str, ...],
    body: tuple[Segment, ...],
) -> OrderedLine:
    schedules = [Schedule(_decimal(_at(row, 1)), _day(_at(row, 6))) for row in rows if row[0] == "SCH"]
    if not schedules:
        dates = [_day(_at(row, 2)) for row in rows if row[0] == "DTM"]
        header = [_day(_at(row, 2)) for row in _before_lines(body) if row[0] == "DTM"]
        found = next((each for each in (*dates, *header) if each is not None), None)
        schedules = [Schedule(_decimal(quantity), found)]
    pairs = tuple(zip(items[::2], items[1::2], strict=False))
    return OrderedLine(_at(first, 1), _decimal(quantity), unit, price, basis, pairs, tuple(schedules))


def _head(body: tuple[Segment, ...], segment_id: str) -> Segment:
    for row in body:
        if row[0] == segment_id:
            return row
    raise X12Error(f"{segment_id} is missing")


def _before_lines(body: tuple[Segment, ...]) -> list[Segment]:
    rows = []
    for row in body:
        if row[0] in ("PO1", "POC", "CTT"):
            break
        rows.append(row)
    return rows


def _loops(body: tuple[Segment, ...], segment_id: str) -> list[list[Segment]]:
    loops: list[list[Segment]] = []
    for row in body:
        if row[0] == segment_id:
            loops.append([row])
        elif row[0] == "CTT":
            break
        elif loops:
            loops[-1].append(row)
    return loops


def _at(row: Segment, position: int) -> str:
    return row[position] if position < len(row) else ""


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise X12Error(f"{text!r} is not a quantity") from None


def _day(text: str) -> date | None:
    full = _full(text)
    return date.fromisoformat(f"{full[:4]}-{full[4:6]}-{full[6:8]}") if len(full) == 8 else None


def _full(text: str) -> str:
    """A date with eight digits; releases before 004010 have six."""
    return f"20{text}" if len(text) == 6 else text
