"""The sandbox's time: moved by hand, or running with the machine's clock plus an offset."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta


class SandboxClock:
    """A `plexstedi.clock.Clock` that everything in the sandbox reads, and that can be moved forward.

    `manual(start)` stands still until advanced, and `sleep` advances it: a client in the same process may share it.
    `running()` follows the machine's clock; `advance` adds to an offset.
    """

    def __init__(self, start: datetime | None) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError("the sandbox's clock needs an aware datetime")
        self._start = start.astimezone(UTC) if start is not None else None
        self._offset = timedelta(0)
        self._lock = threading.Lock()

    @classmethod
    def manual(cls, start: datetime) -> SandboxClock:
        """A clock that only `advance` and `sleep` move."""
        return cls(start)

    @classmethod
    def running(cls) -> SandboxClock:
        """The machine's clock, plus what `advance` has added."""
        return cls(None)

    @property
    def is_manual(self) -> bool:
        return self._start is not None

    def now(self) -> datetime:
        with self._lock:
            base = self._start if self._start is not None else datetime.now(UTC)
            return base + self._offset

    def monotonic(self) -> float:
        with self._lock:
            base = 0.0 if self._start is not None else time.monotonic()
            return base + self._offset.total_seconds()

    def sleep(self, seconds: float) -> None:
        """Manual: move the clock. Running: really wait."""
        if self._start is not None:
            self.advance(timedelta(seconds=max(0.0, seconds)))
        else:
            time.sleep(seconds)

    def advance(self, by: timedelta) -> datetime:
        """Move forward and return the new time. Raise ValueError for a step backwards."""
        if by < timedelta(0):
            raise ValueError("the sandbox's clock only moves forward")
        with self._lock:
            self._offset += by
        return self.now()
