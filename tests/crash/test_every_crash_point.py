"""Killed with SIGKILL anywhere, then run to the end: nothing twice, nothing lost, nothing stuck."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

WORLD = Path(__file__).with_name("world.py")
SHARDS = 2


def explore(orders: int, every: int) -> list[dict[str, Any]]:
    """Every N-th crash point of a morning with this many orders, in two processes at once."""
    environment = {**os.environ, "PYTHONPATH": str(WORLD.parents[2])}
    running = [
        subprocess.Popen(
            [
                sys.executable,
                str(WORLD),
                *("--orders", str(orders), "--shard", f"{shard}/{SHARDS}", "--every", str(every)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for shard in range(SHARDS)
    ]
    points: list[dict[str, Any]] = []
    for process in running:
        out, err = process.communicate()
        assert process.returncode == 0, err
        points += [json.loads(line) for line in out.splitlines()]
    return [point for point in points if "kind" in point]


def check(points: list[dict[str, Any]]) -> None:
    wrong = [point for point in points if point["wrong"]]
    assert not wrong, json.dumps(wrong[:3], indent=1)
    alive = [point for point in points if not point["killed"]]
    assert not alive, f"not killed at {alive[:3]}"


def test_killed_here_and_there_nothing_is_sent_twice_or_lost() -> None:
    points = explore(orders=5, every=24)
    assert len(points) >= 10
    check(points)


@pytest.mark.long
def test_killed_at_every_commit_and_every_call_nothing_is_sent_twice_or_lost(
    capsys: pytest.CaptureFixture[str],
) -> None:
    points = explore(orders=34, every=1)
    with capsys.disabled():
        by_kind = {kind: sum(1 for p in points if p["kind"] == kind) for kind in ("commit", "before", "after")}
        print(f"\n{len(points)} crash points: {by_kind}")
    assert len(points) > 500
    check(points)
