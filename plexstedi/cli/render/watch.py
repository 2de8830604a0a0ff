"""A screen that is shown again and again, until somebody has seen enough."""

from __future__ import annotations

import select
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from plexstedi.cli.render.streams import ours

SECONDS = 5.0
_CLEAR = "\x1b[H\x1b[2J\x1b[3J"


def repeat(show: Callable[[], None], wait: Callable[[float], str] | None = None) -> None:
    """Clear the terminal and show, every few seconds, until the key q. `wait`: returns the key that was pressed within
    these seconds, or nothing."""
    with _keys():
        while True:
            stream = ours(sys.stdout)
            stream.write(_CLEAR)
            stream.flush()
            show()
            print(f"\nAgain in {SECONDS:.0f} s; q ends.", flush=True)
            if (wait or _pressed)(SECONDS) in ("q", "Q", "\x04"):
                return


@contextmanager
def _keys() -> Iterator[None]:
    """Keys arrive one by one and are not echoed; the terminal is put right again whatever happens."""
    if not sys.stdin.isatty():
        yield
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _pressed(seconds: float) -> str:
    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    return sys.stdin.read(1) if ready else ""
