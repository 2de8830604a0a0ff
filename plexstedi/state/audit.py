"""The audit trail: who did what, when, to which order; append-only, each event chained to the previous one by its hash.

An edited, removed or reordered event breaks the chain. A removed tail is found only with a head stored elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from json.encoder import encode_basestring
from typing import TypeAlias

import msgspec
from msgspec import Struct

from plexstedi.errors import StateUnusable
from plexstedi.state.file.codec import instant
from plexstedi.state.file.database import Database, Row
from plexstedi.state.file.event_codec import pack_event, unpack_event
from plexstedi.state.file.short import id_of, instant_of, microseconds, short_id, short_time, time_of
from plexstedi.state.file.transactions import Kept
from plexstedi.state.subject import Subject, subject_of, transaction_in

GENESIS = "0" * 64

Fact: TypeAlias = "str | int | bool | Sequence[Fact] | Mapping[str, Fact] | None"
Detail: TypeAlias = Mapping[str, Fact]


class Event(Struct, frozen=True):
    """One event as stored. `subject` is the record concerned: `document 12`, `transaction …`, `order …`, `run`."""

    seq: int
    at: datetime
    actor: str
    kind: str
    order_id: str | None
    subject: Subject
    detail: Mapping[str, Fact]
    previous: str
    hash: str


class Break(Struct, frozen=True):
    """First position at which the chain is broken."""

    seq: int
    what: str


_IDS = """(SELECT id FROM event_ids WHERE no = order_no) AS order_id,
    (SELECT id FROM event_ids WHERE no = transaction_no) AS transaction_id"""
_EVENTS = f"SELECT seq, at, content, hash, {_IDS} FROM events"
_CHAINED = f"""SELECT seq, at, content, hash, {_IDS},
    (SELECT hash FROM events AS earlier WHERE earlier.seq = events.seq - 1) AS previous FROM events"""


class Audit:
    """The tables `events` and `event_ids`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._last: Kept[None, tuple[int, str]] = database.kept.up_to(1)
        """Number and hash of the newest event."""
        self._numbers: Kept[str, int] = database.kept.up_to(4000)

    def append(
        self, at: datetime, actor: str, kind: str, subject: Subject, *, order_id: str | None = None, **detail: Fact
    ) -> None:
        """Add one event. `detail` holds values before and after; never a secret or a presigned URL."""
        with self._database.transaction():
            last, previous = self._last.get(None) or self._newest()
            seq, number, text = last + 1, short_time(at), _detail_text(detail)
            transaction = transaction_in(subject.text)
            own = _digest(seq, instant_of(number), actor, kind, order_id, subject.text, text, previous)
            self._database.execute(
                "INSERT INTO events (seq, at, order_no, transaction_no, content, hash) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    seq,
                    number,
                    self._number_for(order_id),
                    self._number_for(transaction),
                    pack_event(actor, kind, text, subject.text, order_id or "", transaction or ""),
                    own,
                ),
            )
            self._last[None] = seq, own.hex()

    def _newest(self) -> tuple[int, str]:
        last = self._database.row("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1")
        return (0, GENESIS) if last is None else (last["seq"], last["hash"].hex())

    def _number_for(self, one: str | None) -> int | None:
        """The number of an id; a new one for an id that no event has named."""
        if one is None:
            return None
        number = self._numbers.get(one) or self._number_of(one)
        if not number:
            number = self._database.insert("INSERT INTO event_ids (id) VALUES (?)", (short_id(one),))
        self._numbers[one] = number
        return number

    def _number_of(self, one: str) -> int:
        """The number of an id; 0 if no event names it."""
        # With a plain `id = ?`, SQLite puts the value into substr() and finds no index for it.
        return self._database.number(
            "SELECT no FROM event_ids WHERE substr(id, -6) = substr(?, -6) AND +id = ?", (short_id(one), short_id(one))
        )

    def count(self) -> int:
        """Number of events; they are numbered without gaps, which `verify` checks."""
        return self._database.number("SELECT max(seq) FROM events")

    def head(self) -> str:
        """Hash of the newest event: stored elsewhere, it proves later that no tail was removed."""
        return self._newest()[1]

    def events(self, *, order_id: str | None = None, since: datetime | None = None) -> Iterator[Event]:
        """Events, oldest first, of one order or since a time. Raise StateUnusable at an event that was edited."""
        return map(_event, self._rows(order_id, since))

    def of_transactions(self, transactions: Collection[str]) -> list[Event]:
        """Events of these inbound transactions without an order: recorded before their order was known."""
        rows = [
            row
            for one in transactions
            for row in self._database.rows(
                f"{_CHAINED} WHERE transaction_no = ? AND order_no IS NULL", (self._number_of(one),)
            )
        ]
        return sorted(map(_event, rows), key=lambda event: event.seq)

    def verify(self, head: str | None = None) -> Break | None:
        """Check the whole chain; the first break, or None. With `head`, it must be the hash of some event."""
        previous, expected, seen = GENESIS, 1, head in (None, GENESIS)
        for row in self._rows(None, None, _EVENTS):
            seq = row["seq"]
            if seq != expected:
                return Break(expected, f"event {expected} is missing")
            # An edited row may not be readable at all.
            try:
                whole = _digest(*_texts(row), previous) == row["hash"]
            except (ValueError, TypeError):
                whole = False
            if not whole:
                return Break(seq, f"event {seq} or the one before it was edited")
            previous, expected = row["hash"].hex(), expected + 1
            seen = seen or previous == head
        return None if seen else Break(expected, "the trail was cut off: the given head is not in it")

    def _rows(self, order_id: str | None, since: datetime | None, query: str = _CHAINED) -> Iterator[Row]:
        after, begin = 0, 0 if since is None else microseconds(instant(since))
        number = None if order_id is None else self._number_of(order_id)
        while True:
            if number is None:
                rows = self._database.rows(f"{query} WHERE seq > ? AND at >= ? ORDER BY seq LIMIT 1000", (after, begin))
            else:
                rows = self._database.rows(
                    f"{query} WHERE order_no = ? AND seq > ? AND at >= ? ORDER BY seq LIMIT 1000",
                    (number, after, begin),
                )
            if not rows:
                return
            yield from rows
            after = rows[-1]["seq"]


