"""`review` on a terminal: a person goes through the open items with keys, and only what was decided is decided."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import termios

import pytest

from plexstedi.edi.reasons import Reason
from plexstedi.state.reviews import Review, ReviewKind
from plexstedi.state.store import Store
from plexstedi.state.subject import of_order

from .conftest import NOW, Cli, Key, an_order, record

WHY = Reason(code="noted", where="order", message="has a charge", fix="see the document")
A, R, S, M, Q, X = (Key(key) for key in (b"a", b"r", b"s", b"m", b"q", b"x"))
UP, UMLAUT, ENTER, CTRL_C, CTRL_D = (Key(key) for key in (b"\x1b[A", "Ä".encode(), b"\n", b"\x03", b"\x04"))


@pytest.fixture
def four(cli: Cli) -> Cli:
    """A state with four open items."""
    store = Store.open(cli.state, NOW)
    for number in ("PO-1", "PO-2", "PO-3", "PO-4"):
        record(store, an_order(number))
        with store.transaction():
            store.reviews.open(ReviewKind.RECORD_UNREADABLE, of_order(number), [WHY], NOW, order_number=number)
    store.close()
    return cli


def review_command(cli: Cli) -> list[str]:
    return ["--config", str(cli.config), "--state", str(cli.state), "review"]


def items(cli: Cli) -> list[Review]:
    store = Store.open(cli.state, NOW)
    found = [store.reviews.get(number) for number in (1, 2, 3, 4)]
    store.close()
    return [item for item in found if item is not None]


def test_each_item_is_asked_for_and_the_last_reason_is_offered_again(four: Cli) -> None:
    ran = four.on_a_terminal(*review_command(four), answers=[X, A, "seen by me", S, M, R, "", Q])
    assert ran.code == 0, ran.out
    assert "Press one of a, r, s, m, q." in ran.out
    assert "[2 of 4]" in ran.out
    assert "Decided 2, skipped 1 of 4." in ran.out
    first, second, third, fourth = items(four)
    assert (second.state, fourth.state) == ("open", "open")
    assert (first.state, first.closing_reason) == ("accepted", "seen by me")
    assert (third.state, third.closing_reason) == ("rejected", "seen by me")


def test_keys_that_send_several_bytes_decide_nothing(four: Cli) -> None:
    """An arrow sends the letter A at its end, which would accept."""
    ran = four.on_a_terminal(*review_command(four), answers=[UP, UMLAUT, ENTER, Q])
    assert ran.out.count("Press one of") == 3
    assert "Decided 0, skipped 0 of 4." in ran.out


@pytest.mark.parametrize(("key", "code"), [(CTRL_C, 130), (CTRL_D, 0)], ids=["Ctrl-C", "Ctrl-D"])
def test_it_ends_at_once_and_keeps_what_was_decided(four: Cli, key: Key, code: int) -> None:
    ran = four.on_a_terminal(*review_command(four), answers=[A, "seen by me", key])
    assert (ran.code, "Traceback" in ran.out) == (code, False), ran.out
    assert "quit: \r\n" in ran.out, "what is printed next begins on a line of its own"
    assert [item.state for item in items(four)] == ["accepted", "open", "open", "open"]


@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGTERM])
def test_the_terminal_is_as_before_when_it_is_ended_while_it_waits_for_a_key(
    four: Cli, ended_by: signal.Signals
) -> None:
    leader, follower = pty.openpty()
    before = termios.tcgetattr(follower)
    process = subprocess.Popen(
        [sys.executable, "-m", "plexstedi", *review_command(four)],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=four.environment(TERM="xterm", COLUMNS="100"),
        start_new_session=True,
    )
    shown = b""
    while not shown.endswith(b"quit: ") and select.select([leader], [], [], 30)[0]:
        shown += os.read(leader, 4096)
    assert not termios.tcgetattr(follower)[3] & termios.ICANON
    process.send_signal(ended_by)
    while process.poll() is None:
        # What it prints is taken, so that it is never held up.
        if select.select([leader], [], [], 0.05)[0]:
            os.read(leader, 4096)
    assert process.wait(timeout=30) == 130
    assert termios.tcgetattr(follower) == before
    os.close(leader)
    os.close(follower)
