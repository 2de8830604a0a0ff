"""What waits to be decided, found without loading what decides it."""

from __future__ import annotations

from plexstedi.edi.inbound.outcome import CHANGED_IN_PLEX
from plexstedi.state.inbox import InboxState
from plexstedi.state.reviews import Review, ReviewKind
from plexstedi.sync.session import Session
from plexstedi.sync.writeback.open_writes import planned_for_other_strategy

RECEIVED = (InboxState.STORED, InboxState.WAITING)
"""The states of what was received and is not decided."""


def anything_to_decide(session: Session) -> bool:
    """Whether `process` has something to do."""
    return bool(
        session.store.documents.unfolded()
        or planned_for_other_strategy(session)
        or session.store.inbox.in_state(*RECEIVED)
        or waiting_for_a_change(session)
    )


def waiting_for_a_change(session: Session) -> list[Review]:
    """Open review items of lines held for an unsent change in Plex."""
    return [
        review
        for review in session.store.reviews.open_items()
        if review.kind is ReviewKind.LINE_HELD and any(reason.code == CHANGED_IN_PLEX for reason in review.reasons)
    ]
