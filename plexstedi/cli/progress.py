"""Progress on a terminal; nothing anywhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable


def progress_reporter(*, enabled: bool) -> Callable[[str, int, int], None]:
    """A function that is told stage, done and total; it rewrites one line of stderr when that is a terminal."""
    if not (enabled and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"):
        return lambda stage, done, total: None

    def report(stage: str, done: int, total: int) -> None:
        text = f"{stage}: {done} of {total}" if done < total else ""
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()

    return report
