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
        if event.kind == SENT:
            payload: bytes | None = store.documents.body(int(event.subject.removeprefix("document ")))
        else:
            payload = store.inbox.document(event.subject.removeprefix("transaction "))
        if payload and hashlib.sha256(payload).hexdigest() != mark:
            return Break(event.seq, f"{event.subject} is no longer what event {event.seq} kept")
    return None
