"""Inbound transactions: stored as received, decided afterwards; and the lines they speak of."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from plexstedi.edi.inbound.outcome import LineOutcome, Reconciliation
from plexstedi.state.file.codec import instant, moment, pack, pack_model, unpack, unpack_model
from plexstedi.state.file.database import Database, Row


class InboxState(StrEnum):
    """Where an inbound transaction is; the legal moves are in `schema.INBOX_MOVES`."""

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
        """Not decided yet: it is fetched, or decided, by a later run."""
        return self in _UNDECIDED

    @property
    def is_disregarded(self) -> bool:
        """A duplicate, or ignored: it says nothing of any order."""
        return self in _DISREGARDED


_UNDECIDED = frozenset({InboxState.LISTED, InboxState.STORED, InboxState.WAITING})
_DISREGARDED = frozenset({InboxState.DUPLICATE, InboxState.IGNORED})

OF_ANOTHER_PLANT = "order {number} belongs to another plant"
"""The reason of what is ignored by `documents.order_pattern`."""


@dataclass(frozen=True, slots=True)
class ListedTransaction:
    """What the listing says of an inbound transaction."""

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


@dataclass(frozen=True, slots=True)
class Inbound:
    """One row of `inbox`; the document is read on demand."""

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
    """What a person decided: line number, or `*` for all, to `accept` or `reject`."""
    reason: str | None


class Inbox:
    """The tables `inbox` and `lines`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_one(self, listed: ListedTransaction, now: datetime) -> bool:
        """Note a transaction of the listing; whether it is new (a listing may repeat itself)."""
        added = self._database.execute(
            "INSERT INTO inbox (transaction_id, execution_id, set_id, partnership, supplier, processed_at, received_at,"
            " sender, release, interchange_control, group_control, set_control, state)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'listed') ON CONFLICT (transaction_id) DO NOTHING",
            (
                listed.transaction_id,
                listed.execution_id,
                listed.set_id,
                listed.partnership,
                listed.supplier,
                instant(listed.processed_at),
                instant(now),
                listed.sender,
                listed.release,
                listed.interchange_control,
                listed.group_control,
                listed.set_control,
            ),
        )
        return added == 1

    def store(self, transaction_id: str, document: bytes, form: str, content_hash: str) -> None:
        """Keep the document as received."""
        self._database.execute(
            "UPDATE inbox SET state = 'stored', document = ?, document_form = ?, content_hash = ?"
            " WHERE transaction_id = ?",
            (pack(document), form, content_hash, transaction_id),
        )

    def set_set(self, transaction_id: str, set_id: str) -> None:
        """The transaction set, told by the document where the listing did not."""
        self._database.execute("UPDATE inbox SET set_id = ? WHERE transaction_id = ?", (set_id, transaction_id))

    def document(self, transaction_id: str) -> bytes | None:
        """The document as received; None while it was not fetched, and once it was dropped (`state.keep_days`)."""
        row = self._database.row("SELECT document FROM inbox WHERE transaction_id = ?", (transaction_id,))
        return None if row is None or row["document"] is None else unpack(row["document"])

    def get(self, transaction_id: str) -> Inbound | None:
        """The transaction of this id."""
        found = self._query("WHERE transaction_id = ?", transaction_id)
        return found[0] if found else None

    def in_state(self, *states: InboxState) -> list[Inbound]:
        """Transactions in these states, in the order in which Stedi processed them."""
        marks = ", ".join("?" * len(states))
        return self._query(f"WHERE state IN ({marks}) ORDER BY processed_at, transaction_id", *states)

    def partnerships_ignored_for(self, reason: str) -> list[str]:
        """The partnerships of transactions left alone for this reason, each found by one step in the index."""
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
        """Transactions over a partnership that were left alone for this reason."""
        return self._query("WHERE state = 'ignored' AND reason = ? AND partnership = ?", reason, partnership)

    def ignored_by_pattern(self) -> list[Inbound]:
        """Transactions that `documents.order_pattern` told to be another plant's (OF_ANOTHER_PLANT is their reason)."""
        begin, _, _ = OF_ANOTHER_PLANT.partition("{number}")
        return self._query(
            "INDEXED BY inbox_ignored WHERE state = 'ignored' AND reason >= ? AND reason < ? AND reason LIKE ?",
            *(begin, begin + "\U0010ffff", OF_ANOTHER_PLANT.format(number="%")),
        )

    def list_again(self, transaction_id: str, supplier: str, now: datetime) -> None:
        """Its partnership has become known: to be fetched, and from now on awaited as if it had just come in."""
        self._database.execute(
            "UPDATE inbox SET state = CASE WHEN document IS NULL THEN 'listed' ELSE 'stored' END, supplier = ?,"
            " received_at = ?, reason = NULL WHERE transaction_id = ?",
            (supplier, instant(now), transaction_id),
        )

    def explain(self, transaction_id: str, reason: str) -> None:
        """Another reason why it stays as it is."""
        self._database.execute("UPDATE inbox SET reason = ? WHERE transaction_id = ?", (reason, transaction_id))

    def of_order(self, order_id: str) -> list[Inbound]:
        """All that was received for an order."""
        return self._query("WHERE order_id = ? ORDER BY processed_at, transaction_id", order_id)

    def last_functional_ack(self, document_id: int, besides: str) -> Inbound | None:
        """The last 997 that was applied to a document, besides one transaction."""
        found = self._query(
            "INDEXED BY inbox_of_document WHERE document_id = ? AND set_id = '997' AND state = 'applied'"
            " AND transaction_id <> ? ORDER BY processed_at DESC, transaction_id DESC LIMIT 1",
            document_id,
            besides,
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
        """Whose answer it is, as far as that is known, and the mark of what it says."""
        self._database.execute(
            "UPDATE inbox SET order_id = ?, document_id = ?, type_code = ?, dated = ?, content_hash = ?"
            " WHERE transaction_id = ?",
            (order_id, document_id, type_code, dated, content_hash, transaction_id),
        )

    def move(self, transaction_id: str, state: InboxState, reason: str | None) -> None:
        """Move along a legal move, with the reason."""
        self._database.execute(
            "UPDATE inbox SET state = ?, reason = ? WHERE transaction_id = ?", (state, reason, transaction_id)
        )

    def set_outcome(self, transaction_id: str, outcome: Reconciliation) -> None:
        """What the answer says, line by line."""
        self._database.execute(
            "UPDATE inbox SET outcome = ? WHERE transaction_id = ?", (pack_model(outcome), transaction_id)
        )

    def outcome(self, transaction_id: str) -> Reconciliation | None:
        """What `set_outcome` stored."""
        row = self._database.row("SELECT outcome FROM inbox WHERE transaction_id = ?", (transaction_id,))
        return None if row is None or row["outcome"] is None else unpack_model(Reconciliation, row["outcome"])

    def decide(self, transaction_id: str, decisions: Mapping[str, str]) -> None:
        """Add a person's decisions."""
        row = self._database.row("SELECT decisions FROM inbox WHERE transaction_id = ?", (transaction_id,))
        if row is None:
            raise KeyError(f"there is no transaction {transaction_id}")
        merged = {**json.loads(row["decisions"]), **decisions}
        self._database.execute(
            "UPDATE inbox SET decisions = ? WHERE transaction_id = ?",
            (json.dumps(merged, sort_keys=True), transaction_id),
        )

    def counts_by_set(self) -> dict[str, int]:
        """How many transactions of each set were received."""
        rows = self._database.rows("SELECT set_id, n FROM inbox_counts WHERE n > 0 ORDER BY set_id")
        return {row["set_id"]: row["n"] for row in rows}

    def set_line(self, stream: str, order_id: str, outcome: LineOutcome, transaction_id: str | None) -> None:
        """What stands of a line now."""
        self._database.execute(
            "INSERT INTO lines (stream, order_id, line, state, transaction_id, outcome) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (stream, line) DO UPDATE SET state = excluded.state,"
            " transaction_id = excluded.transaction_id, outcome = excluded.outcome",
            (stream, order_id, outcome.line, outcome.state, transaction_id, pack_model(outcome)),
        )

    def keep_lines(self, stream: str, numbers: Collection[int]) -> None:
        """Drop what was said of other lines of a stream: no answer that counts speaks of them any more."""
        for number in set(self.lines_of_stream(stream)) - set(numbers):
            self._database.execute("DELETE FROM lines WHERE stream = ? AND line = ?", (stream, number))

    def lines_of_stream(self, stream: str) -> dict[int, LineOutcome]:
        """What stands of a stream's lines, by line number."""
        rows = self._database.rows("SELECT line, outcome FROM lines WHERE stream = ? ORDER BY line", (stream,))
        return {row["line"]: unpack_model(LineOutcome, row["outcome"]) for row in rows}

    def lines(self, order_id: str) -> list[tuple[str, LineOutcome]]:
        """What stands of an order's lines: stream and outcome, by stream and line number."""
        rows = self._database.rows(
            "SELECT stream, outcome FROM lines WHERE order_id = ? ORDER BY stream, line", (order_id,)
        )
        return [(row["stream"], unpack_model(LineOutcome, row["outcome"])) for row in rows]

    def line_counts(self, supplier: str | None = None) -> dict[str, int]:
        """How many lines stand in each state, of one supplier or of all."""
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
        return [_inbound(row) for row in self._database.rows(f"SELECT {_COLUMNS} FROM inbox {clause}", parameters)]


_COLUMNS = (
    "transaction_id, execution_id, set_id, partnership, supplier, processed_at, received_at, sender, release,"
    " interchange_control, group_control, set_control, document_form, content_hash, state, order_id, document_id,"
    " type_code, dated, decisions, reason"
)


def _inbound(row: Row) -> Inbound:
    return Inbound(
        transaction_id=row["transaction_id"],
        execution_id=row["execution_id"],
        set_id=row["set_id"],
        partnership=row["partnership"],
        supplier=row["supplier"],
        processed_at=moment(row["processed_at"]),
        received_at=moment(row["received_at"]),
        sender=row["sender"],
        release=row["release"],
        interchange_control=row["interchange_control"],
        group_control=row["group_control"],
        set_control=row["set_control"],
        document_form=row["document_form"],
        content_hash=row["content_hash"],
        state=InboxState(row["state"]),
        order_id=row["order_id"],
        document_id=row["document_id"],
        type_code=row["type_code"],
        dated=row["dated"],
        decisions=json.loads(row["decisions"]),
        reason=row["reason"],
    )
