"""The overview of several plants as text."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import datetime

from plexstedi.cli.render.sections import NOTHING, instant
from plexstedi.cli.render.tables import plain, print_table
from plexstedi.cli.render.terminal import head, say
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
