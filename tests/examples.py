"""How many examples the property tests try: all of them with the long tests, a share with every normal run."""

from __future__ import annotations

from hypothesis import settings

NORMAL, FULL = "normal", "full"
_PER_TEST = 100
_SHARE = 4

# How long one example takes says more about the machine than about the program.
settings.register_profile(FULL, deadline=None, max_examples=_PER_TEST)
settings.register_profile(NORMAL, deadline=None, max_examples=_PER_TEST // _SHARE)


def choose(marks: str) -> None:
    """The profile for a run of the tests that `-m` chooses: whoever asks for long tests too gets all examples."""
    settings.load_profile(NORMAL if marks.startswith("not long") else FULL)


def examples(full: int) -> int:
    """How many of so many are tried in this run."""
    return full if settings.get_current_profile_name() == FULL else full // _SHARE
