"""Version 5 of the schema: the cost of a run and of `status` does not grow with the number of closed records.

Each query has an index; partial indexes contain only open records. Counts and times shown by `status` are maintained by
triggers, since counting would read the whole table each time.
"""

from __future__ import annotations

from collections.abc import Sequence


def _kept_count(table: str, counts: str, columns: Sequence[str]) -> list[str]:
    """Maintain in `counts` the number of rows of a table by these columns. Rows of these tables are never deleted."""
    listed = ", ".join(columns)
    added = f"INSERT INTO {counts} ({listed}, n) VALUES ({', '.join(f'NEW.{name}' for name in columns)}, 1)"
    again = f"ON CONFLICT ({listed}) DO UPDATE SET n = n + 1"
    changed = " OR ".join(f"OLD.{name} <> NEW.{name}" for name in columns)
    old = " AND ".join(f"{name} = OLD.{name}" for name in columns)
    return [
        f"INSERT INTO {counts} ({listed}, n) SELECT {listed}, count(*) FROM {table} GROUP BY {listed}",
        f"CREATE TRIGGER {counts}_add AFTER INSERT ON {table} BEGIN {added} {again}; END",
        f"""CREATE TRIGGER {counts}_move AFTER UPDATE OF {listed} ON {table} WHEN {changed}
            BEGIN UPDATE {counts} SET n = n - 1 WHERE {old}; {added} {again}; END""",
    ]


def _kept_time(table: str, column: str) -> list[str]:
    """Maintain the latest time of a column in `latest_times`, under the column's name."""
    kept = f"INSERT INTO latest_times (what, at) VALUES ('{column}', NEW.{column})"
    later = "ON CONFLICT (what) DO UPDATE SET at = excluded.at WHERE excluded.at > at"
    begin = f"ON {table} WHEN NEW.{column} IS NOT NULL BEGIN {kept} {later}; END"
    return [
        f"""INSERT INTO latest_times (what, at)
            SELECT '{column}', max({column}) FROM {table} WHERE {column} IS NOT NULL HAVING count(*) > 0""",
        f"CREATE TRIGGER {table}_{column}_add AFTER INSERT {begin}",
        f"CREATE TRIGGER {table}_{column}_move AFTER UPDATE OF {column} {begin}",
    ]


_COUNT_TABLES = (
    """CREATE TABLE order_counts (
        supplier TEXT NOT NULL, phase TEXT NOT NULL, untraded INTEGER NOT NULL, n INTEGER NOT NULL,
        PRIMARY KEY (supplier, phase, untraded)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE invoice_counts (
        customer TEXT NOT NULL, untraded INTEGER NOT NULL, n INTEGER NOT NULL,
        PRIMARY KEY (customer, untraded)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE document_counts (
        supplier TEXT NOT NULL, partnership TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
        delivery TEXT NOT NULL, functional_ack TEXT NOT NULL, business_ack TEXT NOT NULL, n INTEGER NOT NULL,
        PRIMARY KEY (supplier, partnership, kind, state, delivery, functional_ack, business_ack))
        STRICT, WITHOUT ROWID""",
    """CREATE TABLE inbox_counts (
        set_id TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (set_id)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE line_counts (
        supplier TEXT NOT NULL, state TEXT NOT NULL, n INTEGER NOT NULL,
        PRIMARY KEY (supplier, state)) STRICT, WITHOUT ROWID""",
    "CREATE TABLE latest_times (what TEXT PRIMARY KEY, at TEXT NOT NULL) STRICT",
)

_LINES_OF_NEW = "SELECT supplier, NEW.state, 1 FROM orders WHERE id = NEW.order_id"
_LINE_AGAIN = "ON CONFLICT (supplier, state) DO UPDATE SET n = n + excluded.n"
_LINE_GONE = """UPDATE line_counts SET n = n - 1
    WHERE state = OLD.state AND supplier = (SELECT supplier FROM orders WHERE id = OLD.order_id)"""

