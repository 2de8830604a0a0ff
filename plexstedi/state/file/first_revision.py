"""The content of an order's first revision, beside which contents that repeat it are compressed (`codec.pack`).

It is stored before all of them and never changes. That of a large order is not used: each content would cost as much as
the whole order.
"""

from __future__ import annotations

from functools import lru_cache

from plexstedi.state.file.codec import unpack
from plexstedi.state.file.database import Database


def first_revision(database: Database, order_id: str | None) -> bytes:
    """The content of an order's first revision; empty if there is none, or it is large."""
    row = database.row(
        "SELECT content FROM revisions WHERE order_id = short_id(?) AND revision = 1 AND length(content) <= 4096",
        (order_id,),
    )
    return b"" if row is None else _unpacked(row["content"])


# By content: while one order is decided, it is asked for several times.
_unpacked = lru_cache(maxsize=64)(unpack)
