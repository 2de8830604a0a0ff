"""What a look at invoices covers: nothing is passed over, whatever the clock or the last run did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from plexstedi.sync.poll.invoices import plan_windows

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
START = datetime(2026, 11, 1, tzinfo=UTC)
OVERLAP = timedelta(minutes=15)


def spans(**more):
    given = {"end": NOW, "start": START, "cursor": None, "overlap": OVERLAP} | more
    return [(window.begin, window.end) for window in plan_windows(**given)]


def test_the_first_poll_begins_at_the_start_in_steps_that_plex_can_return():
    found = spans()
    assert found[0][0] == START
    assert found[-1][1] == NOW
    assert all(before[1] == after[0] for before, after in pairwise(found))
    assert all(end - begin <= timedelta(days=3) for begin, end in found)


def test_each_poll_overlaps_the_one_before():
    assert spans(cursor=NOW - timedelta(minutes=5)) == [(NOW - timedelta(minutes=20), NOW)]


def test_a_clock_that_was_set_back_still_polls():
    assert spans(cursor=NOW + timedelta(days=2)) == [(NOW - OVERLAP, NOW)]


def test_with_a_sweep_it_reaches_back_but_never_before_the_start():
    cursor = NOW - timedelta(minutes=5)
    assert spans(cursor=cursor, look_back=NOW - timedelta(days=2))[0][0] == NOW - timedelta(days=2)
    assert spans(cursor=cursor, start=NOW - timedelta(days=1), look_back=NOW - timedelta(days=2))[0][0] == (
        NOW - timedelta(days=1)
    )


def test_a_user_may_read_further_back():
    since = datetime(2026, 10, 1, tzinfo=UTC)
    assert spans(cursor=NOW, since=since)[0][0] == since
