"""The most memory that a command takes: many due orders, long lists of Plex, one order of many lines.

    python -m tests.benchmarks.memory [--orders 2000] [--list-mb 45] [--lines 5000] [--json FILE]

Each command runs in a process of its own against a sandbox on loopback. The process reads its peak itself, at its end
(`measured.py`): the `ru_maxrss` of a child also contains what this process, with the sandbox, had when it started it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.faults import FaultRule
from plexstedi.sandbox.plex.sample_data import sample_tenant
from plexstedi.sandbox.plex.store import copy_order
from plexstedi.sandbox.server import Sandbox
from plexstedi.sandbox.web import Request, Response
from tests.benchmarks.scale import Cost, once
from tests.commands.conftest import START, Bench

OPEN, CHANGED = "status", "modifiedDateBegin"
"""The filters by which lists are requested."""
_ORDERS = "/purchasing/v1/purchase-orders"
_SETTINGS = """
[documents]
max_per_run = 100000
[run]
time_limit_minutes = {minutes}
max_response_mb = 256
[state]
backups = 0
"""
_LONG, _SHORT = 600, 4
"""Minutes of a run; the sandbox's time only passes while a command waits. The short one ends a poll after it has read
some hundreds of the orders that a list names."""
_TIME_IS_OVER = 5


class LongList(Sandbox):
    """A sandbox whose Plex lists many more orders than it has, each with an id and a number of its own."""

    wanted_bytes: int = 0
    by: str = OPEN
    """Lists with this filter are long."""

    def _respond_plex(self, request: Request, fault: FaultRule | None) -> Response:
        response = super()._respond_plex(request, fault)
        is_wanted = request.one(self.by) is not None and request.one("active") is None
        if request.path == _ORDERS and is_wanted and response.status == 200 and response.body != b"[]":
            response.body = lengthened(response.body, self.wanted_bytes)
        return response


def lengthened(body: bytes, size: int) -> bytes:
    """A list of orders, repeated under other ids and numbers until it has so many bytes."""
    rows = json.loads(body)
    pieces, length, number = [], 2, 0
    while length < size:
        row = rows[number % len(rows)]
        if number >= len(rows):
            row = row | {"id": f"{number:08x}{row['id'][8:]}", "poNumber": f"L{number:07}"}
        pieces.append(json.dumps(row, separators=(",", ":")))
        length += len(pieces[-1]) + 1
        number += 1
    return f"[{','.join(pieces)}]".encode()


@dataclass(frozen=True)
class Peak:
    """What one command took."""

    command: str
    memory_mb: float
    cpu: float
    """Seconds, user and system."""


def peak(name: str, cost: Cost) -> Peak:
    return Peak(name, cost.memory_mb, cost.cpu)


@contextmanager
def served(sandbox: Sandbox, minutes: int = _LONG) -> Iterator[Bench]:
    """A bench for it, with limits that the work of this measurement does not reach."""
    with sandbox.serve(), tempfile.TemporaryDirectory(prefix="plexstedi-memory-") as place:
        bench = Bench(sandbox, Path(place))
        bench.write_config(lambda text: f"{text}\n{_SETTINGS.format(minutes=minutes)}")
        yield bench


def many_orders(orders: int) -> list[Peak]:
    """All are due at once; their suppliers acknowledge all of them."""
    sample = sample_tenant(orders, 4, 7, START, characters=(Character.PROMPT,))
    with served(Sandbox(sample, SandboxClock.manual(START))) as bench:
        found = [peak(f"run, {orders:,} due orders", once(bench, "run"))]
        bench.later(hours=3)
        found.append(peak(f"run, {orders:,} acknowledgments", once(bench, "run")))
        found.append(peak(f"status, {orders:,} orders", once(bench, "status")))
        return found


def first_run(orders: int) -> Peak:
    """All are read, sent at once, and nothing is acknowledged yet."""
    sample = sample_tenant(orders, 4, 7, START, characters=(Character.PROMPT,))
    with served(Sandbox(sample, SandboxClock.manual(START))) as bench:
        return peak(f"run, {orders:,} due orders", once(bench, "run"))


def long_list(size_mb: float, by: str) -> Peak:
    """A list of Plex in a poll: of the window (`CHANGED`), or of all open orders (`OPEN`)."""
    sandbox = LongList(sample_tenant(40, 4, 7, START, characters=(Character.PROMPT,)), SandboxClock.manual(START))
    sandbox.by, sandbox.wanted_bytes = by, int(size_mb * 2**20)
    names = {OPEN: "of open orders", CHANGED: "of changed orders"}
    with served(sandbox, _SHORT) as bench:
        return peak(f"poll, a list {names[by]} of {size_mb:g} MB", once(bench, "poll", codes=[_TIME_IS_OVER]))


def long_order(lines: int) -> list[Peak]:
    """One order of many lines: read, sent, acknowledged, written."""
    sample = sample_tenant(1, 1, 7, START, characters=(Character.PROMPT,))
    sandbox = Sandbox(sample, SandboxClock.manual(START))
    with served(sandbox) as bench:
        with sandbox.lock:
            lengthen(sandbox, lines)
        found = [peak(f"poll, an order of {lines:,} lines", once(bench, "poll"))]
        found.append(peak(f"submit, an order of {lines:,} lines", once(bench, "submit")))
        bench.later(hours=3)
        found.append(peak(f"ingest-acks, an order of {lines:,} lines", once(bench, "ingest-acks")))
        return found


def lengthen(sandbox: Sandbox, lines: int) -> None:
    """Add an order of so many lines, made of the lines of an order that is there."""
    model, made = sandbox.plex.tenant.orders[0], START - timedelta(minutes=3)
    order = copy_order(model, "PO-LONG", made)
    order.lines = [copy_order(model, "PO-LONG", made).lines[0] for _ in range(lines)]
    for number, line in enumerate(order.lines, 1):
        line.number = number
    sandbox.plex.add_order(order)


def table(found: Sequence[Peak]) -> str:
    """MB and seconds of each command."""
    width = max(len(each.command) for each in found)
    rows = [f"{each.command:{width}}  {each.memory_mb:6.0f} MB  {each.cpu:7.1f} s" for each in found]
    return "\n".join(rows)


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description="The most memory that commands take.")
    parser.add_argument("--orders", type=int, default=2000)
    parser.add_argument("--list-mb", type=float, default=45)
    parser.add_argument("--lines", type=int, default=5000)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    began = time.perf_counter()
    found = []
    for measured in (
        lambda: [long_list(given.list_mb, OPEN)],
        lambda: [long_list(given.list_mb, CHANGED)],
        lambda: long_order(given.lines),
        lambda: many_orders(given.orders),
    ):
        some = measured()
        print(table(some), flush=True)
        found += some
    print(f"measured in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    if given.json is not None:
        given.json.write_text(json.dumps([asdict(each) for each in found], indent=2) + "\n")


if __name__ == "__main__":
    main()
