"""Writes to Plex: planned in the transaction that applies the acknowledgment, executed afterwards."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from msgspec import Struct

from plexstedi.edi.model import from_json, to_json
from plexstedi.edi.writeback.plan import FieldChange, WritePlan
from plexstedi.state.file.codec import listed, pack, pack_model, unpack
from plexstedi.state.file.database import Database, Row
from plexstedi.state.file.first_revision import first_revision
from plexstedi.state.file.short import id_of, maybe_time_of, short_id, short_time, time_of


class WriteState(StrEnum):
    """State of a write; the legal moves are `schema.WRITE_MOVES`."""

    PLANNED = "planned"
    WRITING = "writing"
    DONE = "done"
    FAILED = "failed"
    SUPERSEDED = "superseded"

    @property
    def is_open(self) -> bool:
        """Planned, or started with unknown outcome."""
        return self in _OPEN


_OPEN = frozenset({WriteState.PLANNED, WriteState.WRITING})
_OPEN_LISTED = listed(state for state in WriteState if state.is_open)


class Write(Struct, frozen=True):
    """One row of `writes`."""

    id: int
    order_id: str
    transaction_id: str
    plan: WritePlan
    state: WriteState
    changes: tuple[FieldChange, ...]
    """Fields that the write changed in Plex: field, before, after, reason."""
    planned_at: datetime
    done_at: datetime | None
    revision: int | None
    """The order's revision that contains the written values; None: a revision contains none of them."""
    error: str | None
    unseen_since: datetime | None = None
    """Since when Plex, which confirmed the write, does not return it when read back; None: it does."""
    unseen_reads: int = 0
    """How many later runs read Plex back for it."""


