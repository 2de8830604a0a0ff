"""One SQLite file: committed data survives a power failure, and every fault is raised as StateUnusable.

WAL with synchronous FULL, explicit transactions, mode 0600 before the first byte is written (CHOICES.md 7).
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from plexstedi.durable import make_folder, partial_of, put_in_place, sync_file, sync_folder
from plexstedi.errors import StateUnusable
from plexstedi.state.file.faults import DAMAGED, must_be_file, named_faults
from plexstedi.state.file.integrity import checked_at, note_closed
from plexstedi.state.file.schema import FUNCTIONS, MIGRATIONS, VERSION, statements_of_new_file
from plexstedi.state.file.transactions import Kept, Transactions

Parameters = Sequence[object] | Mapping[str, object]
Row = sqlite3.Row

_BUSY_SECONDS = 5.0
_SLICE_PAGES = 256


def files_of_state(path: Path) -> tuple[Path, ...]:
    """The state file and the files beside it that belong to it: SQLite's own files, the lock, the mark `.was-here`."""
    endings = ("-wal", "-shm", "-journal", ".lock", ".was-here")
    return (path, *(path.with_name(path.name + ending) for ending in endings))


class Database(Transactions):
    """An open state file. `path` is None for a private copy in memory (dry runs)."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None, *, writes: bool = True) -> None:
        """`writes`: false to read a file that another process may write meanwhile."""
        super().__init__(connection, path, writes=writes)
        self.first_revisions: Kept[str, bytes] = self.kept.up_to(512)
        """By order; see `first_revision.py`."""
        self._checked_at: datetime | None = None

    @classmethod
    def open(cls, path: Path, now: datetime | None = None) -> Database:
        """Open or create the file, migrate it to this program's version, and check it.

        All pages are checked unless the last check was within a day before `now` and nothing else wrote since. Raise
        StateUnusable if it is corrupt, unreadable, read-only, newer than this program, or on a full disk.
        """
        with named_faults(path):
            must_be_file(path)
            _prepare_file(path)
            checked = None if now is None else checked_at(path, now)
            connection = _connect(str(path))
            try:
                database = cls(connection, path)
                database._check_version(path)
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                if checked is None:
                    database._check_pages()
                database._checked_at = checked or now
                database._migrate()
            except BaseException:
                connection.close()
                raise
            return database

    @classmethod
    def open_to_read(cls, path: Path) -> Database:
        """Open an existing file for reading only, also while another process writes. Raise StateUnusable."""
        with named_faults(path):
            must_be_file(path)
            if not path.exists():
                fix = "Name the file with --state."
                raise StateUnusable(f"there is no state file {path}", fix=fix, code="state-missing")
            connection = _connect_to_read(path)
            try:
                database = cls(connection, path, writes=False)
                database._check_version(path)
                if connection.execute("PRAGMA user_version").fetchone()[0] < VERSION:
                    connection.close()
                    return cls.copy_in_memory(path)
            except BaseException:
                connection.close()
                raise
            return database

    @classmethod
    def copy_in_memory(cls, path: Path) -> Database:
        """A private copy of the file (an empty state if there is none), for dry runs. Raise StateUnusable."""
        with named_faults(path):
            must_be_file(path)
            memory = _connect(":memory:")
            try:
                if path.exists():
                    source = _connect_to_read(path)
                    try:
                        source.backup(memory)
                    finally:
                        source.close()
                database = cls(memory, None)
                database._check_version(path)
                database._migrate()
            except BaseException:
                memory.close()
                raise
            return database

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
        if self.path is not None and self._checked_at is not None:
            note_closed(self.path, self._checked_at)

    def execute(self, sql: str, parameters: Parameters = ()) -> int:
        """Run one statement; return the number of rows it changed."""
        with self._faults:
            return self._connection.execute(sql, parameters).rowcount

    def insert(self, sql: str, parameters: Parameters) -> int:
        """Run one INSERT; return the id of the new row."""
        with self._faults:
            cursor = self._connection.execute(sql, parameters)
            if cursor.lastrowid is None:
                raise StateUnusable("the state file took no row", fix="Report this.", code="state-insert")
            return cursor.lastrowid

    def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """All rows of a query."""
        with self._faults:
            return list(self._connection.execute(sql, parameters))

    def row(self, sql: str, parameters: Parameters = ()) -> Row | None:
        """The first row of a query; None if there is none."""
        with self._faults:
            found: Row | None = self._connection.execute(sql, parameters).fetchone()
            return found

    def number(self, sql: str, parameters: Parameters = ()) -> int:
        """The integer that a query returns; 0 for no row or NULL."""
        found = self.row(sql, parameters)
        return int(found[0]) if found is not None and found[0] is not None else 0

    def backup_into(self, target: Path) -> None:
        """Write a compact, consistent copy to `target`, readable by its owner only, and sync it to disk.

        The file appears under its name only when complete. Raise StateUnusable.
        """
        partial = partial_of(target)
        with named_faults(target):
            try:
                # Left by a killed process.
                partial.unlink(missing_ok=True)
                os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
                self._connection.execute("VACUUM INTO ?", (str(partial),))
                sync_file(partial)
                put_in_place(partial, target)
            finally:
                partial.unlink(missing_ok=True)

    @staticmethod
    def copy_in_slices(path: Path, target: Path, check: Callable[[], None]) -> None:
        """Copy the state as it is now to an existing empty file, not synced; `check` is called after each MB.

        Raise sqlite3.Error, and what `check` raises: the copy is then incomplete.
        """
        with closing(_connect_to_read(path)) as source, closing(_connect(str(target))) as copy:
            # An incomplete copy is never used: it needs neither a journal nor a sync of its own.
            copy.execute("PRAGMA journal_mode = OFF")
            copy.execute("PRAGMA synchronous = OFF")
            # One snapshot: without it SQLite begins again at each commit of another run. In WAL no writer waits for it.
            source.execute("BEGIN")
            source.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
            source.backup(copy, pages=_SLICE_PAGES, progress=lambda status, remaining, total: check())
            # The header says WAL as in the state; a copy must be readable in a read-only folder, too.
            copy.execute("PRAGMA journal_mode = DELETE")

    def _check_version(self, path: Path) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise StateUnusable(
                f"the state file {path} was made by a newer PlexStedi"
                f" (version {version}, this program knows {VERSION})",
                fix="Install the newer PlexStedi again; an older version cannot read what was sent.",
                code="state-newer",
            )
        if version == 0 and self.row("SELECT 1 FROM sqlite_master LIMIT 1") is not None:
            raise StateUnusable(
                f"{path} is the database of another program, not a PlexStedi state file",
                fix="Use the correct file with --state; nothing was written into this one.",
                code="state-foreign",
            )

    def check_pages(self) -> None:
        """Check every page. Raise StateUnusable for a damaged file."""
        with named_faults(self.path):
            self._check_pages()

    def _check_pages(self) -> None:
        result = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if result != "ok":
            raise StateUnusable(
                f"the state file {self.path} is damaged: {result}",
                fix=f"{DAMAGED} Nothing was sent.",
                code="state-corrupt",
            )

    def _migrate(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version == VERSION:
            return
        if version and self.path is not None:
            self.backup_into(self.path.with_name(f"{self.path.name}.before-version-{VERSION}"))
        steps = [(number + 1, MIGRATIONS[number]) for number in range(version, VERSION)]
        for reached, statements in steps if version else [(VERSION, statements_of_new_file())]:
            with self.transaction():
                for statement in statements:
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {reached}")


def _connect(name: str, *, uri: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(name, uri=uri, isolation_level=None, timeout=_BUSY_SECONDS)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    for name, arguments, function in FUNCTIONS:
        connection.create_function(name, arguments, function, deterministic=True)
    return connection


def _connect_to_read(path: Path) -> sqlite3.Connection:
    """A connection that cannot write."""
    # Opened `rw` if permitted: a read-only connection to a WAL file creates `-wal` and `-shm` and cannot delete them.
    may_write = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    connection = _connect(f"file:{quote(os.fsencode(path.absolute()))}?mode={'rw' if may_write else 'ro'}", uri=True)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _prepare_file(path: Path) -> None:
    """Create folder (0700) and file (0600) before SQLite opens them: `-wal` and `-shm` get the same mode."""
    make_folder(path.parent)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        sync_folder(path.parent)
    except FileExistsError:
        mode = path.stat().st_mode
        if stat.S_IMODE(mode) & 0o077:
            path.chmod(0o600)
        for beside in (path.with_name(path.name + ending) for ending in ("-wal", "-shm")):
            # Created by a reader while the file was read-only.
            if os.access(path, os.W_OK) and beside.exists() and not os.access(beside, os.W_OK):
                beside.chmod(0o600)
