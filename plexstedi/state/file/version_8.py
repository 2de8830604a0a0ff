"""Version 8 of the schema: ids, hashes and times are bytes and numbers, and a line's outcome is stored once.

Tables stay in their place: only the declared type of a column becomes ANY, in which every value that it has is legal.
"""

from __future__ import annotations

import json
import zlib

from plexstedi.state.file.codec import pack, unpack

TIMES = {
    "orders": ("read_at", "first_seen"),
    "invoices": ("read_at", "first_seen"),
    "revisions": ("seen_at", "modified_at"),
    "invoice_revisions": ("seen_at", "modified_at"),
    "documents": ("frozen_at", "first_attempt_at", "accepted_at", "delivered_at", "next_attempt_at", "listed_at"),
    "attempts": ("begun_at", "ended_at"),
    "witnesses": ("created_at",),
    "inbox": ("processed_at", "received_at"),
    "writes": ("planned_at", "done_at", "unseen_since"),
    "latest_times": ("at",),
}
IDS = {
    "orders": ("id",),
    "invoices": ("id",),
    "revisions": ("order_id",),
    "invoice_revisions": ("invoice_id",),
    "documents": ("stream", "order_id", "file_execution_id"),
    "inbox": ("transaction_id", "execution_id", "order_id"),
    "lines": ("order_id",),
    "writes": ("order_id", "transaction_id"),
}
HASHES = {"revisions": ("fingerprint",), "invoice_revisions": ("fingerprint",), "inbox": ("content_hash",)}
TABLES = dict.fromkeys((*TIMES, *IDS, *HASHES))
CONVERTED = {
    table: {
        **{name: f"microseconds({name})" for name in TIMES.get(table, ())},
        **{name: f"short_id({name})" for name in IDS.get(table, ())},
        **{name: f"short_hash({name})" for name in HASHES.get(table, ())},
    }
    for table in TABLES
}
CONVERTED["documents"]["dropped"] = "CASE WHEN dropped = '[]' THEN x'' ELSE pack(dropped) END"


def _typed(table: str) -> str:
    """The statement that makes the type of a table's converted columns ANY."""
    text = "sql"
    for name in CONVERTED[table]:
        text = f"replace({text}, ' {name} TEXT', ' {name} ANY')"
    # The first column follows the bracket.
    first = next(iter(IDS.get(table, ("",))))
    text = f"replace({text}, '({first} TEXT', '({first} ANY')"
    return f"UPDATE sqlite_master SET sql = {text} WHERE type = 'table' AND name = '{table}'"


def _first(order_id: str) -> str:
    return f"(SELECT content FROM revisions WHERE order_id = {order_id} AND revision = 1 AND length(content) <= 4096)"


VERSION_8 = (
    "PRAGMA defer_foreign_keys = ON",
    "DROP TRIGGER documents_are_frozen",
    "PRAGMA writable_schema = ON",
    *map(_typed, TABLES),
    "PRAGMA writable_schema = RESET",
    *(
        f"UPDATE {table} SET {', '.join(f'{name} = {value}' for name, value in columns.items())}"
        for table, columns in CONVERTED.items()
    ),
    # Of the others it would make little less.
    "UPDATE revisions SET content = packed_again(content, NULL)",
    "UPDATE invoice_revisions SET content = packed_again(content, NULL)",
    """CREATE TRIGGER documents_are_frozen BEFORE UPDATE OF stream, order_id, kind, revision, change_sequence,
        counter, idempotency_key, file_name, route, sent ON documents
        BEGIN SELECT RAISE(ABORT, 'a frozen document never changes'); END""",
    f"UPDATE writes SET plan = packed_again(plan, {_first('writes.order_id')})",
    "ALTER TABLE lines ADD COLUMN transaction_id ANY",
    f"""UPDATE lines SET transaction_id = (
        SELECT inbox.transaction_id FROM inbox WHERE inbox.order_id = lines.order_id AND length(inbox.outcome) <= 4096
        AND has_line(inbox.outcome, lines.outcome, {_first("lines.order_id")}) ORDER BY processed_at DESC LIMIT 1)""",
    "UPDATE lines SET outcome = x'' WHERE transaction_id IS NOT NULL",
    """CREATE TRIGGER inbox_keeps_its_lines BEFORE UPDATE OF outcome, order_id ON inbox
        WHEN EXISTS (SELECT 1 FROM lines WHERE order_id = OLD.order_id AND transaction_id = OLD.transaction_id)
        BEGIN SELECT RAISE(ABORT, 'a line has its outcome in this transaction'); END""",
)
"""`transaction_id` of a line: the transaction whose outcome has this very line; its own is then empty."""


def packed_again(packed: bytes, beside: bytes | None) -> bytes:
    """A content compressed again, if that makes it shorter. What is damaged stays as it is."""
    try:
        first = b"" if beside is None else unpack(beside)
        again = pack(unpack(packed, first), first)
    except zlib.error:
        return packed
    return min(packed, again, key=len)


def has_line(outcome: bytes, line: bytes, beside: bytes | None) -> bool:
    """Whether the outcome of a transaction has this very line. What is damaged has none."""
    try:
        first = b"" if beside is None else unpack(beside)
        wanted = json.loads(unpack(line, first))
        lines = [one for one in json.loads(unpack(outcome, first))["lines"] if one["line"] == wanted["line"]]
    except (zlib.error, ValueError, KeyError, TypeError):
        return False
    return lines[:1] == [wanted]
