"""Acknowledgments held for a change in Plex that was undone before it was sent (RULES.md Reading 13).

Nothing is due for them any more, so neither an 860 nor its acknowledgment would ever resolve the hold.
"""

from __future__ import annotations

from plexstedi.state.inbox import InboxState
from plexstedi.state.reviews import Review
from plexstedi.sync.ingest.business_ack import changed_since_revision, unsent_changes
from plexstedi.sync.ingest.order_state import move_transaction
from plexstedi.sync.session import Session


def decide_again_if_undone(session: Session, review: Review) -> None:
    """Return its acknowledgment to those that are to be decided if Plex has the line as it was last sent.

    Not so if a user resolved the change with the supplier: then Plex still has it, and the acknowledgment is older.
    """
    store = session.store
    transaction, order_id = review.subject.transaction, review.order_id
    inbound = None if transaction is None else store.inbox.get(transaction)
    if inbound is None or order_id is None or inbound.document_id is None or inbound.state is not InboxState.HELD:
        return
    stream = store.documents.get(inbound.document_id).stream
    documents = [d for d in store.documents.of_stream(stream) if d.state.may_have_reached_supplier]
    if not documents:
        return
    last = documents[-1]
    still_changed = changed_since_revision(session, order_id, last, last.revision)
    if review.line in still_changed or review.line in unsent_changes(session, order_id, last):
        return
    move_transaction(session, inbound, InboxState.STORED, f"line {review.line} is in Plex as it was sent again")
