"""Customer invoices as read from Plex: their revisions, and up to which of them no document is due."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from plexstedi.edi.invoice import Invoice, invoice_fingerprint
from plexstedi.edi.order_number import search_key
from plexstedi.state.file.database import Database, Row
from plexstedi.state.file.short import id_of, short_id, short_time, time_of
from plexstedi.state.revisions import Revisions


class InvoiceRecord(Struct, frozen=True):
    """One row of `invoices`."""

    id: str
    number: str
    customer: str
    known: bool
    """Created before this program sent invoices: its customer is assumed to have it; not sent automatically."""
    latest: int
    read_at: datetime
    up_to_date: int
    """The revision up to which no document is due to the customer."""
    untraded: bool
    """Its customer has no settings: not traded by EDI."""

    @property
    def stream(self) -> str:
        """Its stream, which also identifies it in the ledger and the audit trail; never equal to an order's."""
        return invoice_stream(self.id)


_STREAM = "invoice/"


def invoice_stream(invoice_id: str) -> str:
    """The stream of an invoice by its Plex id."""
    return _STREAM + invoice_id


def invoice_of_stream(stream: str | None) -> str | None:
    """The Plex id of the invoice of a stream; None if it is an order's."""
    return stream.removeprefix(_STREAM) if stream is not None and stream.startswith(_STREAM) else None


class Invoices:
    """The tables `invoices` and `invoice_revisions`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._revisions = Revisions(
            database, "invoice", "invoice_revisions", "invoice_id", Invoice, invoice_fingerprint
        )

    def get(self, invoice_id: str) -> InvoiceRecord | None:
        """The invoice of this Plex id; None if it is not known."""
        row = self._database.row("SELECT * FROM invoices WHERE id = short_id(?)", (invoice_id,))
        return None if row is None else _record(row)

    def by_number(self, number: str) -> list[InvoiceRecord]:
        """Invoices of this exact number."""
        rows = self._database.rows(
            "SELECT * FROM invoices WHERE search_key = ? AND number = ? ORDER BY id", (search_key(number), number)
        )
        return [_record(row) for row in rows]

    def revision(self, invoice_id: str, revision: int) -> Invoice:
        """The invoice at this revision. Raise KeyError if there is none."""
        return self._revisions.get(invoice_id, revision)

    def revision_seen(self, invoice_id: str, revision: int) -> tuple[datetime, datetime | None]:
        """When this revision was first read, and Plex's modification time of it. Raise KeyError if there is none."""
        return self._revisions.seen(invoice_id, revision)

    def record(self, invoice: Invoice, *, now: datetime, known: bool, untraded: bool) -> int | None:
        """Store an invoice as read now; return the number of its new revision, None if it is unchanged.

        `known` and `untraded` apply when the invoice is read for the first time.
        """
        before = self.get(invoice.id)
        if before is None:
            self._database.execute(
                "INSERT INTO invoices (id, number, search_key, customer, known, latest, first_seen, read_at, untraded)"
                " VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?)",
                (
                    short_id(invoice.id),
                    invoice.number,
                    search_key(invoice.number),
                    invoice.customer_code,
                    int(known),
                    short_time(now),
                    short_time(now),
                    int(untraded),
                ),
            )
            return self._revisions.append(invoice.id, 0, invoice, invoice.modified_at, now)
        revision = self._revisions.append(invoice.id, before.latest, invoice, invoice.modified_at, now)
        self._database.execute(
            "UPDATE invoices SET number = ?, search_key = ?, customer = ?, latest = ?, read_at = ?"
            " WHERE id = short_id(?)",
            (
                *(invoice.number, search_key(invoice.number), invoice.customer_code),
                *(revision, short_time(now), invoice.id),
            ),
        )
        return None if revision == before.latest else revision

    def not_up_to_date(self, number: str | None = None) -> list[InvoiceRecord]:
        """Traded invoices for which a document may be due: all, or those of this number; oldest first."""
        if number is None:
            rows = self._database.rows(
                "SELECT * FROM invoices WHERE untraded = 0 AND settled < latest ORDER BY first_seen, number, id"
            )
        else:
            rows = self._database.rows(
                "SELECT * FROM invoices WHERE untraded = 0 AND settled < latest AND search_key = ? AND number = ?"
                " ORDER BY first_seen, number, id",
                (search_key(number), number),
            )
        return [_record(row) for row in rows]

    def set_up_to_date(self, invoice_id: str, revision: int) -> None:
        """Record that no document is due up to this revision; 0: decide again."""
        self._database.execute("UPDATE invoices SET settled = ? WHERE id = short_id(?)", (revision, invoice_id))

    def untraded_customers(self) -> list[tuple[str, int]]:
        """Customers without settings, each with its number of invoices."""
        rows = self._database.rows(
            "SELECT customer, n AS invoices FROM invoice_counts WHERE untraded = 1 AND n > 0 ORDER BY customer"
        )
        return [(row["customer"], row["invoices"]) for row in rows]

    def take_as_known(self, customer: str) -> list[InvoiceRecord]:
        """Trade the invoices of a customer that now has settings, as known to the customer; return these invoices."""
        rows = self._database.rows("SELECT * FROM invoices WHERE customer = ? AND untraded = 1", (customer,))
        self._database.execute(
            "UPDATE invoices SET untraded = 0, known = 1 WHERE customer = ? AND untraded = 1", (customer,)
        )
        return [_record(row) for row in rows]

    def set_traded(self, invoice_id: str) -> None:
        """Record that the invoice's customer has settings."""
        self._database.execute("UPDATE invoices SET untraded = 0 WHERE id = short_id(?)", (invoice_id,))

    def allow(self, invoice_id: str) -> None:
        """A user allows a known invoice to be sent."""
        self._database.execute("UPDATE invoices SET known = 0, settled = 0 WHERE id = short_id(?)", (invoice_id,))

    def numbers(self) -> list[str]:
        """Every invoice number once."""
        return [row["number"] for row in self._database.rows("SELECT DISTINCT number FROM invoices ORDER BY number")]

    def of_customer(self, customer: str) -> list[InvoiceRecord]:
        """The invoices of one customer, by number."""
        rows = self._database.rows("SELECT * FROM invoices WHERE customer = ? ORDER BY number, id", (customer,))
        return [_record(row) for row in rows]


def _record(row: Row) -> InvoiceRecord:
    return InvoiceRecord(
        id=id_of(row["id"]),
        number=row["number"],
        customer=row["customer"],
        known=bool(row["known"]),
        latest=row["latest"],
        read_at=time_of(row["read_at"]),
        up_to_date=row["settled"],
        untraded=bool(row["untraded"]),
    )
