"""A sandbox with a fixed number of open orders, and a state file in which years of finished ones come on top."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.plex.sample_data import sample_tenant
from plexstedi.sandbox.server import Sandbox
from tests.benchmarks.years import grow
from tests.commands.conftest import START, Bench


@contextmanager
def years(place: Path, *, settled: int, open_orders: int) -> Iterator[Bench]:
    """All open orders are sent and acknowledged; nothing is due, and the file has been checked and copied."""
    sample = sample_tenant(open_orders, 4, 7, START, characters=(Character.PROMPT,))
    sandbox = Sandbox(sample, SandboxClock.manual(START))
    with sandbox.serve():
        bench = Bench(sandbox, place)
        bench.write_config(lambda text: f"{text}\n[state]\nbackups = 0\n")
        for _ in range(3):
            must(bench, "run")
            bench.later(hours=2)
        grow(bench.state, settled)
        must(bench, "run")
        bench.later(minutes=10)
        yield bench


def must(bench: Bench, *arguments: str) -> None:
    """Run a command that has to succeed."""
    ran = bench.run(*arguments)
    assert ran.code == 0, ran.err


def edit(bench: Bench, orders: int) -> None:
    """Buyers order more on so many open orders that were sent."""
    with bench.sandbox.lock:
        plex = bench.sandbox.plex
        for number in list(dict.fromkeys(bench.numbers_sent()))[:orders]:
            line = plex.order(number).lines[0]
            release = line.releases[0]
            plex.edit_release(number, line.number, release.number, quantity=release.quantity + 5)
