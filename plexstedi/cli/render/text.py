"""Text output of `status`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from plexstedi.cli.render.attention import grouped, latest_first
from plexstedi.cli.render.layout import Mark
from plexstedi.cli.render.sections import (
    LATE_HEADERS,
    NOTHING,
    ORDER_HEADERS,
    UNWRITTEN_HEADERS,
    counted,
    facts,
    health_facts,
    instant,
    late_row,
    order_row,
    overdue_without_review,
    sections,
    span,
    times,
    unwritten_row,
)
from plexstedi.cli.render.tables import plain, print_table
from plexstedi.cli.render.terminal import head, say, terminal_width
from plexstedi.edi.advice import partner_table
from plexstedi.edi.deadlines import OverdueLevel
from plexstedi.plain_text import many
from plexstedi.state.reviews import Review
from plexstedi.sync.health import Health
from plexstedi.sync.ingest.deadlines import LateDocument
from plexstedi.sync.report.invoice import InvoiceReport
from plexstedi.sync.report.order import OrderReport
from plexstedi.sync.report.overview import OrderRow, Overview

_LABEL = 27
_GROUPS = 12
"""Groups of review items in the overview; `status --needs-attention` has all."""


def show_overview(seen: Overview, health: Health, now: datetime, supplier: str | None, *, every: bool = False) -> None:
    """The overview: health, then what is wrong, the worst first, then the numbers. `every`: also what is as it should
    be."""
    say(f"Supplier {plain(supplier)}, {instant(now)}" if supplier else f"All suppliers, {instant(now)}")
    show_health(health)
    _show_groups(seen, now)
    _show_numbers(seen, now)
    _show_suppliers(seen, every=every or supplier is not None)
    for code, count in seen.not_traded:
        table = plain(partner_table("850", code))
        say(f"not traded by EDI: {plain(code)}, {many(count, 'order')} (no [{table}] in the configuration)")
    for code, count in seen.customers_not_traded:
        table = plain(partner_table("810", code))
        say(f"not traded by EDI: {plain(code)}, {many(count, 'invoice')} (no [{table}] in the configuration)")
    if seen.unread_sets:
        say(f"received and not read: {counted(seen.unread_sets)}")


def show_health(health: Health) -> None:
    """Whether runs are healthy; each persistent fault with its fix."""
    for name, value in health_facts(health):
        _fact(name, value, Mark.WRONG if name == "health" and not health.ok else Mark.NONE)
    for fault in health.faults:
        say(f"{plain(fault.code)}, since {instant(fault.since)}: {plain(fault.message)}", indent="  ", hanging="    ")
        say(f"fix: {plain(fault.fix)}", indent="    ", hanging="         ")


def _fact(name: str, value: str, mark: Mark = Mark.NONE) -> None:
    say(f"{name + ':':<{_LABEL}}{value}", hanging=" " * _LABEL, mark=mark)


def _show_groups(seen: Overview, now: datetime) -> None:
    """What needs review, by cause and supplier; what is late or unwritten, with the command that shows it."""
    groups = grouped(seen.open_reviews)
    rows = [
        (
            len(each.reviews),
            each.what,
            each.supplier or NOTHING,
            span(max(now - each.reviews[0].opened_at, timedelta(0))),
            each.orders or NOTHING,
        )
        for each in groups
    ]
    headers = ("items", "what", "supplier", "for", "orders")
    print_table(headers, rows[:_GROUPS], title="Needs review, the worst first")
    if len(groups) > _GROUPS:
        say(f"and {many(len(groups) - _GROUPS, 'more group')}")
    if rows:
        say("Reasons and fixes: `plexstedi status --needs-attention`; one item: `plexstedi review show ID`.")
    if seen.late:
        limits = sum(one.late.level is OverdueLevel.LIMIT for one in seen.late)
        parts = [f"{limits} overdue"] if limits else []
        parts += [f"{len(seen.late) - limits} past a warning"] if len(seen.late) > limits else []
        say(f"Late: {', '.join(parts)}; `plexstedi status --late` shows them.")
    print_table(
        UNWRITTEN_HEADERS, [unwritten_row(one) for one in seen.unwritten[:_GROUPS]], title="Not yet written to Plex"
    )
    if len(seen.unwritten) > _GROUPS:
        say(f"and {many(len(seen.unwritten) - _GROUPS, 'more order')}; with --json all are listed under unwritten")


def _show_numbers(seen: Overview, now: datetime) -> None:
    head("Numbers")
    for name, counts in (
        ("orders", seen.orders),
        ("documents", seen.states),
        ("  delivery", seen.delivery),
        ("  functional ack (997)", seen.functional_ack),
        ("  business ack (855, 865)", seen.business_ack),
        ("lines sent", seen.lines),
    ):
        _fact(name, counted(counts))
    _fact("needs review", f"{seen.attention}, in doubt {seen.in_doubt}")
    for name, at in times(seen):
        _fact(name, f"{instant(at)}{_ago(at, now)}")


def _show_suppliers(seen: Overview, *, every: bool) -> None:
    shown = [
        counts
        for counts in seen.suppliers
        if every or counts.reviews or counts.undelivered or counts.unacknowledged or counts.untraded
    ]
    print_table(
        ("supplier", "orders", "open", "documents", "not delivered", "not acknowledged", "needs review", "remark"),
        [
            (
                counts.supplier,
                counts.orders,
                counts.open_orders,
                counts.documents,
                counts.undelivered,
                counts.unacknowledged,
                counts.reviews,
                "not traded by EDI" if counts.untraded else "",
            )
            for counts in shown
        ],
        title="Suppliers" if len(shown) == len(seen.suppliers) else "Suppliers with something open",
        spare=("documents", "orders"),
    )
    others = len(seen.suppliers) - len(shown)
    if others:
        say(f"{others} of {len(seen.suppliers)} suppliers have nothing open; `plexstedi --verbose status` lists them.")


def show_attention(seen: Overview, health: Health, now: datetime) -> None:
    """Only what is wrong, the worst first: faults, every review item with its fix, late documents, open writes."""
    if health.ok and not seen.open_reviews and not seen.late and not seen.unwritten:
        say(f"Nothing needs attention, {instant(now)}.")
        return
    if not health.ok:
        show_health(health)
    _show_items(seen.open_reviews)
    late = latest_first(overdue_without_review(seen))
    print_table(LATE_HEADERS, [late_row(one) for one in late], title="Late", spare=("document",))
    print_table(UNWRITTEN_HEADERS, [unwritten_row(one) for one in seen.unwritten], title="Not yet written to Plex")


def _show_items(reviews: Sequence[Review]) -> None:
    """Review items by kind and supplier, the worst first; the same fix once for all of a group."""
    for group in grouped(reviews):
        what = group.what.capitalize()
        head(f"{what}, supplier {plain(group.supplier or 'unknown')}: {len(group.reviews)}")
        for review in group.reviews:
            line = "" if review.line is None else f" line {review.line}"
            about = plain(review.order_number or review.subject.text)
            say(f"{review.id}  {about}{line}, since {instant(review.opened_at)}", indent="  ")
            for reason in review.reasons:
                say(plain(reason.message), indent="      ")
        fixes = (_fix_of_any(review, reason.fix) for review in group.reviews for reason in review.reasons)
        for fix in dict.fromkeys(fixes):
            say(f"fix: {fix}", indent="  ", hanging="       ")


def _fix_of_any(review: Review, fix: str) -> str:
    """The fix with ID and NUMBER instead of this item's, so that the same fix is printed once."""
    for verb in ("show", "accept", "reject"):
        fix = fix.replace(f"review {verb} {review.id}", f"review {verb} ID")
    return plain(fix if review.order_number is None else fix.replace(review.order_number, "NUMBER"))


