"""What waits for a person: opened once, closed by a person or by the reason going away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from plexstedi.advice import filled
from plexstedi.edi.reasons import Reason
from plexstedi.state.file.codec import instant, maybe_moment, moment, reasons_of, reasons_text
from plexstedi.state.file.database import Database, Row
from plexstedi.state.subject import Subject


class ReviewKind(StrEnum):
    """What kind of decision is asked for."""

    ORDER_HELD = "order-held"
    """An order or a change of it cannot be sent faithfully. Subject: the stream."""
    ORDER_UNREADABLE = "order-unreadable"
    """Plex's record of an order cannot be understood. Subject: the order's Plex id."""
    KNOWN_ORDER_CHANGED = "known-order-changed"
    """An order from before polling began changed (documents.known_orders). Subject: the stream."""
    INVOICE_HELD = "invoice-held"
    """An invoice cannot be sent faithfully, or is another than was sent. Subject: the stream."""
    INVOICE_UNREADABLE = "invoice-unreadable"
    """Plex's record of an invoice cannot be understood. Subject: the stream."""
    DOCUMENT_REFUSED = "document-refused"
    """Stedi refused a document for its content. Subject: the document."""
    DOCUMENT_CONFLICT = "document-conflict"
    """The slot was used with another content (422). Subject: the document."""
    DOCUMENT_IN_DOUBT = "document-in-doubt"
    """Whether Stedi has it cannot be told. Subject: the document."""
    DELIVERY_FAILED = "delivery-failed"
    """Stedi could not deliver it. Subject: the document."""
    SYNTAX_REJECTED = "syntax-rejected"
    """The supplier's 997 rejects it. Subject: the document."""
    SYNTAX_ERRORS = "syntax-errors"
    """The supplier's 997 accepts it with errors. Subject: the document."""
    ACKNOWLEDGMENT_HELD = "acknowledgment-held"
    """An answer as a whole. Subject: the transaction."""
    ACKNOWLEDGMENT_NOT_APPLIED = "acknowledgment-not-applied"
    """An answer that does not count says less, later, dearer or no than what counts. Subject: the transaction."""
    LINE_HELD = "line-held"
    """One line of an answer. Subject: transaction and line."""
    LINE_REJECTED = "line-rejected"
    """A supplier rejects a line. Subject: transaction and line."""
    LINE_BACKORDERED = "line-backordered"
    """Applied; a person should look. Subject: transaction and line."""
    LINE_ATTENTION = "line-attention"
    """Applied, with a difference that a person should see. Subject: transaction and line."""
    ORDER_UNKNOWN = "order-unknown"
    """An answer to an order we do not know, for longer than unknown_order_days. Subject: the transaction."""
    WRITE_FAILED = "write-failed"
    """Plex refuses a write. Subject: the write."""
    WRITE_CONFLICT = "write-conflict"
    """Plex holds the reference of an answer that this state does not know. Subject: the write and the reference."""
    WRITE_WITHHELD = "write-withheld"
    """A value cannot be expressed faithfully in Plex. Subject: the order."""
    DOCUMENT_MISSING = "document-missing"
    """Stedi lists an answer and does not hand out its document. Subject: the transaction."""
    FEED_ENTRY_UNREADABLE = "feed-entry-unreadable"
    """An entry of a feed of Stedi lacks what it is told by: an answer may be behind it. Subject: the entry."""
    INBOUND_FILE_FAILED = "inbound-file-failed"
    """Stedi could not process a supplier's file. Subject: the execution."""
    RECOVERED_DIFFERS = "recovered-differs"
    """After `recover`: what was sent last is not what Plex holds. Subject: the stream."""
    OVERDUE = "overdue"
    """A clock ran past its limit. Subject: the document and the clock."""
    UNFORESEEN = "unforeseen"
    """A record raised an error that nobody foresaw (DESIGN.md section 4). Subject: the record."""
    RECORD_UNREADABLE = "record-unreadable"
    """A row of Plex cannot be read and belongs to nothing that could be held instead. Subject: the row."""
    UNANSWERED = "unanswered"
    """For a day a service has not answered for one record, while it answers for others. Subject: the record."""
    NOTICE = "notice"
    """Something to look at that holds nothing (RULES.md Reading 4, 17). Subject: what it is about."""


@dataclass(frozen=True, slots=True)
class Review:
    """One row of `reviews`."""

    id: int
    kind: ReviewKind
    subject: Subject
    supplier: str | None
    order_id: str | None
    order_number: str | None
    line: int | None
    reasons: tuple[Reason, ...]
    state: str
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    closing_reason: str | None


