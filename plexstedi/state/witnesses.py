"""File executions seen at Stedi under names of ours: the witness of what was really sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from plexstedi.state.codec import instant, moment
from plexstedi.state.database import Database


@dataclass(frozen=True, slots=True)
class Witness:
    """One file execution."""

    execution_id: str
    file_name: str
    partnership: str | None
    direction: str
    status: str
    created_at: datetime
    fault: str | None


class Witnesses:
    """The table `witnesses`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def see(self, witness: Witness) -> None:
        """Note an execution, or its newer status."""
        self._database.execute(
            "INSERT INTO witnesses (execution_id, file_name, partnership, direction, status, created_at, fault)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (execution_id) DO UPDATE SET status = excluded.status,"
            " fault = excluded.fault",
            (
                witness.execution_id,
                witness.file_name,
                witness.partnership,
                witness.direction,
                witness.status,
                instant(witness.created_at),
                witness.fault,
            ),
        )

    def unknown_to_ledger(self) -> list[Witness]:
        """Outbound files under our names that no document of the ledger has."""
        rows = self._database.rows(
            "SELECT * FROM witnesses WHERE direction = 'OUTBOUND'"
            " AND file_name NOT IN (SELECT file_name FROM documents) ORDER BY created_at, execution_id"
        )
        return [
            Witness(
                execution_id=row["execution_id"],
                file_name=row["file_name"],
                partnership=row["partnership"],
                direction=row["direction"],
                status=row["status"],
                created_at=moment(row["created_at"]),
                fault=row["fault"],
            )
            for row in rows
        ]
