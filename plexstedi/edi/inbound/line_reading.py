"""Interpret the acknowledgment of one line: quantities in the unit sent, and pieces with dates
(RULES.md Reading 3, 4, 9)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from plexstedi.edi.inbound.allocation import Piece, in_order, without
from plexstedi.edi.inbound.division import NO_PARTS, ZERO, Divided, Parts, StatedPart, Undivided, divide
from plexstedi.edi.inbound.outcome import ReleaseOutcome
from plexstedi.edi.inbound.reading.ack_codes import (
    DELETING_CHANGES,
    REFUSING_CHANGE,
    LineMeaning,
    line_meaning,
)
from plexstedi.edi.inbound.reading.acknowledgment import AcknowledgedLine
from plexstedi.edi.inbound.reading.dates import NO_PROMISES, DatePromise, Promises, promises_at
from plexstedi.edi.inbound.reading.stated import Detail, StatedDate, StatedSchedule
from plexstedi.edi.sent import SentLine
from plexstedi.edi.settings import SupplierSettings
from plexstedi.edi.units import product

_AS_ORDERED = (LineMeaning.ACCEPTED, LineMeaning.HOLD)
"""Meanings of a code whose quantity may repeat that of the order."""


class LineReading(Struct, frozen=True):
    """Combined reading of all PO1 of one line (or release)."""

    total: Parts
    pieces: tuple[Piece, ...]
    """`in_order`, unless they name releases."""
    date_pending: bool = False
    undecided: tuple[str, ...] = ()
    """Descriptions of dates whose meaning is undecided (`date_qualifiers`, or a review)."""
    schedule_fault: str | None = None
    """Description of SCH quantities that contradict the ACK quantities."""
    releases: tuple[ReleaseOutcome, ...] = ()
    """Per release, if releases were sent as lines; without those that are not acknowledged."""


def in_sent_unit(quantity: Decimal, unit: str | None, sent: SentLine, settings: SupplierSettings) -> Decimal | None:
    """The exact quantity in the unit sent (the default for a quantity without unit); None if there is no factor."""
    if unit is None or unit == sent.unit:
        return quantity
    rule = settings.ack_units.get(unit)
    if rule is None or rule.unit != sent.unit:
        return None
    return product(quantity, rule.factor)


def _unit_unknown(unit: str | None, sent: SentLine) -> Undivided:
    return Undivided(
        "unit-unknown",
        f"acknowledged in {unit}, ordered in {sent.unit}",
        f"set ack_units.{unit} of this supplier with unit {sent.unit} and its factor, then run"
        " `plexstedi replay --ack TRANSACTION --reason TEXT`",
    )


def read_line(
    ack_lines: Sequence[AcknowledgedLine],
    sent: SentLine,
    *,
    ordered: Decimal,
    open_quantity: Decimal,
    heading: Sequence[StatedDate],
    settings: SupplierSettings,
) -> LineReading | Undivided:
    """Interpret the PO1 of a line with `ordered` ordered and `open_quantity` not yet received."""
    stated: list[StatedPart] = []
    for ack_line in ack_lines:
        parts = _stated_parts(ack_line, sent, (ordered, open_quantity), settings)
        if isinstance(parts, Undivided):
            return parts
        stated += parts
    division = divide(stated, ordered=ordered, open_quantity=open_quantity, settings=settings.acknowledgments)
    if isinstance(division, Undivided):
        return division
    return _with_dates(ack_lines, division, sent, heading, settings)


def net(read: LineReading, ordered: Decimal, still: Decimal) -> LineReading:
    """A reading that adds up to the ordered quantity, reduced by the received quantity (RULES.md Reading 14)."""
    received, total = ordered - still, read.total
    if received <= 0 or total.total != ordered:
        return read
    # The received goods are taken from the accepted part first, then from the backorder.
    accepted = max(total.accepted - received, ZERO)
    left = received - (total.accepted - accepted)
    backordered = max(total.backordered - left, ZERO)
    left -= total.backordered - backordered
    parts = Parts(accepted, backordered, total.rejected - left)
    return replace(read, total=parts, pieces=tuple(without(read.pieces, received)))


def _stated_parts(
    ack_line: AcknowledgedLine, sent: SentLine, expected: tuple[Decimal, ...], settings: SupplierSettings
) -> list[StatedPart] | Undivided:
    echoed = None if ack_line.quantity is None else in_sent_unit(ack_line.quantity, ack_line.unit, sent, settings)
    if not ack_line.details:
        if ack_line.quantity is not None and echoed is None:
            return _unit_unknown(ack_line.unit, sent)
        deleted = ack_line.change_code in DELETING_CHANGES or ack_line.change_code == REFUSING_CHANGE
        meaning = LineMeaning.REJECTED if deleted else LineMeaning.ACCEPTED
        stated = StatedPart(None, meaning, None if deleted and not echoed else echoed)
        return [_as_scheduled(stated, ack_line, sent, expected, settings)]
    parts = []
    for detail in ack_line.details:
        meaning = line_meaning(detail.code, settings.acknowledgments)
        unit = detail.unit or ack_line.unit
        if detail.quantity is not None:
            quantity = in_sent_unit(detail.quantity, unit, sent, settings)
            if quantity is None:
                return _unit_unknown(unit, sent)
        else:
            quantity = None
            takes_echo = meaning in _AS_ORDERED and len(ack_line.details) == 1
            if takes_echo and ack_line.quantity is not None:
                if echoed is None:
                    return _unit_unknown(ack_line.unit, sent)
                # PO102 equal to the ordered or the open quantity means "as ordered", like no quantity at all.
                quantity = None if echoed in expected else echoed
        parts.append(StatedPart(detail.code, meaning, quantity))
    return [_as_scheduled(parts[0], ack_line, sent, expected, settings)] if len(parts) == 1 else parts


def _as_scheduled(
    part: StatedPart,
    ack_line: AcknowledgedLine,
    sent: SentLine,
    expected: tuple[Decimal, ...],
    settings: SupplierSettings,
) -> StatedPart:
    """After a receipt both the ordered and the open quantity mean "as ordered" (RULES.md Reading 14).

    If the SCH quantities add up to one of them and the line quantity is the other or missing, the schedules count.
    """
    if not ack_line.schedules or part.meaning not in _AS_ORDERED:
        return part
    if part.quantity is not None and part.quantity not in expected:
        return part
    laid = [
        None
        if schedule.quantity is None
        else in_sent_unit(schedule.quantity, schedule.unit or ack_line.unit, sent, settings)
        for schedule in ack_line.schedules
    ]
    known = [quantity for quantity in laid if quantity is not None]
    scheduled = sum(known, ZERO)
    if len(known) < len(laid) or scheduled not in expected:
        return part
    return replace(part, quantity=scheduled)


def _with_dates(
    ack_lines: Sequence[AcknowledgedLine],
    division: Divided,
    sent: SentLine,
    heading: Sequence[StatedDate],
    settings: SupplierSettings,
) -> LineReading:
    own = settings.acknowledgments.date_qualifiers
    undecided: list[str] = []

    def read(dates: Sequence[StatedDate]) -> Promises:
        if not dates:
            return NO_PROMISES
        reading = promises_at(dates, own)
        undecided.extend(reading.undecided)
        return reading.promises

    # SP accepts with the date pending: any date in the document is not a promise for this part.
    pending = "SP" in [detail.code for ack_line in ack_lines for detail in ack_line.details]
    is_all_pending = pending and all(_is_pending(ack_line) for ack_line in ack_lines)
    general = NO_PROMISES if is_all_pending else read(heading)
    total = division.total
    has_accepted = total.accepted > 0
    pieces: list[Piece] = []
    faults: list[str] = []
    rest = iter(division.parts)
    for ack_line in ack_lines:
        is_pending = pending and _is_pending(ack_line)
        of_line = NO_PROMISES if is_pending else read(ack_line.dates).filled_from(general)
        own_pieces: list[Piece] = []
        details: Sequence[Detail | None] = ack_line.details or (None,)
        for detail in details:
            parts = next(rest)
            if detail is not None and detail.code == "SP":
                own_pieces.append(Piece(parts.accepted))
                continue
            close = NO_PROMISES if detail is None else _of_detail(detail, read)
            own_pieces.append(Piece(parts.accepted, False, close.filled_from(of_line)))
            if parts.backordered:
                # Dates of the line or heading belong to the confirmed part, and to a backorder only if it is alone.
                own_pieces.append(Piece(parts.backordered, True, close if has_accepted else close.filled_from(of_line)))
        if len(ack_lines) == 1:
            own_pieces += _remainder(division.remainder, of_line)
        if ack_line.schedules and not is_pending:
            scheduled = _scheduled(ack_line, own_pieces, sent, settings, read)
            if isinstance(scheduled, str):
                faults.append(scheduled)
            else:
                own_pieces = scheduled
        pieces += own_pieces
    if len(ack_lines) > 1:
        pieces += _remainder(division.remainder, general)
    return LineReading(
        total,
        tuple(in_order(pieces)),
        pending,
        tuple(dict.fromkeys(undecided)),
        "; ".join(faults) or None,
    )


def _is_pending(ack_line: AcknowledgedLine) -> bool:
    """Whether a line has an ACK, and none that is not SP."""
    return {detail.code for detail in ack_line.details} == {"SP"}


def _of_detail(detail: Detail, read: Callable[[Sequence[StatedDate]], Promises]) -> Promises:
    """Promises of an ACK: DTM in its loop, then ACK04 and ACK05."""
    inline = read((detail.date,)) if detail.date is not None else NO_PROMISES
    return read(detail.dates).filled_from(inline) if detail.dates else inline


def _remainder(remainder: Parts, of_line: Promises) -> list[Piece]:
    """Pieces for the remainder implied by a backorder code; a backordered part has no promised date."""
    if remainder is NO_PARTS:
        return []
    return [Piece(remainder.accepted, False, of_line), Piece(remainder.backordered, True)]


def _scheduled(
    ack_line: AcknowledgedLine,
    pieces: Sequence[Piece],
    sent: SentLine,
    settings: SupplierSettings,
    read: Callable[[Sequence[StatedDate]], Promises],
) -> list[Piece] | str:
    """Pieces by the SCH segments, or the reason why these contradict the ACK quantities."""
    now = [p for p in pieces if not p.backordered and p.quantity > 0]
    later = [p for p in pieces if p.backordered and p.quantity > 0]
    total_now, total_later = _sum(now), _sum(later)
    laid: list[Piece] = []
    for schedule in ack_line.schedules:
        piece = _schedule_piece(schedule, ack_line, sent, settings, read)
        if piece is None:
            return f"SCH02 gives the unit {schedule.unit}, ordered in {sent.unit}"
        laid.append(piece)
    total = _sum(laid)
    if not later and total == total_now:
        return _fill(in_order(laid), now, later)
    if total == total_now + total_later:
        return _fill(_split(laid, total_now), now, later)
    # Equal parts: nothing shows whether the SCH quantities refer to the confirmed or to the backordered one.
    if total == total_now == total_later:
        return f"the SCH quantities ({total}) could be either those shipped now or those shipped later"
    if total == total_now:
        return [*_fill(laid, now, later), *later]
    released = sum((schedule.quantity for schedule in sent.schedules), ZERO)
    if not later and total == released < total_now:
        # Blanket order: the whole quantity is confirmed, but SCH repeat only the releases sent: only these have dates.
        return [*_fill(laid, now, later), Piece(total_now - released)]
    if total == total_later:
        return [*now, *_fill([replace(p, backordered=True) for p in laid], now, later)]
    return f"the SCH quantities add up to {total}, {total_now + total_later} are acknowledged"


def _schedule_piece(
    schedule: StatedSchedule,
    ack_line: AcknowledgedLine,
    sent: SentLine,
    settings: SupplierSettings,
    read: Callable[[Sequence[StatedDate]], Promises],
) -> Piece | None:
    if schedule.quantity is None:
        return Piece(ZERO)
    quantity = in_sent_unit(schedule.quantity, schedule.unit or ack_line.unit, sent, settings)
    return None if quantity is None else Piece(quantity, False, read(schedule.dates))


def _sum(pieces: Iterable[Piece]) -> Decimal:
    return sum([piece.quantity for piece in pieces], ZERO)


def _split(laid: Sequence[Piece], now: Decimal) -> list[Piece]:
    """Split by date: the earliest schedules are confirmed, the others backordered."""
    result, left = [], now
    for piece in in_order(laid):
        taken = min(left, piece.quantity)
        left -= taken
        if taken == piece.quantity:
            result.append(piece)
        else:
            rest = replace(piece, quantity=piece.quantity - taken, backordered=True)
            result += [replace(piece, quantity=taken), rest] if taken > 0 else [rest]
    return result


def _fill(laid: Iterable[Piece], now: Sequence[Piece], later: Sequence[Piece]) -> list[Piece]:
    """Fill missing dates of schedules from less specific places, if these agree on one."""
    fallback = {False: _common(now), True: _common(later)}
    return [
        Piece(p.quantity, p.backordered, p.promises.filled_from(fallback[p.backordered]), p.release_id) for p in laid
    ]


def _common(pieces: Sequence[Piece]) -> Promises:
    if len(pieces) < 2:
        return pieces[0].promises if pieces else NO_PROMISES

    def one(found: list[DatePromise | None]) -> DatePromise | None:
        first = found[0] if found else None
        return first if first is not None and all(p is not None and p.on == first.on for p in found) else None

    return Promises(one([p.promises.ship for p in pieces]), one([p.promises.delivery for p in pieces]))
