"""A state file of years: the finished orders of a real one, many times over, with all that belongs to them.

Every row is a copy of one that real commands wrote, under ids, numbers and hashes of its own. The audit trail is whole:
`plexstedi audit verify` holds on what comes out.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from uuid import NAMESPACE_OID, uuid5

from plexstedi.edi.order_number import search_key
from plexstedi.state.file.codec import instant, moment, pack, unpack
from plexstedi.state.file.event_codec import pack_event, unpack_event
from plexstedi.state.file.short import id_of, instant_of, maybe_id_of, maybe_short_id, microseconds, short_id, time_of
from plexstedi.state.file.version_8 import IDS, TIMES
from plexstedi.state.subject import subject_of

Row = dict[str, Any]
_TABLES = ("orders", "revisions", "documents", "attempts", "witnesses", "inbox", "lines", "writes", "reviews", "events")
_BESIDE = {"documents": ("sent",), "inbox": ("outcome",), "lines": ("outcome",), "orders": ("marks",)}
"""Contents that are compressed beside the first revision of their order."""
_WITHOUT_ROWID = ("lines", "attempts")


def grow(path: Path, settled: int) -> int:
    """Add so many finished orders to a state file of the newest version; how many are in it afterwards.

    The models are its own orders that were sent, delivered and acknowledged.
    """
    connection = sqlite3.connect(path, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.create_function("search_key", 1, search_key, deterministic=True)
    for pragma in ("foreign_keys = OFF", "journal_mode = MEMORY", "synchronous = OFF", "cache_size = -200000"):
        connection.execute(f"PRAGMA {pragma}")
    models = [_model(connection, row["id"]) for row in connection.execute(_MODELS)]
    assert models, "the state file has no order that was sent and acknowledged"
    connection.execute("BEGIN")
    writer = _Writer(connection)
    for copy in range(settled):
        writer.add(models[copy % len(models)], copy)
    writer.flush()
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL")
    total = int(connection.execute("SELECT count(*) FROM orders").fetchone()[0])
    connection.close()
    return total


_MODELS = """SELECT id FROM orders WHERE settled = latest AND untraded = 0 AND EXISTS (SELECT 1 FROM documents
    WHERE order_id = orders.id) AND NOT EXISTS (SELECT 1 FROM documents WHERE order_id = orders.id
    AND (state <> 'delivered' OR business_ack IN ('none', 'partial', 'held') OR functional_ack = 'none' OR blocks))
    AND NOT EXISTS (SELECT 1 FROM reviews WHERE order_id = orders.id AND state = 'open')
    AND NOT EXISTS (SELECT 1 FROM writes WHERE order_id = orders.id AND state <> 'done')
    ORDER BY number, id LIMIT 24"""


@dataclass(frozen=True)
class _Model:
    rows: Mapping[str, list[Row]]
    names: tuple[str, ...]
    """Ids and numbers that each copy has its own of."""
    documents: tuple[int, ...]
    first: str
    """The content of its first revision."""
    pattern: re.Pattern[str]
    pieces: dict[str, list[str]] = field(default_factory=dict)
    """Texts that were met, split at the names."""


def _model(connection: sqlite3.Connection, order_id: Any) -> _Model:
    def found(table: str, where: str, *parameters: object) -> list[Row]:
        read = _FORMS.get(table, {})
        hidden = {row["name"] for row in connection.execute(f"PRAGMA table_xinfo({table})") if row["hidden"]}
        order = "1, 2, 3" if table in _WITHOUT_ROWID else "rowid"
        rows = connection.execute(f"SELECT * FROM {table} WHERE {where} ORDER BY {order}", parameters)
        return [
            {
                name: read[name].text(row[name]) if name in read else row[name]
                for name in row.keys()  # noqa: SIM118
                if name not in hidden
            }
            for row in rows
        ]

    stored, order_id = order_id, id_of(order_id)
    rows = {name: found(name, "order_id = ?", stored) for name in ("revisions", "documents", "lines", "writes")}
    rows["reviews"] = found("reviews", "order_id = ?", order_id)
    rows["orders"] = found("orders", "id = ?", stored)
    documents = [row["id"] for row in rows["documents"]]
    marks = ", ".join("?" * len(documents))
    rows["attempts"] = found("attempts", f"document_id IN ({marks})", *documents)
    rows["witnesses"] = found(
        "witnesses", f"file_name IN (SELECT file_name FROM documents WHERE id IN ({marks}))", *documents
    )
    rows["inbox"] = found("inbox", f"order_id = ? OR document_id IN ({marks})", stored, *documents)
    transactions = [row["transaction_id"] for row in rows["inbox"]]
    numbers_of = {
        id_of(stored): number
        for number, stored in connection.execute("SELECT no, id FROM event_ids")
        if id_of(stored) in (order_id, *transactions)
    }
    rows["events"] = [
        _texts_of(row, {number: name for name, number in numbers_of.items()})
        for row in found(
            "events",
            f"order_no = ? OR transaction_no IN ({', '.join('?' * len(transactions))})",
            numbers_of[order_id],
            *(numbers_of.get(one) for one in transactions),
        )
    ]
    first = unpack(rows["revisions"][0]["content"]).decode()
    names = {order_id, rows["orders"][0]["number"], *transactions}
    names |= {row["execution_id"] for name in ("witnesses", "inbox") for row in rows[name]}
    names |= {row["file_execution_id"] for row in rows["documents"] if row["file_execution_id"]}
    # Files are found by the end of their name, which differs between any two in a real state.
    names |= {row["file_name"] for row in rows["documents"]}
    listed = tuple(sorted(names, key=len, reverse=True))
    numbers = [rf"(?<=document ){number}\b" for number in documents]
    pattern = re.compile(f"({'|'.join([*map(re.escape, listed), *numbers])})")
    return _Model(rows, listed, tuple(documents), first, pattern)


def _texts_of(row: Row, ids: Mapping[int, str]) -> Row:
    order_id, transaction = ids.get(row["order_no"]), ids.get(row["transaction_no"])
    actor, kind, detail, subject = unpack_event(row["content"], order_id or "", transaction or "")
    at = instant(time_of(row["at"]))
    return {"at": at, "actor": actor, "kind": kind, "order_id": order_id, "subject": subject, "detail": detail}


@cache
def _unpacked(content: bytes, beside: str) -> str:
    return unpack(content, beside.encode()).decode()


class _Writer:
    """Adds copies of models, in batches."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._rows: dict[str, list[tuple[Any, ...]]] = {}
        self._statements: dict[str, str] = {}
        self._next = {
            table: connection.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}").fetchone()[0]
            for table in ("documents", "writes", "reviews")
        }
        last = connection.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone()
        self._seq, self._hash = last["seq"], last["hash"].hex()
        self._waiting = 0
        self._next_id = connection.execute("SELECT coalesce(max(no), 0) + 1 FROM event_ids").fetchone()[0]

    def add(self, model: _Model, copy: int) -> None:
        """One more finished order, received in Plex."""
        documents = {old: self._next["documents"] + place for place, old in enumerate(model.documents)}
        own = {name: _own(name, copy) for name in model.names} | {str(old): str(new) for old, new in documents.items()}

        def renamed(text: str) -> str:
            pieces = model.pieces.get(text)
            if pieces is None:
                pieces = model.pieces[text] = model.pattern.split(text)
            if len(pieces) == 1:
                return text
            return "".join([own[piece] if place % 2 else piece for place, piece in enumerate(pieces)])

        first, ids = renamed(model.first), dict[str, int]()
        for table in _TABLES:
            for row in model.rows[table]:
                new = _earlier(table, self._copied(table, row, renamed, documents), copy)
                if table == "revisions":
                    new["content"] = pack(renamed(_unpacked(row["content"], "")))
                if table == "writes":
                    # As it was: the audit trail has its hash, and the changes are compressed beside it.
                    new["plan"] = pack(_unpacked(row["plan"], model.first), first.encode())
                for name in _BESIDE.get(table, ()):
                    # Empty: the outcome of a line that its transaction has.
                    if row[name]:
                        new[name] = pack(renamed(_unpacked(row[name], model.first)), first.encode())
                self._put(table, self._stored(new, ids) if table == "events" else new)
        self._next["documents"] += len(documents)
        self._waiting += 1
        if self._waiting == 500:
            self.flush()

    def flush(self) -> None:
        """Insert what was added."""
        for table in (*_TABLES, "event_ids"):
            if rows := self._rows.pop(table, []):
                self._connection.executemany(self._statements[table], rows)
        self._waiting = 0

    def _put(self, table: str, row: Row) -> None:
        if table not in self._statements:
            marks = ", ".join("?" * len(row))
            self._statements[table] = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"
        forms = _FORMS.get(table, {})
        values = (forms[name].stored(value) if name in forms else value for name, value in row.items())
        self._rows.setdefault(table, []).append(tuple(values))

    def _copied(self, table: str, row: Row, renamed: Callable[[str], str], documents: Mapping[int, int]) -> Row:
        new = {name: renamed(value) if isinstance(value, str) else value for name, value in row.items()}
        for name in ("document_id", "replay_of"):
            if new.get(name) is not None:
                new[name] = documents[new[name]]
        if "search_key" in new:
            new["search_key"] = search_key(new["number"] if "number" in new else new["order_number"])
        if table == "orders":
            new["phase"] = "received"
        elif table == "documents":
            new["id"] = documents[row["id"]]
        elif table in self._next:
            new["id"] = self._next[table]
            self._next[table] += 1
        return new

    def _stored(self, event: Row, ids: dict[str, int]) -> Row:
        """The event with its place in the chain; `ids`: numbers of the ids that this copy has named."""
        self._seq += 1
        order_id, transaction = event["order_id"], subject_of(event["subject"]).transaction
        values = (self._seq, *(event[name] for name in _HASHED), self._hash)
        digest = hashlib.sha256(json.dumps(values, ensure_ascii=False).encode()).digest()
        self._hash = digest.hex()
        texts = (event["actor"], event["kind"], event["detail"], event["subject"])
        return {
            "seq": self._seq,
            "at": microseconds(event["at"]),
            "order_no": self._number_of(order_id, ids),
            "transaction_no": self._number_of(transaction, ids),
            "content": pack_event(*texts, order_id or "", transaction or ""),
            "hash": digest,
        }

    def _number_of(self, one: str | None, ids: dict[str, int]) -> int | None:
        if one is None:
            return None
        if one not in ids:
            ids[one] = self._next_id
            self._next_id += 1
            self._put("event_ids", {"no": ids[one], "id": short_id(one)})
        return ids[one]


