"""Progress on a terminal; nothing anywhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from plexstedi.cli.streams import ours
from plexstedi.plain_text import one_line


def progress_reporter(*, enabled: bool) -> Callable[[str, int, int], None]:
    """A function that is told stage, done and total; it rewrites one line of stderr when that is a terminal."""
    if not (enabled and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"):
        return lambda stage, done, total: None

    def report(stage: str, done: int, total: int) -> None:
        text = one_line(f"{stage}: {done} of {total}") if done < total else ""
        stream = ours(sys.stderr)
        stream.write(f"\r\x1b[K{text}")
        stream.flush()

    return report
