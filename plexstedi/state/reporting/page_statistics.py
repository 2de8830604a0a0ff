"""Queries for statistics over time: first responses of suppliers, and one record per day.

Responses of past days are read once a day by a run and stored as one row per day, so that the page reads days and not
acknowledgments.
"""

from __future__ import annotations

from datetime import date, datetime

from msgspec import Struct

from plexstedi.edi.inbound.outcome import Reconciliation
from plexstedi.state.document_states import BusinessStatus, DocumentState, FunctionalStatus
from plexstedi.state.file.codec import unpack_model
from plexstedi.state.file.database import Database, Row
from plexstedi.state.file.first_revision import first_revision
from plexstedi.state.file.short import maybe_id_of, maybe_time_of, short_time, time_of

_DAY = "day "
_AFTER_ALL_DAYS = "day;"
_COUNTED = "('applied', 'held', 'superseded')"


class Response(Struct, frozen=True):
    """The first acknowledgment (855, 865) of one document."""

    supplier: str
    processed_at: datetime
    """When Stedi processed the acknowledgment."""
    sent_at: datetime
    """When the document was delivered; if that was never reported, when Stedi accepted it or it was frozen."""
    outcome: Reconciliation | None
    """None: the acknowledgment could not be compared with the order."""


class OpenOrderCount(Struct, frozen=True):
    """Number of open orders whose last documents have the same statuses; all None: no document was made."""

    state: DocumentState | None
    functional_ack: FunctionalStatus | None
    business_ack: BusinessStatus | None
    orders: int


class PageStatistics:
    """Rows `day YYYY-MM-DD` of the table `memory`, and the queries that they are made from."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def days(self, since: date) -> dict[date, str]:
        """Stored records of this day and later ones."""
        rows = self._database.rows(
            "SELECT name, value FROM memory WHERE name >= ? AND name < ? ORDER BY name",
            (f"{_DAY}{since.isoformat()}", _AFTER_ALL_DAYS),
        )
        return {date.fromisoformat(row["name"].removeprefix(_DAY)): row["value"] for row in rows}

    def put_day(self, day: date, content: str) -> None:
        """Store the record of a day."""
        self._database.execute(
            "INSERT INTO memory (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (f"{_DAY}{day.isoformat()}", content),
        )

    def drop_days(self, before: date) -> None:
        """Delete the records of earlier days."""
        self._database.execute("DELETE FROM memory WHERE name >= ? AND name < ?", (_DAY, f"{_DAY}{before.isoformat()}"))

    def responses(self, since: datetime, before: datetime) -> list[Response]:
        """First acknowledgments of documents, processed by Stedi in this time; oldest first."""
        rows = self._database.rows(
            "SELECT documents.supplier, inbox.processed_at, inbox.outcome, inbox.order_id,"
            " coalesce(documents.delivered_at, documents.accepted_at, documents.frozen_at) AS sent_at"
            " FROM inbox INDEXED BY inbox_by_state CROSS JOIN documents ON documents.id = inbox.document_id"
            f" WHERE inbox.state IN {_COUNTED} AND inbox.processed_at >= ? AND inbox.processed_at < ?"
            " AND inbox.set_id IN ('855', '865')"
            " AND NOT EXISTS (SELECT 1 FROM inbox AS earlier INDEXED BY inbox_of_document"
            " WHERE earlier.document_id = inbox.document_id AND earlier.set_id IN ('855', '865')"
            f" AND earlier.state IN {_COUNTED}"
            " AND (earlier.processed_at, earlier.transaction_id) < (inbox.processed_at, inbox.transaction_id))"
            " ORDER BY inbox.processed_at, inbox.transaction_id",
            (short_time(since), short_time(before)),
        )
        return [
            Response(
                supplier=row["supplier"],
                processed_at=time_of(row["processed_at"]),
                sent_at=maybe_time_of(row["sent_at"]) or time_of(row["processed_at"]),
                outcome=self._outcome(row),
            )
            for row in rows
        ]

    def _outcome(self, row: Row) -> Reconciliation | None:
        if row["outcome"] is None:
            return None
        return unpack_model(
            Reconciliation, row["outcome"], first_revision(self._database, maybe_id_of(row["order_id"]))
        )

    def open_orders(self) -> list[OpenOrderCount]:
        """Orders that are open in Plex and traded by EDI, counted by the statuses of their last document."""
        rows = self._database.rows(
            "SELECT last.state, last.functional_ack, last.business_ack, count(*) AS n"
            " FROM orders INDEXED BY orders_open LEFT JOIN documents AS last ON last.id ="
            " (SELECT max(id) FROM documents AS each INDEXED BY documents_of_order WHERE each.order_id = orders.id)"
            " WHERE orders.phase IN ('released', 'unreleased') AND orders.untraded = 0"
            " GROUP BY last.state, last.functional_ack, last.business_ack"
            " ORDER BY last.state, last.functional_ack, last.business_ack"
        )
        return [
            OpenOrderCount(
                state=None if row["state"] is None else DocumentState(row["state"]),
                functional_ack=None if row["functional_ack"] is None else FunctionalStatus(row["functional_ack"]),
                business_ack=None if row["business_ack"] is None else BusinessStatus(row["business_ack"]),
                orders=row["n"],
            )
            for row in rows
        ]
