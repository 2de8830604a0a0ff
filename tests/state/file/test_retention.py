"""Old contents go, what a decision needs stays."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from plexstedi.edi.reasons import Reason
from plexstedi.state.document_states import DocumentState
from plexstedi.state.executions import ExecutionRecord
from plexstedi.state.file import retention
from plexstedi.state.file.retention import DroppedContents, drop_contents
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.store import Store, altered_payload
from plexstedi.state.subject import Subject, of_document, of_stream
from tests.state.conftest import NOW, a_document, brought_to

LATER = NOW + timedelta(days=1)
REASON = Reason(code="refused", where="order", message="no", fix="yes")


def dropped(store, before):
    """What was deleted, per transaction."""
    notes = []
    assert drop_contents(store.database, before, notes.append)
    return notes


def test_contents_of_a_final_document_go_and_what_the_supplier_was_sent_stays(store):
    first = brought_to(store, DocumentState.DELIVERED)
    last = brought_to(store, DocumentState.DELIVERED, counter=2)
    assert dropped(store, LATER) == [DroppedContents(2, 0)]
    assert (store.documents.body(first.id), store.documents.x12(first.id)) == (b"", "")
    assert store.documents.sent(first.id) == a_document().sent
    assert store.documents.get(first.id) == first
    assert (store.documents.body(last.id), store.documents.x12(last.id)) == (b"", "")
    assert dropped(store, LATER) == []
    brought_to(store, DocumentState.SENDING, counter=3)
    assert dropped(store, LATER) == []


def test_an_open_review_item_of_the_order_keeps_what_it_is_compared_with(store):
    sent = brought_to(store, DocumentState.DELIVERED)
    subject = of_stream(sent.stream)
    store.reviews.open(ReviewKind.RECOVERED_DIFFERS, subject, (REASON,), NOW, order_id=sent.order_id)
    assert dropped(store, LATER) == []
    assert store.documents.x12(sent.id) == a_document().x12
    store.reviews.withdraw(ReviewKind.RECOVERED_DIFFERS, subject, NOW, "mended")
    assert dropped(store, LATER) == [DroppedContents(1, 0)]


def test_attempts_and_files_of_a_delivered_document_go_and_when_it_was_listed_stays(store):
    sent, at = brought_to(store, DocumentState.DELIVERED), NOW - timedelta(minutes=3)
    other = brought_to(store, DocumentState.SENDING, "PO-2")
    for number, (name, seen) in enumerate(((sent.file_name, at), (sent.file_name, NOW), (other.file_name, NOW))):
        store.executions.record(ExecutionRecord(f"e{number}", name, None, "OUTBOUND", "COMPLETED", seen, None))
    dropped(store, LATER)
    assert store.documents.attempts(sent.id) == []
    assert len(store.documents.attempts(other.id)) == 1
    assert [store.executions.get(f"e{number}") is None for number in range(3)] == [True, True, False]
    assert store.executions.first_seen_at(sent.file_name) == at
    assert store.executions.first_seen_at(other.file_name) == NOW
    # Stedi's list was read again from the beginning.
    store.executions.record(ExecutionRecord("e1", sent.file_name, None, "OUTBOUND", "COMPLETED", NOW, None))
    assert store.executions.unknown_to_ledger() == []
    assert store.executions.first_seen_at(sent.file_name) == at
    assert dropped(store, LATER) == []
    assert store.executions.get("e1") is None
    assert store.executions.first_seen_at(sent.file_name) == at


@pytest.mark.parametrize("state", [DocumentState.REFUSED, DocumentState.WITHDRAWN])
def test_the_last_document_that_did_not_arrive_keeps_its_bytes_for_another_attempt(store, state):
    document = brought_to(store, state)
    assert dropped(store, LATER) == []
    assert store.documents.body(document.id) == a_document().body


@pytest.mark.parametrize("state", [s for s in DocumentState if s not in ("delivered", "refused", "withdrawn")])
def test_an_open_document_keeps_its_bytes_whoever_asks(store, state):
    document = brought_to(store, state)
    assert dropped(store, LATER) == []
    with pytest.raises(sqlite3.IntegrityError, match="keeps its bytes"):
        store.database.execute("UPDATE documents SET body = x'' WHERE id = ?", (document.id,))


def test_what_needs_review_and_what_is_young_is_kept(store):
    asked = brought_to(store, DocumentState.REFUSED)
    brought_to(store, DocumentState.FAILED, counter=2)
    store.reviews.open(ReviewKind.DOCUMENT_REFUSED, of_document(asked.id), (REASON,), NOW)
    assert dropped(store, LATER) == []
    store.reviews.withdraw(ReviewKind.DOCUMENT_REFUSED, of_document(asked.id), NOW, "mended")
    assert dropped(store, NOW) == []
    assert dropped(store, LATER) == [DroppedContents(1, 0)]


def test_bytes_are_dropped_and_never_replaced(store):
    document = brought_to(store, DocumentState.DELIVERED)
    with pytest.raises(sqlite3.IntegrityError, match="never changes"):
        store.database.execute("UPDATE documents SET body = ? WHERE id = ?", (b"other", document.id))


def test_many_contents_are_dropped_a_few_at_a_time_and_the_next_run_continues(store, monkeypatch):
    monkeypatch.setattr(retention, "MOST_ROWS", 5)
    for counter in range(1, 24):
        brought_to(store, DocumentState.DELIVERED, counter=counter)
    notes, left = [], [True, True, True, False]
    assert not drop_contents(store.database, LATER, notes.append, lambda: left.pop(0))
    # Ids begin at 1: the first transaction is about 1 to 4.
    assert notes == [DroppedContents(4, 0), DroppedContents(5, 0), DroppedContents(5, 0)]
    assert dropped(store, LATER) == [DroppedContents(5, 0), DroppedContents(4, 0)]
    assert dropped(store, LATER) == []


def test_a_run_killed_while_it_drops_leaves_a_whole_trail(path, monkeypatch):
    monkeypatch.setattr(retention, "MOST_ROWS", 2)
    with closing(Store.open(path, NOW)) as opened:
        for counter in range(1, 8):
            brought_to(opened, DocumentState.DELIVERED, counter=counter)

    def drop(killed_after: int) -> int:
        """Drop in a process that is killed in a transaction, after this number of them."""
        pid = os.fork()
        if pid == 0:
            opened, notes = Store.open(path, NOW), []

            def note(gone: DroppedContents) -> None:
                notes.append(gone)
                opened.audit.append(NOW, "plexstedi", "contents-dropped", Subject("run"), n=gone.documents)
                if len(notes) > killed_after:
                    os.kill(os.getpid(), signal.SIGKILL)

            try:
                drop_contents(opened.database, LATER, note)
                os._exit(0)
            finally:
                os._exit(1)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def noted_and_gone() -> tuple[int, int]:
        with closing(Store.open(path, NOW)) as opened:
            assert opened.audit.verify() is None
            assert altered_payload(opened) is None
            gone = opened.database.number("SELECT count(*) FROM documents WHERE body = x''")
            return sum(e.detail["n"] for e in opened.audit.events() if e.kind == "contents-dropped"), gone

    assert drop(0) == -signal.SIGKILL
    assert noted_and_gone() == (0, 0)
    assert drop(1) == -signal.SIGKILL
    noted, gone = noted_and_gone()
    assert noted == gone == 1
    assert drop(99) == 0
    assert noted_and_gone() == (7, 7)
