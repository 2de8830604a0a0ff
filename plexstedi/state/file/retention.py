"""Deletion of old contents (`state.keep_days`): never of the audit trail or of values that a decision needs.

A document keeps its key, name, outcome, events, and the values sent (`sent`), with which changes and acknowledgments
are compared. So no document that was sent can count as new.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from plexstedi.state.file.codec import instant
from plexstedi.state.file.database import Database


@dataclass(frozen=True, slots=True)
class DroppedContents:
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

    Subjects of open review items are kept; of the last document of each stream the X12, and the request unless it was
    delivered: a refused one may be sent again. At most `MOST_ROWS` rows are read per
    transaction; `note` is called in each that deleted something. Return False if `go_on`, called before each
    transaction, stopped it: what is left is deleted by the next call.
    """
    for table, statement in (("documents", _DOCUMENTS), ("inbox", _RECEIVED)):
        last = database.number(f"SELECT max(rowid) FROM {table}")
        for first in range(0, last + 1, MOST_ROWS):
            if not go_on():
                return False
            with database.transaction():
                gone = database.execute(statement, (first, first + MOST_ROWS, instant(before)))
                if gone:
                    note(DroppedContents(gone, 0) if table == "documents" else DroppedContents(0, gone))
    return True


MOST_ROWS = 500
_LATER = "EXISTS (SELECT 1 FROM documents AS later WHERE later.stream = documents.stream AND later.id > documents.id)"
_DOCUMENTS = f"""UPDATE documents SET body = x'', x12 = CASE WHEN {_LATER} THEN x'' ELSE x12 END
    WHERE id >= ? AND id < ? AND frozen_at < ?
    AND ((length(body) > 0 AND state = 'delivered') OR (length(body) + length(x12) > 0 AND {_LATER}))
    AND state IN ('delivered', 'refused', 'withdrawn') AND blocks = 0 AND retry = 0
    AND NOT EXISTS (SELECT 1 FROM reviews WHERE reviews.state = 'open' AND reviews.document_id = documents.id)"""
_RECEIVED = """UPDATE inbox SET document = NULL
    WHERE rowid >= ? AND rowid < ? AND received_at < ? AND document IS NOT NULL
    AND state IN ('applied', 'duplicate', 'ignored', 'superseded')
    AND NOT EXISTS (SELECT 1 FROM reviews WHERE reviews.state = 'open'
        AND reviews.transaction_id = inbox.transaction_id)"""
