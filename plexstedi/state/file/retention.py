"""Deletion of old contents (`state.keep_days`): never of the audit trail or of values that a decision needs.

A document keeps its key, name, outcome, events, and the values sent (`sent`), with which changes and acknowledgments
are compared. So no document that was sent can count as new.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from plexstedi.state.file.codec import instant
from plexstedi.state.file.database import Database


@dataclass(frozen=True, slots=True)
class DroppedContents:
    """Number of contents that were deleted."""

    documents: int
    received: int


def drop_contents(database: Database, before: datetime) -> DroppedContents:
    """Delete request and X12 of final documents, and processed received documents, older than `before`.

    Subjects of open review items and the last document of each stream are kept.
    """
    with database.transaction():
        documents = database.execute(
            "UPDATE documents SET body = x'', x12 = x'' WHERE frozen_at < ? AND length(body) > 0"
            " AND state IN ('delivered', 'refused', 'withdrawn') AND blocks = 0 AND retry = 0"
            " AND id NOT IN (SELECT max(id) FROM documents GROUP BY stream)"
            " AND NOT EXISTS (SELECT 1 FROM reviews WHERE reviews.state = 'open'"
            " AND reviews.document_id = documents.id)",
            (instant(before),),
        )
        received = database.execute(
            "UPDATE inbox SET document = NULL WHERE received_at < ? AND document IS NOT NULL"
            " AND state IN ('applied', 'duplicate', 'ignored', 'superseded')"
            " AND NOT EXISTS (SELECT 1 FROM reviews WHERE reviews.state = 'open'"
            " AND reviews.transaction_id = inbox.transaction_id)",
            (instant(before),),
        )
    return DroppedContents(documents, received)
