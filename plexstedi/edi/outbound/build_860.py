"""Build the 860 as a neutral tree: the net change since the last document, or the cancellation of the order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from plexstedi.edi.advice import quoted, sentence, write
from plexstedi.edi.guide.capacity import Capacity, placement_for
from plexstedi.edi.outbound.build_parts import Builder, order_type, pairs
from plexstedi.edi.outbound.built import Built
from plexstedi.edi.outbound.changes import AcceptedCodes, Coded, LineChange, coded, line_changes
from plexstedi.edi.outbound.view import DocumentLine, OrderView, document_lines
from plexstedi.edi.partner import Partner
from plexstedi.edi.reasons import Held, Reason
from plexstedi.edi.settings import QuantityLeft
from plexstedi.edi.units import plain, product, total_of
from plexstedi.edi.x12.elements import ITEM_PAIRS_FROM
from plexstedi.edi.x12.transaction import Composite, Loop, Node, Segment, Transaction, segment

CHANGE, CANCEL = "04", "01"
"""BCH01 (element 353)."""


def build_change(
    before: OrderView,
    after: OrderView,
    partner: Partner,
    capacity: Capacity,
    *,
    sequence: int,
    revised: date,
    received: Mapping[str, Decimal] | None,
    as_before: bool = False,
) -> Built | Held:
    """Build the 860 from `before` to `after`. Held if the supplier accepts no code for a change.

    `sequence` is BCH05, from 1. `revised` is BCH11, the day on which the revision was first read. `received` is the
    quantity received so far by Plex line id, in the unit ordered; None if unknown. `as_before`: with the values before
    the change, to compare: what is equal in both is not in the 860.
    """
    builder = Builder(partner, capacity, "860")
    taken = _accepted_codes(builder)
    found = [coded(change, taken) for change in line_changes(before, after)]
    builder.reasons += [item for item in found if isinstance(item, Reason)]
    coded_changes = [item for item in found if isinstance(item, Coded)]
    view = before if as_before else after
    if as_before:
        coded_changes = [_as_before(item) for item in coded_changes]
    detail = tuple(_line(builder, item, view, received) for item in coded_changes)
    return _finished(builder, view, CHANGE, sequence, revised, detail, view.total())


def _as_before(item: Coded) -> Coded:
    was = item.change.before
    if was is None or item.change.after is None:
        return item
    return replace(item, change=replace(item.change, after=was))


def build_cancel(
    view: OrderView, partner: Partner, capacity: Capacity, *, sequence: int, revised: date
) -> Built | Held:
    """Build the 860 that cancels the order as sent (BCH01 01); lists deleted lines only where POC is required."""
    builder = Builder(partner, capacity, "860")
    detail: tuple[Loop, ...] = ()
    placements = capacity.placements("detail", (), "POC")
    # BCH01 01 cancels the whole order; lines are listed only for guides that cannot do without POC.
    if any(placement.must for placement in placements):
        taken = _accepted_codes(builder)
        gone = [coded(LineChange(line, None, frozenset()), taken) for line in document_lines(view)]
        builder.reasons += [item for item in gone if isinstance(item, Reason)]
        detail = tuple(_line(builder, item, view, {}) for item in gone if isinstance(item, Coded))
    return _finished(builder, view, CANCEL, sequence, revised, detail, None)


def _accepted_codes(builder: Builder) -> AcceptedCodes:
    placement = placement_for(builder.capacity, "detail", (), "POC")
    listed = None if placement is None else placement.codes.get(2)
    return AcceptedCodes(builder.settings.change_codes, listed, builder.partner_table())


def _finished(
    builder: Builder,
    view: OrderView,
    purpose: str,
    sequence: int,
    revised: date,
    detail: tuple[Loop, ...],
    amount: Decimal | None,
) -> Built | Held:
    settings = builder.settings
    document = settings.document("860")
    kind = order_type(
        view.kind, document.po_type, placement_for(builder.capacity, "heading", (), "BCH"), builder.table()
    )
    if isinstance(kind, Reason):
        builder.reasons.append(kind)
        kind = ""
    begin = segment(
        "BCH",
        e01=purpose,
        e02=kind,
        e03=view.number,
        e04=view.release,
        e05=str(sequence),
        e06=view.order_date,
        e11=revised,
    )
    heading: tuple[Node, ...] = (begin, *builder.order_heading(view))
    wants_amount = (
        builder.capacity.by_guide and placement_for(builder.capacity, "summary", ("CTT",), "AMT", {1: "TT"}) is not None
    )
    quantities = [quantity for loop in detail if isinstance(quantity := loop.head.get(3), Decimal)]
    summary = builder.totals(len(detail), quantities, amount if wants_amount else None)
    if builder.reasons:
        return Held(tuple(dict.fromkeys(builder.reasons)))
    return builder.built(Transaction("860", settings.release, heading, detail, (summary,)), view)


def _line(builder: Builder, item: Coded, view: OrderView, received: Mapping[str, Decimal] | None) -> Loop:
    line = item.change.after or item.change.before
    if line is None:
        raise ValueError("a change without lines")
    deleted = item.change.after is None
    head: Segment = segment(
        "POC",
        e01=item.change.id,
        e02=item.code,
        e03=Decimal(0) if deleted else line.quantity,
        e04=_left_to_receive(builder, item, line, view, received),
        e05=Composite((line.line.unit,)),
        **builder.price_elements(line.line.price, line.line.price_basis, (6, 7)),
        **pairs(line.line.items, ITEM_PAIRS_FROM["POC"]),
    )
    tail = builder.line_tail(_with_ship_to(item, line, view), "POC", view, dated=item.lists_schedule)
    return Loop("POC", (head, *tail))


def _with_ship_to(item: Coded, line: DocumentLine, view: OrderView) -> DocumentLine:
    """The line with the heading's ship-to if it had its own before: an absent N1 would leave it at the old one."""
    was = item.change.before
    is_back = was is not None and was.ship_to is not None and line.ship_to is None
    return replace(line, ship_to=view.ship_to) if is_back else line


