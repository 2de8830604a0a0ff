"""Files that survive a power failure complete or not at all: sync the content, then rename, then sync the folder."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_PARTIAL = ".partial"


def replace_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace a file atomically. Raise OSError; the previous file is then unchanged and no partial file is left.

    Not safe for two processes that replace the same file at once.
    """
    partial = partial_of(path)
    try:
        # Left by a process that was killed.
        partial.unlink(missing_ok=True)
        # O_EXCL: never follow a link that another user placed under this name.
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        put_in_place(partial, path)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise


def partial_of(path: Path) -> Path:
    """Name of the temporary file while `path` is being written."""
    return path.with_name(path.name + _PARTIAL)


def put_in_place(made: Path, path: Path) -> None:
    """Rename a synced file to its final name and sync the folder. Raise OSError."""
    made.replace(path)
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Flush a file's content to disk. Raise OSError."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Flush a folder's entries to disk. Raise OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(path: Path, mode: int = 0o700) -> None:
    """Create a folder and its missing parents, synced to disk; an existing folder is unchanged. Raise OSError."""
    if path.is_dir():
        return
    if not path.parent.is_dir():
        make_folder(path.parent, mode)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=mode)
    sync_folder(path.parent)
