"""One document that is due: what it says, where it goes, and the mark of its content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from plexstedi.decimal_json import dumps
from plexstedi.edi.order import Order
from plexstedi.edi.partner import Partner
from plexstedi.edi.prepare import Prepared
from plexstedi.edi.settings import DocumentSettings
from plexstedi.edi.stream import StreamKey
from plexstedi.state.orders import OrderRecord

_FINGERPRINT_DIGITS = 16


@dataclass(frozen=True)
class DueDocument:
    """A document that can go."""

    stream: str
    release: str | None
    record: OrderRecord
    order: Order
    partner: Partner
    prepared: Prepared
    purpose: str
    change_sequence: int
    replay_of: int | None = None


def stream_name(key: StreamKey) -> str:
    """A stream as the state names it: Plex's order id, and the release where it is sent singly."""
    return key.order_id if key.release is None else f"{key.order_id}/{key.release}"


@dataclass(frozen=True)
class Route:
    """By which call, to which partnership and setting."""

    call: str
    partnership: str
    setting: str
    mapping: str | None


def route_of(document: DueDocument) -> Route:
    """The route of a document, from the supplier's settings. Raise ValueError if they are incomplete."""
    settings = document.partner.settings
    sections: dict[str, DocumentSettings | None] = {"850": settings.document_850, "860": settings.document_860}
    section = sections[document.prepared.kind]
    if settings.partnership_id is None or section is None or section.transaction_setting_id is None:
        raise ValueError(f"supplier {document.partner.code} has no complete settings for {document.prepared.kind}")
    call = "generate-edi" if section.mapping_id is None else "create-outbound"
    return Route(call, settings.partnership_id, section.transaction_setting_id, section.mapping_id)


def content_fingerprint(document: DueDocument) -> str:
    """What the file name witnesses: the rendering, free of key, name and counter."""
    text = dumps(document.prepared.guide_json)
    return hashlib.sha256(text.encode()).hexdigest()[:_FINGERPRINT_DIGITS]
