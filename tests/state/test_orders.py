"""Every change of an order is kept as a revision, and nothing that is no change is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from plexstedi.edi.order import Phase
from plexstedi.state.orders import Work

from .conftest import NOW, an_order, keep_order


def test_an_order_seen_again_unchanged_makes_no_revision(store):
    assert keep_order(store, an_order()) == 1
    assert keep_order(store, an_order(quantity="100.0", modified_at=NOW)) is None
    assert store.orders.get("id-PO-1001").latest == 1


def test_each_change_is_kept_and_the_earlier_ones_stay(store):
    keep_order(store, an_order(quantity="100"))
    assert keep_order(store, an_order(quantity="120")) == 2
    assert store.orders.revision("id-PO-1001", 1) == an_order(quantity="100")
    assert store.orders.revision("id-PO-1001", 2) == an_order(quantity="120")
    with pytest.raises(KeyError, match="no revision 3"):
        store.orders.revision("id-PO-1001", 3)


def test_an_edit_undone_is_a_revision_too_so_that_the_history_is_true(store):
    for quantity in ("100", "120", "100"):
        keep_order(store, an_order(quantity=quantity))
    assert store.orders.get("id-PO-1001").latest == 3


def test_times_survive_with_their_fractions_and_in_utc(store):
    seen = datetime(2026, 11, 23, 8, 0, 0, 123456, tzinfo=UTC)
    store.orders.record(an_order(modified_at=seen), marks={"r1": seen}, now=seen, known=False, baseline=False)
    assert store.orders.marks("id-PO-1001") == {"r1": seen}
    assert store.orders.revision_seen("id-PO-1001", 1) == (seen, seen)


def test_a_change_has_the_time_of_the_line_or_release_that_was_edited(store):
    """Plex does not touch the header for it; a deletion has no time, so that of the reading counts."""
    made, later = NOW - timedelta(days=9), NOW - timedelta(days=2)
    order = an_order(modified_at=made)
    keep_order(store, order)
    (line,) = order.lines
    (release,) = line.releases
    edited = replace(line, releases=(replace(release, quantity=Decimal(120), modified_at=later),))
    keep_order(store, replace(order, lines=(edited,)))
    dearer = replace(edited, price=Decimal(5), modified_at=later + timedelta(days=1))
    keep_order(store, replace(order, lines=(dearer,)))
    keep_order(store, replace(order, lines=()))
    seen = [store.orders.revision_seen(order.id, revision)[1] for revision in (1, 2, 3, 4)]
    assert seen == [made, later, later + timedelta(days=1), None]


def test_an_order_is_not_up_to_date_until_nothing_is_due_and_again_after_a_change(store):
    keep_order(store, an_order())
    assert [order.number for order in store.orders.not_up_to_date()] == ["PO-1001"]
    store.orders.set_up_to_date("id-PO-1001", 1)
    assert store.orders.not_up_to_date() == []
    keep_order(store, an_order(quantity="120"))
    assert [order.number for order in store.orders.not_up_to_date("PO-1001")] == ["PO-1001"]
    assert [order.number for order in store.orders.not_up_to_date(" PO-1001 ")] == ["PO-1001"], "as it was found"
    assert store.orders.not_up_to_date("po-1001") == []
    assert store.orders.not_up_to_date("PO-9") == []


def test_what_a_user_reported_to_the_supplier_is_kept_per_stream(store):
    assert store.orders.known_revision("id-PO-1001") == 0
    store.orders.set_known_revision("id-PO-1001", 2)
    store.orders.set_known_revision("id-PO-1001", 3)
    assert store.orders.known_revision("id-PO-1001") == 3
    assert store.orders.known_revision("id-PO-1001/10-1") == 0


def test_orders_of_suppliers_without_settings_are_counted_and_left_alone(store):
    for number in ("PO-1", "PO-2"):
        keep_order(store, an_order(number))
        store.orders.set_untraded(f"id-{number}", True)
    assert store.orders.untraded_suppliers() == [("ACME01", 2)]
    assert store.orders.not_up_to_date() == []
    store.orders.take_as_known("id-PO-1")
    assert store.orders.untraded_suppliers() == [("ACME01", 1)]
    assert store.orders.get("id-PO-1").known


def test_a_sweep_looks_for_every_order_that_is_still_open(store):
    phases = {"PO-1": Phase.RELEASED, "PO-2": Phase.UNRELEASED, "PO-3": Phase.RECEIVED, "PO-4": Phase.VANISHED}
    for number, phase in phases.items():
        keep_order(store, an_order(number, phase=phase))
    assert store.orders.open_ids() == {"id-PO-1": "PO-1", "id-PO-2": "PO-2"}


def test_work_is_done_once_windows_before_sweeps_and_survives_a_restart(store):
    orders = store.orders
    orders.add_work([Work("a", "PO-A", "sweep"), Work("b", "PO-B", "window")])
    orders.add_work([Work("a", "PO-A", "window")])
    assert [work.order_id for work in orders.work(10)] == ["b", "a"]
    orders.finish_work("b")
    assert (orders.work_left(), orders.work_left("window")) == (1, 0)


def test_a_known_order_has_the_revision_first_seen_as_its_baseline_unless_it_had_changed_before(store):
    store.orders.record(an_order("PO-1"), marks={}, now=NOW, known=True, baseline=True)
    store.orders.record(an_order("PO-2"), marks={}, now=NOW + timedelta(hours=1), known=True, baseline=False)
    assert [store.orders.get(f"id-{number}").baseline for number in ("PO-1", "PO-2")] == [1, 0]


def test_a_revision_that_is_in_use_is_in_memory_once(store):
    keep_order(store, an_order(quantity="100"))
    held = store.orders.revision("id-PO-1001", 1)
    assert store.orders.revision("id-PO-1001", 1) is held


def test_a_revision_that_was_rolled_back_is_not_taken_for_the_one_that_follows(store):
    keep_order(store, an_order(quantity="100"))
    held = []
    with pytest.raises(RuntimeError, match="stop"), store.transaction():
        _keep_and_stop(store, held)
    assert keep_order(store, an_order(quantity="130")) == 2
    assert store.orders.revision("id-PO-1001", 2) == an_order(quantity="130")
    assert held == [an_order(quantity="120")]


def _keep_and_stop(store, held):
    store.orders.record(an_order(quantity="120"), marks={}, now=NOW, known=False, baseline=False)
    held.append(store.orders.revision("id-PO-1001", 2))
    raise RuntimeError("stop")
