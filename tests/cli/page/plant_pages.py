"""Plants in every condition, made without a state file."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from plexstedi.errors import StateUnusable
from plexstedi.sync.report.overview import Overview, Times
from plexstedi.sync.report.plants import Plant, worst_first

from .pages import NOW, a_page


def a_plant(name: str, *, orders: int = 0, hours_old: int = 0, healthy: bool = True, company: str = "") -> Plant:
    """A plant that read Plex so many hours ago."""
    data = a_page(orders, healthy=healthy)
    read = Times(plex_read_until=NOW - timedelta(hours=hours_old))
    seen = replace(data.seen, times=read) if orders else Overview(times=read)
    config = Path(f"/etc/plexstedi/{name}/plexstedi.toml")
    return Plant(name, config, company, Path(f"/var/lib/plexstedi/{name}"), seen, data.health, every_minutes=5)


def some_plants() -> list[Plant]:
    """Five plants, the worst first."""
    fault = StateUnusable("the state file /var/lib/plexstedi/reno cannot be used", fix="Run `plexstedi recover`.")
    return worst_first(
        [
            a_plant("dallas", company="R & D <Inc>"),
            a_plant("austin", orders=40, company="Precision Machining Works of Grand Rapids, Incorporated"),
            a_plant("tulsa", hours_old=30),
            a_plant("el-paso", orders=12, healthy=False),
            Plant("reno", Path("/etc/plexstedi/reno/plexstedi.toml"), fault=fault),
        ]
    )
