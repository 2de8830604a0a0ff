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
    """At most `limit` calls in any 60 seconds: a sliding window over the times of past calls.

    The service counts a call at some moment between its start and its end. A call in flight is therefore counted as
    made now, and a finished one as made when it ended: several threads then cause no refusal (429).
    """

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
        self._ended: list[datetime] = sorted(self._log.load(service, clock.now() - self.window))
        self._in_flight = 0

    def reserve(self) -> float:
        """Record a call that starts now and return 0.0; or return the seconds until one more is within the limit.

        `finished` must follow each call that was recorded. Several threads call a service at once: without the lock
        two of them could take the last free call.
        """
        with self._lock:
            wait = self._wait_needed()
            if wait <= 0.0:
                self._in_flight += 1
                self._log.record(self._service, self._clock.now())
            return wait

    def finished(self) -> None:
        """The call has ended, with or without a response."""
        with self._lock:
            self._in_flight -= 1
            self._ended.append(self._clock.now())

    def _wait_needed(self) -> float:
        now = self._clock.now()
        # A time in the future means that the clock was set back; it must not block calls for hours.
        self._ended = [at for at in self._ended if now - self.window < at <= now]
        free = self.limit - self._in_flight
        if len(self._ended) < free:
            return 0.0
        # With all calls in flight, none of them leaves the window for a minute.
        free_at = (self._ended[-free] if free > 0 else now) + self.window
        return max(0.0, (free_at - now).total_seconds())
