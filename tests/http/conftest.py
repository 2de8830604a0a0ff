"""A clock that moves only when told, and a caller on it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from plexstedi.http.caller import Attempt, Caller
from plexstedi.http.response import Refusal


class StillClock:
    """Starts at a fixed instant; `sleep` moves it and is remembered."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


REFUSAL = Refusal("the key is wrong or has expired", "Correct the key, then run `plexstedi check`.")


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def attempts() -> list[Attempt]:
    return []


@pytest.fixture
def make_caller(clock: StillClock, attempts: list[Attempt]) -> Iterator[Callable[..., Caller]]:
    made: list[Caller] = []

    def make(service: str = "Stedi", base_url: str = "https://core.example/2023", **more: object) -> Caller:
        options: dict[str, object] = {
            "refusal": REFUSAL,
            "headers": {"Authorization": "sk-very-secret-key"},
            "clock": clock,
            "rng": random.Random(7),
            "on_attempt": attempts.append,
        }
        made.append(Caller(service, base_url, **(options | more)))
        return made[-1]

    yield make
    for caller in made:
        caller.close()
