"""Rows of Plex that cannot be read: asked about, and taken back."""

from __future__ import annotations

from collections.abc import Collection

from plexstedi.edi.reasons import Reason
from plexstedi.state.reviews import ReviewKind
from plexstedi.sync.isolation import Record, hold
from plexstedi.sync.session import Session


def _odd_row(table: str, key: str, words: str) -> Record:
    return Record("read", f"{table} row {key}", words)


def has_odd_rows(session: Session) -> bool:
    return any(review.kind is ReviewKind.RECORD_UNREADABLE for review in session.store.reviews.standing())


def take_back_odd_rows(session: Session, rows: Collection[str]) -> None:
    """These rows, by their ids, can be read: review items about them close; inside the caller's transaction."""
    for review in session.store.reviews.standing():
        _, _, key = review.subject.text.rpartition(" row ")
        if review.kind is ReviewKind.RECORD_UNREADABLE and key in rows:
            session.withdraw(review.kind, review.subject, "it can be read now")


def ask_about_odd_records(session: Session) -> None:
    """Rows of Plex that could not be read and belong to nothing that is held instead: a review item each, once."""
    unreadable_records = session.plex.unreadable_records()
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
            if not session.store.reviews.rejected(ReviewKind.RECORD_UNREADABLE, record.subject):
                session.ask(ReviewKind.RECORD_UNREADABLE, record.subject, (reason,))
