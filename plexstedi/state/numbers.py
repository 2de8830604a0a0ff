"""Orders, invoices and documents by order number, current or as sent."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from plexstedi.edi.order_number import search_key
from plexstedi.state.file.database import Database
from plexstedi.state.file.short import id_of, time_of
from plexstedi.state.invoices import invoice_stream


class Numbered(Struct, frozen=True):
    """An order or invoice with its current number in Plex."""

    id: str
    number: str
    partner: str
    first_seen: datetime


class SentUnder(Struct, frozen=True):
    """A number under which documents of an order or invoice were frozen, and the id of the first of them."""

    order_id: str
    """For an invoice, its stream."""
    number: str
    first_document: int


class Numbers:
    """Queries by number over several tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def orders_like(self, number: str) -> list[Numbered]:
        """Orders that have, or were sent under, a number with the same search key."""
        key = search_key(number)
        rows = self._database.rows(
            "SELECT id, number, supplier, first_seen FROM orders WHERE search_key = ? OR id IN"
            " (SELECT order_id FROM documents WHERE search_key = ? AND kind <> '810')",
            (key, key),
        )
        return [Numbered(id_of(row["id"]), row["number"], row["supplier"], time_of(row["first_seen"])) for row in rows]

    def invoices_like(self, number: str) -> list[Numbered]:
        """Invoices that have, or were sent under, a number with the same search key."""
        key = search_key(number)
        rows = self._database.rows(
            "SELECT id, number, customer, first_seen FROM invoices WHERE search_key = ? OR id IN"
            " (SELECT short_id(substr(order_id, ?)) FROM documents WHERE search_key = ? AND kind = '810')",
            (key, len(invoice_stream("")) + 1, key),
        )
        return [Numbered(id_of(row["id"]), row["number"], row["customer"], time_of(row["first_seen"])) for row in rows]

    def sent_under(self, order_id: str) -> list[SentUnder]:
        """Numbers under which Stedi has, or may have, documents of one order (or stream of an invoice).

        Without documents refused, or withdrawn before their first attempt.
        """
        rows = self._database.rows(
            "SELECT order_id, order_number, min(id) AS first FROM documents WHERE order_id = short_id(?)"
            " AND state <> 'refused' AND (state <> 'withdrawn' OR first_attempt_at IS NOT NULL)"
            " GROUP BY order_number",
            (order_id,),
        )
        return [SentUnder(id_of(row["order_id"]), row["order_number"], row["first"]) for row in rows]

    def is_known_otherwise(self, order_id: str) -> bool:
        """Whether a user or a setting recorded that the partner has a stream of this order without a document."""
        row = self._database.row(
            "SELECT 1 FROM told WHERE stream = ? OR (stream >= ? AND stream < ?)",
            (order_id, f"{order_id}/", f"{order_id}0"),
        )
        return row is not None
