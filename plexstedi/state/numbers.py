"""Which orders, invoices and files have, or were sent under, which number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from plexstedi.state.file.codec import moment
from plexstedi.state.file.database import Database


@dataclass(frozen=True, slots=True)
class Numbered:
    """One order or invoice with its number as Plex has it now."""

    id: str
    number: str
    partner: str
    first_seen: datetime


@dataclass(frozen=True, slots=True)
class SentUnder:
    """A number under which documents of an order or invoice were frozen, and the first of them."""

    order_id: str
    """Of an invoice its stream."""
    number: str
    first_document: int


class Numbers:
    """Questions about numbers, over several tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_orders(self) -> list[Numbered]:
        """Every order."""
        rows = self._database.rows("SELECT id, number, supplier, first_seen FROM orders")
        return [Numbered(row["id"], row["number"], row["supplier"], moment(row["first_seen"])) for row in rows]

    def of_invoices(self) -> list[Numbered]:
        """Every invoice."""
        rows = self._database.rows("SELECT id, number, customer, first_seen FROM invoices")
        return [Numbered(row["id"], row["number"], row["customer"], moment(row["first_seen"])) for row in rows]

    def sent_under(self, *, invoices: bool) -> list[SentUnder]:
        """Numbers that documents have at Stedi, or may have: all but those refused, or given up before an attempt."""
        rows = self._database.rows(
            "SELECT order_id, order_number, min(id) AS first FROM documents WHERE (kind = '810') = ?"
            " AND state <> 'refused' AND (state <> 'withdrawn' OR first_attempt_at IS NOT NULL)"
            " GROUP BY order_id, order_number",
            (int(invoices),),
        )
        return [SentUnder(row["order_id"], row["order_number"], row["first"]) for row in rows]

    def told_streams(self) -> frozenset[str]:
        """Streams that a person, or a setting, takes the partner to know by other means."""
        return frozenset(row["stream"] for row in self._database.rows("SELECT stream FROM told"))
