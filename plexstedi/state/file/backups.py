"""Backups beside the state file: one per day, the newest N kept (`state.backups`)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from plexstedi.durable import partial_of, put_in_place
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


def keep_backup(database: Database, now: datetime, keep: int) -> Path | None:
    """Create a backup, readable by its owner only, unless one is less than a day old; keep the newest `keep`.

    Return its path, whose name has the UTC time; None if none was due. With `keep` 0 none is created or deleted. The
    file appears under its name only when complete. Raise StateUnusable if it cannot be written.
    """
    state = database.path
    if state is None or keep < 1:
        return None
    made = [at for path in backups_of(state) if (at := _made_at(state, path)) is not None]
    if any(now - EVERY < at <= now for at in made):
        return None
    target = state.with_name(f"{state.name}.{now.astimezone(UTC).strftime(_STAMP)}{_ENDING}")
    partial = partial_of(target)
    for left in state.parent.glob(f"{state.name}.*{partial_of(Path(_ENDING)).name}*"):
        # Incomplete backup of a killed run.
        left.unlink(missing_ok=True)
    try:
        database.backup_into(partial)
        put_in_place(partial, target)
    except OSError as error:
        raise StateUnusable(
            f"the copy {target} cannot be written: {error.strerror or error}",
            fix="Free some space on its disk, or set state.backups = 0.",
            code="backup-failed",
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    for old in backups_of(state)[:-keep]:
        old.unlink(missing_ok=True)
    return target


def _made_at(state: Path, copy: Path) -> datetime | None:
    stamp = copy.name.removeprefix(f"{state.name}.").removesuffix(_ENDING)
    try:
        return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
