"""Old contents go, what a decision needs stays."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest

from plexstedi.edi.reasons import Reason
from plexstedi.state.document_states import DocumentState
from plexstedi.state.file.retention import DroppedContents, drop_contents
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import of_document
from tests.state.conftest import NOW, a_document, brought_to

LATER = NOW + timedelta(days=1)
REASON = Reason(code="refused", where="order", message="no", fix="yes")


def test_contents_of_a_final_document_go_and_what_the_supplier_was_sent_stays(store):
    first = brought_to(store, DocumentState.DELIVERED)
    last = brought_to(store, DocumentState.DELIVERED, counter=2)
    assert drop_contents(store.database, LATER) == DroppedContents(1, 0)
    assert (store.documents.body(first.id), store.documents.x12(first.id)) == (b"", "")
    assert store.documents.sent(first.id) == a_document().sent
    assert store.documents.get(first.id) == first
    assert store.documents.body(last.id) == a_document().body
    assert drop_contents(store.database, LATER) == DroppedContents(0, 0)


@pytest.mark.parametrize("state", [s for s in DocumentState if s not in ("delivered", "refused", "withdrawn")])
def test_an_open_document_keeps_its_bytes_whoever_asks(store, state):
    document = brought_to(store, state)
    assert drop_contents(store.database, LATER) == DroppedContents(0, 0)
    with pytest.raises(sqlite3.IntegrityError, match="keeps its bytes"):
        store.database.execute("UPDATE documents SET body = x'' WHERE id = ?", (document.id,))


def test_what_needs_review_and_what_is_young_is_kept(store):
    asked = brought_to(store, DocumentState.REFUSED)
    brought_to(store, DocumentState.DELIVERED, counter=2)
    store.reviews.open(ReviewKind.DOCUMENT_REFUSED, of_document(asked.id), (REASON,), NOW)
    assert drop_contents(store.database, LATER) == DroppedContents(0, 0)
    store.reviews.withdraw(ReviewKind.DOCUMENT_REFUSED, of_document(asked.id), NOW, "mended")
    assert drop_contents(store.database, NOW) == DroppedContents(0, 0)
    assert drop_contents(store.database, LATER) == DroppedContents(1, 0)


def test_bytes_are_dropped_and_never_replaced(store):
    document = brought_to(store, DocumentState.DELIVERED)
    with pytest.raises(sqlite3.IntegrityError, match="never changes"):
        store.database.execute("UPDATE documents SET body = ? WHERE id = ?", (b"other", document.id))
