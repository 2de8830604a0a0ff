"""Open faults of stages and of single records, and records held after an unforeseen error (DESIGN.md section 4)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from msgspec import Struct

from plexstedi.state.file.codec import instant, maybe_instant, maybe_moment, moment
from plexstedi.state.file.database import Database, Row
from plexstedi.state.file.transactions import Kept


class OpenFault(Struct, frozen=True):
    """A fault of a stage or a record, until it ends and its end is printed."""

    place: str
    """A stage, `run`, or the record's subject."""
    key: str
    """Distinguishes faults of one place; empty for a record, which has one at a time."""
    code: str
    since: datetime
    message: str
    fix: str
    stage: str | None = None
    """For a record: the stage in which its calls fail."""
    failed_at: datetime | None = None
    """When it last occurred."""
    reported_at: datetime | None = None
    """When it was last printed (cron's mail)."""
    ended_at: datetime | None = None
    """When it ended; kept until its end is printed."""

    @property
    def of_record(self) -> bool:
        """Whether it is a record's fault, not a stage's."""
        return not self.key

    @property
    def identity(self) -> str:
        """Equal for the same fault in several stages."""
        return self.key or self.place


class Faults:
    """The table `standing_faults`. The caller commits, together with the result of the run."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def fail(
        self, record: str, code: str, message: str, fix: str, now: datetime, *, stage: str | None = None
    ) -> datetime:
        """Record failed calls of one record; return since when they fail. `record` is the subject of its review item.

        The start is that of the first failure, even if the error differs now. With `stage`, a run in which that stage
        succeeds without this fault ends it.
        """
        known = self._get(record, "")
        since = now if known is None or known.ended_at is not None else known.since
        reported = None if known is None or known.ended_at is not None else known.reported_at
        self._put(OpenFault(record, "", code, since, message, fix, stage, now, reported))
        return since

    def forget(self, record: str) -> None:
        """Delete a record's fault without reporting its end: a review item replaces it."""
        self._database.execute("DELETE FROM standing_faults WHERE place = ? AND key = ''", (record,))

    def succeed(self, record: str, now: datetime) -> None:
        """End the fault of a record, if it has one: its calls succeeded."""
        if (known := self._get(record, "")) is not None and known.ended_at is None:
            self._end(known, now)

    def stage_failed(self, place: str, key: str, code: str, message: str, fix: str, now: datetime) -> None:
        """Record the fault of a stage; it replaces the stage's other faults."""
        # Deleted, not ended: the stage still fails, so no end is reported.
        for other in self._of_place(place):
            if other.key != key and not other.of_record:
                self._forget(other)
        known = self._get(place, key)
        fresh = known is None or known.ended_at is not None
        since = now if known is None or fresh else known.since
        reported = None if known is None or fresh else known.reported_at
        self._put(OpenFault(place, key, code, since, message, fix, None, now, reported))

    def stage_succeeded(self, place: str, now: datetime, *, began: datetime | None = None) -> None:
        """End the faults of a stage; with `began`, also those of its records that did not fail again since then."""
        for known in self._of_place(place):
            if known.ended_at is None and not known.of_record:
                self._end(known, now)
        if began is None:
            return
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM standing_faults"
            " WHERE stage = ? AND key = '' AND ended_at IS NULL AND failed_at < ?",
            (place, instant(began)),
        )
        for row in rows:
            self._end(_fault(row), now)

    def open_faults(self) -> list[OpenFault]:
        """Faults that have not ended, oldest first."""
        return self._all("ended_at IS NULL")

    def ended(self) -> list[OpenFault]:
        """Ended faults that were printed while they were open: their end is still to be printed."""
        return self._all("ended_at IS NOT NULL")

    def reported(self, faults: Collection[OpenFault], now: datetime) -> None:
        """Record that these were printed; ended ones are deleted."""
        for fault in faults:
            if fault.ended_at is not None:
                self._forget(fault)
            else:
                self._database.execute(
                    "UPDATE standing_faults SET reported_at = ? WHERE place = ? AND key = ?",
                    (instant(now), fault.place, fault.key),
                )

    def put(self, fault: OpenFault) -> None:
        """Import a fault that was stored elsewhere, with its times."""
        self._put(fault)

    def _end(self, fault: OpenFault, now: datetime) -> None:
        if fault.reported_at is None:
            self._forget(fault)
            return
        self._database.execute(
            "UPDATE standing_faults SET ended_at = ? WHERE place = ? AND key = ?",
            (instant(now), fault.place, fault.key),
        )

    def _forget(self, fault: OpenFault) -> None:
        self._database.execute("DELETE FROM standing_faults WHERE place = ? AND key = ?", (fault.place, fault.key))

    def _get(self, place: str, key: str) -> OpenFault | None:
        row = self._database.row(f"SELECT {_COLUMNS} FROM standing_faults WHERE place = ? AND key = ?", (place, key))
        return None if row is None else _fault(row)

    def _of_place(self, place: str) -> list[OpenFault]:
        rows = self._database.rows(f"SELECT {_COLUMNS} FROM standing_faults WHERE place = ?", (place,))
        return [_fault(row) for row in rows]

    def _all(self, condition: str) -> list[OpenFault]:
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM standing_faults WHERE {condition} ORDER BY since, place, key"
        )
        return [_fault(row) for row in rows]

    def _put(self, fault: OpenFault) -> None:
        self._database.execute(
            f"INSERT OR REPLACE INTO standing_faults ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                fault.place,
                fault.key,
                fault.code,
                instant(fault.since),
                fault.message,
                fault.fix,
                fault.stage,
                maybe_instant(fault.failed_at),
                maybe_instant(fault.reported_at),
                maybe_instant(fault.ended_at),
            ),
        )


