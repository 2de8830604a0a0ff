"""Decisions of users about held acknowledgments, as a whole or by line, and their consequences."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from plexstedi.edi.inbound.outcome import AckState, LineOutcome, Reconciliation
from plexstedi.errors import UsageFault
from plexstedi.state.inbox import Inbound, InboxState
from plexstedi.state.reviews import Review
from plexstedi.sync.ingest.order_state import recompute_order, withdraw_outdated_items
from plexstedi.sync.session import Session


def transaction_of(review: Review) -> str:
    """The transaction that a review item concerns. Raise ValueError if there is none."""
    if review.subject.transaction is None:
        raise ValueError(f"review {review.id} is about {review.subject}")
    return review.subject.transaction


_MAY_BE_IGNORED = frozenset({InboxState.STORED, InboxState.WAITING, InboxState.HELD})


def ignore_transaction(session: Session, transaction_id: str, why: str) -> None:
    """Ignore a transaction, with every item about it as a whole; inside the caller's transaction.

    One that has been decided since the item was opened stays as it is: only the item is closed.
    """
    inbound, _ = _acknowledgment(session, transaction_id)
    if inbound.state in _MAY_BE_IGNORED:
        session.store.inbox.move(transaction_id, InboxState.IGNORED, why)
        withdraw_outdated_items(session, inbound, InboxState.IGNORED, why)


def decide_whole(session: Session, transaction_id: str, lines: Collection[int], *, accept: bool) -> None:
    """Decide a held acknowledgment, for `lines` or (if empty) as a whole; inside the caller's transaction.

    Raise UsageFault if it states nothing definite that could be accepted.
    """
    inbound, outcome = _acknowledgment(session, transaction_id)
    if outcome is None or inbound.order_id is None:
        if accept:
            raise UsageFault(
                f"transaction {transaction_id} contains nothing that can be accepted",
                fix="Correct the setting that the reason names and run `plexstedi replay --ack"
                f" {transaction_id} --reason TEXT`, or reject it and ask the supplier for a new one.",
            )
        ignore_transaction(session, transaction_id, "rejected by a user")
        return
    if lines:
        decide_lines(session, transaction_id, lines, accept=accept)
        return
    held = [line for line in outcome.lines if line.state is AckState.HELD]
    if accept and held and all(line.if_accepted is None for line in held) and len(held) == len(outcome.lines):
        raise _nothing_definite(transaction_id, held)
    session.store.inbox.decide(transaction_id, {"*": "accept" if accept else "reject"})
    recompute_order(session, inbound.order_id)


def decide_lines(session: Session, transaction_id: str, lines: Collection[int], *, accept: bool) -> None:
    """Decide some lines of an acknowledgment; inside the caller's transaction. Raise UsageFault as `decide_whole`."""
    inbound, outcome = _acknowledgment(session, transaction_id)
    if outcome is None or inbound.order_id is None:
        raise UsageFault(
            f"transaction {transaction_id} has no lines that can be decided individually",
            fix="Decide it as a whole: omit --line.",
        )
    by_number = {line.line: line for line in outcome.lines}
    unknown = sorted(set(lines) - by_number.keys())
    if unknown:
        raise UsageFault(
            f"the acknowledgment does not mention line {', '.join(map(str, unknown))}",
            fix=f"It mentions line {', '.join(map(str, sorted(by_number)))}.",
        )
    chosen = [by_number[number] for number in sorted(lines)]
    empty = [line for line in chosen if line.state is AckState.HELD and line.if_accepted is None]
    if accept and empty:
        raise _nothing_definite(transaction_id, empty)
    session.store.inbox.decide(transaction_id, {str(n): "accept" if accept else "reject" for n in sorted(lines)})
    recompute_order(session, inbound.order_id)


def undecided_lines(session: Session, transaction_id: str) -> tuple[int, ...]:
    """Held lines of an acknowledgment without a decision."""
    inbound, outcome = _acknowledgment(session, transaction_id)
    if outcome is None or "*" in inbound.decisions:
        return ()
    held = (line.line for line in outcome.lines if line.state is AckState.HELD)
    return tuple(number for number in held if str(number) not in inbound.decisions)


def _acknowledgment(session: Session, transaction_id: str) -> tuple[Inbound, Reconciliation | None]:
    inbound = session.store.inbox.get(transaction_id)
    if inbound is None:
        raise ValueError(f"there is no transaction {transaction_id}")
    return inbound, session.store.inbox.outcome(transaction_id)


def _nothing_definite(transaction_id: str, lines: Sequence[LineOutcome]) -> UsageFault:
    numbers = ", ".join(str(line.line) for line in lines)
    why = "; ".join(dict.fromkeys(str(reason) for line in lines for reason in line.reasons))
    return UsageFault(
        f"the acknowledgment states nothing definite about line {numbers}: {why}",
        fix=f"Change the setting that the reason names, then `plexstedi replay --ack {transaction_id} --reason TEXT`.",
    )
