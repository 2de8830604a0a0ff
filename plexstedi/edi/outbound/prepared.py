"""A document ready to be frozen and sent: limits kept, bound to the guide or named by the base names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from plexstedi.edi.advice import partner_table
from plexstedi.edi.guide.base_names import GuideJson, base_json
from plexstedi.edi.guide.binding import Unbound, bind
from plexstedi.edi.guide.need import Sources
from plexstedi.edi.outbound.built import Built
from plexstedi.edi.outbound.dates import due_codes
from plexstedi.edi.outbound.dropped import Dropped
from plexstedi.edi.outbound.limits import beyond_limits, placed_segments
from plexstedi.edi.outbound.text import unfit_as_sent
from plexstedi.edi.outbound.view import SeenLine, SeenOrder, sent_order
from plexstedi.edi.partner import Partner
from plexstedi.edi.reasons import Held, Reason
from plexstedi.edi.sent import SentLine, SentOrder
from plexstedi.edi.x12.transaction import Loop, Transaction

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
    """Texts that were written differently, and how (RULES.md Sending 7)."""


def finish_order(
    kind: DocumentKind, built: Built, partner: Partner, seen: SeenOrder, removed: tuple[SeenLine, ...]
) -> Prepared | Held:
    """The document of an order, with what the supplier knows after it; `removed` lines are kept at quantity zero."""
    return finish(kind, built, partner, sent_order(seen, removed))


def finish(kind: DocumentKind, built: Built, partner: Partner, sent: SentOrder) -> Prepared | Held:
    """The guide or the base names first, then lengths and characters of what is sent; Held with all that refuses.

    What has no place in the guide is not sent, so nothing is asked of it (RULES.md Sending 7).
    """
    transaction = built.transaction
    schema = partner.guides.get(kind)
    if schema is None:
        unfit = _unfit(transaction, built, partner)
        if unfit:
            return Held(unfit)
        return Prepared(kind, transaction, base_json(transaction), sent, built.dropped, built.adjusted)
    settings = partner.settings
    bound = bind(transaction, schema, Sources(kind, partner.code, settings, due_codes(settings, kind), built.facts))
    if isinstance(bound, Unbound):
        return Held(tuple(dict.fromkeys((*_unfit(bound.transaction, built, partner), *bound.reasons))))
    unfit = _unfit(bound.transaction, built, partner)
    if unfit:
        return Held(unfit)
    dropped = (*built.dropped, *bound.dropped)
    return Prepared(kind, bound.transaction, bound.json, _as_bound(sent, bound.transaction), dropped, built.adjusted)


def _unfit(sent: Transaction, built: Built, partner: Partner) -> tuple[Reason, ...]:
    table = partner_table(sent.set_id, partner.code, "text")
    texts = unfit_as_sent(placed_segments(sent), built.doubts, partner.settings.text, table)
    return tuple(dict.fromkeys((*beyond_limits(sent), *texts)))


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
