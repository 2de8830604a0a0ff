"""A first load of thousands of orders takes as long as Plex's limit says: who waits for it is shown how long."""

from __future__ import annotations

import pytest

from plexstedi.sync.poll.orders import reading_time


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
