"""Comparison of two versions of a document: the one at Stedi, and the one of this state or of Plex.

For a slot that was used with other content (422), and for a stream that `recover` did not find in sync.
"""

from __future__ import annotations

import difflib
from datetime import date, timedelta

from msgspec import Struct

from plexstedi.edi.outbound.actions import Send850
from plexstedi.edi.outbound.document import Renderings, prepare
from plexstedi.edi.reasons import Held
from plexstedi.edi.stream import StreamKey
from plexstedi.errors import PlexStediError
from plexstedi.state.document import Document
from plexstedi.state.orders import OrderRecord
from plexstedi.stedi.models import Execution
from plexstedi.sync.partners import partner_of
from plexstedi.sync.session import Session
from plexstedi.sync.submit.document import DueDocument
from plexstedi.sync.submit.freeze import preview_x12

_ENVELOPE = ("ISA", "GS", "ST", "SE", "GE", "IEA")
_SEARCH_MARGIN = timedelta(days=1)


class Version(Struct, frozen=True):
    """One version. `x12` None: it is not available, for the reason in `title`."""

    title: str
    x12: str | None


class Versions(Struct, frozen=True):
    """Versions, and the segments in which the first two differ: `-` first only, `+` second only."""

    versions: tuple[Version, ...] = ()
    differences: tuple[str, ...] = ()


NO_VERSIONS = Versions()


def conflict_versions(session: Session, document: Document) -> Versions:
    """The content that Stedi has under this document's key, if it can be found, and the document itself.

    Calls Stedi; if that fails, the title of its version is the fault.
    """
    ours = Version(f"as stored in this state file ({document.file_name})", session.store.documents.x12(document.id))
    try:
        execution = _other_of_slot(session, document)
        if execution is None:
            return Versions((Version("at Stedi: no file for this slot was found there", None), ours))
        content = session.services.stedi.execution_document(execution.id, "output")
    except PlexStediError as fault:
        return Versions((Version(f"at Stedi: {fault.message}", None), ours))
    title = f"at Stedi since {execution.created_at:%Y-%m-%d %H:%M} UTC ({execution.file_name})"
    theirs = Version(title, None if content is None else content.decode("utf-8", errors="replace"))
    return Versions((theirs, ours), differences(theirs.x12, ours.x12))


def _other_of_slot(session: Session, document: Document) -> Execution | None:
    """The newest file of the same slot at Stedi: its name differs only in the mark of the content."""
    slot = document.idempotency_key + "_"
    begin = (document.first_attempt_at or document.frozen_at) - _SEARCH_MARGIN
    for page in session.services.stedi.executions(begin=begin, display_name=slot):
        for execution in page.items:
            if (execution.file_name or "").startswith(slot):
                return execution
    return None


def recovered_versions(session: Session, record: OrderRecord, last: Document) -> Versions:
    """The last document of a stream at Stedi, and the current order in Plex rendered as an 850."""
    title = f"at Stedi since {last.frozen_at:%Y-%m-%d %H:%M} UTC ({last.file_name})"
    x12 = session.store.documents.x12(last.id)
    theirs = Version(title, x12) if x12 else Version(f"{title}: its content was deleted (state.keep_days)", None)
    ours = _as_850(session, record, StreamKey(order_id=record.id, release=last.order_release))
    # An 860 contains only changes: its segments do not correspond to those of an 850.
    comparable = last.kind == "850"
    return Versions((theirs, ours), differences(theirs.x12, ours.x12) if comparable else ())


def _as_850(session: Session, record: OrderRecord, key: StreamKey) -> Version:
    title = f"as it is in Plex now (revision {record.latest}, {record.phase}), as an 850"
    try:
        order = session.store.orders.revision(record.id, record.latest)
        partner = partner_of(session, record.supplier, order.supplier_address_id)
        prepared = prepare(Send850(order, key), Renderings(partner), change_sequence=0, revision_seen=date.min)
    except KeyError:
        return Version(f"as it is in Plex now: supplier {record.supplier} has no settings", None)
    except PlexStediError as fault:
        return Version(f"as it is in Plex now: {fault.message}", None)
    if isinstance(prepared, Held):
        return Version("as it is in Plex now: " + "; ".join(str(reason) for reason in prepared.reasons), None)
    due = DueDocument(
        stream=record.id, release=key.release, order_id=record.id, number=record.number, revision=record.latest,
        dated=order.order_date, partner=partner, prepared=prepared, purpose="00", change_sequence=0, mark="",
    )  # fmt: skip
    return Version(title, preview_x12(due, session.config.stedi.usage_indicator))


def differences(first: str | None, second: str | None) -> tuple[str, ...]:
    """The segments in which two X12 texts differ, without envelopes; empty if one text is missing."""
    if not first or not second:
        return ()
    compared = difflib.ndiff(_segments(first), _segments(second))
    return tuple(line for line in compared if line.startswith(("- ", "+ ")))


def _segments(text: str) -> list[str]:
    """The segments, with `*` as element separator. The delimiters are read from the ISA segment."""
    element, end = text[3], text[105:106]
    rows = (row.strip().replace(element, "*") for row in text.split(end or "~"))
    return [row for row in rows if row and row.split("*", 1)[0] not in _ENVELOPE]
