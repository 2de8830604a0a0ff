"""Names in the state file, for the completion of a shell: a quick look that never waits, fails or leaves a file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

_MOST = 200
_WAIT_SECONDS = 0.1


def order_numbers(path: Path, begin: str) -> list[str]:
    """Numbers of orders and invoices that begin so. Raise OSError, sqlite3.Error."""
    with _open(path) as connection:
        return [
            number
            for table in ("orders", "invoices")
            for (number,) in connection.execute(
                f"SELECT DISTINCT number FROM {table} WHERE number >= ? AND substr(number, 1, ?) = ?"
                " ORDER BY number LIMIT ?",
                (begin, len(begin), begin, _MOST),
            )
        ]


def suppliers(path: Path) -> list[str]:
    """Codes of the suppliers of all orders. Raise as `order_numbers`."""
    with _open(path) as connection:
        rows = connection.execute("SELECT DISTINCT supplier FROM orders ORDER BY supplier LIMIT ?", (_MOST,))
        return [supplier for (supplier,) in rows]


def open_reviews(path: Path) -> list[tuple[int, str]]:
    """Number and kind of open review items, newest first. Raise as `order_numbers`."""
    with _open(path) as connection:
        rows = connection.execute(
            "SELECT id, kind FROM reviews WHERE state = 'open' ORDER BY id DESC LIMIT ?", (_MOST,)
        )
        return [(number, kind) for number, kind in rows]


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    beside = [path.with_name(path.name + ending).exists() for ending in ("-wal", "-shm")]
    if any(beside) and not all(beside):
        raise FileNotFoundError(f"{path}-shm")
    # Without a writer the file is complete in itself; opened otherwise, SQLite would create `-wal` and `-shm`.
    how = "mode=ro" if all(beside) else "mode=ro&immutable=1"
    uri = f"file:{quote(os.fsencode(path.absolute()))}?{how}"
    with closing(sqlite3.connect(uri, uri=True, timeout=_WAIT_SECONDS)) as connection:
        yield connection
