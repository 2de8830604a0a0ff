"""Build the 850 as a neutral tree: header, one PO1 per line (or release), totals."""

from __future__ import annotations

from typing import Literal

from plexstedi.edi.guide.capacity import Capacity, placement_for
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


def build_850(view: OrderView, partner: Partner, capacity: Capacity, purpose: Purpose) -> Built | Held:
    """Build the 850 of an order; Held with every reason if it cannot be expressed."""
    builder = Builder(partner, capacity, "850")
    document = partner.settings.document_850
    types = document.po_type if document is not None else PurchaseOrderTypes()
    kind = order_type(view.kind, types, placement_for(capacity, "heading", (), "BEG"), builder.table())
    if isinstance(kind, Reason):
        builder.reasons.append(kind)
        kind = ""
    begin = segment(
        "BEG",
        e01=purpose,
        e02=kind,
        e03=view.number,
        e04=view.release,
        e05=view.order_date,
        e07=partner.settings.acknowledgment_type,
    )
    lines = document_lines(view)
    heading = (begin, *builder.order_heading(view))
    detail = tuple(_line(builder, line, view) for line in lines)
    if not lines:
        builder.held(
            "order-empty",
            "order",
            f"order {view.number} has no line with a firm quantity",
            "Release its lines in Plex, or cancel it",
        )
    summary = (builder.totals(len(lines), (line.quantity for line in lines), view.total()),)
    if builder.reasons:
        return Held(tuple(dict.fromkeys(builder.reasons)))
    return builder.built(Transaction("850", partner.settings.release, heading, detail, summary), view)


def _line(builder: Builder, line: DocumentLine, view: OrderView) -> Loop:
    head = segment(
        "PO1",
        e01=line.id,
        e02=line.quantity,
        e03=line.line.unit,
        **builder.price_elements(line.line.price, line.line.price_basis, (4, 5)),
        **pairs(line.line.items, ITEM_PAIRS_FROM["PO1"]),
    )
    if line.ship_to is not None:
        _check_ship_to(builder, line.ship_to, f"line {line.id}")
    return Loop("PO1", (head, *builder.line_tail(line, "PO1", view, dated=True)))


def _check_ship_to(builder: Builder, ship_to: str, where: str) -> None:
    """Hold a line with a ship-to of its own that could only go out under that of the heading."""
    role = {1: "ST"}
    if placement_for(builder.capacity, "heading", (), "N1", role) is None:
        return
    if placement_for(builder.capacity, "detail", ("PO1",), "N1", role) is None:
        message = f'the 850 guide has no place for its ship-to "{ship_to}"; the heading has one for all lines'
        fix = "Split the order in Plex by ship-to, or ask the supplier for N1 ST in the lines of its 850 guide"
        builder.held("ship-to-without-place", where, message, fix)
