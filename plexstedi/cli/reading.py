"""The state file for commands that only read it."""

from __future__ import annotations

from pathlib import Path

from plexstedi.state.store import Store, expect_state


def open_state(path: Path) -> Store:
    """The state for reading; an empty one before the first run ever. Raise StateUnusable, also when it is gone."""
    expect_state(path)
    return Store.open_to_read(path) if path.exists() else Store.open_copy(path)
