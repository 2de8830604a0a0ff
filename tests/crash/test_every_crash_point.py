"""Killed with SIGKILL anywhere, then run to the end: nothing twice, nothing lost, nothing stuck."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EXPLORE = Path(__file__).with_name("explore.py")

WAYS = {
    "custom fields": (),
    "releases": ("--write", "releases"),
    "acknowledgment records": ("--write", "datasource"),
    "data sources alone": ("--write", "datasource", "--api", "datasource"),
    "SOAP": ("--write", "releases", "--api", "soap"),
    "invoices": ("--write", "report-only", "--invoices"),
}
"""What of a morning differs: how acknowledgments get into Plex, and what else is sent."""


def explore(orders: int, every: int, *more: str) -> list[dict[str, Any]]:
    """Every N-th crash point of a morning with this many orders."""
    command = [sys.executable, str(EXPLORE), "--orders", str(orders), "--every", str(every), *more]
    environment = {**os.environ, "PYTHONPATH": str(EXPLORE.parents[2])}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    points = [json.loads(line) for line in done.stdout.splitlines()]
    assert len({where(point) for point in points}) == len(points)
    return points


def where(point: dict[str, Any]) -> tuple[int, str, int]:
    return point["phase"], point["kind"], point["number"]


def check(points: list[dict[str, Any]]) -> None:
    wrong = [point for point in points if point["wrong"]]
    assert not wrong, json.dumps(wrong[:3], indent=1)


@pytest.mark.parametrize("way", WAYS)
def test_killed_here_and_there_nothing_is_sent_twice_or_lost(way: str) -> None:
    # Through data sources alone, a morning has fewer commits and calls.
    points = explore(5, 40 if "--api" in WAYS[way] else 90, *WAYS[way])
    assert len(points) >= 4
    check(points)


@pytest.mark.parametrize("way", ["custom fields", pytest.param("acknowledgment records", marks=pytest.mark.long)])
def test_a_twin_that_is_killed_leaves_what_a_run_leaves_that_is_killed_there(way: str) -> None:
    """The cheap way to every point is as good as a run of its own for each, with all that comes after it."""
    twins = {where(point): point for point in explore(5, 60, "--calls", "1", *WAYS[way])}
    plain = explore(5, 120, "--calls", "1", "--plainly", *WAYS[way])
    assert len(plain) >= 4
    assert plain == [twins[where(point)] for point in plain]


@pytest.mark.long
@pytest.mark.parametrize(
    ("broken", "phase", "way"),
    [
        ("sends_again_without_a_look", "0", "custom fields"),
        ("takes_what_is_stored_for_decided", "1", "custom fields"),
        ("writes_again_what_it_had_begun", "1", "acknowledgment records"),
    ],
)
def test_a_program_that_breaks_a_promise_when_it_is_killed_is_found_out(broken: str, phase: str, way: str) -> None:
    points = explore(3, 1, "--broken", broken, "--phase", phase, *WAYS[way])
    wrong = [point for point in points if point["wrong"]]
    assert 0 < len(wrong) < len(points)


def told(points: list[dict[str, Any]], way: str) -> str:
    by_kind = {kind: sum(1 for p in points if p["kind"] == kind) for kind in ("commit", "before", "after")}
    worlds = len({(point["phase"], point["left"]) for point in points})
    return f"\n{len(points)} crash points ({way}): {by_kind}; {worlds} different states were left behind"


@pytest.mark.long
def test_killed_at_every_commit_and_every_call_nothing_is_sent_twice_or_lost(
    capsys: pytest.CaptureFixture[str],
) -> None:
    points = explore(34, 1)
    with capsys.disabled():
        print(told(points, "34 orders, custom fields"))
    assert len(points) > 650
    check(points)


@pytest.mark.long
@pytest.mark.parametrize("way", [way for way in WAYS if way != "custom fields"])
def test_the_other_ways_hold_at_every_crash_point_too(way: str, capsys: pytest.CaptureFixture[str]) -> None:
    points = explore(6, 1, *WAYS[way])
    with capsys.disabled():
        print(told(points, f"6 orders, {way}"))
    assert len(points) > (200 if "--api" in WAYS[way] else 270)
    check(points)