def _digest(seq: int, *texts: str | None) -> bytes:
    """The hash of an event: of a list, in the JSON that `json.dumps` makes of it without `ensure_ascii`.

    Written here, since an encoder of `json` is set up for each list: a tenth of the time of `verify`.
    """
    listed = ", ".join(["null" if text is None else encode_basestring(text) for text in texts])
    return hashlib.sha256(f"[{seq}, {listed}]".encode()).digest()


def _detail_text(detail: Detail) -> str:
    try:
        return _ENCODER.encode(detail).decode()
    except (TypeError, ValueError):
        # A text of a class of its own, or with a lone surrogate.
        return _SLOW_ENCODER.encode(detail)


_ENCODER = msgspec.json.Encoder(order="sorted")
"""The same text in a fifth of the time."""
_SLOW_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _texts(row: Row) -> tuple[int, str, str, str, str | None, str, str]:
    """What an event's hash covers, followed by the hash of the event before: number, time, actor, kind, order, subject,
    detail. Raise ValueError or TypeError if it was edited."""
    order, transaction = row["order_id"], row["transaction_id"]
    order_id = None if order is None else id_of(order)
    transaction_id = None if transaction is None else id_of(transaction)
    actor, kind, detail, subject = unpack_event(row["content"], order_id or "", transaction_id or "")
    if transaction_in(subject) != transaction_id:
        raise ValueError("the subject is about another transaction")
    return row["seq"], instant_of(row["at"]), actor, kind, order_id, subject, detail


def _event(row: Row) -> Event:
    try:
        return _read(row)
    except (ValueError, TypeError):
        raise StateUnusable(
            f"event {row['seq']} of the audit trail cannot be read: it was edited",
            fix="Run `plexstedi audit verify`; restore the state file from a backup, and find out who edited it.",
            code="audit-broken",
        ) from None


def _read(row: Row) -> Event:
    seq, _, actor, kind, order_id, subject, text = _texts(row)
    detail = json.loads(text)
    if not isinstance(detail, dict):
        raise TypeError("the detail is not an object")
    return Event(
        seq=seq,
        at=time_of(row["at"]),
        actor=actor,
        kind=kind,
        order_id=order_id,
        subject=subject_of(subject),
        detail=detail,
        previous=GENESIS if row["previous"] is None else row["previous"].hex(),
        hash=row["hash"].hex(),
    )
