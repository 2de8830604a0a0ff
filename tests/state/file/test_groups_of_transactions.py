"""Transactions that are committed together: one sync for many, and still each is there or not, as it would be alone."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexstedi.errors import StateUnusable
from plexstedi.state.cursors import Fact
from plexstedi.state.file.database import Database
from plexstedi.state.store import Store
from tests.state.conftest import NOW
from tests.state.file.test_database import in_a_process


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database.open(path, NOW)
    yield database
    database.close()


def put(database: Database, name: str, value: str) -> None:
    sql = "INSERT INTO memory (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    database.execute(sql, (name, value))


def on_disk(path: Path) -> dict[str, str]:
    """What a run would find that began now."""
    with sqlite3.connect(path) as connection:
        found = dict(connection.execute("SELECT name, value FROM memory WHERE name LIKE 't-%'"))
    connection.close()
    return found


def commits(database: Database) -> list[str]:
    """Each COMMIT from now on."""
    seen: list[str] = []
    database._connection.set_trace_callback(lambda sql: seen.append(sql) if sql == "COMMIT" else None)
    return seen


def test_they_are_on_disk_together_with_one_commit(database: Database, path: Path) -> None:
    seen = commits(database)
    with database.group():
        for number in range(10):
            with database.transaction():
                put(database, f"t-{number}", "x")
        assert on_disk(path) == {}
        assert database.in_transaction
    assert len(on_disk(path)) == 10
    assert len(seen) == 1
    assert not database.in_transaction


def test_one_that_raises_leaves_nothing_and_takes_no_other_along(database: Database, path: Path) -> None:
    with database.group():
        with database.transaction():
            put(database, "t-1", "x")
        with suppress(RuntimeError), database.transaction():
            put(database, "t-2", "x")
            raise RuntimeError
        with database.transaction():
            put(database, "t-3", "x")
    assert on_disk(path).keys() == {"t-1", "t-3"}


def test_what_was_complete_when_the_run_is_stopped_is_kept(database: Database, path: Path) -> None:
    with suppress(KeyboardInterrupt), database.group():
        with database.transaction():
            put(database, "t-1", "x")
        with database.transaction():
            put(database, "t-2", "x")
            raise KeyboardInterrupt
    assert on_disk(path).keys() == {"t-1"}
    with database.transaction():
        put(database, "t-3", "x")
    assert on_disk(path).keys() == {"t-1", "t-3"}


def test_many_rows_are_committed_before_the_group_ends(database: Database, path: Path) -> None:
    seen = commits(database)
    with database.group():
        for number in range(1200):
            with database.transaction():
                put(database, f"t-{number}", "x")
        assert 1000 <= len(on_disk(path)) < 1200
    assert len(on_disk(path)) == 1200
    assert len(seen) == 3


def test_a_group_in_a_group_or_in_a_transaction_is_part_of_it(database: Database, path: Path) -> None:
    with database.group():
        with database.group(), database.transaction():
            put(database, "t-1", "x")
        assert on_disk(path) == {}
    assert on_disk(path).keys() == {"t-1"}
    with suppress(RuntimeError), database.transaction():
        with database.group(), database.transaction():
            put(database, "t-2", "x")
        raise RuntimeError
    assert on_disk(path).keys() == {"t-1"}


def test_kill_9_takes_them_together_and_nothing_that_was_written_before(path: Path) -> None:
    killed = in_a_process(
        """
        import os, signal, sys
        from datetime import UTC, datetime
        from pathlib import Path
        from plexstedi.state.cursors import Fact
        from plexstedi.state.store import Store
        store = Store.open(Path(sys.argv[1]), datetime.now(UTC))
        with store.group():
            with store.transaction():
                store.cursors.put(Fact.TRANSACTIONS_TOKEN, "before the call")
            store.database.write_group()
            with store.transaction():
                store.cursors.put(Fact.TRANSACTIONS_TOKEN, "after it")
            with store.transaction():
                store.cursors.put(Fact.EXECUTIONS_TOKEN, "after it")
            os.kill(os.getpid(), signal.SIGKILL)
        """,
        path,
    )
    assert killed.returncode == -signal.SIGKILL
    store = Store.open(path, NOW)
    assert store.cursors.get(Fact.TRANSACTIONS_TOKEN) == "before the call"
    assert store.cursors.get(Fact.EXECUTIONS_TOKEN) is None
    store.close()


def test_a_full_disk_that_takes_the_others_along_is_told_at_each_later_step(database: Database, path: Path) -> None:
    """What is gone must not count as recorded: a document would be sent without a trace."""
    later: list[str] = []

    def work() -> None:
        with database.group():
            with database.transaction():
                put(database, "t-1", "x")
            fill(database)
            with suppress(StateUnusable), database.transaction():
                put(database, "t-2", "x" * 100_000)
            with suppress(StateUnusable), database.transaction():
                later.append("stored")

    with pytest.raises(StateUnusable, match="full") as told:
        work()
    assert told.value.code == "state-full"
    assert on_disk(path) == {}
    assert later == []
    database.number("PRAGMA max_page_count = 1000000")
    with database.transaction():
        put(database, "t-3", "x")
    assert on_disk(path).keys() == {"t-3"}


@pytest.mark.parametrize("error", [sqlite3.OperationalError("database or disk is full"), KeyboardInterrupt()])
def test_an_early_commit_that_fails_is_told_at_each_later_step(
    database: Database, path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """Whoever has completed the others would not know that they were rolled back with it."""
    expected = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else StateUnusable
    real = database._control

    def fail_once(statement: str) -> None:
        if statement == "COMMIT":
            monkeypatch.setattr(database, "_control", real)
            with database._faults:
                raise error
        real(statement)

    def work() -> None:
        with database.group():
            with database.transaction():
                put(database, "t-1", "x")
            monkeypatch.setattr(database, "_control", fail_once)
            for _ in range(2):
                with pytest.raises(expected):
                    database.write_group()
            with pytest.raises(expected), database.transaction():
                put(database, "t-2", "x")

    with pytest.raises(expected):
        work()
    assert on_disk(path) == {}
    with database.group(), database.transaction():
        put(database, "t-3", "x")
    assert on_disk(path).keys() == {"t-3"}


@pytest.mark.parametrize("grouped", [False, True])
def test_an_interrupt_while_one_begins_leaves_none_open(
    database: Database, path: Path, monkeypatch: pytest.MonkeyPatch, grouped: bool
) -> None:
    """How the run ended is stored after it."""

    def interrupted(version: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(database.kept, "drop_unless", interrupted)
        with suppress(KeyboardInterrupt), database.group() if grouped else nullcontext(), database.transaction():
            put(database, "t-1", "x")
    assert not database.in_transaction
    with database.transaction():
        put(database, "t-2", "x")
    assert on_disk(path).keys() == {"t-2"}


def fill(database: Database) -> None:
    """From now on the file cannot grow; SQLite then rolls back what is open, as on a full disk."""
    pages = database.number("PRAGMA page_count")
    database.number(f"PRAGMA max_page_count = {pages}")
    # This limit ends the statement only; a disk that is full may end the transaction as a whole.
    real = database._control

    def control(statement: str) -> None:
        if statement.startswith("ROLLBACK TO") and database._connection.in_transaction:
            database._connection.execute("ROLLBACK")
            return
        real(statement)

    database._control = control


STEPS = st.lists(
    st.tuples(st.sampled_from(["do", "raise", "savepoint", "write", "alone"]), st.integers(0, 3)), max_size=12
)


@given(steps=STEPS, group=st.booleans())
def test_a_group_never_changes_what_is_stored(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]], group: bool
) -> None:
    """The same steps with and without it leave the same."""
    path = tmp_path_factory.mktemp("state") / "state.sqlite3"
    database = Database.open(path, NOW)
    expected: dict[str, str] = {}

    def run() -> None:
        for number, (kind, key) in enumerate(steps):
            name, value = f"t-{key}", str(number)
            if kind == "alone":
                put(database, name, value)
            elif kind == "write":
                database.write_group()
                continue
            else:
                try:
                    with database.transaction():
                        put(database, name, value)
                        if kind == "savepoint":
                            with suppress(LookupError), database.savepoint():
                                put(database, name, "undone")
                                raise LookupError
                        if kind == "raise":
                            raise RuntimeError
                except RuntimeError:
                    continue
            expected[name] = value

    if group:
        with database.group():
            run()
    else:
        run()
    assert on_disk(path) == expected
    database.close()
