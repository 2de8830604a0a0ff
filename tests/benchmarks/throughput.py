"""How many orders and acknowledgments a second go through, where each call to a service takes 80 ms.

    python -m tests.benchmarks.throughput [--orders 1000] [--latency 0.08] [--json FILE]

With as many calls at once as the configuration's default; beside it a tenth of the orders with one call at a time.
No limit of calls a minute applies: the sandbox's clock does not run while a command waits. Each supplier returns a
functional acknowledgment (997) and a business acknowledgment (855): two transactions, two calls to Stedi each. With
eight calls of 80 ms at once no program can fetch more than 50 transactions a second.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.plex.sample_data import sample_tenant
from plexstedi.sandbox.server import Sandbox
from tests.commands.conftest import START, Bench

MANY = "[documents]\nmax_per_run = 5000\n[run]\ntime_limit_minutes = 60\n"


class Far(Sandbox):
    """A sandbox to which each call takes its time; calls do not wait for each other."""

    latency: float = 0.0

    def app(self, origin: str) -> Callable[..., object]:
        inner = super().app(origin)

        def delayed(environ: dict[str, object], start: Callable[..., object]) -> object:
            time.sleep(self.latency)
            return inner(environ, start)

        return delayed


@dataclass(frozen=True)
class Rate:
    """How many documents a second one command handles."""

    command: str
    parallel_calls: int
    documents: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.documents / self.seconds


def measured(bench: Bench, count: str, calls: int, *words: str) -> Rate:
    """Run one command that has to succeed."""
    began = time.perf_counter()
    ran = bench.run(*words, "--json")
    took = time.perf_counter() - began
    assert ran.code in (0, 3), ran.err
    return Rate(" ".join(words), calls, ran.json["counts"][count], took)


def rates(orders: int, latency: float, calls: int) -> list[Rate]:
    """Send all, learn the deliveries, read all acknowledgments."""
    sandbox = Far(sample_tenant(orders, 4, 7, START, characters=(Character.PROMPT,)), SandboxClock.manual(START))
    with sandbox.serve(), tempfile.TemporaryDirectory() as place:
        bench = Bench(sandbox, Path(place), real_process=True)
        bench.write_config(
            lambda text: text.replace("[stedi]\n", f"[stedi]\nparallel_calls = {calls}\n", 1) + "\n" + MANY
        )
        assert bench.run("poll").code in (0, 3)
        sandbox.latency = latency
        sent = measured(bench, "documents_sent", calls, "submit")
        bench.later(hours=1)
        delivered = measured(bench, "documents_delivered", calls, "submit")
        bench.later(hours=3)
        before = len(sandbox.log)
        read = measured(bench, "acks_applied", calls, "ingest-acks")
        fetched = sum(entry.path.startswith("/artifacts/") for entry in sandbox.log[before:])
    return [
        Rate("submit, and submit again for the deliveries", calls, sent.documents, sent.seconds + delivered.seconds),
        Rate("ingest-acks: 855", calls, read.documents, read.seconds),
        Rate("ingest-acks: 997 and 855", calls, fetched, read.seconds),
    ]


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser()
    options.add_argument("--orders", type=int, default=1000)
    options.add_argument("--latency", type=float, default=0.08)
    options.add_argument("--json", type=Path)
    chosen = options.parse_args()
    found = [
        *rates(max(1, chosen.orders // 10), chosen.latency, 1),
        *rates(chosen.orders, chosen.latency, 8),
    ]
    print(f"{'command':46} {'calls at once':>13} {'documents':>9} {'seconds':>8} {'a second':>8}")
    for rate in found:
        print(
            f"{rate.command:46} {rate.parallel_calls:13} {rate.documents:9} {rate.seconds:8.2f} {rate.per_second:8.1f}"
        )
    if chosen.json is not None:
        chosen.json.write_text(json.dumps([asdict(rate) | {"per_second": rate.per_second} for rate in found], indent=1))


if __name__ == "__main__":
    os.environ.setdefault("PYTHONPATH", str(Path(__file__).parents[2]))
    sys.exit(main())
