"""What is left to receive is told from receipts that were read, never from receipts that could not be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from plexstedi.state.cursors import Fact
from plexstedi.state.store import Store
from plexstedi.sync.supplier_copy import received_so_far

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.open(tmp_path / "state.sqlite3", NOW)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("orders_read", "receipts_read", "known"),
    [
        (NOW, NOW, True),
        (NOW, NOW - timedelta(hours=23), True),
        (NOW, NOW - timedelta(hours=25), False),
        (NOW, None, False),
        (None, NOW, True),
    ],
)
def test_receipts_count_as_read_only_while_they_keep_up_with_the_orders(
    store: Store, orders_read: datetime | None, receipts_read: datetime | None, known: bool
) -> None:
    with store.transaction():
        store.receipts.record("c1", "o1", "l10", Decimal(30), NOW)
        store.receipts.record("c2", "o1", "l10", Decimal(10), NOW)
        store.cursors.put_time(Fact.PLEX_CURSOR, orders_read)
        store.cursors.put_time(Fact.RECEIPTS_CURSOR, receipts_read)
    assert received_so_far(store, "o1") == ({"l10": Decimal(40)} if known else None)
