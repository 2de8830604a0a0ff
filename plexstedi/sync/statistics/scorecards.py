"""Scorecards of suppliers, from the records of days. Pure.

A response is the first 855 or 865 to a document. Response times count on the supplier's `business_days`, as its limit
`ack_within_hours` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from msgspec import Struct
from msgspec.structs import replace

from plexstedi.edi.business_days import business_days, elapsed
from plexstedi.edi.deadlines import DeadlineKind, limit_of
from plexstedi.edi.inbound.outcome import AckState, Reconciliation
from plexstedi.edi.model import to_json
from plexstedi.edi.settings import SupplierSettings
from plexstedi.state.reporting.page_statistics import Response


class SupplierDay(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The responses of one supplier on one day."""

    as_ordered: int = 0
    changed: int = 0
    """Accepted with at least one difference, or held because of one."""
    rejected: int = 0
    """At least one line, or the whole order, was rejected."""
    unclear: int = 0
    """Could not be compared with the order."""
    timed: int = 0
    """Responses of a supplier with a limit, which all have that are configured."""
    on_time: int = 0
    minutes: tuple[int, ...] = ()
    """Response times."""


class DayRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row per day. None: not recorded."""

    orders: dict[str, int] | None = None
    """Open orders by stage, at the first run of the day."""
    suppliers: dict[str, SupplierDay] | None = None

    def text(self) -> str:
        """As stored."""
        return to_json(self)


def verdict_of(outcome: Reconciliation | None) -> str:
    """`as_ordered`, `changed`, `rejected` or `unclear`: the response of the supplier, whatever was decided about it."""
    if outcome is None or (not outcome.lines and not outcome.rejected):
        return "unclear"
    states = {line.state for line in outcome.lines}
    if outcome.rejected or AckState.REJECTED in states:
        return "rejected"
    if states <= {AckState.CONFIRMED} and not outcome.unmatched:
        return "as_ordered"
    return "changed"


def supplier_days(
    responses: Iterable[Response], settings: Mapping[str, SupplierSettings]
) -> dict[date, dict[str, SupplierDay]]:
    """Responses by the day (UTC) on which Stedi processed them, and by supplier."""
    found: dict[date, dict[str, SupplierDay]] = {}
    for one in responses:
        suppliers = found.setdefault(one.processed_at.date(), {})
        day = suppliers.get(one.supplier, SupplierDay())
        known = settings.get(one.supplier)
        days = business_days("" if known is None else known.business_days)
        spent = elapsed(one.sent_at, one.processed_at, days)
        verdict = verdict_of(one.outcome)
        change: dict[str, object] = {
            verdict: getattr(day, verdict) + 1,
            "minutes": (*day.minutes, int(spent / timedelta(minutes=1))),
        }
        if known is not None:
            in_time = spent <= limit_of(DeadlineKind.ACKNOWLEDGMENT, known)
            change |= {"timed": day.timed + 1, "on_time": day.on_time + in_time}
        suppliers[one.supplier] = replace(day, **change)
    return found


class Scorecard(Struct, frozen=True):
    """One supplier over one period. Percentages are whole numbers; None without a response to count."""

    supplier: str
    responses: int
    overdue: int
    """Documents sent in the period whose acknowledgment is overdue: counted as not on time."""
    on_time: int | None
    as_ordered: int | None
    changed: int | None
    rejected: int | None
    median_minutes: int | None
    lower_minutes: int | None
    """A quarter of the responses took no longer than this."""
    upper_minutes: int | None
    """Three quarters took no longer than this."""


def scorecards(
    days: Mapping[date, DayRecord], overdue: Mapping[str, Iterable[date]], today: date, length: int
) -> list[Scorecard]:
    """One card per supplier that responded in the last `length` days or is overdue; most responses first.

    `overdue`: by supplier, the day on which each unanswered document was sent.
    """
    first = today - timedelta(days=length - 1)
    found: dict[str, list[SupplierDay]] = {}
    for day, record in days.items():
        if first <= day <= today:
            for supplier, one in (record.suppliers or {}).items():
                found.setdefault(supplier, []).append(one)
    late = {code: sum(first <= day <= today for day in sent) for code, sent in overdue.items()}
    codes = {*found, *(code for code, count in late.items() if count)}
    cards = [_card(code, found.get(code, []), late.get(code, 0)) for code in codes]
    return sorted(cards, key=lambda card: (-card.responses, card.supplier))


def _card(supplier: str, days: Iterable[SupplierDay], overdue: int) -> Scorecard:
    as_ordered = changed = rejected = unclear = timed = on_time = 0
    minutes: list[int] = []
    for day in days:
        as_ordered, changed, rejected = as_ordered + day.as_ordered, changed + day.changed, rejected + day.rejected
        unclear, timed, on_time = unclear + day.unclear, timed + day.timed, on_time + day.on_time
        minutes += day.minutes
    responses = as_ordered + changed + rejected + unclear
    minutes.sort()
    return Scorecard(
        supplier=supplier,
        responses=responses,
        overdue=overdue,
        on_time=percent(on_time, timed + overdue),
        as_ordered=percent(as_ordered, responses),
        changed=percent(changed, responses),
        rejected=percent(rejected, responses),
        median_minutes=quantile(minutes, 2),
        lower_minutes=quantile(minutes, 1),
        upper_minutes=quantile(minutes, 3),
    )


def percent(part: int, whole: int) -> int | None:
    """Rounded half up, but 100 only if it is all, and 0 only if it is none; None of nothing."""
    if whole == 0:
        return None
    if 0 < part < whole:
        return min(99, max(1, (200 * part + whole) // (2 * whole)))
    return 100 * part // whole


def quantile(ordered: list[int], quarter: int) -> int | None:
    """The value at a quarter (1, 2, 3) of sorted values, by nearest rank; None without values."""
    if not ordered:
        return None
    rank = -(-quarter * len(ordered) // 4)
    return ordered[max(rank, 1) - 1]
