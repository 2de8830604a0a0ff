"""The sandbox's clock: advanced manually, or the machine's clock plus an offset."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta


class SandboxClock:
    """The `plexstedi.clock.Clock` of the whole sandbox; it can be advanced.

    `manual(start)` does not move until advanced, and `sleep` advances it: a client in the same process may share it.
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
        """A clock moved only by `advance` and `sleep`."""
        return cls(start)

    @classmethod
    def running(cls) -> SandboxClock:
        """The machine's clock plus the sum of all `advance` calls."""
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
        """Manual: advance the clock. Running: wait in real time."""
        if self._start is not None:
            self.advance(timedelta(seconds=max(0.0, seconds)))
        else:
            time.sleep(seconds)

    def advance(self, by: timedelta) -> datetime:
        """Advance the clock and return the new time. Raise ValueError for a negative step."""
        if by < timedelta(0):
            raise ValueError("the sandbox's clock only moves forward")
        with self._lock:
            self._offset += by
        return self.now()
