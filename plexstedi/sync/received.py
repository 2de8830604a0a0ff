"""Quantities received for an order, from Plex's receipts: they determine what is left to receive (POC04)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from plexstedi.state.cursors import Fact
from plexstedi.state.store import Store

_FRESH = timedelta(hours=24)


def received_so_far(store: Store, order_id: str) -> Mapping[str, Decimal] | None:
    """Quantities by Plex line id, in the unit ordered; None if receipts are not read, or a day behind the orders."""
    read, orders = store.cursors.time(Fact.RECEIPTS_CURSOR), store.cursors.time(Fact.PLEX_CURSOR)
    if read is None or (orders is not None and read < orders - _FRESH):
        return None
    return store.receipts.received(order_id)
