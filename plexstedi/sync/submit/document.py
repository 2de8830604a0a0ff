"""One due document, and the fingerprint of its content."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import TYPE_CHECKING

from msgspec import Struct

from plexstedi.edi.partner import Partner

if TYPE_CHECKING:
    # What builds documents is loaded where one is due.
    from plexstedi.edi.outbound.document import Prepared

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


def text_mark(text: str) -> str:
    """The fingerprint of a rendering, as used in file names."""
    return hashlib.sha256(text.encode()).hexdigest()[:_FINGERPRINT_DIGITS]