def show_late(late: Sequence[LateDocument], now: datetime, *, timed: bool) -> None:
    """Documents past a limit or its warning, the longest overdue first. `timed`: the limits are known."""
    if not timed:
        say("The deadlines of suppliers are in the configuration: name it with --config FILE.")
    elif late:
        print_table(LATE_HEADERS, [late_row(one) for one in latest_first(late)], spare=("document", "lines"))
    else:
        say(f"Nothing is late, {instant(now)}.")


def show_orders(rows: Sequence[OrderRow]) -> None:
    """A list of orders."""
    print_table(ORDER_HEADERS, [order_row(row) for row in rows], title="Orders", spare=("supplier",))


def show_report(report: OrderReport | InvoiceReport, *, ids: bool = False) -> None:
    """One order's or invoice's report. `ids`: with the long ids of Stedi."""
    for name, value in facts(report):
        say(f"{name + ':':<12}{plain(value)}", hanging=" " * 12)
    for section in sections(report):
        if section.are_notes and section.title == "Reasons" and terminal_width() is not None:
            continue
        if section.are_notes:
            for about, note in section.rows:
                say(f"{section.headers[0]} {about}: {plain(note)}", indent="  ", hanging="      ")
            continue
        if section.title == "Needs review" and terminal_width() is not None:
            _show_items(report.history.reviews)
            continue
        kept = [column for column, name in enumerate(section.headers) if ids or name not in LONG_IDS]
        print_table(
            [section.headers[column] for column in kept],
            [[row[column] for column in kept] for row in section.rows],
            title=section.title,
            spare=_SPARE,
        )


LONG_IDS = ("file execution", "transaction")
"""Columns of `sections` with ids that are only for support and for `replay --ack`."""
_SPARE = ("revision", "processed by Stedi", "unit")


def _ago(at: datetime | None, now: datetime) -> str:
    if at is None or now - at < timedelta(hours=1):
        return ""
    return f" ({span(now - at)} ago)"
