"""Several calls at once: never more than allowed, one writer of the state, and nothing under way is left behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from plexstedi.config.load import load
from plexstedi.errors import Interrupted, ServiceUnavailable, StateUnusable
from plexstedi.http.caller import Deadline
from plexstedi.state.cursors import Fact
from plexstedi.state.store import Store
from plexstedi.sync.parallel import in_parallel
from plexstedi.sync.session import Session
from tests.sync.people.test_alerts import CONFIG
from tests.sync.services import services
from tests.sync.test_isolation import START, Clock


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    file = tmp_path / "plexstedi.toml"
    file.write_text(CONFIG.replace("{folder}", str(tmp_path)))
    store = Store.open(tmp_path / "state.sqlite3", START)
    yield Session(
        config=load(file),
        store=store,
        clock=Clock(),
        services=services(),
        deadline=Deadline(1e9),
    )
    store.close()


@pytest.mark.parametrize("calls", [1, 3, 8])
def test_as_many_calls_as_allowed_are_under_way_at_once_and_never_more(session: Session, calls: int) -> None:
    under_way, most = 0, 0
    lock, all_there = threading.Lock(), threading.Barrier(calls)

    def call(job: int) -> int:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        # Only when as many as allowed are under way does any of the first ones end.
        if job < calls:
            all_there.wait(timeout=30)
        with lock:
            under_way -= 1
        return job

    results: list[int] = []
    in_parallel(session, range(20), call, lambda job, result: results.append(result()), calls=calls)
    assert most == calls
    assert sorted(results) == list(range(20))


def test_only_the_calling_thread_writes_the_state(session: Session) -> None:
    mine = threading.get_ident()
    callers: set[int] = set()
    writers: set[int] = set()

    def jobs() -> Iterator[int]:
        for job in range(10):
            writers.add(threading.get_ident())
            with session.store.transaction():
                session.store.orders.any_not_up_to_date()
            yield job

    def conclude(job: int, result: Callable[[], None]) -> None:
        writers.add(threading.get_ident())
        result()

    in_parallel(session, jobs(), lambda job: callers.add(threading.get_ident()), conclude, calls=4)
    assert writers == {mine}
    assert mine not in callers


def test_an_interrupt_makes_no_further_call_and_concludes_those_under_way(session: Session) -> None:
    asked = threading.Event()

    def jobs() -> Iterator[int]:
        yield 1
        yield 2
        asked.set()
        raise Interrupted("stopped by SIGTERM", fix="The next run continues.")

    def call(job: int) -> int:
        assert asked.wait(timeout=30)
        return job

    concluded: list[int] = []
    with pytest.raises(Interrupted):
        in_parallel(session, jobs(), call, lambda job, result: concluded.append(result()), calls=8)
    assert sorted(concluded) == [1, 2]


def test_a_service_that_fails_is_not_called_again_and_the_first_failure_is_raised(session: Session) -> None:
    called: list[int] = []

    def call(job: int) -> int:
        called.append(job)
        if job == 2:
            raise ServiceUnavailable("Stedi cannot be reached", fix="Check the network.")
        return job

    concluded: list[int] = []
    with pytest.raises(ServiceUnavailable, match="cannot be reached"):
        in_parallel(session, range(100), call, lambda job, result: concluded.append(result()), calls=1)
    assert called == [0, 1, 2]
    assert concluded == [0, 1]


def test_a_call_inside_a_transaction_is_refused(session: Session) -> None:
    with pytest.raises(AssertionError, match="transaction"), session.store.transaction():
        in_parallel(session, [1], lambda job: job, lambda job, result: None, calls=2)


def put(session: Session, value: str) -> None:
    with session.store.transaction():
        session.store.cursors.put(Fact.TRANSACTIONS_TOKEN, value)


def stored(session: Session) -> str | None:
    """What is on disk, as another process sees it."""
    path = session.store.database.path
    assert path is not None
    other = Store.open_to_read(path)
    try:
        return other.cursors.get(Fact.TRANSACTIONS_TOKEN)
    finally:
        other.close()


def test_no_call_is_made_before_its_intent_is_on_disk(session: Session) -> None:
    """A call whose intent a killed run had not stored would be made again."""

    def jobs() -> Iterator[int]:
        for job in range(20):
            put(session, str(job))
            yield job

    def call(job: int) -> int:
        found = stored(session)
        assert found is not None
        assert int(found) >= job
        return job

    concluded: list[int] = []
    in_parallel(session, jobs(), call, lambda job, result: concluded.append(result()), calls=8)
    assert sorted(concluded) == list(range(20))


def test_nothing_is_called_whose_intent_cannot_be_stored(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[int] = []

    def jobs() -> Iterator[int]:
        for job in range(20):
            put(session, str(job))
            yield job

    def full() -> None:
        raise StateUnusable("the disk is full", fix="Free some space.", code="state-full")

    monkeypatch.setattr(session.store.database, "_commit", full)
    with pytest.raises(StateUnusable, match="full"):
        in_parallel(session, jobs(), called.append, lambda job, result: None, calls=4)
    assert called == []


def test_nothing_is_called_whose_intent_was_lost_while_others_were_prepared(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit before the end of the group, as of many rows, takes along what was prepared before."""
    called: list[int] = []
    database = session.store.database
    real = database._control

    def fail_once(statement: str) -> None:
        if statement == "COMMIT":
            monkeypatch.setattr(database, "_control", real)
            raise StateUnusable("the disk is full", fix="Free some space.", code="state-full")
        real(statement)

    def jobs() -> Iterator[int]:
        for job in range(20):
            put(session, str(job))
            if job == 1:
                database.write_group()
            yield job

    monkeypatch.setattr(database, "_control", fail_once)
    with pytest.raises(StateUnusable, match="full"):
        in_parallel(session, jobs(), called.append, lambda job, result: None, calls=8)
    assert called == []
    assert stored(session) is None


