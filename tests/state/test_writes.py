"""Plex is written to once for each plan."""

from __future__ import annotations

import pytest

from plexstedi.edi.writeback.plan import AckField, FieldChange, WriteEntry, WritePlan
from plexstedi.state.store import Store
from plexstedi.state.writes import WriteState
from tests.older_state import make_older

from .conftest import NOW, an_order, keep_order


def a_plan(value: str) -> WritePlan:
    entry = WriteEntry(
        level="line",
        record_id="l1",
        line=10,
        field="EDI_Confirmed_Qty",
        kind_name=AckField.CONFIRMED_QUANTITY,
        value=value,
        why="confirmed",
    )
    return WritePlan(order_id="id-PO-1001", order_number="PO-1001", entries=(entry,))


@pytest.fixture
def written(store):
    keep_order(store, an_order())
    assert store.writes.plan("id-PO-1001", "t1", a_plan("100"), NOW)
    return store


def test_the_same_plan_is_not_carried_out_twice(written):
    assert not written.writes.plan("id-PO-1001", "t2", a_plan("100"), NOW)
    (write,) = written.writes.open()
    written.writes.begin(write.id, ())
    written.writes.done(write.id, NOW)
    assert not written.writes.plan("id-PO-1001", "t2", a_plan("100"), NOW)
    assert written.writes.count_open() == 0


def test_a_newer_plan_takes_the_place_of_one_that_was_not_carried_out(written):
    (old,) = written.writes.open()
    written.writes.begin(old.id, ())
    assert written.writes.plan("id-PO-1001", "t2", a_plan("80"), NOW)
    (new,) = written.writes.open()
    assert new.plan == a_plan("80")
    assert [write.state for write in written.writes.of_order("id-PO-1001")] == [
        WriteState.SUPERSEDED,
        WriteState.PLANNED,
    ]


def test_a_refused_write_is_planned_again_or_abandoned_by_a_user(written):
    (write,) = written.writes.open()
    written.writes.begin(write.id, ())
    written.writes.fail(write.id, "no such field")
    assert list(written.writes.open()) == []
    written.writes.plan_again(write.id)
    (again,) = written.writes.open()
    assert (again.id, again.error) == (write.id, None)
    written.writes.fail(write.id, "no such field")
    written.writes.abandon(write.id)
    assert written.writes.of_order("id-PO-1001")[0].state is WriteState.SUPERSEDED


def test_writes_of_an_older_file_are_what_they_were(written, path):
    (write,) = written.writes.open()
    change = FieldChange(
        level="line", record_id="l1", line=10, field="EDI_Confirmed_Qty", before=None, after="100", why="w"
    )
    written.writes.begin(write.id, [change])
    written.writes.done(write.id, NOW)
    written.writes.plan("id-PO-1001", "t2", a_plan("80"), NOW)
    before = written.writes.of_order("id-PO-1001")
    assert [each.changes for each in before] == [(change,), ()]
    written.close()
    make_older(path, 4)
    again = Store.open(path, NOW)
    assert again.writes.of_order("id-PO-1001") == before
    assert again.writes.plan("id-PO-1001", "t3", a_plan("80"), NOW) is None
    again.close()
