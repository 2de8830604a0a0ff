"""One due document: content, route, and the fingerprint of its content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

from plexstedi.decimal_json import dumps
from plexstedi.edi.order import Order, Phase
from plexstedi.edi.outbound.actions import Cancel860, Change860, Due, Replace850, Send850
from plexstedi.edi.outbound.document import Prepared, Renderings, prepare
from plexstedi.edi.partner import Partner
from plexstedi.edi.reasons import Held, Reason
from plexstedi.edi.settings import DocumentSettings
from plexstedi.edi.stream import StreamKey, order_of_stream
from plexstedi.state.document import Document
from plexstedi.state.document_states import DocumentState
from plexstedi.sync.session import Session

_FINGERPRINT_DIGITS = 16


@dataclass(frozen=True)
class DueDocument:
    """A document that is ready to be sent."""

    stream: str
    release: str | None
    order_id: str
    """The order's Plex id; for an invoice its stream."""
    number: str
    """Of the order or invoice."""
    revision: int
    dated: date | None
    """Of the order or invoice."""
    partner: Partner
    prepared: Prepared
    purpose: str
    change_sequence: int
    mark: str
    """Fingerprint of the order as the supplier has it after this document; for an 810 of its content."""
    replay_of: int | None = None


def stream_name(key: StreamKey) -> str:
    """The stream's name in the state: Plex's order id, plus the release if releases are sent separately."""
    return key.order_id if key.release is None else f"{key.order_id}/{key.release}"


@dataclass(frozen=True)
class Route:
    """The API call, partnership and transaction setting for a document."""

    call: str
    partnership: str
    setting: str
    mapping: str | None


def route_of(document: DueDocument) -> Route:
    """The route from the supplier's or customer's settings. Raise ValueError if they are incomplete."""
    settings = document.partner.settings
    sections: dict[str, DocumentSettings | None] = {
        "850": settings.document_850,
        "860": settings.document_860,
        "810": settings.document_810,
    }
    section = sections[document.prepared.kind]
    if settings.partnership_id is None or section is None or section.transaction_setting_id is None:
        raise ValueError(f"{document.partner.code} has no complete settings for {document.prepared.kind}")
    call = "generate-edi" if section.mapping_id is None else "create-outbound"
    return Route(call, settings.partnership_id, section.transaction_setting_id, section.mapping_id)


def order_mark(order: Order, stream: StreamKey, renderings: Renderings) -> str | None:
    """Fingerprint for file names: the order as its supplier has it after the document, rendered as an 850.

    It does not depend on an 860's bytes, so `recover` can tell from the order in Plex alone whether the last file is up
    to date. None if the order cannot be rendered completely.
    """
    # A cancelled order has no 850 of its own: render it as released and mark the fingerprint.
    cancelled = order_of_stream(order, stream).phase is Phase.CANCELLED
    whole = order.model_copy(update={"phase": Phase.RELEASED}) if cancelled else order
    prepared = prepare(Send850(whole, stream), renderings, change_sequence=0, revision_seen=date.min)
    if isinstance(prepared, Held):
        return None
    return text_mark(("cancelled " if cancelled else "") + dumps(prepared.guide_json))


def text_mark(text: str) -> str:
    """The fingerprint of a rendering, as used in file names."""
    return hashlib.sha256(text.encode()).hexdigest()[:_FINGERPRINT_DIGITS]


def next_change_sequence(decision: Due, last: Document | None) -> int:
    """0 for the first 850 of a stream, then counting up (RULES.md Sending 8: BCH05 counts from 1)."""
    if isinstance(decision, Send850) and last is None:
        return 0
    return (0 if last is None else last.change_sequence) + 1


def purpose_of(decision: Due) -> str:
    """BEG01 or BCH01 of the due document (X12 element 353)."""
    match decision:
        case Send850():
            return decision.purpose
        case Replace850():
            return "05"
        case Cancel860():
            return "01"
        case Change860():
            return "04"
        case _:
            raise ValueError("nothing is due")


def refused_before(session: Session, document: DueDocument) -> bool:
    """Whether Stedi already rejected this content over this route: it is resent only by a user, or once changed."""
    earlier = session.store.documents.of_stream(document.stream)
    if not earlier or earlier[-1].state is not DocumentState.REFUSED:
        return False
    refused = earlier[-1]
    if refused.retry:
        return False
    route = route_of(document)
    # A corrected partnership or setting may resolve the rejection: then the same content is sent again.
    same_route = (refused.partnership, refused.transaction_setting) == (route.partnership, route.setting)
    return same_route and document.mark in refused.file_name


def kind_not_sent(kind: str) -> Reason:
    return Reason(
        code=f"{kind}-not-sent",
        where="order",
        message=f"an {kind} is due and documents.send does not list it",
        fix=f'Add "{kind}" to documents.send, or resolve it with the supplier, then'
        " `plexstedi review accept ID --reason TEXT`.",
    )
