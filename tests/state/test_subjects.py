"""What a review item or an event is about: a document or a transaction is known as such, also in older files."""

from __future__ import annotations

import pytest

from plexstedi.edi.reasons import Reason
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.store import Store
from plexstedi.state.subject import Subject, of_document, of_order, of_stream, of_transaction
from tests.older_state import make_older

from .conftest import NOW

WHY = (Reason(code="odd", where="order", message="odd", fix="Mend it."),)
STEDI_ID = "0198c6a4-11d2-7b3e-9c0a-5f2d7c1e8b90"

SUBJECTS: dict[ReviewKind, Subject] = {
    ReviewKind.ORDER_HELD: of_stream("o1/release/2"),
    ReviewKind.ORDER_UNREADABLE: of_order("o1"),
    ReviewKind.KNOWN_ORDER_CHANGED: of_stream("o1"),
    ReviewKind.INVOICE_HELD: of_stream("invoice/i1"),
    ReviewKind.INVOICE_UNREADABLE: of_stream("invoice/i2"),
    ReviewKind.DOCUMENT_REFUSED: of_document(1),
    ReviewKind.DOCUMENT_CONFLICT: of_document(12),
    ReviewKind.DOCUMENT_IN_DOUBT: of_document(3),
    ReviewKind.DELIVERY_FAILED: of_document(4),
    ReviewKind.SYNTAX_REJECTED: of_document(5),
    ReviewKind.SYNTAX_ERRORS: of_document(6),
    ReviewKind.OVERDUE: of_document(107, "functional-ack"),
    ReviewKind.ACKNOWLEDGMENT_HELD: of_transaction(STEDI_ID),
    ReviewKind.ACKNOWLEDGMENT_NOT_APPLIED: of_transaction(STEDI_ID),
    ReviewKind.LINE_HELD: of_transaction(STEDI_ID, "line 10"),
    ReviewKind.LINE_REJECTED: of_transaction(STEDI_ID, "line 11"),
    ReviewKind.LINE_BACKORDERED: of_transaction(STEDI_ID, "line 12"),
    ReviewKind.LINE_ATTENTION: of_transaction(STEDI_ID, "line 13"),
    ReviewKind.ORDER_UNKNOWN: of_transaction(STEDI_ID),
    ReviewKind.NOTICE: of_transaction(STEDI_ID, "segment SAC"),
    ReviewKind.DOCUMENT_MISSING: of_transaction(STEDI_ID),
    ReviewKind.WRITE_FAILED: Subject("write of order document 7"),
    ReviewKind.WRITE_CONFLICT: Subject("write of order PO-1 over so-9"),
    ReviewKind.WRITE_WITHHELD: of_order("transaction 9"),
    ReviewKind.FEED_ENTRY_UNREADABLE: Subject("transaction entry 5f2d"),
    ReviewKind.INBOUND_FILE_FAILED: Subject("execution e-1"),
    ReviewKind.RECOVERED_DIFFERS: of_stream("o2"),
    ReviewKind.UNFORESEEN: Subject("send document 8", document=8),
    ReviewKind.UNANSWERED: Subject(f"decide transaction {STEDI_ID}", transaction=STEDI_ID),
    ReviewKind.RECORD_UNREADABLE: Subject("read receipts row r-1"),
}


def test_no_kind_of_item_is_left_out() -> None:
    assert set(SUBJECTS) == set(ReviewKind)


def typed(subject: Subject) -> tuple[str, int | None, str | None]:
    return subject.text, subject.document, subject.transaction


@pytest.mark.parametrize("version", [2, 3])
def test_open_items_of_every_kind_come_through_from_an_older_file(store: Store, path, version: int) -> None:
    for kind, subject in SUBJECTS.items():
        assert store.reviews.open(kind, subject, WHY, NOW)
        store.audit.append(NOW, "plexstedi", "review-opened", subject, review=kind.value)
    head = store.audit.head()
    store.close()
    make_older(path, version)
    store = Store.open(path, NOW)
    found = {review.kind: typed(review.subject) for review in store.reviews.open_items()}
    assert found == {kind: typed(subject) for kind, subject in SUBJECTS.items()}
    assert [typed(event.subject) for event in store.audit.events()] == [typed(each) for each in SUBJECTS.values()]
    assert (store.audit.verify(head), store.audit.head()) == (None, head), "the trail is the same, hash by hash"
    for kind, subject in SUBJECTS.items():
        assert not store.reviews.open(kind, subject, WHY, NOW), "asked already"
        assert store.reviews.withdraw(kind, subject, NOW, "mended")
    assert store.reviews.open_items() == []
    store.close()


def test_the_same_name_is_the_same_subject() -> None:
    assert of_document(7) == Subject("document 7")
    assert of_transaction("t", "line 1") != of_transaction("t", "line 2")
    assert len({of_document(7), Subject("document 7")}) == 1


def test_events_of_transactions_are_found_before_it_is_known_whose_they_are(store: Store) -> None:
    store.audit.append(NOW, "plexstedi", "transaction-listed", of_transaction("t-1"))
    store.audit.append(NOW, "plexstedi", "transaction-stored", of_transaction("t-1"))
    store.audit.append(NOW, "plexstedi", "transaction-listed", of_transaction("t-10"))
    store.audit.append(NOW, "plexstedi", "transaction-decided", of_transaction("t-1"), order_id="o1")
    found = store.audit.of_transactions(["t-1"])
    assert [event.kind for event in found] == ["transaction-listed", "transaction-stored"]
