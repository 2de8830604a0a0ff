"""Files that determine what is sent must be writable only by root and the user of this process.

Whoever can write the configuration, a guide or the state file could redirect orders or run `alerts.command` as this
user. A file is therefore checked with every path that leads to it: links, the folder of each link, and the file itself.
"""

from __future__ import annotations

import os
import pwd
import shlex
import stat
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path

from msgspec import Struct

from plexstedi.errors import Problem, UntrustedFile

_MOST_LINKS = 40
_ROOT = 0


class Role(Enum):
    """How a path entry relates to the file that is checked."""

    FILE = "file"
    LINK = "link"
    FOLDER = "folder"
    """It contains the file, or a link to it."""
    ABOVE = "folder above"


class OwnedPath(Struct, frozen=True):
    """One path entry with its owner and permissions."""

    path: Path
    role: Role
    mode: int
    """Permission bits including the sticky bit."""
    owner: int


class Opening(Struct, frozen=True):
    """A way in which another user can change a file that is read."""

    path: Path
    message: str
    fix: str


def opening_to_others(entry: OwnedPath, user: int) -> Opening | None:
    """Why an entry cannot be trusted; None if it can. Pure.

    In a folder with the sticky bit (/tmp) users cannot replace each other's files: the file's own owner decides. A
    parent folder matters only where others could replace the folder below it.
    """
    named, quoted = entry.role.value, shlex.quote(str(entry.path))
    if entry.role is not Role.LINK and entry.mode & stat.S_IWOTH and not _keeps_files_apart(entry):
        shared = f" If other users must keep writing there, `chmod +t {quoted}`." if entry.role is Role.ABOVE else ""
        return Opening(
            entry.path,
            f"every user of this machine can write to this {named} (mode {entry.mode:04o})",
            f"Run `chmod o-w {quoted}`.{shared}",
        )
    if entry.role is Role.ABOVE or entry.owner in (_ROOT, user):
        return None
    owner, me = _name(entry.owner), _name(user)
    chown = "chown -h" if entry.role is Role.LINK else "chown"
    return Opening(
        entry.path,
        f"this {named} belongs to {owner}, neither to root nor to {me}, who runs plexstedi",
        f"Run plexstedi as {owner} (`sudo -u {owner} plexstedi status`), or, if {me} is to own it, run "
        f"`{chown} {me} {quoted}` as root.",
    )


def opening_to_group(entry: OwnedPath) -> Opening | None:
    """A warning, not a fault: the entry's group can write it. Pure."""
    if entry.role not in (Role.FILE, Role.FOLDER) or not entry.mode & stat.S_IWGRP or _keeps_files_apart(entry):
        return None
    return Opening(
        entry.path,
        f"its group can write to this {entry.role.value} (mode {entry.mode:04o})",
        f"Run `chmod g-w {shlex.quote(str(entry.path))}`, unless every member of the group may control what is sent.",
    )


def must_be_ours(paths: Iterable[Path]) -> None:
    """Raise UntrustedFile, listing everything found, if other users can change one of these files."""
    user = os.geteuid()
    found = [opening for entry in _entries_of(paths) if (opening := opening_to_others(entry, user)) is not None]
    problems = [Problem(str(one.path), "", one.message, one.fix) for one in found if not _is_on_read_only_mount(one)]
    if problems:
        raise UntrustedFile(problems)


def open_to_group(paths: Iterable[Path]) -> list[Opening]:
    """The entries on the way to these files that a group can write."""
    found = [opening for entry in _entries_of(paths) if (opening := opening_to_group(entry)) is not None]
    return [opening for opening in found if not _is_on_read_only_mount(opening)]


def owner_of(path: Path) -> str | None:
    """The owner's name (or number) of a file or folder, else of the nearest folder above that this user may see."""
    for one in (path, *path.parents):
        status = _status(one, follow=True)
        if status is not None:
            return _name(status.st_uid)
    return None


def is_there(path: Path) -> bool:
    """Whether a path exists, as far as this user may see; opening it then reports what it lacks."""
    return _status(path, follow=True) is not None


def as_owner_of(path: Path | None) -> str:
    """For a fix: the user that owns the file, and how to run a command as that user."""
    owner = None if path is None else owner_of(path)
    return "the user that owns it (the service user)" + (
        "" if owner is None else f": `sudo -u {owner} plexstedi status`"
    )


def _keeps_files_apart(entry: OwnedPath) -> bool:
    return entry.role in (Role.FOLDER, Role.ABOVE) and bool(entry.mode & stat.S_ISVTX)


def _entries_of(paths: Iterable[Path]) -> list[OwnedPath]:
    """Each entry once, in its strictest role: a folder that contains one file may be the parent of another."""
    order = list(Role)
    found: dict[Path, OwnedPath] = {}
    walked: set[Path] = set()
    for path in paths:
        for entry in _entries(path, walked):
            known = found.get(entry.path)
            if known is None or order.index(entry.role) < order.index(known.role):
                found[entry.path] = entry
    return list(found.values())


def _entries(path: Path, walked: set[Path]) -> Iterator[OwnedPath]:
    """The existing entries on the way to a file: through every link, then along the resolved path.

    `walked`: folders whose entries are known, with those above them; files of one folder share them.
    """
    current = path.absolute()
    for _ in range(_MOST_LINKS):
        yield from _folders(current, walked)
        status = _status(current, follow=False)
        if status is None:
            break
        if not stat.S_ISLNK(status.st_mode):
            # No fix may change the mode of a folder or device named by mistake (/tmp, /dev/null): reading it fails.
            if stat.S_ISREG(status.st_mode) or stat.S_ISFIFO(status.st_mode):
                yield _entry(current, Role.FILE, status)
            break
        yield _entry(current, Role.LINK, status)
        try:
            current = current.parent / current.readlink()
        except OSError:
            break
    # Links in parent folders are resolved here only.
    yield from _folders(Path(os.path.realpath(path)), walked)


def _folders(path: Path, walked: set[Path]) -> Iterator[OwnedPath]:
    if path.parent in walked:
        return
    walked.add(path.parent)
    for folder in path.parents:
        status = _status(folder, follow=True)
        if status is not None:
            yield _entry(folder, Role.FOLDER if folder == path.parent else Role.ABOVE, status)


def _entry(path: Path, role: Role, status: os.stat_result) -> OwnedPath:
    return OwnedPath(path, role, stat.S_IMODE(status.st_mode), status.st_uid)


def _status(path: Path, *, follow: bool) -> os.stat_result | None:
    """None if it does not exist or cannot be accessed; opening the file then reports the error."""
    try:
        return path.stat() if follow else path.lstat()
    except OSError:
        return None


def _is_on_read_only_mount(opening: Opening) -> bool:
    """A read-only mount cannot be written whatever the mode: containers mount configuration so, often as 0777."""
    try:
        return bool(os.statvfs(opening.path).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)
