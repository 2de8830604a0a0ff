"""What Plex says it has written and does not show: looked for again, and never written over somebody's value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexstedi.edi.writeback.plan import FieldChange
from plexstedi.edi.writeback.read_again import LATER_READS, PATIENCE, Unseen, judge_unseen, unseen_words

AT = datetime(2026, 11, 23, 7, tzinfo=UTC)


def change(field: str, before: str | None, after: str | None = "100") -> FieldChange:
    return FieldChange(
        level="line", record_id="L1", line=1, field=field, before=before, after=after, value=after, why="confirmed"
    )


WRITTEN = [change("qty", "90"), change("date", None, "2026-12-01")]


@pytest.mark.parametrize(
    ("left", "later_reads", "minutes", "verdict"),
    [
        ([change("qty", "90")], 1, 60, Unseen.WAIT),
        ([change("qty", "90")], 2, 9, Unseen.WAIT),
        ([change("qty", "90")], 2, 10, Unseen.NOT_SHOWN),
        ([change("date", None)], 9, 600, Unseen.NOT_SHOWN),
        # A person's value, at the first look already.
        ([change("qty", "70")], 1, 1, Unseen.CHANGED),
        ([change("qty", None)], 1, 1, Unseen.CHANGED),
        ([change("qty", "90"), change("date", "2026-12-24")], 1, 1, Unseen.CHANGED),
        # Written, shown and changed since.
        ([change("other", "x")], 1, 1, Unseen.CHANGED),
    ],
)
def test_when_it_needs_review(left: list[FieldChange], later_reads: int, minutes: int, verdict: Unseen) -> None:
    assert judge_unseen(WRITTEN, left, later_reads=later_reads, waited=timedelta(minutes=minutes)) is verdict


@given(st.integers(0, 5), st.timedeltas(timedelta(0), timedelta(hours=2)), st.text(max_size=3))
def test_a_value_that_is_not_ours_is_never_waited_for(later_reads: int, waited: timedelta, held: str) -> None:
    verdict = judge_unseen(WRITTEN, [change("qty", held)], later_reads=later_reads, waited=waited)
    if held != "90":
        assert verdict is Unseen.CHANGED
    else:
        assert (verdict is Unseen.NOT_SHOWN) == (later_reads >= LATER_READS and waited >= PATIENCE)


def test_the_words_name_field_time_and_what_is_held() -> None:
    for verdict in Unseen:
        words = unseen_words(verdict, [change("qty", "70")], AT)
        assert "qty" in words
        assert "2026-11-23 07:00" in words
        assert ("70" in words) == (verdict is Unseen.CHANGED)
