"""The 855, 865 and 997 of each supplier behaviour, as X12 segments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal

from msgspec import Struct

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.stedi.guide_check import x12_number
from plexstedi.sandbox.stedi.x12 import COMPONENT, Segment
from plexstedi.sandbox.suppliers.received import LineChange, OrderedLine, ReceivedChange, ReceivedOrder

_CASE = Decimal(12)


class Reply(Struct, frozen=True):
    """One transaction set sent by a supplier."""

    set_id: str
    body: tuple[Segment, ...]


class _Detail(Struct, frozen=True):
    """The acknowledgment of one line: ACK loops and SCH, and the supplier's PO101."""

    number: str
    rows: tuple[Segment, ...]


def x12_day(day: date | None) -> str:
    return f"{day:%Y%m%d}" if day is not None else ""


def acknowledgment(character: Character, order: ReceivedOrder, today: date, *, correction: bool = False) -> Reply:
    """The 855 for an order. `correction`: the second 855 of a supplier that corrects its first one."""
    details = [
        _detail(character, line, index, len(order.lines), correction=correction)
        for index, line in enumerate(order.lines, start=1)
    ]
    code = _header_code(character, order, correction=correction)
    own_number = f"SO{order.number[-6:]}{'B' if correction else ''}"
    head: Segment = ("BAK", "00", code, order.number, order.day, "", "", "", own_number, x12_day(today))
    body: list[Segment] = [head, ("REF", "VN", own_number)]
    if code == "RD":
        body.append(("PER", "OC", "Order desk", "TE", "5550100"))
    if character is not Character.BARE:
        for line, detail in zip(order.lines, details, strict=True):
            pairs = tuple(part for pair in line.items for part in pair)
            body.append(("PO1", detail.number, x12_number(line.quantity), line.unit, line.price, line.basis, *pairs))
            body.extend(detail.rows)
        body.append(("CTT", str(len(order.lines))))
    return Reply("855", tuple(body))


def change_acknowledgment(character: Character, change: ReceivedChange, order: ReceivedOrder, today: date) -> Reply:
    """The 865 for an 860: the changed lines with their new values; a deleted line as ID."""
    changes: Sequence[LineChange] = change.changes
    if order.cancelled and not changes:
        changes = [LineChange("DI", line) for line in order.lines]
    lines = {line.number: line for line in order.lines}
    body: list[Segment] = []
    code = "AD" if character is Character.PROMPT else "AC"
    body.append(
        (
            "BCA",
            "06",
            code,
            order.number,
            "",
            change.sequence,
            order.day,
            "",
            "",
            f"SO{order.number[-6:]}",
            x12_day(today),
        )
    )
    for index, each in enumerate(changes, start=1):
        line = lines.get(each.line.number, each.line)
        pairs = tuple(part for pair in line.items for part in pair)
        gone = each.code == "DI" or order.cancelled
        quantity = "0" if gone else x12_number(line.quantity)
        unit = f"{line.unit}{COMPONENT}".rstrip(COMPONENT)
        body.append(("POC", line.number, each.code, quantity, quantity, unit, line.price, line.basis, *pairs))
        if gone:
            body.append(("ACK", "ID"))
        else:
            body.extend(_detail(_steady(character), line, index, len(changes), correction=True).rows)
    body.append(("CTT", str(len(changes))))
    return Reply("865", tuple(body))


def _steady(character: Character) -> Character:
    """The behaviour used for changes: those that an 865 cannot express are replaced by acceptance."""
    plain = (Character.ECHO, Character.BARE, Character.RENUMBERING, Character.CORRECTED, Character.REJECTING)
    return Character.PROMPT if character in plain else character


def _header_code(character: Character, order: ReceivedOrder, *, correction: bool) -> str:
    if character is Character.REJECTING:
        return "RD" if len(order.lines) == 1 else "AC"
    if character is Character.BARE:
        return "AK"
    if character in (Character.DATES, Character.PARTIAL, Character.WRONG_UNITS, Character.SPLITTING):
        return "AC"
    if character is Character.CORRECTED and not correction:
        return "AC"
    return "AD"


def _detail(character: Character, line: OrderedLine, index: int, count: int, *, correction: bool) -> _Detail:
    rows: list[Segment]
    match character:
        case Character.ECHO | Character.BARE:
            rows = []
        case Character.DATES:
            rows = _later(line, index)
        case Character.PARTIAL if index == 1:
            rows = _backordered(line)
        case Character.SPLITTING:
            rows = _split(line)
        case Character.WRONG_UNITS:
            rows = _in_cases(line)
        case Character.SLOPPY:
            rows = _sloppy(line, index)
        case Character.CORRECTED if not correction:
            rows = _ack("DR", line, line.quantity, days_late=21)
        case Character.REJECTING if index == count:
            rows = [_reject(line)]
        case _:
            rows = _accept(line)
    number = str(100 + index) if character is Character.RENUMBERING else line.number
    return _Detail(number, tuple(rows))


