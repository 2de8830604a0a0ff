"""One overview over several plants: each one's health, its counts and its worst items, the worst first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from plexstedi.config.places import CONFIG_NAME
from plexstedi.edi.deadlines import OverdueLevel
from plexstedi.errors import PlexStediError
from plexstedi.state.reviews import Review, ReviewKind
from plexstedi.sync.health import EVERY_MINUTES, Health
from plexstedi.sync.report.overview import Overview

MOST_ITEMS = 5
"""How many items of one plant are named; the others are counted."""


class ItemKind(StrEnum):
    """What an item of a plant is. The worst first."""

    UNREADABLE = "unreadable"
    """The configuration or the state of the plant cannot be read."""
    FAULT = "fault"
    OVERDUE = "overdue"
    REVIEW = "review"


class PlantItem(Struct, frozen=True):
    """One thing that is wrong at a plant."""

    kind: ItemKind
    text: str
    fix: str = ""
    since: datetime | None = None
    order: str | None = None
    supplier: str | None = None
    review: int | None = None


class Plant(Struct, frozen=True):
    """One plant as read; without `health` it could not be."""

    name: str
    config: Path
    company: str = ""
    state: Path | None = None
    overview: Overview = field(default_factory=Overview)
    health: Health | None = None
    fault: PlexStediError | None = None
    every_minutes: int = EVERY_MINUTES
    """`run.every_minutes`."""

    @property
    def needs_review(self) -> bool:
        """Whether a monitor should raise an alarm about this plant."""
        return self.health is None or not self.health.ok or self.overview.needs_review

    @property
    def items(self) -> tuple[PlantItem, ...]:
        """All that is wrong, the worst first."""
        found = []
        if self.fault is not None:
            found.append(PlantItem(ItemKind.UNREADABLE, self.fault.message, self.fault.fix))
        if self.health is not None:
            found += [PlantItem(ItemKind.FAULT, fault.message, fault.fix, fault.since) for fault in self.health.faults]
        opened = {(review.kind, str(review.subject)): review for review in self.overview.open_reviews}
        overdue = [one for one in self.overview.late if one.late.level is OverdueLevel.LIMIT]
        for one in sorted(overdue, key=lambda one: one.late.by, reverse=True):
            review = opened.pop((ReviewKind.OVERDUE, str(one.subject)), None)
            number, fix = (None, "") if review is None else (review.id, _fix(review))
            document = one.document
            item = PlantItem(ItemKind.OVERDUE, one.in_words(), fix, one.late.since, document.order_number)
            found.append(replace(item, supplier=document.supplier, review=number))
        for review in sorted(opened.values(), key=lambda review: (review.opened_at, review.id)):
            text = review.reasons[0].message if review.reasons else review.kind.value.replace("-", " ")
            item = PlantItem(ItemKind.REVIEW, text, _fix(review), review.opened_at, review.order_number)
            found.append(replace(item, supplier=review.supplier, review=review.id))
        return tuple(found)

    @property
    def open_orders(self) -> int:
        """Orders that are open in Plex."""
        return sum(counts.open_orders for counts in self.overview.suppliers)


def _fix(review: Review) -> str:
    return review.reasons[0].fix if review.reasons else ""


def worst_first(plants: Sequence[Plant]) -> list[Plant]:
    """Plants that cannot be read, then unhealthy ones, then those with the most to review; else as given."""

    def rank(plant: Plant) -> tuple[bool, bool, int]:
        healthy = plant.health is not None and plant.health.ok
        return (plant.fault is None, healthy, -plant.overview.attention - plant.overview.in_doubt)

    return sorted(plants, key=rank)


def names_of(configs: Sequence[Path]) -> list[str]:
    """A name for each plant: the folder of its `plexstedi.toml`, else the file's name; the path where two are alike."""
    short = [path.absolute().parent.name if path.name == CONFIG_NAME else path.stem for path in configs]
    return [name if short.count(name) == 1 and name else str(path) for name, path in zip(short, configs, strict=True)]