_COLUMNS = "place, key, code, since, message, fix, stage, failed_at, reported_at, ended_at"


def _fault(row: Row) -> OpenFault:
    return OpenFault(
        place=row["place"],
        key=row["key"],
        code=row["code"],
        since=moment(row["since"]),
        message=row["message"],
        fix=row["fix"],
        stage=row["stage"],
        failed_at=maybe_moment(row["failed_at"]),
        reported_at=maybe_moment(row["reported_at"]),
        ended_at=maybe_moment(row["ended_at"]),
    )


class UnforeseenHolds:
    """The table `unforeseen`: records held after an unexpected error. `record` is the subject of its review item."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._any: Kept[None, bool] = database.kept.up_to(1)
        """Whether there may be a row: nearly always there is none, and each record of a run is asked about."""

    def holds(self, record: str, mark: str, program: str) -> bool:
        """Whether this record is held with this content and program version."""
        if not self._may_hold():
            return False
        row = self._database.row("SELECT mark, program FROM unforeseen WHERE record = ?", (record,))
        return row is not None and (row["mark"], row["program"]) == (mark, program)

    def known(self, record: str) -> bool:
        """Whether this record is held, with any content."""
        if not self._may_hold():
            return False
        return self._database.row("SELECT 1 FROM unforeseen WHERE record = ?", (record,)) is not None

    def _may_hold(self) -> bool:
        known = self._any.get(None)
        if known is None:
            known = self._any[None] = self._database.row("SELECT 1 FROM unforeseen LIMIT 1") is not None
        return known

    def hold(self, record: str, mark: str, program: str, now: datetime, content: str | None = None) -> None:
        """Hold a record with this content; in the caller's transaction. `content`: a feed entry."""
        self._database.execute(
            "INSERT INTO unforeseen (record, mark, program, held_at, content) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (record) DO UPDATE SET mark = excluded.mark, program = excluded.program,"
            " held_at = excluded.held_at, content = coalesce(excluded.content, content)",
            (record, mark, program, instant(now), content),
        )
        self._any[None] = True

    def forget(self, record: str) -> bool:
        """Release a record; return whether it was held."""
        return self._database.execute("DELETE FROM unforeseen WHERE record = ?", (record,)) > 0

    def try_again(self, record: str) -> None:
        """Process this record in the next run."""
        self._database.execute("UPDATE unforeseen SET mark = NULL WHERE record = ?", (record,))

    def of_another_program(self, program: str) -> list[str]:
        """Records held by another version of the program."""
        rows = self._database.rows(
            "SELECT record FROM unforeseen WHERE program <> ? AND mark IS NOT NULL ORDER BY record", (program,)
        )
        return [str(row["record"]) for row in rows]

    def contents(self, prefix: str) -> list[tuple[str, str]]:
        """Record and stored content of feed entries to be processed again, of records that begin with `prefix`."""
        rows = self._database.rows(
            "SELECT record, content FROM unforeseen WHERE content IS NOT NULL AND mark IS NULL"
            " AND substr(record, 1, ?) = ? ORDER BY held_at, record",
            (len(prefix), prefix),
        )
        return [(str(row["record"]), str(row["content"])) for row in rows]
