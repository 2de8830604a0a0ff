"""Plan the custom field values of an order from its combined outcomes (strategy `custom-fields`).

The plan is data: shown by a dry run, stored, then applied by `sync/writeback`. It has target values, not changes;
`differences` compares them with Plex. So applying it is idempotent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import UTC, date, datetime
from decimal import Context, Decimal, localcontext

from msgspec import Struct, field

from plexstedi.edi.inbound.outcome import AckState, ConfirmedSchedule, LineOutcome, worst_state
from plexstedi.edi.inbound.precedence import AcknowledgmentHeader, Folded, newest_first
from plexstedi.edi.order import Line, LineState, Order, ReleaseState
from plexstedi.edi.plain_values import iso_time, plain_number
from plexstedi.edi.reasons import Reason
from plexstedi.edi.sent import SentOrder
from plexstedi.edi.settings import SupplierSettings
from plexstedi.edi.units import exact_quotient, plex_unit
from plexstedi.edi.writeback.plan import (
    _QUANTITY_PLACES,
    AckField,
    FieldChange,
    Level,
    PlexValue,
    RecordKey,
    ReleaseField,
    WriteEntry,
    WritePlan,
)


class _Values(Struct, frozen=True):
    """Confirmed values of one record (or of one line, for the text on an order)."""

    quantity: Decimal
    """In the Plex unit."""
    ship: date | None
    delivery: date | None
    why: str

    def text(self, kind: AckField) -> str | None:
        """Text of a confirmed field."""
        if kind is AckField.CONFIRMED_QUANTITY:
            return f"{self.quantity:f}"
        day = self.ship if kind is AckField.CONFIRMED_SHIP_DATE else self.delivery
        return day.isoformat() if day is not None else None


_CONFIRMED = (AckField.CONFIRMED_QUANTITY, AckField.CONFIRMED_SHIP_DATE, AckField.CONFIRMED_DELIVERY_DATE)


class _Draft(Struct):
    fields: Mapping[AckField, str]
    entries: list[WriteEntry] = field(default_factory=list)
    withheld: list[Reason] = field(default_factory=list)

    def add(
        self,
        level: Level,
        record_id: str,
        kind: AckField,
        value: str | None,
        why: str,
        line: int | None = None,
        release_number: int | None = None,
    ) -> None:
        name = self.fields.get(kind)
        if name is not None:
            self.entries.append(
                WriteEntry(
                    level=level,
                    record_id=record_id,
                    line=line,
                    release_number=release_number,
                    field=name,
                    kind_name=kind,
                    value=value,
                    why=why,
                )
            )

    def withhold(self, code: str, where: str, message: str, fix: str) -> None:
        self.withheld.append(Reason(code=code, where=where, message=message, fix=fix))


def plan_writes(
    order: Order,
    streams: Sequence[tuple[Folded, SentOrder]],
    fields: Mapping[AckField, str],
    level: Level,
    settings: SupplierSettings,
) -> WritePlan:
    """Plan the custom fields of an order; of each stream the result of `precedence.fold` and the order as last sent.

    `confirmed_*` are written at `level`, all other values on the order; a value without a configured field is not
    written. A held or rejected line has the values of an older acknowledgment, or none. The dates of a line are those
    of its confirmed part, or of the backorder if nothing is confirmed. Quantities are in the Plex unit; if the factor
    does not divide one exactly, the line is not written and is listed in `withheld`.
    """
    draft = _Draft(fields)
    header = next(iter(newest_first(f.header for f, _ in streams if f.header is not None)), None)
    if header is None:
        return WritePlan(order_id=order.id, order_number=order.number)
    _plan_header(draft, order, streams, header)
    by_line: dict[int, _Values] = {}
    # An order may have thousands of lines.
    by_id = {line.id: line for line in reversed(order.lines)}
    with localcontext(EXACT):
        for folded, _ in streams:
            for number, status in sorted(folded.lines.items()):
                if status.applied is None:
                    continue
                line = by_id.get(status.applied.line_id)
                if line is None:
                    if status.applied.confirmed > 0:
                        draft.withhold("line-gone", f"line {number}", "the line is no longer in Plex", "decide in Plex")
                elif line.state is LineState.OPEN:
                    _plan_line(draft, by_line, line, status.applied, level, settings)
    if level == "order" and by_line:
        _plan_order_text(draft, order, by_line)
    return WritePlan(
        order_id=order.id,
        order_number=order.number,
        entries=tuple(draft.entries),
        withheld=tuple(draft.withheld),
    )


EXACT = Context(prec=100)
"""Decimal context for sums: no sum of real quantities is rounded."""


def _plan_header(
    draft: _Draft,
    order: Order,
    streams: Sequence[tuple[Folded, SentOrder]],
    header: AcknowledgmentHeader,
) -> None:
    numbers = [line.number for line in order.open_lines()] or sorted({n for folded, _ in streams for n in folded.lines})
    known = [(folded, {*folded.lines, *(line.line for line in sent.lines)}) for folded, sent in streams]
    by_line = [_states(number, known) for number in numbers]
    states = [state for of_line in by_line for state in of_line or [None]]
    acknowledged = sum(bool(of_line) and None not in of_line for of_line in by_line)
    worst = worst_state(state or AckState.UNACKNOWLEDGED for state in states)
    status = f"{acknowledged} of {len(numbers)} lines acknowledged"
    source = f"acknowledgment {header.type_code} in transaction {header.transaction_id}"
    draft.add("order", order.id, AckField.ACK_CODE, header.type_code, source)
    draft.add("order", order.id, AckField.ACK_STATUS, str(worst), status)
    draft.add("order", order.id, AckField.ACK_REFERENCE, f"stedi:{header.transaction_id}", source)
    at = header.processed_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    draft.add("order", order.id, AckField.ACKNOWLEDGED_AT, at, source)
    if header.supplier_reference is not None:
        draft.add("order", order.id, AckField.SUPPLIER_REFERENCE, header.supplier_reference, source)


def _states(number: int, streams: Sequence[tuple[Folded, Set[int]]]) -> list[AckState | None]:
    """The state of a line in each stream that has it; None: sent there, and not acknowledged."""
    return [
        None if (status := folded.lines.get(number)) is None else status.latest.state
        for folded, numbers in streams
        if number in numbers
    ]


def _plan_line(
    draft: _Draft,
    by_line: dict[int, _Values],
    line: Line,
    outcome: LineOutcome,
    level: Level,
    settings: SupplierSettings,
) -> None:
    factor = plex_factor(line, outcome, settings)
    where = f"line {outcome.line}"
    if factor is None:
        draft.withhold(
            "unit-unknown",
            where,
            f"confirmed in {outcome.unit}, which is not mapped to the Plex unit {line.order_unit or line.unit}",
            "set `units` of this supplier as it was when the order was sent",
        )
        return
    if level == "release":
        _plan_releases(draft, line, outcome, factor)
        return
    values = _values(outcome.confirmed, outcome.schedules, factor, outcome_summary(outcome))
    if values is None:
        _withhold_quantity(draft, where, outcome.confirmed, outcome.unit, line, factor)
    elif level == "line":
        for kind in _CONFIRMED:
            draft.add("line", line.id, kind, values.text(kind), values.why, outcome.line)
    else:
        by_line[outcome.line] = values


def plex_factor(line: Line, outcome: LineOutcome, settings: SupplierSettings) -> Decimal | None:
    """X12 units per Plex unit; None if the Plex unit no longer maps to the unit sent."""
    unit = plex_unit(line.order_unit or line.unit, settings)
    return unit.factor if unit is not None and unit.unit == outcome.unit else None


def _plan_releases(draft: _Draft, line: Line, outcome: LineOutcome, factor: Decimal) -> None:
    if not outcome.release_ids and outcome.confirmed > 0:
        draft.withhold(
            "no-release",
            f"line {outcome.line}",
            "the line was sent without releases",
            "set `plex.acknowledgments.level` to line or order",
        )
    for release_id in outcome.release_ids:
        release = next((r for r in line.releases if r.id == release_id), None)
        if release is None or release.state is not ReleaseState.FIRM:
            continue
        own = [s for s in outcome.schedules if s.release_id == release_id]
        confirmed = sum((s.quantity for s in own if not s.backordered), Decimal(0))
        values = _values(confirmed, own, factor, outcome_summary(outcome))
        where = f"line {outcome.line} release {release.number}"
        if values is None:
            _withhold_quantity(draft, where, confirmed, outcome.unit, line, factor)
            continue
        for kind in _CONFIRMED:
            draft.add("release", release.id, kind, values.text(kind), values.why, outcome.line, release.number)


def _values(confirmed: Decimal, schedules: Sequence[ConfirmedSchedule], factor: Decimal, why: str) -> _Values | None:
    """The values in the Plex unit; None if the factor does not divide the quantity exactly."""
    quantity = exact_quotient(confirmed, factor, _QUANTITY_PLACES)
    if quantity is None:
        return None
    dated = [s for s in schedules if not s.backordered] or list(schedules)
    return _Values(quantity, _last(s.ship_date for s in dated), _last(s.delivery_date for s in dated), why)


def _last(days: Iterable[date | None]) -> date | None:
    return max((day for day in days if day is not None), default=None)


def _withhold_quantity(draft: _Draft, where: str, confirmed: Decimal, unit: str, line: Line, factor: Decimal) -> None:
    draft.withhold(
        "quantity-inexact",
        where,
        f"{confirmed:f} {unit} are not a whole number of {line.order_unit or line.unit} ({factor:f} {unit} each)",
        "enter the confirmed quantity and dates in Plex by hand",
    )


def outcome_summary(outcome: LineOutcome) -> str:
    """Summary of a line for display: quantities ordered, confirmed, backordered, rejected."""
    summary = f"line {outcome.line}: ordered {outcome.ordered:f} {outcome.unit}, confirmed {outcome.confirmed:f}"
    if outcome.backordered:
        summary += f", backordered {outcome.backordered:f}"
    if outcome.rejected:
        summary += f", rejected {outcome.rejected:f}"
    return f"{summary} ({outcome.code})" if outcome.code else summary


def _plan_order_text(draft: _Draft, order: Order, by_line: Mapping[int, _Values]) -> None:
    """Confirmed values on the order: the plain value for a single line, else `1: 100; 2: 40`."""
    why = "; ".join(values.why for values in by_line.values())
    is_single = len(order.open_lines()) == 1
    for kind in _CONFIRMED:
        texts = {number: values.text(kind) for number, values in by_line.items()}
        stated = [text if is_single else f"{number}: {text}" for number, text in texts.items() if text is not None]
        draft.add("order", order.id, kind, "; ".join(stated) or None, why)


def differences(
    plan: WritePlan,
    now_in_plex: Mapping[RecordKey, Mapping[str, PlexValue]],
    written_by_us: Mapping[RecordKey, Mapping[str, PlexValue]] | None = None,
) -> tuple[FieldChange, ...]:
    """Entries of a plan that differ from Plex: only these are written.

    A value is cleared only if Plex still has the value that PlexStedi wrote last (`written_by_us`), never a user's.
    """
    changes = []
    for entry in plan.entries:
        key: RecordKey = (entry.level, entry.record_id)
        before = now_in_plex.get(key, {}).get(entry.field)
        if _same(entry.kind, before, entry.value):
            continue
        ours = (written_by_us or {}).get(key, {}).get(entry.field)
        # Never clear a value that a user entered.
        if entry.value is None and (ours is None or not _same(entry.kind, before, _plain(ours))):
            continue
        changes.append(
            FieldChange(
                level=entry.level,
                record_id=entry.record_id,
                line=entry.line,
                release_number=entry.release_number,
                field=entry.field,
                before=_plain(before),
                after=entry.value,
                why=entry.why,
            )
        )
    return tuple(changes)


def _plain(value: PlexValue) -> str | None:
    text = f"{value:f}" if isinstance(value, Decimal) else value
    return text.strip() or None if text is not None else None


def _same(kind: AckField | ReleaseField, before: PlexValue, after: str | None) -> bool:
    """Whether two field values are equal: numbers by value, dates without a midnight time, times as instants."""
    now = _plain(before)
    if now is None or after is None:
        return now == after
    if kind is AckField.CONFIRMED_QUANTITY:
        return now == after or (_number(now) is not None and _number(now) == _number(after))
    if kind is AckField.ACKNOWLEDGED_AT:
        return now == after or (_instant(now) is not None and _instant(now) == _instant(after))
    # Plex returns a date as midnight of that day.
    if kind in _CONFIRMED and _instant(now) is not None and len(after) == 10:
        return now[:10] == after
    return now == after


def _number(text: str) -> Decimal | None:
    return plain_number(text)


def _instant(text: str) -> datetime | None:
    """Parse an ISO date or time; without an offset it is UTC, as the Plex API documents."""
    return iso_time(text)
