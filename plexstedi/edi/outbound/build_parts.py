"""Segments shared by 850, 860 and 810: parties, terms, dates, items, notes, totals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from plexstedi.edi.advice import partner_table, quoted, sentence, write
from plexstedi.edi.guide.capacity import Capacity, Placement, placement_for
from plexstedi.edi.outbound.built import Built
from plexstedi.edi.outbound.dates import ORDER_DATE, due_codes, due_qualifier, takes_order_date
from plexstedi.edi.outbound.notes import note_form, note_nodes
from plexstedi.edi.outbound.prices import PricePlacement, price_placement, price_segment
from plexstedi.edi.outbound.text import TextCleaner, split_words
from plexstedi.edi.outbound.view import DocumentLine, OrderKind, OrderView, document_lines
from plexstedi.edi.partner import Partner
from plexstedi.edi.reasons import Dropped, Reason
from plexstedi.edi.settings import Company, PurchaseOrderTypes, ScheduleAs, ShipTo, SupplierSettings, by_plex_name
from plexstedi.edi.units import total_of
from plexstedi.edi.x12.limits import limit
from plexstedi.edi.x12.sets import Section
from plexstedi.edi.x12.transaction import Loop, Node, Segment, Transaction, Value, segment

_SUPPLIER_ROLES = ("SU", "VN", "SE")
"""Element 98 codes for the supplier: supplier, vendor, seller. The first that the target accepts is used."""
_DESCRIPTION_LENGTH = 80
LINE_LOOPS = {"850": "PO1", "860": "POC", "810": "IT1"}
"""Line loop by transaction set."""


@dataclass(slots=True)
class Builder:
    """Shared state of building one document: target, settings, and reasons collected so far."""

    partner: Partner
    capacity: Capacity
    set_id: str
    reasons: list[Reason] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    cleaner: TextCleaner = field(init=False)
    price_at: PricePlacement = field(init=False)
    """Where the price of a line is, the same in all lines."""

    def __post_init__(self) -> None:
        self.price_at = price_placement(self.capacity, LINE_LOOPS[self.set_id])
        self.cleaner = TextCleaner(self.settings.text, partner_table(self.set_id, self.partner.code, "text"))

    @property
    def settings(self) -> SupplierSettings:
        """The partner's settings."""
        return self.partner.settings

    def partner_table(self) -> str:
        """Configuration table of the partner: `suppliers.ACME01`."""
        return partner_table(self.set_id, self.partner.code)

    def table(self) -> str:
        """Configuration table of the document: `suppliers.ACME01.850`."""
        return f"{self.partner_table()}.{self.set_id}"

    def held(self, code: str, where: str, message: str, fix: str) -> None:
        """Add a reason to hold the document."""
        self.reasons.append(Reason(code=code, where=where, message=message, fix=fix))

    def built(self, transaction: Transaction, view: OrderView) -> Built:
        """The document of an order with the omissions and adjustments collected while building."""
        return Built(
            transaction,
            dropped=(*view.dropped, *self.dropped),
            adjusted=tuple(dict.fromkeys((*view.adjusted, *self.cleaner.adjusted))),
            facts=replace(view.facts, units={line.id: line.line.plex_unit for line in document_lines(view)}),
            unfit_texts=(*view.unfit_texts, *self.cleaner.unfit_texts),
        )

    # -- header ---------------------------------------------------------------------------------------------------

    def order_heading(self, view: OrderView) -> tuple[Node, ...]:
        """All heading segments after BEG or BCH."""
        nodes: list[Node] = []
        if view.currency:
            nodes.append(segment("CUR", e01="BY", e02=view.currency))
        nodes += self.references()
        if view.freight:
            nodes.append(segment("FOB", e01=view.freight))
        nodes += self.terms(view)
        nodes += self.due("heading", (), view.due)
        nodes += self.order_date("heading", (), view.order_date)
        if view.routing:
            nodes.append(segment("TD5", e05=view.routing))
        nodes += self.note("heading", (), view.note, "order")
        nodes += self.order_parties(view)
        return tuple(nodes)

    def references(self) -> list[Node]:
        """REF segments from `references`: in the heading, unless only the lines have a place for them."""
        loop = LINE_LOOPS[self.set_id]
        return [
            self._reference(qualifier, value)
            for qualifier, value in self.settings.references.items()
            if self._reference_place("heading", (), qualifier) is not None
            or self._reference_place("detail", (loop,), qualifier) is None
        ]

    def line_references(self) -> list[Node]:
        """REF segments of a line: those without a place in the heading, and those that the guide requires per line."""
        found: list[Node] = []
        for qualifier, value in self.settings.references.items():
            placement = self._reference_place("detail", (LINE_LOOPS[self.set_id],), qualifier)
            if placement is not None and (placement.must or self._reference_place("heading", (), qualifier) is None):
                found.append(self._reference(qualifier, value))
        return found

    def _reference(self, qualifier: str, value: str) -> Segment:
        return segment("REF", e01=qualifier, e02=self.cleaner.clean(value, f"references.{qualifier}"))

    def _reference_place(self, section: Section, path: tuple[str, ...], qualifier: str) -> Placement | None:
        placement = placement_for(self.capacity, section, path, "REF", {1: qualifier})
        return placement if placement is not None and placement.has(2) else None

    def terms(self, view: OrderView) -> list[Node]:
        """ITD from the supplier's `terms` (RULES.md Sending 5)."""
        terms = view.terms
        if terms is None:
            return []
        days = terms.discount_days, terms.net_days
        return [
            segment(
                "ITD",
                e01=terms.type,
                e02=terms.basis_date,
                e03=terms.discount_percent,
                e05=None if days[0] is None else Decimal(days[0]),
                e07=None if days[1] is None else Decimal(days[1]),
                e12=self.cleaner.clean(terms.description, "terms"),
            )
        ]

    def due(self, section: Section, path: tuple[str, ...], due: date | None) -> list[Node]:
        """DTM with the due date, where there is a place for it (RULES.md Sending 6)."""
        if due is None or section == "summary":
            return []
        code = due_qualifier(self.capacity, due_codes(self.settings, self.set_id), section, path, "DTM", 1, 2)
        return [] if code is None else [segment("DTM", e01=code, e02=due)]

    def order_date(self, section: Section, path: tuple[str, ...], day: date | None) -> list[Node]:
        """DTM 004 with the order date, where the guide lists it."""
        if day is None or section == "summary" or not takes_order_date(self.capacity, section, path):
            return []
        return [segment("DTM", e01=ORDER_DATE, e02=day)]

    def note(self, section: Section, path: tuple[str, ...], note: str | None, where: str) -> Sequence[Node]:
        """The note in the first form that the target accepts; whether there is one was checked in `build_view`."""
        form = note_form(self.capacity, section, path, self.settings.release) if note else None
        if form is None or not note:
            return []
        nodes = note_nodes(note, form, where)
        if isinstance(nodes, Reason):
            self.reasons.append(nodes)
            return []
        return nodes

    # -- parties --------------------------------------------------------------------------------------------------

    def order_parties(self, view: OrderView) -> list[Node]:
        """N1 loops of an order: ship-to, supplier, buyer, bill-to."""
        parties: list[Node] = []
        if view.ship_to:
            parties.append(self.ship_to_party(view.ship_to, "heading", ()))
        parties += self.supplier_party()
        parties += [self.company_party(role) for role in ("BY", "BT") if _is_set(self.partner.company)]
        return parties

    def ship_to_party(self, name: str, section: Section, path: tuple[str, ...]) -> Node:
        """N1 ST from the supplier's `ship_to` table by Plex name; without an entry only the name."""
        known = by_plex_name(self.settings.ship_to, name) or ShipTo()
        return self.party("ST", known, known.name or name, f'ship_to."{name}"', section, path)

    def supplier_party(self) -> list[Node]:
        """N1 SU: supplier name, with our account number at the supplier or its D-U-N-S number."""
        settings, name = self.settings, self.partner.name
        codes = _codes(settings.supplier_account, settings.duns)
        if not name and not codes:
            return []
        placement = None
        for role in _SUPPLIER_ROLES:
            placement = placement_for(self.capacity, "heading", (), "N1", {1: role})
            if placement is not None:
                break
        else:
            role = _SUPPLIER_ROLES[0]
        qualifier, code = self._code_for(codes, "heading", (), role)
        head = segment("N1", e01=role, e02=self.cleaner.clean(name, "supplier name"), e03=qualifier, e04=code)
        return [Loop("N1", (head, *self.partner_address()))]

    def partner_address(self) -> list[Node]:
        """N3 and N4 of the partner's address in Plex."""
        at = self.partner.address
        if at is None:
            return []
        return self._address(
            at.street, at.city, at.state, at.postal_code, at.country, f"address of {self.partner.code}"
        )

    def company_party(self, role: str) -> Node:
        """N1 of our side, from `[company]`."""
        company = self.partner.company
        return self.party(role, company, company.name, "company", "heading", ())

    def party(
        self,
        role: str,
        entry: ShipTo | Company,
        name: str | None,
        where: str,
        section: Section,
        path: tuple[str, ...],
    ) -> Node:
        """N1 loop from a settings table with name, codes and address."""
        qualifier, code = self._code_for(_codes(entry.code, entry.duns), section, path, role)
        head = segment("N1", e01=role, e02=self.cleaner.clean(name, where), e03=qualifier, e04=code)
        street = (entry.street,) if isinstance(entry.street, str) else (entry.street or ())
        rest = self._address(street, entry.city, entry.state, entry.postal_code, entry.country, where)
        return Loop("N1", (head, *rest))

    def _code_for(
        self, codes: Sequence[tuple[str, str]], section: Section, path: tuple[str, ...], role: str
    ) -> tuple[str | None, str | None]:
        """The first code whose qualifier the target accepts; else the first one, which binding then drops."""
        for qualifier, code in codes:
            if placement_for(self.capacity, section, path, "N1", {1: role, 3: qualifier}) is not None:
                return qualifier, self.cleaner.clean(code, f"N1 {role}")
        return (codes[0][0], self.cleaner.clean(codes[0][1], f"N1 {role}")) if codes else (None, None)

    def _address(
        self,
        street: Sequence[str],
        city: str | None,
        state: str | None,
        postal_code: str | None,
        country: str | None,
        where: str,
    ) -> list[Node]:
        clean = [text for part in street if (text := self.cleaner.clean(part, where))]
        nodes: list[Node] = [
            segment("N3", e01=clean[i], e02=clean[i + 1] if i + 1 < len(clean) else None)
            for i in range(0, len(clean), 2)
        ]
        parts = [self.cleaner.clean(part, where) for part in (city, state, postal_code, country)]
        if any(parts):
            nodes.append(segment("N4", e01=parts[0], e02=parts[1], e03=parts[2], e04=parts[3]))
        return nodes

    # -- lines ----------------------------------------------------------------------------------------------------

    def line_tail(self, line: DocumentLine, loop: str, view: OrderView, *, dated: bool) -> list[Node]:
        """Segments after PO1 or POC in its loop: description, dates, schedule, note, ship-to of the line."""
        where, path = f"line {line.id}", (loop,)
        nodes: list[Node] = []
        if line.line.description:
            nodes += self.description(line.line.description, path, where)
        nodes += self.price_apart(line.line.price, line.line.price_basis, line.line.unit)
        nodes += self.line_references()
        if dated:
            nodes += self.dates(line, path, view)
        nodes += self.order_date("detail", path, view.order_date)
        nodes += self.note("detail", path, line.note, where)
        ship_to = line.ship_to or (view.ship_to if self._ship_to_at_lines(path) else None)
        if ship_to:
            nodes.append(self.ship_to_party(ship_to, "detail", path))
        return nodes

    def _ship_to_at_lines(self, path: tuple[str, ...]) -> bool:
        """Whether the guide requires the order's ship-to in each line, or has a place for it only there."""
        placement = placement_for(self.capacity, "detail", path, "N1", {1: "ST"}) if self.capacity.by_guide else None
        return placement is not None and (
            placement.must or placement_for(self.capacity, "heading", (), "N1", {1: "ST"}) is None
        )

    def dates(self, line: DocumentLine, path: tuple[str, ...], view: OrderView) -> list[Node]:
        """SCH per release, or DTM with the line's single due date; both where the guide has a place for both."""
        code = due_qualifier(self.capacity, due_codes(self.settings, self.set_id), "detail", path, "SCH", 5, 6)
        as_schedule = code is not None and view.schedule is ScheduleAs.SCH
        # The supplier may have another date at a line that an 860 lists: the heading's alone would not replace it.
        apart = view.schedule is ScheduleAs.HEADER and (self.set_id == "860" or line.due() != view.due)
        wants_date = self.capacity.by_guide or view.schedule is ScheduleAs.LINES or apart
        with_date = self.due("detail", path, line.due()) if wants_date else []
        if view.schedule is ScheduleAs.LINES and not with_date:
            as_schedule = code is not None
        if not as_schedule:
            return with_date
        entries = [
            segment("SCH", e01=r.quantity, e02=line.line.unit, e05=code, e06=r.due)
            for r in line.releases
            if r.due is not None
        ]
        return [*with_date, *(Loop("SCH", (entry,)) for entry in entries)]

    def price_elements(self, price: Decimal, basis: str | None, positions: tuple[int, int]) -> dict[str, Value | None]:
        """Price and basis as elements of the line segment; empty if the price goes into CTP."""
        if self.price_at.in_ctp:
            return {}
        return {f"e{positions[0]:02d}": price, f"e{positions[1]:02d}": basis}

    def price_apart(self, price: Decimal, basis: str | None, unit: str) -> list[Node]:
        """CTP with the price, if the guide has a place for it only there (RULES.md Sending 4)."""
        at = self.price_at
        if not at.in_ctp or at.placement is None:
            return []
        return [price_segment(price, basis, unit, at.placement)]

    def totals(self, count: int, quantities: Iterable[Decimal], amount: Decimal | None) -> Loop:
        """CTT with the number of lines and, where the guide has it, the quantity sum; AMT TT if the amount is known."""
        head = segment("CTT", e01=Decimal(count), e02=self.hash_total(quantities))
        return Loop("CTT", (head,) if amount is None else (head, segment("AMT", e01="TT", e02=amount)))

    def hash_total(self, quantities: Iterable[Decimal]) -> Decimal | None:
        """CTT02: sum of PO102, POC03 or IT102, only where the guide has it (RULES.md Sending 8)."""
        placement = placement_for(self.capacity, "summary", (), "CTT") if self.capacity.by_guide else None
        if placement is None or not placement.has(2):
            return None
        total = total_of(*quantities)
        allowed = limit("CTT", 2, self.settings.release)
        digits = sum(c.isdigit() for c in f"{total:f}")
        if allowed is not None and digits > allowed[1] and 2 not in placement.required:
            why = f"it has {digits} digits, CTT02 allows at most {allowed[1]}"
            self.dropped.append(Dropped(where="order", fact="CTT02", value=f"{total:f}", why=why))
            return None
        return total

    def description(self, text: str, path: tuple[str, ...], where: str) -> list[Node]:
        """PID free text, split at words over as many PID segments as needed (RULES.md Sending 7)."""
        placement = placement_for(self.capacity, "detail", path, "PID", {1: "F"})
        if placement is None or not placement.has(5):
            return [Loop("PID", (segment("PID", e01="F", e05=text),))]
        width = placement.length(5, (limit("PID", 5, self.settings.release) or (1, _DESCRIPTION_LENGTH))[1])
        pieces = split_words(text, width)
        if pieces is None or (placement.repeats is not None and len(pieces) > placement.repeats):
            message = f"the description of {len(text)} characters does not fit into PID05 ({width} characters)"
            self.held("description-too-long", where, message, "Shorten the description in Plex")
            return []
        return [Loop("PID", (segment("PID", e01="F", e05=piece),)) for piece in pieces]


