"""Transactions of the one connection that writes, and its errors.

Each transaction is complete or rolled back; a group of them is synced to the disk once. Errors of SQLite and of the
file system become StateUnusable with a fix.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from plexstedi.errors import StateUnusable
from plexstedi.ownership import as_owner_of

_ROWS_OF_A_GROUP = 500
"""A group with so many changed rows is committed: a killed process loses little, and the WAL stays small."""


class Transactions:
    """What is committed together. `path` is None for a database in memory."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self._connection = connection
        self.path = path
        self._file = None if path is None else path.stat()
        self._depth = 0
        self._grouping = False
        self._rows_before: int | None = None
        """Rows this connection had changed when the open group began; None: nothing of a group is uncommitted."""

    @property
    def in_transaction(self) -> bool:
        """Whether anything is uncommitted; no request may be sent then."""
        return self._depth > 0 or self._rows_before is not None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all statements inside together, or none if it raises.

        An inner `transaction` is part of the outer one, not a savepoint.
        """
        if self._depth:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
        elif self._grouping:
            with self._part_of_group():
                yield
        else:
            with self._alone():
                yield

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Part of the open transaction: if the block raises, only its changes are rolled back.

        Without an open transaction it has no effect.
        """
        if not self._depth:
            yield
            return
        with self._named("part"):
            yield

    @contextmanager
    def group(self) -> Iterator[None]:
        """Commit the transactions inside together: one sync of the disk instead of one for each.

        Each is complete or rolled back, as without the group; if the block raises, the complete ones are committed. A
        killed process loses those since the last commit: until `write_group`, or the end of the block, nothing outside
        may depend on them. Inside a transaction it has no effect. Raise StateUnusable if SQLite has rolled back
        what was complete.
        """
        if self._depth or self._grouping:
            yield
            return
        self._grouping = True
        try:
            yield
        finally:
            self._grouping = False
            self.write_group()

    def write_group(self) -> None:
        """Commit the complete transactions of the open group. Raise as `group`."""
        if self._depth or self._rows_before is None:
            return
        self._rows_before = None
        self._check_not_rolled_back()
        self._commit()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with named_faults(self.path):
            self._check_same_file()
        self._control("BEGIN IMMEDIATE")
        self._depth = 1
        try:
            yield
        except BaseException:
            self._roll_back()
            raise
        else:
            self._commit()
        finally:
            self._depth = 0

    @contextmanager
    def _part_of_group(self) -> Iterator[None]:
        if self._rows_before is None:
            with named_faults(self.path):
                self._check_same_file()
            self._control("BEGIN IMMEDIATE")
            self._rows_before = self._connection.total_changes
        else:
            self._check_not_rolled_back()
        self._depth = 1
        try:
            with self._named("one"):
                yield
        finally:
            self._depth = 0
        if self._connection.total_changes - self._rows_before >= _ROWS_OF_A_GROUP:
            self.write_group()

    @contextmanager
    def _named(self, name: str) -> Iterator[None]:
        self._control(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:
                # On a full disk SQLite has rolled back the whole transaction already.
                self._control(f"ROLLBACK TO {name}")
                self._control(f"RELEASE {name}")
            raise
        else:
            self._control(f"RELEASE {name}")

    def _commit(self) -> None:
        try:
            self._control("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        # SQLite ends some transactions itself, such as on a full disk.
        if self._connection.in_transaction:
            self._control("ROLLBACK")

    def _check_not_rolled_back(self) -> None:
        """A service must not be called on the strength of what SQLite has rolled back with a later transaction."""
        with named_faults(self.path):
            if not self._connection.in_transaction:
                raise sqlite3.OperationalError("database or disk is full: what was stored last was rolled back")

    def _control(self, statement: str) -> None:
        with named_faults(self.path):
            self._connection.execute(statement)

    def _check_same_file(self) -> None:
        """Raise StateUnusable if the file was deleted or replaced: the next run would not find this commit."""
        if self.path is None or self._file is None:
            return
        try:
            same = os.path.samestat(self._file, self.path.stat())
        except FileNotFoundError:
            same = False
        if not same:
            raise StateUnusable(
                f"the state file {self.path} was deleted or replaced while this run was in progress; the run stopped",
                fix="Run `plexstedi recover`: the new file does not contain what this run did until then.",
                code="state-replaced",
            )


class named_faults:  # noqa: N801
    """Convert errors of SQLite and the file system into StateUnusable with a fix.

    IntegrityError is raised unchanged: it is an error of the program. A class, since it is entered for every statement,
    and a generator would cost more than most statements.
    """

    __slots__ = ("_path",)

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, sqlite3.IntegrityError):
            return
        where = f"the state file {self._path}" if self._path is not None else "the state in memory"
        if isinstance(error, sqlite3.DatabaseError):
            raise _state_fault(where, str(error)) from error
        if isinstance(error, PermissionError):
            raise StateUnusable(
                f"{where} cannot be opened: permission denied",
                fix=f"Run as {as_owner_of(self._path)}, or name another with --state.",
                code="state-permission",
            ) from error
        if isinstance(error, OSError):
            raise StateUnusable(
                f"{where} cannot be used: {error.strerror or error}",
                fix="Check the disk and the path; name another with --state.",
                code="state-disk",
            ) from error


DAMAGED = (
    "Move it elsewhere (keep it), then restore a backup from the same folder and run `plexstedi recover`; without a "
    "backup, `plexstedi recover` alone rebuilds it."
)
_FIXES: tuple[tuple[str, str, str], ...] = (
    ("full", "state-full", "Free some space on its disk; the next run repeats what was not stored."),
    ("readonly", "state-readonly", "Make the file and make its folder writable for this user."),
    ("locked", "state-busy", "Another program holds it; close it (a database browser?) and run again."),
    ("unable to open", "state-permission", "Check that this user may read and write it and its folder."),
    ("malformed", "state-corrupt", DAMAGED),
    ("not a database", "state-corrupt", DAMAGED),
)


def _state_fault(where: str, message: str) -> StateUnusable:
    for word, code, fix in _FIXES:
        if word in message:
            return StateUnusable(f"{where} cannot be used: {message}", fix=fix, code=code)
    return StateUnusable(
        f"{where} failed: {message}", fix="Check its disk; restore a backup if it is damaged.", code="state-failed"
    )
