"""The overview of several plants as text and as one page without network access."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import datetime
from html import escape as html_escape

from plexstedi.cli.render.sections import NOTHING, instant
from plexstedi.cli.render.tables import plain, print_table
from plexstedi.cli.render.terminal import head, say
from plexstedi.plain_text import visible
from plexstedi.sync.report.plants import MOST_ITEMS, ItemKind, Plant, PlantItem

HEADERS = ("plant", "health", "needs review", "in doubt", "late", "not written", "open orders", "last run")


def health_of(plant: Plant) -> str:
    """The health of a plant in a word or two."""
    if plant.health is None or plant.fault is not None:
        return "cannot be read"
    count = len(plant.health.faults)
    return "ok" if plant.health.ok else f"{count} fault{'s' if count > 1 else ''}"


def row(plant: Plant) -> tuple[object, ...]:
    """One plant; no number is shown of one that cannot be read."""
    seen, last = plant.overview, None if plant.health is None else plant.health.last_run
    if plant.fault is not None:
        counts: tuple[object, ...] = (NOTHING,) * 5
    else:
        counts = (seen.attention, seen.in_doubt, len(seen.late), len(seen.unwritten), plant.open_orders)
    return (plant.name, health_of(plant), *counts, instant(None if last is None else last.at))


def heading_of(item: PlantItem) -> str:
    """What and where, in front of the text."""
    parts = [item.kind.value if item.review is None else f"review {item.review}"]
    if item.review is not None and item.kind is ItemKind.OVERDUE:
        parts[0] = f"overdue, review {item.review}"
    if item.order is not None:
        parts.append(f"order {item.order}")
    if item.supplier is not None:
        parts.append(item.supplier)
    return ", ".join(parts)


def left_out(plant: Plant) -> str | None:
    """How many items are not named, and which command names them."""
    more = len(plant.items) - MOST_ITEMS
    if more <= 0:
        return None
    return f"and {more} more: `plexstedi --config {shlex.quote(str(plant.config))} status`"


def show_plants(plants: Sequence[Plant], now: datetime) -> None:
    """The overview as text."""
    say(f"{len(plants)} plants, {instant(now)}")
    print_table(HEADERS, [row(plant) for plant in plants])
    for plant in plants:
        if not plant.items:
            continue
        head(plain(plant.name) + (f" ({plain(plant.company)})" if plant.company else ""))
        for item in plant.items[:MOST_ITEMS]:
            say(f"{plain(heading_of(item))}: {plain(item.text)}", indent="  ", hanging="    ")
            if item.fix:
                say(f"fix: {plain(item.fix)}", indent="    ", hanging="         ")
        if (more := left_out(plant)) is not None:
            say(more, indent="  ", hanging="    ")


_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.45 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; color: #1b1f24; background: #fff;
  max-width: 1100px; margin: 2rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.when { color: #57606a; margin: 0 0 1.25rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #d8dee4; }
th { color: #57606a; font-weight: 600; }
td.n, th.n { text-align: right; }
.bad { color: #a40e26; font-weight: 600; }
.good { color: #116329; }
li { margin: .4rem 0; overflow-wrap: anywhere; }
.fix { color: #57606a; display: block; }
@media (prefers-color-scheme: dark) {
  body { color: #e6edf3; background: #0d1117; }
  .when, th, .fix { color: #9da7b1; }
  th, td { border-bottom-color: #3d444d; }
  .bad { color: #ff8f87; }
  .good { color: #6bd47f; }
}
@media print { body { margin: 0; max-width: none; font-size: 9.5pt; } li, tr { break-inside: avoid; } }
"""


def page_of(plants: Sequence[Plant], now: datetime) -> str:
    """The overview as a page: one file, all text escaped."""
    head = "".join(f'<th scope="col"{_numeric(name)}>{_text(name)}</th>' for name in HEADERS)
    rows = "".join(f"<tr>{''.join(map(_cell, HEADERS, row(plant)))}</tr>\n" for plant in plants)
    sections = "".join(_section(number, plant) for number, plant in enumerate(plants) if plant.items)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Plants: purchase orders by EDI</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1>Purchase orders by EDI: {len(plants)} plants</h1>\n<p class="when">As of {_text(instant(now))}</p>\n'
        f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n'
        f"{sections}</body>\n</html>\n"
    )


def _section(number: int, plant: Plant) -> str:
    company = f" ({_text(plant.company)})" if plant.company else ""
    items = "".join(
        f"<li><b>{_text(heading_of(item))}</b>: {_text(item.text)}"
        + (f'<span class="fix">Fix: {_text(item.fix)}</span>' if item.fix else "")
        + "</li>\n"
        for item in plant.items[:MOST_ITEMS]
    )
    more = left_out(plant)
    last = "" if more is None else f'<p class="when">{_text(more)}</p>\n'
    return f'<h2 id="plant-{number}">{_text(plant.name)}{company}</h2>\n<ul>\n{items}</ul>\n{last}'


def _cell(header: str, value: object) -> str:
    mark = ""
    if header == "health":
        mark = ' class="good"' if value == "ok" else ' class="bad"'
    elif isinstance(value, int):
        bad = " bad" if value and header in ("needs review", "in doubt") else ""
        mark = f' class="n{bad}"'
    return f"<td{mark}>{_text(str(value))}</td>"


def _numeric(header: str) -> str:
    return ' class="n"' if header not in ("plant", "health", "last run") else ""


def _text(text: str) -> str:
    return html_escape(visible(text))
