"""`plexstedi --config A --config B status`: reads each plant's state file, and nothing else."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from plexstedi.cli.invocation import Invocation
from plexstedi.cli.page.files import write_page
from plexstedi.cli.plants.show import show_plants
from plexstedi.cli.result.outcome import Outcome
from plexstedi.cli.result.plants import PlantJson
from plexstedi.errors import PlexStediError, UsageFault
from plexstedi.sync.counts import Counts
from plexstedi.sync.health import read_health
from plexstedi.sync.report.overview import Overview, overview, reading
from plexstedi.sync.report.plants import Plant, names_of, worst_first


def several_plants(
    invocation: Invocation,
    outcome: Outcome,
    *,
    html: Path | None,
    check: bool,
) -> None:
    """Read all plants into the outcome. One that cannot be read is a fault, and hides no other."""
    configs = invocation.plants
    _must_be_apart(invocation)
    plants = [_read(path, name, invocation) for path, name in zip(configs, names_of(configs), strict=True)]
    _must_have_states_of_their_own(plants)
    plants = worst_first(plants)
    outcome.faults += [plant.fault for plant in plants if plant.fault is not None]
    outcome.counts = Counts(
        attention=sum(plant.overview.attention for plant in plants),
        in_doubt=sum(plant.overview.in_doubt for plant in plants),
    )
    outcome.attention = check and any(plant.needs_review for plant in plants)
    outcome.data["plants"] = [PlantJson.of(plant) for plant in plants]
    outcome.data["audit_head"] = None
    now = invocation.clock.now()
    outcome.show = lambda: show_plants(plants, now)
    if html is not None:
        # Only the page needs the templates.
        from plexstedi.cli.plants.page import plants_page

        write_page(html, plants_page(plants, now))
        outcome.data["html"] = str(html)
        outcome.show = lambda: print(f"Written: {html}")


def _must_be_apart(invocation: Invocation) -> None:
    if invocation.state_path is not None or os.environ.get("PLEXSTEDI_STATE"):
        raise UsageFault(
            "one state file (--state or PLEXSTEDI_STATE) cannot be that of several plants",
            fix="Leave it out: each configuration names its own in `state.path`, or has it in /var/lib/plexstedi.",
        )


def _must_have_states_of_their_own(plants: list[Plant]) -> None:
    by_state: dict[Path, Plant] = {}
    for plant in plants:
        if plant.state is None:
            continue
        other = by_state.setdefault(plant.state, plant)
        if other is not plant:
            raise UsageFault(
                f"{other.config} and {plant.config} have the same state file {plant.state}",
                fix="Give each its own `state.path`, or name each configuration once.",
            )


def _read(config_file: Path, name: str, around: Invocation) -> Plant:
    own = Invocation(config_path=config_file, quiet=around.quiet)
    state: Path | None = None
    company = ""
    try:
        config = own.config()
        company, state = config.company.name or "", own.state()
        every_minutes = config.run.every_minutes
        with reading(state) as store:
            now = own.clock.now()
            health = read_health(store, state, config, now)
            if store is None:
                return Plant(name, config_file, company, state, health=health, every_minutes=every_minutes)
            own.must_own(store)
            seen = overview(store, config, now)
    except PlexStediError as fault:
        health_now = None
        if state is not None:
            with suppress(PlexStediError):
                health_now = read_health(None, state, None, own.clock.now(), fault=fault)
        return Plant(name, config_file, company, state, Overview(), health_now, fault)
    return Plant(name, config_file, company, state, seen, health, every_minutes=every_minutes)
