"""The review items about acknowledgments that are not applied and say worse than what counts (RULES.md Reading 13)."""

from __future__ import annotations

from plexstedi.edi.inbound.not_applied import not_applied_reasons
from plexstedi.edi.inbound.outcome import Reconciliation
from plexstedi.edi.inbound.precedence import AcknowledgmentHeader, Folded
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import of_transaction
from plexstedi.sync.session import Session

_KIND = ReviewKind.ACKNOWLEDGMENT_NOT_APPLIED


def unheard_before(session: Session, order_id: str) -> frozenset[str]:
    """Transactions of an order that a person has been asked about and has not decided on."""
    standing = session.store.reviews.standing(order_id=order_id)
    return frozenset(r.subject.transaction for r in standing if r.kind is _KIND and r.subject.transaction is not None)


def tell_unheard(
    session: Session,
    order_id: str,
    header: AcknowledgmentHeader,
    outcome: Reconciliation,
    folded: Folded,
    *,
    fresh: bool,
) -> None:
    """Ask once, when the answer has come in (`fresh`); take it back when what counts says as much by then.

    What once counted and was replaced by a newer one has been told already. An answer that is held as a whole is a
    person's anyway.
    """
    subject = of_transaction(header.transaction_id)
    reasons = not_applied_reasons(header, (*outcome.lines, *outcome.earlier), folded.lines)
    if not reasons:
        session.withdraw(_KIND, subject, "the current state now says the same", order_id=order_id)
    elif fresh and not (outcome.holds or session.store.reviews.decided(_KIND, subject)):
        record = session.store.orders.get(order_id)
        session.ask(
            _KIND,
            subject,
            reasons,
            supplier=None if record is None else record.supplier,
            order_id=order_id,
            order_number=None if record is None else record.number,
        )
