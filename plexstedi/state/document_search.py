"""Queries that find documents by other values than their id."""

from __future__ import annotations

from plexstedi.edi.order_number import search_key
from plexstedi.state.document import DOCUMENT, Document
from plexstedi.state.document_states import DocumentState
from plexstedi.state.file.codec import listed
from plexstedi.state.file.database import Database
from plexstedi.state.file.short import id_of, short_id
from plexstedi.state.file.transactions import Kept

_ABANDONED = listed(state for state in DocumentState if state.is_abandoned)
_UNDER_WAY = listed(state for state in DocumentState if state.is_under_way)
_UNCONFIRMED = listed((DocumentState.SENDING, DocumentState.IN_DOUBT, DocumentState.REFUSED))
_MAY_HAVE_REACHED_SUPPLIER = listed(state for state in DocumentState if state.may_have_reached_supplier)
_AT_STEDI = listed((DocumentState.ACCEPTED, DocumentState.DELIVERED))
_NOT_FINAL = listed(state for state in DocumentState if not state.is_final)


class DocumentSearch:
    """Read-only queries of the table `documents`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._partnerships: Kept[None, frozenset[str]] = database.kept.up_to(1)

    def of_order(self, order_id: str) -> list[Document]:
        """The documents of an order, oldest first."""
        return self._query("WHERE order_id = ? ORDER BY id", short_id(order_id))

    def last_of_order(self, order_id: str) -> Document | None:
        """The last document of an order; None if there is none."""
        found = self._query("WHERE order_id = ? ORDER BY id DESC LIMIT 1", short_id(order_id))
        return found[0] if found else None

    def orders_sent_as(self, number: str) -> list[str]:
        """Orders with documents frozen under this number, whatever their number in Plex is now."""
        rows = self._database.rows(
            "SELECT DISTINCT order_id FROM documents WHERE search_key = ? AND order_number = ? AND kind <> '810'"
            " ORDER BY order_id",
            (search_key(number), number),
        )
        return [id_of(row["order_id"]) for row in rows]

    def of_stream(self, stream: str) -> list[Document]:
        """The documents of a stream, oldest first."""
        return self._query("WHERE stream = ? ORDER BY id", short_id(stream))

    def last_sent_document(self, stream: str) -> Document | None:
        """The last document of a stream that the supplier has or may still receive: not refused or withdrawn."""
        found = self._query(
            f"WHERE stream = ? AND state NOT IN {_ABANDONED} ORDER BY id DESC LIMIT 1", short_id(stream)
        )
        return found[0] if found else None

    def in_state(self, *states: DocumentState) -> list[Document]:
        """Documents in these states, oldest first."""
        marks = ", ".join("?" * len(states))
        return self._query(f"WHERE state IN ({marks}) ORDER BY id", *states)

    def that_may_be_acknowledged(self, number: str) -> list[Document]:
        """Documents that may have reached their supplier, of orders sent under a number of this search key.

        Oldest first. An invoice is none: its number may be that of an order. Includes documents without a response: an
        acknowledgment proves that they arrived.
        """
        return self._query(
            "INDEXED BY documents_of_order WHERE order_id IN (SELECT order_id FROM documents WHERE search_key = ?)"
            f" AND kind <> '810' AND state IN {_MAY_HAVE_REACHED_SUPPLIER} ORDER BY id",
            search_key(number),
        )

    def last_that_stedi_has(self, excluding: int, partnership: str) -> Document | None:
        """The last document that Stedi certainly has, except one; of this partnership if there is one.

        None if there is none.
        """
        found = [
            document
            for invoices in (0, 1)
            for document in self._query(
                f"WHERE partnership = ? AND (kind = '810') = ? AND state IN {_AT_STEDI} AND accepted_at IS NOT NULL"
                " AND id <> ? ORDER BY id DESC LIMIT 1",
                *(partnership, invoices, excluding),
            )
        ] or [
            document
            for state in (DocumentState.ACCEPTED, DocumentState.DELIVERED)
            for document in self._query(
                "WHERE state = ? AND accepted_at IS NOT NULL AND id <> ? ORDER BY id DESC LIMIT 1", state, excluding
            )
        ]
        return max(found, key=lambda document: document.id, default=None)

    def unconfirmed(self) -> list[Document]:
        """Documents that Stedi may have unconfirmed: no response, in doubt, or refused as the last of their stream."""
        return self._query(
            f"WHERE state IN {_UNCONFIRMED} AND (state <> 'refused'"
            " OR id = (SELECT max(id) FROM documents AS later WHERE later.stream = documents.stream)) ORDER BY id"
        )

    def with_open_deadlines(self, *, supplier: str | None = None) -> list[Document]:
        """Documents with an open deadline: of delivery, of the 997, or of the acknowledgment of all lines.

        Acknowledgments, and the 997 of an 850 or a change, are awaited only while the order is open in Plex. An 810 is
        acknowledged by a 997 only.
        """
        clause = (
            f"WHERE id IN (SELECT id FROM documents WHERE state IN {_UNDER_WAY} UNION ALL"
            " SELECT id FROM documents INDEXED BY documents_without_997"
            " WHERE state = 'delivered' AND functional_ack = 'none'"
            " AND (kind = '810' OR (kind = '860' AND purpose = '01')) UNION ALL"
            " SELECT sent.id FROM orders INDEXED BY orders_open"
            " CROSS JOIN documents AS sent INDEXED BY documents_of_order"
            " WHERE orders.phase IN ('released', 'unreleased') AND sent.order_id = orders.id"
            " AND sent.state = 'delivered' AND (sent.functional_ack = 'none' OR (sent.kind <> '810'"
            " AND sent.business_ack IN ('none', 'partial', 'changed', 'backordered', 'rejected', 'held'))))"
        )
        if supplier is None:
            return self._query(f"{clause} ORDER BY id")
        return self._query(f"{clause} AND supplier = ? ORDER BY id", supplier)

    def not_acknowledged(self, *, supplier: str | None = None) -> list[Document]:
        """Last sent documents of their streams that have lines not acknowledged."""
        clause = (
            "WHERE business_ack IN ('none', 'partial') AND kind <> '810' AND state NOT IN ('refused', 'withdrawn')"
            " AND id = (SELECT max(id) FROM documents AS later WHERE later.stream = documents.stream"
            " AND later.state NOT IN ('refused', 'withdrawn'))"
        )
        if supplier is None:
            return self._query(f"{clause} ORDER BY id")
        return self._query(f"{clause} AND supplier = ? ORDER BY id", supplier)

    def all(self) -> list[Document]:
        """Every document, oldest first."""
        return self._query("ORDER BY id")

    def orders_not_final(self) -> list[str]:
        """Orders, or streams of invoices, with a document that is not final."""
        rows = self._database.rows(f"SELECT DISTINCT order_id FROM documents WHERE state IN {_NOT_FINAL}")
        return [id_of(row["order_id"]) for row in rows]

    def by_execution(self, execution_id: str) -> Document | None:
        """The document sent by this file execution; None if there is none."""
        found = self._query("WHERE file_execution_id = ? LIMIT 1", short_id(execution_id))
        return found[0] if found else None

    def by_file_name(self, file_name: str) -> Document | None:
        """The document of this exact file name; None if there is none."""
        found = self._query("WHERE file_name = ? LIMIT 1", file_name)
        return found[0] if found else None

    def by_key(self, key: str) -> Document | None:
        """The document of this idempotency key; None if there is none."""
        found = self._query("WHERE idempotency_key = ? LIMIT 1", key)
        return found[0] if found else None

    def partnerships(self) -> frozenset[str]:
        """Every partnership that a document of an order was sent over, whether it is still configured or not."""
        # Each acknowledgment asks for them, and a supplier has a row for each state of its documents.
        if (kept := self._partnerships.get(None)) is not None:
            return kept
        rows = self._database.rows(
            "SELECT DISTINCT partnership FROM document_counts WHERE kind <> '810' AND partnership <> '' AND n > 0"
        )
        found = self._partnerships[None] = frozenset([row["partnership"] for row in rows])
        return found

    def partner_over(self, partnership: str, *, invoices: bool) -> str | None:
        """The supplier (or customer) of the last document sent over this partnership; None if there is none."""
        found = self._query(
            "WHERE partnership = ? AND (kind = '810') = ? ORDER BY id DESC LIMIT 1", partnership, int(invoices)
        )
        return found[0].supplier if found and partnership else None

    def by_group_control(self, partnership: str, group_control: int) -> list[Document]:
        """Documents sent to a partnership under this GS06, newest first (a counter may wrap)."""
        return self._query("WHERE partnership = ? AND group_control = ? ORDER BY id DESC", partnership, group_control)

    def by_interchange_control(self, partnership: str, interchange_control: int) -> Document | None:
        """The newest document sent to a partnership under this ISA13 (a counter may wrap)."""
        found = self._query(
            "WHERE partnership = ? AND interchange_control = ? ORDER BY id DESC LIMIT 1",
            partnership,
            interchange_control,
        )
        return found[0] if found else None

    def _query(self, clause: str, *parameters: object) -> list[Document]:
        return [
            DOCUMENT.record_of(row)
            for row in self._database.rows(f"SELECT {DOCUMENT.listed} FROM documents {clause}", parameters)
        ]
