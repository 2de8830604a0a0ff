"""The world looks wrong: a run stops before it sends anything, and says which option overrides it."""

from __future__ import annotations

import pytest
from msgspec import structs

from tests.commands.advice import follow_option
from tests.commands.buyers import edit


def stopped(ran, name) -> None:
    assert ran.code == 3, ran.err
    assert ran.json["error"]["code"] == "suspicion"
    assert f"--override {name}" in ran.json["error"]["fix"]


def test_a_sweep_that_finds_none_of_the_known_orders_stops_the_run(up_to_date):
    bench = up_to_date
    orders = list(bench.sandbox.plex.tenant.orders)
    bench.sandbox.plex.tenant.orders.clear()
    bench.sandbox.plex.reindex()
    bench.later(hours=25)
    stopped(bench.run("run", "--json"), "sweep-empty")
    assert bench.run("review", "list", "--json").json["reviews"] == []
    bench.sandbox.plex.tenant.orders.extend(orders)
    bench.sandbox.plex.reindex()
    bench.later(minutes=5)
    assert bench.run("run").code == 0
    assert len(bench.sandbox.generated()) == 4


def test_a_stop_about_one_order_says_one_order(make_bench):
    bench = make_bench(orders=1, suppliers=1)
    bench.run("run")
    bench.sandbox.plex.tenant.orders.clear()
    bench.sandbox.plex.reindex()
    bench.later(hours=25)
    assert "had 1 open order before" in bench.run("poll", "--json").json["error"]["message"]


def test_a_user_who_knows_better_passes_the_empty_sweep_once(up_to_date):
    bench = up_to_date
    bench.sandbox.plex.tenant.orders.clear()
    bench.sandbox.plex.reindex()
    bench.later(hours=25)
    passed = follow_option(bench, bench.run("run", "--json").json["error"]["fix"], "run")
    assert passed.code == 3
    assert "error" not in passed.json
    held = bench.run("review", "list", "--json").json["reviews"]
    assert {review["reasons"][0]["code"] for review in held} == {"order-vanished"}
    assert len(bench.sandbox.generated()) == 4


def test_more_new_documents_than_ever_stop_before_the_first_and_are_sent_after_one_override(bench):
    bench.write_config(lambda text: text + "\n[documents]\nmax_per_run = 3\n")
    said = bench.run("run", "--json")
    stopped(said, "max-per-run")
    bench.later(minutes=5)
    stopped(bench.run("submit", "--json"), "max-per-run")
    assert bench.sandbox.generated() == []
    assert "max_per_run = 3" in "".join(bench.run("submit", "--dry-run", "--json").json["warnings"])
    assert "None of them was sent" in said.json["error"]["message"]
    passed = follow_option(bench, said.json["error"]["fix"], "run")
    assert passed.json["counts"]["documents_sent"] == 4
    (warning,) = [each for each in passed.json["warnings"] if each.startswith("overridden")]
    assert warning.endswith("max_per_run = 3"), "it does not say that nothing was sent"
    bench.later(minutes=5)
    assert bench.run("run").code == 0


def test_a_feed_that_gives_the_same_page_for_ever_stops_before_anything_is_sent(up_to_date):
    bench = up_to_date
    handlers = bench.sandbox._handlers
    real, stuck = handlers["stedi"], []

    def answer(request, fault):
        if request.path.endswith("/polling/executions"):
            if not stuck:
                bench.sandbox.stedi.finished.append(bench.sandbox.stedi.finished[-1])
                stuck.append(real(request, fault))
            return stuck[0]
        return real(request, fault)

    handlers["stedi"] = answer
    edit(bench, bench.numbers_sent()[0])
    bench.later(minutes=10)
    stopped(bench.run("run", "--json"), "feed-stuck")
    assert len(bench.sandbox.generated()) == 4
    handlers["stedi"] = real
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 1


@pytest.mark.parametrize("heard", [True, False])
def test_a_feed_that_goes_backwards_stops_before_anything_is_sent(up_to_date, heard):
    """As when the key opens another account. It ends by itself, or a person passes it once."""
    bench = up_to_date
    handlers = bench.sandbox._handlers
    real = handlers["stedi"]

    def from_the_beginning(request, fault):
        if request.path.endswith("/polling/executions"):
            query = tuple(
                ("startDateTime", "2026-11-20T00:00:00Z") if k == "pageToken" else (k, v) for k, v in request.query
            )
            request = structs.replace(request, query=query)
        return real(request, fault)

    bench.later(hours=3)
    edit(bench, bench.numbers_sent()[0])
    bench.later(minutes=10)
    bench.run("run")
    bench.later(minutes=10)
    bench.run("run")
    edit(bench, bench.numbers_sent()[1])
    bench.later(minutes=10)
    sent = len(bench.sandbox.generated())
    handlers["stedi"] = from_the_beginning
    bench.sandbox.stedi.finished[:] = bench.sandbox.stedi.finished[:2]
    said = bench.run("run", "--json")
    stopped(said, "feed-backwards")
    assert len(bench.sandbox.generated()) == sent
    if heard:
        handlers["stedi"] = real
        assert bench.run("run", "--json").json["counts"]["documents_sent"] == 1
    else:
        passed = follow_option(bench, said.json["error"]["fix"], "run")
        stopped(passed, "feed-stuck")
        passed = follow_option(bench, passed.json["error"]["fix"], "run")
        assert "error" not in passed.json
        assert passed.json["counts"]["documents_sent"] == 1
