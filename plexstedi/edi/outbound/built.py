"""A document as its builder made it, before its guide judges it."""

from __future__ import annotations

from dataclasses import dataclass, field

from plexstedi.edi.guide.need import Facts
from plexstedi.edi.outbound.text import UnfitText
from plexstedi.edi.reasons import Dropped
from plexstedi.edi.x12.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Built:
    """The neutral tree, with the optional facts that have no place at all."""

    transaction: Transaction
    dropped: tuple[Dropped, ...] = ()
    adjusted: tuple[str, ...] = ()
    """Texts that were written differently, and how (RULES.md Sending 7)."""
    facts: Facts = field(default_factory=Facts)
    unfit_texts: tuple[UnfitText, ...] = ()
    """Texts that X12 cannot carry: they hold the document if it says them."""