class _Form(NamedTuple):
    """A column that has another form in the file."""

    text: Callable[[Any], Any]
    stored: Callable[[Any], Any]


def _none_stays(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else function(value)


_ID = _Form(maybe_id_of, maybe_short_id)
_TIME = _Form(_none_stays(instant_of), _none_stays(microseconds))
_FORMS = {
    table: dict.fromkeys(IDS.get(table, ()), _ID) | dict.fromkeys(TIMES.get(table, ()), _TIME) for table in _TABLES
} | {"lines": {"order_id": _ID, "transaction_id": _ID}}


def _own(name: str, copy: int) -> str:
    """A name of its own for a copy; that of a UUID is one."""
    if not isinstance(short_id(name), bytes):
        return f"{name}-y{copy}"
    return str(uuid5(NAMESPACE_OID, f"{name}-y{copy}"))


_TIMES = {
    "documents": ("frozen_at", "first_attempt_at", "accepted_at", "delivered_at"),
    "inbox": ("processed_at", "received_at"),
}


def _earlier(table: str, row: Row, copy: int) -> Row:
    """A copy was sent and acknowledged in the two years before the last month, not all of them on one day."""
    before = timedelta(days=30 + copy % 700)
    for name in _TIMES.get(table, ()):
        if row[name] is not None:
            row[name] = instant(moment(row[name]) - before)
    return row


_HASHED = ("at", "actor", "kind", "order_id", "subject", "detail")


def sizes(path: Path) -> Iterator[tuple[str, int]]:
    """How many rows each table has."""
    connection = sqlite3.connect(path)
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    for (name,) in names:
        yield name, int(connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0])
    connection.close()
