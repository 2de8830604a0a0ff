"""Files that survive a power cut whole or not at all: content on disk first, then the name, then the folder."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_PARTIAL = ".partial"


def replace_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Put content under a name. Raise OSError; then what was under the name before is there, and nothing half made.

    Two processes must not do this at once to one name.
    """
    partial = partial_of(path)
    try:
        # Left by a process that was killed.
        partial.unlink(missing_ok=True)
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
    """The name of a file while it is made."""
    return path.with_name(path.name + _PARTIAL)


def put_in_place(made: Path, path: Path) -> None:
    """Give a file that is on disk its name. Raise OSError."""
    made.replace(path)
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """A file's content is on disk when this returns. Raise OSError."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """The names in a folder are on disk when this returns. Raise OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(path: Path, mode: int = 0o700) -> None:
    """A folder with all above it, each on disk when this returns; one that is there is left as it is. Raise OSError."""
    if path.is_dir():
        return
    if not path.parent.is_dir():
        make_folder(path.parent, mode)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=mode)
    sync_folder(path.parent)
