"""The order in which plants and what is wrong with them are shown, and what they are called."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from plexstedi.errors import StateUnusable
from plexstedi.sync.health import Health, HealthFault
from plexstedi.sync.report.overview import Overview
from plexstedi.sync.report.plants import ItemKind, Plant, names_of, worst_first

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
WELL = Health(None, {}, (), None)
ILL = Health(None, {}, (HealthFault("unavailable", NOW, "Plex does not respond", "Wait."),), None)


def plant(name: str, health: Health | None = WELL, *, attention: int = 0, broken: bool = False) -> Plant:
    fault = StateUnusable("the state file cannot be used", fix="Restore it.") if broken else None
    return Plant(name, Path(name), overview=Overview(attention=attention), health=health, fault=fault)


def test_the_worst_plant_is_first_and_equal_ones_stay_as_given() -> None:
    given = [
        plant("fine"),
        plant("busy", attention=2),
        plant("busier", attention=7),
        plant("ill", ILL),
        plant("broken", None, broken=True),
        plant("also fine"),
    ]
    assert [one.name for one in worst_first(given)] == ["broken", "ill", "busier", "busy", "fine", "also fine"]


def test_what_cannot_be_read_comes_before_the_faults_of_its_runs() -> None:
    items = plant("a", ILL, broken=True).items
    assert [(item.kind, item.fix) for item in items] == [
        (ItemKind.UNREADABLE, "Restore it."),
        (ItemKind.FAULT, "Wait."),
    ]


@pytest.mark.parametrize(
    ("one", "alarm"),
    [
        (plant("a"), False),
        (plant("a", ILL), True),
        (plant("a", attention=1), True),
        (plant("a", None, broken=True), True),
    ],
)
def test_when_a_monitor_is_alarmed(one: Plant, alarm: bool) -> None:
    assert one.needs_review is alarm


@pytest.mark.parametrize(
    ("configs", "names"),
    [
        (["/etc/plexstedi/dallas/plexstedi.toml", "/etc/plexstedi/austin/plexstedi.toml"], ["dallas", "austin"]),
        (["/srv/dallas.toml", "/srv/austin.toml"], ["dallas", "austin"]),
        (["/a/dallas/plexstedi.toml", "/b/dallas.toml"], ["/a/dallas/plexstedi.toml", "/b/dallas.toml"]),
    ],
)
def test_a_plant_is_called_by_its_folder_or_file_unless_two_are_alike(configs: list[str], names: list[str]) -> None:
    assert names_of([Path(one) for one in configs]) == names
