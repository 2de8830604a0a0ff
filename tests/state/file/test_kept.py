"""Values kept of a file: bounded, and dropped together."""

from __future__ import annotations

from plexstedi.state.file.transactions import KeptReads


def test_the_one_stored_first_makes_room():
    kept = KeptReads(keeps=True).up_to(2)
    for key in "abac":
        kept[key] = key
    assert dict(kept) == {"b": "b", "c": "c"}


def test_all_values_of_a_file_are_dropped_together():
    reads = KeptReads(keeps=True)
    one, other = reads.up_to(2), reads.up_to(2)
    one["a"], other["b"] = 1, 2
    reads.drop()
    assert not one
    assert not other


def test_a_file_that_another_process_may_write_is_read_each_time():
    kept = KeptReads(keeps=False).up_to(2)
    kept["a"] = 1
    assert not kept


def test_what_another_connection_wrote_drops_all():
    reads = KeptReads(keeps=True)
    kept = reads.up_to(2)
    reads.drop_unless(7)
    kept["a"] = 1
    reads.drop_unless(7)
    assert kept
    reads.drop_unless(8)
    assert not kept
