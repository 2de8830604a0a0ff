"""The 850 as a neutral tree: header, one PO1 per line (or release), totals."""

from __future__ import annotations

from typing import Literal

from plexstedi.edi.guide.capacity import Room, placement_for
from plexstedi.edi.outbound.build_parts import Builder, order_type, pairs
from plexstedi.edi.outbound.built import Built
from plexstedi.edi.outbound.view import DocumentLine, OrderView, document_lines
from plexstedi.edi.partner import Partner
from plexstedi.edi.reasons import Held, Reason
from plexstedi.edi.settings import PurchaseOrderTypes
from plexstedi.edi.x12.elements import ITEM_PAIRS_FROM
from plexstedi.edi.x12.transaction import Loop, Transaction, segment

Purpose = Literal["00", "05", "07", "15"]
"""BEG01 (element 353): original, replace, duplicate, resubmission."""


def build_850(seen: OrderView, partner: Partner, room: Room, purpose: Purpose) -> Built | Held:
    """The order as an 850; Held if a text has no room."""
    builder = Builder(partner, room, "850")
    document = partner.settings.document_850
    types = document.po_type if document is not None else PurchaseOrderTypes()
    kind = order_type(seen.kind, types, placement_for(room, "heading", (), "BEG"), builder.table())
    if isinstance(kind, Reason):
        builder.reasons.append(kind)
        kind = ""
    begin = segment(
        "BEG",
        e01=purpose,
        e02=kind,
        e03=seen.number,
        e04=seen.release,
        e05=seen.order_date,
        e07=partner.settings.acknowledgment_type,
    )
    lines = document_lines(seen)
    heading = (begin, *builder.order_heading(seen))
    detail = tuple(_line(builder, line, seen) for line in lines)
    if not lines:
        builder.held(
            "order-empty",
            "order",
            f"order {seen.number} has no line with a firm quantity",
            "Release its lines in Plex, or cancel it",
        )
    summary = (builder.totals(len(lines), (line.quantity for line in lines), seen.total()),)
    if builder.reasons:
        return Held(tuple(dict.fromkeys(builder.reasons)))
    return builder.built(Transaction("850", partner.settings.release, heading, detail, summary), seen)


def _line(builder: Builder, line: DocumentLine, seen: OrderView) -> Loop:
    head = segment(
        "PO1",
        e01=line.id,
        e02=line.quantity,
        e03=line.line.unit,
        **builder.price_elements(line.line.price, line.line.price_basis, (4, 5)),
        **pairs(line.line.items, ITEM_PAIRS_FROM["PO1"]),
    )
    return Loop("PO1", (head, *builder.line_tail(line, "PO1", seen, dated=True)))
