"""Whatever waits for a person, `review show` can say what both answers do, and one of them is always possible."""

from __future__ import annotations

import pytest

from plexstedi.state.reviews import ReviewKind
from plexstedi.sync.people.review_actions import CHOICES


@pytest.mark.parametrize("kind", ReviewKind)
def test_every_kind_of_review_item_has_two_decisions_in_words_and_a_way_out(kind):
    choices = CHOICES[kind]
    for choice in (choices.accept, choices.reject):
        assert choice.words.endswith(".")
        assert choice.words[0].isupper()
    assert choices.accept.act is not None or choices.reject.act is not None
    assert choices.accept.words != choices.reject.words
