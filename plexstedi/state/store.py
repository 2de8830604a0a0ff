"""The state file as used by the rest of the program: one object per group of tables."""

from __future__ import annotations

import hashlib
import shlex
import zlib
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

from plexstedi.durable import replace_file
from plexstedi.edi.writeback.plan import WritePlan
from plexstedi.errors import StateUnusable
from plexstedi.ownership import is_there
from plexstedi.state.audit import Audit, Break, Event
from plexstedi.state.cursors import Cursors, Fact, PlexRows
from plexstedi.state.documents import Documents
from plexstedi.state.executions import Executions
from plexstedi.state.faults import Faults, UnforeseenHolds
from plexstedi.state.file.database import Database
from plexstedi.state.file.integrity import mark_of
from plexstedi.state.inbox import Inbox
from plexstedi.state.invoices import Invoices
from plexstedi.state.numbers import Numbers
from plexstedi.state.orders import Orders, Receipts
from plexstedi.state.reporting.page_statistics import PageStatistics
from plexstedi.state.reviews import Reviews
from plexstedi.state.writes import Writes


class Store:
    """An open state. Opened by one of the class methods, closed by `close`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.audit = Audit(database)
        self.cursors = Cursors(database)
        self.plex_rows = PlexRows(database)
        self.orders = Orders(database)
        self.invoices = Invoices(database)
        self.numbers = Numbers(database)
        self.documents = Documents(database)
        self.executions = Executions(database)
        self.inbox = Inbox(database)
        self.writes = Writes(database)
        self.reviews = Reviews(database)
        self.receipts = Receipts(database)
        self.unforeseen = UnforeseenHolds(database)
        self.faults = Faults(database)
        self.page_statistics = PageStatistics(database)

    @classmethod
    def open(cls, path: Path, now: datetime) -> Store:
        """Open for writing; create the file if it does not exist. Raise StateUnusable."""
        _reject_hard_link(path)
        store = cls(Database.open(path, now))
        try:
            if store.cursors.get(Fact.CREATED) is None:
                store.cursors.put_time(Fact.CREATED, now)
            _write_mark(path)
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def open_to_read(cls, path: Path) -> Store:
        """Open for reading only. Raise StateUnusable if there is no file."""
        _reject_hard_link(path)
        return cls(Database.open_to_read(path))

    @classmethod
    def open_copy(cls, path: Path) -> Store:
        """Open a private copy in memory; the file is never written. Raise StateUnusable."""
        _reject_hard_link(path)
        return cls(Database.copy_in_memory(path))

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    def transaction(self) -> AbstractContextManager[None]:
        """Commit everything inside together, or nothing if it raises."""
        return self.database.transaction()

    def savepoint(self) -> AbstractContextManager[None]:
        """Inside a transaction: roll back only the block if it raises."""
        return self.database.savepoint()


def expect_state(path: Path) -> None:
    """Raise StateUnusable if a state file existed here and is missing or empty.

    It must not be created again silently: with a new state, every order would count as never sent.
    """
    if is_there(mark_of(path)) and (not is_there(path) or path.stat().st_size == 0):
        raise StateUnusable(
            f"the state file {path} is missing or empty, but existed before. Nothing was sent",
            fix="Restore it from a backup, or rebuild it with `plexstedi recover`. To start over on purpose, delete"
            f" {mark_of(path)} as well.",
            code="state-missing",
        )


def _reject_hard_link(path: Path) -> None:
    """Raise StateUnusable for a hard link to a state file created under another name.

    After a killed run, committed data may be in the `-wal` file beside the other name, and would be missing here.
    """
    try:
        if not path.is_file() or path.stat().st_nlink < 2 or mark_of(path).exists():
            return
    except PermissionError:
        # Opening it reports the error.
        return
    raise StateUnusable(
        f"{path} is a hard link: this state file was created under another name, and part of it may be stored there",
        fix=f"Use the name it was created under (`find / -xdev -samefile {shlex.quote(str(path))}` lists them all); "
        "to move it, make sure that no run is in progress, and use mv.",
        code="state-linked",
    )


def _write_mark(path: Path) -> None:
    mark = mark_of(path)
    if mark.exists():
        return
    try:
        replace_file(mark, b"")
    except OSError as error:
        raise StateUnusable(
            f"the mark {mark} cannot be written: {error.strerror or error}",
            fix="Free some space on its disk, and give this user write permission on its folder.",
            code="state-disk",
        ) from error


def open_state(path: Path) -> Store:
    """Open the state for reading; an empty one before the first run. Raise StateUnusable, also if it is missing."""
    expect_state(path)
    return Store.open_to_read(path) if is_there(path) else Store.open_copy(path)


SENT, RECEIVED, PLANNED = "attempt-begun", "transaction-stored", "write-planned"
"""Kinds of events with the SHA-256 of a document's bytes, or of a plan."""


def altered_payload(store: Store) -> Break | None:
    """The first document or plan that differs from the SHA-256 in its event; None if there is none.

    Deleted contents (`state.keep_days`) are skipped; plans are never deleted. Call `Audit.verify` first: the events
    themselves are not checked.
    """
    for event in store.audit.events():
        mark = event.detail.get("sha256")
        if event.kind not in (SENT, RECEIVED, PLANNED) or mark is None:
            continue
        try:
            payload = _payload_of(store, event)
        except zlib.error:
            payload = b"not readable"
        if event.kind == PLANNED and payload is None:
            return Break(event.seq, f"the plan of event {event.seq} is gone")
        # Only contents are ever deleted: an empty plan is an altered one.
        if (payload or event.kind == PLANNED) and hashlib.sha256(payload or b"").hexdigest() != mark:
            return Break(event.seq, f"{event.subject} is no longer what event {event.seq} kept")
    return None


def _payload_of(store: Store, event: Event) -> bytes | None:
    document, transaction, write = event.subject.document, event.subject.transaction, event.detail.get("write")
    if event.kind == PLANNED:
        return store.writes.plan_text(write) if isinstance(write, int) else None
    if transaction is not None:
        return store.inbox.document(transaction)
    return None if document is None else store.documents.body(document)


def plan_of(store: Store, event: Event) -> WritePlan | None:
    """The plan that a `write-planned` event is about, from `writes`; None for others and for events that repeat it."""
    write = event.detail.get("write")
    return store.writes.plan_of(write) if event.kind == PLANNED and isinstance(write, int) else None
