"""Inbound transactions, stored as received and processed afterwards, and the current state of order lines."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from plexstedi.edi.inbound.outcome import LineOutcome, Reconciliation
from plexstedi.state.file.codec import Columns, pack, pack_model, unpack, unpack_model
from plexstedi.state.file.database import Database, Row
from plexstedi.state.file.first_revision import first_revision
from plexstedi.state.file.lines import line_in, store_lines_of, stored_outcome, transactions_with
from plexstedi.state.file.short import (
    id_of,
    maybe_hash_of,
    maybe_id_of,
    maybe_short_id,
    short_hash,
    short_id,
    short_time,
    time_of,
)


class InboxState(StrEnum):
    """State of an inbound transaction; the legal moves are `schema.INBOX_MOVES`."""

    LISTED = "listed"
    STORED = "stored"
    WAITING = "waiting"
    APPLIED = "applied"
    HELD = "held"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    SUPERSEDED = "superseded"

    @property
    def is_undecided(self) -> bool:
        """Not processed yet: a later run fetches or processes it."""
        return self in _UNDECIDED

    @property
    def is_disregarded(self) -> bool:
        """A duplicate, or ignored: it has no effect on an order."""
        return self in _DISREGARDED


_UNDECIDED = frozenset({InboxState.LISTED, InboxState.STORED, InboxState.WAITING})
_DISREGARDED = frozenset({InboxState.DUPLICATE, InboxState.IGNORED})

OF_ANOTHER_PLANT = "order {number} belongs to another plant"
"""Reason of transactions ignored by `documents.order_pattern`."""


class ListedTransaction(Struct, frozen=True):
    """An inbound transaction as listed by Stedi."""

    transaction_id: str
    execution_id: str
    set_id: str
    partnership: str
    supplier: str | None
    processed_at: datetime
    sender: str | None
    release: str | None
    interchange_control: int | None
    group_control: int | None
    set_control: int | None


class Inbound(Struct, frozen=True):
    """One row of `inbox`; the document is read separately."""

    transaction_id: str
    execution_id: str
    set_id: str
    partnership: str
    supplier: str | None
    processed_at: datetime
    received_at: datetime
    sender: str | None
    release: str | None
    interchange_control: int | None
    group_control: int | None
    set_control: int | None
    document_form: str | None
    content_hash: str | None
    state: InboxState
    order_id: str | None
    document_id: int | None
    type_code: str | None
    dated: str | None
    decisions: Mapping[str, str]
    """Decisions of users: line number, or `*` for all, to `accept` or `reject`."""
    reason: str | None


class Inbox:
    """The tables `inbox` and `lines`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_one(self, listed: ListedTransaction, now: datetime) -> bool:
        """Add a listed transaction; return whether it is new (listings may repeat one)."""
        added = self._database.execute(
            "INSERT INTO inbox (transaction_id, execution_id, set_id, partnership, supplier, processed_at, received_at,"
            " sender, release, interchange_control, group_control, set_control, state)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'listed') ON CONFLICT (transaction_id) DO NOTHING",
            (
                short_id(listed.transaction_id),
                short_id(listed.execution_id),
                listed.set_id,
                listed.partnership,
                listed.supplier,
                short_time(listed.processed_at),
                short_time(now),
                listed.sender,
                listed.release,
                listed.interchange_control,
                listed.group_control,
                listed.set_control,
            ),
        )
        return added == 1

    def store(self, transaction_id: str, document: bytes, form: str, content_hash: str) -> None:
        """Store the document as received."""
        self._database.execute(
            "UPDATE inbox SET state = 'stored', document = ?, document_form = ?, content_hash = ?"
            " WHERE transaction_id = ?",
            (pack(document), form, short_hash(content_hash), short_id(transaction_id)),
        )

    def set_set(self, transaction_id: str, set_id: str) -> None:
        """Set the transaction set from the document, where the listing had none."""
        self._database.execute(
            "UPDATE inbox SET set_id = ? WHERE transaction_id = ?", (set_id, short_id(transaction_id))
        )

    def document(self, transaction_id: str) -> bytes | None:
        """The document as received; None before it is fetched and after it was deleted (`state.keep_days`)."""
        row = self._database.row("SELECT document FROM inbox WHERE transaction_id = ?", (short_id(transaction_id),))
        return None if row is None or row["document"] is None else unpack(row["document"])

    def get(self, transaction_id: str) -> Inbound | None:
        """The transaction of this id; None if it is not known."""
        found = self._query("WHERE transaction_id = ?", short_id(transaction_id))
        return found[0] if found else None

    def in_state(self, *states: InboxState) -> list[Inbound]:
        """Transactions in these states, in the order in which Stedi processed them."""
        marks = ", ".join("?" * len(states))
        return self._query(f"WHERE state IN ({marks}) ORDER BY processed_at, transaction_id", *states)

    def partnerships_ignored_for(self, reason: str) -> list[str]:
        """The partnerships of transactions ignored for this reason."""
        # Recursive: one index step per partnership, whatever the number of transactions.
        rows = self._database.rows(
            "WITH RECURSIVE found (partnership) AS ("
            " SELECT min(partnership) FROM inbox WHERE state = 'ignored' AND reason = ?1 UNION ALL"
            " SELECT (SELECT min(inbox.partnership) FROM inbox WHERE state = 'ignored' AND reason = ?1"
            " AND inbox.partnership > found.partnership) FROM found WHERE found.partnership IS NOT NULL)"
            " SELECT partnership FROM found WHERE partnership IS NOT NULL",
            (reason,),
        )
        return [row["partnership"] for row in rows]

    def ignored_for(self, reason: str, partnership: str) -> list[Inbound]:
        """Transactions over a partnership that were ignored for this reason."""
        return self._query("WHERE state = 'ignored' AND reason = ? AND partnership = ?", reason, partnership)

    def ignored_by_pattern(self) -> list[Inbound]:
        """Transactions ignored by `documents.order_pattern` as another plant's (reason OF_ANOTHER_PLANT)."""
        begin, _, _ = OF_ANOTHER_PLANT.partition("{number}")
        return self._query(
            "INDEXED BY inbox_ignored WHERE state = 'ignored' AND reason >= ? AND reason < ? AND reason LIKE ?",
            *(begin, begin + "\U0010ffff", OF_ANOTHER_PLANT.format(number="%")),
        )

    def list_again(self, transaction_id: str, supplier: str, now: datetime) -> None:
        """Process an ignored transaction whose partnership became known, as if it was received now."""
        self._database.execute(
            "UPDATE inbox SET state = CASE WHEN document IS NULL THEN 'listed' ELSE 'stored' END, supplier = ?,"
            " received_at = ?, reason = NULL WHERE transaction_id = ?",
            (supplier, short_time(now), short_id(transaction_id)),
        )

    def explain(self, transaction_id: str, reason: str) -> None:
        """Replace its reason; the state does not change."""
        self._database.execute(
            "UPDATE inbox SET reason = ? WHERE transaction_id = ?", (reason, short_id(transaction_id))
        )

    def of_order(self, order_id: str) -> list[Inbound]:
        """Transactions received for an order, in the order in which Stedi processed them."""
        return self._query("WHERE order_id = ? ORDER BY processed_at, transaction_id", short_id(order_id))

    def last_functional_ack(self, document_id: int, excluding: str) -> Inbound | None:
        """The last 997 applied to a document, except one transaction."""
        found = self._query(
            "INDEXED BY inbox_of_document WHERE document_id = ? AND set_id = '997' AND state = 'applied'"
            " AND transaction_id <> ? ORDER BY processed_at DESC, transaction_id DESC LIMIT 1",
            document_id,
            short_id(excluding),
        )
        return found[0] if found else None

    def assign(
        self,
        transaction_id: str,
        *,
        order_id: str | None,
        document_id: int | None,
        type_code: str | None,
        dated: str | None,
        content_hash: str,
    ) -> None:
        """Store order and document as far as they are known, type code, date, and the fingerprint of the content."""
        outcome = self.outcome(transaction_id)
        if outcome is not None:
            store_lines_of(self._database, transaction_id)
        self._database.execute(
            "UPDATE inbox SET order_id = ?, document_id = ?, type_code = ?, dated = ?, content_hash = ?"
            " WHERE transaction_id = ?",
            (
                *(maybe_short_id(order_id), document_id, type_code, dated),
                *(short_hash(content_hash), short_id(transaction_id)),
            ),
        )
        if outcome is not None:
            # It is compressed beside the order.
            self.set_outcome(transaction_id, outcome)

    def move(self, transaction_id: str, state: InboxState, reason: str | None) -> None:
        """Set the state, by a legal move, and the reason."""
        self._database.execute(
            "UPDATE inbox SET state = ?, reason = ? WHERE transaction_id = ?", (state, reason, short_id(transaction_id))
        )

    def set_outcome(self, transaction_id: str, outcome: Reconciliation) -> None:
        """Store the outcome of the acknowledgment, line by line; its order is known."""
        row = self._database.row(
            "SELECT order_id, outcome IS NOT NULL AS replaced FROM inbox WHERE transaction_id = ?",
            (short_id(transaction_id),),
        )
        if row is None:
            return
        packed = pack_model(outcome, first_revision(self._database, maybe_id_of(row["order_id"])))
        if row["replaced"]:
            store_lines_of(self._database, transaction_id)
        self._database.execute(
            "UPDATE inbox SET outcome = ? WHERE transaction_id = ?", (packed, short_id(transaction_id))
        )

    def outcome(self, transaction_id: str) -> Reconciliation | None:
        """The outcome stored by `set_outcome`; None if there is none."""
        return stored_outcome(self._database, transaction_id)

    def decide(self, transaction_id: str, decisions: Mapping[str, str]) -> None:
        """Add a user's decisions. Raise KeyError if there is no such transaction."""
        row = self._database.row("SELECT decisions FROM inbox WHERE transaction_id = ?", (short_id(transaction_id),))
        if row is None:
            raise KeyError(f"there is no transaction {transaction_id}")
        merged = {**json.loads(row["decisions"]), **decisions}
        self._database.execute(
            "UPDATE inbox SET decisions = ? WHERE transaction_id = ?",
            (json.dumps(merged, sort_keys=True), short_id(transaction_id)),
        )

    def counts_by_set(self) -> dict[str, int]:
        """Number of transactions received, by set."""
        rows = self._database.rows("SELECT set_id, n FROM inbox_counts WHERE n > 0 ORDER BY set_id")
        return {row["set_id"]: row["n"] for row in rows}

    def set_lines(self, stream: str, order_id: str, outcomes: Iterable[LineOutcome]) -> None:
        """Store the current state of lines of a stream."""
        of_stream, sources = (short_id(order_id), _part(stream, order_id)), transactions_with(self._database, order_id)
        for outcome in outcomes:
            source = sources.get((outcome.line, repr(outcome)))
            packed = b"" if source is not None else pack_model(outcome, first_revision(self._database, order_id))
            self._database.execute(
                "INSERT INTO lines (order_id, part, line, state, outcome, transaction_id) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (order_id, part, line) DO UPDATE"
                " SET state = excluded.state, outcome = excluded.outcome, transaction_id = excluded.transaction_id",
                (*of_stream, outcome.line, outcome.state, packed, source),
            )

    def keep_lines(self, stream: str, order_id: str, numbers: Collection[int]) -> None:
        """Delete the other lines of a stream: no acknowledgment that counts lists them any more."""
        of_stream = (short_id(order_id), _part(stream, order_id))
        rows = self._database.rows("SELECT line FROM lines WHERE order_id = ? AND part = ?", of_stream)
        for number in {row["line"] for row in rows} - set(numbers):
            self._database.execute(
                "DELETE FROM lines WHERE order_id = ? AND part = ? AND line = ?", (*of_stream, number)
            )

    def lines_of_stream(self, stream: str, order_id: str) -> dict[int, LineOutcome]:
        """Current outcome of a stream's lines, by line number."""
        rows = self._database.rows(
            "SELECT line, outcome, transaction_id FROM lines WHERE order_id = ? AND part = ? ORDER BY line",
            (short_id(order_id), _part(stream, order_id)),
        )
        first = first_revision(self._database, order_id) if rows else b""
        return {row["line"]: self._line(row, first) for row in rows}

    def lines(self, order_id: str) -> list[tuple[str, LineOutcome]]:
        """Stream and current outcome of an order's lines, sorted by stream and line number."""
        rows = self._database.rows(
            "SELECT part, line, outcome, transaction_id FROM lines WHERE order_id = ? ORDER BY part, line",
            (short_id(order_id),),
        )
        first = first_revision(self._database, order_id) if rows else b""
        return [(order_id + row["part"], self._line(row, first)) for row in rows]

    def _line(self, row: Row, first: bytes) -> LineOutcome:
        if row["transaction_id"] is not None:
            return line_in(self._database, id_of(row["transaction_id"]), row["line"])
        return unpack_model(LineOutcome, row["outcome"], first)

    def line_counts(self, supplier: str | None = None) -> dict[str, int]:
        """Number of lines by state, of one supplier or of all."""
        if supplier is None:
            rows = self._database.rows(
                "SELECT state, sum(n) AS n FROM line_counts WHERE n > 0 GROUP BY state ORDER BY state"
            )
        else:
            rows = self._database.rows(
                "SELECT state, n FROM line_counts WHERE supplier = ? AND n > 0 ORDER BY state", (supplier,)
            )
        return {row["state"]: row["n"] for row in rows}

    def _query(self, clause: str, *parameters: object) -> list[Inbound]:
        rows = self._database.rows(f"SELECT {_INBOUND.listed} FROM inbox {clause}", parameters)
        return [_INBOUND.record_of(row) for row in rows]


def _part(stream: str, order_id: str) -> str:
    """A stream's name without the order's id: empty, or its release."""
    if not stream.startswith(order_id):
        raise ValueError(f"{stream} is not a stream of {order_id}")
    return stream[len(order_id) :]


_INBOUND = Columns(
    Inbound,
    {
        "transaction_id": id_of,
        "execution_id": id_of,
        "processed_at": time_of,
        "received_at": time_of,
        "content_hash": maybe_hash_of,
        "state": InboxState,
        "order_id": maybe_id_of,
        "decisions": json.loads,
    },
)
