"""Version 7 of the schema: fewer and shorter indexes; a finished order takes less of the file.

What finds few rows by a part of their text has an index of that part only.
"""

from __future__ import annotations

_LINES_OF_NEW = "SELECT supplier, NEW.state, 1 FROM orders WHERE id = NEW.order_id"
_AGAIN = "ON CONFLICT (supplier, state) DO UPDATE SET n = n + excluded.n"
_GONE = """UPDATE line_counts SET n = n - 1
    WHERE state = OLD.state AND supplier = (SELECT supplier FROM orders WHERE id = OLD.order_id)"""

_LINES = (
    # It reads the table that is replaced.
    "DROP TRIGGER line_counts_of_supplier",
    "ALTER TABLE lines RENAME TO old_lines",
    """CREATE TABLE lines (
        order_id TEXT NOT NULL REFERENCES orders (id), part TEXT NOT NULL, line INTEGER NOT NULL,
        state TEXT NOT NULL, outcome BLOB NOT NULL, PRIMARY KEY (order_id, part, line)) STRICT, WITHOUT ROWID""",
    """INSERT INTO lines (order_id, part, line, state, outcome)
        SELECT order_id, substr(stream, length(order_id) + 1), line, state, outcome FROM old_lines""",
    "DROP TABLE old_lines",
    f"""CREATE TRIGGER line_counts_add AFTER INSERT ON lines
        BEGIN INSERT INTO line_counts (supplier, state, n) {_LINES_OF_NEW} {_AGAIN}; END""",
    f"""CREATE TRIGGER line_counts_move AFTER UPDATE OF state ON lines WHEN OLD.state <> NEW.state
        BEGIN {_GONE}; INSERT INTO line_counts (supplier, state, n) {_LINES_OF_NEW} {_AGAIN}; END""",
    f"CREATE TRIGGER line_counts_drop AFTER DELETE ON lines BEGIN {_GONE}; END",
    f"""CREATE TRIGGER line_counts_of_supplier AFTER UPDATE OF supplier ON orders WHEN OLD.supplier <> NEW.supplier
        BEGIN UPDATE line_counts
            SET n = n - (SELECT count(*) FROM lines WHERE lines.order_id = NEW.id AND lines.state = line_counts.state)
            WHERE supplier = OLD.supplier;
        INSERT INTO line_counts (supplier, state, n)
            SELECT NEW.supplier, state, count(*) FROM lines WHERE order_id = NEW.id GROUP BY state {_AGAIN};
        END""",
)
"""A stream is an order, or the part of it behind the order's id: the id is stored once, and the key is the table.
The transaction of a line was never read."""

_ATTEMPTS = (
    "ALTER TABLE attempts RENAME TO old_attempts",
    """CREATE TABLE attempts (
        document_id INTEGER NOT NULL REFERENCES documents (id), number INTEGER NOT NULL, begun_at TEXT NOT NULL,
        ended_at TEXT, outcome TEXT, PRIMARY KEY (document_id, number)) STRICT, WITHOUT ROWID""",
    "INSERT INTO attempts SELECT document_id, number, begun_at, ended_at, outcome FROM old_attempts",
    "DROP TABLE old_attempts",
)

_FILES = (
    "ALTER TABLE documents ADD COLUMN listed_at TEXT",
    "DROP TRIGGER documents_in_ledger",
    "DROP INDEX witnesses_by_name",
    "CREATE INDEX witnesses_by_name ON witnesses (substr(file_name, -12))",
    """CREATE TRIGGER documents_in_ledger AFTER INSERT ON documents BEGIN UPDATE witnesses SET in_ledger = 1
        WHERE substr(file_name, -12) = substr(NEW.file_name, -12) AND +file_name = NEW.file_name; END""",
)
"""`listed_at`: when Stedi created the first of a document's executions that were deleted (`retention`). The end of a
file name is a mark of its content: enough for the index. `+`: else SQLite would put the value into that expression."""

_FIRST = "(SELECT content FROM revisions WHERE order_id = writes.order_id AND revision = 1 AND length(content) <= 4096)"

VERSION_7 = (
    *_LINES,
    *_ATTEMPTS,
    *_FILES,
    f"UPDATE writes SET plan = pack_beside(plan, {_FIRST})",
    "DROP INDEX inbox_of_order",
    "CREATE INDEX inbox_of_order ON inbox (order_id) WHERE order_id IS NOT NULL",
)
