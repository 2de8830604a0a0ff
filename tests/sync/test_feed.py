"""What a page of a feed shows and could not be stored is listed again: its token is kept only together with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from plexstedi.config.load import load
from plexstedi.errors import StateUnusable
from plexstedi.http.caller import Deadline
from plexstedi.state.cursors import Fact
from plexstedi.state.store import Store
from plexstedi.stedi.paging import Page
from plexstedi.sync.ingest import listing as pulling
from plexstedi.sync.session import Session
from plexstedi.sync.submit import executions as witness
from tests.sync.people.test_alerts import CONFIG
from tests.sync.services import services
from tests.sync.test_isolation import START, Clock

ENTRY: Any = SimpleNamespace(id="t1", raw={}, processed_at=START, created_at=START, updated_at=None)
PAGE: Page[Any] = Page((ENTRY,), (), "after-t1")
LAST: Page[Any] = Page((), (), None)


@dataclass
class Feed:
    """A Stedi of one entry; the first page leads on to an empty one."""

    asked: int = 0

    def poll_transactions(self, checkpoint: object) -> Page[Any]:
        self.asked += 1
        return PAGE if self.asked == 1 else LAST

    poll_executions = poll_transactions

    def executions(self, **filters: object) -> Iterator[Page[Any]]:
        return iter(())


@pytest.mark.parametrize(
    ("module", "note", "read", "token"),
    [
        (pulling, "_note_transaction", pulling.list_new, Fact.TRANSACTIONS_TOKEN),
        (witness, "_note_execution", witness.read_executions, Fact.EXECUTIONS_TOKEN),
    ],
)
def test_what_could_not_be_stored_is_listed_again(
    module: Any,
    note: str,
    read: Callable[[Session], None],
    token: Fact,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "plexstedi.toml"
    file.write_text(CONFIG.replace("{folder}", str(tmp_path)))
    store = Store.open(tmp_path / "state.sqlite3", datetime(2026, 11, 23, 8, tzinfo=UTC))

    def session() -> Session:
        stedi: Any = Feed()
        return Session(
            config=load(file),
            store=store,
            clock=Clock(),
            services=services(stedi),
            deadline=Deadline(1e9),
        )

    def full(*given: object) -> None:
        raise StateUnusable("the disk is full", fix="Make room.")

    with monkeypatch.context() as disk:
        disk.setattr(module, note, full)
        with pytest.raises(StateUnusable):
            read(session())
    assert store.cursors.get(token) is None, "the next run asks for the same page"
    noted: list[str] = []
    monkeypatch.setattr(module, note, lambda session, entry: noted.append(entry.id))
    read(session())
    assert noted == ["t1"]
    assert store.cursors.get(token) == "after-t1"
    store.close()
