"""A run says what it did, in sentences, and nothing of what it did not do."""

from __future__ import annotations

import pytest

from plexstedi.cli.render.summary import sentences, shortened, what_next
from plexstedi.sync.counts import Counts


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (Counts(), []),
        (Counts(orders_seen=5), []),
        (Counts(orders_changed=1, documents_sent=2), ["1 order new or changed in Plex.", "2 documents sent to Stedi."]),
        (Counts(documents_delivered=1), ["1 document delivered to suppliers."]),
        (Counts(documents_held=2), ["2 documents held."]),
        (Counts(documents_rejected=1), ["1 document rejected by a supplier's system (997)."]),
        (Counts(documents_failed=1), ["1 document not delivered: delivery failed at Stedi."]),
        (
            Counts(acks_received=3, acks_applied=2, acks_held=1, writes_made=2),
            ["3 acknowledgments received, 2 applied, 1 held for review.", "2 orders written to Plex."],
        ),
    ],
)
def test_only_what_happened_is_said(counts: Counts, said: list[str]) -> None:
    assert sentences(counts) == said


def test_what_poll_found_names_the_command_that_sends_it() -> None:
    assert sentences(Counts(documents_queued=1), due=True) == ["1 document due: `plexstedi submit` sends it."]
    assert sentences(Counts(documents_queued=1)) == [], "run sends it itself"


def test_what_is_left_to_do_names_the_command_that_shows_it() -> None:
    (doubt, review) = what_next(Counts(attention=2, in_doubt=1))
    assert "find out whether Stedi has it" in doubt
    assert review == "2 items need review: `plexstedi status --needs-attention` shows reasons and fixes."
    assert what_next(Counts()) == []


def test_hundreds_of_new_items_do_not_fill_a_terminal_but_all_are_mailed() -> None:
    news = [f"order {number}" for number in range(300)]
    assert shortened(news, on_a_terminal=True)[9:] == ["needs review: order 9", "and 290 more"]
    assert len(shortened(news, on_a_terminal=False)) == 300
