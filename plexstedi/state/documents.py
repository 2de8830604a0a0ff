"""Outbound documents: frozen before the first attempt, moved only along the legal states, never changed."""

from __future__ import annotations

import json
from datetime import datetime

from plexstedi.edi.order_number import search_key
from plexstedi.edi.sent import SentOrder
from plexstedi.state.document import Document, NewDocument, document_of_row, unpacked
from plexstedi.state.document_search import DocumentSearch
from plexstedi.state.document_states import BusinessStatus, DocumentState, FunctionalStatus
from plexstedi.state.file.codec import (
    instant,
    maybe_instant,
    maybe_moment,
    moment,
    pack,
    pack_model,
    unpack_model,
)

NOT_HEARD = "not heard"
NOT_PROCESSED = "not processed"
IN_FLIGHT = "still in flight"
REFUSED = "refused"
"""How the outcome of an attempt begins, by what it tells of the document's being at Stedi."""


class Documents(DocumentSearch):
    """The tables `documents` and `attempts`."""

    def freeze(self, new: NewDocument, now: datetime) -> Document:
        """Store a document before its first attempt. The unique indexes refuse a second one for the same slot."""
        document_id = self._database.insert(
            "INSERT INTO documents (stream, order_id, order_number, search_key, order_release, supplier, partnership,"
            " transaction_setting, kind, purpose, revision, change_sequence, counter, idempotency_key, file_name,"
            " route, body, x12, sent, dropped, state, delivery, functional_ack, business_ack, frozen_at, replay_of)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'frozen', 'none', 'none', 'none',"
            " ?, ?)",
            (
                new.stream,
                new.order_id,
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
                pack_model(new.sent),
                json.dumps(new.dropped),
                instant(now),
                new.replay_of,
            ),
        )
        return self.get(document_id)

    def take_over(
        self,
        new: NewDocument,
        *,
        sent_at: datetime,
        execution_id: str,
        delivered: bool,
        failed: str | None,
        blocks: bool,
    ) -> Document:
        """Add a document that Stedi has and this ledger lost; `blocks`: its stream waits for a person."""
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
        row = self._database.row("SELECT * FROM documents WHERE id = ?", (document_id,))
        if row is None:
            raise KeyError(f"there is no document {document_id}")
        return document_of_row(row)

    def body(self, document_id: int) -> bytes:
        """The exact bytes of the request; empty once they were dropped (`state.keep_days`)."""
        return unpacked(self._payload(document_id, "body"))

    def x12(self, document_id: int) -> str:
        """The document as X12 text, rendered when it was frozen or as Stedi generated it; empty once dropped."""
        return unpacked(self._payload(document_id, "x12")).decode()

    def sent(self, document_id: int) -> SentOrder:
        """What the supplier was told by this document."""
        return unpack_model(SentOrder, self._payload(document_id, "sent"))

    def counter(self, stream: str, kind: str, change_sequence: int, *, number: str, release: str | None) -> int:
        """The next free `rN` of a slot: grows after a conclusive refusal or by replay only.

        A number that was given out again has the slots of its earlier order, too: no key ever comes twice.
        """
        return self._database.number(
            "SELECT coalesce(max(counter), 0) + 1 FROM documents WHERE kind = ? AND change_sequence = ?"
            " AND (stream = ? OR (search_key = ? AND order_number = ? AND order_release IS ?))",
            (kind, change_sequence, stream, search_key(number), number, release),
        )

    def begin_attempt(self, document: Document, at: datetime) -> int:
        """Note, before the call, that an attempt begins; its number."""
        number = self._database.number("SELECT count(*) FROM attempts WHERE document_id = ?", (document.id,)) + 1
        self._database.execute(
            "INSERT INTO attempts (document_id, number, begun_at) VALUES (?, ?, ?)",
            (document.id, number, instant(at)),
        )
        self._database.execute(
            "UPDATE documents SET state = 'sending', first_attempt_at = coalesce(first_attempt_at, ?),"
            " next_attempt_at = NULL, retry = 0 WHERE id = ?",
            (instant(at), document.id),
        )
        return number

    def end_attempt(self, document_id: int, number: int, at: datetime, outcome: str) -> None:
        """Note how an attempt ended."""
        self._database.execute(
            "UPDATE attempts SET ended_at = ?, outcome = ? WHERE document_id = ? AND number = ?",
            (instant(at), outcome, document_id, number),
        )

    def open_attempts(self, document_id: int) -> int:
        """How many attempts have begun of which it is open whether Stedi carried them out."""
        return self._database.number(
            "SELECT count(*) FROM attempts WHERE document_id = ?"
            " AND (outcome IS NULL OR outcome LIKE ? OR outcome LIKE ?)",
            (document_id, f"{NOT_HEARD}%", f"{IN_FLIGHT}%"),
        )

    def disprove_attempts(self, document_id: int) -> None:
        """Stedi has carried out none of the attempts so far: the key's age begins anew with the next."""
        self._database.execute(
            "UPDATE attempts SET outcome = ? || coalesce(outcome, 'no answer') WHERE document_id = ?"
            " AND (outcome IS NULL OR outcome LIKE ? OR outcome LIKE ?)",
            (f"{NOT_PROCESSED}, not among Stedi's files: ", document_id, f"{NOT_HEARD}%", f"{IN_FLIGHT}%"),
        )
        self.forget_first_attempt(document_id)

    def forget_first_attempt(self, document_id: int) -> None:
        """No attempt so far can have been carried out, so none of them has begun the key's age."""
        if self.open_attempts(document_id) == 0:
            self._database.execute("UPDATE documents SET first_attempt_at = NULL WHERE id = ?", (document_id,))

    def attempts(self, document_id: int) -> list[tuple[int, datetime, datetime | None, str | None]]:
        """Number, beginning, end and outcome of every attempt."""
        rows = self._database.rows("SELECT * FROM attempts WHERE document_id = ? ORDER BY number", (document_id,))
        return [(r["number"], moment(r["begun_at"]), maybe_moment(r["ended_at"]), r["outcome"]) for r in rows]

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
        """Stedi has it: generated and queued, not delivered."""
        self._database.execute(
            "UPDATE documents SET state = 'accepted', delivery = 'pending', accepted_at = coalesce(accepted_at, ?),"
            " file_execution_id = ?, interchange_control = coalesce(?, interchange_control),"
            " group_control = coalesce(?, group_control), set_control = coalesce(set_control, 1), error = NULL,"
            " folded = (change_sequence = 0) WHERE id = ?",
            (instant(at), file_execution_id, interchange_control, group_control, document_id),
        )
        if x12 is not None:
            self._database.execute("UPDATE documents SET x12 = ? WHERE id = ?", (pack(x12), document_id))

    def set_controls(self, document_id: int, interchange: int | None, group: int | None, set_: int | None) -> None:
        """Control numbers read from the execution's transactions."""
        self._database.execute(
            "UPDATE documents SET interchange_control = coalesce(?, interchange_control),"
            " group_control = coalesce(?, group_control), set_control = coalesce(?, set_control) WHERE id = ?",
            (interchange, group, set_, document_id),
        )

    def deliver(self, document_id: int, at: datetime) -> None:
        """Stedi has delivered it."""
        self._database.execute(
            "UPDATE documents SET state = 'delivered', delivery = 'delivered', delivered_at = ?, error = NULL"
            " WHERE id = ?",
            (instant(at), document_id),
        )

    def fail(self, document_id: int, error: str) -> None:
        """Stedi could not deliver it."""
        self._database.execute(
            "UPDATE documents SET state = 'failed', delivery = 'failed', error = ? WHERE id = ?", (error, document_id)
        )

    def await_delivery(self, document_id: int, file_execution_id: str) -> None:
        """A failed delivery was taken up again (retried at Stedi) as another execution."""
        self._database.execute(
            "UPDATE documents SET state = 'accepted', delivery = 'pending', file_execution_id = ?, error = NULL"
            " WHERE id = ?",
            (file_execution_id, document_id),
        )

    def follow(self, document_id: int, file_execution_id: str) -> None:
        """Another execution took over before this one failed."""
        self._database.execute(
            "UPDATE documents SET file_execution_id = ? WHERE id = ?", (file_execution_id, document_id)
        )

    def move(self, document_id: int, state: DocumentState, error: str | None) -> None:
        """Move to refused, conflict, in_doubt or withdrawn, with the reason."""
        # What was answered to a document that is given up is looked at again.
        self._database.execute(
            "UPDATE documents SET state = ?, error = ?, folded = folded AND ? <> 'withdrawn' WHERE id = ?",
            (state, error, state, document_id),
        )

    def set_next_attempt(self, document_id: int, at: datetime | None, error: str | None) -> None:
        """When an unheard document is tried again, and why it was not heard."""
        self._database.execute(
            "UPDATE documents SET next_attempt_at = ?, error = ? WHERE id = ?",
            (maybe_instant(at), error, document_id),
        )

    def unfolded(self) -> list[str]:
        """Orders of which a change went out, or a document was given up: what was answered is to be looked at again."""
        return [
            row["order_id"]
            for row in self._database.rows("SELECT DISTINCT order_id FROM documents WHERE folded = 0 AND kind <> '810'")
        ]

    def set_folded(self, order_id: str) -> None:
        """The answers of this order were folded again."""
        self._database.execute("UPDATE documents SET folded = 1 WHERE order_id = ? AND folded = 0", (order_id,))

    def set_functional(self, document_id: int, status: FunctionalStatus, *, blocks: bool) -> None:
        """What a 997 said; a rejecting one blocks the stream until a person decides."""
        self._database.execute(
            "UPDATE documents SET functional_ack = ?, blocks = ? WHERE id = ?", (status, int(blocks), document_id)
        )

    def unblock(self, document_id: int) -> None:
        """A person has settled a rejecting 997."""
        self._database.execute("UPDATE documents SET blocks = 0 WHERE id = ?", (document_id,))

    def allow_retry(self, document_id: int) -> None:
        """A person asks for a refused document again, or for one whose search at Stedi proves nothing."""
        self._database.execute("UPDATE documents SET retry = 1 WHERE id = ?", (document_id,))

    def set_business(self, document_id: int, status: BusinessStatus) -> None:
        """What the supplier's answers amount to."""
        self._database.execute("UPDATE documents SET business_ack = ? WHERE id = ?", (status, document_id))

    def any(self) -> bool:
        """Whether there is any document."""
        return self._database.row("SELECT 1 FROM documents LIMIT 1") is not None

    def _payload(self, document_id: int, column: str) -> bytes:
        row = self._database.row(f"SELECT {column} FROM documents WHERE id = ?", (document_id,))
        if row is None:
            raise KeyError(f"there is no document {document_id}")
        return bytes(row[column])
