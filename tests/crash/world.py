"""A morning of orders and answers, killed with SIGKILL at every point where a process can die.

Run as a program: it plays the morning phase by phase. Before each phase it counts the phase's crash points (each commit
of the state, each HTTP call before it is processed, and after it is processed but not heard). For each point it forks:
the child serves the same sandbox on ports of its own, lets a client process run until it is killed there, then lets
clean runs play the rest of the morning, and checks what the sandbox saw. One line of JSON per point goes to stdout.

    python world.py --orders 32 --shard 0/2 [--every N] [--write STRATEGY] [--invoices]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import plexstedi.state.database as database
from plexstedi.config import load
from plexstedi.credentials import Secrets
from plexstedi.errors import PlexStediError, ServiceUnavailable
from plexstedi.sandbox.characters import Character
from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.config_text import config_text, secrets
from plexstedi.sandbox.faults import Call
from plexstedi.sandbox.server import Sandbox
from plexstedi.sandbox.tenant import made_up_tenant
from plexstedi.sandbox.wire import ConnectionDropped
from plexstedi.state.store import Store
from plexstedi.sync.opening import Surroundings, open_session
from plexstedi.sync.run import run

START = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
OPT_IN = 'release_values = ["note", "due_date", "quantity"]'
CAST = (Character.PROMPT, Character.DATES, Character.ECHO, Character.RENUMBERING)


@dataclass(frozen=True)
class Point:
    """Where to die: at the n-th commit of the state, or the n-th HTTP call before or after its processing."""

    kind: str
    number: int


@dataclass
class World:
    """The sandbox and the client's files."""

    sandbox: Sandbox
    place: Path
    write: str = "custom-fields"
    """How acknowledgments get into Plex: `plex.acknowledgments.write`."""
    invoices: bool = False
    """Whether customers get their 810s too."""

    @contextlib.contextmanager
    def served(self) -> Iterator[None]:
        with self.sandbox.serve():
            text = config_text(self.sandbox, write=self.write)
            text = text.replace('write = "releases"', 'write = "releases"\n' + OPT_IN)
            if self.invoices:
                text += '\n[documents]\nsend = ["850", "860", "810"]\n'
            (self.place / "plexstedi.toml").write_text(text)
            yield

    def run_once(self, clock: SandboxClock | None = None) -> list[PlexStediError]:
        """One `run` in this process; what ended a stage."""
        variables = {f"PLEXSTEDI_{k.upper().replace('-', '_')}": v for k, v in secrets(self.sandbox).items()}
        clock = clock or self.sandbox.clock
        around = Surroundings(
            config=load(self.place / "plexstedi.toml"),
            secrets=Secrets.of(variables, clock),
            state_path=self.place / "state.sqlite3",
            clock=clock,
        )
        opened = open_session(around, dry_run=False)
        faults: list[PlexStediError] = []
        try:
            run(opened.session, faults)
        finally:
            opened.close()
        return faults

    def run_until_quiet(self) -> None:
        """As cron would: again and again until a run has nothing left to do."""
        for _ in range(8):
            self.sandbox.advance(timedelta(minutes=1))
            faults = self.run_once()
            if not [fault for fault in faults if isinstance(fault, ServiceUnavailable)]:
                return
        raise AssertionError(f"still not quiet after 8 runs: {faults}")

    def change_an_order(self) -> None:
        """A buyer doubles the first release of the first order."""
        order = self.sandbox.plex.tenant.orders[0]
        line = order.lines[0]
        self.sandbox.plex.edit_release(
            order.number, line.number, line.releases[0].number, quantity=line.releases[0].quantity * 2
        )


def nothing(world: World) -> None:
    """The first phase begins with the orders as they are."""


def three_hours(world: World) -> None:
    """997 and 855 come in."""
    world.sandbox.advance(timedelta(hours=3))


def edit(world: World) -> None:
    """An order changes."""
    world.change_an_order()
    world.sandbox.advance(timedelta(minutes=10))


PHASES: tuple[Callable[[World], None], ...] = (nothing, three_hours, edit, three_hours)


def play(world: World, begin: int) -> None:
    """Clean runs of the phases from `begin` on, each until nothing is left."""
    for prepare in PHASES[begin:]:
        prepare(world)
        world.run_until_quiet()
    world.run_until_quiet()


class PointCounter:
    """Counts points; with a target, says when it is reached."""

    def __init__(self, target: Point | None, reach: Callable[[], None]) -> None:
        self.seen: Counter[str] = Counter()
        self._target = target
        self._reach = reach

    def hit(self, kind: str) -> bool:
        self.seen[kind] += 1
        if self._target == Point(kind, self.seen[kind]):
            self._reach()
            return True
        return False


def watch_commits(counter: PointCounter) -> None:
    """Count commits of the state file in this process: COMMIT, and writes outside a transaction."""
    real = database._connect

    def connect(name: str, *, uri: bool = False) -> sqlite3.Connection:
        connection = real(name, uri=uri)

        def trace(statement: str) -> None:
            word = statement.lstrip().split(None, 1)[0].upper() if statement.strip() else ""
            alone = word in ("INSERT", "UPDATE", "DELETE") and not connection.in_transaction
            if word == "COMMIT" or alone:
                counter.hit("commit")

        connection.set_trace_callback(trace)
        return connection

    database._connect = connect


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def client(world: World, point: Point | None, report: int | None) -> None:
    """The process that is killed: one run. With `report`, it lives and writes its commit count there."""
    frozen = SandboxClock.manual(world.sandbox.clock.now())
    counter = PointCounter(point if point is not None and point.kind == "commit" else None, die)
    watch_commits(counter)
    try:
        world.run_once(frozen)
    except PlexStediError as fault:
        print(f"client: {fault.message}", file=sys.stderr)
    if report is not None:
        os.write(report, json.dumps(counter.seen).encode())


