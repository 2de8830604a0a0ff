"""Records that raised what nobody foresaw: held until their content or the program is another, or a person says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from plexstedi.state.file.codec import instant
from plexstedi.state.file.database import Database


@dataclass(frozen=True, slots=True)
class UnforeseenHolds:
    """The table `unforeseen`. `record` is the subject of the record's review item."""

    database: Database

    def holds(self, record: str, mark: str, program: str) -> bool:
        """Whether this record is held as it is now, under this version of the program."""
        row = self.database.row("SELECT mark, program FROM unforeseen WHERE record = ?", (record,))
        return row is not None and (row["mark"], row["program"]) == (mark, program)

    def known(self, record: str) -> bool:
        """Whether this record raised something before, as it is now or otherwise."""
        return self.database.row("SELECT 1 FROM unforeseen WHERE record = ?", (record,)) is not None

    def hold(self, record: str, mark: str, program: str, now: datetime, content: str | None = None) -> None:
        """Hold a record as it is now; `content` is kept if it does not come again. In the caller's transaction."""
        self.database.execute(
            "INSERT INTO unforeseen (record, mark, program, held_at, content) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (record) DO UPDATE SET mark = excluded.mark, program = excluded.program,"
            " held_at = excluded.held_at, content = coalesce(excluded.content, content)",
            (record, mark, program, instant(now), content),
        )

    def forget(self, record: str) -> bool:
        """It went well; whether it was held."""
        return self.database.execute("DELETE FROM unforeseen WHERE record = ?", (record,)) > 0

    def try_again(self, record: str) -> None:
        """Its next turn is not skipped."""
        self.database.execute("UPDATE unforeseen SET mark = NULL WHERE record = ?", (record,))

    def of_another_program(self, program: str) -> list[str]:
        """Records that are held, and were by another version of the program."""
        rows = self.database.rows(
            "SELECT record FROM unforeseen WHERE program <> ? AND mark IS NOT NULL ORDER BY record", (program,)
        )
        return [str(row["record"]) for row in rows]

    def contents(self, prefix: str) -> list[tuple[str, str]]:
        """Kept contents that are to be tried again, with their record, of records that begin with `prefix`."""
        rows = self.database.rows(
            "SELECT record, content FROM unforeseen WHERE content IS NOT NULL AND mark IS NULL"
            " AND substr(record, 1, ?) = ? ORDER BY held_at, record",
            (len(prefix), prefix),
        )
        return [(str(row["record"]), str(row["content"])) for row in rows]
