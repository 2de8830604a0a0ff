"""What a test sees of the disk: in which order contents, names and folders get onto it, and what a power cut leaves."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest


class Disk:
    """Records what this process brings onto the disk: `("sync", path)`, `("name", path)`, `("make", path)`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events: list[tuple[str, int]] = []
        """Each with the inode that it is about."""
        fsync, replace, opened, mkdir = os.fsync, os.replace, os.open, os.mkdir

        def inode(path: object) -> int:
            return Path(str(path)).stat().st_ino

        def note_sync(descriptor: int) -> None:
            fsync(descriptor)
            self.events.append(("sync", os.fstat(descriptor).st_ino))

        def note_replace(source: object, target: object) -> None:
            replace(source, target)  # type: ignore[call-overload]
            self.events.append(("name", inode(target)))

        def note_open(path: object, flags: int, *arguments: object, **more: object) -> int:
            descriptor = opened(path, flags, *arguments, **more)  # type: ignore[arg-type]
            if flags & os.O_CREAT:
                self.events.append(("make", os.fstat(descriptor).st_ino))
            return descriptor

        def note_mkdir(path: object, *arguments: object, **more: object) -> None:
            mkdir(path, *arguments, **more)  # type: ignore[arg-type]
            self.events.append(("make", inode(path)))

        monkeypatch.setattr(os, "fsync", note_sync)
        monkeypatch.setattr(os, "replace", note_replace)
        monkeypatch.setattr(os, "open", note_open)
        monkeypatch.setattr(os, "mkdir", note_mkdir)

    def must_have_put(self, path: Path) -> None:
        """The content was on disk before it got this name, and the name after."""
        file, folder = path.stat().st_ino, path.parent.stat().st_ino
        named = self._last("name", file)
        assert ("sync", file) in self.events[:named], f"{path} got its name before its content was on disk"
        assert ("sync", folder) in self.events[named:], f"the name {path} is not on disk"

    def must_have_made(self, path: Path) -> None:
        """A new file or folder whose name is on disk."""
        made = self._last("make", path.stat().st_ino)
        assert ("sync", path.parent.stat().st_ino) in self.events[made:], f"the name {path} is not on disk"

    def _last(self, what: str, inode: int) -> int:
        places = [place for place, event in enumerate(self.events) if event == (what, inode)]
        assert places, f"there was no {what}"
        return places[-1]


def killed_at_each_step(act: Callable[[], None], check: Callable[[int], None]) -> int:
    """Do something again and again in processes that are killed before their first, second … step onto the disk.

    `check` is called after each with the number of steps that were done. Ends with the one that came to its end; the
    number of its steps.
    """
    for steps in range(100):
        pid = os.fork()
        if pid == 0:
            _act_until(act, steps)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert code in (0, -signal.SIGKILL), f"ended with {code} after {steps} steps"
        check(steps)
        if code == 0:
            return steps
    raise AssertionError("it does not end")


def _act_until(act: Callable[[], None], steps: int) -> None:
    done = 0

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def step(*arguments: object, **more: object) -> object:
            nonlocal done
            if done == steps:
                os.kill(os.getpid(), signal.SIGKILL)
            done += 1
            return real(*arguments, **more)

        return step

    code = 1
    try:
        for name in ("fsync", "replace", "open", "unlink", "mkdir"):
            setattr(os, name, counted(getattr(os, name)))
        act()
        code = 0
    finally:
        os._exit(code)
