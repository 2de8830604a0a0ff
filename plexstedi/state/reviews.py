"""Review items: opened once per kind and subject, closed by a user or when their reason no longer exists."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from plexstedi.advice import filled
from plexstedi.edi.reasons import Reason
from plexstedi.state.file.codec import instant, maybe_moment, moment, reasons_of, reasons_text
from plexstedi.state.file.database import Database, Row
from plexstedi.state.file.transactions import Kept
from plexstedi.state.subject import Subject


class ReviewKind(StrEnum):
    """Kind of a review item."""

    ORDER_HELD = "order-held"
    """An order or a change of it cannot be sent faithfully. Subject: the stream."""
    ORDER_UNREADABLE = "order-unreadable"
    """An order in Plex cannot be interpreted. Subject: the order's Plex id."""
    KNOWN_ORDER_CHANGED = "known-order-changed"
    """An order from before polling began changed (documents.known_orders). Subject: the stream."""
    INVOICE_HELD = "invoice-held"
    """An invoice cannot be sent faithfully, or differs from the one sent. Subject: the stream."""
    INVOICE_UNREADABLE = "invoice-unreadable"
    """An invoice in Plex cannot be interpreted. Subject: the stream."""
    DOCUMENT_REFUSED = "document-refused"
    """Stedi refused a document for its content. Subject: the document."""
    DOCUMENT_CONFLICT = "document-conflict"
    """The slot was used with other content (422). Subject: the document."""
    DOCUMENT_IN_DOUBT = "document-in-doubt"
    """Whether Stedi has it cannot be determined. Subject: the document."""
    DELIVERY_FAILED = "delivery-failed"
    """Stedi could not deliver it. Subject: the document."""
    SYNTAX_REJECTED = "syntax-rejected"
    """The supplier's 997 rejects it. Subject: the document."""
    SYNTAX_ERRORS = "syntax-errors"
    """The supplier's 997 accepts it with errors. Subject: the document."""
    ACKNOWLEDGMENT_HELD = "acknowledgment-held"
    """An acknowledgment as a whole. Subject: the transaction."""
    ACKNOWLEDGMENT_NOT_APPLIED = "acknowledgment-not-applied"
    """A superseded acknowledgment is less favourable than the one that counts. Subject: the transaction."""
    LINE_HELD = "line-held"
    """One line of an acknowledgment. Subject: transaction and line."""
    LINE_REJECTED = "line-rejected"
    """A supplier rejects a line. Subject: transaction and line."""
    LINE_BACKORDERED = "line-backordered"
    """Applied; the line is backordered. Subject: transaction and line."""
    LINE_ATTENTION = "line-attention"
    """Applied, with a difference that should be reviewed. Subject: transaction and line."""
    ORDER_UNKNOWN = "order-unknown"
    """An acknowledgment whose order is unknown for longer than unknown_order_days. Subject: the transaction."""
    WRITE_FAILED = "write-failed"
    """Plex rejects a write. Subject: the write."""
    WRITE_CONFLICT = "write-conflict"
    """Plex has the reference of an acknowledgment unknown to this state. Subject: the write and the reference."""
    WRITE_WITHHELD = "write-withheld"
    """A value cannot be expressed faithfully in Plex. Subject: the order."""
    DOCUMENT_MISSING = "document-missing"
    """Stedi lists an acknowledgment but does not provide its document. Subject: the transaction."""
    FEED_ENTRY_UNREADABLE = "feed-entry-unreadable"
    """An entry of a Stedi feed lacks required values, and may be an acknowledgment. Subject: the entry."""
    INBOUND_FILE_FAILED = "inbound-file-failed"
    """Stedi could not process a supplier's file. Subject: the execution."""
    RECOVERED_DIFFERS = "recovered-differs"
    """After `recover`: the last document sent differs from Plex. Subject: the stream."""
    OVERDUE = "overdue"
    """A deadline passed its limit. Subject: the document and the deadline."""
    UNFORESEEN = "unforeseen"
    """A record raised an unexpected error (DESIGN.md section 4). Subject: the record."""
    RECORD_UNREADABLE = "record-unreadable"
    """A row of Plex cannot be read, and no order or invoice is known to hold. Subject: the row."""
    UNANSWERED = "unanswered"
    """A service has failed for one record, but not for others, for a day. Subject: the record."""
    NOTICE = "notice"
    """Information that holds nothing (RULES.md Reading 4, 17). Subject: the record concerned."""


