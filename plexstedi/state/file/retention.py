"""Deletion of old contents (`state.keep_days`): never of the audit trail or of values that a decision needs.

A document keeps its key, name, outcome, events, when Stedi listed it, and the values sent (`sent`), with which changes
and acknowledgments are compared. So no document that was sent can count as new.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from plexstedi.state.file.database import Database
from plexstedi.state.file.short import short_time


class DroppedContents(Struct, frozen=True):
    """Number of contents that were deleted."""

    documents: int
    received: int


def drop_contents(
    database: Database,
    before: datetime,
    note: Callable[[DroppedContents], None] = lambda dropped: None,
    go_on: Callable[[], bool] = lambda: True,
) -> bool:
    """Delete request and X12 of final documents, and processed received documents, older than `before`.

    Of the last document of a stream only if it was delivered: a refused one may be sent again. With them go the
    attempts to send it, which are in the audit trail, and Stedi's executions of it. Subjects of open review items, and
    documents of their orders, are kept. At most `MOST_ROWS` rows are read per
    transaction; `note` is called in each that deleted something. Return False if `go_on`, called before each
    transaction, stopped it: what is left is deleted by the next call.
    """
    for table, statements in (("documents", _DOCUMENTS), ("inbox", (_RECEIVED,))):
        last = database.number(f"SELECT max(rowid) FROM {table}")
        for first in range(0, last + 1, MOST_ROWS):
            if not go_on():
                return False
            with database.transaction():
                values = {"first": first, "end": first + MOST_ROWS, "before": short_time(before)}
                gone = database.execute(statements[0], values)
                for statement in statements[1:]:
                    database.execute(statement, values)
                if gone:
                    note(DroppedContents(gone, 0) if table == "documents" else DroppedContents(0, gone))
    return True


MOST_ROWS = 500
_FINAL = """documents.id >= :first AND documents.id < :end AND frozen_at < :before AND blocks = 0 AND retry = 0
    AND (documents.state = 'delivered' OR (documents.state IN ('refused', 'withdrawn') AND EXISTS (
        SELECT 1 FROM documents AS later WHERE later.stream = documents.stream AND later.id > documents.id)))
    AND NOT EXISTS (SELECT 1 FROM reviews WHERE reviews.state = 'open' AND reviews.document_id = documents.id)
    AND NOT EXISTS (SELECT 1 FROM reviews WHERE reviews.order_id = id_of(documents.order_id)
        AND +reviews.state = 'open')"""
"""`+`: an order has few review items, and all orders together may have many open ones."""
_FILES = """witnesses
    WHERE substr(witnesses.file_name, -12) = substr(documents.file_name, -12)
    AND +witnesses.file_name = documents.file_name"""
_DOCUMENTS = (
    f"UPDATE documents SET body = x'', x12 = x'' WHERE {_FINAL} AND length(body) + length(x12) > 0",
    f"""DELETE FROM attempts WHERE document_id >= :first AND document_id < :end
        AND document_id IN (SELECT id FROM documents WHERE {_FINAL})""",
    f"""UPDATE documents SET listed_at = coalesce(
            min(listed_at, (SELECT min(created_at) FROM {_FILES})), (SELECT min(created_at) FROM {_FILES}))
        WHERE {_FINAL} AND EXISTS (SELECT 1 FROM {_FILES})""",
    f"""DELETE FROM witnesses WHERE execution_id IN (
        SELECT execution_id FROM documents CROSS JOIN {_FILES} AND {_FINAL})""",
)
_RECEIVED = """UPDATE inbox SET document = NULL
    WHERE rowid >= :first AND rowid < :end AND received_at < :before AND document IS NOT NULL
    AND state IN ('applied', 'duplicate', 'ignored', 'superseded')
    AND NOT EXISTS (SELECT 1 FROM reviews WHERE reviews.state = 'open'
        AND reviews.transaction_id = id_of(inbox.transaction_id))"""
