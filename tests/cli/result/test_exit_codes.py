"""One exit code for a run in which several things went wrong: a script must see the one that it has to act on."""

from __future__ import annotations

import itertools

import pytest

from plexstedi.cli.result.outcome import Outcome, worst
from plexstedi.errors import ExitCode, LockHeld, ServiceUnavailable, StateUnusable, UsageFault

ORDER = [130, 7, 6, 4, 5, 1, 3]
"""As the contract has it."""


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(ORDER, 2)))
def test_of_several_the_contracts_order_decides(first: int, second: int) -> None:
    assert worst([ExitCode(second), ExitCode(first), ExitCode.DONE]) == first
    assert worst([ExitCode(first), ExitCode(second)]) == first


def test_nothing_wrong_is_0() -> None:
    assert worst([]) == 0
    assert worst([ExitCode.DONE]) == 0


def test_the_error_that_is_reported_is_the_one_that_the_code_stands_for() -> None:
    away = ServiceUnavailable("Plex is away", fix="wait")
    full = StateUnusable("the disk is full", fix="make room")
    outcome = Outcome("run", faults=[away, full], attention=True)
    assert outcome.exit_code == 7
    assert outcome.as_json()["error"]["message"] == "the disk is full"
    assert outcome.by_precedence() == [full, away]


def test_what_needs_review_is_reported_only_where_nothing_worse_is() -> None:
    assert Outcome("run", attention=True).exit_code == 3
    assert Outcome("run", attention=True, faults=[LockHeld("held", fix="wait")]).exit_code == 6
    assert Outcome("review", faults=[UsageFault("no reason", fix="add --reason")]).exit_code == 2
