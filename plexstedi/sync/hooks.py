"""Runs a configured program without a shell, without our secrets in its environment."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

COMMAND_SECONDS = 60.0
"""A program that takes longer is ended."""


def run_hook(command: Sequence[str], content: bytes) -> str | None:
    """Run the program with `content` on standard input; return what failed, or None.

    Raise OSError if it cannot be started, subprocess.TimeoutExpired if it takes too long.
    """
    kept = {name: value for name, value in os.environ.items() if not _may_hold_a_secret(name)}
    done = subprocess.run(
        list(command),
        input=content,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=COMMAND_SECONDS,
        env=kept,
        check=False,
    )
    if done.returncode == 0:
        return None
    output = done.stderr.decode(errors="replace").strip().splitlines()
    return f"it ended with {done.returncode}" + (f": {output[-1]}" if output else "")


def _may_hold_a_secret(name: str) -> bool:
    return name.startswith("PLEXSTEDI_") or name == "CREDENTIALS_DIRECTORY"
