"""A person is asked once, Plex is written to once, and a state file serves one company only."""

from __future__ import annotations

from datetime import timedelta

import pytest

from plexstedi.edi.reasons import Reason
from plexstedi.edi.writeback.plan import AckField, WriteEntry, WritePlan
from plexstedi.errors import ConfigurationFault, ExitCode
from plexstedi.state.cursors import Fact
from plexstedi.state.executions import ExecutionRecord
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.store import Store
from plexstedi.state.subject import Subject
from plexstedi.state.writes import WriteState

from .conftest import NOW, DocumentState, an_order, brought_to, keep_order

WHY = (Reason(code="unit-unknown", where="line 10", message="unit Fass is not known", fix="Add it to units"),)
OTHER = (Reason(code="price-missing", where="line 10", message="there is no price", fix="Set it in Plex"),)


def ask(store: Store, reasons: tuple[Reason, ...] = WHY, kind: ReviewKind = ReviewKind.ORDER_HELD, subject: str = "o1"):
    return store.reviews.open(kind, Subject(subject), reasons, NOW, supplier="ACME01", order_number="PO-1001")


def test_the_same_review_item_is_opened_once(store):
    assert ask(store)
    assert not ask(store)
    assert len(store.reviews.standing()) == 1


def test_the_same_review_item_for_another_reason_is_new_and_replaces_the_old(store):
    ask(store)
    assert ask(store, OTHER)
    (standing,) = store.reviews.standing()
    assert standing.reasons == OTHER


def test_a_decision_names_who_and_why_and_is_remembered(store):
    ask(store)
    (review,) = store.reviews.standing()
    store.reviews.decide(review.id, accept=True, by="anna", why="agreed by phone", now=NOW)
    closed = store.reviews.get(review.id)
    assert (closed.state, closed.closed_by, closed.closing_reason) == ("accepted", "anna", "agreed by phone")
    assert store.reviews.decided(ReviewKind.ORDER_HELD, Subject("o1"))
    assert not store.reviews.decided(ReviewKind.ORDER_HELD, Subject("o2"))
    assert store.reviews.standing() == []


def test_a_review_item_whose_reason_went_away_is_no_decision(store):
    ask(store)
    assert store.reviews.withdraw(ReviewKind.ORDER_HELD, Subject("o1"), NOW, "the unit is known now")
    assert not store.reviews.withdraw(ReviewKind.ORDER_HELD, Subject("o1"), NOW, "again")
    assert not store.reviews.decided(ReviewKind.ORDER_HELD, Subject("o1"))


def test_a_hundred_orders_from_before_polling_are_one_review_item(store):
    for number in range(100):
        ask(store, kind=ReviewKind.KNOWN_ORDER_CHANGED, subject=f"o{number}")
    ask(store, subject="o1")
    assert store.reviews.attention() == 2


def a_plan(value: str) -> WritePlan:
    entry = WriteEntry(
        level="line",
        record_id="l1",
        line=10,
        field="EDI_Confirmed_Qty",
        kind=AckField.CONFIRMED_QUANTITY,
        value=value,
        why="confirmed",
    )
    return WritePlan(order_id="id-PO-1001", order_number="PO-1001", entries=(entry,))


@pytest.fixture
def written(store):
    keep_order(store, an_order())
    assert store.writes.plan("id-PO-1001", "t1", a_plan("100"), NOW)
    return store


def test_the_same_plan_is_not_carried_out_twice(written):
    assert not written.writes.plan("id-PO-1001", "t2", a_plan("100"), NOW)
    (write,) = written.writes.open()
    written.writes.begin(write.id, ())
    written.writes.done(write.id, NOW)
    assert not written.writes.plan("id-PO-1001", "t2", a_plan("100"), NOW)
    assert written.writes.count_open() == 0


def test_a_newer_plan_takes_the_place_of_one_that_was_not_carried_out(written):
    (old,) = written.writes.open()
    written.writes.begin(old.id, ())
    assert written.writes.plan("id-PO-1001", "t2", a_plan("80"), NOW)
    (new,) = written.writes.open()
    assert new.plan == a_plan("80")
    assert [write.state for write in written.writes.of_order("id-PO-1001")] == [
        WriteState.SUPERSEDED,
        WriteState.PLANNED,
    ]


def test_a_refused_write_is_planned_again_or_abandoned_by_a_user(written):
    (write,) = written.writes.open()
    written.writes.begin(write.id, ())
    written.writes.fail(write.id, "no such field")
    assert written.writes.open() == []
    written.writes.plan_again(write.id)
    (again,) = written.writes.open()
    assert (again.id, again.error) == (write.id, None)
    written.writes.fail(write.id, "no such field")
    written.writes.give_up(write.id)
    assert written.writes.of_order("id-PO-1001")[0].state is WriteState.SUPERSEDED


def test_a_state_of_another_company_or_usage_is_refused_with_what_to_do(store):
    store.cursors.belongs_to("tenant-a", "P")
    store.cursors.belongs_to("tenant-a", "P")
    for tenant, usage, key in (("tenant-b", "P", "plex.tenant_id"), ("tenant-a", "T", "stedi.usage_indicator")):
        with pytest.raises(ConfigurationFault) as caught:
            store.cursors.belongs_to(tenant, usage)
        assert caught.value.exit_code is ExitCode.CONFIGURATION
        assert caught.value.problems[0].key == key
        assert "--state" in caught.value.problems[0].fix


def test_a_clock_set_back_makes_nothing_younger(store):
    later = NOW + timedelta(days=2)
    assert store.cursors.latest_time(later) == later
    assert store.cursors.latest_time(NOW, None) == later
    assert store.cursors.latest_time() == later


def test_a_fact_can_be_forgotten(store):
    store.cursors.put_time(Fact.DIGEST_SENT, NOW)
    assert store.cursors.time(Fact.DIGEST_SENT) == NOW
    store.cursors.put_time(Fact.DIGEST_SENT, None)
    assert store.cursors.time(Fact.DIGEST_SENT) is None


def test_a_file_of_ours_at_stedi_that_the_ledger_lacks_is_seen(store):
    document = brought_to(store, DocumentState.ACCEPTED)
    for execution, name in (("e1", document.file_name), ("e2", "unknown.edi")):
        store.executions.see(ExecutionRecord(execution, name, "us_acme", "OUTBOUND", "PENDING", NOW, None))
    store.executions.see(ExecutionRecord("e2", "unknown.edi", "us_acme", "OUTBOUND", "COMPLETED", NOW, None))
    (unknown,) = store.executions.unknown_to_ledger()
    assert (unknown.file_name, unknown.status) == ("unknown.edi", "COMPLETED")
    assert store.executions.by_file_name("unknown.edi") == unknown
    assert store.executions.by_file_name("nothing.edi") is None
