"""One run at a time: an exclusive flock on a file that is never deleted.

The lock is the kernel's, so it is gone with its process; what the file says of the holder is only told, never trusted.
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import socket
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType

from plexstedi.errors import LockHeld, StateUnusable

_POLL_SECONDS = 0.2


class RunLock:
    """The lock beside a state file. Use as a context manager."""

    def __init__(
        self,
        state_path: Path,
        *,
        command: str,
        now: Callable[[], datetime],
        wait_seconds: float = 0.0,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self.path = lock_path(state_path)
        self._command = command
        self._now = now
        self._wait_seconds = wait_seconds
        self._sleep = sleep
        self._descriptor: int | None = None

    def __enter__(self) -> RunLock:
        """Take the lock; wait up to `wait_seconds` for it. Raise LockHeld naming the holder."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateUnusable(
                f"the lock file {self.path} cannot be opened: {error.strerror}",
                fix="Make its folder writable for this user, or name another state with --state.",
                code="state-permission",
            ) from error
        waited = 0.0
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if self._sleep is None or waited >= self._wait_seconds:
                    holder = _told(descriptor)
                    os.close(descriptor)
                    raise LockHeld(
                        f"another run holds the lock {self.path}: {holder}",
                        fix="Wait until it ends; if it hangs, end that process. Never delete the lock file.",
                    ) from None
                self._sleep(_POLL_SECONDS)
                waited += _POLL_SECONDS
        self._descriptor = descriptor
        self._tell()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _tell(self) -> None:
        assert self._descriptor is not None
        told = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "command": self._command or shlex.join(Path(sys.argv[0]).parts[-1:]),
            "since": self._now().isoformat(timespec="seconds"),
        }
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(told).encode() + b"\n", 0)


def lock_path(state_path: Path) -> Path:
    """Where the lock of this state file is."""
    return state_path.with_name(state_path.name + ".lock")


def _told(descriptor: int) -> str:
    try:
        told = json.loads(os.pread(descriptor, 4096, 0))
        return f"pid {told['pid']} on {told['host']}, `{told['command']}`, since {told['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "a process that has not said its name"
