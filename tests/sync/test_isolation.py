"""A record that raises an unforeseen error, or that a service does not answer for, is held or asked for again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from plexstedi.config.load import load
from plexstedi.errors import RecordsUnanswered, RequestRejected, ServiceUnavailable
from plexstedi.http.caller import Deadline
from plexstedi.state.cursors import Fact
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.store import Store
from plexstedi.state.subject import of_transaction
from plexstedi.sync import isolation
from plexstedi.sync.feed import feed_entry
from plexstedi.sync.isolation import Record, Turns, is_held, isolated, try_again, try_again_after_update
from plexstedi.sync.session import Session
from plexstedi.sync.stages import Stage
from tests.sync.people.test_alerts import CONFIG
from tests.sync.services import services

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
ORDER = Record("decide", "order o1", "order PO-1", "revision 1", order_number="PO-1")


class Clock:
    def __init__(self) -> None:
        self.passed = timedelta()

    def now(self) -> datetime:
        return START + self.passed

    def monotonic(self) -> float:
        return self.passed.total_seconds()

    def sleep(self, seconds: float) -> None:
        self.passed += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def session(tmp_path: Path, clock: Clock) -> Iterator[Session]:
    file = tmp_path / "plexstedi.toml"
    file.write_text(CONFIG.replace("{folder}", str(tmp_path)))
    store = Store.open(tmp_path / "state.sqlite3", START)
    yield Session(
        config=load(file),
        store=store,
        clock=clock,
        services=services(),
        deadline=Deadline(1e9),
    )
    store.close()


def raises(session: Session, record: Record = ORDER, error: Exception | None = None) -> None:
    with isolated(session, record):
        raise error or KeyError("odd")


def items(session: Session, kind: ReviewKind = ReviewKind.UNFORESEEN) -> list[str]:
    return [review.subject.text for review in session.store.reviews.open_items() if review.kind is kind]


def test_it_is_held_reported_once_and_takes_back_what_it_did(session: Session) -> None:
    with session.store.transaction():
        session.store.cursors.put(Fact.PLEX_CALLS, "kept")
        with isolated(session, ORDER) as turn:
            session.run.counts.orders_seen += 1
            session.store.cursors.put(Fact.PLEX_CALLS, "undone")
            raise ValueError("odd")
    assert turn.held
    assert session.store.cursors.get(Fact.PLEX_CALLS) == "kept"
    assert session.run.counts.orders_seen == 0
    raises(session, error=KeyError("another error"))
    assert items(session) == ["decide order o1"]
    (told,) = session.run.unforeseen
    assert "cannot decide order PO-1: ValueError: odd" in told.message


@pytest.mark.parametrize(
    ("what", "again"),
    [
        ("nothing", False),
        ("another revision", True),
        ("an update of the program", True),
        ("a person accepts", True),
    ],
)
def test_it_has_its_turn_again_only_when_something_is_another(
    session: Session, monkeypatch: pytest.MonkeyPatch, what: str, again: bool
) -> None:
    raises(session)
    now = ORDER
    if what == "another revision":
        now = Record("decide", "order o1", "order PO-1", "revision 2")
    if what == "an update of the program":
        monkeypatch.setattr(isolation, "__version__", "99.0")
        try_again_after_update(session)
    if what == "a person accepts":
        try_again(session, ORDER.name)
    assert is_held(session, now) is not again
    with isolated(session, now):
        pass
    assert items(session) == []
    assert not is_held(session, now)


def test_what_is_read_only_when_it_changes_is_asked_for_again(session: Session) -> None:
    store = session.store
    for cursor in (Fact.RECEIPTS_CURSOR, Fact.INVOICES_CURSOR):
        store.cursors.put_time(cursor, START)
    for key in ("order o7", "receipts row c1", "invoice i1"):
        raises(session, Record("read", key, key))
    for subject in items(session):
        try_again(session, subject, "PO-7")
    assert [(work.order_id, work.number) for work in store.orders.work(9)] == [("o7", "PO-7")]
    assert store.cursors.time(Fact.RECEIPTS_CURSOR) is None
    assert store.cursors.time(Fact.INVOICES_CURSOR) == START - timedelta(days=3)


def test_an_entry_of_a_feed_is_kept_until_it_could_be_noted(session: Session) -> None:
    entry = Record("note", "transaction t1", "transaction t1", raw={"transactionId": "t1"})
    raises(session, entry)
    assert session.store.unforeseen.contents("note transaction ") == [], "it waits for a person or an update"
    try_again(session, entry.name)
    assert session.store.unforeseen.contents("note transaction ") == [("note transaction t1", '{"transactionId":"t1"}')]
    with isolated(session, entry):
        pass
    assert session.store.unforeseen.contents("note transaction ") == []


DOWN = ServiceUnavailable("Plex answers 500", fix="Wait.")


def ask(session: Session, *answers: Exception | None, clock: Clock | None = None) -> Turns:
    turns = Turns(session, Stage.POLL)
    for number, answer in enumerate(answers):
        with turns.turn(Record("read", f"order o{number}", f"order PO-{number}")):
            if answer is not None:
                raise answer
    return turns


def test_one_without_a_response_is_a_fault_from_the_first_run_and_a_review_item_after_a_day(
    session: Session, clock: Clock
) -> None:
    turns = ask(session, None, DOWN, None)
    with pytest.raises(RecordsUnanswered, match="cannot read order PO-1: Plex answers 500"):
        turns.raise_unanswered()
    (fault,) = session.store.faults.open_faults()
    assert (fault.place, fault.since) == ("read order o1", START)
    clock.passed = timedelta(hours=23)
    with pytest.raises(RecordsUnanswered):
        ask(session, None, DOWN, None).raise_unanswered()
    assert items(session, ReviewKind.UNANSWERED) == []
    clock.passed = timedelta(hours=24)
    ask(session, None, DOWN, None).raise_unanswered()
    assert items(session, ReviewKind.UNANSWERED) == ["read order o1"]
    assert session.store.faults.open_faults() == []
    ask(session, None, DOWN, None).raise_unanswered()
    ask(session, None, None, None).raise_unanswered()
    assert items(session, ReviewKind.UNANSWERED) == [], "answered after all, the item closes by itself"


def test_several_in_a_row_are_the_service_and_those_that_failed_before_have_their_turn_last(session: Session) -> None:
    with pytest.raises(ServiceUnavailable, match="500"):
        ask(session, DOWN, DOWN, DOWN, None)
    turns = Turns(session, Stage.POLL)
    late = [turns.failed_earlier(Record("read", f"order o{number}", "")) for number in range(4)]
    assert late == [True, True, False, False]
    assert turns.failing_orders() == {"o0", "o1"}


def test_a_refusal_of_one_record_is_of_this_record_and_the_end_of_the_time_is_of_the_run(session: Session) -> None:
    refused = RequestRejected("Stedi refused it with 400", fix="Correct it.", status=400)
    with pytest.raises(RecordsUnanswered, match="refused it with 400"):
        ask(session, refused, None).raise_unanswered()
    with pytest.raises(ServiceUnavailable, match="time"):
        ask(session, ServiceUnavailable("the time is over", fix="Wait.", code="time-limit"), None)


def test_a_held_entry_of_the_transaction_feed_is_known_by_its_transaction() -> None:
    """Its review item names the transaction; one of the execution feed is about none."""
    assert feed_entry("transaction", "t-7", {}).subject.transaction == "t-7"
    assert feed_entry("execution", "e-7", {}).subject.transaction is None


def test_a_response_closes_no_item_that_another_step_opens_about_the_same_document(
    session: Session, clock: Clock
) -> None:
    """Stedi responds again, but still without the document: its item stays until the document is stored."""
    document = Record("fetch", "transaction t-7", "the document of transaction t-7", about=of_transaction("t-7"))

    def fetched(fault: Exception | None) -> None:
        turns = Turns(session, Stage.INGEST, shared=ReviewKind.DOCUMENT_MISSING)
        with turns.turn(document):
            if fault is not None:
                raise fault

    fetched(DOWN)
    clock.passed = timedelta(hours=24)
    fetched(DOWN)
    assert items(session, ReviewKind.DOCUMENT_MISSING) == [of_transaction("t-7").text]
    assert session.store.faults.open_faults() == [], "it is reported once, as the item"
    fetched(None)
    assert items(session, ReviewKind.DOCUMENT_MISSING) == [of_transaction("t-7").text]
