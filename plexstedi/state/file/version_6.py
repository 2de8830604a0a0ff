"""Version 6 of the schema: an order takes less of the file.

Events keep their digests: a hash covers the texts, which `event_codec` gives back byte by byte.
"""

from __future__ import annotations

_ID_NUMBER = """CASE WHEN {0} IS NOT NULL THEN
    (SELECT no FROM event_ids WHERE substr(id, -6) = substr(short_id({0}), -6) AND +id = short_id({0})) END"""

_EVENTS = (
    "CREATE TABLE event_ids (no INTEGER PRIMARY KEY, id ANY NOT NULL) STRICT",
    "CREATE INDEX event_ids_by_end ON event_ids (substr(id, -6))",
    "ALTER TABLE events RENAME TO old_events",
    """INSERT INTO event_ids (id) SELECT short_id(id) FROM (
        SELECT order_id AS id, seq FROM old_events WHERE order_id IS NOT NULL
        UNION ALL SELECT transaction_id, seq FROM old_events WHERE transaction_id IS NOT NULL)
        GROUP BY id ORDER BY min(seq)""",
    """CREATE TABLE events (
        seq INTEGER PRIMARY KEY, at ANY NOT NULL, order_no INTEGER REFERENCES event_ids (no),
        transaction_no INTEGER REFERENCES event_ids (no), content BLOB NOT NULL, hash BLOB NOT NULL) STRICT""",
    f"""INSERT INTO events (seq, at, order_no, transaction_no, content, hash)
        SELECT seq, microseconds(at), {_ID_NUMBER.format("order_id")}, {_ID_NUMBER.format("transaction_id")},
        pack_event(actor, kind, detail, subject, coalesce(order_id, ''), coalesce(transaction_id, '')), hash
        FROM old_events ORDER BY seq""",
    "DROP TABLE old_events",
    "CREATE INDEX events_of_order ON events (order_no) WHERE order_no IS NOT NULL",
    """CREATE INDEX events_of_transaction ON events (transaction_no)
        WHERE order_no IS NULL AND transaction_no IS NOT NULL""",
    *(
        f"""CREATE TRIGGER {table}_no_{what} BEFORE {what.upper()} ON {table}
            BEGIN SELECT RAISE(ABORT, 'events are append-only'); END"""
        for table in ("events", "event_ids")
        for what in ("update", "delete")
    ),
)
"""`event_ids`: ids that events name, once each; the end of one is enough for the index. `at` is text in no event that
this program wrote."""

_FIRST = "(SELECT content FROM revisions WHERE order_id = {0} AND revision = 1 AND length(content) <= 4096)"

_BESIDE = (
    "DROP TRIGGER documents_are_frozen",
    f"UPDATE documents SET sent = pack_beside(sent, {_FIRST.format('documents.order_id')})",
    """CREATE TRIGGER documents_are_frozen BEFORE UPDATE OF stream, order_id, kind, revision, change_sequence, counter,
        idempotency_key, file_name, route, sent ON documents
        BEGIN SELECT RAISE(ABORT, 'a frozen document never changes'); END""",
    f"UPDATE inbox SET outcome = pack_beside(outcome, {_FIRST.format('inbox.order_id')}) WHERE outcome IS NOT NULL",
    f"UPDATE lines SET outcome = pack_beside(outcome, {_FIRST.format('lines.order_id')})",
    f"UPDATE orders SET marks = pack_beside(marks, {_FIRST.format('orders.id')})",
)
"""What repeats the order is compressed beside its first revision (`first_revision`)."""

VERSION_6 = (*_EVENTS, *_BESIDE)
