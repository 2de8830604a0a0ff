"""Actions scheduled in sandbox time."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime
from itertools import count

Action = Callable[[datetime], None]


class Schedule:
    """Actions by due time. Once the clock has passed it, each runs in order, with its due time as the current time."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, str, Action]] = []
        self._numbers = count()

    def at(self, due: datetime, action: Action, kind: str = "") -> None:
        heapq.heappush(self._heap, (due, next(self._numbers), kind, action))

    def run_due(self, now: datetime) -> None:
        while self._heap and self._heap[0][0] <= now:
            due, _, _, action = heapq.heappop(self._heap)
            action(due)

    def run_now(self, now: datetime, kind: str) -> int:
        """Run all pending actions of this kind now, regardless of their due time; return their number."""
        chosen = sorted(entry for entry in self._heap if entry[2] == kind)
        self._heap = [entry for entry in self._heap if entry[2] != kind]
        heapq.heapify(self._heap)
        for _, _, _, action in chosen:
            action(now)
        return len(chosen)

    def waiting(self, kind: str) -> int:
        return sum(1 for entry in self._heap if entry[2] == kind)
