"""Reading many orders: who waits is shown how long it takes, and one order that fails does not end it."""

from __future__ import annotations

import pytest

from plexstedi.errors import Interrupted, PlexStediError, ServiceRefused, ServiceUnavailable
from plexstedi.plex.rest.client import QUERY_REFUSED
from plexstedi.sync.poll.pending import may_be_of_one_order, reading_time


@pytest.mark.parametrize(
    ("orders", "limit", "said"),
    [
        (100, 190, ""),
        (190, 190, ""),
        (191, 190, " (at least 2 minutes at 190 calls a minute)"),
        (3000, 190, " (at least 16 minutes at 190 calls a minute)"),
    ],
)
def test_the_least_time_follows_from_the_limit_of_calls(orders: int, limit: int, said: str) -> None:
    assert reading_time(orders, limit) == said


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ServiceUnavailable("no response", fix="", code="unavailable"), True),
        (ServiceUnavailable("the run's time is over", fix="", code="time-limit"), False),
        (ServiceRefused("Plex refuses the query", fix="", code=QUERY_REFUSED), True),
        (ServiceRefused("the key is refused", fix="", code="refused"), False),
        (Interrupted("interrupted", fix=""), False),
        (PlexStediError("the state file is full", fix="", code="state"), False),
        (KeyError("a row that nobody foresaw"), True),
    ],
)
def test_only_what_may_be_of_one_order_makes_the_others_read_separately(error: Exception, expected: bool) -> None:
    assert may_be_of_one_order(error) is expected
