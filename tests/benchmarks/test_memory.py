"""What a command takes of memory hardly grows with what it has to do. Full sizes: `tests/benchmarks/memory.py`."""

from __future__ import annotations

import pytest

from tests.benchmarks.memory import CHANGED, OPEN, first_run, long_list, long_order, many_orders

pytestmark = pytest.mark.long

MOST_OF_A_RUN = 120
"""MB, for 2,000 orders or acknowledgments, or a list of 45 MB."""
MOST_OF_A_LONG_ORDER = 150
"""MB, for an order of 5,000 lines."""


def test_a_run_takes_little_more_for_four_times_as_many_orders() -> None:
    few, many = (first_run(orders).memory_mb for orders in (100, 400))
    # 0.1 MB for each further order before the documents were handed on one by one.
    assert many - few <= 300 * 0.05


@pytest.mark.parametrize("by", [OPEN, CHANGED])
def test_a_poll_takes_no_more_than_a_long_list_has_bytes(by: str) -> None:
    """Ten times as much while it was held as text, as objects and as rows at once."""
    short, long = (long_list(size, by).memory_mb for size in (2, 12))
    assert long - short <= 12 - 2 + 2


def test_a_run_of_many_orders_stays_within_its_limit() -> None:
    assert [each for each in many_orders(2000) if each.memory_mb > MOST_OF_A_RUN] == []


@pytest.mark.parametrize("by", [OPEN, CHANGED])
def test_a_poll_of_a_long_list_stays_within_its_limit(by: str) -> None:
    assert long_list(45, by).memory_mb <= MOST_OF_A_RUN


def test_an_order_of_many_lines_stays_within_its_limit() -> None:
    assert [each for each in long_order(5000) if each.memory_mb > MOST_OF_A_LONG_ORDER] == []
