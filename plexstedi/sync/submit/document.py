"""One due document, and the fingerprint of its content."""

from __future__ import annotations

import hashlib
from datetime import date

from msgspec import Struct
from msgspec.structs import replace

from plexstedi.decimal_json import dumps
from plexstedi.edi.order import Order, Phase
from plexstedi.edi.outbound.actions import Send850
from plexstedi.edi.outbound.document import Prepared, Renderings, prepare
from plexstedi.edi.partner import Partner
from plexstedi.edi.reasons import Held
from plexstedi.edi.stream import StreamKey, order_of_stream

_FINGERPRINT_DIGITS = 16


class DueDocument(Struct, frozen=True):
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


def order_mark(order: Order, stream: StreamKey, renderings: Renderings) -> str | None:
    """Fingerprint for file names: the order as its supplier has it after the document, rendered as an 850.

    It does not depend on an 860's bytes, so `recover` can tell from the order in Plex alone whether the last file is up
    to date. None if the order cannot be rendered completely.
    """
    # A cancelled order has no 850 of its own: render it as released and mark the fingerprint.
    cancelled = order_of_stream(order, stream).phase is Phase.CANCELLED
    whole = replace(order, phase=Phase.RELEASED) if cancelled else order
    prepared = prepare(Send850(whole, stream), renderings, change_sequence=0, revision_seen=date.min)
    if isinstance(prepared, Held):
        return None
    return text_mark(("cancelled " if cancelled else "") + dumps(prepared.guide_json))


def text_mark(text: str) -> str:
    """The fingerprint of a rendering, as used in file names."""
    return hashlib.sha256(text.encode()).hexdigest()[:_FINGERPRINT_DIGITS]
