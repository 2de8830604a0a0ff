"""Whether all pages of the state file must be checked before use: after an unclean end, and at least once a day.

A clean close stores the file's inode, size and modification time in the mark beside it (`.was-here`). If they are
unchanged, nothing wrote to the file since: no killed run, other program or restored backup. The mark is not synced: if
it is lost, old or unreadable, the file is checked.
"""

from __future__ import annotations

import contextlib
import os
from datetime import datetime, timedelta
from pathlib import Path

CHECK_EVERY = timedelta(days=1)
_LONGEST = 200


def mark_of(path: Path) -> Path:
    """Path of the mark that a state file was created here; never deleted by the program."""
    return path.with_name(path.name + ".was-here")


def checked_at(path: Path, now: datetime) -> datetime | None:
    """Time of the last check if it is still valid, else None. Call before SQLite opens the file."""
    with contextlib.suppress(OSError, ValueError):
        if _size(path.with_name(path.name + "-wal")):
            # Left by a killed run.
            return None
        with mark_of(path).open("rb") as file:
            text = file.read(_LONGEST).decode("ascii")
        at, _, identity = text.partition(" ")
        checked = datetime.fromisoformat(at)
        if identity == _identity(path) and timedelta() <= now - checked < CHECK_EVERY:
            return checked
    return None


def note_closed(path: Path, checked: datetime) -> None:
    """Store the identity of the file after a clean close. If that fails, the next run checks the file."""
    with contextlib.suppress(OSError):
        content = f"{checked.isoformat()} {_identity(path)}".encode("ascii")
        descriptor = os.open(mark_of(path), os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, content, 0)
        finally:
            os.close(descriptor)


def _identity(path: Path) -> str:
    status = path.stat()
    return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
