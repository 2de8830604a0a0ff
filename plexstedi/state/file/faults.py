"""Errors of SQLite and of the file system, as faults of the state file that say what to do."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from plexstedi.errors import StateUnusable
from plexstedi.ownership import as_owner_of

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


def must_be_file(path: Path) -> None:
    """Raise StateUnusable for a folder, device or pipe: SQLite's error would send the reader to permissions or disk."""
    try:
        mode = path.stat().st_mode
    except OSError:
        # Missing, or not accessible: opening it reports that.
        return
    if not stat.S_ISREG(mode):
        raise StateUnusable(
            f"the state file {path} is {'a folder' if stat.S_ISDIR(mode) else 'no regular file'}",
            fix="Name a file: --state FILE, PLEXSTEDI_STATE or state.path.",
            code="state-not-a-file",
        )


class named_faults:  # noqa: N801
    """Convert errors of SQLite and the file system into StateUnusable with a fix.

    IntegrityError is raised unchanged: it is an error of the program. A class, since it is entered for every statement,
    and a generator would cost more than most statements.
    """

    __slots__ = ("_on_error", "_path")

    def __init__(self, path: Path | None, on_error: Callable[[], None] = lambda: None) -> None:
        """`on_error` is called after any error: SQLite ends some transactions itself, such as on a full disk."""
        self._path = path
        self._on_error = on_error

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            return
        self._on_error()
        if isinstance(error, sqlite3.IntegrityError):
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


def _state_fault(where: str, message: str) -> StateUnusable:
    for word, code, fix in _FIXES:
        if word in message:
            return StateUnusable(f"{where} cannot be used: {message}", fix=fix, code=code)
    return StateUnusable(
        f"{where} failed: {message}", fix="Check its disk; restore a backup if it is damaged.", code="state-failed"
    )
