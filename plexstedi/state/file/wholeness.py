"""When every page of the state file is checked before it is used: after an unclean end, once a day, or when in doubt.

A clean close leaves the file's inode, size and time of change in the mark beside it (`.was-here`). Where the file is
still exactly that, nobody wrote to it since: no killed run, no other program, no restored backup. The mark needs no
sync: one that is lost, old or unreadable only leads to a check.
"""

from __future__ import annotations

import contextlib
import os
from datetime import datetime, timedelta
from pathlib import Path

CHECK_EVERY = timedelta(days=1)
_LONGEST = 200


def mark_of(path: Path) -> Path:
    """The mark that a state file was here; never deleted by the program."""
    return path.with_name(path.name + ".was-here")


def checked_at(path: Path, now: datetime) -> datetime | None:
    """When the file was checked, if it need not be checked again; to be asked before SQLite opens it."""
    with contextlib.suppress(OSError, ValueError):
        if _size(path.with_name(path.name + "-wal")):
            # A killed run left it.
            return None
        with mark_of(path).open("rb") as file:
            text = file.read(_LONGEST).decode("ascii")
        at, _, identity = text.partition(" ")
        checked = datetime.fromisoformat(at)
        if identity == _identity(path) and timedelta() <= now - checked < CHECK_EVERY:
            return checked
    return None


def note_closed(path: Path, checked: datetime) -> None:
    """Leave how the file is after a clean close. Where that cannot be written, the next run checks it."""
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