def pairs(items: Iterable[tuple[str, str]], start: int) -> dict[str, Value | None]:
    """Item numbers as elements from position `start`: qualifier, number, qualifier, number."""
    elements: dict[str, Value | None] = {}
    for index, (qualifier, number) in enumerate(items):
        elements[f"e{start + 2 * index:02d}"] = qualifier
        elements[f"e{start + 2 * index + 1:02d}"] = number
    return elements


def _codes(own: str | None, duns: str | None) -> list[tuple[str, str]]:
    """N103 and N104: 92 is a code assigned by the buyer, 1 a D-U-N-S number."""
    return [(qualifier, code) for qualifier, code in (("92", own), ("1", duns)) if code]


def _is_set(company: Company) -> bool:
    return bool(company.name or company.code or company.duns)


# BEG02 and BCH02: order type, in a code that the guide accepts (RULES.md Sending 2).
_FITTING: dict[OrderKind, tuple[str, ...]] = {
    "standard": ("SA", "NE"),
    "blanket": ("BK", "BE"),
    "release": ("RL", "RE"),
}
"""Equivalent element 92 codes per kind: stand-alone or new; blanket (estimated quantities); release (or reorder)."""


def order_type(kind: OrderKind, types: PurchaseOrderTypes, placement: Placement | None, table: str) -> str | Reason:
    """The configured code if the guide accepts it; else the only code of the guide that fits this kind of order.

    `table` is the configuration table of the document: `suppliers.ACME01.850`.
    """
    configured = {"standard": types.standard, "blanket": types.blanket, "release": types.release}[kind]
    if placement is None or placement.allows(2, configured):
        return configured
    taken = placement.codes.get(2, ())
    fitting = [code for code in taken if code in _FITTING[kind]]
    if len(fitting) == 1:
        return fitting[0]
    return Reason(
        code="order-type-not-taken",
        where="order",
        message=f"the guide accepts {', '.join(taken) or 'no order type'}, not {configured} for a {kind} order",
        fix=_fix(kind, [*fitting, *(code for code in taken if code not in fitting)], table),
    )


def _fix(kind: OrderKind, taken: Sequence[str], table: str) -> str:
    if not taken:
        return "Ask the supplier which order type its guide accepts"
    setting = write(f"{table}.po_type", kind, quoted(taken[0]))
    others = f" (or {', '.join(taken[1:])}, whichever the supplier means)" if len(taken) > 1 else ""
    return f"{sentence(setting)}{others}"