class Reviews:
    """The table `reviews`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(
        self,
        kind: ReviewKind,
        subject: Subject,
        reasons: Sequence[Reason],
        now: datetime,
        *,
        supplier: str | None = None,
        order_id: str | None = None,
        order_number: str | None = None,
        line: int | None = None,
    ) -> bool:
        """Ask a person; whether this is new (asked already with the same reasons: False).

        The same question with other reasons replaces the old one and counts as new.
        """
        text = reasons_text(reasons)
        standing = self._database.row(
            "SELECT id, reasons FROM reviews WHERE kind = ? AND subject = ? AND state = 'open'", (kind, subject.text)
        )
        if standing is not None:
            if standing["reasons"] == text:
                return False
            self._close(standing["id"], "withdrawn", now, "plexstedi", "the reasons changed")
        self._database.execute(
            "INSERT INTO reviews (kind, subject, document_id, transaction_id, supplier, order_id, order_number, line,"
            " reasons, state, opened_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?)",
            (
                *(kind, subject.text, subject.document, subject.transaction),
                *(supplier, order_id, order_number, line, text, instant(now)),
            ),
        )
        return True

    def withdraw(self, kind: ReviewKind, subject: Subject, now: datetime, why: str) -> bool:
        """The reason went away by itself; whether there was an open one."""
        standing = self._database.row(
            "SELECT id FROM reviews WHERE kind = ? AND subject = ? AND state = 'open'", (kind, subject.text)
        )
        if standing is None:
            return False
        self._close(standing["id"], "withdrawn", now, "plexstedi", why)
        return True

    def decide(self, review_id: int, *, accept: bool, by: str, why: str, now: datetime) -> None:
        """A person's decision."""
        self._close(review_id, "accepted" if accept else "rejected", now, by, why)

    def decided(self, kind: ReviewKind, subject: Subject) -> bool:
        """Whether a person has decided this question before."""
        return (
            self._database.row(
                "SELECT 1 FROM reviews WHERE kind = ? AND subject = ? AND state IN ('accepted', 'rejected')",
                (kind, subject.text),
            )
            is not None
        )

    def is_open(self, kind: ReviewKind, subject: Subject) -> bool:
        """Whether this is asked already."""
        return (
            self._database.row(
                "SELECT 1 FROM reviews WHERE kind = ? AND subject = ? AND state = 'open'", (kind, subject.text)
            )
            is not None
        )

    def rejected(self, kind: ReviewKind, subject: Subject) -> bool:
        """Whether a person wants to hear no more of this."""
        return (
            self._database.row(
                "SELECT 1 FROM reviews WHERE kind = ? AND subject = ? AND state = 'rejected'", (kind, subject.text)
            )
            is not None
        )

    def get(self, review_id: int) -> Review | None:
        """The review of this id."""
        row = self._database.row("SELECT * FROM reviews WHERE id = ?", (review_id,))
        return None if row is None else _review(row)

    def open_one(self, kind: ReviewKind, subject: Subject) -> Review | None:
        """The open item of this kind about this subject."""
        row = self._database.row(
            "SELECT * FROM reviews WHERE kind = ? AND subject = ? AND state = 'open'", (kind, subject.text)
        )
        return None if row is None else _review(row)

    def open_items(self, *, supplier: str | None = None, order_id: str | None = None) -> list[Review]:
        """All that is open, or that of one supplier or of one order, oldest first."""
        if order_id is not None:
            rows = self._database.rows(
                "SELECT * FROM reviews WHERE order_id = ? AND state = 'open' ORDER BY id", (order_id,)
            )
        elif supplier is not None:
            rows = self._database.rows(
                "SELECT * FROM reviews WHERE supplier = ? AND state = 'open' ORDER BY id", (supplier,)
            )
        else:
            rows = self._database.rows("SELECT * FROM reviews WHERE state = 'open' ORDER BY id")
        return [_review(row) for row in rows]

    def of_order(self, order_id: str) -> list[Review]:
        """Every review of an order, open or closed."""
        rows = self._database.rows("SELECT * FROM reviews WHERE order_id = ? ORDER BY id", (order_id,))
        return [_review(row) for row in rows]

    def attention(self) -> int:
        """How many items wait; changed orders from before polling count as one together (DESIGN.md section 5)."""
        apart = self._database.number(
            "SELECT count(*) FROM reviews WHERE state = 'open' AND kind <> ?", (ReviewKind.KNOWN_ORDER_CHANGED,)
        )
        together = self._database.number(
            "SELECT count(*) FROM reviews WHERE state = 'open' AND kind = ?", (ReviewKind.KNOWN_ORDER_CHANGED,)
        )
        return apart + min(together, 1)

    def _close(self, review_id: int, state: str, now: datetime, by: str, why: str) -> None:
        self._database.execute(
            "UPDATE reviews SET state = ?, closed_at = ?, closed_by = ?, closing_reason = ? WHERE id = ?",
            (state, instant(now), by, why, review_id),
        )


def _review(row: Row) -> Review:
    return Review(
        id=row["id"],
        kind=ReviewKind(row["kind"]),
        subject=Subject(row["subject"], row["document_id"], row["transaction_id"]),
        supplier=row["supplier"],
        order_id=row["order_id"],
        order_number=row["order_number"],
        line=row["line"],
        reasons=tuple(_with_commands(reason, row) for reason in reasons_of(row["reasons"])),
        state=row["state"],
        opened_at=moment(row["opened_at"]),
        closed_at=maybe_moment(row["closed_at"]),
        closed_by=row["closed_by"],
        closing_reason=row["closing_reason"],
    )


def _with_commands(reason: Reason, row: Row) -> Reason:
    """The reason with commands that can be run as they are: it was written before the item had its number."""
    fix = filled(
        reason.fix,
        review=row["id"],
        order=row["order_number"],
        transaction=row["transaction_id"],
    )
    return reason if fix == reason.fix else reason.model_copy(update={"fix": fix})


def is_orphan(review: Review) -> bool:
    """Whether it is about files at Stedi that no order or invoice in Plex belongs to."""
    return review.kind in (ReviewKind.ORDER_HELD, ReviewKind.INVOICE_HELD) and review.order_id is None