_LINE_COUNTS = (
    """INSERT INTO line_counts (supplier, state, n) SELECT orders.supplier, lines.state, count(*)
        FROM lines JOIN orders ON orders.id = lines.order_id GROUP BY orders.supplier, lines.state""",
    f"""CREATE TRIGGER line_counts_add AFTER INSERT ON lines
        BEGIN INSERT INTO line_counts (supplier, state, n) {_LINES_OF_NEW} {_LINE_AGAIN}; END""",
    f"""CREATE TRIGGER line_counts_move AFTER UPDATE OF state ON lines WHEN OLD.state <> NEW.state
        BEGIN {_LINE_GONE}; INSERT INTO line_counts (supplier, state, n) {_LINES_OF_NEW} {_LINE_AGAIN}; END""",
    f"CREATE TRIGGER line_counts_drop AFTER DELETE ON lines BEGIN {_LINE_GONE}; END",
    f"""CREATE TRIGGER line_counts_of_supplier AFTER UPDATE OF supplier ON orders WHEN OLD.supplier <> NEW.supplier
        BEGIN UPDATE line_counts
            SET n = n - (SELECT count(*) FROM lines WHERE lines.order_id = NEW.id AND lines.state = line_counts.state)
            WHERE supplier = OLD.supplier;
        INSERT INTO line_counts (supplier, state, n)
            SELECT NEW.supplier, state, count(*) FROM lines WHERE order_id = NEW.id GROUP BY state {_LINE_AGAIN};
        END""",
)
"""A line is counted for the current supplier of its order."""

_NUMBERS = (
    "ALTER TABLE orders ADD COLUMN search_key TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE invoices ADD COLUMN search_key TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE documents ADD COLUMN search_key TEXT NOT NULL DEFAULT ''",
    "UPDATE orders SET search_key = search_key(number)",
    "UPDATE invoices SET search_key = search_key(number)",
    "UPDATE documents SET search_key = search_key(order_number)",
    "DROP INDEX orders_by_number",
    "DROP INDEX invoices_by_number",
    "CREATE INDEX orders_by_search_key ON orders (search_key)",
    "CREATE INDEX invoices_by_search_key ON invoices (search_key)",
    "CREATE INDEX documents_by_search_key ON documents (search_key)",
)
"""`search_key`: `edi.order_number.search_key` of the number; equal for numbers that may be taken for the same."""

_FILES = (
    "ALTER TABLE witnesses ADD COLUMN in_ledger INTEGER NOT NULL DEFAULT 0 CHECK (in_ledger IN (0, 1))",
    "UPDATE witnesses SET in_ledger = 1 WHERE file_name IN (SELECT file_name FROM documents)",
    """CREATE TRIGGER witnesses_of_ledger AFTER INSERT ON witnesses
        WHEN EXISTS (SELECT 1 FROM documents WHERE file_name = NEW.file_name)
        BEGIN UPDATE witnesses SET in_ledger = 1 WHERE execution_id = NEW.execution_id; END""",
    """CREATE TRIGGER documents_in_ledger AFTER INSERT ON documents
        BEGIN UPDATE witnesses SET in_ledger = 1 WHERE file_name = NEW.file_name; END""",
    """CREATE INDEX witnesses_without_document ON witnesses (settled, created_at)
        WHERE direction = 'OUTBOUND' AND in_ledger = 0""",
)
"""`in_ledger`: whether a document has this file name. Names never change; rows of both tables are never deleted."""

_INDEXES = (
    "CREATE INDEX orders_open ON orders (id, number) WHERE phase IN ('released', 'unreleased')",
    """CREATE INDEX orders_not_up_to_date ON orders (first_seen, number, id)
        WHERE untraded = 0 AND settled < latest""",
    """CREATE INDEX invoices_not_up_to_date ON invoices (first_seen, number, id)
        WHERE untraded = 0 AND settled < latest""",
    "CREATE INDEX invoices_by_customer ON invoices (customer, untraded)",
    "CREATE INDEX documents_of_stream ON documents (stream)",
    "DROP INDEX documents_by_state",
    "CREATE INDEX documents_by_state ON documents (state)",
    "CREATE INDEX documents_by_partnership ON documents (partnership, kind = '810')",
    "CREATE INDEX documents_by_interchange ON documents (partnership, interchange_control)",
    "CREATE INDEX documents_to_recompute ON documents (order_id) WHERE folded = 0",
    """CREATE INDEX documents_without_997 ON documents (supplier) WHERE state = 'delivered' AND functional_ack = 'none'
        AND (kind = '810' OR (kind = '860' AND purpose = '01'))""",
    """CREATE INDEX documents_not_acknowledged ON documents (business_ack, supplier)
        WHERE business_ack IN ('none', 'partial') AND kind <> '810' AND state NOT IN ('refused', 'withdrawn')""",
    "CREATE INDEX documents_replayed ON documents (replay_of) WHERE replay_of IS NOT NULL",
    "DROP INDEX lines_of_order",
    "CREATE INDEX lines_of_order ON lines (order_id)",
    "CREATE INDEX inbox_of_document ON inbox (document_id)",
    "CREATE INDEX inbox_ignored ON inbox (reason, partnership, processed_at) WHERE state = 'ignored'",
    "CREATE INDEX writes_open ON writes (state) WHERE state IN ('planned', 'writing')",
    "CREATE INDEX writes_not_seen ON writes (state) WHERE state = 'failed' AND unseen_since IS NOT NULL",
    "CREATE INDEX reviews_by_subject ON reviews (kind, subject)",
    "CREATE INDEX reviews_open ON reviews (state, supplier) WHERE state = 'open'",
)

