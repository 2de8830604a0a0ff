"""`plexstedi/state/file/tables.sql`, made from the migrations.

    python tests/new_state_file.py

writes it; `tests/state/file/test_new_file.py` holds that it is as made.
"""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from plexstedi.state.file.schema import FUNCTIONS, MIGRATIONS

FILE = Path(__file__).parents[1] / "plexstedi" / "state" / "file" / "tables.sql"
_HEAD = """-- The tables of a new state file, made from the migrations (schema.py) by tests/new_state_file.py.
-- Statements are separated by an empty line."""
_WORD = re.compile(r"(?:'[^']*'|\"[^\"]*\"|[^\s'\"])+")
"""Text without blanks; a literal with blanks is one word."""
_WIDTH = 118


def migrated() -> sqlite3.Connection:
    """An empty state file that every migration has gone over, in memory."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for name, arguments, function in FUNCTIONS:
        connection.create_function(name, arguments, function, deterministic=True)
    for migration in MIGRATIONS:
        for statement in migration:
            connection.execute(statement)
    return connection


def in_one_form(statement: str) -> str:
    """A statement with one blank between its words and none within brackets, so that two can be compared."""
    return " ".join(_WORD.findall(statement)).replace("( ", "(").replace(" )", ")")


def _wrapped(statement: str) -> str:
    """Lines that end behind a comma, where that is possible."""
    lines = [""]
    for part in re.split(r"(?<=,) ", in_one_form(statement)):
        if len(lines[-1]) + len(part) > _WIDTH:
            lines.append("   ")
        lines[-1] += f" {part}" if lines[-1] else part
    return "\n".join(lines)


def _rows(connection: sqlite3.Connection) -> Iterator[str]:
    """The rows that the migrations put in; there are only the legal moves."""
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    assert [name for name in tables if connection.execute(f"SELECT 1 FROM {name}").fetchone()] == ["legal_moves"]
    for table in [name for (name,) in connection.execute("SELECT DISTINCT of_table FROM legal_moves")]:
        moves = connection.execute("SELECT before, after FROM legal_moves WHERE of_table = ?", (table,))
        values = ", ".join(f"('{table}', '{before}', '{after}')" for before, after in moves)
        yield f"INSERT INTO legal_moves (of_table, before, after) VALUES {values}"


def text() -> str:
    """The file as it has to be."""
    connection = migrated()
    made = [sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")]
    return "\n\n".join([_HEAD, *map(_wrapped, [*made, *_rows(connection)])]) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
