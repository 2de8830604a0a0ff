"""One run at a time: an exclusive flock on a file beside the state file, and on the state file itself.

The file beside it is never deleted, and tells who holds the lock. The lock on the state file itself keeps runs apart
that reach it by another name (a hard link), or after somebody deleted the file beside it. Both are the kernel's, so
they are gone with their process; what is told of the holder is only told, never trusted.

flock and the locks by which SQLite guards the same file do not see each other. But the kernel drops SQLite's as soon as
this process closes any descriptor of that file: so it is closed here only after SQLite has done with it.
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType

from plexstedi.durable import make_folder
from plexstedi.errors import LockHeld, StateUnusable

_POLL_SECONDS = 0.2
_LONGEST_NAME = 4096
_PROCESSES = Path("/proc")


class RunLock:
    """The lock of a state file, whatever name it is reached by. Use as a context manager.

    While it is held, the state file may be opened only through SQLite (see above).
    """

    def __init__(
        self,
        state_path: Path,
        *,
        command: str,
        now: Callable[[], datetime],
        wait_seconds: float = 0.0,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self._state = Path(os.path.realpath(state_path))
        self.path = lock_path(self._state)
        self._command = command
        self._now = now
        self._wait_seconds = wait_seconds
        self._sleep = sleep
        self._held: list[int] = []

    def __enter__(self) -> RunLock:
        """Take the lock; wait up to `wait_seconds` for it. Raise LockHeld naming the holder, StateUnusable."""
        waited = 0.0
        try:
            while (holder := self._take()) is not None:
                if self._sleep is None or waited >= self._wait_seconds:
                    raise self._held_by(holder)
                self._sleep(_POLL_SECONDS)
                waited += _POLL_SECONDS
        except BaseException:
            self._release()
            raise
        self._tell()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    def _take(self) -> str | None:
        """Take what is free; who holds the rest, None when all is taken."""
        if not self._held:
            try:
                make_folder(self.path.parent)
                beside = os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            except OSError as error:
                raise StateUnusable(
                    f"the lock file {self.path} cannot be opened: {error.strerror}",
                    fix="Free some space on its disk and make its folder writable for this user, or name another "
                    "(--state).",
                    code="state-permission",
                ) from error
            if (holder := self._keep(beside, self.path, _told)) is not None:
                return holder
            if not _is_still(beside, self.path):
                # Somebody deleted it between our opening and locking it: another run may have made a new one.
                self._release()
                return self._take()
        state = _opened(self._state)
        return None if state is None else self._keep(state, self._state, _holder_by_kernel)

    def _keep(self, descriptor: int, path: Path, holder: Callable[[int], str]) -> str | None:
        """Lock what was opened and keep it; who holds it, None when it is ours."""
        taken = False
        try:
            taken = _locked(descriptor, path, fcntl.LOCK_EX)
            if not taken:
                return holder(descriptor)
        finally:
            if not taken:
                os.close(descriptor)
        self._held.append(descriptor)
        return None

    def cover_state(self) -> None:
        """Lock the state file that was made since the lock was taken. Raise LockHeld, StateUnusable."""
        if len(self._held) == 1 and (holder := self._take()) is not None:
            raise self._held_by(holder)

    def _held_by(self, holder: str) -> LockHeld:
        return LockHeld(
            f"another run holds the lock {self.path}: {holder}",
            fix="Wait until it ends; if it hangs, stop that process. Never delete the lock file.",
        )

    def _release(self) -> None:
        while self._held:
            os.close(self._held.pop())

    def _tell(self) -> None:
        told = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "command": self._command or shlex.join(Path(sys.argv[0]).parts[-1:]),
            "since": self._now().isoformat(timespec="seconds"),
        }
        # On a full disk the lock holds all the same; who is asked then finds the process by the kernel.
        with suppress(OSError):
            os.ftruncate(self._held[0], 0)
            os.pwrite(self._held[0], json.dumps(told).encode() + b"\n", 0)


def lock_path(state_path: Path) -> Path:
    """Where the lock of this state file is."""
    return state_path.with_name(state_path.name + ".lock")


def held_by(state_path: Path) -> str | None:
    """Who holds the lock of a state file; None if nobody does. Makes nothing, and keeps nobody waiting.

    Not to be called while this process has the state file open. Raise StateUnusable where there are no locks.
    """
    state = Path(os.path.realpath(state_path))
    for path in (lock_path(state), state):
        descriptor = _opened(path)
        if descriptor is None:
            continue
        try:
            if not _locked(descriptor, path, fcntl.LOCK_SH):
                return _told(descriptor) if path != state else _holder_by_kernel(descriptor)
        finally:
            os.close(descriptor)
    return None


def _opened(path: Path) -> int | None:
    """A descriptor to lock by; None where there is no file, or none that may be read: its opening says so."""
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None


def _locked(descriptor: int, path: Path, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise StateUnusable(
            f"{path} cannot be locked: {error.strerror}",
            fix="Its file system has no locks: move the state file to a disk of this machine (state.path, --state).",
            code="state-no-locks",
        ) from error
    return True


def _is_still(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


_UNNAMED = "an unidentified process"


def _told(descriptor: int) -> str:
    """What the lock file says; else what the kernel knows."""
    try:
        return _in_words(os.pread(descriptor, _LONGEST_NAME, 0))
    except (OSError, ValueError, KeyError, TypeError):
        return _holder_by_kernel(descriptor)


def _in_words(content: bytes) -> str:
    told = json.loads(content)
    return f"pid {told['pid']} on {told['host']}, `{told['command']}`, since {told['since']}"


def _holder_by_kernel(descriptor: int) -> str:
    """Who holds the flock of this very file, by /proc (Linux): what it said in its own lock file, else its process."""
    status = os.fstat(descriptor)
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"
    try:
        lines = (_PROCESSES / "locks").read_text().splitlines()
    except OSError:
        return _UNNAMED
    pids: dict[bool, int] = {}
    for fields in (line.split() for line in lines):
        # 1: FLOCK  ADVISORY  WRITE 4711 fd:01:131 0 EOF
        if len(fields) < 6 or fields[1] != "FLOCK" or not fields[4].isdecimal() or fields[4] == "0":
            continue
        where, _, inode = fields[5].rpartition(":")
        if inode == str(status.st_ino):
            pids[where == device] = int(fields[4])
    # Layered file systems (overlay, btrfs) name another device here than to us.
    pid = pids.get(True, pids.get(False))
    if pid is None:
        return _UNNAMED
    return _said_elsewhere(pid) or f"pid {pid} on {socket.gethostname()}, which is unidentified"


def _said_elsewhere(pid: int) -> str | None:
    """What a process wrote into the lock file that it has open, also under another name, also deleted."""
    with suppress(OSError):
        for opened in (_PROCESSES / str(pid) / "fd").iterdir():
            with suppress(OSError, ValueError, KeyError, TypeError):
                if ".lock" in opened.readlink().name:
                    with opened.open("rb") as file:
                        return _in_words(file.read(_LONGEST_NAME))
    return None