class Review(Struct, frozen=True):
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
        self._open_kinds: Kept[None, set[str]] = database.kept.up_to(1)
        """The kinds of which an item may be open: of most there is none, and each record of a run is asked about.

        The kind of a closed item stays: one too many costs a query only.
        """

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
        """Open an item; return whether it is new. An open one with equal reasons is kept, one with others replaced."""
        text = reasons_text(reasons)
        existing = self._database.row(
            "SELECT id, reasons FROM reviews WHERE kind = ? AND subject = ? AND state = 'open'", (kind, subject.text)
        )
        if existing is not None:
            if existing["reasons"] == text:
                return False
            self._close(existing["id"], "withdrawn", now, "plexstedi", "the reasons changed")
        self._database.execute(
            "INSERT INTO reviews (kind, subject, document_id, transaction_id, supplier, order_id, order_number, line,"
            " reasons, state, opened_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?)",
            (
                *(kind, subject.text, subject.document, subject.transaction),
                *(supplier, order_id, order_number, line, text, instant(now)),
            ),
        )
        if (kinds := self._open_kinds.get(None)) is not None:
            kinds.add(kind)
        return True

    def withdraw(self, kind: ReviewKind, subject: Subject, now: datetime, why: str) -> bool:
        """Close an open item automatically; return whether there was one."""
        if not self.may_be_open(kind):
            return False
        existing = self._database.row(
            "SELECT id FROM reviews WHERE kind = ? AND subject = ? AND state = 'open'", (kind, subject.text)
        )
        if existing is None:
            return False
        self._close(existing["id"], "withdrawn", now, "plexstedi", why)
        return True

    def decide(self, review_id: int, *, accept: bool, by: str, why: str, now: datetime) -> None:
        """Close an item by a user's decision."""
        self._close(review_id, "accepted" if accept else "rejected", now, by, why)

    def decided(self, kind: ReviewKind, subject: Subject) -> bool:
        """Whether a user has decided an item of this kind and subject."""
        return (
            self._database.row(
                "SELECT 1 FROM reviews WHERE kind = ? AND subject = ? AND state IN ('accepted', 'rejected')",
                (kind, subject.text),
            )
            is not None
        )

    def is_open(self, kind: ReviewKind, subject: Subject) -> bool:
        """Whether an item of this kind and subject is open."""
        return self.may_be_open(kind) and (
            self._database.row(
                "SELECT 1 FROM reviews WHERE kind = ? AND subject = ? AND state = 'open'", (kind, subject.text)
            )
            is not None
        )

    def rejected(self, kind: ReviewKind, subject: Subject) -> bool:
        """Whether a user has rejected an item of this kind and subject."""
        return (
            self._database.row(
                "SELECT 1 FROM reviews WHERE kind = ? AND subject = ? AND state = 'rejected'", (kind, subject.text)
            )
            is not None
        )

    def get(self, review_id: int) -> Review | None:
        """The item of this id; None if there is none."""
        row = self._database.row("SELECT * FROM reviews WHERE id = ?", (review_id,))
        return None if row is None else _review(row)

    def open_one(self, kind: ReviewKind, subject: Subject) -> Review | None:
        """The open item of this kind and subject; None if there is none."""
        row = self._database.row(
            "SELECT * FROM reviews WHERE kind = ? AND subject = ? AND state = 'open'", (kind, subject.text)
        )
        return None if row is None else _review(row)

    def open_items(self, *, supplier: str | None = None, order_id: str | None = None) -> list[Review]:
        """Open items, oldest first: all, or those of one supplier or order."""
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
        """All items of an order, open or closed."""
        rows = self._database.rows("SELECT * FROM reviews WHERE order_id = ? ORDER BY id", (order_id,))
        return [_review(row) for row in rows]

    def open_by_kind(self) -> dict[str, int]:
        """Number of open items by kind."""
        rows = self._database.rows(
            "SELECT kind, count(*) AS n FROM reviews WHERE state = 'open' GROUP BY kind ORDER BY kind"
        )
        return {row["kind"]: row["n"] for row in rows}

    def attention(self) -> int:
        """Number of open items; changed orders from before polling count as one together (DESIGN.md section 5)."""
        separate = self._database.number(
            "SELECT count(*) FROM reviews WHERE state = 'open' AND kind <> ?", (ReviewKind.KNOWN_ORDER_CHANGED,)
        )
        together = self._database.number(
            "SELECT count(*) FROM reviews WHERE state = 'open' AND kind = ?", (ReviewKind.KNOWN_ORDER_CHANGED,)
        )
        return separate + min(together, 1)

    def may_be_open(self, *kinds: ReviewKind) -> bool:
        """Whether an item of one of these kinds may be open: false spares a look for it."""
        known = self._open_kinds.get(None)
        if known is None:
            rows = self._database.rows("SELECT DISTINCT kind FROM reviews WHERE state = 'open'")
            known = self._open_kinds[None] = {row["kind"] for row in rows}
        return not known.isdisjoint(kinds)

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
    """Fill the item's number into the commands of a reason."""
    # A reason is stored before the item has its id.
    fix = filled(
        reason.fix,
        review=row["id"],
        order=row["order_number"],
        transaction=row["transaction_id"],
    )
    return reason if fix == reason.fix else replace(reason, fix=fix)


def is_orphan(review: Review) -> bool:
    """Whether it concerns files at Stedi without an order or invoice in Plex."""
    return review.kind in (ReviewKind.ORDER_HELD, ReviewKind.INVOICE_HELD) and review.order_id is None