_MARKS = (
    "ALTER TABLE orders ADD COLUMN packed_marks BLOB NOT NULL DEFAULT x''",
    "UPDATE orders SET packed_marks = pack(marks)",
    "ALTER TABLE orders DROP COLUMN marks",
    "ALTER TABLE orders RENAME COLUMN packed_marks TO marks",
)

_WRITES = (
    "ALTER TABLE writes ADD COLUMN packed_plan BLOB NOT NULL DEFAULT x''",
    "ALTER TABLE writes ADD COLUMN packed_changes BLOB",
    "UPDATE writes SET packed_plan = pack(plan), packed_changes = CASE WHEN changes <> '[]' THEN pack(changes) END",
    "ALTER TABLE writes DROP COLUMN plan",
    "ALTER TABLE writes DROP COLUMN plan_hash",
    "ALTER TABLE writes DROP COLUMN changes",
    "ALTER TABLE writes RENAME COLUMN packed_plan TO plan",
    "ALTER TABLE writes RENAME COLUMN packed_changes TO changes",
)
"""Plans and changes compressed; NULL: no change. Whether a plan is another is seen from the plan itself."""


def _events(document_id: str, transaction_id: str) -> tuple[str, ...]:
    """The audit trail without what follows from it: `previous` is the hash of the event before.

    The digests stay the same. A hash is stored as its 32 bytes. The end of an order's id is enough for the index.
    """
    columns = "seq, at, actor, kind, order_id, subject, detail"
    return (
        "ALTER TABLE events RENAME TO old_events",
        f"""CREATE TABLE events (
            seq INTEGER PRIMARY KEY, at TEXT NOT NULL, actor TEXT NOT NULL, kind TEXT NOT NULL,
            order_id TEXT, subject TEXT NOT NULL, detail TEXT NOT NULL, hash BLOB NOT NULL,
            document_id INTEGER GENERATED ALWAYS AS ({document_id}) VIRTUAL,
            transaction_id TEXT GENERATED ALWAYS AS ({transaction_id}) VIRTUAL) STRICT""",
        f"INSERT INTO events ({columns}, hash) SELECT {columns}, hash_bytes(hash) FROM old_events ORDER BY seq",
        "DROP TABLE old_events",
        "CREATE INDEX events_of_order ON events (substr(order_id, -8)) WHERE order_id IS NOT NULL",
        "CREATE INDEX events_of_transaction ON events (transaction_id) WHERE order_id IS NULL",
        """CREATE TRIGGER events_no_update BEFORE UPDATE ON events
            BEGIN SELECT RAISE(ABORT, 'events are append-only'); END""",
        """CREATE TRIGGER events_no_delete BEFORE DELETE ON events
            BEGIN SELECT RAISE(ABORT, 'events are append-only'); END""",
    )


def version_5(*, document_id: str, transaction_id: str) -> tuple[str, ...]:
    """The statements; the parameters are the expressions of two columns of `events`."""
    return (*_events(document_id, transaction_id), *_STATEMENTS)


_STATEMENTS = (
    """CREATE TABLE plex_rows (
        kind TEXT NOT NULL, key TEXT NOT NULL, content TEXT NOT NULL, read_at TEXT NOT NULL, PRIMARY KEY (kind, key)
    ) STRICT, WITHOUT ROWID""",
    *_COUNT_TABLES,
    *_kept_count("orders", "order_counts", ("supplier", "phase", "untraded")),
    *_kept_count("invoices", "invoice_counts", ("customer", "untraded")),
    *_kept_count(
        "documents",
        "document_counts",
        ("supplier", "partnership", "kind", "state", "delivery", "functional_ack", "business_ack"),
    ),
    *_kept_count("inbox", "inbox_counts", ("set_id",)),
    *_LINE_COUNTS,
    *_kept_time("documents", "accepted_at"),
    *_kept_time("inbox", "received_at"),
    *_kept_time("writes", "done_at"),
    *_NUMBERS,
    *_FILES,
    *_MARKS,
    *_WRITES,
    *_INDEXES,
)
