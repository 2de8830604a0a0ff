"""Counts by state for `status`, from tables maintained by triggers: the cost does not depend on the file's size."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from plexstedi.state.document_states import DocumentState
from plexstedi.state.file.codec import listed
from plexstedi.state.file.database import Database
from plexstedi.state.file.short import time_of

_FINAL = listed(state for state in DocumentState if state.is_final)
_OUTCOME_UNKNOWN = listed(state for state in DocumentState if state.is_outcome_unknown)

DocumentStatus: TypeAlias = Literal["state", "delivery", "functional_ack", "business_ack"]


class SupplierCounts(Struct, frozen=True):
    """One supplier's orders and documents."""

    supplier: str
    orders: int
    open_orders: int
    """Released or not yet released."""
    untraded: int
    """Orders that are not traded by EDI: the supplier has no settings."""
    documents: int
    undelivered: int
    """Under way, failed, or in doubt."""
    unacknowledged: int
    """Delivered, with lines not acknowledged."""
    reviews: int
    """Open review items."""


class Statistics:
    """Read-only queries over whole tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def orders_by_phase(self, supplier: str | None = None) -> dict[str, int]:
        """Number of orders by phase."""
        return self._counted("order_counts", "phase", supplier)

    def documents_by(self, status: DocumentStatus, supplier: str | None = None) -> dict[str, int]:
        """Number of documents by one of their statuses; `business_ack` without 810s, which have none by line."""
        return self._counted(
            "document_counts", status, supplier, "AND kind <> '810'" if status == "business_ack" else ""
        )

    def attention(self, supplier: str) -> int:
        """Number of open review items of one supplier, counted like `Reviews.attention`."""
        return self._database.number(
            "SELECT count(*) FROM reviews WHERE state = 'open' AND supplier = ? AND kind <> 'known-order-changed'",
            (supplier,),
        ) + self._database.number(
            "SELECT count(*) > 0 FROM reviews WHERE state = 'open' AND supplier = ? AND kind = 'known-order-changed'",
            (supplier,),
        )

    def in_doubt(self, supplier: str | None = None) -> int:
        """Number of documents of which it is not known whether Stedi has them."""
        counted = f"SELECT sum(n) FROM document_counts WHERE state IN {_OUTCOME_UNKNOWN}"
        if supplier is None:
            return self._database.number(counted)
        return self._database.number(f"{counted} AND supplier = ?", (supplier,))

    def suppliers(self) -> list[SupplierCounts]:
        """Every supplier with an order, by code."""
        rows = self._database.rows(
            "SELECT supplier, sum(n) AS orders, sum(iif(phase IN ('released', 'unreleased'), n, 0)) AS open_orders,"
            " sum(untraded * n) AS untraded FROM order_counts WHERE n > 0 GROUP BY supplier ORDER BY supplier"
        )
        documents = {
            row["supplier"]: row
            for row in self._database.rows(
                "SELECT supplier, sum(n) AS documents,"
                f" sum(n * (state NOT IN {_FINAL})) AS undelivered,"
                " sum(n * (state = 'delivered' AND kind <> '810' AND business_ack IN ('none', 'partial')))"
                " AS unacknowledged"
                " FROM document_counts WHERE n > 0 GROUP BY supplier"
            )
        }
        reviews = {
            row["supplier"]: row["n"]
            for row in self._database.rows(
                "SELECT supplier, count(*) AS n FROM reviews WHERE state = 'open' AND supplier IS NOT NULL"
                " GROUP BY supplier"
            )
        }
        return [
            SupplierCounts(
                supplier=row["supplier"],
                orders=row["orders"],
                open_orders=row["open_orders"],
                untraded=row["untraded"],
                documents=documents[row["supplier"]]["documents"] if row["supplier"] in documents else 0,
                undelivered=documents[row["supplier"]]["undelivered"] if row["supplier"] in documents else 0,
                unacknowledged=documents[row["supplier"]]["unacknowledged"] if row["supplier"] in documents else 0,
                reviews=reviews.get(row["supplier"], 0),
            )
            for row in rows
        ]

    def order_numbers(self) -> list[str]:
        """Every order number once."""
        return [row["number"] for row in self._database.rows("SELECT DISTINCT number FROM orders ORDER BY number")]

    def last_sent_at(self) -> datetime | None:
        """When Stedi last accepted a document."""
        return self._latest("accepted_at")

    def last_received_at(self) -> datetime | None:
        """When the last transaction was received."""
        return self._latest("received_at")

    def last_written_at(self) -> datetime | None:
        """When an acknowledgment was last written to Plex."""
        return self._latest("done_at")

    def _latest(self, column: str) -> datetime | None:
        row = self._database.row("SELECT at FROM latest_times WHERE what = ?", (column,))
        return None if row is None else time_of(row["at"])

    def _counted(self, table: str, column: str, supplier: str | None, condition: str = "") -> dict[str, int]:
        """Sums of a table of counts by one of its columns, of one supplier or of all."""
        head = f"SELECT {column}, sum(n) FROM {table} WHERE n > 0 {condition}"
        tail = f"GROUP BY {column} ORDER BY {column}"
        if supplier is None:
            rows = self._database.rows(f"{head} {tail}")
        else:
            rows = self._database.rows(f"{head} AND supplier = ? {tail}", (supplier,))
        return {row[0]: row[1] for row in rows}
