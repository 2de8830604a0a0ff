"""Build the finished document for an action: the only entry point for 850, 860 and 810. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Literal, assert_never

from msgspec import Struct
from msgspec.structs import replace

from plexstedi.edi.advice import partner_table
from plexstedi.edi.guide.base_names import GuideJson, base_json
from plexstedi.edi.guide.binding import Unbound, bind, unreadable
from plexstedi.edi.guide.model import capacity_for
from plexstedi.edi.guide.need import Sources
from plexstedi.edi.guide.schema import GuideUnreadableError
from plexstedi.edi.invoice import Invoice
from plexstedi.edi.order import Order
from plexstedi.edi.outbound.actions import Cancel860, Change860, Replace850, Send850
from plexstedi.edi.outbound.build_810 import build_810
from plexstedi.edi.outbound.build_850 import Purpose, build_850
from plexstedi.edi.outbound.build_860 import build_cancel, build_change
from plexstedi.edi.outbound.build_view import build_view
from plexstedi.edi.outbound.built import Built
from plexstedi.edi.outbound.changes import header_changes, line_changes
from plexstedi.edi.outbound.dates import due_codes, impossible_dates, impossible_invoice_dates
from plexstedi.edi.outbound.text import unfit_as_sent
from plexstedi.edi.outbound.unsent_lines import change_without_place, unlisted_line_changes, unsent_line_changes
from plexstedi.edi.outbound.view import LineView, OrderView, sent_order
from plexstedi.edi.partner import Partner
from plexstedi.edi.reasons import Dropped, Held, Reason
from plexstedi.edi.sent import SentLine, SentOrder
from plexstedi.edi.settings import ScheduleAs
from plexstedi.edi.stream import StreamKey, order_of_stream
from plexstedi.edi.x12.limits import beyond_limits, placed_segments
from plexstedi.edi.x12.transaction import Loop, Transaction

__all__ = ["DocumentKind", "Prepared", "Sendable", "prepare", "prepare_invoice"]

Sendable = Send850 | Replace850 | Change860 | Cancel860


_NOTHING_RECEIVED: Mapping[str, Decimal] = MappingProxyType({})


class Renderings:
    """Views and 850s of an order's revisions for one partner, each built once."""

    def __init__(self, partner: Partner) -> None:
        self.partner = partner
        self._views: list[tuple[Order, str, StreamKey, ScheduleAs | None, OrderView | Held]] = []
        self._orders: list[tuple[OrderView, Purpose, Prepared | Held]] = []

    def view(
        self, order: Order, set_id: Literal["850", "860"], stream: StreamKey, schedule: ScheduleAs | None = None
    ) -> OrderView | Held:
        """View of the revision in a document of this set. Raise GuideUnreadableError."""
        for known, *key, view in self._views:
            if known is order and key == [set_id, stream, schedule]:
                return view
        view = build_view(order, self.partner, capacity_for(self.partner, set_id), set_id, stream, schedule)
        self._views.append((order, set_id, stream, schedule, view))
        return view

    def whole(self, view: OrderView, purpose: Purpose) -> Prepared | Held:
        """The 850 of a view, with this BEG01. Raise GuideUnreadableError."""
        for known, with_purpose, prepared in self._orders:
            if with_purpose == purpose and known == view:
                return prepared
        built = build_850(view, self.partner, capacity_for(self.partner, "850"), purpose)
        prepared = built if isinstance(built, Held) else finish_order("850", built, self.partner, view, ())
        self._orders.append((view, purpose, prepared))
        return prepared

    def order(self, order: Order, stream: StreamKey, purpose: Purpose) -> Prepared | Held:
        """The 850 of a revision. Raise GuideUnreadableError."""
        view = self.view(order, "850", stream)
        return view if isinstance(view, Held) else self.whole(view, purpose)

    def visible(self, view: OrderView) -> dict[str, GuideJson] | None:
        """Guide JSON of the whole order as it would be sent now; None if it could not be sent.

        A value without a place in the guide is not in it, so a change of that value alone is not sent.
        """
        shown = self.whole(view, "00")
        return None if isinstance(shown, Held) else shown.guide_json


def prepare(
    due: Sendable,
    renderings: Renderings,
    *,
    change_sequence: int,
    revision_seen: date,
    received: Mapping[str, Decimal] | None = _NOTHING_RECEIVED,
) -> Prepared | Held:
    """Build the document for an action, or Held if it cannot be expressed faithfully.

    `change_sequence` is BCH05, counted from 1 per stream. `revision_seen` is the modification date in Plex when this
    revision was first read (BCH11). `received` is the quantity received so far by Plex line id, in the unit ordered
    (POC04); None if unknown. Held names line, value and fix.
    """
    # A cancellation repeats no dates, so implausible dates of the order do not hold it.
    wrong = () if isinstance(due, Cancel860) else impossible_dates(order_of_stream(due.order, due.stream))
    prepared = _prepare(due, renderings, change_sequence, revision_seen, received)
    if not wrong:
        return prepared
    return Held((*wrong, *(prepared.reasons if isinstance(prepared, Held) else ())))