def _ack(code: str, line: OrderedLine, quantity: Decimal, *, days_late: int = 0) -> list[Segment]:
    """One ACK with ship and delivery date, `days_late` days after the requested ones."""
    day = line.last_day
    if day is None:
        return [("ACK", code, x12_number(quantity), line.unit)]
    moved = x12_day(day + timedelta(days=days_late))
    return [("ACK", code, x12_number(quantity), line.unit, "068", moved), ("DTM", "067", moved)]


def _accept(line: OrderedLine) -> list[Segment]:
    """IA as ordered: with the date of a single schedule, or each schedule as an SCH."""
    return _whole("IA", line)


def _whole(code: str, line: OrderedLine, *, days_late: int = 0) -> list[Segment]:
    """The whole line with one code; several schedules as SCH, `days_late` days after the requested dates."""
    if len(line.schedules) == 1:
        return _ack(code, line, line.quantity, days_late=days_late)
    rows: list[Segment] = [("ACK", code, x12_number(line.quantity), line.unit)]
    rows.extend(_schedule(line.unit, each.quantity, _moved(each.day, days_late)) for each in line.schedules)
    return rows


def _moved(day: date | None, days: int) -> date | None:
    return None if day is None else day + timedelta(days=days)


def _schedule(unit: str, quantity: Decimal, day: date | None) -> Segment:
    moved = x12_day(day)
    return ("SCH", x12_number(quantity), unit, "", "", "068", moved, "", "067", moved)


def _later(line: OrderedLine, index: int) -> list[Segment]:
    days = 12 if index % 5 == 4 else 3
    if line.last_day is None or len(line.schedules) > 1:
        return _whole("DR", line, days_late=days)
    qualifier = "068" if index % 2 else "067"
    moved = x12_day(line.last_day + timedelta(days=days))
    return [("ACK", "DR" if index % 2 else "IA", x12_number(line.quantity), line.unit, qualifier, moved)]


def _backordered(line: OrderedLine) -> list[Segment]:
    now = _share(line.quantity, Decimal("0.6"))
    if now == line.quantity:
        return _accept(line)
    return [*_ack("IB", line, line.quantity - now, days_late=21), *_ack("IA", line, now)]


def _share(quantity: Decimal, part: Decimal) -> Decimal:
    """A share of the quantity, in the quantity's precision and never zero."""
    exponent = quantity.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    step = Decimal(1).scaleb(min(0, exponent))
    share = (quantity * part / step).to_integral_value(ROUND_DOWN) * step
    return share if share > 0 else quantity


def _split(line: OrderedLine) -> list[Segment]:
    if len(line.schedules) > 1:
        return _accept(line)
    first = _share(line.quantity, Decimal("0.5"))
    rest = line.quantity - first
    rows = _ack("IA", line, first)
    return rows + (_ack("IA", line, rest, days_late=2) if rest else [])


def _in_cases(line: OrderedLine) -> list[Segment]:
    quantities = [line.quantity, *(each.quantity for each in line.schedules)]
    if line.unit != "EA" or any(quantity % _CASE for quantity in quantities):
        return _accept(line)
    row: Segment = ("ACK", "IA", x12_number(line.quantity / _CASE), "CA")
    if len(line.schedules) == 1:
        day = x12_day(line.last_day)
        return [(*row, *(("068", day) if day else ()))]
    return [row, *(_schedule("CA", each.quantity / _CASE, each.day) for each in line.schedules)]


def _sloppy(line: OrderedLine, index: int) -> list[Segment]:
    if index % 3 == 1:
        return _whole("IC", line)  # Accepted with changes, but nothing changed.
    if index % 3 == 2:
        return _whole("IA", line, days_late=9)  # Accepted, but with other dates.
    return _whole("IQ", line)  # Quantity changed, but it is the ordered one.


def _reject(line: OrderedLine) -> Segment:
    return ("ACK", "IR", x12_number(line.quantity), line.unit, *[""] * 23, "ZZ", "", "ITEM DISCONTINUED")


def functional_acknowledgment(
    group_code: str, group_number: int, sets: Sequence[tuple[str, str, int]], *, rejected: bool
) -> Reply:
    """The 997 for a functional group; `sets` are ST01, ST02 and the position of the first line in the set."""
    body: list[Segment] = [("AK1", group_code, str(group_number))]
    for set_id, number, position in sets:
        body.append(("AK2", set_id, number))
        if rejected:
            body.append(("AK3", "PO1" if set_id == "850" else "POC", str(position), "", "8"))
            body.append(("AK4", "3" if set_id == "850" else f"5{COMPONENT}1", "355", "7"))
        body.append(("AK5", "R", "5") if rejected else ("AK5", "A"))
    accepted = 0 if rejected else len(sets)
    body.append(("AK9", "R" if rejected else "A", str(len(sets)), str(len(sets)), str(accepted)))
    return Reply("997", tuple(body))
