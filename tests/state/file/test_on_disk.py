"""What a run relies on after a power cut is on disk with its content, its name and its folder."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest

from plexstedi.errors import StateUnusable
from plexstedi.state import store
from plexstedi.state.file import database
from plexstedi.state.file.backups import backups_of, keep_backup
from plexstedi.state.file.schema import VERSION
from plexstedi.state.store import Store
from tests.disk import Disk, killed_at_each_step
from tests.state.conftest import NOW, an_order, keep_order


@pytest.fixture
def disk(monkeypatch):
    return Disk(monkeypatch)


def test_a_new_state_file_its_folders_and_its_mark(tmp_path, disk):
    path = tmp_path / "deep" / "er" / "state.sqlite3"
    database.Database.open(path).close()
    disk.must_have_made(path.parent.parent)
    disk.must_have_made(path.parent)
    disk.must_have_made(path)
    Store.open(path, NOW).close()
    disk.must_have_put(path.with_name("state.sqlite3.was-here"))


def test_a_state_file_that_is_there_costs_no_further_step(path, disk):
    Store.open(path, NOW).close()
    disk.events.clear()
    Store.open(path, NOW).close()
    assert disk.events == []


def test_a_copy_of_the_day(path, disk):
    opened = Store.open(path, NOW)
    keep_order(opened, an_order())
    copy = keep_backup(path, NOW, 3)
    opened.close()
    disk.must_have_put(copy)


def test_a_copy_before_a_migration(path, disk):
    Store.open(path, NOW).close()
    older = sqlite3.connect(path)
    older.execute(f"PRAGMA user_version = {VERSION - 1}")
    older.close()
    opened = database.Database
    with pytest.raises(StateUnusable):
        # The tables are there already: what counts is the copy that was made first.
        opened.open(path)
    disk.must_have_put(path.with_name(f"state.sqlite3.before-version-{VERSION}"))


def test_a_copy_killed_at_any_step_is_whole_or_not_there(path):
    Store.open(path, NOW).close()
    day = [NOW]

    def copy() -> None:
        opened = Store.open(path, NOW)
        keep_backup(path, day[0], 3)
        opened.close()

    def check(steps: int) -> None:
        for one in backups_of(path):
            Store.open_to_read(one).close()
        day[0] += timedelta(days=2)
        opened = Store.open(path, NOW)
        assert keep_backup(path, day[0], 3) in backups_of(path)
        assert not list(path.parent.glob("*.partial*")), "half copies do not pile up"
        opened.close()
        day[0] += timedelta(days=2)

    assert killed_at_each_step(copy, check) > 4


def test_a_first_run_killed_at_any_step_is_followed_by_a_good_one(tmp_path):
    path = tmp_path / "new" / "state.sqlite3"

    def check(steps: int) -> None:
        store.expect_state(path)
        Store.open(path, NOW).close()
        for one in path.parent.iterdir():
            one.unlink()
        path.parent.rmdir()

    assert killed_at_each_step(lambda: Store.open(path, NOW).close(), check) > 4


def test_a_mark_that_cannot_be_written_is_7(path, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "replace_file", full)
    with pytest.raises(StateUnusable, match="was-here cannot be written: No space"):
        Store.open(path, NOW)
