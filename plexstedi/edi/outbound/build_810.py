"""Build the 810 of a customer invoice as a neutral tree (RULES.md Sending 8)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

from msgspec.structs import replace

from plexstedi.edi.advice import quoted, write
from plexstedi.edi.guide.capacity import Capacity, placement_for
from plexstedi.edi.guide.need import Facts
from plexstedi.edi.invoice import Invoice, InvoiceLine
from plexstedi.edi.outbound.build_parts import Builder, pairs
from plexstedi.edi.outbound.built import Built
from plexstedi.edi.outbound.notes import note_form
from plexstedi.edi.outbound.prices import document_price, document_quantity, line_units, price_placement
from plexstedi.edi.partner import Partner
from plexstedi.edi.reasons import Dropped, Held, Reason
from plexstedi.edi.settings import by_plex_name
from plexstedi.edi.units import plain, product, total_of
from plexstedi.edi.x12.elements import ITEM_PAIRS_FROM
from plexstedi.edi.x12.transaction import Loop, Node, Segment, Transaction, segment

_OWN_ROLES = ("SE", "SU", "VN", "RI")
"""Element 98 codes for our side as the biller, best first: seller, supplier, vendor, remit-to."""
_CUSTOMER_ROLES = ("BT", "BY")
_CENT = Decimal("0.01")
_ALL_TAXES = "TX"
"""TXI01 for all taxes: Plex only has tax names, no codes, so their sum is sent as one amount."""


def build_810(invoice: Invoice, partner: Partner, capacity: Capacity) -> Built | Held:
    """Build the 810; Held if the invoice is void, its amounts do not add up, or a value cannot be expressed."""
    builder = Builder(partner, capacity, "810")
    if invoice.void:
        builder.held("invoice-void", "order", f"invoice {invoice.number} is void in Plex", "Nothing to send")
    if not invoice.customer_order:
        message = f"invoice {invoice.number} has no customer order number"
        builder.held("order-number-missing", "order", message, "Set the customer's PO number in Plex")
    lines = tuple(_line(builder, line) for line in invoice.lines)
    if not lines:
        builder.held("invoice-empty", "order", f"invoice {invoice.number} has no lines", "Check it in Plex")
    total = _total(builder, invoice)
    heading = _heading(builder, invoice, builder.dropped)
    quantities = [quantity for line in lines if isinstance(quantity := line.head.get(2), Decimal)]
    hash_total = builder.hash_total(quantities)
    if builder.reasons:
        return Held(tuple(dict.fromkeys(builder.reasons)))
    summary: list[Node] = [segment("TDS", e01=total)]
    tax = _tax(invoice)
    if tax:
        summary.append(segment("TXI", e01=_ALL_TAXES, e02=tax))
    summary.append(segment("CTT", e01=Decimal(len(lines)), e02=hash_total))
    transaction = Transaction("810", partner.settings.release, heading, lines, tuple(summary))
    cleaner = builder.cleaner
    return Built(
        transaction,
        dropped=tuple(builder.dropped),
        adjusted=tuple(dict.fromkeys(cleaner.adjusted)),
        facts=Facts(
            terms=invoice.terms,
            ship_to=invoice.ship_to,
            units={str(line.number): line.unit or "" for line in invoice.lines},
        ),
        unfit_texts=tuple(cleaner.unfit_texts),
    )


def _heading(builder: Builder, invoice: Invoice, dropped: list[Dropped]) -> tuple[Node, ...]:
    settings, clean = builder.settings, builder.cleaner.clean
    nodes: list[Node] = [
        segment(
            "BIG",
            e01=invoice.invoice_date,
            e02=clean(invoice.number, "order"),
            e03=invoice.order_date,
            e04=clean(invoice.customer_order, "order"),
            e07=_type(builder.capacity, invoice),
        )
    ]
    currency = clean(invoice.currency, "order")
    if currency:
        nodes.append(segment("CUR", e01="SE", e02=currency))
    nodes += builder.references()
    nodes += builder.order_date("heading", (), invoice.order_date)
    nodes += _parties(builder, invoice)
    terms = by_plex_name(settings.terms, invoice.terms)
    if terms is not None or invoice.due is not None:
        nodes.append(
            segment(
                "ITD",
                e01=terms.type if terms else None,
                e02=terms.basis_date if terms else None,
                e03=terms.discount_percent if terms else None,
                e05=Decimal(terms.discount_days) if terms and terms.discount_days is not None else None,
                e06=invoice.due,
                e07=Decimal(terms.net_days) if terms and terms.net_days is not None else None,
                e12=clean(terms.description, "terms") if terms else None,
            )
        )
    if invoice.terms and terms is None:
        why = f'no entry "{invoice.terms}" in `terms`'
        dropped.append(Dropped(where="order", fact="payment terms", value=invoice.terms, why=why))
    note = clean(invoice.note, "order")
    if note and note_form(builder.capacity, "heading", (), settings.release) is None:
        if settings.notes == "required":
            fix = "Clear the note in Plex, or " + write(builder.partner_table(), "notes", quoted("optional"))
            builder.held("note-without-place", "order", f"the guide has no place for the note {note!r}", fix)
        dropped.append(Dropped(where="order", fact="note", value=note, why="no place for it in the 810"))
    else:
        nodes += builder.note("heading", (), note, "order")
    return tuple(nodes)


def _type(capacity: Capacity, invoice: Invoice) -> str | None:
    """BIG07 (element 640): CR for a credit memo; DI for an invoice only where the guide requires it."""
    if invoice.credit:
        return "CR"
    placement = placement_for(capacity, "heading", (), "BIG")
    return "DI" if placement is not None and 7 in placement.required and placement.allows(7, "DI") else None


def _parties(builder: Builder, invoice: Invoice) -> list[Node]:
    partner, company = builder.partner, builder.partner.company
    parties: list[Node] = []
    if invoice.ship_to:
        parties.append(builder.ship_to_party(invoice.ship_to, "heading", ()))
    if company.name or company.code or company.duns or partner.settings.supplier_account:
        own = replace(company, code=partner.settings.supplier_account or company.code)
        parties.append(builder.party(_role(builder.capacity, _OWN_ROLES), own, own.name, "company", "heading", ()))
    if partner.name:
        role = _role(builder.capacity, _CUSTOMER_ROLES)
        head: Segment = segment("N1", e01=role, e02=builder.cleaner.clean(partner.name, "customer name"))
        parties.append(Loop("N1", (head, *builder.partner_address())))
    return parties


def _role(capacity: Capacity, roles: Sequence[str]) -> str:
    return next(
        (role for role in roles if placement_for(capacity, "heading", (), "N1", {1: role}) is not None), roles[0]
    )


def _line(builder: Builder, line: InvoiceLine) -> Loop:
    where = f"line {line.number}"
    items, clean = builder.settings.items, builder.cleaner.clean
    numbers = [(items.supplier_part, line.part.number if line.part else None), (items.part, line.customer_part)]
    items_sent = [(q, text) for q, number in numbers if q and number and (text := clean(number, where))]
    elements = {"e01": str(line.number), **pairs(items_sent, ITEM_PAIRS_FROM["IT1"])}
    apart: list[Node] = []
    units = line_units(line.unit, None, builder.settings, where, f"{builder.partner_table()}.units")
    if line.price is None:
        builder.held("price-missing", where, "Plex has no price for this line", "Set the price in Plex (0 is a price)")
    if isinstance(units, Reason):
        builder.reasons.append(units)
    elif line.price is not None:
        at = price_placement(builder.capacity, "IT1")
        price = document_price(line.price, units, at.placement, at.basis, where)
        if isinstance(price, Reason):
            builder.reasons.append(price)
        else:
            elements |= builder.price_elements(price.price, price.basis, (4, 5))
            apart = builder.price_apart(price.price, price.basis, units.quantity.unit)
        elements |= {"e02": document_quantity(line.quantity, units), "e03": units.quantity.unit}
    description = clean(line.description, where)
    tail = builder.description(description, ("IT1",), where) if description else []
    return Loop("IT1", (segment("IT1", **elements), *apart, *builder.line_references(), *tail))


def _tax(invoice: Invoice) -> Decimal:
    return total_of(*(tax.amount for tax in (*invoice.taxes, *(t for line in invoice.lines for t in line.taxes))))


def _total(builder: Builder, invoice: Invoice) -> Decimal:
    """TDS01: the sum of lines and taxes. Must equal the total in Plex and be in whole cents."""
    amounts: list[Decimal] = []
    for line in invoice.lines:
        exact = product(line.quantity, line.price) if line.price is not None else Decimal(0)
        amount = exact if line.amount is None else line.amount
        roundings = {exact.quantize(_CENT, ROUND_HALF_UP), exact.quantize(_CENT, ROUND_HALF_EVEN), exact}
        if line.price is not None and amount not in roundings:
            builder.held(
                "amount-differs",
                f"line {line.number}",
                f"Plex bills {plain(amount)}, {plain(line.quantity)} at {plain(line.price)} make {plain(exact)}",
                "Correct the invoice in Plex, or send it outside EDI",
            )
        amounts.append(amount)
    total = total_of(*amounts, _tax(invoice))
    if invoice.total is not None and plain(invoice.total) != total:
        builder.held(
            "total-differs",
            "order",
            f"Plex bills {plain(invoice.total)} altogether, lines and taxes add up to {total}",
            "Correct the invoice in Plex, or send it outside EDI",
        )
    if total != total.quantize(_CENT, ROUND_HALF_UP):
        builder.held(
            "total-not-in-cents", "order", f"the total {total} is not in whole cents", "Correct the prices in Plex"
        )
    return total
