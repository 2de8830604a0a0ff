"""Clocks jump, rows come late, edits leave no trace at the order: no change of an order is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.commands.buyers import edit


def at(bench, **ahead) -> dict[str, str]:
    """The server's clock goes wrong by this much."""
    return {"TEST_NOW": (bench.sandbox.clock.now() + timedelta(**ahead)).isoformat()}


def test_a_change_is_found_although_the_servers_clock_was_set_back(up_to_date):
    bench = up_to_date
    edit(bench, bench.numbers_sent()[0])
    bench.later(minutes=10)
    ran = bench.run("run", "--json", env=at(bench, hours=-5))
    assert ran.code == 0, ran.err
    assert ran.json["counts"]["documents_sent"] == 1


def test_a_change_is_found_after_the_servers_clock_was_in_the_future_for_a_while(up_to_date):
    bench = up_to_date
    assert bench.run("run", "--json", env=at(bench, days=3)).code in (0, 3)
    bench.later(minutes=30)
    edit(bench, bench.numbers_sent()[0])
    bench.later(minutes=10)
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 1
    bench.later(minutes=10)
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 0


def test_a_row_that_was_committed_late_is_found_by_the_overlap(up_to_date):
    bench = up_to_date
    bench.later(minutes=10)
    bench.run("run")
    release = edit(bench, bench.numbers_sent()[0])
    release.modified = bench.sandbox.clock.now() - timedelta(minutes=10)
    bench.later(minutes=3)
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 1


def test_a_row_that_was_committed_very_late_is_found_by_the_daily_sweep(up_to_date):
    bench = up_to_date
    release = edit(bench, bench.numbers_sent()[0])
    release.modified = bench.sandbox.clock.now() - timedelta(hours=2)
    bench.later(minutes=10)
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 0
    bench.later(hours=24)
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 1


def test_after_the_clock_was_wrong_not_every_run_reads_all_of_plex_again(up_to_date):
    bench = up_to_date
    assert bench.run("run", env=at(bench, days=3)).code in (0, 3)
    bench.later(minutes=30)
    assert bench.run("run", "--json").json["counts"]["orders_seen"] >= 4
    bench.later(minutes=10)
    assert bench.run("run", "--json").json["counts"]["orders_seen"] == 0


@pytest.fixture
def line_only(up_to_date):
    """A price changed on a line: neither the order nor a release bears a trace of it."""
    number = up_to_date.numbers_sent()[0]
    line = up_to_date.sandbox.plex.order(number).lines[0]
    with up_to_date.sandbox.lock:
        up_to_date.sandbox.plex.edit_line(number, line.number, price=line.price + 1)
    up_to_date.later(minutes=10)
    assert up_to_date.run("run", "--json").json["counts"]["documents_sent"] == 0
    return up_to_date


def test_an_edit_of_a_line_only_is_found_by_a_full_poll(line_only):
    assert line_only.run("poll", "--full", "--json").json["counts"]["orders_changed"] == 1
    assert line_only.run("submit", "--json").json["counts"]["documents_sent"] == 1


def test_an_edit_of_a_line_only_is_found_by_the_daily_sweep(line_only):
    line_only.later(hours=24)
    assert line_only.run("run", "--json").json["counts"]["documents_sent"] == 1
