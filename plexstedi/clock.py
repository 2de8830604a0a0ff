"""Time and patience, passed in wherever a decision or a wait depends on them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the rest of the program knows of time."""

    def now(self) -> datetime:
        """The present, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards, for measuring spans within this process."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for this many seconds."""
        ...


@dataclass
class StopRequest:
    """Set by a signal; looked at between two documents, and while waiting."""

    signal: str | None = None


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
