"""How many of what stands where, counted by the database: what `status` shows of a state of any size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from plexstedi.state.document_states import DocumentState
from plexstedi.state.file.codec import listed, maybe_moment
from plexstedi.state.file.database import Database

_FINAL = listed(state for state in DocumentState if state.is_final)
_OUTCOME_UNKNOWN = listed(state for state in DocumentState if state.is_outcome_unknown)

DocumentStatus: TypeAlias = Literal["state", "delivery", "functional_ack", "business_ack"]


@dataclass(frozen=True, slots=True)
class SupplierCounts:
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
    unanswered: int
    """Delivered, and not every line answered."""
    reviews: int
    """Open questions to a person."""


class Statistics:
    """Questions over whole tables; reads only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def orders_by_phase(self, supplier: str | None = None) -> dict[str, int]:
        """Orders in each phase."""
        return self._counted(
            "SELECT phase, count(*) FROM orders WHERE ? IS NULL OR supplier = ? GROUP BY phase ORDER BY phase",
            supplier,
        )

    def documents_by(self, status: DocumentStatus, supplier: str | None = None) -> dict[str, int]:
        """Documents by one of their statuses; nobody gives an 810 a business answer."""
        asked = "kind <> '810'" if status == "business_ack" else "true"
        return self._counted(
            f"SELECT {status}, count(*) FROM documents WHERE (? IS NULL OR supplier = ?) AND {asked}"
            f" GROUP BY {status} ORDER BY {status}",
            supplier,
        )

    def attention(self, supplier: str) -> int:
        """What waits for a person at one supplier, counted as `Reviews.attention` counts all."""
        return self._database.number(
            "SELECT count(*) FROM reviews WHERE state = 'open' AND supplier = ? AND kind <> 'known-order-changed'",
            (supplier,),
        ) + self._database.number(
            "SELECT count(*) > 0 FROM reviews WHERE state = 'open' AND supplier = ? AND kind = 'known-order-changed'",
            (supplier,),
        )

    def in_doubt(self, supplier: str | None = None) -> int:
        """Documents of which it is open whether Stedi has them."""
        return self._database.number(
            f"SELECT count(*) FROM documents WHERE state IN {_OUTCOME_UNKNOWN} AND (? IS NULL OR supplier = ?)",
            (supplier, supplier),
        )

    def suppliers(self) -> list[SupplierCounts]:
        """Every supplier of which there is an order, by code."""
        rows = self._database.rows(
            "SELECT supplier, count(*) AS orders, sum(phase IN ('released', 'unreleased')) AS open_orders,"
            " sum(untraded) AS untraded FROM orders GROUP BY supplier ORDER BY supplier"
        )
        documents = {
            row["supplier"]: row
            for row in self._database.rows(
                "SELECT supplier, count(*) AS documents,"
                f" sum(state NOT IN {_FINAL}) AS undelivered,"
                " sum(state = 'delivered' AND kind <> '810' AND business_ack IN ('none', 'partial')) AS unanswered"
                " FROM documents GROUP BY supplier"
            )
        }
        reviews = self._counted(
            "SELECT supplier, count(*) FROM reviews WHERE state = 'open' AND supplier IS NOT NULL"
            " AND (? IS NULL OR supplier = ?) GROUP BY supplier",
            None,
        )
        return [
            SupplierCounts(
                supplier=row["supplier"],
                orders=row["orders"],
                open_orders=row["open_orders"],
                untraded=row["untraded"],
                documents=documents[row["supplier"]]["documents"] if row["supplier"] in documents else 0,
                undelivered=documents[row["supplier"]]["undelivered"] if row["supplier"] in documents else 0,
                unanswered=documents[row["supplier"]]["unanswered"] if row["supplier"] in documents else 0,
                reviews=reviews.get(row["supplier"], 0),
            )
            for row in rows
        ]

    def order_numbers(self) -> list[str]:
        """Every order number once."""
        return [row["number"] for row in self._database.rows("SELECT DISTINCT number FROM orders ORDER BY number")]

    def last_sent_at(self) -> datetime | None:
        """When Stedi last took a document."""
        return self._time("SELECT max(accepted_at) FROM documents")

    def last_received_at(self) -> datetime | None:
        """When the last transaction of a supplier was pulled."""
        return self._time("SELECT max(received_at) FROM inbox")

    def last_written_at(self) -> datetime | None:
        """When an answer was last written to Plex."""
        return self._time("SELECT max(done_at) FROM writes")

    def _time(self, sql: str) -> datetime | None:
        row = self._database.row(sql)
        return None if row is None else maybe_moment(row[0])

    def _counted(self, sql: str, supplier: str | None) -> dict[str, int]:
        found: Mapping[str, int] = {row[0]: row[1] for row in self._database.rows(sql, (supplier, supplier))}
        return dict(found)
