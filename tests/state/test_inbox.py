"""Nothing that a supplier sent is lost, doubled or changed."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from decimal import Decimal

import pytest

from plexstedi.edi.inbound.outcome import AckState, LineOutcome, Reconciliation
from plexstedi.state.inbox import InboxState, ListedTransaction

from .conftest import NOW, DocumentState, an_order, brought_to, keep_order


def listed(transaction_id: str = "t1", **more) -> ListedTransaction:
    facts = {
        "transaction_id": transaction_id,
        "execution_id": "e1",
        "set_id": "855",
        "partnership": "us_acme",
        "supplier": "ACME01",
        "processed_at": NOW,
        "sender": "ACME",
        "release": "004010",
        "interchange_control": 5,
        "group_control": 6,
        "set_control": 7,
        **more,
    }
    return ListedTransaction(**facts)


def outcome(line: int = 10, state: AckState = AckState.CONFIRMED) -> LineOutcome:
    return LineOutcome(
        line=line, line_id=f"l{line}", state=state, ordered=Decimal(100), open=Decimal(100), unit="EA",
        confirmed=Decimal(100), backordered=Decimal(0), rejected=Decimal(0), variance=Decimal(0),
    )  # fmt: skip


def said(*lines: LineOutcome) -> Reconciliation:
    return Reconciliation(set_id="855", order_number="PO-1001", type_code="AD", lines=lines)


def test_a_transaction_listed_twice_is_kept_once(store):
    assert store.inbox.list_one(listed(), NOW)
    store.inbox.store("t1", b"{}", "guide-json", "hash")
    assert not store.inbox.list_one(listed(), NOW)
    assert store.inbox.get("t1").state is InboxState.STORED


def test_a_document_is_kept_byte_for_byte(store):
    raw = b'{"heading": {"caf\xc3\xa9": 1.10}}\r\n'
    store.inbox.list_one(listed(), NOW)
    assert store.inbox.document("t1") is None
    store.inbox.store("t1", raw, "guide-json", "hash")
    assert store.inbox.document("t1") == raw
    assert store.inbox.document("t2") is None


def test_acknowledgments_are_decided_in_the_order_in_which_stedi_had_them(store):
    for transaction_id, minutes in (("b", 5), ("a", 5), ("c", 1)):
        store.inbox.list_one(listed(transaction_id, processed_at=NOW + timedelta(minutes=minutes)), NOW)
        store.inbox.store(transaction_id, b"{}", "guide-json", "hash")
    waiting = store.inbox.in_state(InboxState.STORED, InboxState.WAITING)
    assert [inbound.transaction_id for inbound in waiting] == ["c", "a", "b"]


def test_decisions_of_a_user_add_up_line_by_line(store):
    store.inbox.list_one(listed(), NOW)
    store.inbox.decide("t1", {"10": "accept"})
    store.inbox.decide("t1", {"20": "reject"})
    assert store.inbox.get("t1").decisions == {"10": "accept", "20": "reject"}
    with pytest.raises(KeyError):
        store.inbox.decide("t9", {"*": "accept"})


def test_an_outcome_and_its_lines_are_read_back_exactly(store):
    document = brought_to(store, DocumentState.DELIVERED)
    store.inbox.list_one(listed(), NOW)
    store.inbox.set_outcome("t1", said(outcome()))
    assert store.inbox.outcome("t1") == said(outcome())
    store.inbox.set_lines(document.stream, document.order_id, [outcome()])
    store.inbox.set_lines(document.stream, document.order_id, [outcome(state=AckState.CHANGED)])
    assert store.inbox.lines_of_stream(document.stream, document.order_id) == {10: outcome(state=AckState.CHANGED)}
    assert store.inbox.line_counts("ACME01") == {"changed": 1}
    assert store.inbox.line_counts("OTHER") == {}


def test_a_line_as_a_transaction_has_it_is_stored_once(store):
    document = brought_to(store, DocumentState.DELIVERED)
    order_id, stream = document.order_id, document.stream
    store.inbox.list_one(listed(), NOW)
    changed = outcome(20, state=AckState.CHANGED)
    of_all = said(outcome(), changed)

    def stored() -> list[bool]:
        return [len(row["outcome"]) > 0 for row in store.database.rows("SELECT outcome FROM lines ORDER BY line")]

    def assign(to: str | None) -> None:
        store.inbox.assign("t1", order_id=to, document_id=None, type_code="AD", dated=None, content_hash="hash")

    assign(order_id)
    store.inbox.set_outcome("t1", of_all)
    for line in (outcome(), changed, outcome(30)):
        store.inbox.set_lines(stream, order_id, [line])
    lines = {10: outcome(), 20: changed, 30: outcome(30)}
    assert stored() == [False, False, True]
    assert store.inbox.lines_of_stream(stream, order_id) == lines
    assert store.inbox.lines(order_id) == [(stream, line) for line in lines.values()]
    store.inbox.set_outcome("t1", said(outcome(state=AckState.REJECTED)))
    assert stored() == [True, True, True]
    assert store.inbox.lines_of_stream(stream, order_id) == lines
    store.inbox.set_outcome("t1", of_all)
    store.inbox.set_lines(stream, order_id, [outcome()])
    assert stored() == [False, True, True]
    assign(None)
    assert stored() == [True, True, True]
    assert store.inbox.lines_of_stream(stream, order_id) == lines


def test_an_outcome_that_a_line_needs_is_not_lost(store):
    document = brought_to(store, DocumentState.DELIVERED)
    store.inbox.list_one(listed(), NOW)
    store.inbox.assign(
        "t1", order_id=document.order_id, document_id=None, type_code="AD", dated=None, content_hash="hash"
    )
    store.inbox.set_outcome("t1", said(outcome()))
    store.inbox.set_lines(document.stream, document.order_id, [outcome()])
    for column in ("outcome", "order_id"):
        with pytest.raises(sqlite3.IntegrityError, match="a line has its outcome"):
            store.database.execute(f"UPDATE inbox SET {column} = NULL")


def test_an_acknowledgment_is_never_filed_under_an_order_that_does_not_exist(store):
    keep_order(store, an_order())
    with pytest.raises(sqlite3.IntegrityError):
        store.database.execute(
            "INSERT INTO lines (order_id, part, line, state, outcome) VALUES ('nobody', '', 1, 'held', x'')"
        )
