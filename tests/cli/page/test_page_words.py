"""Times and links of the page."""

from __future__ import annotations

import pytest

from plexstedi.cli.page.words import anchors, length
from tests.sync.report.test_risks import an_open_order


@pytest.mark.parametrize(
    ("minutes", "shown"),
    [
        (0, "0 min"),
        (89, "89 min"),
        (90, "2 h"),
        (2879, "48 h"),
        (2880, "2 days"),
        (3600, "2.5 days"),
        (14400, "10 days"),
    ],
)
def test_a_length_of_time(minutes: int, shown: str) -> None:
    assert length(minutes) == shown


def test_every_order_has_an_anchor_of_its_own() -> None:
    orders = [an_open_order(number) for number in ("PO-1", "PO 1", "PO/1", "<b>", "***")]
    found = anchors(orders)
    assert found["PO-1"] == "order-PO-1"
    assert len(set(found.values())) == len(orders)
    assert all(anchor.isascii() and " " not in anchor and "<" not in anchor for anchor in found.values())
