"""A send without an answer is repeated just as it was while Stedi knows its key, later only if it is not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from plexstedi.config.load import load
from plexstedi.http.caller import Deadline
from plexstedi.state.document import Document
from plexstedi.state.document_states import DocumentState
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.store import Store
from plexstedi.stedi.models import OUTBOUND, Execution
from plexstedi.stedi.outcome import Refused, SendOutcome, Unknown
from plexstedi.stedi.paging import Page
from plexstedi.sync.session import Session
from plexstedi.sync.submit.in_doubt import resolve_unconfirmed
from plexstedi.sync.submit.send import send
from tests.state.conftest import brought_to
from tests.sync.people.test_alerts import CONFIG
from tests.sync.services import services
from tests.sync.test_isolation import START, Clock

MINE, OTHER = "PO-1001-1.edi", "PO-2-1.edi"


def listed(file_name: str) -> Execution:
    """A file as Stedi lists it."""
    return Execution(
        id=f"x-{file_name}",
        direction=OUTBOUND,
        status="SUCCEEDED",
        partnership_id="us_acme",
        directory=None,
        file_name=file_name,
        mode="production",
        transaction_count=1,
        fault_code=None,
        fault_message=None,
        retryable=False,
        parent_id=None,
        child_id=None,
        created_at=START,
        updated_at=None,
        deliveries=(),
        raw={},
    )


@dataclass
class Stedi:
    """Answers each send alike, and lists some files."""

    outcome: SendOutcome = field(default_factory=lambda: Unknown("no answer", maybe_processed=True))
    files: tuple[str, ...] = ()
    sent: list[tuple[str, bytes, str]] = field(default_factory=list)

    def generate_edi(self, partnership: str, body: bytes, key: str) -> SendOutcome:
        self.sent.append((partnership, body, key))
        return self.outcome

    def service_now(self) -> datetime | None:
        return None

    def executions(self, **filters: object) -> Iterator[Page[Any]]:
        yield Page(tuple(map(listed, self.files)), (), None)


@pytest.fixture
def stedi() -> Stedi:
    return Stedi()


@pytest.fixture
def session(tmp_path: Path, stedi: Stedi) -> Iterator[Session]:
    file = tmp_path / "plexstedi.toml"
    file.write_text(CONFIG.replace("{folder}", str(tmp_path)))
    store = Store.open(tmp_path / "state.sqlite3", START)
    client: Any = stedi
    yield Session(
        config=load(file),
        store=store,
        clock=Clock(),
        services=services(client),
        deadline=Deadline(1e9),
    )
    store.close()


def later(session: Session, by: timedelta) -> None:
    clock: Any = session.clock
    clock.passed += by


def now_is(session: Session, document: Document) -> DocumentState:
    return session.store.documents.get(document.id).state


def test_each_attempt_has_the_same_bytes_and_the_same_key(session: Session, stedi: Stedi) -> None:
    document = brought_to(session.store, DocumentState.FROZEN)
    send(session, document)
    for _ in range(3):
        later(session, timedelta(hours=5))
        resolve_unconfirmed(session)
    assert stedi.sent == [("us_acme", b'{"heading": {}}', "key-PO-1001-1")] * 4
    assert now_is(session, document) is DocumentState.SENDING


def test_after_the_life_of_its_key_nothing_is_repeated_blindly(session: Session, stedi: Stedi) -> None:
    document = brought_to(session.store, DocumentState.SENDING)
    later(session, timedelta(hours=22, minutes=59))
    resolve_unconfirmed(session)
    assert len(stedi.sent) == 1
    later(session, timedelta(minutes=20))
    resolve_unconfirmed(session)
    assert len(stedi.sent) == 1
    assert now_is(session, document) is DocumentState.IN_DOUBT


@pytest.mark.parametrize(
    ("files", "known", "state", "sends"),
    [
        ((), False, DocumentState.IN_DOUBT, 0),
        ((), True, DocumentState.IN_DOUBT, 0),
        (("of-somebody-else.edi",), True, DocumentState.IN_DOUBT, 0),
        ((OTHER,), False, DocumentState.IN_DOUBT, 0),
        ((OTHER,), True, DocumentState.SENDING, 1),
        ((MINE,), False, DocumentState.ACCEPTED, 0),
        ((OTHER, MINE), True, DocumentState.ACCEPTED, 0),
        ((MINE.upper(),), False, DocumentState.IN_DOUBT, 0),
    ],
)
def test_a_file_is_absent_only_if_the_same_search_finds_another_known_one(
    session: Session, stedi: Stedi, files: tuple[str, ...], known: bool, state: DocumentState, sends: int
) -> None:
    document = brought_to(session.store, DocumentState.SENDING)
    if known:
        brought_to(session.store, DocumentState.DELIVERED, "PO-2")
    stedi.files = files
    later(session, timedelta(hours=30))
    resolve_unconfirmed(session)
    assert now_is(session, document) is state
    assert len(stedi.sent) == sends
    doubts = [review for review in session.store.reviews.open_items() if review.kind is ReviewKind.DOCUMENT_IN_DOUBT]
    assert len(doubts) == (state is DocumentState.IN_DOUBT)


def test_a_refusal_after_an_attempt_without_a_response_concludes_nothing(session: Session, stedi: Stedi) -> None:
    document = brought_to(session.store, DocumentState.FROZEN)
    send(session, document)
    stedi.outcome = Refused(400, "bad", "bad", ())
    later(session, timedelta(hours=1))
    resolve_unconfirmed(session)
    assert now_is(session, document) is DocumentState.SENDING
    assert session.store.documents.open_attempts(document.id) == 1
