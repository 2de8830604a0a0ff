"""Yesterday's copy is there when today's file is not, and never a half one."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
from contextlib import closing
from datetime import timedelta

import pytest

from plexstedi.errors import StateUnusable
from plexstedi.state.file.backups import backups_of, keep_backup
from plexstedi.state.file.database import Database
from plexstedi.state.store import Store
from plexstedi.state.subject import Subject
from tests.state.conftest import NOW, an_order, keep_order


def test_a_copy_is_whole_readable_by_its_owner_only_and_opens_as_a_state(store, path):
    keep_order(store, an_order())
    copy = keep_backup(path, NOW, 3)
    assert copy == path.with_name("state.sqlite3.20261123T080000Z.backup")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    opened = Store.open_to_read(copy)
    try:
        assert [record.number for record in opened.orders.all()] == ["PO-1001"]
    finally:
        opened.close()


def test_a_day_has_one_copy_and_the_newest_are_kept(store, path):
    for hour in range(0, 24 * 6, 6):
        keep_backup(path, NOW + timedelta(hours=hour), 3)
    names = [copy.name for copy in backups_of(path)]
    assert names == [f"state.sqlite3.202611{day}T080000Z.backup" for day in (26, 27, 28)]


def test_none_are_made_when_none_are_wanted_and_no_file_of_others_is_touched(store, path):
    other = path.with_name("state.sqlite3.before-the-move.backup")
    other.write_text("a person's own")
    assert keep_backup(path, NOW, 0) is None
    for day in range(3):
        keep_backup(path, NOW + timedelta(days=day), 1)
    assert len(backups_of(path)) == 1
    assert other.read_text() == "a person's own"


def test_a_copy_from_a_wrong_future_does_not_keep_todays_from_being_made(store, path):
    keep_backup(path, NOW + timedelta(days=400), 3)
    assert keep_backup(path, NOW, 3) is not None


def test_a_copy_that_cannot_be_written_says_so_and_leaves_nothing_half(store, path, monkeypatch):
    def full(state, target, check):
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Database, "copy_in_slices", full)
    with pytest.raises(StateUnusable) as caught:
        keep_backup(path, NOW, 3)
    assert "No space" in caught.value.message
    assert str(path.with_name("state.sqlite3.20261123T080000Z.backup")) in caught.value.message
    assert "Free some space" in caught.value.fix
    assert list(path.parent.glob("*.backup*")) == []


def test_a_run_that_writes_meanwhile_neither_waits_nor_changes_the_copy(store, path):
    filled(store)
    slices = []

    def write_meanwhile() -> bool:
        slices.append(store.audit.append(NOW, "plexstedi", "meanwhile", Subject("run")))
        # A copy that begins again at each commit would not end.
        return len(slices) < 50

    head = store.audit.head()
    copy = keep_backup(path, NOW, 3, write_meanwhile)
    assert len(slices) > 3, "it was one slice only"
    assert len(slices) < 50, "it began again"
    with closing(Store.open_to_read(copy)) as opened:
        # `write_meanwhile` is called once before the snapshot.
        assert [event.kind for event in opened.audit.events()].count("meanwhile") == 1
        assert opened.audit.verify() is None
        assert head != opened.audit.head()
    with closing(sqlite3.connect(copy)) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert plain.execute("PRAGMA journal_mode").fetchone() == ("delete",), "it opens in a read-only folder"
    assert sorted(one.name for one in path.parent.glob("*.backup*")) == [copy.name]


def test_a_copy_stopped_by_the_time_limit_leaves_nothing_and_the_next_run_makes_it(store, path):
    filled(store)
    left = [True, True, False]
    with pytest.raises(StateUnusable, match="time limit") as caught:
        keep_backup(path, NOW, 3, lambda: left.pop(0))
    assert caught.value.code == "backup-stopped"
    assert list(path.parent.glob("*.backup*")) == []
    assert keep_backup(path, NOW, 3) in backups_of(path)


def test_two_runs_at_once_make_one_copy(store, path):
    keep_order(store, an_order())
    others = []

    def another_run() -> bool:
        others.append(keep_backup(path, NOW + timedelta(minutes=5), 3))
        return True

    made = keep_backup(path, NOW, 3, another_run)
    assert others
    assert set(others) == {None}
    assert backups_of(path) == [made]
    assert keep_backup(path, NOW + timedelta(minutes=5), 3) is None


def test_what_a_killed_run_left_is_used_up_by_the_next_copy(store, path):
    names = (
        "state.sqlite3.backup.partial",
        "state.sqlite3.backup.partial-journal",
        "state.sqlite3.20261120T080000Z.backup.partial",
        "state.sqlite3.20261120T080000Z.backup.partial.partial-journal",
    )
    for name in names:
        path.with_name(name).write_bytes(b"half" * 5000)
        path.with_name(name).chmod(0o644)
    copy = keep_backup(path, NOW, 3)
    assert list(path.parent.glob("*.backup*")) == [copy]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    Store.open_to_read(copy).close()


def test_a_copy_killed_between_two_slices_has_no_name_and_is_repeated(store, path):
    filled(store)
    store.close()
    pid = os.fork()
    if pid == 0:
        slices = []
        try:
            keep_backup(
                path, NOW, 3, lambda: slices.append(1) or len(slices) < 4 or os.kill(os.getpid(), signal.SIGKILL)
            )
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    assert backups_of(path) == []
    assert path.with_name("state.sqlite3.backup.partial").exists(), "it was killed too early or too late"
    with closing(Store.open(path, NOW)) as next_run:
        assert next_run.audit.verify() is None
    copy = keep_backup(path, NOW, 3)
    assert list(path.parent.glob("*.backup*")) == [copy]
    with closing(Store.open_to_read(copy)) as opened:
        assert opened.audit.verify() is None


def filled(store):
    """More than four slices of a MB."""
    with store.transaction():
        for number in range(300):
            store.audit.append(NOW, "plexstedi", "filled", Subject("run"), number=number, text=os.urandom(10_000).hex())
