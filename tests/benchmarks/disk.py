"""How much of the state file one order takes, from the poll to the write into Plex, and after `state.keep_days`.

    python -m tests.benchmarks.disk [--orders 120] [--json FILE]

Each order has 2 to 3 lines, one 850, its 997 and its 855, and a write. What the file takes without any order is
subtracted. A page that is partly free counts as a whole; free pages, which SQLite uses again, do not count.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.plex.sample_data import sample_tenant
from plexstedi.sandbox.server import Sandbox
from plexstedi.state.store import Store
from tests.benchmarks.live import must
from tests.commands.conftest import START, Bench

KEEP_DAYS = 30


@contextmanager
def life_cycles(place: Path, orders: int) -> Iterator[Bench]:
    """Orders that were sent, delivered, acknowledged and written to Plex."""
    sample = sample_tenant(orders, 4, 7, START, characters=(Character.PROMPT,))
    sandbox = Sandbox(sample, SandboxClock.manual(START))
    with sandbox.serve():
        bench = Bench(sandbox, place)
        bench.write_config(
            lambda text: f"{text}\n[documents]\nmax_per_run = 5000\n[state]\nbackups = 0\nkeep_days = {KEEP_DAYS}\n"
        )
        for _ in range(4):
            must(bench, "run")
            bench.later(hours=3)
        yield bench


def after_keep_days(bench: Bench) -> None:
    """What may be deleted is."""
    bench.later(days=KEEP_DAYS + 1)
    bench.run("run")


@contextmanager
def compact(path: Path | None) -> Iterator[Path]:
    """A compact copy of a state file, or of an empty one."""
    with tempfile.TemporaryDirectory() as folder:
        if path is None:
            path = Path(folder) / "empty"
            Store.open(path, START).close()
        copy = Path(folder) / "copy"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
        yield copy


def kb_per_order(path: Path, orders: int) -> float:
    """KB of the file per order, without what an empty file takes."""
    with compact(path) as full, compact(None) as empty:
        return (full.stat().st_size - empty.stat().st_size) / 1024 / orders


def by_table(path: Path, orders: int) -> dict[str, float]:
    """The same for each table and index, the most first; needs SQLite's `dbstat`."""

    def used(copy: Path) -> Counter[str]:
        with closing(sqlite3.connect(copy)) as connection:
            return Counter(dict(connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name")))

    with compact(path) as full, compact(None) as empty:
        taken = used(full)
        taken.subtract(used(empty))
    return {name: size / 1024 / orders for name, size in taken.most_common() if size > 0}


def settled(path: Path) -> int:
    """How many orders have their acknowledgment in Plex."""
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(DISTINCT order_id) FROM writes WHERE state = 'done'").fetchone()[0])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=120)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, life_cycles(Path(place), given.orders) as bench:
        orders = settled(bench.state)
        total, before = kb_per_order(bench.state, orders), by_table(bench.state, orders)
        after_keep_days(bench)
        total_after, after = kb_per_order(bench.state, orders), by_table(bench.state, orders)
    print(f"{orders} settled orders; KB per order: {total:.1f}, after keep_days {total_after:.1f}")
    for name, size in before.items():
        if size >= 0.05:
            print(f"  {name:32} {size:6.2f} {after.get(name, 0):6.2f}")
    if given.json is not None:
        given.json.write_text(
            json.dumps(
                {
                    "orders": orders,
                    "kb_per_order": total,
                    "after_keep_days": total_after,
                    "by_table": before,
                    "by_table_after_keep_days": after,
                },
                indent=2,
            )
        )


if __name__ == "__main__":
    main()
