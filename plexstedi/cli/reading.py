"""The state file for commands that only read it."""

from __future__ import annotations

from pathlib import Path

from plexstedi.state.lock import lock_path
from plexstedi.state.store import Store


def open_state(path: Path) -> Store:
    """The state for reading; an empty one before the first run ever. Raise StateUnusable.

    A lock file shows that there was a state file here: then its absence is a fault.
    """
    if path.exists() or lock_path(path).exists():
        return Store.open_to_read(path)
    return Store.open_copy(path)
