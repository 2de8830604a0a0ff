"""Several review items decided together: each with its consequence first, then each in a transaction of its own."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from plexstedi.edi.inbound.deviation import days_late, percent_off
from plexstedi.edi.inbound.outcome import AckState, LineOutcome
from plexstedi.errors import UsageFault
from plexstedi.state.reviews import Review, ReviewKind
from plexstedi.sync.people.review import Consequence, consequence, decide, find_review
from plexstedi.sync.people.review_selection import Filters, ReviewCandidate, select
from plexstedi.sync.session import Session


class Decided(StrEnum):
    """Result of one item of a decision."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WOULD_ACCEPT = "would-accept"
    """Only in a dry run, as `would-reject`."""
    WOULD_REJECT = "would-reject"
    CLOSED_BEFORE = "closed-before"
    """Closed since the preview, often by the decision of another item of the same acknowledgment."""
    FAILED = "failed"


class Proposal(Struct, frozen=True):
    """What would be done with one item. `fault`: it cannot be decided so."""

    number: int
    candidate: ReviewCandidate | None
    consequence: Consequence | None
    fault: UsageFault | None


class ItemDecision(Struct, frozen=True):
    """What was done with one item."""

    number: int
    review: Review | None
    result: Decided
    fault: UsageFault | None = None


def propose(session: Session, numbers: Sequence[int], filters: Filters, *, accept: bool) -> tuple[Proposal, ...]:
    """The items of these numbers or, without numbers, those that meet the filters, each with its consequence.

    Changes nothing.
    """
    if numbers:
        return tuple(_proposal_of_number(session, number, accept=accept) for number in dict.fromkeys(numbers))
    narrowed = session.store.reviews.open_items(supplier=filters.supplier)
    chosen = select([candidate_of(session, review) for review in narrowed], filters)
    return tuple(_proposal(session, candidate, accept=accept) for candidate in chosen)


def _proposal_of_number(session: Session, number: int, *, accept: bool) -> Proposal:
    try:
        review = find_review(session, number)
    except UsageFault as fault:
        return Proposal(number, None, None, fault)
    return _proposal(session, candidate_of(session, review), accept=accept)


def _proposal(session: Session, candidate: ReviewCandidate, *, accept: bool) -> Proposal:
    review = candidate.review
    found = consequence(session, review, accept=accept)
    fault = None
    if not found.possible:
        done = "accepted" if accept else "rejected"
        fault = UsageFault(f"review {review.id} ({review.kind}) cannot be {done}", fix=found.words)
    return Proposal(review.id, candidate, found, fault)


def candidate_of(session: Session, review: Review) -> ReviewCandidate:
    """A review item with how far its lines are from the order."""
    lines = _lines(session, review)
    if not lines:
        return ReviewCandidate(review)
    supplier = session.config.suppliers.get(review.supplier or "")
    transit = None if supplier is None else supplier.acknowledgments.transit_days
    codes = frozenset(reason.code for line in lines for reason in line.reasons)
    whole = frozenset(reason.code for reason in review.reasons)
    return ReviewCandidate(review, codes | whole, days_late(lines, transit), percent_off(lines))


def _lines(session: Session, review: Review) -> tuple[LineOutcome, ...]:
    """The acknowledged lines that a decision applies to."""
    if review.subject.transaction is None:
        return ()
    outcome = session.store.inbox.outcome(review.subject.transaction)
    if outcome is None:
        return ()
    if review.line is not None:
        return tuple(line for line in outcome.lines if line.line == review.line)
    if review.kind is ReviewKind.ACKNOWLEDGMENT_HELD and not outcome.unmatched:
        return tuple(line for line in outcome.lines if line.state is AckState.HELD)
    return ()


def carry_out(session: Session, proposals: Sequence[Proposal], *, accept: bool, reason: str) -> list[ItemDecision]:
    """Decide each proposed item; one that fails stops no other. Raise Interrupted between two."""
    done = []
    for proposal in proposals:
        session.checkpoint()
        done.append(_decide_one(session, proposal, accept=accept, reason=reason))
    return done


def _decide_one(session: Session, proposal: Proposal, *, accept: bool, reason: str) -> ItemDecision:
    current = session.store.reviews.get(proposal.number)
    if proposal.candidate is not None and current is not None and current.state != "open":
        return ItemDecision(proposal.number, current, Decided.CLOSED_BEFORE)
    fault = proposal.fault
    if fault is None and (current is None or candidate_of(session, current) != proposal.candidate):
        fault = UsageFault(
            f"review {proposal.number} changed after the preview",
            fix=f"Look at review {proposal.number} again, then repeat the command.",
        )
    if fault is None:
        try:
            decide(session, proposal.number, accept=accept, reason=reason)
        except UsageFault as raised:
            fault = raised
    if fault is not None:
        return ItemDecision(proposal.number, current, Decided.FAILED, fault)
    after = session.store.reviews.get(proposal.number)
    return ItemDecision(proposal.number, after, Decided.ACCEPTED if accept else Decided.REJECTED)


def foreseen(proposals: Sequence[Proposal], *, accept: bool) -> list[ItemDecision]:
    """The result that a dry run reports."""
    would = Decided.WOULD_ACCEPT if accept else Decided.WOULD_REJECT
    return [
        ItemDecision(
            proposal.number,
            None if proposal.candidate is None else proposal.candidate.review,
            would if proposal.fault is None else Decided.FAILED,
            proposal.fault,
        )
        for proposal in proposals
    ]


def summary_fault(done: Sequence[ItemDecision]) -> UsageFault | None:
    """The fault that names every item that failed; None if none did."""
    failed = [(item.number, item.fault) for item in done if item.fault is not None]
    if not failed:
        return None
    if len(done) == 1:
        return failed[0][1]
    texts = "; ".join(f"{number}: {fault.message}" for number, fault in failed)
    fixes = " ".join(dict.fromkeys(f"{fault.fix.rstrip('.')}." for _, fault in failed if fault.fix))
    return UsageFault(f"{len(failed)} of {len(done)} items failed: {texts}", fix=fixes, code="items-failed")
