"""Records that raised what nobody foresaw: held until their content or the program is another, or a person says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from plexstedi.state.codec import instant
from plexstedi.state.database import Database


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

    def hold(self, record: str, mark: str, program: str, now: datetime) -> None:
        """Hold a record as it is now; in the caller's transaction."""
        self.database.execute(
            "INSERT INTO unforeseen (record, mark, program, held_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (record) DO UPDATE SET mark = excluded.mark, program = excluded.program,"
            " held_at = excluded.held_at",
            (record, mark, program, instant(now)),
        )

    def forget(self, record: str) -> bool:
        """It went well, or a person wants it tried again; whether it was held."""
        return self.database.execute("DELETE FROM unforeseen WHERE record = ?", (record,)) > 0
