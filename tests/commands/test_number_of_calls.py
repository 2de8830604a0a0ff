"""How many calls a run makes: Plex allows about 200 a minute for all programs of a company."""

from __future__ import annotations

import pytest

import plexstedi.sync.setup as setup
from plexstedi.sandbox.behaviours import Character

N, S = 24, 4


@pytest.fixture
def bench(make_bench):
    """24 released orders of four suppliers that acknowledge everything at once."""
    made = make_bench(orders=N, suppliers=S, characters=(Character.PROMPT,))
    with made.sandbox.lock:
        for order in made.sandbox.plex.tenant.orders:
            order.status = "On Order"
    return made


class Calls:
    """The calls of one command, by service."""

    def __init__(self, bench, *words):
        before = len(bench.sandbox.log)
        self.ran = bench.run(*words, "--json")
        assert self.ran.code in (0, 3), self.ran.err
        paths = [entry.path for entry in bench.sandbox.log[before:]]
        of_stedi = ("/2023-08-01/", "/artifacts/")
        self.stedi = [path for path in paths if path.startswith(of_stedi)]
        self.plex = [path for path in paths if not path.startswith(of_stedi)]


def edit_all(bench):
    for order in list(bench.sandbox.plex.tenant.orders):
        with bench.sandbox.lock:
            line = order.lines[0]
            release = line.releases[0]
            bench.sandbox.plex.edit_release(order.number, line.number, release.number, quantity=release.quantity + 12)


def test_a_first_poll_of_n_orders_of_s_suppliers_makes_n_and_s_and_eleven_calls_at_most(bench):
    first = Calls(bench, "poll")
    assert first.ran.json["counts"]["orders_seen"] == N
    assert len(first.plex) <= N + S + 11
    assert first.stedi == []


def test_an_idle_run_makes_six_calls_to_plex_and_two_to_stedi(bench):
    bench.run("run")
    for hours in (3, 3, 3):
        bench.later(hours=hours)
        bench.run("run")
    bench.later(minutes=30)
    idle = Calls(bench, "run")
    assert idle.ran.json["counts"]["documents_sent"] == 0
    assert len(idle.plex) == 6
    assert len(idle.stedi) == 2


def test_n_changed_orders_are_read_with_nine_calls_more_than_orders(bench):
    bench.run("run")
    bench.later(hours=3)
    bench.run("run")
    bench.later(hours=3)
    bench.run("run")
    bench.later(minutes=30)
    edit_all(bench)
    bench.later(minutes=5)
    changed = Calls(bench, "poll")
    assert changed.ran.json["counts"]["orders_changed"] == N
    assert len(changed.plex) <= N + 9
    by_ids = [path for path in changed.plex if path.endswith(("purchase-orders", "releases"))]
    assert len(by_ids) <= 5 + 2  # five questions about the window, one list of headers and one of releases


def test_sending_n_documents_and_learning_that_they_were_delivered_makes_four_calls_more(bench):
    bench.run("poll")
    sent = Calls(bench, "submit")
    assert sent.ran.json["counts"]["documents_sent"] == N
    bench.later(hours=1)
    delivered = Calls(bench, "submit")
    assert delivered.ran.json["counts"]["documents_delivered"] == N
    # The very first run lists every file of ours there ever was, to notice a lost state.
    assert len(sent.stedi) + len(delivered.stedi) <= N + 4 + 1


def test_m_acknowledgments_make_two_calls_each_and_eleven_to_plex_for_all(bench):
    bench.run("run")
    bench.later(hours=3)
    acknowledged = Calls(bench, "ingest-acks")
    fetched = sum(path.endswith("-output") for path in acknowledged.stedi)
    assert fetched >= N
    assert len(acknowledged.stedi) <= 2 * fetched + 3
    assert len(acknowledged.plex) <= 11
    assert acknowledged.ran.json["counts"]["writes_made"] > 0


def test_master_data_of_plex_is_read_once_a_day(bench):
    bench.run("run")
    bench.later(minutes=30)
    edit_all(bench)
    bench.later(minutes=5)
    names = ("suppliers", "addresses", "statuses")
    assert [path for path in Calls(bench, "poll").plex if path.endswith(names)] == []
    bench.later(hours=25)
    edit_all(bench)
    bench.later(minutes=5)
    assert [path for path in Calls(bench, "poll").plex if path.endswith("statuses")] != []


def wait_in_slices() -> None:
    """As with a real clock: a call that is in the air when a wait begins is counted in the minute it was made in."""
    setup._SLICE_SECONDS = 0.25


def test_the_limit_of_calls_a_minute_is_used_to_95_percent_and_never_exceeded(make_bench):
    """70 orders at 20 calls a minute, read by four threads: as fast as the limit allows, and Plex never refuses one."""
    bench = make_bench(orders=70, suppliers=S)
    limit = 20

    def limited(text: str) -> str:
        lines = [
            f"requests_per_minute = {limit}" if line.startswith("requests_per_minute") else line
            for line in text.splitlines()
        ]
        return "\n".join(lines) + "\n[run]\ntime_limit_minutes = 60\n"

    bench.write_config(limited)
    bench.sandbox.plex_settings.calls_per_minute = limit
    polled = bench.run("poll", "--json", before=wait_in_slices)
    assert polled.code in (0, 3), polled.err
    assert polled.json["counts"]["orders_seen"] == 70
    calls = [entry for entry in bench.sandbox.log if not entry.path.startswith("/2023-08-01/")]
    assert {entry.status for entry in calls} == {200}
    # Counted up to the last burst: the rest of its minute is not waited for.
    whole = [entry.at for entry in calls if entry.at < calls[-1].at]
    minutes = (calls[-1].at - calls[0].at).total_seconds() / 60
    assert minutes >= 3
    assert len(whole) >= 0.95 * limit * minutes
