"""`status NUMBER --html`: one order or invoice as a self-contained page. All text in it is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape as html_escape
from pathlib import Path

from plexstedi.cli.render.sections import facts, instant, sections
from plexstedi.plain_text import visible
from plexstedi.sync.report.invoice import InvoiceReport
from plexstedi.sync.report.order import OrderReport

_STYLE = Path(__file__).parents[1].joinpath("page", "templates", "style.css")
_BAD = {"held", "rejected", "failed", "refused", "conflict", "in doubt", "backordered", "overdue"}
_UNBROKEN = 24
"""Numbers, dates and codes up to this length are not wrapped."""
_GOOD = {"confirmed", "delivered", "accepted"}


def report_page(report: OrderReport | InvoiceReport) -> str:
    """One order or invoice as a page."""
    (noun, number), *others = facts(report)
    body = [
        _facts([(_capital(name), value) for name, value in others]),
        *(_table(section.title, section.headers, section.rows) for section in sections(report)),
    ]
    return _page(f"{_capital(noun)} {number}", f"Last read from Plex {instant(report.record.read_at)}", body)


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]


def escape(text: str) -> str:
    """Escape text for the page: no markup, no invisible characters."""
    return html_escape(visible(text))


def _page(title: str, when: str, body: Iterable[str]) -> str:
    style = _STYLE.read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f'<h1>{escape(title)}</h1>\n<p class="when">{escape(when)}</p>\n' + "".join(body) + "</body>\n</html>\n"
    )


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    entries = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>\n" for name, value in facts)
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
        f'<h2>{escape(title)}</h2>\n<div class="wide" tabindex="0" role="region" aria-label="{escape(title)}"><table>\n'
        f'<caption class="away">{escape(title)}</caption>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{''.join(lines)}</tbody>\n</table></div>\n"
    )


def _cell(value: object) -> str:
    text = str(value)
    css = "bad" if text in _BAD else "l-confirmed" if text in _GOOD else "n" if isinstance(value, int) else ""
    if not css and len(text) <= _UNBROKEN:
        css = "d"
    return f'<td class="{css}">{escape(text)}</td>'