def _prepare(
    due: Sendable,
    renderings: Renderings,
    change_sequence: int,
    revision_seen: date,
    received: Mapping[str, Decimal] | None,
) -> Prepared | Held:
    try:
        match due:
            case Send850():
                return renderings.order(due.order, due.stream, due.purpose)
            case Replace850():
                return renderings.order(due.order, due.stream, "05")
            case Change860():
                return _prepare_change(due, renderings, change_sequence, revision_seen, received)
            case Cancel860():
                return _prepare_cancel(due, renderings, change_sequence, revision_seen)
            case _:
                assert_never(due)
    except GuideUnreadableError as error:
        return Held((unreadable("860" if isinstance(due, Change860 | Cancel860) else "850", error),))


def prepare_invoice(invoice: Invoice, partner: Partner) -> Prepared | Held:
    """Build the 810 of an invoice, or Held. `sent` of the result has the invoice number and no lines."""
    try:
        built = build_810(invoice, partner, capacity_for(partner, "810"))
    except GuideUnreadableError as error:
        return Held((unreadable("810", error),))
    wrong = impossible_invoice_dates(invoice)
    if isinstance(built, Held):
        return Held((*wrong, *built.reasons))
    prepared = finish("810", built, partner, SentOrder(number=invoice.number, lines=()))
    return Held((*wrong, *(prepared.reasons if isinstance(prepared, Held) else ()))) if wrong else prepared


def _views_for_860(
    orders: tuple[Order, Order], stream: StreamKey, renderings: Renderings
) -> tuple[OrderView, OrderView] | Held:
    """Views of both revisions in an 860, with releases in the form of the first document."""
    first = renderings.view(orders[0], "850", stream)
    if isinstance(first, Held):
        return first
    # Line ids depend on the form of releases, so the 860 has to use that of the 850 that the supplier has.
    before = renderings.view(orders[0], "860", stream, first.schedule)
    after = renderings.view(orders[1], "860", stream, first.schedule)
    if isinstance(after, Held):
        return after
    return before if isinstance(before, Held) else (before, after)


def _prepare_change(
    due: Change860, renderings: Renderings, sequence: int, revised: date, received: Mapping[str, Decimal] | None
) -> Prepared | Held:
    partner = renderings.partner
    views = _views_for_860((due.has, due.order), due.stream, renderings)
    if isinstance(views, Held):
        return views
    before, after = views
    capacity = capacity_for(partner, "860")
    built = build_change(before, after, partner, capacity, sequence=sequence, revised=revised, received=received)
    # The same 860 with the values before the change: what is equal in both has no place in the 860.
    same = build_change(
        before, after, partner, capacity, sequence=sequence, revised=revised, received=received, as_before=True
    )
    if isinstance(built, Held):
        return built
    # By number: a line that was entered again under its number continues, whatever its Plex id is now.
    kept = {line.number for line in after.lines}
    removed = tuple(line for line in before.lines if line.number not in kept)
    prepared = finish_order("860", built, partner, after, removed)
    unchanged = same if isinstance(same, Held) else finish_order("860", same, partner, before, ())
    if isinstance(prepared, Held) or isinstance(unchanged, Held):
        return prepared
    unsent = _unsent_header_changes(before, after, prepared, unchanged, renderings)
    lines = unsent_line_changes(before, after, capacity, prepared.transaction, unchanged.transaction)
    if unsent is None and not lines and not prepared.transaction.detail and not header_changes(before, after):
        lines = _unlisted(due, renderings)
    reasons = (*(() if unsent is None else (unsent,)), *lines)
    return Held(reasons) if reasons else prepared


def _unlisted(due: Change860, renderings: Renderings) -> tuple[Reason, ...]:
    """Reasons for line changes visible in the 850, for an 860 without any change."""
    was, becomes = (renderings.view(order, "850", due.stream) for order in (due.has, due.order))
    if isinstance(was, Held) or isinstance(becomes, Held):
        return ()
    return unlisted_line_changes(line_changes(was, becomes))


