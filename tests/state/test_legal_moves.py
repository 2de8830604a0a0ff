"""Impossible histories: whatever the program's own mistakes, the file refuses a move that is not legal."""

from __future__ import annotations

import sqlite3
from itertools import product

import pytest

from plexstedi.state.document_states import DocumentState
from plexstedi.state.file.schema import DOCUMENT_MOVES, INBOX_MOVES, REVIEW_MOVES, WRITE_MOVES
from plexstedi.state.inbox import InboxState
from plexstedi.state.store import Store
from plexstedi.state.writes import WriteState

from .conftest import a_document, brought_to

TABLES = {
    "documents": (DOCUMENT_MOVES, [state.value for state in DocumentState]),
    "inbox": (INBOX_MOVES, [state.value for state in InboxState]),
    "writes": (WRITE_MOVES, [state.value for state in WriteState]),
    "reviews": (REVIEW_MOVES, ["open", "accepted", "rejected", "withdrawn"]),
}
ROWS = {
    "documents": "INSERT INTO documents (id, stream, order_id, order_number, supplier, partnership,"
    " transaction_setting, kind, purpose, revision, change_sequence, counter, idempotency_key, file_name, route, body,"
    " x12, sent, dropped, state, delivery, functional_ack, business_ack, frozen_at)"
    " VALUES (1, 's', 'o', 'PO', 'A', 'p', 't', '850', '00', 1, 0, 1, 'k', 'f', 'generate-edi', x'', x'', x'', '[]',"
    " ?, 'none', 'none', 'none', 'now')",
    "inbox": "INSERT INTO inbox (transaction_id, set_id, partnership, processed_at, received_at, execution_id, state)"
    " VALUES ('t', '855', 'p', 'now', 'now', 'e', ?)",
    "writes": "INSERT INTO writes (order_id, transaction_id, plan, state, planned_at) VALUES ('o', 't', x'', ?, 'now')",
    "reviews": "INSERT INTO reviews (kind, subject, reasons, state, opened_at)"
    " VALUES ('order-held', 's', '[]', ?, 'now')",
}


@pytest.mark.parametrize("table", TABLES)
def test_exactly_the_legal_moves_are_possible(store, table):
    moves, states = TABLES[table]
    store.database.execute("PRAGMA foreign_keys = OFF")
    allowed = set()
    for before, after in product(states, states):
        store.database.execute(f"DELETE FROM {table}")
        store.database.execute(ROWS[table], (before,))
        if _may_move(store, table, after):
            allowed.add((before, after))
    assert allowed == set(moves)


def _may_move(store: Store, table: str, after: str) -> bool:
    try:
        store.database.execute(f"UPDATE {table} SET state = ?", (after,))
    except sqlite3.IntegrityError:
        return False
    return True


@pytest.mark.parametrize("table", TABLES)
def test_every_state_that_a_move_names_exists(table):
    moves, states = TABLES[table]
    assert {state for move in moves for state in move} <= set(states)


@pytest.mark.parametrize(
    "column",
    ["stream", "order_id", "kind", "revision", "change_sequence", "counter", "idempotency_key", "file_name", "route"],
)
def test_what_was_frozen_never_changes(store, column):
    brought_to(store, DocumentState.FROZEN)
    with pytest.raises(sqlite3.IntegrityError, match="never changes"):
        store.database.execute(f"UPDATE documents SET {column} = {column}")


def test_the_bytes_of_a_document_cannot_be_replaced(store):
    document = brought_to(store, DocumentState.SENDING)
    with pytest.raises(sqlite3.IntegrityError, match="never changes"):
        store.database.execute("UPDATE documents SET body = x'00'")
    assert store.documents.body(document.id) == a_document().body


def test_two_names_for_one_state_do_not_exist(store):
    with pytest.raises(sqlite3.IntegrityError):
        store.database.execute(ROWS["reviews"].replace("'order-held'", "NULL"), ("open",))
