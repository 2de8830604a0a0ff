"""One revision, one document: what the ledger of outbound documents keeps and refuses."""

from __future__ import annotations

import re
import sqlite3
from datetime import timedelta

import pytest

from plexstedi.edi.order import Phase
from plexstedi.state.document_states import BusinessStatus, Delivery, DocumentState, FunctionalStatus

from .conftest import NOW, a_document, an_order, brought_to, keep_order


def test_a_frozen_document_is_read_back_exactly(store):
    keep_order(store, an_order())
    new = a_document()
    document = store.documents.freeze(new, NOW)
    assert store.documents.body(document.id) == new.body
    assert store.documents.x12(document.id) == new.x12
    assert store.documents.sent(document.id) == new.sent
    assert document.dropped == new.dropped
    assert (document.state, document.delivery) == (DocumentState.FROZEN, Delivery.NONE)
    assert store.documents.by_file_name(new.file_name) == document


@pytest.mark.parametrize("state", [state for state in DocumentState if not state.is_final])
def test_a_stream_never_has_two_documents_under_way(store, state):
    brought_to(store, state)
    with pytest.raises(sqlite3.IntegrityError):
        store.documents.freeze(a_document(counter=2), NOW)


@pytest.mark.parametrize("state", [DocumentState.DELIVERED, DocumentState.REFUSED, DocumentState.WITHDRAWN])
def test_after_a_final_document_the_next_may_go(store, state):
    assert brought_to(store, state).is_closed
    store.documents.freeze(a_document(counter=2), NOW)


@pytest.mark.parametrize("field", ["idempotency_key", "file_name"])
def test_a_key_or_a_name_is_used_once_for_ever(store, field):
    first = brought_to(store, DocumentState.DELIVERED)
    with pytest.raises(sqlite3.IntegrityError):
        store.documents.freeze(a_document(counter=2, **{field: getattr(first, field)}), NOW)


def test_the_counter_grows_with_every_document_of_a_slot(store):
    assert store.documents.counter("id-PO-1001", "850", 0, number="PO-1001", release=None) == 1
    brought_to(store, DocumentState.REFUSED)
    assert store.documents.counter("id-PO-1001", "850", 0, number="PO-1001", release=None) == 2
    assert store.documents.counter("id-PO-1001", "860", 1, number="PO-1001", release=None) == 1


def test_an_attempt_is_noted_before_the_call_and_its_end_after_it(store):
    document = brought_to(store, DocumentState.SENDING)
    assert store.documents.attempts(document.id) == [(1, NOW, None, None)]
    store.documents.end_attempt(document.id, 1, NOW, "not heard: timeout")
    later = NOW + timedelta(minutes=5)
    assert store.documents.begin_attempt(document, later) == 2
    assert store.documents.get(document.id).first_attempt_at == NOW
    assert [attempt[3] for attempt in store.documents.attempts(document.id)] == ["not heard: timeout", None]


def test_what_the_supplier_was_last_sent_leaves_out_refused_and_withdrawn(store):
    delivered = brought_to(store, DocumentState.DELIVERED)
    for counter, state in enumerate((DocumentState.REFUSED, DocumentState.WITHDRAWN), 2):
        brought_to(store, state, counter=counter)
    assert store.documents.last_sent_document("id-PO-1001") == delivered


def test_a_rejecting_997_blocks_the_stream_until_a_user_decides(store):
    document = brought_to(store, DocumentState.DELIVERED)
    store.documents.set_functional(document.id, FunctionalStatus.REJECTED, blocks=True)
    assert not store.documents.get(document.id).is_closed
    store.documents.unblock(document.id)
    assert store.documents.get(document.id).is_closed


def test_a_failed_delivery_that_stedi_retried_is_followed(store):
    document = brought_to(store, DocumentState.FAILED)
    store.documents.await_delivery(document.id, "exec-2")
    again = store.documents.get(document.id)
    assert (again.state, again.delivery, again.error) == (DocumentState.ACCEPTED, Delivery.PENDING, None)
    assert store.documents.by_execution("exec-2") == again


def test_an_attempt_uses_up_what_a_user_allowed_once(store):
    document = brought_to(store, DocumentState.SENDING)
    store.documents.allow_retry(document.id)
    assert store.documents.get(document.id).retry
    store.documents.begin_attempt(document, NOW)
    assert not store.documents.get(document.id).retry


def test_control_numbers_once_known_are_not_forgotten(store):
    document = brought_to(store, DocumentState.ACCEPTED)
    store.documents.set_controls(document.id, None, 12, None)
    again = store.documents.get(document.id)
    assert (again.interchange_control, again.group_control, again.set_control) == (7, 12, 1)
    assert [d.id for d in store.documents.by_group_control("us_acme", 12)] == [document.id]


def test_documents_with_a_deadline_are_those_that_something_is_awaited_for(store):
    waiting = {
        brought_to(store, DocumentState.SENDING, "PO-1").id,
        brought_to(store, DocumentState.DELIVERED, "PO-2").id,
    }
    for number, state in (("PO-3", DocumentState.FAILED), ("PO-4", DocumentState.REFUSED)):
        brought_to(store, state, number)
    answered = brought_to(store, DocumentState.DELIVERED, "PO-5")
    store.documents.set_functional(answered.id, FunctionalStatus.ACCEPTED, blocks=False)
    assert {d.id for d in store.documents.with_open_deadlines()} == {*waiting, answered.id}
    store.documents.set_business(answered.id, BusinessStatus.CONFIRMED)
    assert {d.id for d in store.documents.with_open_deadlines()} == waiting
    assert store.documents.with_open_deadlines(supplier="OTHER") == []
    keep_order(store, an_order("PO-2", phase=Phase.RECEIVED))
    assert {d.id for d in store.documents.with_open_deadlines()} == waiting - {max(waiting)}, "the goods have come"


def test_the_database_itself_keeps_a_stream_to_one_document_that_is_not_final(store):
    """The index was written into state files; a new state has to be in a migration of it."""
    index = store.database.row("SELECT sql FROM sqlite_master WHERE name = 'one_unsettled_document'")
    open_states = [state for state in DocumentState if not state.is_final]
    assert re.findall(r"'(\w+)'", index["sql"].split("WHERE")[1]) == open_states


@pytest.mark.parametrize("state", DocumentState)
def test_what_a_state_says_agrees_with_itself(state):
    """Given up, it reached nobody that answers; before acceptance, it is not final."""
    assert not (state.is_abandoned and state.may_have_reached_supplier)
    assert not (state.is_before_acceptance and state.is_final)
    assert state.is_final or state.is_before_acceptance or state.may_have_reached_supplier
