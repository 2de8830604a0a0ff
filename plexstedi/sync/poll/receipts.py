"""Goods receipts listed by Plex: received quantities are not promised again."""

from __future__ import annotations

from datetime import datetime, timedelta

from plexstedi.errors import ServiceRefused
from plexstedi.plex.port import (
    Receipt,
    Window,
)
from plexstedi.state.cursors import Fact
from plexstedi.sync.isolation import Record, isolated
from plexstedi.sync.poll.odd_rows import close_odd_row_reviews
from plexstedi.sync.session import Session

RECEIPTS_LOOK_BACK = timedelta(days=90)


RECEIPTS_OVERLAP = timedelta(days=3)


def read_receipts_of_plex(session: Session, now: datetime) -> None:
    """Read receipts since the cursor. They have no modified filter: windows overlap by days (plex/README.md 5.1)."""
    cursors = session.store.cursors
    cursor = cursors.time(Fact.RECEIPTS_CURSOR)
    begin = now - RECEIPTS_LOOK_BACK if cursor is None else cursor - RECEIPTS_OVERLAP
    # Without documents nothing can be confirmed, so receipts are not needed yet.
    if session.receipts_read or begin >= now or not session.store.documents.any():
        return
    session.receipts_read = True
    try:
        receipts = session.services.plex.receipts(Window(begin, now))
    except ServiceRefused as fault:
        # This tenant may not offer receipts at all: continue without received quantities.
        if fault.code != "wrong-path":
            raise
        session.run.warn(
            f"receipts cannot be read, so the received quantities are unknown: {fault.message}. {fault.fix}"
        )
        return
    with session.store.transaction():
        for receipt in receipts:
            with isolated(session, _receipt_record(session, receipt)):
                session.store.receipts.record(
                    receipt.id, receipt.order_id, receipt.line_id, receipt.quantity, receipt.received_at
                )
        close_odd_row_reviews(session, {receipt.id for receipt in receipts})
        cursors.put_time(Fact.RECEIPTS_CURSOR, now)


def _receipt_record(session: Session, receipt: Receipt) -> Record:
    mark = f"{receipt.quantity} {receipt.received_at.isoformat()}"
    return Record("store", f"receipt {receipt.id}", f"receipt {receipt.id}", mark, order_id=receipt.order_id)
