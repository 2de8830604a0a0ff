"""`review` on a terminal: a person goes through the open items, and only what was decided is decided."""

from __future__ import annotations

from plexstedi.edi.reasons import Reason
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.store import Store
from plexstedi.state.subject import of_order

from .conftest import NOW, Cli, an_order, record

WHY = Reason(code="noted", where="order", message="has a charge", fix="see the document")


def test_each_item_is_asked_for_and_the_last_reason_is_offered_again(cli: Cli) -> None:
    store = Store.open(cli.state, NOW)
    for number in ("PO-1", "PO-2", "PO-3", "PO-4"):
        record(store, an_order(number))
        with store.transaction():
            store.reviews.open(ReviewKind.RECORD_UNREADABLE, of_order(number), [WHY], NOW, order_number=number)
    store.close()
    ran = cli.on_a_terminal(
        *("--config", str(cli.config), "--state", str(cli.state), "review"),
        answers=["x", "a", "seen by me", "s", "m", "r", "", "q"],
    )
    assert ran.code == 0, ran.out
    assert "Press one of a, r, s, m, q" in ran.out
    assert "[2 of 4]" in ran.out
    assert "Decided 2, skipped 1 of 4." in ran.out
    store = Store.open(cli.state, NOW)
    first, third = store.reviews.get(1), store.reviews.get(3)
    assert [each.id for each in store.reviews.open_items()] == [2, 4]
    store.close()
    assert first is not None
    assert third is not None
    assert (first.state, first.closing_reason) == ("accepted", "seen by me")
    assert (third.state, third.closing_reason) == ("rejected", "seen by me")
