"""An event edited as by someone who knows how events are stored, but cannot make the hashes of all later ones."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from plexstedi.state.file.event_codec import pack_event, unpack_event
from plexstedi.state.file.short import id_of, microseconds

_STORED = """SELECT content, (SELECT id FROM event_ids WHERE no = order_no),
    (SELECT id FROM event_ids WHERE no = transaction_no) FROM events WHERE seq = ?"""


def edit_event(path: Path, seq: int, **edited: str | None) -> None:
    """Change texts of an event in the file: `actor`, `kind`, `detail`, `subject`, `at`; `order_id` only to None."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TRIGGER events_no_update")
        content, order_id, transaction = connection.execute(_STORED, (seq,)).fetchone()
        beside = ["" if one is None else id_of(one) for one in (order_id, transaction)]
        texts = dict(zip(("actor", "kind", "detail", "subject"), unpack_event(content, *beside), strict=True))
        if "order_id" in edited:
            beside[0] = ""
            connection.execute("UPDATE events SET order_no = NULL WHERE seq = ?", (seq,))
        if (at := edited.get("at")) is not None:
            connection.execute("UPDATE events SET at = ? WHERE seq = ?", (microseconds(at), seq))
        texts |= {name: text for name, text in edited.items() if name in texts and text is not None}
        packed = pack_event(*texts.values(), *beside)
        connection.execute("UPDATE events SET content = ? WHERE seq = ?", (packed, seq))
