"""The same work costs the database the same, however many finished orders the state file has.

Counted in steps of SQLite's virtual machine, not in seconds: they are the same on every machine. Times and memory are
`tests/benchmarks/scale.py`'s.
"""

from __future__ import annotations

import mmap
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from plexstedi.state.file import database
from tests.benchmarks.live import edit, years
from tests.commands.conftest import Bench

FEW, MANY = 60, 1_200
"""Finished orders."""
OPEN = 24
CHANGED = 12
_EVERY = 20

pytestmark = pytest.mark.long


class Steps:
    """Counts what SQLite does in forked processes."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 8)

    def begin(self) -> None:
        """In the forked process, before its command: count from now on."""
        self._shared[:8] = (0).to_bytes(8, "little")
        connect = sqlite3.connect

        def counting(*given: object, **named: object) -> sqlite3.Connection:
            connection = connect(*given, **named)  # type: ignore[call-overload]
            connection.set_progress_handler(self._count, _EVERY)
            return connection  # type: ignore[no-any-return]

        database.sqlite3.connect = counting  # type: ignore[attr-defined]

    def _count(self) -> int:
        self._shared[:8] = (self.taken + 1).to_bytes(8, "little")
        return 0

    @property
    def taken(self) -> int:
        """Steps of the last command, in units of `_EVERY`."""
        return int.from_bytes(self._shared[:8], "little")


Commands = dict[str, int]


def commands(bench: Bench) -> Commands:
    """What each command takes; the work is the same at each size."""
    steps, number = Steps(), bench.numbers_sent()[0]

    def taken(*arguments: str) -> int:
        ran = bench.run(*arguments, before=steps.begin)
        assert ran.code in (0, 3), ran.err
        return steps.taken

    page = str(bench.place / "page.html")
    found = {
        "run": taken("run"),
        "status": taken("status"),
        "status NUMBER": taken("status", number),
        "status --html": taken("status", "--html", page),
    }
    edit(bench, CHANGED)
    bench.later(minutes=10)
    found |= {"poll": taken("poll"), "submit": taken("submit")}
    bench.later(hours=2)
    found["ingest-acks"] = taken("ingest-acks")
    return found


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Commands, Commands]]:
    with ExitStack() as stack:
        few, many = (
            stack.enter_context(years(tmp_path_factory.mktemp("years"), settled=settled, open_orders=OPEN))
            for settled in (FEW, MANY)
        )
        yield commands(few), commands(many)


@pytest.mark.parametrize(
    "command", ["run", "status", "status NUMBER", "status --html", "poll", "submit", "ingest-acks"]
)
def test_a_command_takes_the_same_steps_with_twenty_times_as_many_finished_orders(
    measured: tuple[Commands, Commands], command: str
) -> None:
    few, many = (each[command] for each in measured)
    assert many <= few * 1.1 + 20, f"{few} with {FEW} finished orders, {many} with {MANY}"


def test_the_page_lists_what_is_open_only(tmp_path: Path) -> None:
    with years(tmp_path, settled=FEW, open_orders=OPEN) as bench:
        page = bench.place / "page.html"
        assert bench.run("status", "--html", str(page)).code == 0
        text = page.read_text()
        assert "closed orders are not listed" in text
        assert text.count("<td") < 40 * OPEN
        assert bench.run("audit", "verify").code == 0