def fork_client(world: World, point: Point | None, report: int | None) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            client(world, point, report)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    return pid


def count_points(world: World, phase: int) -> dict[str, int]:
    """How many points of each kind one run of this phase has. Nothing of this world changes."""

    def body(copy: World) -> dict[str, int]:
        calls: Counter[str] = Counter()
        copy.sandbox.on_call(lambda call: calls.update([call.phase]))
        reading, writing = os.pipe()
        os.waitpid(fork_client(copy, None, writing), 0)
        os.close(writing)
        commits = json.loads(os.read(reading, 65536) or b"{}")
        return {**commits, **calls}

    return in_fork(world, phase, body)


def explore(world: World, phase: int, point: Point, expected: dict[str, object]) -> dict[str, object]:
    """Die there, go on, and compare what the sandbox saw with an undisturbed morning."""

    def body(copy: World) -> dict[str, object]:
        victim: list[int] = []

        def kill() -> None:
            os.kill(victim[0], signal.SIGKILL)

        counter = PointCounter(point if point.kind != "commit" else None, kill)
        watching = [True]

        def on_call(call: Call) -> None:
            if watching[0] and victim and counter.hit(call.phase):
                raise ConnectionDropped

        copy.sandbox.on_call(on_call)
        gate_reading, gate_writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.read(gate_reading, 1)
                client(copy, point, None)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(0)
        victim.append(pid)
        os.write(gate_writing, b"x")
        _, status = os.waitpid(pid, 0)
        watching[0] = False
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        copy.run_until_quiet()
        play(copy, phase + 1)
        return {"killed": killed, "wrong": differences(expected, picture(copy))}

    return {"phase": phase, "kind": point.kind, "number": point.number, **in_fork(world, phase, body)}


def in_fork(world: World, phase: int, body: Callable[[World], dict[str, object]]) -> dict:
    """Run `body` in a forked copy of this world, with the phase's events happened and served on ports of its own."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "world"
            shutil.copytree(world.place, place)
            copy = replace(world, place=place)
            try:
                with copy.served():
                    PHASES[phase](copy)
                    result = body(copy)
            except BaseException:
                result = {"killed": False, "wrong": [traceback.format_exc()]}
        data = json.dumps(result).encode()
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(data)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(data)


def picture(world: World) -> dict[str, object]:
    """What the outside world and the ledger look like at the end."""
    generated: Counter[str] = Counter()
    for document in world.sandbox.generated():
        generated[document.filename.rsplit("_", 1)[0]] += 1
    writes: Counter[str] = Counter()
    for write in world.sandbox.plex.writes:
        for name, value in write.after.items():
            moving = name in ("EDI_Ack_Reference", "EDI_Acknowledged_At", "date")
            if write.before.get(name) != value:
                # Which transaction an answer is, and when it came, is made anew in each copy of the world.
                said = "…" if moving else re.sub(r"stedi:[^\]]*", "stedi:…", str(value))
                writes[f"{write.order}/{write.line}/{write.release}/{name}={said}"] += 1
    store = Store.open_to_read(world.place / "state.sqlite3")
    try:
        states = Counter(str(document.state) for document in store.documents.all())
        found: dict[str, object] = {
            "generated": dict(generated),
            "writes": dict(writes),
            "documents": dict(states),
            "open writes": store.writes.count_open(),
            "waiting orders": store.orders.work_left(),
            "unsettled": len(store.orders.unsettled()),
            "lines": store.inbox.line_counts(),
            "attention": store.reviews.attention(),
            "trail": str(store.audit.verify()),
        }
    finally:
        store.close()
    return json.loads(json.dumps(found, default=str))


def differences(expected: dict[str, object], found: dict[str, object]) -> list[str]:
    """What is not as after an undisturbed morning."""
    wrong = [f"{key}: {found[key]} instead of {expected[key]}" for key in expected if found[key] != expected[key]]
    generated = found["generated"]
    assert isinstance(generated, dict)
    return wrong + [f"{name} was sent {times} times" for name, times in generated.items() if times != 1]


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--orders", type=int, default=32)
    options.add_argument("--shard", default="0/1")
    options.add_argument("--every", type=int, default=1, help="only every N-th point; 1: all of them")
    options.add_argument("--write", default="custom-fields")
    options.add_argument("--invoices", action="store_true")
    chosen = options.parse_args()
    shard, shards = (int(part) for part in chosen.shard.split("/"))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "place"
        place.mkdir()
        made_up = made_up_tenant(chosen.orders, len(CAST), 7, START, characters=CAST)
        world = World(Sandbox(made_up, SandboxClock.manual(START)), place, chosen.write, chosen.invoices)
        expected = in_fork(world, 0, lambda copy: (play(copy, 0), picture(copy))[1])
        print(json.dumps({"expected": expected}), flush=True)
        index = 0
        for phase in range(len(PHASES)):
            counts = count_points(world, phase)
            for kind in ("commit", "before", "after"):
                for number in range(1, counts.get(kind, 0) + 1):
                    index += 1
                    if index % shards == shard and (index // shards) % chosen.every == 0:
                        print(json.dumps(explore(world, phase, Point(kind, number), expected)), flush=True)
            with world.served():
                PHASES[phase](world)
                world.run_until_quiet()


if __name__ == "__main__":
    main()
