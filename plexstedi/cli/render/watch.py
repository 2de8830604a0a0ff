"""A screen that is shown again and again, until somebody has seen enough."""

from __future__ import annotations

import sys
from collections.abc import Callable

from plexstedi.cli.render.keys import END, pressed, single_keys
from plexstedi.cli.render.streams import ours

SECONDS = 5.0
_CLEAR = "\x1b[H\x1b[2J\x1b[3J"


def repeat(show: Callable[[], None], wait: Callable[[float], str] = pressed) -> None:
    """Clear the terminal and show, every few seconds, until the key q. `wait`: returns the key that was pressed within
    these seconds, or nothing."""
    with single_keys():
        while True:
            stream = ours(sys.stdout)
            stream.write(_CLEAR)
            stream.flush()
            show()
            print(f"\nAgain in {SECONDS:.0f} s; q ends.", flush=True)
            if wait(SECONDS) in ("q", "Q", END):
                return
