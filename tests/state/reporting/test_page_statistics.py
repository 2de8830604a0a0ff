"""What the statistics are made from: the first acknowledgment of each document, and one record per day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from plexstedi.edi.inbound.outcome import Reconciliation
from plexstedi.edi.order import Phase
from plexstedi.state.document import Document
from plexstedi.state.document_states import BusinessStatus, DocumentState, FunctionalStatus
from plexstedi.state.inbox import InboxState, ListedTransaction
from plexstedi.state.reporting.page_statistics import OpenOrderCount
from plexstedi.state.store import Store
from tests.state.conftest import NOW, an_order, brought_to, keep_order

OUTCOME = Reconciliation(set_id="855", order_number="PO-1", type_code="AD")


@pytest.fixture
def document(store: Store) -> Document:
    """A document that was delivered."""
    keep_order(store, an_order("PO-1"))
    return brought_to(store, DocumentState.DELIVERED, "PO-1")


def received(
    store: Store, name: str, document: Document | None, hours: int, state: InboxState, set_id: str = "855"
) -> None:
    """A transaction that Stedi processed so many hours after NOW, decided to be in this state."""
    listed = ListedTransaction(
        transaction_id=name,
        execution_id=f"ex-{name}",
        set_id=set_id,
        partnership="us_acme",
        supplier="ACME01",
        processed_at=NOW + timedelta(hours=hours),
        sender=None,
        release=None,
        interchange_control=1,
        group_control=1,
        set_control=1,
    )
    store.inbox.list_one(listed, NOW)
    store.inbox.store(name, b"{}", "guide-json", name)
    number = None if document is None else document.id
    store.inbox.assign(name, order_id="id-PO-1", document_id=number, type_code="AD", dated=None, content_hash=name)
    store.inbox.set_outcome(name, OUTCOME)
    store.inbox.move(name, state, None)


def test_the_first_acknowledgment_of_a_document_counts_and_no_other(store: Store, document: Document) -> None:
    received(store, "997", document, 1, InboxState.APPLIED, "997")
    received(store, "copy", document, 2, InboxState.DUPLICATE)
    received(store, "first", document, 3, InboxState.SUPERSEDED)
    received(store, "second", document, 4, InboxState.APPLIED)
    received(store, "of no document", None, 5, InboxState.HELD)
    (response,) = store.page_statistics.responses(NOW, NOW + timedelta(days=1))
    assert (response.supplier, response.processed_at) == ("ACME01", NOW + timedelta(hours=3))
    assert response.sent_at == document.delivered_at
    assert response.outcome == OUTCOME


def test_a_held_acknowledgment_is_a_response_too(store: Store, document: Document) -> None:
    received(store, "held", document, 3, InboxState.HELD)
    assert len(store.page_statistics.responses(NOW, NOW + timedelta(days=1))) == 1


def test_the_time_asked_for_ends_before_its_end(store: Store, document: Document) -> None:
    received(store, "first", document, 3, InboxState.APPLIED)
    at = NOW + timedelta(hours=3)
    assert store.page_statistics.responses(at, at) == []
    assert store.page_statistics.responses(at + timedelta(seconds=1), at + timedelta(days=1)) == []
    assert len(store.page_statistics.responses(at, at + timedelta(seconds=1))) == 1


def test_open_orders_are_counted_by_their_last_document(store: Store, document: Document) -> None:
    store.documents.set_business(document.id, BusinessStatus.CONFIRMED)
    keep_order(store, an_order("PO-2"))
    keep_order(store, an_order("PO-3", phase=Phase.RECEIVED))
    keep_order(store, an_order("PO-4"))
    store.orders.set_untraded("id-PO-4", True)
    assert store.page_statistics.open_orders() == [
        OpenOrderCount(None, None, None, 1),
        OpenOrderCount(DocumentState.DELIVERED, FunctionalStatus.NONE, BusinessStatus.CONFIRMED, 1),
    ]


def test_days_are_kept_until_they_are_dropped_and_touch_no_other_value(store: Store) -> None:
    statistics = store.page_statistics
    for day in (1, 2, 3):
        statistics.put_day(date(2026, 11, day), f"{day}")
    statistics.put_day(date(2026, 11, 3), "again")
    before = store.database.number("SELECT count(*) FROM memory WHERE name NOT LIKE 'day %'")
    statistics.drop_days(date(2026, 11, 2))
    assert statistics.days(date(2026, 1, 1)) == {date(2026, 11, 2): "2", date(2026, 11, 3): "again"}
    assert statistics.days(date(2026, 11, 3)) == {date(2026, 11, 3): "again"}
    assert store.database.number("SELECT count(*) FROM memory WHERE name NOT LIKE 'day %'") == before
