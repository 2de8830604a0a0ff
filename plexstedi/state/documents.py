"""Outbound documents: frozen before the first attempt; only their state changes, along the legal moves."""

from __future__ import annotations

import json
from datetime import datetime

from plexstedi.edi.order_number import search_key
from plexstedi.edi.sent import SentOrder
from plexstedi.state.document import Document, NewDocument, unpacked
from plexstedi.state.document_search import DocumentSearch
from plexstedi.state.document_states import BusinessStatus, DocumentState, FunctionalStatus
from plexstedi.state.file.codec import pack, pack_model, unpack_model
from plexstedi.state.file.first_revision import first_revision
from plexstedi.state.file.short import id_of, maybe_short_time, maybe_time_of, short_id, short_time, time_of

NOT_HEARD = "not heard"
NOT_PROCESSED = "not processed"
IN_FLIGHT = "still in flight"
REFUSED = "refused"
"""Prefixes of an attempt's outcome: whether Stedi may have processed it."""


class Documents(DocumentSearch):
    """The tables `documents` and `attempts`."""

    def freeze(self, new: NewDocument, now: datetime) -> Document:
        """Store a document before its first attempt. Unique indexes reject a second one for the same slot."""
        document_id = self._database.insert(
            "INSERT INTO documents (stream, order_id, order_number, search_key, order_release, supplier, partnership,"
            " transaction_setting, kind, purpose, revision, change_sequence, counter, idempotency_key, file_name,"
            " route, body, x12, sent, dropped, state, delivery, functional_ack, business_ack, frozen_at, replay_of)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'frozen', 'none', 'none', 'none',"
            " ?, ?)",
            (
                short_id(new.stream),
                short_id(new.order_id),
                new.order_number,
                search_key(new.order_number),
                new.order_release,
                new.supplier,
                new.partnership,
                new.transaction_setting,
                new.kind,
                new.purpose,
                new.revision,
                new.change_sequence,
                new.counter,
                new.idempotency_key,
                new.file_name,
                new.route,
                pack(new.body),
                pack(new.x12),
                pack_model(new.sent, first_revision(self._database, new.order_id)),
                pack(json.dumps(new.dropped)) if new.dropped else b"",
                short_time(now),
                new.replay_of,
            ),
        )
        if new.partnership not in self._partnerships.get(None, frozenset()):
            self._partnerships.clear()
        return self.get(document_id)

    def import_sent(
        self,
        new: NewDocument,
        *,
        sent_at: datetime,
        execution_id: str,
        delivered: bool,
        failed: str | None,
        blocks: bool,
    ) -> Document:
        """Add a document that Stedi has and this ledger lacks; `blocks`: its stream needs review first."""
        document = self.freeze(new, sent_at)
        self.begin_attempt(document, sent_at)
        self.accept(
            document.id,
            sent_at,
            file_execution_id=execution_id,
            interchange_control=None,
            group_control=None,
            x12=None,
        )
        if delivered:
            self.deliver(document.id, sent_at)
        elif failed is not None:
            self.fail(document.id, failed)
        if blocks:
            self._database.execute("UPDATE documents SET blocks = 1 WHERE id = ?", (document.id,))
        return self.get(document.id)

    def get(self, document_id: int) -> Document:
        """The document of this id. Raise KeyError if there is none."""
        found = self._query("WHERE id = ?", document_id)
        if not found:
            raise KeyError(f"there is no document {document_id}")
        return found[0]

    def body(self, document_id: int) -> bytes:
        """The exact bytes of the request; empty after they were deleted (`state.keep_days`)."""
        return unpacked(self._payload(document_id, "body"))

    def x12(self, document_id: int) -> str:
        """The document as X12 text, as rendered at freezing or as Stedi generated it; empty after deletion."""
        return unpacked(self._payload(document_id, "x12")).decode()

    def sent(self, document_id: int) -> SentOrder:
        """The values sent by this document."""
        row = self._database.row("SELECT order_id, sent FROM documents WHERE id = ?", (document_id,))
        if row is None:
            raise KeyError(f"there is no document {document_id}")
        return unpack_model(SentOrder, row["sent"], first_revision(self._database, id_of(row["order_id"])))

    def counter(self, stream: str, kind: str, change_sequence: int, *, number: str, release: str | None) -> int:
        """The next free `rN` of a slot; it grows only after a conclusive refusal or by a replay.

        An order number that Plex assigned again shares the slots of the earlier order, so that no key is used twice.
        """
        return self._database.number(
            "SELECT coalesce(max(counter), 0) + 1 FROM documents WHERE kind = ? AND change_sequence = ?"
            " AND (stream = ? OR (search_key = ? AND order_number = ? AND order_release IS ?))",
            (kind, change_sequence, short_id(stream), search_key(number), number, release),
        )

    def begin_attempt(self, document: Document, at: datetime) -> int:
        """Record an attempt before its call; return its number."""
        number = self._database.number("SELECT count(*) FROM attempts WHERE document_id = ?", (document.id,)) + 1
        self._database.execute(
            "INSERT INTO attempts (document_id, number, begun_at) VALUES (?, ?, ?)",
            (document.id, number, short_time(at)),
        )
        self._database.execute(
            "UPDATE documents SET state = 'sending', first_attempt_at = coalesce(first_attempt_at, ?),"
            " next_attempt_at = NULL, retry = 0 WHERE id = ?",
            (short_time(at), document.id),
        )
        return number

    def end_attempt(self, document_id: int, number: int, at: datetime, outcome: str) -> None:
        """Record the outcome of an attempt."""
        self._database.execute(
            "UPDATE attempts SET ended_at = ?, outcome = ? WHERE document_id = ? AND number = ?",
            (short_time(at), outcome, document_id, number),
        )

    def open_attempts(self, document_id: int) -> int:
        """Number of attempts that Stedi may or may not have processed."""
        return self._database.number(
            "SELECT count(*) FROM attempts WHERE document_id = ?"
            " AND (outcome IS NULL OR outcome LIKE ? OR outcome LIKE ?)",
            (document_id, f"{NOT_HEARD}%", f"{IN_FLIGHT}%"),
        )

    def disprove_attempts(self, document_id: int) -> None:
        """Stedi processed none of the attempts so far: the key's lifetime restarts with the next one."""
        self._database.execute(
            "UPDATE attempts SET outcome = ? || coalesce(outcome, 'no answer') WHERE document_id = ?"
            " AND (outcome IS NULL OR outcome LIKE ? OR outcome LIKE ?)",
            (f"{NOT_PROCESSED}, not among Stedi's files: ", document_id, f"{NOT_HEARD}%", f"{IN_FLIGHT}%"),
        )
        self.forget_first_attempt(document_id)

    def forget_first_attempt(self, document_id: int) -> None:
        """Reset the start of the key's lifetime if Stedi cannot have processed any attempt."""
        if self.open_attempts(document_id) == 0:
            self._database.execute("UPDATE documents SET first_attempt_at = NULL WHERE id = ?", (document_id,))

    def attempts(self, document_id: int) -> list[tuple[int, datetime, datetime | None, str | None]]:
        """Number, start, end and outcome of every attempt."""
        rows = self._database.rows("SELECT * FROM attempts WHERE document_id = ? ORDER BY number", (document_id,))
        return [(r["number"], time_of(r["begun_at"]), maybe_time_of(r["ended_at"]), r["outcome"]) for r in rows]

    def accept(
        self,
        document_id: int,
        at: datetime,
        *,
        file_execution_id: str,
        interchange_control: int | None,
        group_control: int | None,
        x12: str | None,
    ) -> None:
        """Stedi accepted it: generated and queued, not delivered."""
        self._database.execute(
            "UPDATE documents SET state = 'accepted', delivery = 'pending', accepted_at = coalesce(accepted_at, ?),"
            " file_execution_id = ?, interchange_control = coalesce(?, interchange_control),"
            " group_control = coalesce(?, group_control), set_control = coalesce(set_control, 1), error = NULL,"
            " folded = (change_sequence = 0) WHERE id = ?",
            (short_time(at), short_id(file_execution_id), interchange_control, group_control, document_id),
        )
        if x12 is not None:
            self._database.execute("UPDATE documents SET x12 = ? WHERE id = ?", (pack(x12), document_id))

    def set_controls(self, document_id: int, interchange: int | None, group: int | None, set_: int | None) -> None:
        """Store ISA13, GS06 and ST02 as read from the execution's transactions."""
        self._database.execute(
            "UPDATE documents SET interchange_control = coalesce(?, interchange_control),"
            " group_control = coalesce(?, group_control), set_control = coalesce(?, set_control) WHERE id = ?",
            (interchange, group, set_, document_id),
        )

    def deliver(self, document_id: int, at: datetime) -> None:
        """Stedi delivered it."""
        self._database.execute(
            "UPDATE documents SET state = 'delivered', delivery = 'delivered', delivered_at = ?, error = NULL"
            " WHERE id = ?",
            (short_time(at), document_id),
        )

    def fail(self, document_id: int, error: str) -> None:
        """Stedi could not deliver it."""
        self._database.execute(
            "UPDATE documents SET state = 'failed', delivery = 'failed', error = ? WHERE id = ?", (error, document_id)
        )

    def await_delivery(self, document_id: int, file_execution_id: str) -> None:
        """A failed delivery was retried at Stedi as another execution: its delivery is awaited again."""
        self._database.execute(
            "UPDATE documents SET state = 'accepted', delivery = 'pending', file_execution_id = short_id(?),"
            " error = NULL WHERE id = ?",
            (file_execution_id, document_id),
        )

    def follow(self, document_id: int, file_execution_id: str) -> None:
        """Track another execution, which replaced this one before it failed."""
        self._database.execute(
            "UPDATE documents SET file_execution_id = short_id(?) WHERE id = ?", (file_execution_id, document_id)
        )

    def move(self, document_id: int, state: DocumentState, error: str | None) -> None:
        """Move to refused, conflict, in_doubt or withdrawn, with the reason."""
        # Acknowledgments of an abandoned document refer to another one now: they are folded again.
        self._database.execute(
            "UPDATE documents SET state = ?, error = ?, folded = folded AND ? <> 'withdrawn' WHERE id = ?",
            (state, error, state, document_id),
        )

    def set_next_attempt(self, document_id: int, at: datetime | None, error: str | None) -> None:
        """Set when a document without a response is sent again, and why there was none."""
        self._database.execute(
            "UPDATE documents SET next_attempt_at = ?, error = ? WHERE id = ?",
            (maybe_short_time(at), error, document_id),
        )

    def unfolded(self) -> list[str]:
        """Orders whose acknowledgments must be folded again: a change was sent, or a document was abandoned."""
        return [
            id_of(row["order_id"])
            for row in self._database.rows("SELECT DISTINCT order_id FROM documents WHERE folded = 0 AND kind <> '810'")
        ]

    def set_folded(self, order_id: str) -> None:
        """Record that the acknowledgments of this order were folded."""
        self._database.execute(
            "UPDATE documents SET folded = 1 WHERE order_id = short_id(?) AND folded = 0", (order_id,)
        )

    def set_functional(self, document_id: int, status: FunctionalStatus, *, blocks: bool) -> None:
        """Store the result of a 997; a rejection blocks the stream until it is reviewed."""
        self._database.execute(
            "UPDATE documents SET functional_ack = ?, blocks = ? WHERE id = ?", (status, int(blocks), document_id)
        )

    def unblock(self, document_id: int) -> None:
        """Unblock the stream: the rejecting 997 was reviewed."""
        self._database.execute("UPDATE documents SET blocks = 0 WHERE id = ?", (document_id,))

    def allow_retry(self, document_id: int) -> None:
        """A refused document may be sent again: a user requests it, or it was not due in between. Likewise one whose
        search at Stedi was inconclusive."""
        self._database.execute("UPDATE documents SET retry = 1 WHERE id = ?", (document_id,))

    def set_business(self, document_id: int, status: BusinessStatus) -> None:
        """Store the status that results from the supplier's acknowledgments."""
        self._database.execute("UPDATE documents SET business_ack = ? WHERE id = ?", (status, document_id))

    def any(self) -> bool:
        """Whether the ledger has any document."""
        return self._database.row("SELECT 1 FROM documents LIMIT 1") is not None

    def _payload(self, document_id: int, column: str) -> bytes:
        row = self._database.row(f"SELECT {column} FROM documents WHERE id = ?", (document_id,))
        if row is None:
            raise KeyError(f"there is no document {document_id}")
        return bytes(row[column])
