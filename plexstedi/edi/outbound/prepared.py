"""A document ready to be frozen and sent: limits kept, bound to the guide or named by the base names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from plexstedi.edi.base_names import GuideJson, base_json
from plexstedi.edi.guide.binding import bind
from plexstedi.edi.held import Held
from plexstedi.edi.outbound.dropped import Dropped
from plexstedi.edi.outbound.limits import beyond_limits
from plexstedi.edi.outbound.seen import SeenLine, SeenOrder, sent_order
from plexstedi.edi.partner import Partner
from plexstedi.edi.sent import SentLine, SentOrder
from plexstedi.edi.x12 import Loop, Transaction

DocumentKind = Literal["850", "860", "810"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document ready to be frozen and sent."""

    kind: DocumentKind
    transaction: Transaction
    """As it goes out: what had no place is not in it."""
    guide_json: dict[str, GuideJson]
    """heading, detail, summary: the transaction in Stedi's form."""
    sent: SentOrder
    dropped: tuple[Dropped, ...]
    adjusted: tuple[str, ...]
    """Texts that were written differently, and how (RULES Sending 7)."""


def finish_order(
    kind: DocumentKind, built: Transaction, partner: Partner, seen: SeenOrder, removed: tuple[SeenLine, ...]
) -> Prepared | Held:
    """The document of an order, with what the supplier knows after it; `removed` lines are kept at quantity zero."""
    return finish(kind, built, partner, sent_order(seen, removed), seen.dropped, seen.adjusted)


def finish(
    kind: DocumentKind,
    built: Transaction,
    partner: Partner,
    sent: SentOrder,
    dropped: tuple[Dropped, ...],
    adjusted: tuple[str, ...],
) -> Prepared | Held:
    """Limits first, then the guide or the base names; Held if either refuses."""
    beyond = beyond_limits(built)
    if beyond:
        return Held(beyond)
    schema = partner.guides.get(kind)
    if schema is None:
        return Prepared(kind, built, base_json(built), sent, dropped, adjusted)
    bound = bind(built, schema)
    if isinstance(bound, Held):
        return bound
    as_sent = _as_bound(sent, bound.transaction)
    return Prepared(kind, bound.transaction, bound.json, as_sent, (*dropped, *bound.dropped), adjusted)


def _as_bound(sent: SentOrder, transaction: Transaction) -> SentOrder:
    """What was sent, with only the item numbers that the guide took."""
    taken = {
        loop.head.text(1): {str(value) for value in loop.head.elements if value is not None}
        for loop in transaction.detail
        if isinstance(loop, Loop)
    }

    def lost(line: SentLine) -> SentLine:
        ids = [str(line.line), *(s.assigned_id for s in line.schedules if s.assigned_id)]
        said = next((taken[line_id] for line_id in ids if line_id in taken), None)
        if said is None:
            return line
        return line.model_copy(update={"items": {q: n for q, n in line.items.items() if q in said and n in said}})

    return sent.model_copy(update={"lines": tuple(lost(line) for line in sent.lines)})
