"""The services of a command are closed whatever happens, and the limit of calls holds across commands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from plexstedi.state.store import Store
from plexstedi.sync.services import Services, StoredCalls

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


class Clock:
    def now(self) -> datetime:
        return NOW


class Client:
    closed = False

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.open(tmp_path / "state.sqlite3", NOW)
    yield made
    made.close()


def services(calls: StoredCalls, plex: Client | None = None, stedi: Client | None = None) -> Services:
    given: dict[str, Any] = {"config": None, "secrets": None, "clock": Clock(), "deadline": None, "kept": None}
    return Services(**given, stored_calls=calls, opened_plex=plex, opened_stedi=stedi)  # type: ignore[arg-type]


def calls_seen_by_the_next_command(store: Store) -> list[datetime]:
    return list(StoredCalls(store.cursors).load("Plex", NOW - timedelta(seconds=60)))


def test_calls_of_the_last_minute_count_for_the_next_command(store: Store) -> None:
    calls = StoredCalls(store.cursors)
    for seconds in (90, 30, 1):
        calls.record("Plex", NOW - timedelta(seconds=seconds))
    services(calls).close()
    assert calls_seen_by_the_next_command(store) == [NOW - timedelta(seconds=30), NOW - timedelta(seconds=1)]


def test_a_dry_run_leaves_no_calls_in_its_state(store: Store) -> None:
    calls = StoredCalls(store.cursors, keeps=False)
    calls.record("Plex", NOW)
    services(calls).close()
    assert calls_seen_by_the_next_command(store) == []


def test_connections_are_closed_even_if_the_calls_cannot_be_stored(store: Store) -> None:
    plex, stedi = Client(), Client()
    calls = StoredCalls(store.cursors)
    store.close()
    with pytest.raises(Exception, match="closed"):
        services(calls, plex, stedi).close()
    assert (plex.closed, stedi.closed) == (True, True)


def test_a_service_that_was_not_called_has_nothing_to_close(store: Store) -> None:
    stedi = Client()
    services(StoredCalls(store.cursors), stedi=stedi).close()
    assert stedi.closed
