"""An acknowledgment that takes long to decide holds no run beyond its limit, keeps no other waiting, and ends held."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from plexstedi.clock import StopRequest
from plexstedi.config.load import load
from plexstedi.errors import Interrupted, ServiceUnavailable
from plexstedi.http.caller import Deadline
from plexstedi.state.cursors import Fact
from plexstedi.state.inbox import Inbound, InboxState, ListedTransaction
from plexstedi.state.store import Store
from plexstedi.sync.ingest import decide_received
from plexstedi.sync.session import Session
from tests.sync.people.test_alerts import CONFIG
from tests.sync.services import services

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
LIMIT = 240.0


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Days:
    """Runs that follow each other; deciding takes the seconds given per transaction, and looks as it goes."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, takes: dict[str, float]) -> None:
        file = folder / "plexstedi.toml"
        file.write_text(CONFIG.replace("{folder}", str(folder)))
        self.config = load(file)
        self.clock = Clock()
        self.stop = StopRequest()
        self.store = Store.open(folder / "state.sqlite3", self.clock.now())
        self.takes = takes
        self.begun: list[str] = []
        for number, transaction in enumerate(takes):
            listed = ListedTransaction(
                transaction, "e", "855", "p", "ACME01", START + timedelta(seconds=number), None, "004010", 1, 1, 1
            )
            self.store.inbox.list_one(listed, START)
            self.store.inbox.store(transaction, b"{}", "guide-json", transaction)
        monkeypatch.setattr(decide_received, "_decide", self.decide)

    def decide(self, session: Session, inbound: Inbound, candidates: object) -> None:
        self.begun.append(inbound.transaction_id)
        for _ in range(int(self.takes[inbound.transaction_id])):
            self.clock.seconds += 1
            session.check_deadline()
        session.store.inbox.move(inbound.transaction_id, InboxState.IGNORED, "decided")

    def run(self) -> str:
        """One run: how it ended."""
        began = self.clock.seconds
        self.begun.clear()
        session = Session(
            config=self.config,
            store=self.store,
            clock=self.clock,
            services=services(),
            deadline=Deadline(began + LIMIT, self.stop),
            stop=self.stop,
        )
        try:
            decide_received.process(session)
        except ServiceUnavailable as fault:
            return fault.code
        finally:
            assert self.clock.seconds - began <= LIMIT + 1
        return "done"

    def state(self, transaction: str) -> InboxState:
        inbound = self.store.inbox.get(transaction)
        assert inbound is not None
        return inbound.state


@pytest.fixture
def days(tmp_path, monkeypatch):
    made: list[Days] = []

    def make(**takes: float) -> Days:
        made.append(Days(tmp_path, monkeypatch, takes))
        return made[-1]

    yield make
    for each in made:
        each.store.close()


def test_one_that_takes_longer_than_a_run_lets_the_others_go_first_and_is_then_held(days):
    one = days(huge=100_000, small=5)
    assert one.run() == "time-limit"
    assert one.begun == ["huge"]
    assert one.run() == "time-limit"
    assert one.begun == ["small", "huge"]
    assert (one.state("small"), one.state("huge")) == (InboxState.IGNORED, InboxState.HELD)
    (review,) = one.store.reviews.open_items()
    assert review.reasons[0].code == "takes-too-long"
    assert "run.time_limit_minutes" in review.reasons[0].fix
    assert one.run() == "done"
    assert one.begun == []
    assert one.store.cursors.get(Fact.CUT_SHORT) is None


def test_one_that_a_whole_run_can_decide_is_decided_once_it_has_one(days):
    one = days(first=100, long=200)
    assert one.run() == "time-limit"
    assert one.begun == ["first", "long"]
    assert one.run() == "done"
    assert one.state("long") is InboxState.IGNORED
    assert one.store.cursors.get(Fact.CUT_SHORT) is None


def test_one_that_never_gets_enough_of_a_run_is_held_in_the_end(days):
    """Others come in every run; it is not tried for ever."""
    one = days(a=150, long=200)
    for number in range(3):
        assert one.run() == "time-limit"
        assert one.begun[-1] == "long"
        listed = ListedTransaction(f"n{number}", "e", "855", "p", "ACME01", START, None, "004010", 1, 1, 1)
        one.takes[f"n{number}"] = 150
        one.store.inbox.list_one(listed, START)
        one.store.inbox.store(f"n{number}", b"{}", "guide-json", f"n{number}")
    assert one.state("long") is InboxState.HELD


def test_a_request_to_stop_ends_a_decision_and_nothing_is_half_done(days):
    one = days(huge=100_000)
    one.takes["huge"] = 10
    decide = one.decide

    def stopped(session: Session, inbound: Inbound, candidates: object) -> None:
        session.store.inbox.move(inbound.transaction_id, InboxState.WAITING, "half done")
        one.stop.signal = "SIGTERM"
        decide(session, inbound, candidates)

    decide_received._decide = stopped
    with pytest.raises(Interrupted):
        one.run()
    assert one.state("huge") is InboxState.STORED
    assert one.store.cursors.get(Fact.CUT_SHORT) is None, "a person's stop says nothing of how long it takes"
