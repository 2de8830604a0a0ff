"""The pages of the state file are checked when they have to be, and not at each of a thousand runs a day."""

from __future__ import annotations

import os
import shutil
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from plexstedi.state.cursors import Fact
from plexstedi.state.file.database import Database
from plexstedi.state.file.integrity import CHECK_EVERY, mark_of
from plexstedi.state.store import Store

from .conftest import NOW


@pytest.fixture
def closed(path: Path) -> Path:
    """A state file that was checked and closed cleanly."""
    Store.open(path, NOW).close()
    return path


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Each check of a file's pages."""
    found: list[Path] = []
    monkeypatch.setattr(Database, "_check_pages", lambda self: found.append(self.path))
    return found


def opened(path: Path, **later: float) -> None:
    store = Store.open(path, NOW + timedelta(**later))
    store.cursors.put(Fact.TRANSACTIONS_TOKEN, str(later))
    store.close()


def test_a_file_that_was_closed_cleanly_is_checked_once_a_day(closed: Path, checks: list[Path]) -> None:
    for minutes in range(1, 60, 10):
        opened(closed, minutes=minutes)
    assert checks == []
    opened(closed, seconds=CHECK_EVERY.total_seconds())
    opened(closed, seconds=CHECK_EVERY.total_seconds() + 60)
    assert len(checks) == 1


def test_a_clock_that_was_set_back_leads_to_a_check(closed: Path, checks: list[Path]) -> None:
    opened(closed, hours=-1)
    assert len(checks) == 1


def test_whoever_else_wrote_to_the_file_leads_to_a_check(closed: Path, checks: list[Path]) -> None:
    status = closed.stat()
    os.utime(closed, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000))
    opened(closed, minutes=1)
    assert len(checks) == 1
    copy = closed.with_name("copy")
    shutil.copy2(closed, copy)
    copy.replace(closed)
    opened(closed, minutes=2)
    assert len(checks) == 2, "a restored copy has the same size and time, and is another file"


@pytest.mark.parametrize("read_first", [False, True])
def test_a_run_that_was_killed_leads_to_a_check(closed: Path, checks: list[Path], read_first: bool) -> None:
    pid = os.fork()
    if pid == 0:
        try:
            store = Store.open(closed, NOW + timedelta(minutes=1))
            store.cursors.put(Fact.TRANSACTIONS_TOKEN, "committed")
            os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    if read_first:
        # A reader takes what the killed run left into the file.
        Store.open_to_read(closed).close()
    opened(closed, minutes=2)
    assert len(checks) == 1


@pytest.mark.parametrize("content", ["", "nothing of ours", "2026-11-23T08:00:00+00:00 1:2:3:4", "\xff", "x" * 500])
def test_a_mark_that_says_nothing_leads_to_a_check(closed: Path, checks: list[Path], content: str) -> None:
    mark_of(closed).write_text(content, encoding="latin-1")
    opened(closed, minutes=1)
    assert len(checks) == 1


def test_a_mark_that_cannot_be_written_keeps_no_run_from_ending(closed: Path, checks: list[Path]) -> None:
    store = Store.open(closed, NOW + timedelta(minutes=1))
    mark = mark_of(closed)
    mark.unlink()
    mark.mkdir()
    store.cursors.put(Fact.TRANSACTIONS_TOKEN, "x")
    store.close()
    assert not checks
