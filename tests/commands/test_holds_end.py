"""What holds an acknowledgment as a whole ends once newer ones state all its lines, and is never lost in silence."""

from __future__ import annotations

import pytest

from tests.commands.test_ingest_acks_meaning import acknowledge, reviews, sent

__all__ = ["sent"]
WHOLE = "acknowledgment-held"


def whole(bench, order, type_code: str, dated: str = "20261123") -> None:
    """The supplier sends a heading without lines."""
    bench.answer("855", ("BAK", "00", type_code, order.number, "20261123", "", "", "", "SO-1", dated))


@pytest.mark.parametrize("type_code", ["AK", "AT", "AC", "AH", "RO"])
def test_a_hold_of_the_whole_order_ends_with_a_newer_acknowledgment_of_all_lines(sent, type_code):
    """Many suppliers send AK at once and the detail the next day: nobody has anything to decide after that."""
    bench, order = sent
    whole(bench, order, type_code)
    assert bench.run("run").code == 3
    assert len(reviews(bench, WHOLE)) == 1
    bench.later(hours=1)
    acknowledge(bench, order, "IA", 130)
    assert bench.run("run").code == 0
    assert reviews(bench) == []


def test_a_newer_hold_of_the_whole_order_stays_after_an_older_confirmation(sent):
    """The order is confirmed and then put on hold."""
    bench, order = sent
    acknowledge(bench, order, "IA", 130)
    assert bench.run("run").code == 0
    bench.later(hours=1)
    whole(bench, order, "AH")
    assert bench.run("run").code == 3
    assert len(reviews(bench, WHOLE)) == 1


def test_an_older_hold_that_comes_late_is_reported_as_not_applied(sent):
    """It says less than the confirmation that counts, so it is not passed over in silence."""
    bench, order = sent
    bench.later(days=1)
    acknowledge(bench, order, "IA", 130, dated="2026-11-25")
    bench.later(days=2)
    acknowledge(bench, order, "IA", 130, dated="2026-11-26")
    bench.run("run")
    whole(bench, order, "AH", dated="20261123")
    bench.run("run")
    assert reviews(bench, WHOLE) == []
    assert len(reviews(bench, "acknowledgment-not-applied")) == 1
