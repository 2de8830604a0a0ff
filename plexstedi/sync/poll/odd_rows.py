"""Review items about Plex rows that cannot be read."""

from __future__ import annotations

from collections.abc import Collection

from plexstedi.edi.reasons import Reason
from plexstedi.state.reviews import ReviewKind
from plexstedi.sync.isolation import Record, hold
from plexstedi.sync.session import Session


def _odd_row(table: str, key: str, words: str) -> Record:
    return Record("read", f"{table} row {key}", words)


def has_odd_rows(session: Session) -> bool:
    return any(review.kind is ReviewKind.RECORD_UNREADABLE for review in session.store.reviews.open_items())


def close_odd_row_reviews(session: Session, rows: Collection[str]) -> None:
    """Withdraw the review items of these rows, by id: they are readable now. Inside the caller's transaction."""
    for review in session.store.reviews.open_items():
        _, _, key = review.subject.text.rpartition(" row ")
        if review.kind is ReviewKind.RECORD_UNREADABLE and key in rows:
            session.withdraw_review(review.kind, review.subject, "it can be read now")


def open_odd_record_reviews(session: Session) -> None:
    """Open one review item for each unreadable Plex row that does not belong to a held record."""
    unreadable_records = session.services.plex.unreadable_records()
    if not unreadable_records:
        return
    with session.store.transaction():
        for odd in unreadable_records:
            words = f"a row of Plex's {odd.table} ({odd.label})"
            record = _odd_row(odd.table, odd.key, words)
            if odd.error is not None:
                hold(session, record, odd.error)
                continue
            reason = Reason(
                code="record-unreadable",
                where=odd.table,
                message=f"{words} cannot be read and was skipped: {odd.reason}",
                fix="Correct the record in Plex, or set [plex.fields] if this tenant uses another field name; then"
                " `plexstedi review accept ID --reason TEXT`.",
            )
            # A user who rejected the item decided to ignore this row.
            if not session.store.reviews.rejected(ReviewKind.RECORD_UNREADABLE, record.subject):
                session.open_review(ReviewKind.RECORD_UNREADABLE, record.subject, (reason,))
