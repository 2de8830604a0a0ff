"""Transactions of the one connection that writes: each is complete or rolled back; a group of them is synced once.

What was read from the file is kept in memory until one of them is rolled back.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from plexstedi.errors import StateUnusable
from plexstedi.state.file.faults import named_faults

Key = TypeVar("Key")
Value = TypeVar("Value")

_ROWS_OF_A_GROUP = 500
"""A group with so many changed rows is committed: a killed process loses little, and the WAL stays small."""


class Kept(dict[Key, Value]):
    """At most `most` values; the one stored first is dropped for a new one."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: Key, value: Value) -> None:
        if len(self) >= self._most and key not in self:
            if not self._most:
                return
            del self[next(iter(self))]
        super().__setitem__(key, value)


class KeptReads:
    """All values kept of one file: dropped together when one of them may no longer be what is in the file."""

    def __init__(self, *, keeps: bool) -> None:
        """`keeps`: false for a file that another process may write at any time: nothing is kept."""
        self._keeps = keeps
        self._made: list[Kept[Any, Any]] = []
        self._version = 0

    def up_to(self, most: int) -> Kept[Any, Any]:
        """A place for so many values. Whoever keeps values there changes them together with the file."""
        made: Kept[Any, Any] = Kept(most if self._keeps else 0)
        self._made.append(made)
        return made

    def drop(self) -> None:
        """What was written may have been undone: nothing is known any more."""
        for made in self._made:
            made.clear()

    def drop_unless(self, version: int) -> None:
        """Drop all if this number, which changes when another connection writes the file, is not the one before."""
        if version != self._version:
            self._version = version
            self.drop()


class Transactions:
    """What is committed together. `path` is None for a database in memory."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None, *, writes: bool) -> None:
        """`writes`: false to read a file that another process may write meanwhile."""
        self._connection = connection
        self.path = path
        # Who writes the file holds its lock (`lock.py`): what it has read stays true until it writes or rolls back.
        self.kept = KeptReads(keeps=writes)
        self._faults = named_faults(path, self.kept.drop)
        self._file = None if path is None else path.stat()
        self._depth = 0
        self._grouping = False
        self._rows_before: int | None = None
        """Rows this connection had changed when the open group began; None: nothing of a group is uncommitted."""
        self._not_written: BaseException | None = None
        """Why complete transactions of the open group could not be committed."""

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
        may depend on them. Inside a transaction it has no effect. Raise StateUnusable if what was complete could not be
        committed or SQLite has rolled it back, also if a commit before the end of the block failed and the block
        continued: whoever began the group knows only by this that what was complete is gone.
        """
        if self._depth or self._grouping:
            yield
            return
        self._grouping = True
        try:
            yield
        finally:
            self._grouping = False
            try:
                self.write_group()
            finally:
                self._not_written = None

    def write_group(self) -> None:
        """Commit the complete transactions of the open group. Raise as `group`."""
        if self._not_written is not None:
            raise self._not_written
        if self._depth or self._rows_before is None:
            return
        self._rows_before = None
        try:
            # Again: a call may follow that depends on what a replaced file does not contain.
            with self._faults:
                self._check_same_file()
            self._check_not_rolled_back()
            self._commit()
        except BaseException as error:
            self._roll_back()
            self._not_written = error if self._grouping else None
            raise

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._faults:
            self._check_same_file()
        try:
            # Within: an interrupt may come when it has begun.
            self._control("BEGIN IMMEDIATE")
            self._depth = 1
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
        if self._not_written is not None:
            raise self._not_written
        if self._rows_before is None:
            with self._faults:
                self._check_same_file()
            try:
                self._control("BEGIN IMMEDIATE")
                self._rows_before = self._connection.total_changes
            except BaseException:
                self._roll_back()
                raise
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
        """Raise StateUnusable if SQLite has rolled back the complete transactions of the group with a later one."""
        with self._faults:
            if not self._connection.in_transaction:
                raise sqlite3.OperationalError("database or disk is full: what was stored last was rolled back")

    def _control(self, statement: str) -> None:
        with self._faults:
            self._connection.execute(statement)
            if statement.startswith("BEGIN"):
                self.kept.drop_unless(self._connection.execute("PRAGMA data_version").fetchone()[0])
        if statement.startswith("ROLLBACK"):
            self.kept.drop()

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
