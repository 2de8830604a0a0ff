"""The audit trail: who did what, when, to which order; append-only, each event chained to the previous one by its hash.

An edited, removed or reordered event breaks the chain. A removed tail is found only with a head stored elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from plexstedi.errors import StateUnusable
from plexstedi.state.file.codec import instant, moment
from plexstedi.state.file.database import Database, Row
from plexstedi.state.subject import Subject

GENESIS = "0" * 64

Fact: TypeAlias = "str | int | bool | Sequence[Fact] | Mapping[str, Fact] | None"
Detail: TypeAlias = Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class Event:
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


@dataclass(frozen=True, slots=True)
class Break:
    """First position at which the chain is broken."""

    seq: int
    what: str


class Audit:
    """The table `events`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(
        self, at: datetime, actor: str, kind: str, subject: Subject, *, order_id: str | None = None, **detail: Fact
    ) -> None:
        """Add one event. `detail` holds values before and after; never a secret or a presigned URL."""
        with self._database.transaction():
            last = self._database.row("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1")
            seq, previous = (1, GENESIS) if last is None else (last["seq"] + 1, last["hash"].hex())
            text = json.dumps(detail, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            values = (seq, instant(at), actor, kind, order_id, subject.text, text)
            self._database.execute(
                "INSERT INTO events (seq, at, actor, kind, order_id, subject, detail, hash)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, _digest((*values, previous))),
            )

    def count(self) -> int:
        """Number of events; they are numbered without gaps, which `verify` checks."""
        return self._database.number("SELECT max(seq) FROM events")

    def head(self) -> str:
        """Hash of the newest event: stored elsewhere, it proves later that no tail was removed."""
        last = self._database.row("SELECT hash FROM events ORDER BY seq DESC LIMIT 1")
        return GENESIS if last is None else last["hash"].hex()

    def events(self, *, order_id: str | None = None, since: datetime | None = None) -> Iterator[Event]:
        """Events, oldest first, of one order or since a time. Raise StateUnusable at an event that was edited."""
        return map(_event, self._rows(order_id, since))

    def of_transactions(self, transactions: Collection[str]) -> list[Event]:
        """Events of these inbound transactions without an order: recorded before their order was known."""
        rows = [
            row
            for one in transactions
            for row in self._database.rows(f"{_CHAINED} WHERE transaction_id = ? AND order_id IS NULL", (one,))
        ]
        return sorted(map(_event, rows), key=lambda event: event.seq)

    def verify(self, head: str | None = None) -> Break | None:
        """Check the whole chain; the first break, or None. With `head`, it must be the hash of some event."""
        previous, expected, seen = GENESIS, 1, head in (None, GENESIS)
        # Rows as stored, not `Event`: an edited row may not be readable as an event.
        for row in self._rows(None, None):
            seq = row["seq"]
            if seq != expected:
                return Break(expected, f"event {expected} is missing")
            if _digest((*(row[column] for column in _HASHED), previous)) != row["hash"]:
                return Break(seq, f"event {seq} or the one before it was edited")
            previous, expected = row["hash"].hex(), expected + 1
            seen = seen or previous == head
        return None if seen else Break(expected, "the trail was cut off: the given head is not in it")

    def _rows(self, order_id: str | None, since: datetime | None) -> Iterator[Row]:
        after, begin = 0, "" if since is None else instant(since)
        while True:
            if order_id is None:
                rows = self._database.rows(
                    f"{_CHAINED} WHERE seq > ? AND at >= ? ORDER BY seq LIMIT 1000", (after, begin)
                )
            else:
                # With a plain `order_id = ?`, SQLite puts the value into substr() and finds no index for it.
                rows = self._database.rows(
                    f"{_CHAINED} INDEXED BY events_of_order WHERE substr(order_id, -8) = substr(?, -8)"
                    " AND order_id IS NOT NULL AND +order_id = ? AND seq > ? AND at >= ? ORDER BY seq LIMIT 1000",
                    (order_id, order_id, after, begin),
                )
            if not rows:
                return
            yield from rows
            after = rows[-1]["seq"]


_HASHED = ("seq", "at", "actor", "kind", "order_id", "subject", "detail")
"""What an event's hash covers, followed by the hash of the event before."""
_CHAINED = "SELECT *, (SELECT hash FROM events AS earlier WHERE earlier.seq = events.seq - 1) AS previous FROM events"


def _digest(values: tuple[object, ...]) -> bytes:
    return hashlib.sha256(json.dumps(values, ensure_ascii=False).encode()).digest()


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
    detail = json.loads(row["detail"])
    if not isinstance(detail, dict):
        raise TypeError("the detail is not an object")
    return Event(
        seq=row["seq"],
        at=moment(row["at"]),
        actor=row["actor"],
        kind=row["kind"],
        order_id=row["order_id"],
        subject=Subject(row["subject"], row["document_id"], row["transaction_id"]),
        detail=detail,
        previous=GENESIS if row["previous"] is None else row["previous"].hex(),
        hash=row["hash"].hex(),
    )
