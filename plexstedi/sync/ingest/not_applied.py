"""Review items for unapplied acknowledgments that state worse terms than the current state (RULES.md Reading 13)."""

from __future__ import annotations

from plexstedi.edi.inbound.not_applied import not_applied_reasons
from plexstedi.edi.inbound.outcome import Reconciliation
from plexstedi.edi.inbound.precedence import AcknowledgmentHeader, Folded
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import of_transaction
from plexstedi.sync.session import Session

_KIND = ReviewKind.ACKNOWLEDGMENT_NOT_APPLIED


def transactions_not_applied(session: Session, order_id: str) -> frozenset[str]:
    """Transactions of an order with an open review item of this kind."""
    open_items = session.store.reviews.open_items(order_id=order_id)
    return frozenset(r.subject.transaction for r in open_items if r.kind is _KIND and r.subject.transaction is not None)


def review_not_applied(
    session: Session,
    order_id: str,
    header: AcknowledgmentHeader,
    outcome: Reconciliation,
    folded: Folded,
    *,
    fresh: bool,
) -> None:
    """Open a review item for a new acknowledgment (`fresh`); withdraw it once the current state says the same.

    One that counted before and was superseded has been reported already. One held as a whole has its own item.
    """
    subject = of_transaction(header.transaction_id)
    reasons = not_applied_reasons(header, (*outcome.lines, *outcome.earlier), folded.lines)
    if not reasons:
        session.withdraw_review(_KIND, subject, "the current state now says the same", order_id=order_id)
    # Only when it arrives: a superseded acknowledgment was reviewed while it counted.
    elif fresh and not (outcome.holds or session.store.reviews.decided(_KIND, subject)):
        record = session.store.orders.get(order_id)
        session.open_review(
            _KIND,
            subject,
            reasons,
            supplier=None if record is None else record.supplier,
            order_id=order_id,
            order_number=None if record is None else record.number,
        )
