"""Two runs never work at once, and a dead one never stands in the way."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from plexstedi.errors import ExitCode, LockHeld, StateUnusable
from plexstedi.state.lock import RunLock, lock_path

from .conftest import NOW

HOLDER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from plexstedi.state.lock import RunLock
with RunLock(Path(sys.argv[1]), command="plexstedi run", now=lambda: datetime(2026, 11, 23, 8, tzinfo=UTC)):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(path):
    """Another process that holds the lock until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def lock(path: Path, **more) -> RunLock:
    return RunLock(path, command="plexstedi submit", now=lambda: NOW, **more)


def test_a_second_run_is_told_who_holds_the_lock(holder, path):
    with pytest.raises(LockHeld) as caught, lock(path):
        pytest.fail("two runs at once")
    assert caught.value.exit_code is ExitCode.LOCKED
    for told in (f"pid {holder.pid}", "`plexstedi run`", "2026-11-23T08:00:00+00:00"):
        assert told in caught.value.message


def test_a_run_that_was_killed_leaves_no_lock_behind(holder, path):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait(timeout=10)
    assert lock_path(path).exists()
    with lock(path):
        told = json.loads(lock_path(path).read_text())
    assert told["pid"] == os.getpid()


def test_a_person_waits_for_the_lock_and_gets_it(holder, path):
    waits = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            holder.communicate("", timeout=10)

    with lock(path, wait_seconds=30.0, sleep=sleep):
        assert len(waits) >= 3


def test_a_person_does_not_wait_for_ever(holder, path):
    waits: list[float] = []
    with pytest.raises(LockHeld), lock(path, wait_seconds=30.0, sleep=waits.append):
        pytest.fail("two runs at once")
    assert 29 <= sum(waits) <= 31


def test_the_lock_is_free_after_a_run_and_its_file_stays(path):
    with lock(path):
        first = lock_path(path).stat()
    with lock(path):
        second = lock_path(path).stat()
    assert first.st_ino == second.st_ino
    assert stat.S_IMODE(second.st_mode) == 0o600


def test_what_a_crash_left_in_the_lock_file_blocks_nobody(path):
    lock_path(path).write_text("not json at all")
    with lock(path):
        pass


def test_a_holder_that_has_not_said_its_name_is_still_a_holder(holder, path):
    lock_path(path).write_text("half a wor")
    with pytest.raises(LockHeld, match="has not said its name"), lock(path):
        pytest.fail("two runs at once")


def test_a_folder_that_is_a_file_is_7(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StateUnusable) as caught, lock(tmp_path / "file" / "state.sqlite3"):
        pytest.fail("locked in a file")
    assert caught.value.exit_code is ExitCode.STATE
