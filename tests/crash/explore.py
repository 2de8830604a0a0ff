"""A morning of orders and answers, killed with SIGKILL at every point where a process can die.

Run as a program: it plays the morning phase by phase. In each phase one run of the client walks from point to point
(each commit of the state, each HTTP call before it is processed, and after it is processed but not heard). At each a
process that is all that the client is then is killed, and the world is forked: the fork takes a copy of what the
killed process left on disk, lets clean runs play the rest of the morning, and checks what the sandbox saw. Where the
very same was left behind before (a call that only reads leaves nothing), that was done already. One line of JSON per
point goes to stdout.

    python explore.py --orders 34 [--every N] [--phase N] [--write STRATEGY] [--invoices] [--plainly] [--broken HOW]
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import os
import shutil
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from multiprocessing import Pipe
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.plex.sample_data import sample_tenant
from plexstedi.sandbox.server import Sandbox
from tests.crash.broken import BROKEN
from tests.crash.direct import Direct, through
from tests.crash.killing import Client, Point, one_run
from tests.crash.left import left_behind
from tests.crash.world import CAST, PHASES, SCRATCH, START, World, differences, picture, play

AT_ONCE = os.cpu_count() or 2


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


Outcome = dict[str, object]


@dataclass
class Walk:
    """One phase: which of its points are died at, and what the morning must come to in spite of it."""

    phase: int
    expected: dict[str, object]
    every: int
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    """What came of a morning that went on from what was left behind, by its mark."""

    def walk(self, world: World) -> None:
        """One run, and a death of its twin at each point. What leaves the very same behind is gone on from once."""
        PHASES[self.phase](world)
        number, died = count(), list[tuple[Point, str]]()
        running: dict[str, Apart] = {}

        def reach(client: Client, point: Point) -> None:
            if next(number) % self.every == 0:
                client.kill_twin()
                with client.stopped():
                    left = left_behind(world)
                    died.append((point, left))
                    if left not in self.outcomes and left not in running:
                        running[left] = Apart(world, self.go_on)
                        if len(running) == AT_ONCE:
                            self._wait_for_one(running)

        one_run(world, reach)
        while running:
            self._wait_for_one(running)
        for point, left in died:
            self._tell(point, left, self.outcomes[left])

    def walk_plainly(self, world: World) -> None:
        """The same with a run of its own for each point, from the beginning of the phase to where it is killed."""
        for wanted in count(step=self.every):
            found = Apart(world, lambda copy: self.die_at(copy, wanted)).result()  # noqa: B023 - done before the next
            if found is None:
                return
            self._tell(*found)

    def die_at(self, copy: World, wanted: int) -> tuple[Point, str, Outcome] | None:
        """What came of a run that is killed at this point; None when it ended before."""
        PHASES[self.phase](copy)
        number, died_at = count(), list[Point]()

        def reach(client: Client, point: Point) -> None:
            if next(number) == wanted:
                died_at.append(point)
                client.kill()

        return None if one_run(copy, reach) else (died_at[0], left_behind(copy), self.go_on(copy))

    def go_on(self, copy: World) -> Outcome:
        """Clean runs to the end of the morning; how it looks then, and what is not as after an undisturbed one."""
        copy.run_until_quiet()
        play(copy, self.phase + 1)
        found = picture(copy)
        looks = hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()
        return {"looks": looks, "wrong": differences(self.expected, found)}

    def _wait_for_one(self, running: dict[str, Apart]) -> None:
        ready = wait([apart.pipe for apart in running.values()])
        for left in [left for left, apart in running.items() if apart.pipe in ready]:
            self.outcomes[left] = running.pop(left).result()

    def _tell(self, point: Point, left: str, outcome: Outcome) -> None:
        told = {"phase": self.phase, "kind": point.kind, "number": point.number, "left": left, **outcome}
        print(json.dumps(told), flush=True)


def warm_up(folder: Path) -> None:
    """A small morning, so that no fork has to import or build what every run needs."""
    place = folder / "warm"
    place.mkdir()
    world = World(Sandbox(sample_tenant(2, 1, 7, START), SandboxClock.manual(START)), place)
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
    options.add_argument("--api", default="connect", help="plex.api; another one than connect: data sources alone")
    options.add_argument("--calls", type=int, default=8, help="at once; 1: each run has the same points")
    options.add_argument("--plainly", action="store_true", help="a run of its own for each point")
    options.add_argument("--broken", choices=BROKEN, help="let the program break a promise when it is killed")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        warm_up(Path(folder))
        place = Path(folder) / "place"
        place.mkdir()
        sample_data = sample_tenant(chosen.orders, len(CAST), 7, START, characters=CAST)
        world = World(
            Sandbox(sample_data, SandboxClock.manual(START)),
            place,
            chosen.write,
            chosen.invoices,
            chosen.api,
            chosen.calls,
        )
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
