"""File executions listed by Stedi under file names of this program: evidence of what was sent.

Those of a delivered document are deleted after `state.keep_days`; it keeps when Stedi created the first of them.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from plexstedi.state.file.database import Database, Row
from plexstedi.state.file.short import maybe_time_of, short_time, time_of


class ExecutionRecord(Struct, frozen=True):
    """One file execution."""

    execution_id: str
    file_name: str
    partnership: str | None
    direction: str
    status: str
    created_at: datetime
    fault: str | None


class Executions:
    """File executions at Stedi."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, execution: ExecutionRecord) -> None:
        """Store an execution, or its newer status."""
        self._database.execute(
            "INSERT INTO witnesses (execution_id, file_name, partnership, direction, status, created_at, fault)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (execution_id) DO UPDATE SET status = excluded.status,"
            " fault = excluded.fault",
            (
                execution.execution_id,
                execution.file_name,
                execution.partnership,
                execution.direction,
                execution.status,
                short_time(execution.created_at),
                execution.fault,
            ),
        )

    def mark_resolved(self, execution_id: str) -> None:
        """Record that this file has a review item of its own: it no longer blocks sending."""
        self._database.execute("UPDATE witnesses SET settled = 1 WHERE execution_id = ?", (execution_id,))

    def unknown_to_ledger(self) -> list[ExecutionRecord]:
        """Outbound files under our names without a document in the ledger or a review item."""
        rows = self._database.rows(
            "SELECT * FROM witnesses WHERE direction = 'OUTBOUND' AND in_ledger = 0 AND settled = 0"
            " ORDER BY created_at, execution_id"
        )
        return [_execution(row) for row in rows]

    def without_order(self) -> list[ExecutionRecord]:
        """Outbound files under our names without a document in the ledger that got a review item."""
        rows = self._database.rows(
            "SELECT * FROM witnesses WHERE direction = 'OUTBOUND' AND in_ledger = 0 AND settled = 1"
            " ORDER BY created_at, execution_id"
        )
        return [_execution(row) for row in rows]

    def get(self, execution_id: str) -> ExecutionRecord | None:
        """The execution of this id; None if Stedi has not listed it."""
        row = self._database.row("SELECT * FROM witnesses WHERE execution_id = ?", (execution_id,))
        return None if row is None else _execution(row)

    def by_file_name(self, file_name: str) -> ExecutionRecord | None:
        """The newest execution of this exact file name; None if there is none."""
        row = self._database.row(
            "SELECT * FROM witnesses WHERE substr(file_name, -12) = substr(?, -12) AND +file_name = ?"
            " ORDER BY created_at DESC, execution_id DESC LIMIT 1",
            (file_name, file_name),
        )
        return None if row is None else _execution(row)

    def first_seen_at(self, file_name: str) -> datetime | None:
        """When Stedi created the first execution of this exact file name; None if it has not listed one."""
        row = self._database.row(
            "SELECT min(at) AS at FROM (SELECT created_at AS at FROM witnesses"
            " WHERE substr(file_name, -12) = substr(?, -12) AND +file_name = ?"
            " UNION ALL SELECT listed_at FROM documents WHERE file_name = ?)",
            (file_name, file_name, file_name),
        )
        return None if row is None else maybe_time_of(row["at"])


def _execution(row: Row) -> ExecutionRecord:
    return ExecutionRecord(
        execution_id=row["execution_id"],
        file_name=row["file_name"],
        partnership=row["partnership"],
        direction=row["direction"],
        status=row["status"],
        created_at=time_of(row["created_at"]),
        fault=row["fault"],
    )
