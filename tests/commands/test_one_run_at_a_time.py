"""Two runs never work at once, a run ends in time, and a signal never leaves half a document."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from datetime import timedelta

import pytest

from plexstedi.errors import LockHeld
from plexstedi.state.file.lock import RunLock, lock_path

from .conftest import START


@pytest.fixture(autouse=True)
def processes_that_share_no_file(bench):
    """A forked process would hold the lock together with this one."""
    bench.real_process = True


def held(bench) -> RunLock:
    """The lock, as another process would hold it."""
    return RunLock(bench.state, command="plexstedi run", now=lambda: START)


def test_a_second_run_is_shown_who_is_at_work_and_asks_nobody_anything(bench):
    with held(bench):
        ran = bench.run("run", "--json")
    assert ran.code == 6
    assert ran.json["error"]["code"] == "locked"
    for told in (f"pid {os.getpid()}", "`plexstedi run`", "2026-11-23T07:00:00"):
        assert told in ran.json["error"]["message"]
    assert bench.sandbox.log == []
    assert bench.run("run").code == 0


def test_what_a_dead_run_left_in_the_lock_file_blocks_nobody(bench):
    lock_path(bench.state).write_text(
        '{"pid": 1, "host": "elsewhere", "command": "plexstedi run", "since": "long ago"}'
    )
    assert bench.run("run").code == 0
    assert len(bench.sandbox.generated()) == 4


def test_a_user_waits_until_the_run_ends(bench, monkeypatch):
    bench.run("run")
    lock = held(bench)
    waits = []

    def advance(by: timedelta) -> None:
        waits.append(by)
        if len(waits) == 3:
            lock.__exit__(None, None, None)

    with lock:
        monkeypatch.setattr(bench.sandbox, "advance", advance)
        ran = bench.run("recover", "--yes")
    assert ran.code == 0, ran.err
    assert len(waits) >= 3


def test_a_user_does_not_wait_for_ever(bench):
    bench.run("run")
    before = bench.sandbox.clock.now()
    with held(bench):
        ran = bench.run("recover", "--yes")
    assert ran.code == 6
    assert timedelta(seconds=29) < bench.sandbox.clock.now() - before < timedelta(seconds=35)


@pytest.mark.parametrize(("number", "calls"), [(signal.SIGTERM, 8), (signal.SIGINT, 1)])
def test_a_signal_lets_current_documents_be_finished_and_the_next_run_does_the_rest(bench, number, calls):
    bench.write_config(lambda text: text.replace("[stedi]\n", f"[stedi]\nparallel_calls = {calls}\n"))
    sends = []

    def on_call(call) -> None:
        if call.phase == "before" and call.path.endswith("generate-edi"):
            sends.append(call)
            if len(sends) == 2:
                os.kill(json.loads(lock_path(bench.state).read_text())["pid"], number)

    bench.sandbox.on_call(on_call)
    ran = bench.run("run", "--json")
    assert ran.code == 130
    assert ran.json["error"]["code"] == "interrupted"
    finished = ran.json["counts"]["documents_sent"]
    # Those in the air are finished; with one call at a time there are no others.
    assert finished == len(sends) == 2 if calls == 1 else finished == len(sends) >= 2
    states = Counter(
        document["state"]
        for order in bench.numbers_sent()
        for document in bench.run("status", order, "--json").json["documents"]
    )
    assert states == {"accepted": finished}
    bench.later(minutes=1)
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 4 - finished
    assert len(set(bench.numbers_sent())) == len(bench.numbers_sent()) == 4


def test_a_slow_plex_ends_each_run_in_time_and_several_runs_do_all_of_it_once(make_bench):
    bench = make_bench(orders=30, suppliers=2)
    bench.write_config(
        lambda text: (
            "\n".join(
                "requests_per_minute = 12" if line.startswith("requests_per_minute") else line
                for line in text.splitlines()
            )
            + "\n[run]\ntime_limit_minutes = 2\n"
        )
    )
    wanted = 28
    runs = 0
    while len(bench.numbers_sent()) < wanted:
        begun = bench.sandbox.clock.now()
        ran = bench.run("run", "--json")
        runs += 1
        assert bench.sandbox.clock.now() - begun <= timedelta(minutes=2, seconds=5)
        assert ran.code in (0, 5), ran.err
        assert runs < 30
        bench.later(minutes=1)
    assert runs > 2, "one run was enough: nothing was shown"
    assert len(set(bench.numbers_sent())) == len(bench.numbers_sent()) == wanted
    assert bench.run("audit", "verify").code == 0


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_second_run_by_another_name_of_the_state_file_finds_the_lock(bench, link):
    assert bench.run("run").code == 0
    other = bench.place / "other.sqlite3"
    link(bench.state, other)
    before = len(bench.sandbox.log)
    with held(bench):
        ran = bench.run("--state", str(other), "run", "--json")
    assert ran.code == 6
    assert f"pid {os.getpid()}" in ran.json["error"]["message"]
    assert len(bench.sandbox.log) == before


def test_a_first_run_holds_the_state_file_that_it_made(bench):
    """Also when somebody deletes the lock file meanwhile."""
    told = []

    def on_call(call) -> None:
        if call.phase == "before" and call.path.endswith("generate-edi") and not told:
            lock_path(bench.state).unlink()
            with pytest.raises(LockHeld) as caught, held(bench):
                pytest.fail("two runs at once")
            told.append(caught.value.message)

    bench.sandbox.on_call(on_call)
    assert bench.run("run").code == 0
    assert " run`, since 2026-11-23" in told[0]


def test_a_state_file_that_is_gone_is_missed_by_each_of_its_names(bench):
    """What lies beside the file is found through a link, too: no second, empty state is begun."""
    other = bench.place / "elsewhere" / "link.sqlite3"
    other.parent.mkdir()
    other.symlink_to(bench.state)
    assert bench.run("--state", str(other), "run").code == 0
    bench.state.unlink()
    for named in ((), ("--state", str(other))):
        ran = bench.run(*named, "run")
        assert (ran.code, "plexstedi recover" in ran.err) == (7, True)
    bench.later(minutes=1)
    assert bench.run("--state", str(other), "recover", "--yes").code == 0
    assert bench.state.exists()
    assert other.is_symlink()
    assert bench.run("run").code == 0
    assert len(set(bench.numbers_sent())) == len(bench.numbers_sent()) == 4
