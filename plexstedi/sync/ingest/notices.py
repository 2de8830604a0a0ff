"""Review items for segments of an acknowledgment that are not interpreted; they hold nothing."""

from __future__ import annotations

from collections.abc import Sequence

from plexstedi.edi.inbound.outcome import Notice
from plexstedi.state.inbox import Inbound
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import of_transaction
from plexstedi.sync.session import Session


def open_notice_reviews(
    session: Session, inbound: Inbound, order_id: str, order_number: str, notices: Sequence[Notice]
) -> None:
    """Open one item per transaction and segment; inside the caller's transaction.

    Decided items are not opened again; items of segments that a setting now ignores are withdrawn.
    """
    transaction = inbound.transaction_id
    current = {of_transaction(transaction, f"segment {notice.segment}"): notice for notice in notices}
    for subject, notice in current.items():
        if not session.store.reviews.decided(ReviewKind.NOTICE, subject):
            session.open_review(
                ReviewKind.NOTICE,
                subject,
                notice.reasons,
                supplier=inbound.supplier,
                order_id=order_id,
                order_number=order_number,
                urgent=False,
            )
    for review in session.store.reviews.open_items(order_id=order_id):
        of_it = review.kind is ReviewKind.NOTICE and review.subject.transaction == transaction
        if of_it and review.subject not in current:
            session.withdraw_review(review.kind, review.subject, "the segment is ignored now", order_id=order_id)
