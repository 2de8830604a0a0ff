"""Killed with SIGKILL anywhere, then run to the end: nothing twice, nothing lost, nothing stuck."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

WORLD = Path(__file__).with_name("world.py")
SHARDS = 2


def explore(orders: int, every: int, *more: str) -> list[dict[str, Any]]:
    """Every N-th crash point of a morning with this many orders, in two processes at once."""
    environment = {**os.environ, "PYTHONPATH": str(WORLD.parents[2])}
    with contextlib.ExitStack() as files:
        running = []
        for shard in range(SHARDS):
            # A file, not a pipe: nobody reads while the other shard is waited for.
            out = files.enter_context(tempfile.TemporaryFile("w+"))
            command = [sys.executable, str(WORLD), *("--orders", str(orders), "--shard", f"{shard}/{SHARDS}")]
            process = subprocess.Popen(
                [*command, "--every", str(every), *more], stdout=out, stderr=subprocess.STDOUT, env=environment
            )
            running.append((process, out))
        points: list[dict[str, Any]] = []
        for process, out in running:
            code = process.wait()
            out.seek(0)
            text = out.read()
            assert code == 0, text[-3000:]
            points += [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [point for point in points if "kind" in point]


WAYS = {
    "custom fields": (),
    "releases": ("--write", "releases"),
    "acknowledgment records": ("--write", "datasource"),
    "invoices": ("--write", "report-only", "--invoices"),
}
"""What of a morning differs: how acknowledgments get into Plex, and what else is sent."""


def check(points: list[dict[str, Any]]) -> None:
    wrong = [point for point in points if point["wrong"]]
    assert not wrong, json.dumps(wrong[:3], indent=1)
    alive = [point for point in points if not point["killed"]]
    assert not alive, f"not killed at {alive[:3]}"


@pytest.mark.parametrize("way", WAYS)
def test_killed_here_and_there_nothing_is_sent_twice_or_lost(way: str) -> None:
    points = explore(5, 24 if way == "custom fields" else 60, *WAYS[way])
    assert len(points) >= 3
    check(points)


def told(points: list[dict[str, Any]], way: str) -> str:
    by_kind = {kind: sum(1 for p in points if p["kind"] == kind) for kind in ("commit", "before", "after")}
    return f"\n{len(points)} crash points ({way}): {by_kind}"


@pytest.mark.long
def test_killed_at_every_commit_and_every_call_nothing_is_sent_twice_or_lost(
    capsys: pytest.CaptureFixture[str],
) -> None:
    points = explore(34, 1)
    with capsys.disabled():
        print(told(points, "34 orders, custom fields"))
    assert len(points) > 500
    check(points)


@pytest.mark.long
@pytest.mark.parametrize("way", [way for way in WAYS if way != "custom fields"])
def test_the_other_ways_hold_at_every_crash_point_too(way: str, capsys: pytest.CaptureFixture[str]) -> None:
    points = explore(6, 1, *WAYS[way])
    with capsys.disabled():
        print(told(points, f"6 orders, {way}"))
    assert len(points) > 150
    check(points)
