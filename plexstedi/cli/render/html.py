"""`status --html`: one self-contained page, also for printing. All text in it is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape as html_escape

from plexstedi.cli.render.sections import (
    FAULT_HEADERS,
    LATE_HEADERS,
    ORDER_HEADERS,
    REVIEW_HEADERS,
    UNWRITTEN_HEADERS,
    counted,
    facts,
    fault_row,
    health_facts,
    instant,
    late_row,
    order_row,
    overdue_without_review,
    review_row,
    sections,
    times,
    unwritten_row,
)
from plexstedi.plain_text import visible
from plexstedi.sync.health import Health
from plexstedi.sync.report.invoice import InvoiceReport
from plexstedi.sync.report.order import OrderReport
from plexstedi.sync.report.overview import OrderRow, Overview

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.45 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; color: #1b1f24; background: #fff;
  max-width: 1200px; margin: 2rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.when { color: #57606a; margin: 0 0 1.25rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.25rem; margin: 0; }
dt { color: #57606a; }
dd { margin: 0; }
.alarm { font-weight: 600; color: #a40e26; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #d8dee4; }
th { color: #57606a; font-weight: 600; border-bottom-color: #8c959f; white-space: nowrap; }
td.n, th.n { text-align: right; }
td.short { white-space: nowrap; }
td.bad { color: #a40e26; font-weight: 600; }
td.good { color: #116329; }
@media print {
  body { margin: 0; max-width: none; font-size: 9.5pt; }
  .wide { overflow: visible; }
  thead { display: table-header-group; }
  tr { break-inside: avoid; }
  h2 { break-after: avoid; }
}
"""
_BAD = {"held", "rejected", "failed", "refused", "conflict", "in doubt", "backordered", "overdue"}
_UNBROKEN = 24
"""Numbers, dates and codes up to this length are not wrapped."""
_GOOD = {"confirmed", "delivered", "accepted"}


def overview_page(seen: Overview, health: Health, rows: Sequence[OrderRow], now: datetime, supplier: str | None) -> str:
    """The overview as a page."""
    alarm = f"{seen.attention}, in doubt {seen.in_doubt}"
    wrong = "" if health.ok else "alarm"
    summary = [
        *((_capital(name), value, wrong if name == "health" else "") for name, value in health_facts(health)),
        ("Needs review", alarm, "alarm" if seen.needs_review else ""),
        ("Orders", counted(seen.orders), ""),
        ("Documents", counted(seen.states), ""),
        ("Functional acknowledgments (997)", counted(seen.functional_ack), ""),
        ("Confirmations (855, 865)", counted(seen.business_ack), ""),
        ("Lines sent", counted(seen.lines), ""),
        *((_capital(name), instant(at), "") for name, at in times(seen)),
    ]
    suppliers = [
        (t.supplier, t.orders, t.open_orders, t.documents, t.undelivered, t.unacknowledged, t.reviews)
        for t in seen.suppliers
    ]
    headers = ("supplier", "orders", "open", "documents", "not delivered", "not acknowledged", "needs review")
    body = [
        _facts(summary),
        _table("Standing faults", FAULT_HEADERS, [fault_row(fault) for fault in health.faults]),
        _table("Needs review", REVIEW_HEADERS, [review_row(review) for review in seen.open_reviews]),
        _table("Late", LATE_HEADERS, [late_row(one) for one in overdue_without_review(seen)]),
        _table("Not yet written to Plex", UNWRITTEN_HEADERS, [unwritten_row(one) for one in seen.unwritten]),
        _table("Suppliers", headers, suppliers),
        _table("Open orders", ORDER_HEADERS, [order_row(row) for row in rows]),
        _not_listed(sum(seen.orders.values()) - len(rows)),
        _table("Not traded by EDI", ("supplier", "orders"), seen.not_traded),
        _table("Invoices not traded by EDI", ("customer", "invoices"), seen.customers_not_traded),
        _table("Received and not read", ("transaction set", "number"), seen.unread_sets.items()),
    ]
    return _page(f"Supplier {supplier}" if supplier else "Purchase orders by EDI", f"As of {instant(now)}", body)


def report_page(report: OrderReport | InvoiceReport) -> str:
    """One order or invoice as a page."""
    (noun, number), *others = facts(report)
    body = [
        _facts([(_capital(name), value, "") for name, value in others]),
        *(_table(section.title, section.headers, section.rows) for section in sections(report)),
    ]
    return _page(f"{_capital(noun)} {number}", f"Last read from Plex {instant(report.record.read_at)}", body)


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]


def escape(text: str) -> str:
    """Escape text for the page: no markup, no invisible characters."""
    return html_escape(visible(text))


def _page(title: str, when: str, body: Iterable[str]) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1>{escape(title)}</h1>\n<p class="when">{escape(when)}</p>\n' + "".join(body) + "</body>\n</html>\n"
    )


def _facts(facts: Iterable[tuple[str, str, str]]) -> str:
    entries = "".join(f'<dt>{escape(name)}</dt><dd class="{css}">{escape(value)}</dd>\n' for name, value, css in facts)
    return f"<dl>\n{entries}</dl>\n"


def _table(title: str, headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    rows = list(rows)
    lines = ["<tr>" + "".join(map(_cell, row)) + "</tr>\n" for row in rows]
    if not lines:
        return ""
    numeric = [all(isinstance(value, int) for value in column) for column in zip(*rows, strict=True)]
    head = "".join(
        f'<th scope="col" class="{"n" if is_number else ""}">{escape(header)}</th>'
        for header, is_number in zip(headers, numeric, strict=True)
    )
    return (
        f'<h2>{escape(title)}</h2>\n<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{''.join(lines)}</tbody>\n</table></div>\n"
    )


def _not_listed(orders: int) -> str:
    """What is closed is only counted: the page does not grow with the years."""
    if not orders:
        return ""
    noun = "closed order is" if orders == 1 else "closed orders are"
    return f'<p class="when">{orders} {noun} not listed.</p>\n'


def _cell(value: object) -> str:
    text = str(value)
    css = "bad" if text in _BAD else "good" if text in _GOOD else "n" if isinstance(value, int) else ""
    if not css and len(text) <= _UNBROKEN:
        css = "short"
    return f'<td class="{css}">{escape(text)}</td>'
