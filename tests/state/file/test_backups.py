"""Yesterday's copy is there when today's file is not, and never a half one."""

from __future__ import annotations

import stat
from datetime import timedelta

import pytest

from plexstedi.errors import StateUnusable
from plexstedi.state.file.backups import backups_of, keep_backup
from plexstedi.state.store import Store
from tests.state.conftest import NOW, an_order, keep_order


def test_a_copy_is_whole_readable_by_its_owner_only_and_opens_as_a_state(store, path):
    keep_order(store, an_order())
    copy = keep_backup(store.database, NOW, 3)
    assert copy == path.with_name("state.sqlite3.20261123T080000Z.backup")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    opened = Store.open_to_read(copy)
    try:
        assert [record.number for record in opened.orders.all()] == ["PO-1001"]
    finally:
        opened.close()


def test_a_day_has_one_copy_and_the_newest_are_kept(store, path):
    for hour in range(0, 24 * 6, 6):
        keep_backup(store.database, NOW + timedelta(hours=hour), 3)
    names = [copy.name for copy in backups_of(path)]
    assert names == [f"state.sqlite3.202611{day}T080000Z.backup" for day in (26, 27, 28)]


def test_none_are_made_when_none_are_wanted_and_no_file_of_others_is_touched(store, path):
    other = path.with_name("state.sqlite3.before-the-move.backup")
    other.write_text("a person's own")
    assert keep_backup(store.database, NOW, 0) is None
    for day in range(3):
        keep_backup(store.database, NOW + timedelta(days=day), 1)
    assert len(backups_of(path)) == 1
    assert other.read_text() == "a person's own"


def test_a_copy_from_a_wrong_future_does_not_keep_todays_from_being_made(store, path):
    keep_backup(store.database, NOW + timedelta(days=400), 3)
    assert keep_backup(store.database, NOW, 3) is not None


def test_a_copy_that_cannot_be_written_says_so_and_leaves_nothing_half(store, path, monkeypatch):
    def full(target):
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.database, "backup_into", full)
    with pytest.raises(StateUnusable) as caught:
        keep_backup(store.database, NOW, 3)
    assert "No space" in caught.value.message
    assert list(path.parent.glob("*.backup*")) == []
