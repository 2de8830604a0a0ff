"""Backups beside the state file: one per day, the newest N kept (`state.backups`)."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from plexstedi.durable import partial_of, put_in_place, sync_file
from plexstedi.edi.plain_values import iso_time
from plexstedi.errors import StateUnusable
from plexstedi.state.file.database import Database

EVERY = timedelta(days=1)
_STAMP = "%Y%m%dT%H%M%SZ"
_ENDING = ".backup"


def backups_of(state: Path) -> list[Path]:
    """The backups of this state file, oldest first; other files are ignored."""
    return [path for path in sorted(state.parent.glob(f"{state.name}.*{_ENDING}")) if _made_at(state, path) is not None]


def age_of_last_backup(state: Path, now: datetime) -> timedelta | None:
    """Age of the newest backup; None if there is none."""
    # A time in the future comes from a clock that was wrong.
    made = [at for path in backups_of(state) if (at := _made_at(state, path)) is not None and at <= now]
    return now - max(made) if made else None


def keep_backup(state: Path, now: datetime, keep: int, go_on: Callable[[], bool] = lambda: True) -> Path | None:
    """Create a backup, readable by its owner only, unless one is less than a day old; keep the newest `keep`.

    Return its path, whose name has the UTC time; None if none was due, or another process is creating it. With `keep` 0
    none is created or deleted. The file appears under its name only when complete. Needs no run lock: no run waits for
    it. Raise StateUnusable if it cannot be written (code `backup-failed`), or `go_on` stopped it (`backup-stopped`).
    """
    if keep < 1 or not _is_due(state, now):
        return None
    target = state.with_name(f"{state.name}.{now.astimezone(UTC).strftime(_STAMP)}{_ENDING}")
    partial = partial_of(state.with_name(f"{state.name}{_ENDING}"))
    try:
        held = _take(partial)
        if held is None:
            return None
        try:
            # Another run may have created it since.
            if not _is_due(state, now):
                partial.unlink()
                return None
            _create(state, partial, target, go_on)
        finally:
            os.close(held)
        for old in backups_of(state)[:-keep]:
            old.unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as error:
        raise StateUnusable(
            f"the copy {target} cannot be written: {getattr(error, 'strerror', None) or error}",
            fix="Free some space on its disk, or set state.backups = 0.",
            code="backup-failed",
        ) from error
    return target


def _create(state: Path, partial: Path, target: Path, go_on: Callable[[], bool]) -> None:
    def check() -> None:
        if not go_on():
            raise StateUnusable(
                f"the copy {target} was not finished within the time limit of the run; the next run creates it",
                fix="If it happens every day, raise run.time_limit_minutes.",
                code="backup-stopped",
            )

    try:
        for left in (
            # SQLite's files beside the copy of a killed run; copies of killed runs of earlier versions.
            *state.parent.glob(f"{partial.name}-*"),
            *state.parent.glob(f"{state.name}.*{partial_of(Path(_ENDING)).name}*"),
        ):
            left.unlink(missing_ok=True)
        check()
        Database.copy_in_slices(state, partial, check)
        sync_file(partial)
        put_in_place(partial, target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _take(partial: Path) -> int | None:
    """The empty, locked temporary file as a descriptor; None if another process has it or has just finished."""
    held = os.open(partial, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    taken = False
    try:
        with suppress(BlockingIOError, FileNotFoundError):
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Renamed or deleted between opening and locking it: the other process has finished.
            taken = os.path.samestat(os.fstat(held), partial.stat())
        if taken:
            # Content of a killed run.
            os.ftruncate(held, 0)
            os.fchmod(held, 0o600)
    except BaseException:
        taken = False
        raise
    finally:
        if not taken:
            os.close(held)
    return held if taken else None


def _is_due(state: Path, now: datetime) -> bool:
    made = (_made_at(state, path) for path in backups_of(state))
    return not any(at is not None and now - EVERY < at <= now for at in made)


def _made_at(state: Path, copy: Path) -> datetime | None:
    stamp = copy.name.removeprefix(f"{state.name}.").removesuffix(_ENDING)
    # Each run does this: to load what `strptime` needs takes 1 % of an idle one.
    at = iso_time(stamp)
    return at if at is not None and at.strftime(_STAMP) == stamp else None
