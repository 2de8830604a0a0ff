"""Dates of an order: which can be true, and under which qualifiers a target takes them (RULES.md Sending 3, 6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from plexstedi.edi.advice import quoted, sentence, write
from plexstedi.edi.guide.capacity import Capacity
from plexstedi.edi.guide.need import OTHER_DATES
from plexstedi.edi.invoice import Invoice
from plexstedi.edi.order import LineState, Order
from plexstedi.edi.reasons import Reason
from plexstedi.edi.settings import ScheduleAs, SupplierSettings

DUE_QUALIFIERS = ("002", "106", "996")
"""X12 element 374 for the date on which we want the goods: delivery requested, required by, required delivery."""
ORDER_DATE = "004"
"""X12 element 374 for the date of the order."""
_EARLIEST = date(2000, 1, 1)
_YEARS_AHEAD = 10


def due_codes(settings: SupplierSettings, set_id: str) -> tuple[str, ...]:
    """The qualifiers of our due date, best first: X12's own words for it, then the guide's (`due_qualifier`)."""
    own = settings.document(set_id).due_qualifier
    return DUE_QUALIFIERS if own is None else (*DUE_QUALIFIERS, own)


def due_qualifier(
    capacity: Capacity,
    codes: Sequence[str],
    section: Literal["heading", "detail"],
    path: tuple[str, ...],
    segment_id: str,
    qualifier: int,
    value: int,
) -> str | None:
    """The first of these qualifiers under which a date can go into this segment; None if there is no place for one."""
    for code in codes:
        for placement in capacity.placements(section, path, segment_id):
            if placement.allows(qualifier, code) and placement.has(value):
                return code
    return None


def takes_order_date(capacity: Capacity, section: Literal["heading", "detail"], path: tuple[str, ...]) -> bool:
    """Whether a guide asks for the order date as DTM: only where it lists 004, since BEG05 has it already."""
    return any(
        ORDER_DATE in placement.codes.get(1, ()) and placement.has(2)
        for placement in capacity.placements(section, path, "DTM")
    )


@dataclass(frozen=True, slots=True)
class DueDateCapacity:
    """What is known about a due date that has no place in a guide."""

    capacity: Capacity
    set_id: str
    table: str
    """The partner's, as it stands in the configuration: `suppliers.ACME01`."""
    loop: str
    schedule: ScheduleAs
    """How releases are said."""


def due_advice(at: DueDateCapacity, *, several: bool) -> str:
    """What to do about a due date without a place. `several`: the line has different ones."""
    schedules = due_qualifier(at.capacity, DUE_QUALIFIERS, "detail", (at.loop,), "SCH", 5, 6) is not None
    dated = due_qualifier(at.capacity, DUE_QUALIFIERS, "detail", (at.loop,), "DTM", 1, 2) is not None
    ask = f"ask the supplier for SCH or DTM with qualifier 002 in the lines of its {at.set_id} guide"
    table = f"{at.table}.850"
    if schedules and at.schedule is ScheduleAs.HEADER:
        return sentence(write(table, "schedule", quoted("sch")))
    if dated and several and at.schedule is not ScheduleAs.LINES:
        return f"{sentence(write(table, 'schedule', quoted('lines')))} (each release as a separate line)"
    others = tuple(
        dict.fromkeys(
            (
                *_others(at.capacity, "detail", (at.loop,), "SCH", 5, 6),
                *_others(at.capacity, "detail", (at.loop,), "DTM", 1, 2),
                *_others(at.capacity, "heading", (), "DTM", 1, 2),
            )
        )
    )
    if others:
        setting = write(f"{at.table}.{at.set_id}", "due_qualifier", quoted(others[0]))
        return f"If one of {', '.join(others)} is the guide's qualifier for our due date: {setting}; otherwise {ask}"
    if due_qualifier(at.capacity, DUE_QUALIFIERS, "heading", (), "DTM", 1, 2) is not None:
        return f"The guide accepts one date for the whole order: split the order in Plex by due dates, or {ask}"
    return sentence(ask)


def _others(
    capacity: Capacity,
    section: Literal["heading", "detail"],
    path: tuple[str, ...],
    segment_id: str,
    qualifier: int,
    value: int,
) -> Iterator[str]:
    """The qualifiers of a segment that knows none of ours: one of them may be the guide's word for a due date."""
    placements = [placement for placement in capacity.placements(section, path, segment_id) if placement.has(value)]
    if any(placement.allows(qualifier, code) for placement in placements for code in DUE_QUALIFIERS):
        return
    for placement in placements:
        yield from (code for code in placement.codes.get(qualifier, ()) if code not in OTHER_DATES)


def impossible_dates(order: Order) -> tuple[Reason, ...]:
    """A reason for each date that no order can have, naming its field (RULES.md Sending 3).

    Plex's empty dates (0001-01-01, 1899-12-30, 9999-12-31) are among them.
    """
    reasons = [*_impossible_start("order date", order.order_date, order.created_at, "order")]
    start = order.order_date if order.order_date is not None and not reasons else _day_made(order.created_at)
    if order.due is not None:
        reasons += _impossible_due("due date", order.due, start, "order")
    for line in order.lines:
        if line.state is not LineState.OPEN:
            continue
        for release in line.firm_releases():
            if release.due is not None:
                where = f"line {line.number} release {release.number}"
                reasons += _impossible_due("due date", release.due, start, where)
    return tuple(reasons)


def impossible_invoice_dates(invoice: Invoice) -> tuple[Reason, ...]:
    """The same for an invoice."""
    reasons = [*_impossible_start("invoice date", invoice.invoice_date, invoice.created_at, "order")]
    if invoice.order_date is not None:
        reasons += _impossible_start("order date", invoice.order_date, invoice.created_at, "order")
    if invoice.due is not None:
        reasons += _impossible_due("due date", invoice.due, invoice.invoice_date, "order")
    return tuple(reasons)


def _impossible_start(field: str, day: date | None, made: datetime | None, where: str) -> Iterator[Reason]:
    if day is None:
        return
    if day < _EARLIEST:
        yield _reason(field, day, where, f"before {_EARLIEST.isoformat()}")
    elif made is not None and day > _years_after(made.date(), 1):
        yield _reason(field, day, where, f"more than a year after Plex made it ({made.date().isoformat()})")


def _impossible_due(field: str, day: date, start: date | None, where: str) -> Iterator[Reason]:
    if day < _EARLIEST:
        yield _reason(field, day, where, f"before {_EARLIEST.isoformat()}")
    elif start is not None and day > _years_after(start, _YEARS_AHEAD):
        yield _reason(field, day, where, f"more than {_YEARS_AHEAD} years after {start.isoformat()}")


def _day_made(made: datetime | None) -> date | None:
    return None if made is None else made.date()


def _years_after(day: date, years: int) -> date:
    """The same day so many years later; 29 February is 28 then. The end of the calendar is as late as can be."""
    if day.year + years > date.max.year:
        return date.max
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def _reason(field: str, day: date, where: str, why: str) -> Reason:
    return Reason(
        code="date-impossible",
        where=where,
        message=f"its {field} {day.isoformat()} is not a plausible date: it is {why}",
        fix=f"Correct the {field} in Plex, or clear it there",
    )
