"""A state file as an older version of the program left it, made from one of today."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from functools import partial
from pathlib import Path

from plexstedi.state.audit import GENESIS
from plexstedi.state.file.codec import instant, unpack
from plexstedi.state.file.dictionaries import DICTIONARIES
from plexstedi.state.file.event_codec import unpack_event
from plexstedi.state.file.schema import _DOCUMENT, _TRANSACTION
from plexstedi.state.file.short import id_of, maybe_hash_of, time_of
from plexstedi.state.file.version_8 import CONVERTED, HASHES, IDS, TIMES

_KEPT = ("order_counts", "invoice_counts", "document_counts", "inbox_counts", "line_counts")
_TIMES = ("documents_accepted_at", "inbox_received_at", "writes_done_at")
_OF = "(SELECT id FROM event_ids WHERE no = {0})"
_FIRST = "(SELECT content FROM revisions WHERE order_id = {0} AND revision = 1 AND length(content) <= 4096)"
_TEXTS = ", ".join(
    f"text_{number}(content, {_OF.format('order_no')}, {_OF.format('transaction_no')})" for number in range(4)
)
_LINES_OF_NEW = "SELECT supplier, NEW.state, 1 FROM orders WHERE id = NEW.order_id"
_AGAIN = "ON CONFLICT (supplier, state) DO UPDATE SET n = n + excluded.n"
_GONE = """UPDATE line_counts SET n = n - 1
    WHERE state = OLD.state AND supplier = (SELECT supplier FROM orders WHERE id = OLD.order_id)"""
_BACK = {
    8: (
        "DROP TRIGGER inbox_keeps_its_lines",
        "DROP TRIGGER documents_are_frozen",
        f"""UPDATE lines SET outcome = line_of(line, {_FIRST.format("lines.order_id")},
            (SELECT outcome FROM inbox WHERE inbox.transaction_id = lines.transaction_id))
            WHERE transaction_id IS NOT NULL""",
        "ALTER TABLE lines DROP COLUMN transaction_id",
        f"UPDATE writes SET plan = alone(plan, {_FIRST.format('writes.order_id')})",
        "UPDATE writes SET changes = beside_7(changes, plan) WHERE changes IS NOT NULL",
        f"UPDATE writes SET plan = beside_7(plan, {_FIRST.format('writes.order_id')})",
        f"UPDATE documents SET sent = beside_7(sent, {_FIRST.format('documents.order_id')})",
        f"UPDATE inbox SET outcome = beside_7(outcome, {_FIRST.format('inbox.order_id')}) WHERE outcome IS NOT NULL",
        f"UPDATE lines SET outcome = beside_7(outcome, {_FIRST.format('lines.order_id')})",
        f"UPDATE orders SET marks = beside_7(marks, {_FIRST.format('orders.id')})",
        "UPDATE revisions SET content = alone(content, NULL)",
        "UPDATE documents SET dropped = CASE length(dropped) WHEN 0 THEN '[]' ELSE unpacked(dropped) END",
        *(
            f"UPDATE {table} SET {name} = {function}({name}) WHERE {name} IS NOT NULL"
            for function, columns in (("time_text", TIMES), ("id_of", IDS), ("hash_of", HASHES))
            for table, names in columns.items()
            for name in names
        ),
        "PRAGMA writable_schema = ON",
        *(f"UPDATE sqlite_master SET sql = replace(sql, ' ANY', ' TEXT') WHERE name = '{name}'" for name in CONVERTED),
        "PRAGMA writable_schema = RESET",
        """CREATE TRIGGER documents_are_frozen BEFORE UPDATE OF stream, order_id, kind, revision, change_sequence,
            counter, idempotency_key, file_name, route, sent ON documents
            BEGIN SELECT RAISE(ABORT, 'a frozen document never changes'); END""",
    ),
    7: (
        "DROP TRIGGER line_counts_of_supplier",
        """CREATE TABLE old_lines (
            stream TEXT NOT NULL, order_id TEXT NOT NULL REFERENCES orders (id), line INTEGER NOT NULL,
            state TEXT NOT NULL, transaction_id TEXT, outcome BLOB NOT NULL, PRIMARY KEY (stream, line)) STRICT""",
        """INSERT INTO old_lines (stream, order_id, line, state, outcome)
            SELECT order_id || part, order_id, line, state, outcome FROM lines""",
        "DROP TABLE lines",
        "ALTER TABLE old_lines RENAME TO lines",
        "CREATE INDEX lines_of_order ON lines (order_id)",
        f"""CREATE TRIGGER line_counts_add AFTER INSERT ON lines
            BEGIN INSERT INTO line_counts (supplier, state, n) {_LINES_OF_NEW} {_AGAIN}; END""",
        f"""CREATE TRIGGER line_counts_move AFTER UPDATE OF state ON lines WHEN OLD.state <> NEW.state
            BEGIN {_GONE}; INSERT INTO line_counts (supplier, state, n) {_LINES_OF_NEW} {_AGAIN}; END""",
        f"CREATE TRIGGER line_counts_drop AFTER DELETE ON lines BEGIN {_GONE}; END",
        f"""CREATE TRIGGER line_counts_of_supplier AFTER UPDATE OF supplier ON orders
            WHEN OLD.supplier <> NEW.supplier
            BEGIN UPDATE line_counts SET n = n - (SELECT count(*) FROM lines
                WHERE lines.order_id = NEW.id AND lines.state = line_counts.state) WHERE supplier = OLD.supplier;
            INSERT INTO line_counts (supplier, state, n)
                SELECT NEW.supplier, state, count(*) FROM lines WHERE order_id = NEW.id GROUP BY state {_AGAIN};
            END""",
        "ALTER TABLE attempts RENAME TO new_attempts",
        """CREATE TABLE attempts (
            document_id INTEGER NOT NULL REFERENCES documents (id), number INTEGER NOT NULL, begun_at TEXT NOT NULL,
            ended_at TEXT, outcome TEXT, PRIMARY KEY (document_id, number)) STRICT""",
        "INSERT INTO attempts SELECT document_id, number, begun_at, ended_at, outcome FROM new_attempts",
        "DROP TABLE new_attempts",
        "ALTER TABLE documents DROP COLUMN listed_at",
        "DROP TRIGGER documents_in_ledger",
        "DROP INDEX witnesses_by_name",
        "CREATE INDEX witnesses_by_name ON witnesses (file_name)",
        """CREATE TRIGGER documents_in_ledger AFTER INSERT ON documents
            BEGIN UPDATE witnesses SET in_ledger = 1 WHERE file_name = NEW.file_name; END""",
        f"UPDATE writes SET plan = alone(plan, {_FIRST.format('writes.order_id')})",
        "DROP INDEX inbox_of_order",
        "CREATE INDEX inbox_of_order ON inbox (order_id, processed_at)",
    ),
    6: (
        "DROP TRIGGER documents_are_frozen",
        f"UPDATE documents SET sent = alone(sent, {_FIRST.format('documents.order_id')})",
        """CREATE TRIGGER documents_are_frozen BEFORE UPDATE OF stream, order_id, kind, revision, change_sequence,
            counter, idempotency_key, file_name, route, sent ON documents
            BEGIN SELECT RAISE(ABORT, 'a frozen document never changes'); END""",
        f"UPDATE inbox SET outcome = alone(outcome, {_FIRST.format('inbox.order_id')}) WHERE outcome IS NOT NULL",
        f"UPDATE lines SET outcome = alone(outcome, {_FIRST.format('lines.order_id')})",
        f"UPDATE orders SET marks = alone(marks, {_FIRST.format('orders.id')})",
        f"""CREATE TABLE old_events (
            seq INTEGER PRIMARY KEY, at TEXT NOT NULL, actor TEXT NOT NULL, kind TEXT NOT NULL,
            order_id TEXT, subject TEXT NOT NULL, detail TEXT NOT NULL, hash BLOB NOT NULL,
            document_id INTEGER GENERATED ALWAYS AS ({_DOCUMENT}) VIRTUAL,
            transaction_id TEXT GENERATED ALWAYS AS ({_TRANSACTION}) VIRTUAL) STRICT""",
        f"""INSERT INTO old_events (seq, at, order_id, actor, kind, detail, subject, hash)
            SELECT seq, time_text(at), id_of({_OF.format("order_no")}), {_TEXTS}, hash FROM events""",
        "DROP TABLE events",
        "DROP TABLE event_ids",
        "ALTER TABLE old_events RENAME TO events",
        "CREATE INDEX events_of_order ON events (substr(order_id, -8)) WHERE order_id IS NOT NULL",
        "CREATE INDEX events_of_transaction ON events (transaction_id) WHERE order_id IS NULL",
        "CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'append-only'); END",
        "CREATE TRIGGER events_no_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'append-only'); END",
    ),
    5: (
        *(f"DROP TRIGGER {name}_{what}" for name in (*_KEPT, *_TIMES) for what in ("add", "move")),
        "DROP TRIGGER line_counts_drop",
        "DROP TRIGGER line_counts_of_supplier",
        "DROP TRIGGER witnesses_of_ledger",
        "DROP TRIGGER documents_in_ledger",
        *(f"DROP TABLE {name}" for name in (*_KEPT, "latest_times", "plex_rows")),
        "DROP INDEX orders_open",
        "DROP INDEX orders_not_up_to_date",
        "DROP INDEX invoices_not_up_to_date",
        "DROP INDEX invoices_by_customer",
        "DROP INDEX documents_of_stream",
        "DROP INDEX documents_by_state",
        "DROP INDEX documents_by_partnership",
        "DROP INDEX documents_by_interchange",
        "DROP INDEX documents_to_recompute",
        "DROP INDEX documents_without_997",
        "DROP INDEX documents_not_acknowledged",
        "DROP INDEX inbox_of_document",
        "DROP INDEX inbox_ignored",
        "DROP INDEX documents_replayed",
        "DROP INDEX writes_open",
        "DROP INDEX writes_not_seen",
        "DROP INDEX reviews_by_subject",
        "DROP INDEX reviews_open",
        "DROP INDEX witnesses_without_document",
        "ALTER TABLE witnesses DROP COLUMN in_ledger",
        *(f"DROP INDEX {table}_by_search_key" for table in ("orders", "invoices", "documents")),
        *(f"ALTER TABLE {table} DROP COLUMN search_key" for table in ("orders", "invoices", "documents")),
        f"""CREATE TABLE old_events (
            seq INTEGER PRIMARY KEY, at TEXT NOT NULL, actor TEXT NOT NULL, kind TEXT NOT NULL,
            order_id TEXT, subject TEXT NOT NULL, detail TEXT NOT NULL,
            previous TEXT NOT NULL, hash TEXT NOT NULL UNIQUE,
            document_id INTEGER GENERATED ALWAYS AS ({_DOCUMENT}) VIRTUAL,
            transaction_id TEXT GENERATED ALWAYS AS ({_TRANSACTION}) VIRTUAL) STRICT""",
        f"""INSERT INTO old_events (seq, at, actor, kind, order_id, subject, detail, previous, hash)
            SELECT seq, at, actor, kind, order_id, subject, detail,
            coalesce((SELECT hex_of(hash) FROM events AS earlier WHERE earlier.seq = events.seq - 1), '{GENESIS}'),
            hex_of(hash) FROM events""",
        "DROP TABLE events",
        "ALTER TABLE old_events RENAME TO events",
        "CREATE INDEX events_of_order ON events (order_id, seq)",
        "CREATE INDEX events_of_no_order ON events (subject) WHERE order_id IS NULL",
        "CREATE INDEX events_of_transaction ON events (transaction_id) WHERE order_id IS NULL",
        "CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'append-only'); END",
        "CREATE TRIGGER events_no_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'append-only'); END",
        "ALTER TABLE orders RENAME COLUMN marks TO packed_marks",
        "ALTER TABLE orders ADD COLUMN marks TEXT NOT NULL DEFAULT ''",
        "UPDATE orders SET marks = unpacked(packed_marks)",
        "ALTER TABLE orders DROP COLUMN packed_marks",
        "ALTER TABLE writes RENAME COLUMN plan TO packed_plan",
        "ALTER TABLE writes RENAME COLUMN changes TO packed_changes",
        "ALTER TABLE writes ADD COLUMN plan TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE writes ADD COLUMN plan_hash TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE writes ADD COLUMN changes TEXT NOT NULL DEFAULT '[]'",
        """UPDATE writes SET plan = unpacked(packed_plan), plan_hash = sha256(unpacked(packed_plan)),
            changes = coalesce(unpacked_beside(packed_changes, packed_plan), '[]')""",
        "ALTER TABLE writes DROP COLUMN packed_plan",
        "ALTER TABLE writes DROP COLUMN packed_changes",
        "DROP INDEX lines_of_order",
        "CREATE INDEX lines_of_order ON lines (order_id, stream, line)",
        "CREATE INDEX orders_by_number ON orders (number)",
        "CREATE INDEX invoices_by_number ON invoices (number)",
        "CREATE INDEX documents_by_state ON documents (state, functional_ack, business_ack)",
    ),
    4: (
        "DROP INDEX events_of_transaction",
        "DROP INDEX reviews_of_document",
        "DROP INDEX reviews_of_transaction",
        "ALTER TABLE events DROP COLUMN document_id",
        "ALTER TABLE events DROP COLUMN transaction_id",
        "ALTER TABLE reviews DROP COLUMN document_id",
        "ALTER TABLE reviews DROP COLUMN transaction_id",
    ),
    3: (
        "DROP TABLE unforeseen",
        "DROP TABLE standing_faults",
        "DELETE FROM legal_moves WHERE of_table = 'inbox' AND before = 'ignored' AND after = 'listed'",
        "ALTER TABLE writes DROP COLUMN unseen_since",
        "ALTER TABLE writes DROP COLUMN unseen_reads",
    ),
    2: ("DELETE FROM legal_moves WHERE of_table = 'documents' AND before = 'refused'",),
}
"""What takes version n back to version n - 1."""


def _beside(packed: bytes | None, plan: bytes) -> str | None:
    return None if packed is None else unpack(packed, unpack(plan)).decode()


def _pack_7(payload: bytes, beside: bytes = b"") -> bytes:
    """A content as version 7 and earlier ones compressed it."""
    packer = zlib.compressobj(level=9, memLevel=9, zdict=DICTIONARIES[0] + beside)
    return packer.compress(payload) + packer.flush()


def _unpacked(content: bytes | None) -> bytes:
    return unpack(content) if content else b""


def _line_of(number: int, first: bytes | None, outcome: bytes) -> bytes:
    lines = json.loads(unpack(outcome, _unpacked(first)))["lines"]
    (line,) = (line for line in lines if line["line"] == number)
    return _pack_7(json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode(), _unpacked(first))


def _text(number: int, content: bytes, order_id: bytes | str | None, transaction: bytes | str | None) -> str:
    return unpack_event(content, *("" if one is None else id_of(one) for one in (order_id, transaction)))[number]


def make_older(path: Path, version: int = 1) -> None:
    """Turn the file into one of this version."""
    connection = sqlite3.connect(path)
    connection.create_function("unpacked", 1, lambda packed: unpack(packed).decode())
    connection.create_function("unpacked_beside", 2, _beside)
    connection.create_function("hex_of", 1, bytes.hex)
    connection.create_function("alone", 2, lambda packed, first: _pack_7(unpack(packed, _unpacked(first))))
    connection.create_function(
        "beside_7", 2, lambda packed, first: _pack_7(unpack(packed, _unpacked(first)), _unpacked(first))
    )
    connection.create_function("line_of", 3, _line_of)
    connection.create_function("hash_of", 1, maybe_hash_of)
    connection.create_function("id_of", 1, lambda one: None if one is None else id_of(one))
    connection.create_function("time_text", 1, lambda at: at if isinstance(at, str) else instant(time_of(at)))
    for number in range(4):
        connection.create_function(f"text_{number}", 3, partial(_text, number))
    connection.create_function("sha256", 1, lambda text: hashlib.sha256(text.encode()).hexdigest())
    for newer in sorted(_BACK, reverse=True):
        if newer > version:
            for statement in _BACK[newer]:
                connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.commit()
    connection.close()
