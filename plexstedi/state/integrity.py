"""Whether what was sent and received is kept as it was: held against the hashes in the audit trail."""

from __future__ import annotations

import hashlib

from plexstedi.state.audit import Break
from plexstedi.state.store import Store

SENT, RECEIVED = "attempt-begun", "transaction-stored"
"""Events that bear the SHA-256 of a document's bytes."""


def altered_payload(store: Store) -> Break | None:
    """The first document that is not what its event says; None if all are, or were dropped (`state.keep_days`).

    The trail itself must hold: `Audit.verify` first.
    """
    for event in store.audit.events():
        mark = event.detail.get("sha256")
        if event.kind not in (SENT, RECEIVED) or mark is None:
            continue
        document, transaction = event.subject.document, event.subject.transaction
        payload = None if document is None else store.documents.body(document)
        if transaction is not None:
            payload = store.inbox.document(transaction)
        if payload and hashlib.sha256(payload).hexdigest() != mark:
            return Break(event.seq, f"{event.subject} is no longer what event {event.seq} kept")
    return None
