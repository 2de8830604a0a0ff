"""Limit the decision time of acknowledgments, so that a large one neither exceeds a run nor delays the others forever.

A decision cut short by the time limit is retried after all others in the next run. It is held if it still fails with
most of a run to itself, or at its third attempt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from plexstedi.decimal_json import as_whole
from plexstedi.edi.reasons import Reason
from plexstedi.errors import ServiceUnavailable
from plexstedi.state.cursors import Fact
from plexstedi.state.inbox import Inbound, InboxState
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import of_transaction
from plexstedi.sync.ingest.order_state import move_transaction
from plexstedi.sync.session import Session

_MOST_TURNS = 3
_MOST_OF_A_RUN = 0.5


class DecisionTime:
    """Counts, across runs, how often the time limit cut a decision short."""

    def __init__(self, session: Session) -> None:
        self._session = session
        pairs = (each.rpartition(":") for each in (session.store.cursors.get(Fact.CUT_SHORT) or "").split())
        self._cut = {transaction: as_whole(turns) or 1 for transaction, _, turns in pairs}

    def cut_short_last(self, waiting: Sequence[Inbound]) -> list[Inbound]:
        """The given order, with those that were cut short last."""
        return sorted(waiting, key=lambda inbound: self._cut.get(inbound.transaction_id, 0))

    @contextmanager
    def deciding(self, inbound: Inbound) -> Iterator[None]:
        """Decide one acknowledgment; if the time limit cuts it short, count that."""
        began = self._session.clock.monotonic()
        try:
            yield
        except ServiceUnavailable as fault:
            if fault.code == "time-limit":
                self._cut_short(inbound, self._session.clock.monotonic() - began)
            raise
        if self._cut.pop(inbound.transaction_id, None) is not None:
            self._store_counts()

    def _cut_short(self, inbound: Inbound, seconds: float) -> None:
        turns = self._cut.get(inbound.transaction_id, 0) + 1
        limit = self._session.config.run.time_limit_minutes * 60.0
        with self._session.store.transaction():
            # The first time it may just have been last in a full run: that does not justify a hold.
            if turns >= _MOST_TURNS or (turns > 1 and seconds >= _MOST_OF_A_RUN * limit):
                self._cut.pop(inbound.transaction_id, None)
                self._hold(inbound)
            else:
                self._cut[inbound.transaction_id] = turns
            self._store_counts()

    def _store_counts(self) -> None:
        kept = " ".join(f"{transaction}:{turns}" for transaction, turns in self._cut.items())
        self._session.store.cursors.put(Fact.CUT_SHORT, kept or None)

    def _hold(self, inbound: Inbound) -> None:
        session = self._session
        reason = Reason(
            code="takes-too-long",
            where="document",
            message="it could not be decided within the time limit of a run",
            fix="Raise run.time_limit_minutes and run `plexstedi replay --ack"
            f" {inbound.transaction_id} --reason TEXT`, or"
            " `plexstedi review reject ID --reason TEXT` and ask the supplier for a smaller one.",
        )
        move_transaction(session, inbound, InboxState.HELD, reason.message)
        subject = of_transaction(inbound.transaction_id)
        new = session.open_review(ReviewKind.ACKNOWLEDGMENT_HELD, subject, (reason,), supplier=inbound.supplier)
        session.run.counts.acks_held += int(new)
