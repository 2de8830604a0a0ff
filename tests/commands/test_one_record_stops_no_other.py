"""Each step of a run raises an unforeseen error at one record: the others go on, it is told once, nothing is lost."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from plexstedi.sandbox.behaviours import Character
from tests.commands.test_submit_invoices import with_invoices

from .conftest import Bench, MakeBench, Ran

ORDERS = 3


@dataclass(frozen=True)
class Step:
    """One function through which every record of a kind goes, and how its arguments tell the record."""

    module: str
    """Below `plexstedi`."""
    function: str
    key: Callable[..., Hashable]
    within: str | None = None
    """The class that has it, if it is a method."""
    items: tuple[int, ...] = (1,)
    """How many review items may be left: none where a later run finds out by itself how it ended."""


STEPS = {
    "an order is listed": Step("plex.rest.orders", "_changed_at", lambda row: row.raw("id")),
    "a window is held against a row": Step("plex.rest.client", "_moment", lambda row, *a: row.raw("id")),
    "a row's status is judged": Step("plex.rest.orders", "_may_be_released", lambda row, *a: row.raw("id")),
    "an order is read": Step("plex.rest.orders", "read_order", lambda header, *a, **k: header.raw("id")),
    "a supplier is read": Step("plex.rest.directory", "supplier", lambda self, id_, *a: id_, "Directory", (1, 2)),
    "an order is stored": Step("sync.poll.pending", "record_reading", lambda s, reading, *a: reading.id),
    "a receipt is read": Step("plex.rest.receipts", "read_receipt", lambda row: row.raw("id")),
    "a receipt is stored": Step("state.orders", "record", lambda self, id_, *a: id_, within="Receipts"),
    "an invoice is read": Step("plex.rest.invoices", "read_invoice", lambda row: row.raw("id")),
    "an invoice is stored": Step("sync.poll.invoices", "record_invoice", lambda s, reading, *a: reading.id),
    "an order is decided": Step("sync.submit.due_orders", "_of_order", lambda s, record, *a: record.id),
    "a stream is decided": Step("sync.submit.due_orders", "_of_stream", lambda s, record, *a: record.id),
    "an invoice is decided": Step("sync.submit.due_invoices", "_of_invoice", lambda s, record, *a: record.id),
    "a document is frozen": Step("sync.submit.freeze", "freeze", lambda s, due: due.stream),
    "a document is sent": Step("sync.submit.send", "_call", lambda stedi, attempt: attempt.document.id),
    "a send is answered": Step("sync.submit.send", "_record", lambda s, document, *a: document.id, items=(0,)),
    "a delivery is confirmed": Step("sync.submit.delivery", "_record_delivery", lambda s, document: document.id),
    "an execution is read": Step("stedi.client", "read_execution", lambda item: item["executionId"], items=(2,)),
    "an execution is noted": Step("sync.submit.executions", "_note_execution", lambda s, execution: execution.id),
    "a transaction is read": Step("stedi.client", "read_transaction", lambda item: item["transactionId"]),
    "a transaction is noted": Step("sync.ingest.listing", "_note_transaction", lambda s, each: each.id),
    "a document is fetched": Step("sync.ingest.fetch", "_keep", lambda s, inbound, fetched: inbound.transaction_id),
    "an acknowledgment is decided": Step(
        "sync.ingest.decide_received", "_decide", lambda s, inbound, c: inbound.transaction_id
    ),
    "a write is planned": Step("sync.ingest.order_state", "plan_order", lambda s, order_id, *a: order_id),
    "a write is made": Step("sync.writeback.apply", "differences", lambda plan, *a: plan.order_id),
    "a deadline is checked": Step("sync.ingest.deadlines", "_of_stream", lambda store, settings, stream, *a: stream),
}


NORMALLY = (
    "an order is read",
    "an invoice is stored",
    "a stream is decided",
    "a document is sent",
    "an execution is noted",
    "a transaction is read",
    "an acknowledgment is decided",
    "a write is made",
    "a deadline is checked",
)
"""One step of each stage: what a normal run of the tests breaks. Each takes a morning of commands."""


def breaks(step: Step, position: int, noted: Path) -> Callable[[], None]:
    """Let this step raise at the n-th record that comes to it, in this process and in those of later runs."""

    def patch() -> None:
        owner: Any = importlib.import_module(f"plexstedi.{step.module}")
        if step.within is not None:
            owner = getattr(owner, step.within)
        real = getattr(owner, step.function)
        # Several threads call services: else two of them would both be the n-th.
        one_at_a_time = threading.Lock()

        def broken(*given: object, **named: object) -> object:
            key = str(step.key(*given, **named))
            with one_at_a_time:
                seen = noted.read_text().split("\n") if noted.exists() else []
                if key not in seen:
                    seen.append(key)
                    noted.write_text("\n".join(seen))
            if seen.index(key) == position:
                raise RuntimeError("odd")
            return real(*given, **named)

        setattr(owner, step.function, broken)

    return patch


@dataclass
class Morning:
    """Some runs in which orders go out, are delivered, acknowledged, received and invoiced."""

    bench: Bench
    before: Callable[[], object] = lambda: None

    def play(self) -> list[Ran]:
        runs = [self.run()]
        self.bench.later(hours=1)
        runs.append(self.run())
        for _ in range(2):
            self.bench.later(hours=1)
            runs.append(self.run())
        self.receive([order for order in self.bench.sandbox.plex.tenant.orders if order.number in self.done()])
        for _ in range(2):
            self.bench.later(hours=1)
            runs.append(self.run())
        return runs

    def receive(self, orders: list[Any]) -> None:
        """All that was ordered comes in."""
        with self.bench.sandbox.lock:
            for order in orders:
                for line in order.lines:
                    for release in line.releases:
                        self.bench.sandbox.plex.receive(order.number, line.number, release.number, release.quantity)

    def run(self) -> Ran:
        return self.bench.run("run", before=self.before)

    def done(self) -> list[str]:
        """Orders whose documents are delivered, whose lines are all confirmed, and whose answers are in Plex."""
        found = []
        for order in self.bench.sandbox.plex.tenant.orders:
            status = self.bench.run("status", order.number, "--json")
            if status.code != 0:
                continue
            delivered = {document["state"] for document in status.json["documents"]} == {"delivered"}
            confirmed = {line["state"] for line in status.json["lines"]} == {"confirmed"}
            if delivered and confirmed and self.bench.writes(order.number):
                found.append(order.number)
        return found

    def reviews(self) -> list[dict[str, Any]]:
        return list(self.bench.run("review", "list", "--json").json["reviews"])


def play_with_a_break(make_bench: MakeBench, name: str, position: int) -> None:
    bench = make_bench(orders=ORDERS, suppliers=2, characters=(Character.PROMPT,))
    told = bench.place / "told.txt"
    alerts = f'\n[alerts]\ncommand = ["/bin/sh", "-c", "cat >> {told}"]\ndigest_hours = 9999\n'
    bench.write_config(lambda text: with_invoices(text) + alerts)
    noted = bench.place / "victims"
    broken = Morning(bench, breaks(STEPS[name], position, noted))
    runs = broken.play()

    seen = noted.read_text().split("\n") if noted.exists() else []
    assert len(seen) > 1, f"only {seen} came to this step: it says nothing about others"
    if len(seen) <= position:
        pytest.skip(f"only {len(seen)} records come to this step")
    reviews = [each for each in broken.reviews() if each["kind"] == "unforeseen"]
    assert len(reviews) in STEPS[name].items, "a supplier may have two orders"
    times = max(1, len(reviews))
    ended_with_1 = [run for run in runs if run.code == 1]
    assert 1 <= len(ended_with_1) <= times, [(run.code, run.err) for run in runs]
    traced = sum(run.err.count("Traceback (most recent call last)") for run in ended_with_1)
    assert 1 <= traced <= times, "once for each place"
    assert all("RuntimeError: odd" in run.err for run in ended_with_1)
    assert all("Traceback" not in run.err for run in runs if run not in ended_with_1)
    for review in reviews:
        assert "RuntimeError: odd" in review["reasons"][0]["message"]
    assert told.read_text().count("\n- cannot ") == times, "people are told of it, once"
    assert bench.run("status", "--check").code == (3 if reviews else 0)
    assert len(broken.done()) >= ORDERS - times, "the others went all the way"
    before = bench.run("review", "list", "--json").out
    assert broken.run().code in (0, 3), "a later run is as if it was held"
    assert bench.run("review", "list", "--json").out == before, "and asks nothing new"

    mended = Morning(bench)
    for review in reviews:
        assert bench.run("review", "accept", str(review["id"]), "--reason", "mended").code == 0
    for _ in range(4):
        mended.run()
        bench.later(hours=1)
    assert mended.done() == [order.number for order in bench.sandbox.plex.tenant.orders], "nothing was lost"
    assert [each for each in mended.reviews() if each["kind"] == "unforeseen"] == []
    names = [document.filename for document in bench.sandbox.generated()]
    assert len(names) == len(set(names)), "and nothing was sent twice"


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in NORMALLY else pytest.mark.long) for name in STEPS]
)
def test_the_first_record_raises_and_the_others_go_on(make_bench: MakeBench, name: str) -> None:
    play_with_a_break(make_bench, name, 0)


@pytest.mark.long
@pytest.mark.parametrize("position", [1, 2, 3])
@pytest.mark.parametrize("name", STEPS)
def test_each_other_record_raises_in_turn_and_the_rest_goes_on(make_bench: MakeBench, name: str, position: int) -> None:
    play_with_a_break(make_bench, name, position)


def test_the_only_write_of_a_run_raises_and_is_held(make_bench: MakeBench) -> None:
    """It is not made a second time to find out which of several it is."""
    bench = make_bench(orders=1, suppliers=1, characters=(Character.PROMPT,))
    bench.write_config(with_invoices)
    broken = Morning(bench, breaks(STEPS["a write is made"], 0, bench.place / "victims"))
    broken.play()
    assert [review["kind"] for review in broken.reviews()] == ["unforeseen"]


def test_one_release_of_an_order_raises_and_its_other_releases_go_out(make_bench: MakeBench) -> None:
    bench = make_bench(orders=12, suppliers=1, characters=(Character.SILENT,))
    table = "[suppliers.S001]\n"
    bench.write_config(lambda text: text.replace(table, f'{table}releases = "order-per-release"\n'))
    order = next(order for order in bench.sandbox.plex.tenant.orders if order.blanket and order.status == "On Order")
    releases = sum(release.status == "Firm" for line in order.lines for release in line.releases)
    assert releases > 1
    victim = bench.place / "victim"

    def first_of_it() -> None:
        owner: Any = importlib.import_module("plexstedi.sync.submit.due_orders")
        real = owner._of_stream

        def broken(session: object, record: Any, *rest: Any) -> object:
            release = rest[2].release
            if record.number == order.number and release is not None:
                if not victim.exists():
                    victim.write_text(release)
                if victim.read_text() == release:
                    raise RuntimeError("odd")
            return real(session, record, *rest)

        owner._of_stream = broken

    assert bench.run("run", before=first_of_it).code == 1
    assert len(bench.sent(order.number)) == releases - 1, "the other releases went out in the same run"
    (review,) = [r for r in bench.run("review", "list", "--json").json["reviews"] if r["kind"] == "unforeseen"]
    assert bench.run("review", "accept", str(review["id"]), "--reason", "mended").code == 0
    bench.later(minutes=5)
    bench.run("run")
    assert len(bench.sent(order.number)) == releases
