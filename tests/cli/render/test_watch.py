"""`status --watch`: shown again until q, refused where nobody watches."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from plexstedi.cli.render.watch import SECONDS, repeat
from tests.cli.conftest import Cli


class Terminal(io.StringIO):
    """Standard input that is no terminal for termios, so that no mode is set."""

    def isatty(self) -> bool:
        return False


def test_it_is_shown_again_after_each_wait_until_q(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal())
    keys: Iterator[str] = iter(["", "x", "q"])
    waited: list[float] = []

    def wait(seconds: float) -> str:
        waited.append(seconds)
        return next(keys)

    repeat(lambda: print("the screen"), wait)
    said = capsys.readouterr().out
    assert said.count("the screen") == 3
    assert waited == [SECONDS] * 3
    assert said.count("\x1b[2J") == 3, "the terminal is cleared before each"


def test_ctrl_c_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal())

    def interrupt(seconds: float) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        repeat(lambda: None, interrupt)


@pytest.mark.parametrize("more", [[], ["--json"], ["--html", "page.html"]])
def test_without_a_terminal_it_is_refused(cli: Cli, more: list[str]) -> None:
    ran = cli.run("status", "--watch", *more)
    assert ran.code == 2
    assert "--watch needs a terminal" in ran.out + ran.err


def test_late_and_needs_attention_are_one_or_the_other(cli: Cli) -> None:
    assert cli.run("status", "--late", "--needs-attention").code == 2
