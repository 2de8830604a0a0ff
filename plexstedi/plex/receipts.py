"""Receipts, read tenant-wide by the date received (plex.md 5.1; there is no filter by modification)."""

from __future__ import annotations

from plexstedi.plex.port import Receipt, UnreadableRow, Window
from plexstedi.plex.rest import Rest
from plexstedi.plex.rows import Row, RowFault

_FIX = "Correct the receipt in Plex: what came in is counted without it until then."


def read_receipts(rest: Rest, window: Window) -> tuple[Receipt | UnreadableRow, ...]:
    """All receipts in the window that belong to an order line, by time and id; then those that cannot be read."""
    read: list[Receipt] = []
    odd: list[UnreadableRow] = []
    for row in rest.in_window("receipts", window, by="received", field="receiveDate"):
        if row.raw("poLineItemId") is None:
            continue
        try:
            read.append(read_receipt(row))
        except RowFault as error:
            odd.append(UnreadableRow(row.what, str(error), _FIX))
    return (*sorted(read, key=lambda receipt: (receipt.received_at, receipt.id)), *odd)


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
