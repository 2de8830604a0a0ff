"""How far one has to read: functions entered, and moves between the files of `sync`, for one order on each way.

    python tests/count_functions.py

One changed order through `submit`, one acknowledgment through `ingest-acks`, one lost state through `recover`, on the
sandbox. A function counts once; a move is a function of another file of `sync` than the one entered before it there.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable
from functools import partial
from itertools import pairwise
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.plex.sample_data import sample_tenant
from plexstedi.sandbox.server import Sandbox
from tests.commands.conftest import START, Bench
from tests.test_source_tour import note_calls


def counted(calls: Iterable[str]) -> tuple[int, int]:
    """Functions, and moves between files of `sync`, of lines as `note_calls` writes them: `file:line name`."""
    entered = list(dict.fromkeys(calls))
    files = [call.partition(":")[0] for call in entered if call.startswith("sync/")]
    return len(entered), sum(before != after for before, after in pairwise(files))


def of_command(bench: Bench, *words: str) -> tuple[int, int]:
    """What one command enters; it must have done what it is for."""
    calls = bench.place / f"calls-{words[0]}"
    ran = bench.run(*words, before=partial(note_calls, calls))
    if ran.code not in (0, 3):
        raise SystemExit(f"{' '.join(words)} ended with {ran.code}: {ran.err}")
    return counted(calls.read_text().splitlines())


def main() -> None:
    """Print the table."""
    sample_data = sample_tenant(1, 1, 7, START, characters=(Character.PROMPT,))
    sandbox = Sandbox(sample_data, SandboxClock.manual(START))
    with sandbox.serve(), tempfile.TemporaryDirectory() as place:
        bench = Bench(sandbox, Path(place))
        bench.write_config()
        (order,) = sandbox.plex.tenant.orders
        bench.run("run")
        bench.later(hours=1)
        bench.run("submit")
        line = order.lines[0]
        release = line.releases[0]
        sandbox.plex.edit_release(order.number, line.number, release.number, quantity=release.quantity + 12)
        bench.later(minutes=5)
        bench.run("poll")
        found = {"submit": of_command(bench, "submit")}
        bench.later(hours=24)
        bench.run("submit")
        found["ingest-acks"] = of_command(bench, "ingest-acks")
        for name in (bench.state, *bench.state.parent.glob(f"{bench.state.name}*")):
            name.unlink(missing_ok=True)
        for mark in bench.state.parent.glob(f"*{bench.state.name}*"):
            mark.unlink(missing_ok=True)
        found["recover"] = of_command(bench, "recover", "--yes")
    print(f"{'command':<12} {'functions':>9} {'moves between files of sync':>28}")
    for command, (functions, moves) in found.items():
        print(f"{command:<12} {functions:>9} {moves:>28}")


if __name__ == "__main__":
    main()
