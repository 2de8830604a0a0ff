"""What a finished order takes in the state file. Per table: `tests/benchmarks/disk.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.disk import after_keep_days, kb_per_order, life_cycles, settled

ORDERS = 40
MOST, MOST_AFTER_KEEP_DAYS = 7.4, 5.7
"""KB: 15 % over what was measured."""


@pytest.mark.long
def test_an_order_takes_no_more_of_the_file(tmp_path: Path) -> None:
    with life_cycles(tmp_path, ORDERS) as bench:
        orders = settled(bench.state)
        assert orders > ORDERS * 0.9
        assert kb_per_order(bench.state, orders) <= MOST
        after_keep_days(bench)
        assert kb_per_order(bench.state, orders) <= MOST_AFTER_KEEP_DAYS
