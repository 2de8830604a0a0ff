"""Revisions of orders and invoices: each content as read; reading an unchanged content adds none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from plexstedi.edi.model import Frozen
from plexstedi.state.file.codec import pack_model, unpack_model
from plexstedi.state.file.database import Database
from plexstedi.state.file.short import maybe_short_time, maybe_time_of, short_hash, short_id, short_time, time_of

Content = TypeVar("Content", bound=Frozen)


@dataclass(frozen=True, slots=True)
class Revisions(Generic[Content]):
    """One table of revisions; `of` is its id column, `word` names the record in errors."""

    database: Database
    word: str
    table: str
    of: str
    model: type[Content]
    fingerprint: Callable[[Content], str]
    _in_use: WeakValueDictionary[tuple[str, int], Content] = field(default_factory=WeakValueDictionary, compare=False)
    """What callers hold: a large order is in memory once, however many decisions read it."""

    def get(self, record_id: str, revision: int) -> Content:
        """The content at this revision. Raise KeyError if there is none."""
        if (in_use := self._in_use.get((record_id, revision))) is not None:
            return in_use
        row = self.database.row(
            f"SELECT content FROM {self.table} WHERE {self.of} = ? AND revision = ?", (short_id(record_id), revision)
        )
        if row is None:
            raise KeyError(f"{self.word} {record_id} has no revision {revision}")
        content = self._in_use[record_id, revision] = unpack_model(self.model, row["content"])
        return content

    def seen(self, record_id: str, revision: int) -> tuple[datetime, datetime | None]:
        """When this revision was first read, and Plex's modification time of it. Raise KeyError if there is none."""
        row = self.database.row(
            f"SELECT seen_at, modified_at FROM {self.table} WHERE {self.of} = ? AND revision = ?",
            (short_id(record_id), revision),
        )
        if row is None:
            raise KeyError(f"{self.word} {record_id} has no revision {revision}")
        return time_of(row["seen_at"]), maybe_time_of(row["modified_at"])

    def append(self, record_id: str, latest: int, content: Content, modified_at: datetime | None, now: datetime) -> int:
        """Store this content after revision `latest` (0: none); return its revision, `latest` if it is unchanged."""
        mark = short_hash(self.fingerprint(content))
        if latest and self._mark(record_id, latest) == mark:
            return latest
        if latest and modified_at is not None:
            seen_at, before = self.seen(record_id, latest)
            # A change may leave no time of its own in Plex, for example a deletion: then it is that of the reading.
            modified_at = modified_at if modified_at > (before or seen_at) else None
        # One of this number may have been rolled back.
        self._in_use.pop((record_id, latest + 1), None)
        self.database.execute(
            f"INSERT INTO {self.table} ({self.of}, revision, fingerprint, content, seen_at, modified_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                *(short_id(record_id), latest + 1, mark, pack_model(content)),
                *(short_time(now), maybe_short_time(modified_at)),
            ),
        )
        return latest + 1

    def _mark(self, record_id: str, revision: int) -> bytes | str:
        row = self.database.row(
            f"SELECT fingerprint FROM {self.table} WHERE {self.of} = ? AND revision = ?",
            (short_id(record_id), revision),
        )
        assert row is not None
        mark: bytes | str = row["fingerprint"]
        return mark
