"""Waiting for a key: a signal is seen soon, also one that arrives just before the wait begins."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from typing import Any

import pytest

from plexstedi.cli.render.keys import pressed


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Where a key is written to; stdin is its other end."""
    read, write = os.pipe()
    with os.fdopen(read) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        yield write
    os.close(write)


def test_no_wait_for_a_key_is_without_end(keyboard: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python runs a signal's handler when the wait is over: a wait without end would keep Ctrl-C until the next key."""
    waits: list[float | None] = []
    real = select.select

    def watched(readers: Any, writers: Any, errors: Any, seconds: float | None = None) -> Any:
        waits.append(seconds)
        if len(waits) == 3:
            os.write(keyboard, b"a")
        return real(readers, writers, errors, 0)

    monkeypatch.setattr("select.select", watched)
    assert pressed() == "a"
    assert [seconds for seconds in waits if seconds is None or seconds > 1] == []
    assert len(waits) == 3


def test_a_wait_of_some_seconds_ends_without_a_key(keyboard: int) -> None:
    assert pressed(0) == ""
    os.write(keyboard, b"q")
    assert pressed(0) == "q"
