"""From what is due to the document that goes: neutral tree, limits, Guide JSON, what was sent. Pure, no clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, assert_never

from plexstedi.edi.base_names import GuideJson, base_json
from plexstedi.edi.build_810 import build_810
from plexstedi.edi.build_850 import build_850
from plexstedi.edi.build_860 import build_cancel, build_change
from plexstedi.edi.dropped import Dropped
from plexstedi.edi.due import Cancel860, Change860, Replace850, Send850
from plexstedi.edi.guide import bind, unreadable
from plexstedi.edi.guide_schema import GuideUnreadableError
from plexstedi.edi.held import Held
from plexstedi.edi.invoice import Invoice
from plexstedi.edi.limits import beyond_limits
from plexstedi.edi.look import look
from plexstedi.edi.order import Order
from plexstedi.edi.partner import Partner
from plexstedi.edi.rooms import room_for
from plexstedi.edi.seen import SeenLine, SeenOrder, sent_order
from plexstedi.edi.sent import SentLine, SentOrder
from plexstedi.edi.stream import StreamKey
from plexstedi.edi.x12 import Loop, Transaction

DocumentKind = Literal["850", "860", "810"]
Sendable = Send850 | Replace850 | Change860 | Cancel860


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


def prepare(due: Sendable, partner: Partner, *, change_sequence: int, revision_seen: date) -> Prepared | Held:
    """The document that is due, or why it cannot go out faithfully.

    `change_sequence` is BCH05, counted from 1 for each stream. `revision_seen` is Plex's modified date when this
    revision was first seen (BCH11). Held names order line, value and fix.
    """
    try:
        match due:
            case Send850():
                return _prepare_850(due.order, due.stream, partner, due.purpose)
            case Replace850():
                return _prepare_850(due.order, due.stream, partner, "05")
            case Change860():
                return _prepare_change(due, partner, change_sequence, revision_seen)
            case Cancel860():
                return _prepare_cancel(due, partner, change_sequence, revision_seen)
            case _:
                assert_never(due)
    except GuideUnreadableError as error:
        return Held((unreadable("860" if isinstance(due, Change860 | Cancel860) else "850", error),))


def prepare_invoice(invoice: Invoice, partner: Partner) -> Prepared | Held:
    """The 810 of a customer invoice, or why it cannot go out faithfully. `sent` names the invoice and has no lines."""
    try:
        built = build_810(invoice, partner, room_for(partner, "810"))
    except GuideUnreadableError as error:
        return Held((unreadable("810", error),))
    if isinstance(built, Held):
        return built
    sent = SentOrder(number=invoice.number, lines=())
    return _finish("810", built.transaction, partner, sent, built.dropped, built.adjusted)


def _prepare_850(
    order: Order, stream: StreamKey, partner: Partner, purpose: Literal["00", "05", "07", "15"]
) -> Prepared | Held:
    room = room_for(partner, "850")
    seen = look(order, partner, room, "850", stream)
    if isinstance(seen, Held):
        return seen
    built = build_850(seen, partner, room, purpose)
    return built if isinstance(built, Held) else _finish_order("850", built, partner, seen, ())


def _views_for_860(
    orders: tuple[Order, Order], stream: StreamKey, partner: Partner
) -> tuple[SeenOrder, SeenOrder] | Held:
    """Both revisions as an 860 says them, with releases said as the first document did."""
    first = look(orders[0], partner, room_for(partner, "850"), "850", stream)
    if isinstance(first, Held):
        return first
    room = room_for(partner, "860")
    before = look(orders[0], partner, room, "860", stream, first.schedule)
    after = look(orders[1], partner, room, "860", stream, first.schedule)
    if isinstance(after, Held):
        return after
    return before if isinstance(before, Held) else (before, after)


def _prepare_change(due: Change860, partner: Partner, sequence: int, revised: date) -> Prepared | Held:
    views = _views_for_860((due.has, due.order), due.stream, partner)
    if isinstance(views, Held):
        return views
    before, after = views
    room = room_for(partner, "860")
    built = build_change(before, after, partner, room, sequence=sequence, revised=revised)
    if isinstance(built, Held):
        return built
    kept = {line.id for line in after.lines}
    removed = tuple(line for line in before.lines if line.id not in kept)
    return _finish_order("860", built, partner, after, removed)


def _prepare_cancel(due: Cancel860, partner: Partner, sequence: int, revised: date) -> Prepared | Held:
    views = _views_for_860((due.has, due.has), due.stream, partner)
    if isinstance(views, Held):
        return views
    seen = views[0]
    built = build_cancel(seen, partner, room_for(partner, "860"), sequence=sequence, revised=revised)
    if isinstance(built, Held):
        return built
    return _finish_order("860", built, partner, replace(seen, lines=()), seen.lines)


def _finish_order(
    kind: DocumentKind, built: Transaction, partner: Partner, seen: SeenOrder, removed: tuple[SeenLine, ...]
) -> Prepared | Held:
    return _finish(kind, built, partner, sent_order(seen, removed), seen.dropped, seen.adjusted)


def _finish(
    kind: DocumentKind,
    built: Transaction,
    partner: Partner,
    sent: SentOrder,
    dropped: tuple[Dropped, ...],
    adjusted: tuple[str, ...],
) -> Prepared | Held:
    """Limits, then the guide or the base names."""
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
