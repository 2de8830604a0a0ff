"""What came in of an order, as far as Plex's receipts were read: it decides what is left to receive (POC04)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from plexstedi.state.cursors import Fact
from plexstedi.state.store import Store

_FRESH = timedelta(hours=24)


def received_so_far(store: Store, order_id: str) -> Mapping[str, Decimal] | None:
    """By Plex's line id, in the unit ordered; None if receipts were not read, or not since Plex was a day ago."""
    read, orders = store.cursors.time(Fact.RECEIPTS_CURSOR), store.cursors.time(Fact.PLEX_CURSOR)
    if read is None or (orders is not None and read < orders - _FRESH):
        return None
    return store.receipts.received(order_id)
