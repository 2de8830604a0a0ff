"""A new state file is made in one step, and is what an old file is after all its migrations."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from plexstedi.state.file.database import Database
from plexstedi.state.file.schema import VERSION
from tests.new_state_file import FILE, in_one_form, migrated, text

ENTRIES = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"


def content(connection: sqlite3.Connection) -> tuple[list[object], list[object]]:
    tables = [(*entry[:3], in_one_form(entry[3] or "")) for entry in connection.execute(ENTRIES)]
    return tables, sorted(connection.execute("SELECT * FROM legal_moves"))


def test_the_tables_are_as_made_from_the_migrations() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "run python tests/new_state_file.py"


def test_a_new_file_is_what_a_migrated_one_is(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    Database.open(path).close()
    made = sqlite3.connect(path)
    assert made.execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert content(made) == content(migrated())
    made.close()


def test_so_is_the_private_copy_of_a_dry_run_without_a_file(tmp_path: Path) -> None:
    database = Database.copy_in_memory(tmp_path / "none.sqlite3")
    assert database.number("PRAGMA user_version") == VERSION
    tables = [(row[0], row[1], row[2], in_one_form(row[3] or "")) for row in database.rows(ENTRIES)]
    assert tables == content(migrated())[0]
    database.close()
