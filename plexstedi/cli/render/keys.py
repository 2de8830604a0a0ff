"""Single keys on a terminal: read one by one, without Enter and without echo."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

END: Final = "\x04"
"""The end of input: Ctrl-D, or the terminal is gone."""
UNKNOWN: Final = "\x00"
"""A key that is not a single character: an arrow, a function key, a letter outside ASCII."""

_ESCAPE = b"\x1b"
_LOOK_SECONDS = 0.25
"""A signal that arrives just before the wait begins does not end it: it is seen after so long."""
_REST_OF_KEY_SECONDS = 0.05
"""How long the rest of an arrow's or function key's sequence may take."""


@contextmanager
def single_keys() -> Iterator[None]:
    """Keys arrive one by one and are not echoed; the terminal is restored whatever ends it, also SIGTERM."""
    if not sys.stdin.isatty():
        yield
        return
    descriptor = sys.stdin.fileno()
    before, handler = termios.tcgetattr(descriptor), signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        tty.setcbreak(descriptor, termios.TCSADRAIN)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
        signal.signal(signal.SIGTERM, handler)


def pressed(seconds: float | None = None) -> str:
    """The next key: a character, UNKNOWN or END; empty if none was pressed within these seconds.

    Reads the descriptor, not `sys.stdin`: what is typed ahead stays for the next question.
    """
    descriptor = sys.stdin.fileno()
    while not select.select([descriptor], [], [], _LOOK_SECONDS if seconds is None else seconds)[0]:
        if seconds is not None:
            return ""
    key = _read(descriptor, 1)
    if not key:
        return END
    if key != _ESCAPE and key.isascii():
        return key.decode("ascii")
    # One press sends several bytes; the `A` of an arrow must not count as a key.
    while select.select([descriptor], [], [], _REST_OF_KEY_SECONDS)[0] and _read(descriptor, 32):
        pass
    return UNKNOWN


def _read(descriptor: int, most: int) -> bytes:
    try:
        return os.read(descriptor, most)
    except OSError:
        return b""


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
