"""A run ends when it is asked to, reads no more than it may, and one record out of bounds keeps no other waiting."""

from __future__ import annotations

import json
import os
import signal
import socket
import time

import pytest

from tests.commands.driver import SandboxTime
from tests.forked import run_forked
from tests.slow_server import HEAD, SlowServer, slow_server


def environment_of(bench) -> dict[str, str]:
    from plexstedi.sandbox.config_text import secrets

    named = {f"PLEXSTEDI_{k.upper().replace('-', '_')}": v for k, v in secrets(bench.sandbox).items()}
    return {"PATH": os.environ["PATH"], "HOME": str(bench.place), **named}


def test_sigterm_ends_a_run_that_waits_for_a_response(bench):
    """Plex sends a byte now and then: no read ever times out, and a signal does not end a blocked read by itself."""
    receiving, sending = os.pipe()

    def trickle(server: SlowServer, to: socket.socket) -> None:
        os.kill(int(os.read(receiving, 20)), signal.SIGTERM)
        to.sendall(HEAD % 10**6)
        server.trickle(to, b"[" * 10**6)

    with slow_server(trickle) as server:
        real = bench.sandbox.urls.plex_url
        bench.write_config(lambda text: text.replace(f'base_url = "{real}', f'base_url = "{server.url}'))
        assert server.url in bench.config.read_text()
        began = time.monotonic()
        ended = run_forked(
            ["--config", str(bench.config), "--state", str(bench.state), "run"],
            environment=environment_of(bench),
            before=lambda: os.write(sending, str(os.getpid()).encode()) and None,
        )
        assert time.monotonic() - began < 20
    os.close(receiving)
    os.close(sending)
    assert ended.code == 130, ended.err
    assert "stopped by SIGTERM while reading" in ended.err
    bench.write_config()
    assert bench.run("run").code == 0, "the lock is free, and the next run continues"
    assert bench.numbers_sent()


def test_sigterm_while_a_document_is_being_sent_lets_its_response_come(bench):
    """The send in the air is finished and recorded; nothing more is sent, and nothing twice."""
    bench.write_config(lambda text: text.replace("[stedi]\n", "[stedi]\nparallel_calls = 1\n"))
    receiving, sending = os.pipe()
    answer = bench.sandbox._handlers["stedi"]
    asked: list[str] = []

    def stopping(request, fault):
        if request.path.endswith("generate-edi"):
            asked.append(request.path)
            if len(asked) == 1:
                os.kill(int(os.read(receiving, 20)), signal.SIGTERM)
        return answer(request, fault)

    bench.sandbox._handlers["stedi"] = stopping
    now, control = bench.sandbox.clock.now(), bench.sandbox.urls.plex_url
    ended = run_forked(
        ["--config", str(bench.config), "--state", str(bench.state), "run", "--json"],
        environment=environment_of(bench),
        clock=lambda: SandboxTime(now, control),
        before=lambda: os.write(sending, str(os.getpid()).encode()) and None,
    )
    os.close(receiving)
    os.close(sending)
    assert ended.code == 130, ended.err
    (number,) = bench.numbers_sent()
    assert len(asked) == 1
    (document,) = bench.run("status", number, "--json").json["documents"]
    assert document["state"] == "accepted"
    assert bench.run("run").code == 0
    assert len(set(bench.numbers_sent())) == len(bench.numbers_sent()) > 1


def test_an_acknowledgment_larger_than_the_limit_is_held_alone_until_the_limit_is_raised(bench):
    limited = "\n[run]\nmax_response_mb = 1\n"
    bench.write_config(lambda text: text + limited)
    assert bench.run("run").code == 0
    bench.later(hours=6)
    with bench.sandbox.lock:
        store = bench.sandbox.stedi
        answers = [each for each in store.processed if each.set_id == "855"]
        assert len(answers) > 2
        for side, blank in (("output", b" "), ("input", b"\n")):
            kind, content = store.files.contents[f"{answers[0].id}-{side}"]
            store.files.put(f"{answers[0].id}-{side}", kind, content + blank * 2**21)

    ran = bench.run("run", "--json")
    assert ran.code == 3, ran.err
    counts = ran.json["counts"]
    assert (counts["acks_held"], counts["acks_applied"]) == (1, len(answers) - 1)
    (held,) = bench.run("review", "list", "--json").json["reviews"]
    assert answers[0].id in str(held)
    assert held["reasons"][0]["code"] == "too-large"
    assert "run.max_response_mb" in held["reasons"][0]["message"]
    again = bench.run("run", "--json")
    assert (again.code, again.json["counts"]["acks_held"]) == (0, 0), "it is not fetched again and again"

    bench.write_config(lambda text: text + limited.replace("= 1", "= 8"))
    raised = bench.run("run", "--json")
    assert raised.code == 0, raised.err
    assert raised.json["counts"]["acks_applied"] == 1
    assert bench.run("review", "list", "--json").json["reviews"] == []


def test_a_list_of_plex_larger_than_the_limit_ends_the_run_and_names_the_key(bench):
    huge = b"[" + b" " * 2**21 + b"]"

    def answer(server: SlowServer, to: socket.socket) -> None:
        to.sendall(HEAD % len(huge) + huge)

    with slow_server(answer) as server:
        real = bench.sandbox.urls.plex_url
        bench.write_config(
            lambda text: (
                text.replace(f'base_url = "{real}', f'base_url = "{server.url}') + "\n[run]\nmax_response_mb = 1\n"
            )
        )
        ran = bench.run("poll", "--json")
    assert ran.code == 5
    assert ran.json["error"]["code"] == "too-large"
    assert "run.max_response_mb" in ran.json["error"]["fix"]


@pytest.mark.long
def test_an_acknowledgment_of_100_001_lines_is_held_and_the_others_are_applied(bench):
    assert bench.run("run").code == 0
    bench.later(hours=6)
    with bench.sandbox.lock:
        store = bench.sandbox.stedi
        answers = [each for each in store.processed if each.set_id == "855"]
        kind, content = store.files.contents[f"{answers[0].id}-output"]
        document = json.loads(content)
        loop = next(name for name in document["detail"] if name.endswith("PO1_loop"))
        document["detail"][loop] = document["detail"][loop][:1] * 100_001
        store.files.put(f"{answers[0].id}-output", kind, json.dumps(document).encode())
    bench.write_config(lambda text: text + "\n[run]\nmax_response_mb = 512\n")
    ran = bench.run("run", "--json")
    assert ran.code == 3, ran.err
    assert ran.json["counts"]["acks_applied"] == len(answers) - 1
    (held,) = bench.run("review", "list", "--json").json["reviews"]
    assert "100001 lines" in held["reasons"][0]["message"]
    assert len(json.dumps(held)) < 10_000