def test_nothing_is_called_if_the_state_was_replaced_while_it_was_prepared(session: Session) -> None:
    """The next run would not find that the call may have been made."""
    called: list[int] = []
    path = session.store.database.path
    assert path is not None

    def jobs() -> Iterator[int]:
        for job in range(2):
            put(session, str(job))
            if not job:
                path.rename(path.with_name("moved away"))
                path.touch()
            yield job

    with pytest.raises(StateUnusable, match="replaced") as told:
        in_parallel(session, jobs(), called.append, lambda job, result: None, calls=8)
    assert told.value.code == "state-replaced"
    assert called == []
    assert not session.store.database.in_transaction


def test_what_was_prepared_before_an_error_is_still_called(session: Session) -> None:
    def jobs() -> Iterator[int]:
        put(session, "1")
        yield 1
        raise ServiceUnavailable("Plex cannot be reached", fix="Check the network.")

    concluded: list[int] = []
    with pytest.raises(ServiceUnavailable):
        in_parallel(session, jobs(), lambda job: job, lambda job, result: concluded.append(result()), calls=8)
    assert concluded == [1]
    assert stored(session) == "1"


def test_results_that_came_together_are_stored_although_one_of_them_fails(session: Session) -> None:
    together = threading.Barrier(4)

    def call(job: int) -> int:
        together.wait(timeout=30)
        return job

    def conclude(job: int, result: Callable[[], int]) -> None:
        if result() == 2:
            raise RuntimeError("a record that nobody foresaw")
        with session.store.transaction():
            before = session.store.cursors.get(Fact.TRANSACTIONS_TOKEN) or ""
            session.store.cursors.put(Fact.TRANSACTIONS_TOKEN, f"{before}{job}")

    with pytest.raises(RuntimeError):
        in_parallel(session, range(4), call, conclude, calls=4)
    assert sorted(stored(session) or "") == ["0", "1", "3"]
