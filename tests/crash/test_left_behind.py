"""Two killed processes count as one only where nothing at all differs in what they left behind."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.config_text import secrets
from plexstedi.sandbox.plex.sample_data import sample_tenant
from plexstedi.sandbox.server import Sandbox
from tests.crash.direct import Direct, through
from tests.crash.left import left_behind
from tests.crash.world import START, World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(Sandbox(sample_tenant(1, 1, 7, START), SandboxClock.manual(START)), tmp_path_factory.mktemp("place"))
    made.write_config()
    with through(Direct(made.sandbox)):
        made.run_until_quiet()
        yield made


def _in_the_ledger(statement: str) -> Callable[[World], None]:
    def act(world: World) -> None:
        with contextlib.closing(sqlite3.connect(world.place / "state.sqlite3")) as ledger, ledger:
            assert ledger.execute(statement).rowcount == 1

    return act


def _save(world: World) -> None:
    plex = world.sandbox.plex
    plex.save_custom("custom", "PurchaseOrder", plex.tenant.orders[0].id, {"EDI_Ack_Code": "AD"})


def _partnership(world: World) -> None:
    next(iter(world.sandbox.stedi.partnerships.values())).interchange_number += 1


CHANGES: dict[str, Callable[[World], object]] = {
    "a count of attempts": _in_the_ledger("UPDATE attempts SET number = number + 1"),
    "a time": _in_the_ledger("UPDATE documents SET frozen_at = frozen_at + 1"),
    "a file beside the ledger": lambda world: (world.place / "beside").write_text("x"),
    "a second": lambda world: world.sandbox.clock.advance(timedelta(seconds=1)),
    "a value in Plex": _save,
    "a control number": _partnership,
    "a key that Stedi remembers": lambda world: world.sandbox.stedi_api.keys._keys.clear(),
    "an answer that is on its way": lambda world: world.sandbox.advance(timedelta(minutes=2)),
    "an answer that has come": lambda world: world.sandbox.advance(timedelta(hours=3)),
    "a supplier's way": lambda world: world.sandbox.set_character("S001", Character.SILENT),
    "what a supplier holds": lambda world: [book.orders.clear() for book in world.sandbox.suppliers.books.values()],
    "when an action is due": lambda world: world.sandbox.schedule.at(START + timedelta(days=9), lambda at: None),
    "the next made-up id": lambda world: world.sandbox.stedi.new_id(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_differs_is_another_state(world: World, change: str) -> None:
    before = left_behind(world)
    CHANGES[change](world)
    assert left_behind(world) != before


def test_a_call_that_only_reads_leaves_nothing(world: World) -> None:
    before = left_behind(world)
    headers = {"Authorization": secrets(world.sandbox)["stedi-api-key"]}
    with httpx.Client(transport=Direct(world.sandbox), headers=headers) as client:
        assert client.get(world.sandbox.urls.stedi_url + "/executions").status_code == 200
    assert left_behind(world) == before
