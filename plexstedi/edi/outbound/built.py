"""A document as built, before it is bound to the guide."""

from __future__ import annotations

from msgspec import Struct, field

from plexstedi.edi.guide.need import Facts
from plexstedi.edi.outbound.text import UnfitText
from plexstedi.edi.reasons import Dropped
from plexstedi.edi.x12.transaction import Transaction


class Built(Struct, frozen=True):
    """The neutral tree, with the optional values that have no place in the document."""

    transaction: Transaction
    dropped: tuple[Dropped, ...] = ()
    adjusted: tuple[str, ...] = ()
    """Texts that were adjusted, and how (RULES.md Sending 7)."""
    facts: Facts = field(default_factory=Facts)
    unfit_texts: tuple[UnfitText, ...] = ()
    """Texts that X12 cannot carry; they hold the document if they are sent."""
