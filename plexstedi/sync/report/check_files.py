"""Local checks of what a run needs: writable files, locking, alert commands.

Leaves no file behind and does not block a run.
"""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from plexstedi.config.load import Config
from plexstedi.durable import sync_folder
from plexstedi.errors import ExitCode, StateUnusable, UntrustedFile
from plexstedi.ownership import open_to_group
from plexstedi.state.file.database import files_of_state
from plexstedi.state.file.lock import held_by
from plexstedi.sync.report.check import Area, Finding, ok, warn, wrong

_MEGABYTE = 1_000_000
_LITTLE_ROOM = 100 * _MEGABYTE
_TRIAL_BYTES = 64 * 1024
_SHARED_FILE_SYSTEMS = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "afs", "ceph")
_MOUNTS = Path("/proc/self/mountinfo")


def untrusted(area: Area, fault: UntrustedFile) -> list[Finding]:
    """What other users can write, with the command that corrects it."""
    return [wrong(area, problem.file, problem.message, problem.fix) for problem in fault.problems]


def check_groups(config: Config, state: Path) -> list[Finding]:
    """What a group can write: allowed, but worth a warning."""
    areas: dict[Area, Iterable[Path]] = {
        Area.CONFIGURATION: (config.file, *config.guide_files()),
        Area.STATE: files_of_state(state),
    }
    found: dict[Path, Finding] = {}
    for area, paths in areas.items():
        for opening in open_to_group(paths):
            found.setdefault(opening.path, warn(area, str(opening.path), opening.message, opening.fix))
    return list(found.values())


def check_state_folder(state: Path) -> list[Finding]:
    """The state folder is writable, has space, supports locks; and who holds the lock now."""
    folder = _nearest(state.parent)
    subject = f"folder {folder}"
    fault = _trial(folder)
    if fault is not None:
        return [fault]
    found = [ok(Area.STATE, subject, "can be written")]
    found += _room(folder, subject)
    kind = file_system_of(folder, _mounts())
    if kind in _SHARED_FILE_SYSTEMS:
        found.append(
            warn(
                Area.STATE,
                subject,
                f"it is on a network file system ({kind}), where locks do not stop a second server",
                "Move the state file to a disk of this machine (state.path).",
            )
        )
    try:
        holder = held_by(state)
    except StateUnusable as unusable:
        return [*found, wrong(Area.STATE, "lock", unusable.message, unusable.fix, ExitCode.STATE)]
    message = "free" if holder is None else f"a run is in progress: {holder}"
    return [*found, ok(Area.STATE, "lock", message)]


def _nearest(folder: Path) -> Path:
    """The folder, or its nearest existing parent."""
    return next((one for one in (folder, *folder.parents) if one.exists()), folder)


def _trial(folder: Path) -> Finding | None:
    """Write, sync and delete a file. None: that works."""
    try:
        handle, name = tempfile.mkstemp(prefix=".plexstedi-check-", dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(bytes(_TRIAL_BYTES))
                file.flush()
                os.fsync(file.fileno())
        finally:
            Path(name).unlink()
        sync_folder(folder)
    except OSError as error:
        return wrong(
            Area.STATE,
            f"folder {folder}",
            f"a file of {_TRIAL_BYTES // 1024} kB cannot be written there: {error.strerror or error}",
            "Free space on its disk, give this user write permission, or use another location (state.path, --state).",
            ExitCode.STATE,
        )
    return None


def _room(folder: Path, subject: str) -> list[Finding]:
    free = shutil.disk_usage(folder).free
    if free >= _LITTLE_ROOM:
        return []
    message = f"its disk has {free // _MEGABYTE} MB left; the state file and its copies grow"
    return [
        warn(
            Area.STATE, subject, message, "Free some space; on a full disk a run ends with 7 before it sends anything."
        )
    ]


def _mounts() -> str:
    try:
        return _MOUNTS.read_text()
    except OSError:
        return ""


def file_system_of(folder: Path, mounts: str) -> str | None:
    """The file system type of a folder from /proc/self/mountinfo; None if it is not listed. Pure."""
    best, kind = -1, None
    for line in mounts.splitlines():
        fields, _, after = line.partition(" - ")
        parts = fields.split()
        if len(parts) < 5 or not after.split():
            continue
        mount = Path(parts[4].replace("\\040", " "))
        if folder.is_relative_to(mount) and len(mount.parts) >= best:
            best, kind = len(mount.parts), after.split()[0]
    return kind


def check_alerts(config: Config) -> list[Finding]:
    """At least one alert is configured and its command can be executed. Sends nothing."""
    alerts, area = config.alerts, Area.CONFIGURATION
    found = [] if alerts.command is None else _command(alerts.command)
    if alerts.command is None and alerts.email is None and alerts.ping_url is None:
        found.append(
            warn(
                area,
                "alerts",
                "no channel is set: nobody is alerted when an item needs review",
                "Set command, ping_url or [alerts.email] in [alerts]; `plexstedi notify --test` tests them.",
            )
        )
    return found


def _command(command: Sequence[str]) -> list[Finding]:
    subject, program = "alerts.command", shutil.which(command[0])
    if program is None:
        path = Path(command[0])
        message = f"{command[0]} {'cannot be run by this user' if path.exists() else 'does not exist'}"
        fix = "Correct it; use the full path, because cron's PATH is short."
        if path.is_file():
            fix = f"Make it executable: `chmod +x {shlex.quote(str(path))}`."
        return [wrong(Area.CONFIGURATION, subject, message, fix)]
    return [ok(Area.CONFIGURATION, subject, f"{program} can be run; `plexstedi notify --test` tests it")]
