"""Dates of an order: plausibility, and the qualifiers under which a target accepts them (RULES.md Sending 3, 6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Literal

from msgspec import Struct

from plexstedi.edi.advice import quoted, sentence, write
from plexstedi.edi.guide.capacity import Capacity
from plexstedi.edi.guide.need import OTHER_DATES
from plexstedi.edi.invoice import Invoice
from plexstedi.edi.order import LineState, Order
from plexstedi.edi.reasons import Reason
from plexstedi.edi.settings import ScheduleAs, SupplierSettings

DUE_QUALIFIERS = ("002", "106", "996")
"""X12 element 374 codes of a due date: delivery requested, required by, required delivery."""
ORDER_DATE = "004"
"""X12 element 374 code of the order date."""
_EARLIEST = date(2000, 1, 1)
_YEARS_AHEAD = 10


def due_codes(settings: SupplierSettings, set_id: str) -> tuple[str, ...]:
    """Qualifiers of a due date, best first: the standard ones, then the guide's own (`due_qualifier`)."""
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
    """The first of these qualifiers that this segment accepts with a date; None if there is none."""
    for code in codes:
        for placement in capacity.placements(section, path, segment_id):
            if placement.allows(qualifier, code) and placement.has(value):
                return code
    return None


def takes_order_date(capacity: Capacity, section: Literal["heading", "detail"], path: tuple[str, ...]) -> bool:
    """Whether to send the order date as DTM: only if the guide lists 004, since BEG05 has it already."""
    return any(
        ORDER_DATE in placement.codes.get(1, ()) and placement.has(2)
        for placement in capacity.placements(section, path, "DTM")
    )


class DueDateCapacity(Struct, frozen=True):
    """Context for a fix when a due date has no place in the guide."""

    capacity: Capacity
    set_id: str
    table: str
    """Configuration table of the partner: `suppliers.ACME01`."""
    loop: str
    schedule: ScheduleAs
    """Form in which releases are sent."""


def due_advice(at: DueDateCapacity, *, several: bool) -> str:
    """Fix for a due date without a place. `several`: the line has several due dates."""
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
    """Qualifiers of a segment that lists no standard due-date code: one of them may be the guide's code for it."""
    placements = [placement for placement in capacity.placements(section, path, segment_id) if placement.has(value)]
    if any(placement.allows(qualifier, code) for placement in placements for code in DUE_QUALIFIERS):
        return
    for placement in placements:
        yield from (code for code in placement.codes.get(qualifier, ()) if code not in OTHER_DATES)


def impossible_dates(order: Order) -> tuple[Reason, ...]:
    """A reason for each implausible date, naming its field (RULES.md Sending 3).

    Includes the values that Plex uses for an empty date (0001-01-01, 1899-12-30, 9999-12-31).
    """
    reasons = [*_impossible_start("order date", order.order_date, order.created_at, "order")]
    start = order.order_date if order.order_date is not None and not reasons else _day_made(order.created_at)
    if order.due is not None:
        reasons += _impossible_due("due date", order.due, start, "order")
    latest = date.max if start is None else _years_after(start, _YEARS_AHEAD)
    for line in order.lines:
        if line.state is not LineState.OPEN:
            continue
        for release in line.firm_releases():
            if release.due is not None and not _EARLIEST <= release.due <= latest:
                where = f"line {line.number} release {release.number}"
                reasons += _impossible_due("due date", release.due, start, where)
    return tuple(reasons)


def impossible_invoice_dates(invoice: Invoice) -> tuple[Reason, ...]:
    """As `impossible_dates`, for an invoice."""
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
    """The same day `years` later; 29 February becomes 28. Clamped to the end of the calendar."""
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