def _unsent_header_changes(
    before: OrderView, after: OrderView, prepared: Prepared, unchanged: Prepared, renderings: Renderings
) -> Reason | None:
    """Reason for a header change that is visible in the 850 but has no place in the 860."""
    facts = header_changes(before, after)
    if prepared.guide_json["heading"] != unchanged.guide_json["heading"] or not facts:
        return None
    if prepared.transaction.detail:
        facts = tuple(fact for fact in facts if fact != "note")
        was, becomes = renderings.visible(before), renderings.visible(after)
        if not facts or (was is not None and becomes is not None and was["heading"] == becomes["heading"]):
            return None
    return change_without_place("order", facts)


def _prepare_cancel(due: Cancel860, renderings: Renderings, sequence: int, revised: date) -> Prepared | Held:
    partner = renderings.partner
    views = _views_for_860((due.has, due.has), due.stream, renderings)
    if isinstance(views, Held):
        return views
    view = views[0]
    built = build_cancel(view, partner, capacity_for(partner, "860"), sequence=sequence, revised=revised)
    if isinstance(built, Held):
        return built
    return finish_order("860", built, partner, replace(view, lines=()), view.lines)


DocumentKind = Literal["850", "860", "810"]


class Prepared(Struct, frozen=True):
    """A finished document, ready to be frozen and sent."""

    kind: DocumentKind
    transaction: Transaction
    """As sent: without values that have no place."""
    guide_json: dict[str, GuideJson]
    """heading, detail, summary: the transaction as Guide JSON."""
    sent: SentOrder
    dropped: tuple[Dropped, ...]
    adjusted: tuple[str, ...]
    """Texts that were adjusted, and how (RULES.md Sending 7)."""


def finish_order(
    kind: DocumentKind, built: Built, partner: Partner, view: OrderView, removed: tuple[LineView, ...]
) -> Prepared | Held:
    """Finish the document of an order; its `sent` keeps `removed` lines at quantity zero."""
    return finish(kind, built, partner, sent_order(view, removed))


def finish(kind: DocumentKind, built: Built, partner: Partner, sent: SentOrder) -> Prepared | Held:
    """Bind to the guide or the base names, then check lengths and characters of what is sent; Held with all reasons.

    Values without a place in the guide are not sent and therefore not checked (RULES.md Sending 7).
    """
    transaction = built.transaction
    schema = partner.guides.get(kind)
    if schema is None:
        unfit = _unfit(transaction, built, partner)
        if unfit:
            return Held(unfit)
        return Prepared(kind, transaction, base_json(transaction), sent, built.dropped, built.adjusted)
    settings = partner.settings
    # Bind first: only then is it known which values are sent and need to fit.
    bound = bind(transaction, schema, Sources(kind, partner.code, settings, due_codes(settings, kind), built.facts))
    if isinstance(bound, Unbound):
        return Held(tuple(dict.fromkeys((*_unfit(bound.transaction, built, partner), *bound.reasons))))
    unfit = _unfit(bound.transaction, built, partner)
    if unfit:
        return Held(unfit)
    # Acknowledgments can only repeat item numbers that were sent, so dropped ones are not stored as sent.
    dropped = (*built.dropped, *bound.dropped)
    return Prepared(kind, bound.transaction, bound.json, _as_bound(sent, bound.transaction), dropped, built.adjusted)


def _unfit(sent: Transaction, built: Built, partner: Partner) -> tuple[Reason, ...]:
    table = partner_table(sent.set_id, partner.code, "text")
    placed = placed_segments(sent)
    texts = unfit_as_sent(placed, built.unfit_texts, partner.settings.text, table)
    return tuple(dict.fromkeys((*beyond_limits(placed, sent.release), *texts)))


def _as_bound(sent: SentOrder, transaction: Transaction) -> SentOrder:
    """The order as sent, with only the item numbers that the guide accepted."""
    taken = {
        loop.head.text(1): {str(value) for value in loop.head.elements if value is not None}
        for loop in transaction.detail
        if isinstance(loop, Loop)
    }

    def lost(line: SentLine) -> SentLine:
        ids = [str(line.line), *(s.assigned_id for s in line.schedules if s.assigned_id)]
        sent_items = next((taken[line_id] for line_id in ids if line_id in taken), None)
        if sent_items is None:
            return line
        items = {q: n for q, n in line.items.items() if q in sent_items and n in sent_items}
        return line if len(items) == len(line.items) else replace(line, items=items)

    return replace(sent, lines=tuple(lost(line) for line in sent.lines))


def with_descriptions_of(view: OrderView, other: OrderView) -> OrderView:
    """The view with part descriptions of `other`: master data is not a change of the order."""
    known = {line.id: line.description for line in other.lines}
    lines = tuple(
        line if line.description_counts or line.id not in known else replace(line, description=known[line.id])
        for line in view.lines
    )
    return replace(view, lines=lines)
