"""Text output of `status`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from plexstedi.cli.render.sections import (
    LATE_HEADERS,
    ORDER_HEADERS,
    REVIEW_HEADERS,
    UNWRITTEN_HEADERS,
    counted,
    facts,
    health_facts,
    instant,
    late_row,
    order_row,
    overdue_without_review,
    review_row,
    sections,
    span,
    times,
    unwritten_row,
)
from plexstedi.cli.render.tables import plain, print_table
from plexstedi.state.reviews import Review, ReviewKind
from plexstedi.sync.health import Health
from plexstedi.sync.ingest.deadlines import LateDocument
from plexstedi.sync.report.invoice import InvoiceReport
from plexstedi.sync.report.order import OrderReport
from plexstedi.sync.report.overview import OrderRow, Overview

_LABEL = 27


def show_overview(seen: Overview, health: Health, now: datetime, supplier: str | None) -> None:
    """The overview."""
    print(f"Supplier {plain(supplier)}, {instant(now)}" if supplier else f"All suppliers, {instant(now)}")
    show_health(health)
    for name, counts in (
        ("orders", seen.orders),
        ("documents", seen.states),
        ("  delivery", seen.delivery),
        ("  functional ack (997)", seen.functional_ack),
        ("  business ack (855, 865)", seen.business_ack),
        ("lines sent", seen.lines),
    ):
        print(f"{name + ':':<{_LABEL}}{counted(counts)}")
    print(f"{'needs review:':<{_LABEL}}{seen.attention}, in doubt {seen.in_doubt}")
    for name, at in times(seen):
        print(f"{name + ':':<{_LABEL}}{instant(at)}{_ago(at, now)}")
    print_table(
        ("supplier", "orders", "open", "documents", "not delivered", "not acknowledged", "needs review", ""),
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
            for counts in seen.suppliers
        ],
        title="\nSuppliers",
    )
    show_reviews(seen.open_reviews)
    print_table(LATE_HEADERS, [late_row(one) for one in overdue_without_review(seen)], title="\nLate")
    print_table(UNWRITTEN_HEADERS, [unwritten_row(one) for one in seen.unwritten], title="\nNot yet written to Plex")
    for code, count in seen.not_traded:
        print(f"not traded by EDI: {plain(code)}, {count} orders (no [suppliers.{plain(code)}] in the configuration)")
    for code, count in seen.customers_not_traded:
        print(f"not traded by EDI: {plain(code)}, {count} invoices (no [customers.{plain(code)}] in the configuration)")
    if seen.unread_sets:
        print(f"received and not read: {counted(seen.unread_sets)}")


def show_health(health: Health) -> None:
    """Whether runs are healthy; each persistent fault with its fix."""
    for name, value in health_facts(health):
        print(f"{name + ':':<{_LABEL}}{value}")
    for fault in health.faults:
        print(f"  {plain(fault.code)}, since {instant(fault.since)}: {plain(fault.message)}")
        print(f"    fix: {plain(fault.fix)}")


def show_reviews(reviews: Sequence[Review]) -> None:
    """Open review items; changed orders from before the start of polling as one line."""
    known = [review for review in reviews if review.kind is ReviewKind.KNOWN_ORDER_CHANGED]
    apart = [review for review in reviews if review.kind is not ReviewKind.KNOWN_ORDER_CHANGED]
    print_table(REVIEW_HEADERS, [review_row(review) for review in apart], title="\nNeeds review")
    if known:
        noun = "order" if len(known) == 1 else "orders"
        print(f"and {len(known)} changed {noun} from before PlexStedi: `plexstedi review list` shows them")


def show_late(late: Sequence[LateDocument], now: datetime, *, timed: bool) -> None:
    """Documents past a limit or its warning. `timed`: the limits are known."""
    if not timed:
        print("The deadlines of suppliers are in the configuration: name it with --config FILE.")
    elif late:
        print_table(LATE_HEADERS, [late_row(one) for one in late])
    else:
        print(f"Nothing is late, {instant(now)}.")


def show_orders(rows: Sequence[OrderRow]) -> None:
    """A list of orders."""
    print_table(ORDER_HEADERS, [order_row(row) for row in rows], title="\nOrders")


def show_report(report: OrderReport | InvoiceReport) -> None:
    """One order's or invoice's report."""
    for name, value in facts(report):
        print(f"{name + ':':<12}{plain(value)}")
    for section in sections(report):
        if not section.are_notes:
            print_table(section.headers, section.rows, title=f"\n{section.title}")
            continue
        for about, note in section.rows:
            print(f"  {section.headers[0]} {about}: {plain(note)}")


def _ago(at: datetime | None, now: datetime) -> str:
    if at is None or now - at < timedelta(hours=1):
        return ""
    return f" ({span(now - at)} ago)"
