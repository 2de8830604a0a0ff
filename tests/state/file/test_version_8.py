"""What version 8 of the state file stores in another form is read as before, also from an older file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from plexstedi.edi.inbound.outcome import Reconciliation
from plexstedi.state.document_states import DocumentState
from plexstedi.state.file.codec import pack
from plexstedi.state.file.version_8 import CONVERTED, has_line, packed_again
from plexstedi.state.store import Store
from tests.older_state import make_older
from tests.state.conftest import NOW, a_document, an_order, brought_to, keep_order
from tests.state.test_inbox import listed, outcome

ORDER, TRANSACTION, HASH = "7cb73161-26a3-41d7-be96-8f7757a56e3f", "4fc289f7-ff2e-4189-ab74-180991323f9e", "0a" * 32


@pytest.fixture
def filled(store: Store) -> Store:
    """An acknowledged order whose ids are UUIDs."""
    keep_order(store, an_order(id=ORDER))
    document = store.documents.freeze(a_document(stream=ORDER, order_id=ORDER), NOW)
    store.documents.begin_attempt(document, NOW + timedelta(microseconds=1))
    store.documents.accept(
        document.id, NOW, file_execution_id=TRANSACTION, interchange_control=7, group_control=7, x12=None
    )
    store.inbox.list_one(listed(TRANSACTION), NOW)
    store.inbox.store(TRANSACTION, b"{}", "guide-json", HASH)
    store.inbox.assign(
        TRANSACTION, order_id=ORDER, document_id=document.id, type_code="AD", dated=None, content_hash=HASH
    )
    lines = (outcome(), outcome(20))
    store.inbox.set_outcome(
        TRANSACTION, Reconciliation(set_id="855", order_number="PO-1001", type_code="AD", lines=lines)
    )
    for line in lines:
        store.inbox.set_lines(ORDER, ORDER, [line])
    return store


def said(store: Store) -> list[object]:
    """What the state says of the order."""
    documents, inbox, orders = store.documents, store.inbox, store.orders
    return [
        *(orders.get(ORDER), orders.open_ids(), orders.revision(ORDER, 1), orders.revision_seen(ORDER, 1)),
        *(documents.of_order(ORDER), documents.of_stream(ORDER), documents.by_execution(TRANSACTION)),
        *(documents.attempts(1), documents.sent(1), documents.counter(ORDER, "850", 0, number="PO-1001", release=None)),
        *(inbox.get(TRANSACTION), inbox.of_order(ORDER), inbox.outcome(TRANSACTION), inbox.lines(ORDER)),
    ]


def test_ids_hashes_and_times_are_short(filled: Store, path: Path) -> None:
    filled.close()
    for _ in ("new", "converted"):
        with closing(sqlite3.connect(path)) as plain:
            assert plain.execute("SELECT id FROM orders").fetchone() == (bytes.fromhex(ORDER.replace("-", "")),)
            types = {
                (table, name): {kind for (kind,) in plain.execute(f"SELECT DISTINCT typeof({name}) FROM {table}")}
                for table, columns in CONVERTED.items()
                for name in columns
            }
            # The execution of the transaction is no UUID here.
            assert [place for place, kinds in types.items() if "text" in kinds] == [("inbox", "execution_id")]
            assert plain.execute("SELECT count(*) FROM lines WHERE length(outcome) = 0").fetchone() == (2,)
        make_older(path, 7)
        Store.open(path, NOW).close()


def test_an_older_file_says_the_same(filled: Store, path: Path) -> None:
    before = said(filled)
    filled.close()
    make_older(path, 7)
    with closing(sqlite3.connect(path)) as plain:
        assert plain.execute("SELECT id, first_seen FROM orders").fetchone() == (ORDER, "2026-11-23T08:00:00.000000Z")
        assert plain.execute("SELECT count(*) FROM lines WHERE length(outcome) = 0").fetchone() == (0,)
    with closing(Store.open_to_read(path)) as read:
        assert said(read) == before
    with closing(Store.open(path, NOW)) as again:
        assert said(again) == before
        assert again.database.rows("PRAGMA foreign_key_check") == []
        again.database.check_pages()


def test_what_is_damaged_hinders_nothing(filled: Store, path: Path) -> None:
    brought_to(filled, DocumentState.DELIVERED, "PO-2")
    before = filled.documents.of_order("id-PO-2")
    lines = filled.inbox.lines(ORDER)
    filled.close()
    make_older(path, 7)
    with closing(sqlite3.connect(path)) as plain, plain:
        plain.execute("UPDATE orders SET read_at = 'yesterday' WHERE number = 'PO-1001'")
        plain.execute("UPDATE inbox SET outcome = x'00', content_hash = 'none'")
        plain.execute("UPDATE revisions SET fingerprint = '' WHERE order_id = 'id-PO-2'")
    with closing(Store.open(path, NOW)) as again:
        assert again.documents.of_order("id-PO-2") == before
        assert again.inbox.lines(ORDER) == lines
        kept = again.inbox.get(TRANSACTION)
        assert kept is not None
        assert kept.content_hash == "none"
        with pytest.raises(ValueError, match="'yesterday' is not a time"):
            again.orders.get(ORDER)


def test_a_damaged_content_stays_as_it_is() -> None:
    assert packed_again(b"\0damaged", None) == b"\0damaged"
    assert packed_again(pack("{}"), b"\0damaged") == pack("{}")
    of_all = pack('{"lines":[{"line":1,"state":"held"}]}')
    assert has_line(of_all, pack('{"line":1,"state":"held"}'), None)
    assert not has_line(of_all, pack('{"line":1,"state":"confirmed"}'), None)
    assert not has_line(of_all, pack('{"line":2,"state":"held"}'), None)
    assert not has_line(b"\0damaged", pack('{"line":1,"state":"held"}'), None)
    assert not has_line(pack('{"lines":3}'), pack('{"line":1}'), None)
