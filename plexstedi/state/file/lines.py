"""The current state of a line is stored once: a line that a transaction's outcome has only names the transaction."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from plexstedi.edi.inbound.outcome import LineOutcome, Reconciliation
from plexstedi.state.file.codec import pack_model, unpack_model
from plexstedi.state.file.database import Database
from plexstedi.state.file.first_revision import first_revision
from plexstedi.state.file.short import id_of, maybe_id_of, short_id


def stored_outcome(database: Database, transaction_id: str) -> Reconciliation | None:
    """The outcome of a transaction; None if there is none."""
    row = database.row("SELECT outcome, order_id FROM inbox WHERE transaction_id = ?", (short_id(transaction_id),))
    if row is None or row["outcome"] is None:
        return None
    return unpack_model(Reconciliation, row["outcome"], first_revision(database, maybe_id_of(row["order_id"])))


def transactions_with(database: Database, order_id: str) -> Mapping[tuple[int, str], bytes | str]:
    """The transactions of an order, as stored, by the lines that their outcomes have: number and `repr` of a line.

    Without large outcomes, and without those that cannot be read.
    """
    rows = database.rows(
        "SELECT transaction_id, outcome FROM inbox WHERE order_id = ? AND length(outcome) <= 4096",
        (short_id(order_id),),
    )
    first = first_revision(database, order_id) if rows else b""
    found: dict[tuple[int, str], bytes | str] = {}
    for row in rows:
        try:
            lines = unpack_model(Reconciliation, row["outcome"], first).lines
        except (zlib.error, ValueError):
            continue
        # Of equal numbers the first, as `line_in` finds it. Equal quantities may differ in their digits, which `repr`
        # has.
        for line in {line.line: line for line in reversed(lines)}.values():
            found.setdefault((line.line, repr(line)), row["transaction_id"])
    return found


def line_in(database: Database, transaction_id: str, number: int) -> LineOutcome:
    """The line of this number in the outcome of a transaction. Raise KeyError if it has none."""
    outcome = stored_outcome(database, transaction_id)
    for line in () if outcome is None else outcome.lines:
        if line.line == number:
            return line
    raise KeyError(f"transaction {transaction_id} has no line {number}")


def store_lines_of(database: Database, transaction_id: str) -> None:
    """Store the lines that have their outcome in this transaction on their own: it is about to change."""
    rows = database.rows(
        "SELECT lines.order_id, part, line FROM inbox JOIN lines ON lines.order_id = inbox.order_id"
        " AND lines.transaction_id = inbox.transaction_id WHERE inbox.transaction_id = ?",
        (short_id(transaction_id),),
    )
    for row in rows:
        outcome = line_in(database, transaction_id, row["line"])
        database.execute(
            "UPDATE lines SET outcome = ?, transaction_id = NULL WHERE order_id = ? AND part = ? AND line = ?",
            (
                pack_model(outcome, first_revision(database, id_of(row["order_id"]))),
                *(row["order_id"], row["part"], row["line"]),
            ),
        )
