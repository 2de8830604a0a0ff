"""What commands cost with 1,000, 10,000 and 100,000 finished orders in the state file, and the same work to do.

    python -m tests.benchmarks.scale [--json FILE] [--settled 1000,10000,100000]

Each command runs in a process of its own against a sandbox on loopback. CPU is that of the command alone, the least of
several runs where it can be repeated. What counts are the ratios within one run; the work is 100 open orders.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from plexstedi.sandbox.config_text import secrets
from tests.benchmarks.live import edit, years
from tests.commands.conftest import DRIVER, Bench

MEASURED = Path(__file__).with_name("measured.py")
OPEN_ORDERS = 120
CHANGED = 100


@dataclass(frozen=True)
class Cost:
    """What one command took."""

    cpu: float
    """Seconds, user and system."""
    wall: float
    memory_mb: float
    """The most; 0 where it was not measured."""


DONE = (0, 3)
"""Exit codes of a command that succeeded, with or without new review items."""


def cost(command: Sequence[str], environment: Mapping[str, str], codes: Sequence[int] = DONE) -> Cost:
    """Run a process that has to end with one of these codes."""
    peak = Path(environment["TEST_PEAK"]) if "TEST_PEAK" in environment else None
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    assert process.returncode in codes, (command, said.decode())
    return Cost(used.ru_utime + used.ru_stime, wall, float(peak.read_text()) if peak else 0.0)


def least(costs: Sequence[Cost]) -> Cost:
    """The least of each."""
    return Cost(*(min(getattr(each, name) for each in costs) for name in ("cpu", "wall", "memory_mb")))


def measure(settled: int) -> dict[str, Cost]:
    """All commands with so many finished orders."""
    with (
        tempfile.TemporaryDirectory(prefix="plexstedi-scale-") as folder,
        years(Path(folder), settled=settled, open_orders=OPEN_ORDERS) as bench,
    ):
        number = bench.numbers_sent()[0]
        bare = least([cost([sys.executable, "-c", "pass"], os.environ) for _ in range(7)])
        found = {
            "python -c pass": bare,
            "run (idle)": repeated(bench, "run"),
            "status": repeated(bench, "status"),
            "status NUMBER": repeated(bench, "status", number),
            "status --html": repeated(bench, "status", "--html", str(bench.place / "page.html")),
        }
        edit(bench, CHANGED)
        bench.later(minutes=10)
        found[f"poll ({CHANGED} changes)"] = once(bench, "poll")
        found[f"submit ({CHANGED} documents)"] = once(bench, "submit")
        bench.later(hours=2)
        found[f"ingest-acks ({CHANGED} documents)"] = once(bench, "ingest-acks")
        return found


def once(bench: Bench, *arguments: str, codes: Sequence[int] = DONE) -> Cost:
    """One run of the command line."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(bench.place / "home"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "TEST_NOW": bench.sandbox.clock.now().isoformat(),
        "TEST_PEAK": str(bench.place / "peak"),
        "TEST_CONTROL": bench.sandbox.urls.plex_url,
        **{f"PLEXSTEDI_{k.upper().replace('-', '_')}": v for k, v in secrets(bench.sandbox).items()},
    }
    named = ["--config", str(bench.config), "--state", str(bench.state), *arguments]
    return cost([sys.executable, str(MEASURED), str(DRIVER), *named], environment, codes)


def repeated(bench: Bench, *arguments: str) -> Cost:
    """The least of five runs."""
    return least([once(bench, *arguments) for _ in range(5)])


def table(found: Mapping[int, Mapping[str, Cost]]) -> str:
    """CPU and memory of each command at each size, and the largest against the smallest."""
    sizes = sorted(found)
    head = ["command", *(f"{size:,}" for size in sizes), "ratio", *(f"MB {size:,}" for size in sizes)]
    rows = []
    for command in found[sizes[0]]:
        costs = [found[size][command] for size in sizes]
        rows.append(
            [
                command,
                *(f"{each.cpu:.3f} s" for each in costs),
                f"{costs[-1].cpu / costs[0].cpu:.2f}",
                *(f"{each.memory_mb:.0f}" for each in costs),
            ]
        )
    widths = [max(len(row[place]) for row in [head, *rows]) for place in range(len(head))]
    justified: Callable[[list[str]], str] = lambda row: "  ".join(  # noqa: E731
        cell.ljust(width) if place == 0 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "\n".join([justified(head), "  ".join("-" * width for width in widths), *map(justified, rows)])


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description="Costs of commands with a state file of years.")
    parser.add_argument("--settled", default="1000,10000,100000")
    parser.add_argument("--json", type=Path, default=None)
    given = parser.parse_args()
    found = {}
    for size in map(int, given.settled.split(",")):
        began = time.perf_counter()
        found[size] = measure(size)
        print(f"{size:,} finished orders measured in {time.perf_counter() - began:.0f} s", file=sys.stderr)
        print(table(found), flush=True)
    if given.json is not None:
        plain = {size: {command: asdict(each) for command, each in costs.items()} for size, costs in found.items()}
        given.json.write_text(json.dumps(plain, indent=2) + "\n")


if __name__ == "__main__":
    main()