class Writes:
    """The table `writes`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def plan(self, order_id: str, transaction_id: str, plan: WritePlan, now: datetime) -> int | None:
        """Plan the values of an order's fields, replacing an open plan of it. Return the id of the new write.

        A plan equal to the open one, or to the last one done, is not stored again: None.
        """
        last = self._database.row(
            "SELECT order_id, plan, state FROM writes WHERE order_id = ? AND state <> 'superseded'"
            " ORDER BY id DESC LIMIT 1",
            (short_id(order_id),),
        )
        if (
            last is not None
            and last["state"] in ("planned", "writing", "done")
            and self._plan_text(last) == to_json(plan).encode()
        ):
            return None
        self.drop_open(order_id)
        return self._insert(order_id, transaction_id, plan, now)

    def plan_text(self, write_id: int) -> bytes | None:
        """The plan of a write as it is stored; None if there is no such write."""
        row = self._database.row("SELECT order_id, plan FROM writes WHERE id = ?", (write_id,))
        return None if row is None else self._plan_text(row)

    def _plan_text(self, row: Row) -> bytes:
        return unpack(row["plan"], first_revision(self._database, id_of(row["order_id"])))

    def _insert(self, order_id: str, transaction_id: str, plan: WritePlan, now: datetime) -> int:
        packed = pack_model(plan, first_revision(self._database, order_id))
        return self._database.insert(
            "INSERT INTO writes (order_id, transaction_id, plan, state, planned_at) VALUES (?, ?, ?, 'planned', ?)",
            (short_id(order_id), short_id(transaction_id), packed, short_time(now)),
        )

    def plan_of(self, write_id: int) -> WritePlan | None:
        """The plan of a write; None if there is no such write, or what is stored cannot be read."""
        try:
            text = self.plan_text(write_id)
            return None if text is None else from_json(WritePlan, text)
        except (zlib.error, ValueError):
            return None

    def adopt(
        self, plan: WritePlan, transaction_id: str, changes: Sequence[FieldChange], now: datetime, *, revision: int
    ) -> None:
        """Record values that Plex already has from an earlier state file as written."""
        write_id = self._insert(plan.order_id, transaction_id, plan, now)
        self.begin(write_id, changes)
        self.done(write_id, now, revision=revision)

    def drop_open(self, order_id: str) -> None:
        """Mark the open and failed writes of an order as superseded."""
        # `writing` to `superseded` is not a legal move.
        self._database.execute(
            "UPDATE writes SET state = 'planned' WHERE order_id = ? AND state = 'writing'", (short_id(order_id),)
        )
        self._database.execute(
            "UPDATE writes SET state = 'superseded' WHERE order_id = ? AND state IN ('planned', 'failed')",
            (short_id(order_id),),
        )

    def open(self) -> Iterator[Write]:
        """Open writes, oldest first; each is read when its turn comes."""
        rows = self._database.rows(f"SELECT * FROM writes WHERE state IN {_OPEN_LISTED} ORDER BY id")
        return map(self._write, rows)

    def unseen_and_failed(self) -> Iterator[Write]:
        """Writes under review because Plex does not return them; Plex may do so later, so they are still read back."""
        rows = self._database.rows(
            "SELECT * FROM writes WHERE state = 'failed' AND unseen_since IS NOT NULL ORDER BY id"
        )
        return map(self._write, rows)

    def by_ids(self, ids: Iterable[int]) -> Iterator[Write]:
        """These writes in the sequence given; each is read when its turn comes."""
        for write_id in ids:
            row = self._database.row("SELECT * FROM writes WHERE id = ?", (write_id,))
            if row is not None:
                yield self._write(row)

    def still_open(self, write_id: int) -> list[Write]:
        """This write if it is still open; else an empty list."""
        return [write for write in self.by_ids([write_id]) if write.state.is_open]

    def of_order(self, order_id: str) -> list[Write]:
        """Every write of an order, oldest first."""
        return [
            self._write(row)
            for row in self._database.rows("SELECT * FROM writes WHERE order_id = ? ORDER BY id", (short_id(order_id),))
        ]

    def begin(self, write_id: int, changes: Sequence[FieldChange]) -> None:
        """Record, before the call, that it starts and what it changes."""
        packed = pack(to_json(tuple(changes)), self.plan_text(write_id) or b"") if changes else None
        self._database.execute(
            "UPDATE writes SET state = 'writing', changes = ? WHERE id = ? AND state = 'planned'", (packed, write_id)
        )

    def again(self, write_id: int, error: str) -> None:
        """Plan it again: reading Plex showed that it was not written."""
        self._database.execute(
            "UPDATE writes SET state = 'planned', error = ? WHERE id = ? AND state = 'writing'", (error, write_id)
        )

    def not_seen(self, write_id: int, error: str, now: datetime) -> None:
        """Plex confirmed the write but does not return it: later runs read it back instead of writing it again."""
        self._database.execute(
            "UPDATE writes SET state = 'planned', error = ?, unseen_since = ?, unseen_reads = 0"
            " WHERE id = ? AND state = 'writing'",
            (error, short_time(now), write_id),
        )

    def still_not_seen(self, write_id: int, error: str) -> None:
        """Count one more unsuccessful read."""
        self._database.execute(
            "UPDATE writes SET error = ?, unseen_reads = unseen_reads + 1 WHERE id = ?", (error, write_id)
        )

    def done(self, write_id: int, now: datetime, *, revision: int | None = None) -> None:
        """Plex returned the values when read back. `revision`: the order's revision that contains them."""
        self._database.execute(
            "UPDATE writes SET state = 'done', done_at = ?, revision = ?, error = NULL, unseen_since = NULL"
            " WHERE id = ?",
            (short_time(now), revision, write_id),
        )

    def fail(self, write_id: int, error: str) -> None:
        """Plex rejects it, or it needs review before it is written."""
        self._database.execute("UPDATE writes SET state = 'failed', error = ? WHERE id = ?", (error, write_id))

    def plan_again(self, write_id: int) -> None:
        """Plan a failed write again, after a user corrected the cause."""
        self._database.execute(
            "UPDATE writes SET state = 'planned', error = NULL, unseen_since = NULL WHERE id = ?", (write_id,)
        )

    def abandon(self, write_id: int) -> None:
        """Do not write it: a user keeps the values in Plex."""
        self._database.execute("UPDATE writes SET state = 'superseded' WHERE id = ?", (write_id,))

    def count_open(self) -> int:
        """Number of open writes."""
        return self._database.number(f"SELECT count(*) FROM writes WHERE state IN {_OPEN_LISTED}")

    def _write(self, row: Row) -> Write:
        plan = self._plan_text(row)
        return Write(
            id=row["id"],
            order_id=id_of(row["order_id"]),
            transaction_id=id_of(row["transaction_id"]),
            plan=_plan(plan),
            state=WriteState(row["state"]),
            changes=() if row["changes"] is None else from_json(tuple[FieldChange, ...], unpack(row["changes"], plan)),
            planned_at=time_of(row["planned_at"]),
            done_at=maybe_time_of(row["done_at"]),
            revision=row["revision"],
            error=row["error"],
            unseen_since=maybe_time_of(row["unseen_since"]),
            unseen_reads=row["unseen_reads"],
        )


@lru_cache(maxsize=1024)
def _plan(text: bytes) -> WritePlan:
    return from_json(WritePlan, text)
