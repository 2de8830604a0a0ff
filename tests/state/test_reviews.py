"""A review item is opened once, and a decision is kept with who made it and why."""

from __future__ import annotations

from plexstedi.edi.reasons import Reason
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.store import Store
from plexstedi.state.subject import Subject

from .conftest import NOW

WHY = (Reason(code="unit-unknown", where="line 10", message="unit Fass is not known", fix="Add it to units"),)


OTHER = (Reason(code="price-missing", where="line 10", message="there is no price", fix="Set it in Plex"),)


def ask(store: Store, reasons: tuple[Reason, ...] = WHY, kind: ReviewKind = ReviewKind.ORDER_HELD, subject: str = "o1"):
    return store.reviews.open(kind, Subject(subject), reasons, NOW, supplier="ACME01", order_number="PO-1001")


def test_the_same_review_item_is_opened_once(store):
    assert ask(store)
    assert not ask(store)
    assert len(store.reviews.open_items()) == 1


def test_the_same_review_item_for_another_reason_is_new_and_replaces_the_old(store):
    ask(store)
    assert ask(store, OTHER)
    (standing,) = store.reviews.open_items()
    assert standing.reasons == OTHER


def test_a_decision_names_who_and_why_and_is_remembered(store):
    ask(store)
    (review,) = store.reviews.open_items()
    store.reviews.decide(review.id, accept=True, by="anna", why="agreed by phone", now=NOW)
    closed = store.reviews.get(review.id)
    assert (closed.state, closed.closed_by, closed.closing_reason) == ("accepted", "anna", "agreed by phone")
    assert store.reviews.decided(ReviewKind.ORDER_HELD, Subject("o1"))
    assert not store.reviews.decided(ReviewKind.ORDER_HELD, Subject("o2"))
    assert store.reviews.open_items() == []


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
