"""Receipts read from Plex: what has come in can no longer be promised."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from plexstedi.edi.units import total_of
from plexstedi.state.file.codec import instant
from plexstedi.state.file.database import Database


class Receipts:
    """The table `receipts`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, receipt_id: str, order_id: str, line_id: str, quantity: Decimal, received_at: datetime) -> None:
        """Store a receipt, or its corrected quantity."""
        self._database.execute(
            "INSERT INTO receipts (id, order_id, line_id, quantity, received_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET quantity = excluded.quantity, received_at = excluded.received_at",
            (receipt_id, order_id, line_id, f"{quantity:f}", instant(received_at)),
        )

    def received(self, order_id: str) -> dict[str, Decimal]:
        """What came in so far, by Plex line id, in the line's order unit."""
        totals: dict[str, Decimal] = {}
        for row in self._database.rows("SELECT line_id, quantity FROM receipts WHERE order_id = ?", (order_id,)):
            totals[row["line_id"]] = total_of(totals.get(row["line_id"], Decimal(0)), Decimal(row["quantity"]))
        return totals
