"""What Plex says it has written and does not show: looked for again, and never written over somebody's value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexstedi.edi.writeback.plan import FieldChange
from plexstedi.edi.writeback.read_back import LATER_READS, PATIENCE, ReadBack, judge_read_back, read_back_message

AT = datetime(2026, 11, 23, 7, tzinfo=UTC)


def change(field: str, before: str | None, after: str | None = "100") -> FieldChange:
    return FieldChange(level="line", record_id="L1", line=1, field=field, before=before, after=after, why="confirmed")


WRITTEN = [change("qty", "90"), change("date", None, "2026-12-01")]


@pytest.mark.parametrize(
    ("left", "later_reads", "minutes", "verdict"),
    [
        ([change("qty", "90")], 1, 60, ReadBack.WAIT),
        ([change("qty", "90")], 2, 9, ReadBack.WAIT),
        ([change("qty", "90")], 2, 10, ReadBack.NOT_SHOWN),
        ([change("date", None)], 9, 600, ReadBack.NOT_SHOWN),
        # A person's value, at the first look already.
        ([change("qty", "70")], 1, 1, ReadBack.CHANGED),
        ([change("qty", None)], 1, 1, ReadBack.CHANGED),
        ([change("qty", "90"), change("date", "2026-12-24")], 1, 1, ReadBack.CHANGED),
        # Written, shown and changed since.
        ([change("other", "x")], 1, 1, ReadBack.CHANGED),
    ],
)
def test_when_it_needs_review(left: list[FieldChange], later_reads: int, minutes: int, verdict: ReadBack) -> None:
    assert judge_read_back(WRITTEN, left, later_reads=later_reads, waited=timedelta(minutes=minutes)) is verdict


@given(st.integers(0, 5), st.timedeltas(timedelta(0), timedelta(hours=2)), st.text(max_size=3))
def test_a_value_that_is_not_ours_is_never_waited_for(later_reads: int, waited: timedelta, held: str) -> None:
    verdict = judge_read_back(WRITTEN, [change("qty", held)], later_reads=later_reads, waited=waited)
    if held != "90":
        assert verdict is ReadBack.CHANGED
    else:
        assert (verdict is ReadBack.NOT_SHOWN) == (later_reads >= LATER_READS and waited >= PATIENCE)


def test_the_words_name_field_time_and_what_is_held() -> None:
    for verdict in ReadBack:
        words = read_back_message(verdict, [change("qty", "70")], AT)
        assert "qty" in words
        assert "2026-11-23 07:00" in words
        assert ("70" in words) == (verdict is ReadBack.CHANGED)
