"""Reconcile one order line with its acknowledgment (RULES.md Reading 1 to 9 and 14)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

from msgspec.structs import replace

from plexstedi.edi.business_days import days
from plexstedi.edi.inbound.allocation import Piece, allocate
from plexstedi.edi.inbound.division import NO_PARTS, ZERO, Parts, Undivided
from plexstedi.edi.inbound.findings import AGREE_ON_THE_REST, DECIDE, PLACE_ELSEWHERE, Findings, in_quotes, with_words
from plexstedi.edi.inbound.line_case import LineCase
from plexstedi.edi.inbound.line_codes import check_change_code, check_status_codes
from plexstedi.edi.inbound.line_reading import LineReading, net, read_line
from plexstedi.edi.inbound.matching import other_items
from plexstedi.edi.inbound.notices import other_currencies
from plexstedi.edi.inbound.outcome import AckState, ConfirmedSchedule, LineOutcome, ReleaseOutcome
from plexstedi.edi.inbound.pricing import (
    Compared,
    Incomparable,
    compare_price,
    price_sent,
    stated_numbers,
    stated_prices,
)
from plexstedi.edi.inbound.reading.ack_codes import LineMeaning, line_in_words, line_meaning
from plexstedi.edi.inbound.reading.acknowledgment import IMPOSSIBLE_DATE, AcknowledgedLine
from plexstedi.edi.inbound.reading.dates import days_off, is_ship_late
from plexstedi.edi.inbound.reading.element_values import is_sensible
from plexstedi.edi.inbound.release_lines import (
    agrees_to_deletion,
    is_deleted,
    listed_releases,
    of_release,
    of_whole_line,
    read_before,
)
from plexstedi.edi.sent import SentSchedule
from plexstedi.edi.units import exact_quotient

_ANNOUNCING = frozenset({"IC", "IQ", "IP", "DR"})
"""ACK01 codes that announce a change."""
_YEARS_AHEAD = 10
"""As for the due dates of orders (RULES.md Sending 3)."""


def reconcile_line(case: LineCase, findings: Findings) -> LineOutcome:
    """Outcome of the line; `findings` may already contain reasons of the whole document."""
    unreadable = False
    ack_lines = [match.acknowledged for match in case.matches]
    for match in case.matches:
        ack_line = match.acknowledged
        for fault in ack_line.faults:
            findings.holds.append(fault)
            unreadable = unreadable or fault.code != IMPOSSIBLE_DATE
        check_status_codes(ack_line, findings, case.settings)
        for item in other_items(ack_line, case.sent):
            findings.hold("other-part", f"the supplier acknowledges another part: {item}")
        for code in other_currencies(ack_line.currencies, case.currency):
            findings.hold("currency", f"the supplier acknowledges in {code}, the order is in {case.currency}")
        if not is_deleted(match):
            check_change_code(ack_line, findings, case.settings)
        for extra in ack_line.extras:
            if extra.holds:
                findings.hold("sub-lines", extra.message)
                unreadable = True
    price = _check_prices(case, findings)
    for absurd in [n for ack_line in ack_lines for n in stated_numbers(ack_line) if not is_sensible(n)]:
        findings.hold("number-absurd", f"{absurd:.3E} is not a plausible value for an order")
        unreadable = True
    read = None if unreadable else read_case(case, findings)
    if read is None:
        return _outcome(case, findings, None, (), price)
    _check_quantity(read.total, case, findings)
    # Releases sent as lines are acknowledged by name; else the open ones are served in order of due date.
    named = [match for match in case.matches if match.schedule is not None]
    releases = case.sent.schedules if named else case.open_releases
    schedules = allocate(read.pieces, releases)
    _check_dates(schedules, case, findings)
    if read.total.accepted > 0 or read.total.backordered > 0:
        # Dates only matter if something is delivered: those of a rejected line hold nothing.
        for text in read.undecided:
            fix = "set `acknowledgments.date_qualifiers` of this supplier, or " + DECIDE
            findings.hold("date-undecided", text, fix)
        if read.schedule_fault is not None:
            findings.hold("schedule-sum", read.schedule_fault)
    _check_change_codes(case, read, findings)
    if read.date_pending:
        findings.note("the ship date is pending (SP); the line stays open")
    return _outcome(case, findings, read, schedules, price)


def read_case(case: LineCase, findings: Findings) -> LineReading | None:
    """Combine all PO1 of the line, less the received quantity; per release if releases were sent as lines."""
    singles = [m for m in case.matches if m.schedule is not None]
    if not singles:
        return _read_group([m.acknowledged for m in case.matches], case.sent.quantity, case.open, case, findings)
    # Adding a PO1 for the whole line to PO1 for its releases would count quantities twice.
    if len(singles) < len(case.matches):
        findings.hold("line-and-release", "the acknowledgment covers both the line and single releases of it")
        return None
    open_by_release = {s.release_id: s.quantity for s in case.open_releases}
    groups: list[LineReading] = []
    for schedule in case.sent.schedules:
        ack_lines = [m.acknowledged for m in singles if m.schedule == schedule]
        still = open_by_release.get(schedule.release_id, ZERO)
        read: LineReading | None
        if not ack_lines:
            read = read_before(schedule, still, case, findings) or _missing_release(schedule, still, case, findings)
        else:
            if schedule.quantity == 0 and agrees_to_deletion(schedule, ack_lines, case, findings):
                read = LineReading(NO_PARTS, ())
            else:
                read = _read_group(ack_lines, schedule.quantity, still, case, findings)
            if read is None:
                return None
            read = replace(read, releases=(of_release(schedule, still, read.total),))
        pieces = tuple(replace(piece, release_id=schedule.release_id) for piece in read.pieces)
        groups.append(replace(read, pieces=pieces))
    return LineReading(
        sum((g.total for g in groups), NO_PARTS),
        tuple(piece for g in groups for piece in g.pieces),
        any(g.date_pending for g in groups),
        tuple(dict.fromkeys(text for g in groups for text in g.undecided)),
        "; ".join(g.schedule_fault for g in groups if g.schedule_fault) or None,
        tuple(release for g in groups for release in g.releases),
    )


def _missing_release(schedule: SentSchedule, still: Decimal, case: LineCase, findings: Findings) -> LineReading:
    """A release that no acknowledgment lists (RULES.md Reading 8)."""
    if case.missing_releases is AckState.CONFIRMED:
        return LineReading(Parts(accepted=still), (Piece(still),))
    if case.missing_releases is AckState.REJECTED:
        return LineReading(Parts(rejected=still), ())
    if still > 0:
        findings.hold("release-missing", f"release {schedule.release_number} ({still}) is not in the acknowledgment")
    return LineReading(NO_PARTS, ())


def _read_group(
    ack_lines: Sequence[AcknowledgedLine], ordered: Decimal, still: Decimal, case: LineCase, findings: Findings
) -> LineReading | None:
    read = read_line(
        ack_lines or (AcknowledgedLine(position=0, place=f"line {case.sent.line}"),),
        case.sent,
        ordered=ordered,
        open_quantity=still,
        heading=case.heading,
        settings=case.settings,
    )
    if isinstance(read, Undivided):
        findings.hold(read.code, read.message, read.fix)
        return None
    return net(read, ordered, still)


def _check_quantity(parts: Parts, case: LineCase, findings: Findings) -> None:
    variance = case.open - parts.total
    if variance == 0:
        return
    tolerance, unit = case.settings.tolerance, case.sent.unit
    base = "open" if case.received > 0 else "ordered"
    text = f"{base} {case.open:f} {unit}, acknowledged {parts.total:f} {unit}"
    # With a backorder or rejection a remaining difference is contradictory, so no tolerance applies to it.
    is_plain = parts.backordered == 0 and parts.rejected == 0
    limit = tolerance.quantity_under_pct if variance > 0 else tolerance.quantity_over_pct
    if not is_plain:
        findings.beyond(tolerance.on_quantity, "quantity-sum", f"{text}: the parts do not add up", "on_quantity")
    elif Fraction(abs(variance)) * 100 <= Fraction(limit) * Fraction(case.open):
        findings.within(f"{text}; within {limit:f} %")
    else:
        setting = "quantity_under_pct" if variance > 0 else "quantity_over_pct"
        findings.beyond(tolerance.on_quantity, "quantity", f"{text}; tolerance {limit:f} %", setting)


def _check_prices(case: LineCase, findings: Findings) -> Decimal | None:
    """Compare every acknowledged price; return one per unit sent, for display, if it has a finite decimal form."""
    shown: Decimal | None = None
    for match in case.matches:
        ack_line = match.acknowledged
        compared: list[tuple[str, Compared]] = []
        for price in stated_prices(ack_line):
            result = compare_price(price.price, price.basis, price.unit or ack_line.unit, case.sent, case.settings)
            if isinstance(result, Incomparable):
                findings.hold("price-basis", result.message, result.fix)
            else:
                compared.append((price.place, result))
        # PO104 and CTP or PO3 may both have a price. Which one will be invoiced is unknown if they differ.
        if len(compared) > 1 and len({result.acknowledged for _, result in compared}) > 1:
            text = ", ".join(f"{place} {_price(result.acknowledged)}" for place, result in compared)
            findings.hold("price-twice", f"the supplier states two purchase prices: {text} per {case.sent.unit}")
        elif compared:
            _, result = compared[0]
            shown = exact_quotient(Decimal(result.acknowledged.numerator), Decimal(result.acknowledged.denominator), 10)
            _check_price(result, case, findings)
    return shown


def _check_price(compared: Compared, case: LineCase, findings: Findings) -> None:
    if not compared.differs:
        return
    tolerance, unit = case.settings.tolerance, case.sent.unit
    text = f"price sent {_price(compared.sent)}, acknowledged {_price(compared.acknowledged)} per {unit}"
    limit, setting = tolerance.price_down_pct, "price_down_pct"
    if compared.acknowledged > compared.sent:
        limit, setting = tolerance.price_up_pct, "price_up_pct"
    if compared.within(tolerance.price_up_pct, tolerance.price_down_pct):
        findings.within(f"{text}; within {limit:f} %")
    else:
        findings.beyond(tolerance.on_price, "price", f"{text}; tolerance {limit:f} %", setting)


def _price(price: Fraction) -> str:
    exact = exact_quotient(Decimal(price.numerator), Decimal(price.denominator), 10)
    return f"{exact:f}" if exact is not None else str(price)


def _check_dates(schedules: Iterable[ConfirmedSchedule], case: LineCase, findings: Findings) -> None:
    for schedule in schedules:
        _check_plausible(schedule, case, findings)
        if schedule.due is None:
            continue
        if schedule.ship_date is not None:
            _check_ship(schedule, schedule.ship_date, schedule.due, case, findings)
        if schedule.delivery_date is not None:
            _check_delivery(schedule, days_off(schedule.delivery_date, schedule.due), case, findings)


def _due(schedule: ConfirmedSchedule, case: LineCase) -> str:
    return f"{schedule.quantity:f} {case.sent.unit} due {schedule.due}"


def _check_plausible(schedule: ConfirmedSchedule, case: LineCase, findings: Findings) -> None:
    """A promise before the order date, or years after it, is implausible and holds the line (RULES.md Reading 9)."""
    if case.ordered_on is None:
        return
    for what, day in (("ships", schedule.ship_date), ("promised delivery", schedule.delivery_date)):
        if day is None:
            continue
        text = f"{schedule.quantity:f} {case.sent.unit} {what} {day}"
        fix = "ask the supplier for the right date, then " + DECIDE
        if day < case.ordered_on:
            findings.hold("date-before-order", f"{text}, before the order of {case.ordered_on}", fix)
        elif day.year - case.ordered_on.year > _YEARS_AHEAD:
            text = f"{text}, more than {_YEARS_AHEAD} years after the order of {case.ordered_on}"
            findings.hold("date-too-far", text, fix)


def _check_ship(schedule: ConfirmedSchedule, ship: date, due: date, case: LineCase, findings: Findings) -> None:
    transit, tolerance = case.settings.acknowledgments.transit_days, case.settings.tolerance
    if not is_ship_late(ship, due, transit_days=transit, late_days=0):
        return
    late = days(tolerance.date_late_days)
    text = f"{_due(schedule, case)}, ships {ship} ({schedule.ship_qualifier})"
    if transit:
        text = f"{text} with {days(transit)} in transit"
    if not is_ship_late(ship, due, transit_days=transit, late_days=tolerance.date_late_days):
        findings.within(f"{text}; within {late}")
    elif schedule.backordered:
        findings.warn("backorder-late", text, "ask the supplier whether it can come earlier")
    else:
        findings.beyond(tolerance.on_date, "date", f"{text}; tolerance {late}", "date_late_days")


def _check_delivery(schedule: ConfirmedSchedule, off: int, case: LineCase, findings: Findings) -> None:
    if off == 0:
        return
    tolerance = case.settings.tolerance
    limit, setting = tolerance.date_late_days, "date_late_days"
    if off < 0:
        limit, setting = tolerance.date_early_days, "date_early_days"
    promised = f"promised delivery {schedule.delivery_date} ({schedule.delivery_qualifier})"
    text = f"{_due(schedule, case)}, {promised}, {days(abs(off))} {'late' if off > 0 else 'early'}"
    if abs(off) <= limit:
        findings.within(f"{text}; within {days(limit)}")
    elif not schedule.backordered:
        findings.beyond(tolerance.on_date, "date", f"{text}; tolerance {days(limit)}", setting)
    elif off > 0:
        findings.warn("backorder-late", text, "ask the supplier whether it can come earlier")


def _check_change_codes(case: LineCase, read: LineReading, findings: Findings) -> None:
    """Check codes that announce a change: one without the changed value holds, with equal values it is only noted
    (RULES.md Reading 2)."""
    ack_lines = [m.acknowledged for m in case.matches]
    codes = _ANNOUNCING.intersection([d.code for ack_line in ack_lines for d in ack_line.details])
    if not codes:
        return
    if "IP" in codes and all(ack_line.price is None and not ack_line.other_prices for ack_line in ack_lines):
        findings.hold("change-not-stated", f"ACK01 is {line_in_words('IP')}, but there is no price")
    stated = [d.quantity for a in ack_lines for d in a.details if d.code == "IQ"] + [a.quantity for a in ack_lines]
    if "IQ" in codes and all(quantity is None for quantity in stated):
        findings.hold("change-not-stated", f"ACK01 is {line_in_words('IQ')}, but there is not a quantity")
    if "DR" in codes and not read.undecided and not any(piece.promises for piece in read.pieces):
        findings.hold("change-not-stated", f"ACK01 is {line_in_words('DR')}, but no date is promised")
    if not findings.changed:
        for code in sorted(codes):
            findings.note(f"ACK01 is {line_in_words(code)}, all compared values are as ordered")


def _outcome(
    case: LineCase,
    findings: Findings,
    read: LineReading | None,
    schedules: tuple[ConfirmedSchedule, ...],
    price: Decimal | None,
) -> LineOutcome:
    parts = read.total if read is not None else NO_PARTS
    code, words = case.code, case.words
    if parts.rejected > 0:
        state = AckState.REJECTED
        own = case.settings.acknowledgments
        rejecting = [c for c in (code or "").split("+") if c and line_meaning(c, own) is LineMeaning.REJECTED]
        text = " ".join(map(line_in_words, rejecting))
        findings.warn(
            "rejected",
            f"ordered {case.open:f} {case.sent.unit}, rejected {parts.rejected:f} {case.sent.unit} {text}".rstrip(),
            PLACE_ELSEWHERE,
        )
    elif parts.backordered > 0:
        state = AckState.BACKORDERED
        findings.warn(
            "backordered",
            f"ordered {case.open:f} {case.sent.unit}, now {parts.accepted:f}, backordered {parts.backordered:f}",
            AGREE_ON_THE_REST,
        )
    else:
        state = AckState.CHANGED if findings.changed else AckState.CONFIRMED
    if_accepted = state if findings.holds and read is not None else None
    if findings.holds:
        state = AckState.HELD
    return LineOutcome(
        line=case.sent.line,
        line_id=case.sent.line_id,
        state=state,
        ordered=case.sent.quantity,
        open=case.open,
        unit=case.sent.unit,
        confirmed=parts.accepted,
        backordered=parts.backordered,
        rejected=parts.rejected,
        variance=case.open - parts.total,
        schedules=schedules,
        releases=_releases(case, read, schedules),
        unread_releases=() if read is not None else listed_releases(case),
        release_ids=case.release_ids,
        code=code,
        price=price,
        price_sent=price_sent(case.sent),
        reasons=with_words((*findings.holds, *findings.warnings), words, code),
        attention=bool(findings.holds or findings.warnings),
        notes=_notes(findings, words),
        words=words,
        listed=case.listed,
        date_pending=read is not None and read.date_pending,
        if_accepted=if_accepted,
    )


def _releases(
    case: LineCase, read: LineReading | None, schedules: Sequence[ConfirmedSchedule]
) -> tuple[ReleaseOutcome, ...]:
    if read is None:
        return ()
    return read.releases if listed_releases(case) else of_whole_line(case, schedules, read.total)


def _notes(findings: Findings, words: Sequence[str]) -> tuple[str, ...]:
    """Notes for display, including the supplier text unless a reason already quotes it."""
    text = in_quotes(words)
    if not text or findings.holds or findings.warnings:
        return tuple(findings.notes)
    return (*findings.notes, f"the supplier says: {text}")
