"""A state file of an older version says the same after its conversion to the newest, wherever that was killed."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from datetime import timedelta
from itertools import islice
from pathlib import Path

import pytest
from msgspec.structs import replace

from plexstedi.edi.inbound.outcome import Reconciliation
from plexstedi.edi.model import from_json
from plexstedi.edi.sent import SentOrder
from plexstedi.state.document_states import DocumentState
from plexstedi.state.file import database
from plexstedi.state.file.codec import unpack
from plexstedi.state.file.schema import MIGRATIONS
from plexstedi.state.store import Store
from plexstedi.state.subject import Subject, of_document, of_order, of_stream, of_transaction, of_write
from tests.older_state import make_older
from tests.state.conftest import NOW, an_order, brought_to
from tests.state.test_inbox import listed, outcome

UUID = "4fc289f7-ff2e-4189-ab74-180991323f9e"
SUBJECTS = (
    Subject("run"),
    of_document(1),
    of_document(1, "line 3"),
    of_transaction(UUID),
    of_transaction("t-1", "line 2"),
    of_order("PO document 9 transaction x"),
    of_stream("id-PO-1001/2"),
    of_write(3),
    Subject("transaction entry 5"),
    Subject(""),
)


def fill(store: Store) -> None:
    """An acknowledged order, and events of every kind of subject."""
    document = brought_to(store, DocumentState.DELIVERED)
    store.orders.record(an_order(quantity="90"), marks={"r1": NOW}, now=NOW, known=False, baseline=False)
    store.inbox.list_one(listed(UUID), NOW)
    store.inbox.store(UUID, b"{}", "guide-json", "hash")
    store.inbox.assign(
        UUID, order_id=document.order_id, document_id=document.id, type_code="AD", dated=None, content_hash="hash"
    )
    of_all = Reconciliation(set_id="855", order_number="PO-1001", type_code="AD", lines=(outcome(),))
    store.inbox.set_outcome(UUID, of_all)
    store.inbox.set_lines(document.stream, document.order_id, [outcome()])
    for number, subject in enumerate(SUBJECTS):
        for order_id in (None, "id-PO-1001", UUID):
            at = NOW + timedelta(microseconds=number)
            store.audit.append(at, "änna", "note", subject, order_id=order_id, text=f"Größe ✓ {number}")


def content(store: Store) -> list[object]:
    """What the state says to the rest of the program."""
    inbox, audit = store.inbox, store.audit
    return [
        *(audit.head(), list(audit.events()), list(audit.events(order_id=UUID)), audit.of_transactions([UUID, "t-1"])),
        *(store.orders.marks("id-PO-1001"), store.documents.sent(1), store.documents.get(1)),
        *(
            inbox.get(UUID),
            inbox.outcome(UUID),
            inbox.lines("id-PO-1001"),
            inbox.lines_of_stream("id-PO-1001", "id-PO-1001"),
        ),
    ]


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_a_file_of_any_version_says_the_same(store: Store, path: Path, version: int) -> None:
    fill(store)
    before = content(store)
    store.close()
    make_older(path, version)
    with closing(Store.open_to_read(path)) as read:
        assert content(read) == before
    with closing(Store.open(path, NOW)) as again:
        assert content(again) == before
        assert again.audit.verify(again.audit.head()) is None
        again.audit.append(NOW, "plexstedi", "note", of_transaction(UUID))
        assert again.audit.verify(str(before[0])) is None


@pytest.mark.parametrize(
    ("version", "statements"),
    [(version, statements) for version in (5, 6, 7) for statements in range(len(MIGRATIONS[version]) + 1)],
)
def test_a_conversion_killed_at_any_statement_is_made_again(
    store: Store, path: Path, version: int, statements: int
) -> None:
    fill(store)
    before = content(store)
    store.close()
    make_older(path, version)
    pid = os.fork()
    if pid == 0:

        class Killed(tuple[str, ...]):
            def __iter__(self):  # type: ignore[no-untyped-def]
                yield from islice(super().__iter__(), statements)
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            database.MIGRATIONS = (*MIGRATIONS[:version], Killed(MIGRATIONS[version]), *MIGRATIONS[version + 1 :])
            Store.open(path, NOW)
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    with closing(sqlite3.connect(path)) as plain:
        assert plain.execute("PRAGMA user_version").fetchone() == (version,)
        assert plain.execute("SELECT count(*) FROM events").fetchone()[0] >= 3 * len(SUBJECTS)
    with closing(Store.open(path, NOW)) as again:
        assert content(again) == before
        assert again.audit.verify() is None


def test_what_was_edited_before_is_found_after_and_hinders_nothing(store: Store, path: Path) -> None:
    fill(store)
    sent = store.documents.sent(1)
    store.close()
    make_older(path, 5)
    with closing(sqlite3.connect(path)) as plain, plain:
        plain.execute("DROP TRIGGER events_no_update")
        plain.execute("UPDATE events SET at = 'last week' WHERE seq = 7")
        plain.execute("UPDATE inbox SET outcome = x'00'")
    with closing(Store.open(path, NOW)) as again:
        broken = again.audit.verify()
        assert broken is not None
        assert broken.seq == 7
        assert again.documents.sent(1) == sent


def test_a_transaction_that_was_found_to_be_of_another_order_keeps_its_outcome(store: Store) -> None:
    fill(store)
    brought_to(store, DocumentState.DELIVERED, "PO-2")
    before = store.inbox.outcome(UUID)
    for order_id in ("id-PO-2", None, "id-PO-1001"):
        store.inbox.assign(UUID, order_id=order_id, document_id=None, type_code="AD", dated=None, content_hash="hash")
        assert store.inbox.outcome(UUID) == before


def test_a_large_order_is_not_read_for_each_of_its_contents(store: Store) -> None:
    line = an_order().lines[0]
    many = [replace(line, id=f"{number * 7919 % 10007:x}{number * 104729:x}") for number in range(3000)]
    store.orders.record(an_order(lines=tuple(many)), marks={}, now=NOW, known=False, baseline=False)
    document = brought_to(store, DocumentState.DELIVERED)
    read = store.database.row("SELECT sent FROM documents")
    assert read is not None
    assert from_json(SentOrder, unpack(read["sent"])) == store.documents.sent(document.id)
