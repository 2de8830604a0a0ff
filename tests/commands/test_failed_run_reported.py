"""Whatever ends a run: the lock is free, the monitor and people are told, `status` knows it, nothing is half done."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import plexstedi.cli.run
import plexstedi.sync.run as stages
from plexstedi.edi.reasons import Reason
from plexstedi.errors import ServiceRefused, Unforeseen
from plexstedi.state.file.lock import lock_path
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import Subject
from plexstedi.sync.session import Session

from .conftest import Bench, Ran

STAGES = {"poll": "poll", "submit": "submit", "ingest-acks": "ingest"}


@pytest.fixture
def told(bench: Bench) -> Path:
    """What the alerts told people: their program writes it here."""
    file = bench.place / "told.txt"
    bench.write_config(lambda text: text + f'\n[alerts]\ncommand = ["/bin/sh", "-c", "cat >> {file}"]\n')
    return file


def breaks(name: str, error: type[BaseException]) -> Callable[[], None]:
    """A stage that raises what nobody foresaw, with a secret in its words."""

    def raises(session: Session, **more: object) -> None:
        if error is RecursionError:
            deep = lambda: deep()  # noqa: E731
            deep()
        raise error("odd https://files.example/answer?X-Amz-Signature=abc")

    return lambda: setattr(stages, STAGES[name], raises)


def lock_is_free(bench: Bench) -> bool:
    with lock_path(bench.state).open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return True


def health(bench: Bench) -> dict[str, object]:
    return bench.run("status", "--json").json["health"]


@pytest.mark.parametrize("error", [RuntimeError, MemoryError, RecursionError])
@pytest.mark.parametrize("broken", STAGES)
def test_a_stage_that_raises_what_nobody_foresaw_stops_no_other_and_is_reported(
    bench: Bench, told: Path, broken: str, error: type[BaseException]
) -> None:
    ran = bench.run("run", "--json", before=breaks(broken, error))
    assert ran.code == 1
    assert (ran.json["error"]["code"], ran.json["exit_code"]) == ("internal", 1)
    assert f"internal error in {broken}: {error.__name__}" in ran.json["error"]["message"]
    assert ran.err.count("Traceback (most recent call last)") == 1
    assert "X-Amz" not in ran.err + ran.out
    assert lock_is_free(bench)
    assert f"internal error in {broken}" in told.read_text()
    stood = health(bench)
    assert not stood["ok"]
    assert [(fault["code"], error.__name__ in fault["message"]) for fault in stood["faults"]] == [("internal", True)]
    assert (stood["last_run"]["command"], stood["last_run"]["exit_code"]) == ("run", 1)
    for name, record in stood["stages"].items():
        assert (record["succeeded_at"] is None) == (name == broken), "the other stages did their work"
        assert (record["failed_at"] is None) == (name != broken)
    assert stood["stages"][broken]["error"]["code"] == "internal"
    assert bench.run("status", "--check").code == 3

    again = bench.run("run", "--json", before=breaks(broken, error))
    assert (again.code, "Traceback" in again.err) == (1, False), "it stands, and is told without its traceback"

    good = bench.run("run", "--json")
    assert good.code == 0
    assert health(bench)["ok"]
    assert bench.run("status", "--check").code == 0
    assert len(bench.numbers_sent()) == len(set(bench.numbers_sent())) > 0


def test_a_refused_key_in_one_stage_still_ends_the_run_and_an_error_before_it_is_not_lost(bench: Bench, told: Path):
    def before() -> None:
        breaks("poll", RuntimeError)()

        def refused(session: Session, **more: object) -> None:
            raise ServiceRefused("Stedi refuses the key", fix="Renew it.")

        stages.submit = refused

    ran = bench.run("run", "--json", before=before)
    assert (ran.code, ran.json["error"]["code"]) == (4, "refused")
    assert {fault["code"] for fault in health(bench)["faults"]} == {"internal", "refused"}
    assert health(bench)["stages"]["ingest-acks"] == {"succeeded_at": None, "failed_at": None, "error": None}
    assert "internal error" in told.read_text()
    assert "refuses the key" in told.read_text()


def test_an_error_after_the_stages_is_reported_as_one_of_the_run(bench: Bench, told: Path):
    def fails(session: Session) -> None:
        raise RuntimeError("no house")

    ran = bench.run("run", "--json", before=lambda: setattr(plexstedi.cli.run, "purge", fails))
    assert (ran.code, ran.json["error"]["code"]) == (1, "internal")
    assert ran.json["counts"]["documents_sent"] == 4
    assert "no house" in health(bench)["faults"][0]["message"]
    assert health(bench)["stages"]["poll"]["succeeded_at"] is not None
    bench.run("poll", "--json")
    assert not health(bench)["ok"], "a poll alone shows nothing of it"
    bench.run("run", "--json")
    assert health(bench)["ok"]


def test_a_result_that_cannot_be_printed_is_reported_like_any_other_internal_error(bench: Bench, told: Path):
    def before() -> None:
        def cannot_be_shown(outcome: object) -> None:
            raise RuntimeError("no words")

        plexstedi.cli.run._show = cannot_be_shown

    ran = bench.run("run", before=before)
    assert (ran.code, "no words" in ran.err) == (1, True)
    assert len(bench.numbers_sent()) == 4
    assert "no words" in told.read_text()
    assert "no words" in health(bench)["faults"][0]["message"]
    assert bench.run("run").code == 0
    assert health(bench)["ok"]


def test_a_disk_without_any_room_is_seen_by_status_itself(bench: Bench):
    bench.run("run", "--json")
    none = os.statvfs_result((4096, 4096, 1000, 0, 0, 0, 0, 0, 0, 255))

    def full() -> None:
        os.statvfs = lambda path: none

    checked = bench.run("status", "--check", "--json", before=full)
    assert (checked.code, [fault["code"] for fault in checked.json["health"]["faults"]]) == (3, ["state-full"])


@pytest.mark.parametrize("room", [20_000, 200_000])
def test_a_full_disk_is_reported_though_the_state_cannot_hold_it(bench: Bench, told: Path, room: int):
    """`room`: already before the state is opened, or while a stage writes."""
    limit = {"TEST_FILE_SIZE": str(room)}

    def ignore() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def full() -> Ran:
        return bench.run("run", "--json", env=dict(limit), before=ignore)

    ran = full()
    assert ran.code == 7
    assert ran.json["error"]["code"].startswith("state")
    assert ran.err.count("plexstedi: ") == 1
    assert lock_is_free(bench)
    assert "state" in told.read_text()
    if room > 20_000:
        shown = bench.run("status", "--json")
        assert shown.json["health"]["last_run"]["exit_code"] == 7
        assert [fault["code"] for fault in shown.json["health"]["faults"]] == [ran.json["error"]["code"]]
        assert bench.run("status", "--check").code == 3
    assert bench.run("run", "--json").code == 0
    assert health(bench)["ok"]
    assert not bench.state.with_name("state.sqlite3.health").exists()


def test_a_closed_stdout_keeps_nothing_from_being_done_and_reported(bench: Bench, told: Path):
    broken = breaks("ingest-acks", RuntimeError)

    def before() -> None:
        broken()
        os.close(1)

    bench.run("run", before=before)
    assert lock_is_free(bench)
    assert "internal error in ingest-acks" in told.read_text()
    assert health(bench)["last_run"]["exit_code"] == 1
    assert len(bench.numbers_sent()) == 4


def test_a_second_signal_in_the_middle_leaves_the_lock_free_and_is_noted(bench: Bench, told: Path):
    def interrupted(session: Session, **more: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)

    ran = bench.run("run", "--json", before=lambda: setattr(stages, "submit", interrupted))
    assert (ran.code, ran.json["error"]["code"]) == (130, "interrupted")
    assert lock_is_free(bench)
    assert health(bench)["last_run"]["exit_code"] == 130
    assert health(bench)["stages"]["submit"]["failed_at"] is None
    assert health(bench)["ok"], "who ends a run knows it"


def test_the_monitor_gets_its_ping_with_the_exit_code_of_an_internal_error(bench: Bench):
    pings = bench.place / "pings"
    server = subprocess.Popen([sys.executable, "-c", _MONITOR, str(pings)], stdout=subprocess.PIPE, text=True)
    try:
        port = server.stdout.readline().strip()
        bench.write_config(lambda text: text + f'\n[alerts]\nping_url = "http://127.0.0.1:{port}/ping/1"\n')
        assert bench.run("run", "--json", before=breaks("submit", MemoryError)).code == 1
        bench.write_config(lambda text: text + f'\nodd = 1\n[alerts]\nping_url = "http://127.0.0.1:{port}/ping/1"\n')
        bench.config.write_text(bench.config.read_text() + "\n[suppliers.S]\nodd = 1\n")
        assert bench.run("run", "--json").code == 4
    finally:
        server.kill()
        server.communicate()
    assert pings.read_text().split() == ["/ping/1/start", "/ping/1/1", "/ping/1/4"], (
        "also with a configuration that is wrong elsewhere"
    )


def test_one_record_that_nobody_foresaw_ends_its_run_with_1_and_stands_as_a_review_item_not_as_a_fault(
    bench: Bench, told: Path
) -> None:
    def odd() -> None:
        poll = stages.poll

        def with_an_odd_record(session: Session, **more: object) -> None:
            poll(session, **more)
            try:
                raise OverflowError("a date far away")
            except OverflowError as error:
                fault = Unforeseen("order PO-7: OverflowError", fix="Report it.", error=error)
            session.run.unforeseen.append(fault)
            session.open_review(
                ReviewKind.UNFORESEEN,
                Subject("order 7"),
                (Reason(code="unforeseen", where="order", message="odd", fix="x"),),
            )

        stages.poll = with_an_odd_record

    ran = bench.run("run", "--json", before=odd)
    assert (ran.code, ran.json["error"]["code"]) == (1, "unforeseen")
    assert len(ran.json["news"]) == 1
    assert ran.err.count("Traceback") == 1
    assert "order PO-7: OverflowError" in told.read_text()
    assert health(bench)["faults"] == []
    assert bench.run("status", "--check").code == 3, "it needs review"
    assert bench.run("run", "--json").code == 0


_MONITOR = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Monitor(BaseHTTPRequestHandler):
    def do_POST(self):
        with open(sys.argv[1], "a") as file:
            file.write(self.path + "\\n")
        self.send_response(200)
        self.end_headers()
    def log_message(self, *arguments):
        pass
server = HTTPServer(("127.0.0.1", 0), Monitor)
print(server.server_port, flush=True)
server.serve_forever()
"""
