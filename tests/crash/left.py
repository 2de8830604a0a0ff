"""What a killed process leaves behind, as a mark: equal marks, equal futures.

Nothing is renamed, rounded or sorted: every row of the ledger and every object of the sandbox counts, with its ids,
times and counters. What goes on from there depends on nothing else: the process is gone, the clock is the sandbox's.
"""

from __future__ import annotations

import contextlib
import copyreg
import hashlib
import io
import pickle
import shutil
import sqlite3
import tempfile
import threading
from pathlib import Path
from types import FunctionType
from typing import Any

from plexstedi.sandbox.plex.datasources import PlexDataSources
from plexstedi.sandbox.plex.rest import PlexService
from plexstedi.sandbox.server import Sandbox
from tests.crash.world import World

LEDGER = "state.sqlite3"
_UNHEARD: dict[type, tuple[str, ...]] = {
    # Calls are numbered, and the log is for those who test; a number comes back as an id of the request, for support.
    Sandbox: ("log", "_count"),
    PlexDataSources: ("_transactions",),
    # The calls of the last minute: the next run comes a minute later.
    PlexService: ("_calls",),
}
"""What a call that only reads changes in the sandbox. No later answer depends on it."""
_HOOKS = ("faults",)
"""No fault is injected here: there are only the hooks at which processes are killed."""
_LOCKS = (type(threading.Lock()), type(threading.RLock()))


def left_behind(world: World) -> str:
    """The mark of all files and of the whole sandbox."""
    mark = hashlib.sha256()
    with tempfile.TemporaryDirectory(dir=world.place.parent) as folder:
        # Opening the ledger tidies it up, which is the next run's to do: a copy is read.
        place = Path(folder) / "copy"
        shutil.copytree(world.place, place)
        for file in sorted(place.iterdir()):
            if file.name == f"{LEDGER}.was-here":
                # It names the very file, its size and time: whether the next run checks all pages, not what it does.
                mark.update(file.name.encode())
            elif file.name not in (LEDGER, f"{LEDGER}-wal", f"{LEDGER}-shm"):
                mark.update(f"{file.name} {file.read_bytes()!r}".encode())
        with contextlib.closing(sqlite3.connect(place / LEDGER)) as ledger:
            for (table,) in ledger.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"):
                mark.update(f"{table} {ledger.execute(f'SELECT * FROM {table}').fetchall()!r}".encode())
    with io.BytesIO() as written:
        _Everything(written).dump(world.sandbox)
        mark.update(written.getbuffer())
    return mark.hexdigest()


class _Everything(pickle.Pickler):
    """Writes all that an object holds, also what waits to be done: a function with what it closes over."""

    def reducer_override(self, thing: Any) -> Any:
        if isinstance(thing, _LOCKS):
            return str, ("lock",)
        if isinstance(thing, FunctionType):
            around = tuple(cell.cell_contents for cell in thing.__closure__ or ())
            return tuple, ((thing.__qualname__, around, thing.__defaults__),)
        if type(thing) in _UNHEARD:
            names = getattr(thing, "__struct_fields__", None) or getattr(thing, "__slots__", None) or vars(thing)
            unheard = (*_UNHEARD[type(thing)], *_HOOKS)
            held = {name: getattr(thing, name) for name in names if name not in unheard}
            return copyreg.__newobj__, (type(thing),), held  # type: ignore[attr-defined]
        return NotImplemented
