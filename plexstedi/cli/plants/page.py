"""The overview of several plants as a page of its own, with the look of the page of one plant."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from plexstedi.cli.page.templating import asset, environment, policy_hash
from plexstedi.cli.page.words import STALE_AFTER, age
from plexstedi.cli.plants.show import heading_of, health_of, left_out
from plexstedi.sync.report.plants import MOST_ITEMS, ItemKind, Plant, PlantItem

_ALARMING = (ItemKind.UNREADABLE, ItemKind.FAULT, ItemKind.OVERDUE)


class PlantTile(Struct, frozen=True):
    """One sum over all plants."""

    title: str
    count: int
    alarming: bool


class ShownItem(Struct, frozen=True):
    """One thing that is wrong, as the page has it."""

    heading: str
    text: str
    fix: str
    alarming: bool


class ShownPlant(Struct, frozen=True):
    """One plant: its row, and its section below."""

    plant: Plant
    anchor: str
    health: str
    well: bool
    read_until: datetime | None
    age: str
    stale: bool
    stale_minutes: int
    items: Sequence[ShownItem]
    left_out: str | None
    command: str


def plants_page(plants: Sequence[Plant], now: datetime) -> str:
    """The overview as HTML, in the order of the plants."""
    style, script = asset("style.css"), asset("age.js")
    shown = [_shown(number, plant, now) for number, plant in enumerate(plants, start=1)]
    return (
        environment()
        .get_template("plants.html.j2")
        .render(
            now=now,
            plants=shown,
            tiles=_tiles(shown),
            stale_minutes=min((one.stale_minutes for one in shown), default=0),
            style=style,
            script=script,
            style_hash=policy_hash(style),
            script_hash=policy_hash(script),
        )
    )


def _shown(number: int, plant: Plant, now: datetime) -> ShownPlant:
    readable = plant.fault is None and plant.health is not None
    read_until = plant.overview.times.plex_read_until if readable else None
    minutes = plant.every_minutes * STALE_AFTER
    return ShownPlant(
        plant=plant,
        anchor=f"plant-{number}",
        health=health_of(plant),
        well=readable and plant.health is not None and plant.health.ok,
        read_until=read_until,
        age="" if read_until is None else age(read_until, now),
        stale=readable and (read_until is None or now - read_until > timedelta(minutes=minutes)),
        stale_minutes=minutes,
        items=[_item(item) for item in plant.items[:MOST_ITEMS]],
        left_out=left_out(plant),
        command=f"plexstedi --config {shlex.quote(str(plant.config))} status",
    )


def _item(item: PlantItem) -> ShownItem:
    return ShownItem(heading_of(item), item.text, item.fix, item.kind in _ALARMING)


def _tiles(shown: Sequence[ShownPlant]) -> list[PlantTile]:
    seen = [one.plant.overview for one in shown]
    counts = (
        ("Plants that do not work as they should", sum(not one.well for one in shown), True),
        ("Plants with stale data", sum(one.stale for one in shown), True),
        ("Needs review", sum(one.attention for one in seen), True),
        ("In doubt", sum(one.in_doubt for one in seen), True),
        ("Late", sum(len(one.late) for one in seen), False),
        ("Not written to Plex", sum(len(one.unwritten) for one in seen), False),
    )
    return [PlantTile(title, count, alarming and count > 0) for title, count, alarming in counts]