def _left_to_receive(
    builder: Builder, item: Coded, line: DocumentLine, view: OrderView, received: Mapping[str, Decimal] | None
) -> Decimal | None:
    """POC04, only where the guide requires it (RULES.md Sending 8); held where it cannot be computed.

    POC03 if nothing was received; 0 for a deleted line.
    """
    placement = placement_for(builder.capacity, "detail", (), "POC", {2: item.code})
    if placement is None or 4 not in placement.required:
        return None
    if item.change.after is None:
        return Decimal(0)
    came = product((received or {}).get(line.line.id, Decimal(0)), line.line.factor)
    whole = view.release is None and len(line.releases) == len(line.line.releases)
    marked = next((r.number for r in line.releases if r.received), None)
    # An added line has receipts only if it was deleted and is ordered again.
    if item.change.before is None and marked is None and (came == 0 or not whole):
        return line.quantity
    where = f"line {line.id}"
    otherwise = "inform the supplier outside EDI and accept the hold"
    read = f"Check with `plexstedi check` that receipts can be read, or {otherwise}"
    if received is None:
        message = (
            "the guide requires the quantity left to receive (POC04), and the receipts could not be read from Plex"
        )
        builder.held("quantity-left", where, message, read)
        return None
    if came == 0 and marked is not None:
        message = (
            f"the guide requires the quantity left to receive (POC04); Plex has release {marked} as received and no "
            "receipt"
        )
        builder.held("quantity-left", where, message, read)
        return None
    if came == 0:
        return line.quantity
    taken = f"the guide requires the quantity left to receive (POC04), and {plain(came)} {line.line.unit} were received"
    if not whole:
        message = f"{taken}; receipts are known only for the whole line, and each release is sent separately"
        builder.held("quantity-left", where, message, sentence(otherwise))
        return None
    if builder.settings.document("860").quantity_left is QuantityLeft.HOLD:
        setting = write(builder.table(), "quantity_left", quoted("open"))
        message = f"{taken} of {plain(line.quantity)}"
        builder.held("quantity-left", where, message, f"{sentence(setting)} to send the difference, or {otherwise}")
        return None
    return max(Decimal(0), total_of(line.quantity, -came))
