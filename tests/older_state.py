"""A state file as an older version of the program left it, made from one of today."""

from __future__ import annotations

import sqlite3
from pathlib import Path

_BACK = {
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


def make_older(path: Path, version: int = 1) -> None:
    """Turn the file into one of this version."""
    connection = sqlite3.connect(path)
    for newer in sorted(_BACK, reverse=True):
        if newer > version:
            for statement in _BACK[newer]:
                connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.commit()
    connection.close()
