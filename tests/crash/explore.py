"""A morning of orders and answers, killed with SIGKILL at every point where a process can die.

Run as a program: it plays the morning phase by phase. In each phase one run of the client walks from point to point
(each commit of the state, each HTTP call before it is processed, and after it is processed but not heard). At each a
process that is all that the client is then is killed, and the world is forked: the fork takes a copy of what the
killed process left on disk, lets clean runs play the rest of the morning, and checks what the sandbox saw. One line of
JSON per point goes to stdout.

    python explore.py --orders 34 [--every N] [--phase N] [--write STRATEGY] [--invoices] [--plainly] [--broken HOW]
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from multiprocessing import Pipe
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.server import Sandbox
from plexstedi.sandbox.tenant import made_up_tenant
from tests.crash.broken import BROKEN
from tests.crash.direct import Direct, through
from tests.crash.killing import Client, Point, one_run
from tests.crash.world import CAST, PHASES, START, World, differences, picture, play

AT_ONCE = os.cpu_count() or 2
MEMORY_DISK = Path("/dev/shm")
"""SIGKILL takes nothing from a file system that a power cut would: the worlds need no real disk."""


class Apart:
    """A forked copy of a world, with a copy of its files, in which something is done."""

    def __init__(self, world: World, act: Callable[[World], Any]) -> None:
        self._folder = tempfile.TemporaryDirectory(dir=world.place.parent)
        place = Path(self._folder.name) / "world"
        shutil.copytree(world.place, place)
        self.pipe, theirs = Pipe(duplex=False)
        self._pid = os.fork()
        if self._pid == 0:
            try:
                copy = replace(world, place=place)
                with through(Direct(copy.sandbox)):
                    theirs.send(act(copy))
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(0)
        theirs.close()

    def result(self) -> Any:
        """What came of it. Raise AssertionError when nothing did."""
        with self._folder, self.pipe:
            try:
                return self.pipe.recv()
            except EOFError:
                raise AssertionError("a forked world broke; see above") from None
            finally:
                os.waitpid(self._pid, 0)


@dataclass(frozen=True)
class Walk:
    """One phase: which of its points are died at, and what the morning must come to in spite of it."""

    phase: int
    expected: dict[str, object]
    every: int

    def walk(self, world: World) -> None:
        """One run, and a death of its twin at each point. Tells each on stdout."""
        PHASES[self.phase](world)
        number, running = count(), list[Apart]()

        def reach(client: Client, point: Point) -> None:
            if next(number) % self.every == 0:
                client.kill_twin()
                running.append(Apart(world, lambda copy: self.go_on(copy, point)))
                if len(running) == AT_ONCE:
                    tell_finished(running)

        one_run(world, reach)
        while running:
            tell_finished(running)

    def walk_plainly(self, world: World) -> None:
        """The same with a run of its own for each point, from the beginning of the phase to where it is killed."""
        for wanted in count(step=self.every):
            found = Apart(world, lambda copy: self.die_at(copy, wanted)).result()  # noqa: B023 - done before the next
            if found is None:
                return
            print(json.dumps(found), flush=True)

    def die_at(self, copy: World, wanted: int) -> dict[str, object] | None:
        """What came of a run that is killed at this point; None when it ended before."""
        PHASES[self.phase](copy)
        number, died_at = count(), list[Point]()

        def reach(client: Client, point: Point) -> None:
            if next(number) == wanted:
                died_at.append(point)
                client.kill()

        return None if one_run(copy, reach) else self.go_on(copy, died_at[0])

    def go_on(self, copy: World, point: Point) -> dict[str, object]:
        """Clean runs to the end of the morning, and what is not as after an undisturbed one."""
        left = left_behind(copy)
        copy.run_until_quiet()
        play(copy, self.phase + 1)
        wrong = differences(self.expected, picture(copy))
        return {"phase": self.phase, "kind": point.kind, "number": point.number, "left": left, "wrong": wrong}


def tell_finished(running: list[Apart]) -> None:
    """Wait until one is done; tell it and forget it."""
    ready = wait([each.pipe for each in running])
    for each in [each for each in running if each.pipe in ready]:
        running.remove(each)
        print(json.dumps(each.result()), flush=True)


def left_behind(world: World) -> str:
    """A mark of all that the killed process left: its ledger, and what it did to Stedi and Plex."""
    mark = hashlib.sha256()
    with tempfile.TemporaryDirectory(dir=world.place.parent) as folder:
        # Opening the ledger tidies it up, which is the next run's to do: a copy is read.
        place = Path(folder) / "copy"
        shutil.copytree(world.place, place)
        with contextlib.closing(sqlite3.connect(place / "state.sqlite3")) as ledger:
            for statement in ledger.iterdump():
                mark.update(statement.encode())
    for done in (world.sandbox.stedi.documents, world.sandbox.plex.writes, world.sandbox.plex.acknowledgements):
        mark.update(repr(done).encode())
    return mark.hexdigest()


def warm_up(folder: Path) -> None:
    """A small morning, so that no fork has to import or build what every run needs."""
    place = folder / "warm"
    place.mkdir()
    world = World(Sandbox(made_up_tenant(2, 1, 7, START), SandboxClock.manual(START)), place)
    world.write_config()
    with through(Direct(world.sandbox)):
        play(world, 0)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--orders", type=int, default=34)
    options.add_argument("--every", type=int, default=1, help="only every N-th point; 1: all of them")
    options.add_argument("--phase", type=int, choices=range(len(PHASES)), help="only the points of this phase")
    options.add_argument("--write", default="custom-fields")
    options.add_argument("--invoices", action="store_true")
    options.add_argument("--plainly", action="store_true", help="a run of its own for each point")
    options.add_argument("--broken", choices=BROKEN, help="let the program break a promise when it is killed")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(dir=MEMORY_DISK if os.access(MEMORY_DISK, os.W_OK) else None) as folder:
        warm_up(Path(folder))
        place = Path(folder) / "place"
        place.mkdir()
        made_up = made_up_tenant(chosen.orders, len(CAST), 7, START, characters=CAST)
        world = World(Sandbox(made_up, SandboxClock.manual(START)), place, chosen.write, chosen.invoices)
        world.write_config()
        if chosen.broken:
            BROKEN[chosen.broken]()
        # Collected garbage would only be copied memory: the forks live for a second.
        gc.freeze()
        gc.disable()
        expected = Apart(world, lambda copy: (play(copy, 0), picture(copy))[1]).result()
        with through(Direct(world.sandbox)):
            for phase in range(len(PHASES)):
                walk = Walk(phase, expected, chosen.every)
                if chosen.phase not in (None, phase):
                    pass
                elif chosen.plainly:
                    walk.walk_plainly(world)
                else:
                    Apart(world, walk.walk).result()
                PHASES[phase](world)
                world.run_until_quiet()


if __name__ == "__main__":
    main()
