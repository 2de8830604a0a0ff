"""What the state keeps in memory of its file is dropped when it may no longer be there.

That is after a rollback of a transaction, of a part of it, or by SQLite itself on a full disk; and after another
connection wrote the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from plexstedi.edi.reasons import Reason
from plexstedi.state.cursors import Fact
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.store import Store
from plexstedi.state.subject import of_order

from .conftest import NOW, a_document, an_order, keep_order

REASON = (Reason(code="x", where="order", message="m", fix="f"),)
HELD = ReviewKind.ORDER_HELD


@contextmanager
def transaction_undone(store: Store) -> Iterator[None]:
    with suppress(LookupError), store.transaction():
        yield
        raise LookupError


@contextmanager
def part_undone(store: Store) -> Iterator[None]:
    with store.transaction(), suppress(LookupError), store.savepoint():
        yield
        raise LookupError


@contextmanager
def ended_by_sqlite(store: Store) -> Iterator[None]:
    with suppress(sqlite3.IntegrityError), store.transaction():
        yield
        # As on a full disk: no ROLLBACK follows, since there is no transaction any more.
        store.database.execute("INSERT OR ROLLBACK INTO memory (name, value) VALUES ('x', NULL)")


@pytest.fixture(params=[transaction_undone, part_undone, ended_by_sqlite])
def undone(request):
    """A block of which nothing remains in the file."""
    return request.param


@pytest.fixture
def filled(store):
    keep_order(store, an_order("PO-1"))
    return store


@pytest.fixture
def begun_again(filled, path):
    """The same file with a held record and an open item, opened by a run that has kept nothing yet."""
    filled.unforeseen.hold("read order 1", "mark", "1.0", NOW)
    filled.reviews.open(HELD, of_order("PO-1"), REASON, NOW)
    opened = Store.open(path, NOW)
    yield opened
    opened.close()


def append(store: Store, number: str) -> None:
    store.audit.append(NOW, "plexstedi", "order-seen", of_order(number), order_id=f"id-{number}")


def test_the_trail_goes_on_after_the_last_event_that_remains(filled, undone):
    append(filled, "PO-1")
    with undone(filled):
        append(filled, "PO-1")
    append(filled, "PO-1")
    assert filled.audit.verify() is None
    assert filled.audit.count() == 2


def test_an_id_whose_number_was_undone_gets_another(filled, undone):
    with undone(filled):
        append(filled, "PO-1")
    append(filled, "PO-2")
    append(filled, "PO-1")
    assert [event.order_id for event in filled.audit.events()] == ["id-PO-2", "id-PO-1"]


def test_a_record_is_held_again_if_its_release_was_undone(begun_again, undone):
    with undone(begun_again):
        begun_again.unforeseen.forget("read order 1")
        assert not begun_again.unforeseen.known("read order 1")
    assert begun_again.unforeseen.known("read order 1")
    assert begun_again.unforeseen.holds("read order 1", "mark", "1.0")


def test_an_item_is_open_again_if_its_decision_was_undone(begun_again, undone):
    with undone(begun_again):
        begun_again.reviews.decide(1, accept=True, by="me", why="x", now=NOW)
        assert not begun_again.reviews.is_open(HELD, of_order("PO-1"))
    assert begun_again.reviews.is_open(HELD, of_order("PO-1"))
    assert begun_again.reviews.withdraw(HELD, of_order("PO-1"), NOW, "x")


def test_a_kind_may_be_open_as_soon_as_an_item_is_opened(filled):
    assert not filled.reviews.may_be_open(HELD, ReviewKind.OVERDUE)
    filled.reviews.open(HELD, of_order("PO-1"), REASON, NOW)
    assert filled.reviews.may_be_open(HELD, ReviewKind.OVERDUE)
    assert not filled.reviews.may_be_open(ReviewKind.OVERDUE)


def test_an_order_is_as_before_what_was_undone(filled, undone):
    before = filled.orders.get("id-PO-1")
    with undone(filled):
        filled.orders.set_up_to_date("id-PO-1", 1)
        assert filled.orders.get("id-PO-1") != before
    assert filled.orders.get("id-PO-1") == before


def test_a_new_order_is_known_until_it_is_undone(filled, undone):
    assert filled.orders.get("id-PO-2") is None
    with undone(filled):
        keep_order(filled, an_order("PO-2"))
        assert filled.orders.get("id-PO-2") == filled.orders.all()[1]
    assert filled.orders.get("id-PO-2") is None


def test_a_value_is_as_before_what_was_undone(filled, undone):
    filled.cursors.put(Fact.START, "before")
    with undone(filled):
        filled.cursors.put(Fact.START, "after")
        assert filled.cursors.get(Fact.START) == "after"
    assert filled.cursors.get(Fact.START) == "before"


def test_contents_are_packed_beside_the_first_revision_that_remains(filled, path, undone):
    with undone(filled):
        keep_order(filled, an_order("PO-2", note="was here " * 20))
        filled.documents.freeze(a_document("PO-2"), NOW)
    keep_order(filled, an_order("PO-2", note="is here " * 20))
    document = filled.documents.freeze(a_document("PO-2"), NOW)
    filled.close()
    again = Store.open_to_read(path)
    try:
        assert again.documents.sent(document.id) == a_document("PO-2").sent
    finally:
        again.close()


def test_a_partnership_is_known_from_the_first_document_sent_over_it_until_that_is_undone(filled, undone):
    filled.documents.freeze(a_document("PO-1"), NOW)
    assert filled.documents.partnerships() == {"us_acme"}
    with undone(filled):
        filled.documents.freeze(a_document("PO-2", partnership="us_globex"), NOW)
        filled.documents.freeze(a_document("PO-3", partnership="us_initech", kind="810"), NOW)
        assert filled.documents.partnerships() == {"us_acme", "us_globex"}
    assert filled.documents.partnerships() == {"us_acme"}


@pytest.mark.parametrize(
    "change",
    [
        lambda orders: orders.set_up_to_date("id-PO-1", 1),
        lambda orders: orders.allow("id-PO-1", 1),
        lambda orders: orders.forget_baseline("id-PO-1"),
        lambda orders: orders.take_as_known("id-PO-1"),
        lambda orders: orders.set_untraded("id-PO-1", True),
        lambda orders: orders.record(
            an_order("PO-1", "7", supplier_code="ACME02"), marks={}, now=NOW, known=False, baseline=False
        ),
    ],
)
def test_a_changed_order_is_read_again(filled, change):
    filled.database.execute("UPDATE orders SET baseline = 1, settled = 0")
    before = filled.orders.get("id-PO-1")
    change(filled.orders)
    assert filled.orders.get("id-PO-1") == filled.orders.all()[0] != before


def test_what_another_connection_wrote_is_seen_by_the_next_transaction(filled, path):
    append(filled, "PO-1")
    other = Store.open(path, NOW)
    try:
        append(other, "PO-2")
        other.cursors.put(Fact.START, "theirs")
    finally:
        other.close()
    with filled.transaction():
        append(filled, "PO-1")
        assert filled.cursors.get(Fact.START) == "theirs"
    assert filled.audit.verify() is None


def test_who_only_reads_sees_what_is_written_meanwhile(filled, path):
    reader = Store.open_to_read(path)
    try:
        assert not reader.reviews.is_open(HELD, of_order("PO-1"))
        assert not reader.unforeseen.known("read order 1")
        assert reader.cursors.get(Fact.START) is None
        order = reader.orders.get("id-PO-1")
        filled.reviews.open(HELD, of_order("PO-1"), REASON, NOW)
        filled.unforeseen.hold("read order 1", "mark", "1.0", NOW)
        filled.cursors.put(Fact.START, "now")
        filled.orders.set_up_to_date("id-PO-1", 1)
        assert reader.reviews.is_open(HELD, of_order("PO-1"))
        assert reader.unforeseen.known("read order 1")
        assert reader.cursors.get(Fact.START) == "now"
        assert reader.orders.get("id-PO-1") != order
    finally:
        reader.close()
