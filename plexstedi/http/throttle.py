"""Rate limit: at most so many calls per minute to a service, across consecutive runs."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from plexstedi.clock import Clock


class CallLog(Protocol):
    """Stores the times of calls, so that the limit holds across consecutive runs."""

    def load(self, service: str, since: datetime) -> Sequence[datetime]:
        """Times of calls to this service since then: timezone-aware, in any order."""
        ...

    def record(self, service: str, at: datetime) -> None:
        """Store the time of one call."""
        ...


class MemoryCallLog:
    """A CallLog in memory: covers this process only."""

    def __init__(self) -> None:
        self._calls: list[tuple[str, datetime]] = []

    def load(self, service: str, since: datetime) -> Sequence[datetime]:
        return [at for name, at in self._calls if name == service and at >= since]

    def record(self, service: str, at: datetime) -> None:
        self._calls.append((service, at))


class PerMinute:
    """At most `limit` calls in any 60 seconds: a sliding window over the times of past calls."""

    window = timedelta(seconds=60)

    def __init__(self, limit: int, *, service: str, clock: Clock, call_log: CallLog | None = None) -> None:
        if limit < 1:
            raise ValueError(f"a limit of {limit} calls per minute allows no calls")
        self.limit = limit
        self._service = service
        self._clock = clock
        self._log = call_log if call_log is not None else MemoryCallLog()
        self._lock = threading.Lock()
        self.turn = threading.Lock()
        """Held while waiting for the limit: several threads would all wait, and then all try at once."""
        self.recent: list[datetime] = sorted(self._log.load(service, clock.now() - self.window))

    def reserve(self) -> float:
        """Record a call that is made now and return 0.0; or return the seconds until one more is within the limit.

        Several threads call a service at once: without the lock two of them could take the last free call.
        """
        with self._lock:
            wait = self._wait_needed()
            if wait <= 0.0:
                self._count()
            return wait

    def _wait_needed(self) -> float:
        now = self._clock.now()
        # A time in the future means that the clock was set back; it must not block calls for hours.
        self.recent = [at for at in self.recent if now - self.window < at <= now]
        if len(self.recent) < self.limit:
            return 0.0
        free_at = self.recent[-self.limit] + self.window
        return max(0.0, (free_at - now).total_seconds())

    def _count(self) -> None:
        now = self._clock.now()
        self.recent.append(now)
        self._log.record(self._service, now)
