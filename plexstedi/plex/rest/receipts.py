"""Reads receipts, tenant-wide by received date: there is no filter by modified time (plex/README.md 5.1)."""

from __future__ import annotations

from plexstedi.plex.port import Receipt, Window
from plexstedi.plex.rest.client import Rest
from plexstedi.plex.rest.rows import Row, RowFault


def read_receipts(rest: Rest, window: Window) -> tuple[Receipt, ...]:
    """All receipts in the window that belong to an order line, sorted by time and id; unreadable ones are skipped."""
    rows = rest.in_window("receipts", window, by="received", field="receiveDate")
    read = rest.each((row for row in rows if row.raw("poLineItemId") is not None), read_receipt)
    return tuple(sorted(read, key=lambda receipt: (receipt.received_at, receipt.id)))


def read_receipt(row: Row) -> Receipt:
    """One receipt. Raise RowFault."""
    received_at, quantity = row.time("receiveDate"), row.number("quantity")
    if received_at is None or quantity is None:
        raise RowFault(f"{row.what}: a receipt needs receiveDate and quantity")
    return Receipt(
        id=row.needed("id"),
        order_id=row.needed("poId"),
        line_id=row.needed("poLineItemId"),
        release_id=row.text("releaseId"),
        quantity=quantity,
        received_at=received_at,
    )
