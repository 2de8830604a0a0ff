"""The edges of the command line's contract: interruptions, what stands now, whose state it is."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import threading
import time
from functools import partial

import pytest
import typer

import plexstedi.cli.options as options
from plexstedi.sandbox.behaviours import Character

from .conftest import DRIVER

WHY = ("--reason", "agreed by phone")


@pytest.fixture
def waiting(make_bench):
    """Something needs a person."""
    bench = make_bench(orders=1, suppliers=1, characters=(Character.SILENT,))
    bench.run("run")
    bench.later(hours=1)
    bench.run("run")
    bench.answer("855", ("BAK", "00", "AD", "PO-ELSE", "20261123"), ("PO1", "1", "5", "EA"), ("ACK", "IA", "5", "EA"))
    bench.run("run")
    bench.later(days=3, hours=1)
    assert bench.run("run").code == 3
    return bench


def commands(number: str) -> list[tuple[str, ...]]:
    return [
        ("status",),
        ("status", number),
        ("review", "list"),
        ("review", "accept", "1"),
        ("audit", "verify"),
        ("check", "--offline"),
        ("credentials", "list"),
        ("submit", "--order", "PO-NOPE"),
        ("replay", number, "--reason", "x"),
        ("run",),
    ]


def test_every_json_object_tells_what_stands_now(waiting):
    stands = waiting.run("status", "--json").json["counts"]["attention"]
    assert stands > 0
    for words in commands(waiting.numbers_sent()[0]):
        told = waiting.run(*words, "--json").json
        assert told["counts"]["attention"] == stands, words
        assert told["audit_head"], words


def test_a_run_that_meets_the_lock_tells_what_stands_now(waiting):
    from plexstedi.clock import SystemClock
    from plexstedi.state.file.lock import RunLock

    with RunLock(waiting.state, command="another", now=SystemClock().now, wait_seconds=0.0):
        told = waiting.run("run", "--json").json
    assert told["exit_code"] == 6
    assert told["counts"]["attention"] > 0


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("review", "accept", "1"), "review accept"),
        (("review", "show", "99", *WHY), "review show"),
        (("audit", "export", "--format", "no"), "audit export"),
        (("credentials", "delete", "no"), "credentials delete"),
    ],
)
def test_a_subcommand_has_one_name_also_when_it_fails(bench, words, name):
    failed = bench.run(*words, "--json")
    assert failed.code != 0
    assert failed.json["command"] == name


def test_ctrl_c_at_a_prompt_is_an_interruption_and_changes_nothing(waiting, monkeypatch):
    def ctrl_c(*_: object, **__: object) -> bool:
        raise typer.Abort

    number = waiting.numbers_sent()[0]
    head = waiting.run("status", "--json").json["audit_head"]
    monkeypatch.setattr(options.typer, "confirm", ctrl_c)
    monkeypatch.setattr(options, "_on_a_terminal", lambda: True)
    ended = waiting.run("replay", number, *WHY, "--json")
    assert ended.code == 130
    assert ended.json["error"]["code"] == "interrupted"
    assert "Traceback" not in ended.err
    assert waiting.run("status", "--json").json["audit_head"] == head


@pytest.mark.parametrize("key", [b"\x03", b"\x04"])
def test_the_keys_that_end_a_prompt_end_the_command(waiting, key):
    """On a real terminal: Ctrl-C is a signal, Ctrl-D the end of the input."""
    waiting.state.unlink()
    leader, follower = pty.openpty()
    environment = {
        **os.environ,
        **_secrets(waiting),
        "PYTHONPATH": str(DRIVER.parents[2]),
        "TEST_NOW": waiting.sandbox.clock.now().isoformat(),
        "TEST_CONTROL": waiting.sandbox.urls.plex_url,
    }
    process = subprocess.Popen(
        [sys.executable, str(DRIVER), "--config", str(waiting.config), "--state", str(waiting.state), "recover"],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environment,
        start_new_session=True,
        preexec_fn=_take_terminal,
    )
    os.close(follower)
    said = _read_until(leader, b"[y/N]")
    # As a person does: a key that came before the question was listened for is pressed again.
    said += _read_until(leader, b"interrupted", press=key)
    assert process.wait(timeout=30) == 130
    assert b"Traceback" not in said
    assert not waiting.state.exists()
    os.close(leader)


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _secrets(bench) -> dict[str, str]:
    from plexstedi.sandbox.config_text import secrets

    return {f"PLEXSTEDI_{k.upper().replace('-', '_')}": v for k, v in secrets(bench.sandbox).items()}


def _read_until(leader: int, wanted: bytes, *, press: bytes = b"") -> bytes:
    """What the terminal shows up to these words; the key is pressed every other second until they come."""
    said = b""
    again = time.monotonic()
    until = again + 30
    while wanted not in said and time.monotonic() < until:
        try:
            if time.monotonic() >= again:
                os.write(leader, press)
                again += 2.0
            if select.select([leader], [], [], 1.0)[0]:
                said += os.read(leader, 4096)
        except OSError:
            break
    assert wanted in said, said
    return said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_check_that_is_interrupted_ends_with_130_and_one_json_object(bench, number):
    import json

    from plexstedi.sandbox.faults import FaultKind, FaultRule

    reached = threading.Event()
    bench.sandbox.faults.on_call(lambda call: reached.set())
    bench.sandbox.inject(FaultRule(FaultKind.SLOW, origin="plex", path="", seconds=5.0, times=None))
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "plexstedi",
            "--config",
            str(bench.config),
            "--state",
            str(bench.state),
            "check",
            "--json",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **_secrets(bench)},
        # Whoever runs the tests in the background ignores SIGINT, and what is started inherits that.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    try:
        assert reached.wait(timeout=30)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert json.loads(out)["exit_code"] == 130
    assert b"Traceback" not in err


def test_a_state_of_another_usage_is_shown_to_nobody_and_people_are_informed(bench, tmp_path):
    told = tmp_path / "told"
    alerts = f'\n[alerts]\ncommand = ["/bin/sh", "-c", "cat >> {told}"]\n'
    bench.run("run")
    bench.write_config(lambda text: text.replace('usage_indicator = "T"', 'usage_indicator = "P"') + alerts)
    for words in (("run",), ("status",), ("status", bench.numbers_sent()[0]), ("review", "list"), ("run",)):
        assert bench.run(*words).code == 4, words
    assert told.read_text().count("plexstedi: the run could not start") == 1, "told once, not at each run"
    assert bench.run("audit", "verify").code == 0, "the trail is evidence, whoever reads it"


def test_a_refused_recovery_leaves_everything_as_it_was(waiting):
    head = waiting.run("status", "--json").json["audit_head"]
    waiting.run("recover", "--json")
    assert waiting.run("status", "--json").json["audit_head"] == head
    waiting.state.unlink()
    assert waiting.run("recover", "--json").code == 2
    assert not waiting.state.exists()
    assert waiting.run("run").code == 7


def test_what_a_damaged_state_file_says_to_do_works(waiting):
    for file in waiting.place.glob("state.sqlite3-*"):
        file.unlink()
    waiting.state.write_bytes(b"garbage" * 1000)
    damaged = waiting.run("run")
    assert damaged.code == 7
    assert "Move it elsewhere" in damaged.err
    waiting.state.rename(waiting.place / "damaged")
    assert waiting.run("recover", "--yes").code in (0, 3)
    assert waiting.run("run").code in (0, 3)
    assert len(waiting.sandbox.generated()) == 1


def test_a_replay_for_the_wrong_supplier_says_whose_order_it_is(waiting):
    said = waiting.run("replay", waiting.numbers_sent()[0], "--supplier", "S009", *WHY, "--yes")
    assert said.code == 2
    assert "not one of S009, but of S001" in said.err
