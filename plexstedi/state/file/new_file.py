"""The statements that make a new state file: `tables.sql`, which has the tables as all migrations together leave them.

A new file is not made by the migrations themselves, which would create, fill and rebuild tables that nothing is in yet.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

_TABLES = Path(__file__).with_name("tables.sql")


@cache
def statements_of_new_file() -> tuple[str, ...]:
    """Each statement once, in order. In the file they are separated by an empty line."""
    return tuple(_TABLES.read_text(encoding="utf-8").split("\n\n")[1:])
