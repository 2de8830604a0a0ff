"""One run at a time: an exclusive flock on `.lock` beside the state file, and on the state file itself.

`.lock` is never deleted and describes the holder; the description is shown only, never used for a decision. The lock on
the state file itself excludes runs that use another name of it (a hard link), or that start after `.lock` was deleted.
The kernel releases both when the process ends.

flock does not interact with SQLite's own locks on the file. But closing any descriptor of the file releases SQLite's
locks of this process, so it is closed here only after SQLite is finished.
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType

from plexstedi.durable import make_folder
from plexstedi.errors import LockHeld, StateUnusable
from plexstedi.state.file.faults import must_be_file

_POLL_SECONDS = 0.2
_LONGEST_NAME = 4096
_PROCESSES = Path("/proc")


class RunLock:
    """The lock of a state file, as a context manager.

    While it is held, the state file may be opened only by SQLite (see the module).
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
        """Take the lock, waiting up to `wait_seconds`. Raise LockHeld with the holder, StateUnusable."""
        must_be_file(self._state)
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
        self._describe_holder()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    def _take(self) -> str | None:
        """Take both locks; return the holder of one that is not free, None if both are taken."""
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
            if (holder := self._keep(beside, self.path, _holder_by_file)) is not None:
                return holder
            if not _is_still(beside, self.path):
                # Deleted between opening and locking it: another run may have created a new one.
                self._release()
                return self._take()
        state = _opened(self._state)
        return None if state is None else self._keep(state, self._state, _holder_by_kernel)

    def _keep(self, descriptor: int, path: Path, holder: Callable[[int], str]) -> str | None:
        """Lock an open file and keep the descriptor; return the holder if it is locked, else None."""
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
        """Lock the state file if it was created after `.lock` was locked. Raise LockHeld, StateUnusable."""
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

    def _describe_holder(self) -> None:
        holder = {
            "pid": os.getpid(),
            "host": os.uname().nodename,
            "command": self._command or shlex.join(Path(sys.argv[0]).parts[-1:]),
            "since": self._now().isoformat(timespec="seconds"),
        }
        # On a full disk the lock works without its description: the holder is then found in /proc.
        with suppress(OSError):
            os.ftruncate(self._held[0], 0)
            os.pwrite(self._held[0], json.dumps(holder).encode() + b"\n", 0)


def lock_path(state_path: Path) -> Path:
    """Path of the lock file of this state file."""
    return state_path.with_name(state_path.name + ".lock")


def held_by(state_path: Path) -> str | None:
    """The holder of a state file's lock; None if it is free. Creates no file and does not wait.

    Not to be called while this process has the state file open (see the module). Raise StateUnusable if the file
    system has no locks.
    """
    state = Path(os.path.realpath(state_path))
    for path in (lock_path(state), state):
        descriptor = _opened(path)
        if descriptor is None:
            continue
        try:
            if not _locked(descriptor, path, fcntl.LOCK_SH):
                return _holder_by_file(descriptor) if path != state else _holder_by_kernel(descriptor)
        finally:
            os.close(descriptor)
    return None


def _opened(path: Path) -> int | None:
    """A descriptor for locking; None if there is no readable file, which opening the state reports."""
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


def _holder_by_file(descriptor: int) -> str:
    """The holder as described in the lock file, else by the kernel."""
    try:
        return _holder_text(os.pread(descriptor, _LONGEST_NAME, 0))
    except (OSError, ValueError, KeyError, TypeError):
        return _holder_by_kernel(descriptor)


def _holder_text(content: bytes) -> str:
    holder = json.loads(content)
    return f"pid {holder['pid']} on {holder['host']}, `{holder['command']}`, since {holder['since']}"


def _holder_by_kernel(descriptor: int) -> str:
    """The holder of the flock on this file, from /proc (Linux): as described in its lock file, else its pid."""
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
    # On layered file systems (overlay, btrfs) the device here differs from that of fstat.
    pid = pids.get(True, pids.get(False))
    if pid is None:
        return _UNNAMED
    return _holder_by_open_file(pid) or f"pid {pid} on {os.uname().nodename}, which is unidentified"


def _holder_by_open_file(pid: int) -> str | None:
    """The description in a lock file that this process has open, whatever its name, even if deleted."""
    with suppress(OSError):
        for opened in (_PROCESSES / str(pid) / "fd").iterdir():
            with suppress(OSError, ValueError, KeyError, TypeError):
                if ".lock" in opened.readlink().name:
                    with opened.open("rb") as file:
                        return _holder_text(file.read(_LONGEST_NAME))
    return None
