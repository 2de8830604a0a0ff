"""Two runs never work at once, and a dead one never stands in the way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from plexstedi.errors import ExitCode, LockHeld, StateUnusable
from plexstedi.state.cursors import Fact
from plexstedi.state.file import lock as lock_module
from plexstedi.state.file.lock import RunLock, held_by, lock_path
from plexstedi.state.store import Store
from tests.state.conftest import NOW

HOLDER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from plexstedi.state.file.lock import RunLock
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
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def lock(path: Path, **more) -> RunLock:
    return RunLock(path, command="plexstedi submit", now=lambda: NOW, **more)


def test_a_second_run_is_shown_who_holds_the_lock(holder, path):
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


def test_a_user_waits_for_the_lock_and_gets_it(holder, path):
    waits = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            holder.communicate("", timeout=10)

    with lock(path, wait_seconds=30.0, sleep=sleep):
        assert len(waits) >= 3


def test_a_user_does_not_wait_for_ever(holder, path):
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
    with pytest.raises(LockHeld, match="unidentified"), lock(path):
        pytest.fail("two runs at once")


def test_a_folder_that_is_a_file_is_7(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StateUnusable) as caught, lock(tmp_path / "file" / "state.sqlite3"):
        pytest.fail("locked in a file")
    assert caught.value.exit_code is ExitCode.STATE


def made(path: Path) -> Path:
    """A state file that a run has made."""
    Store.open(path, NOW).close()
    return path


def symbolic(path: Path, tmp_path: Path) -> Path:
    (tmp_path / "link").symlink_to(path)
    return tmp_path / "link"


def link_of_a_link(path: Path, tmp_path: Path) -> Path:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "link").symlink_to(os.path.relpath(symbolic(path, tmp_path), tmp_path / "far"))
    return tmp_path / "far" / "link"


def linked_folder(path: Path, tmp_path: Path) -> Path:
    (tmp_path / "folder").symlink_to(path.parent)
    return tmp_path / "folder" / path.name


def hard(path: Path, tmp_path: Path) -> Path:
    os.link(path, tmp_path / "other.sqlite3")
    return tmp_path / "other.sqlite3"


def spelled_otherwise(path: Path, tmp_path: Path) -> Path:
    return path.parent / ".." / path.parent.name / path.name


def by_the_process(path: Path, tmp_path: Path) -> Path:
    return Path(f"/proc/{os.getpid()}/root") / path.relative_to("/")


NAMES = [symbolic, link_of_a_link, linked_folder, hard, spelled_otherwise, by_the_process]


@pytest.mark.parametrize("name", NAMES)
def test_the_same_file_by_another_name_is_locked_too_and_the_holder_is_reported(path, tmp_path, name, request):
    made(path)
    holder = request.getfixturevalue("holder")
    with pytest.raises(LockHeld) as caught, lock(name(path, tmp_path)):
        pytest.fail("two runs at once")
    for told in (f"pid {holder.pid}", "`plexstedi run`", "2026-11-23T08:00:00+00:00"):
        assert told in caught.value.message
    assert f"pid {holder.pid}" in held_by(path)


@pytest.mark.parametrize("name", [symbolic, link_of_a_link, linked_folder, spelled_otherwise])
def test_a_first_run_by_another_name_finds_the_lock_although_there_is_no_file_yet(path, tmp_path, name):
    path.parent.mkdir(exist_ok=True)
    with lock(path), pytest.raises(LockHeld), lock(name(path, tmp_path)):
        pytest.fail("two runs at once")


def test_a_lock_file_that_is_deleted_while_we_open_it_is_not_what_we_lock(path, monkeypatch):
    """Somebody 'cleans up', and another run begins at once: two runs would hold a lock each."""
    locked = lock_module._locked
    deleted = []

    def late(descriptor, at, how):
        if not deleted:
            deleted.append(at)
            at.unlink()
        return locked(descriptor, at, how)

    monkeypatch.setattr(lock_module, "_locked", late)
    with lock(path):
        assert deleted == [lock_path(path)]
        with pytest.raises(LockHeld), lock(path):
            pytest.fail("two runs at once")


@pytest.mark.parametrize("name", [symbolic, hard])
def test_a_holder_that_was_killed_under_another_name_is_gone(path, tmp_path, name, request):
    made(path)
    other = name(path, tmp_path)
    holder = request.getfixturevalue("holder")
    holder.kill()
    holder.wait(timeout=10)
    assert held_by(other) is None
    with lock(other):
        pass


def test_a_lock_file_that_was_deleted_while_it_is_held_lets_nobody_in(path, request):
    made(path)
    holder = request.getfixturevalue("holder")
    lock_path(path).unlink()
    with pytest.raises(LockHeld, match=f"pid {holder.pid} on .*`plexstedi run`, since"), lock(path):
        pytest.fail("two runs at once")


def test_a_state_file_that_was_put_in_the_place_of_a_locked_one_is_locked(path, tmp_path, request):
    made(path)
    copy = tmp_path / "backup"
    shutil.copy(path, copy)
    holder = request.getfixturevalue("holder")
    copy.replace(path)
    with pytest.raises(LockHeld, match=f"pid {holder.pid}"), lock(path):
        pytest.fail("two runs at once")


def test_a_state_file_that_is_made_under_the_lock_is_covered_by_it(path, tmp_path):
    with lock(path) as first:
        made(path)
        first.cover_state()
        lock_path(path).unlink()
        with pytest.raises(LockHeld), lock(hard(path, tmp_path)):
            pytest.fail("two runs at once")


def test_the_lock_takes_nothing_from_what_sqlite_has_locked(path):
    """Closing a descriptor drops the POSIX locks of a process: the lock may close its own only when SQLite is done."""
    made(path)
    with lock(path) as held:
        store = Store.open(path, NOW)
        held.cover_state()
        with store.transaction():
            store.cursors.put(Fact.TENANT, "x")
            program = "import sqlite3,sys; sqlite3.connect(sys.argv[1], timeout=0).execute('BEGIN IMMEDIATE')"
            other = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, check=False)
            assert b"locked" in other.stderr
        store.close()


def test_who_looks_who_holds_the_lock_makes_nothing_and_takes_nothing(path):
    made(path)
    before = sorted(path.parent.iterdir())
    assert held_by(path) is None
    assert sorted(path.parent.iterdir()) == before
    with lock(path):
        assert f"pid {os.getpid()}" in held_by(path)


def test_a_full_disk_does_not_keep_a_run_from_saying_why(path, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with lock(path):
        assert f"pid {os.getpid()}" in held_by(path)


def test_a_file_system_without_locks_is_7(path, monkeypatch):
    def none(*arguments):
        raise OSError(37, "No locks available")

    monkeypatch.setattr("plexstedi.state.file.lock.fcntl.flock", none)
    with pytest.raises(StateUnusable, match="cannot be locked"), lock(path):
        pytest.fail("locked")


def test_a_hard_link_is_no_second_state_file(path, tmp_path):
    """What a killed run committed lies beside the name that it used."""
    other = hard(made(path), tmp_path)
    for use in (lambda: Store.open(other, NOW), lambda: Store.open_to_read(other), lambda: Store.open_copy(other)):
        with pytest.raises(StateUnusable, match="created under another name"):
            use()
    Store.open(path, NOW).close()


def test_a_state_file_that_is_replaced_under_a_run_ends_it(path, tmp_path):
    made(path)
    shutil.copy(path, tmp_path / "backup")
    store = Store.open(path, NOW)
    (tmp_path / "backup").replace(path)
    with pytest.raises(StateUnusable, match="deleted or replaced") as caught, store.transaction():
        pytest.fail("what is committed here is found by nobody")
    assert "plexstedi recover" in caught.value.fix
    store.close()
    again = Store.open(path, NOW)
    path.unlink()
    with pytest.raises(StateUnusable, match="deleted or replaced"), again.transaction():
        pytest.fail("what is committed here is found by nobody")
    again.close()
