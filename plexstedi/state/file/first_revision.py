"""The content of an order's first revision, beside which contents that repeat it are compressed (`codec.pack`).

It is stored before all of them and never changes. That of a large order is not used: each content would cost as much as
the whole order.
"""

from __future__ import annotations

from plexstedi.state.file.codec import unpack
from plexstedi.state.file.database import Database
from plexstedi.state.file.short import short_id


def first_revision(database: Database, order_id: str | None) -> bytes:
    """The content of an order's first revision; empty if there is none, or it is large."""
    if order_id is None:
        return b""
    if (known := database.first_revisions.get(order_id)) is not None:
        return known
    row = database.row(
        "SELECT content FROM revisions WHERE order_id = ? AND revision = 1 AND length(content) <= 4096",
        (short_id(order_id),),
    )
    if row is None:
        # Not kept: it may be stored next.
        return b""
    content = database.first_revisions[order_id] = unpack(row["content"])
    return content
