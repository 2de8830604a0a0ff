"""The fingerprint of an order in file names."""

from __future__ import annotations

from datetime import date

from msgspec.structs import replace

from plexstedi.edi.order import Order, Phase
from plexstedi.edi.outbound.actions import Send850
from plexstedi.edi.outbound.document import Renderings, prepare
from plexstedi.edi.reasons import Held
from plexstedi.edi.stream import StreamKey, order_of_stream
from plexstedi.encoded import encoded_once
from plexstedi.sync.submit.document import text_mark


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
    return text_mark(("cancelled " if cancelled else "") + encoded_once(prepared.guide_json))
