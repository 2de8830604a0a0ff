"""How often a run waits for the disk: a commit is a sync, 5 to 10 ms on a hard disk, and an order took eleven."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from plexstedi.sandbox.behaviours import Character
from plexstedi.state.file.transactions import Transactions
from plexstedi.sync.poll import pending

N = 40


@pytest.fixture
def bench(make_bench):
    """40 released orders whose suppliers acknowledge everything at once."""
    made = make_bench(orders=N, suppliers=4, characters=(Character.PROMPT,))
    with made.sandbox.lock:
        for order in made.sandbox.plex.tenant.orders:
            order.status = "On Order"
    return made


@contextmanager
def counted() -> Iterator[list[int]]:
    """The orders that are stored in each commit of the commands inside."""
    stored: list[int] = []
    patch = pytest.MonkeyPatch()
    real = Transactions._commit

    def commit(database: Transactions) -> None:
        real(database)
        if database.path is not None:
            with sqlite3.connect(database.path) as connection:
                stored.append(connection.execute("SELECT count(*) FROM orders").fetchone()[0])
            connection.close()

    patch.setattr(Transactions, "_commit", commit)
    try:
        yield stored
    finally:
        patch.undo()


def test_an_order_is_sent_with_two_commits_and_acknowledged_with_three_at_most(bench):
    with counted() as first:
        assert bench.run("run").code == 0
    assert len(bench.numbers_sent()) == N
    # Freezing and intent of a send in one, its outcome in the other.
    assert len(first) <= 2 * N + 30
    bench.later(hours=3)
    with counted() as second:
        assert bench.run("run").code == 0
    assert len({write.order for write in bench.sandbox.plex.writes if write.effective}) == N
    # An order has two documents to store, a 997 and an 855; all are decided together.
    assert len(second) <= 2 * N + 30


def test_orders_that_are_read_fast_are_committed_together(bench):
    with counted() as commits:
        assert bench.run("poll").code == 0
    assert max(commits) == N
    assert len(commits) < N / 2


def test_where_plex_is_slow_each_order_is_stored_as_soon_as_it_is_read(bench, monkeypatch):
    monkeypatch.setattr(pending, "_GROUP_SECONDS", 0.0)
    with counted() as commits:
        assert bench.run("poll").code == 0
    assert set(range(1, N + 1)) <= set(commits)
