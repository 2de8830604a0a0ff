"""Contents that are old enough to be dropped (`state.keep_days`): never the trail, never what a decision needs.

What stays of a document: its key, its name, what it told the supplier (`sent`: the next difference and every answer are
held against it), its outcome and its events. So nothing that was sent can be taken for new.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from plexstedi.state.file.codec import instant
from plexstedi.state.file.database import Database


@dataclass(frozen=True, slots=True)
class DroppedContents:
    """How many contents were dropped."""

    documents: int
    answers: int


def drop_contents(database: Database, before: datetime) -> DroppedContents:
    """Empty the request and X12 of settled documents, and received documents that are decided, older than `before`.

    What an open question is about is kept, and the last document of each stream.
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
        answers = database.execute(
            "UPDATE inbox SET document = NULL WHERE received_at < ? AND document IS NOT NULL"
            " AND state IN ('applied', 'duplicate', 'ignored', 'superseded')"
            " AND NOT EXISTS (SELECT 1 FROM reviews WHERE reviews.state = 'open'"
            " AND reviews.transaction_id = inbox.transaction_id)",
            (instant(before),),
        )
    return DroppedContents(documents, answers)
