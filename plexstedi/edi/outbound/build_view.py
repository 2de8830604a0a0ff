"""Build the supplier's view of an order: its content in one document type, under the current settings.

Units, prices, texts, dates and quantities are determined here. Builders turn a view into segments; the difference of
two views is the content of an 860.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal, TypeVar

from msgspec.structs import replace

from plexstedi.edi.advice import partner_table, quoted, sentence, write
from plexstedi.edi.guide.capacity import Capacity, placement_for
from plexstedi.edi.guide.need import Facts
from plexstedi.edi.order import Line, LineState, Order, Release, ReleaseState
from plexstedi.edi.outbound.dates import DueDateCapacity, due_advice, due_codes, due_qualifier
from plexstedi.edi.outbound.notes import note_form
from plexstedi.edi.outbound.prices import (
    DocumentPrice,
    PricePlacement,
    Units,
    document_price,
    document_quantity,
    line_units,
    price_placement,
)
from plexstedi.edi.outbound.text import TextCleaner
from plexstedi.edi.outbound.view import LineView, OrderView, ReleaseView
from plexstedi.edi.partner import Partner
from plexstedi.edi.reasons import Dropped, Held, Reason
from plexstedi.edi.settings import ScheduleAs, by_plex_name
from plexstedi.edi.stream import StreamKey, live_releases, order_of_stream, release_name
from plexstedi.edi.units import exact_quotient, plain, product, total_of

T = TypeVar("T")
LINE_LOOP = {"850": "PO1", "860": "POC"}
"""Line loop by transaction set."""


def build_view(
    order: Order,
    partner: Partner,
    capacity: Capacity,
    set_id: Literal["850", "860"],
    stream: StreamKey,
    schedule: ScheduleAs | None = None,
) -> OrderView | Held:
    """View of the order in a document of set `set_id`; Held with every reason found.

    `schedule` is the form in which the order's first document carried releases; None: this is the first.
    """
    builder = _ViewBuilder(partner, capacity, set_id, stream, schedule)
    if stream.release is not None and live_releases(order, stream.release) > 1:
        builder.hold_twice(stream.release, "order")
    return builder.build(order_of_stream(order, stream))


@dataclass(slots=True)
class _ViewBuilder:
    partner: Partner
    capacity: Capacity
    set_id: Literal["850", "860"]
    stream: StreamKey
    first_schedule: ScheduleAs | None
    reasons: list[Reason] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    cleaner: TextCleaner = field(init=False)
    price_at: PricePlacement = field(init=False)

    def __post_init__(self) -> None:
        self.price_at = price_placement(self.capacity, LINE_LOOP[self.set_id])
        self.cleaner = TextCleaner(self.partner.settings.text, self._table("text"))

    def _table(self, *keys: str) -> str:
        return partner_table(self.set_id, self.partner.code, *keys)

    def build(self, order: Order) -> OrderView | Held:
        settings = self.partner.settings
        number = self._number(order.number)
        if order.order_date is None:
            self._hold("order-date-missing", "order", "Plex has no order date", "Set the order date in Plex")
        ship_to = order.ship_to or _unanimous(r.ship_to for line in order.lines for r in line.firm_releases())
        schedule = self._schedule()
        shown_lines = (self._line(order, line, ship_to, schedule) for line in order.open_lines())
        lines = tuple(line for line in shown_lines if line is not None)
        counted = Counter(line.number for line in lines)
        for twice in sorted(number for number, count in counted.items() if count > 1):
            self._hold("line-number-twice", f"line {twice}", "two lines have this number", "Renumber one in Plex")
        if schedule is ScheduleAs.LINES:
            for line in lines:
                names = Counter(release.name for release in line.releases)
                for name in sorted(name for name, count in names.items() if count > 1):
                    self.hold_twice(name, f"line {line.number}")
        dues = {due for line in lines for due in line.dues()}
        seen_due = order.due or (next(iter(dues)) if len(dues) == 1 else None)
        view = OrderView(
            number=number,
            release=self.stream.release,
            kind="release" if self.stream.release else ("blanket" if order.blanket else "standard"),
            order_date=order.order_date or date.min,
            currency=self.cleaner.clean(order.currency, "order"),
            freight=self._mapped(order.freight_terms, settings.freight_terms, "freight terms", "freight_terms"),
            terms=self._mapped(order.terms, settings.terms, "payment terms", "terms"),
            routing=self.cleaner.clean(order.ship_via, "order"),
            ship_to=self._ship_to(ship_to, (), "order"),
            due=seen_due,
            note=self._note(order.note, (), "order"),
            lines=lines,
            schedule=schedule,
            dropped=(),
            adjusted=(),
            facts=Facts(
                freight=order.freight_terms,
                terms=order.terms,
                ship_to=ship_to,
                blanket=order.blanket,
                line_dues=bool(dues),
            ),
        )
        if order.fob:
            why = "X12 has codes for it, and no table maps it; freight_terms sets FOB01"
            self.dropped.append(Dropped(where="order", fact="FOB point", value=order.fob, why=why))
        self._check_due_placements(view, order.due)
        if self.reasons:
            return Held(tuple(dict.fromkeys(self.reasons)))
        adjusted = tuple(dict.fromkeys(self.cleaner.adjusted))
        return replace(
            view, dropped=tuple(self.dropped), adjusted=adjusted, unfit_texts=tuple(self.cleaner.unfit_texts)
        )

    def _hold(self, code: str, where: str, message: str, fix: str) -> None:
        self.reasons.append(Reason(code=code, where=where, message=message, fix=fix))

    def hold_twice(self, name: str, where: str) -> None:
        """Hold: two releases have this name, and each is sent under it."""
        message = f"two releases are {name} (line and release number), and each release is sent under its own"
        self._hold("release-number-twice", where, message, "Renumber one of the releases in Plex, or cancel it")

    def _number(self, number: str) -> str:
        fix = "Correct the order number in Plex"
        cleaned = self.cleaner.clean(number, "order", fix=fix) or ""
        if cleaned.casefold() != number.casefold() and not self.cleaner.reasons:
            message = (
                f"the order number {number!r} could only be sent as {cleaned!r}, which acknowledgments would not match"
            )
            self._hold("order-number-unfit", "order", message, fix)
        return cleaned

    def _mapped(self, name: str | None, table: dict[str, T], what: str, key: str) -> T | None:
        if not name:
            return None
        found = by_plex_name(table, name)
        if found is None:
            why = f'no entry "{name}" in `{key}`'
            self.dropped.append(Dropped(where="order", fact=what, value=name, why=why))
        return found

    def _ship_to(self, name: str | None, path: tuple[str, ...], where: str) -> str | None:
        known = self.partner.settings.ship_to
        if not name or not known or by_plex_name(known, name) is not None:
            return name
        wanted = ((), (LINE_LOOP[self.set_id],)) if not path else (path,)
        placed = any(placement_for(self.capacity, "detail" if p else "heading", p, "N1", {1: "ST"}) for p in wanted)
        if placed:
            self._hold(
                "ship-to-unknown",
                where,
                f'ship-to "{name}" has no address in the settings',
                sentence(write(self._table("ship_to", name), "name", quoted("…"))),
            )
        return name

    def _note(self, note: str | None, path: tuple[str, ...], where: str) -> str | None:
        text = self.cleaner.clean(note, where) if note else None
        if not text:
            return None
        section: Literal["heading", "detail"] = "detail" if path else "heading"
        if note_form(self.capacity, section, path, self.partner.settings.release) is not None:
            return text
        if self.partner.settings.notes == "required":
            self._hold(
                "note-without-place",
                where,
                f"the guide has no place for the note {text!r}",
                "Inform the supplier outside EDI and clear the note in Plex, or "
                + write(self._table(), "notes", quoted("optional")),
            )
        self.dropped.append(Dropped(where=where, fact="note", value=text, why=f"no place for it in the {self.set_id}"))
        return None

    def _line(self, order: Order, line: Line, ship_to: str | None, schedule: ScheduleAs) -> LineView | None:
        where = f"line {line.number}"
        firm = line.firm_releases()
        blanket = order.blanket and self.stream.release is None and line.blanket_quantity is not None
        if line.state is not LineState.OPEN or (not firm and not blanket):
            return None
        units = line_units(line.unit, line.order_unit, self.partner.settings, where, self._table("units"))
        price = self._price(line, units, where)
        if isinstance(units, Reason):
            self.reasons.append(units)
            return None
        so_far = len(self.reasons)
        releases = tuple(r for release in firm if (r := self._release(line, release, units, ship_to)) is not None)
        quantity = total_of(*(r.quantity for r in releases))
        if blanket and line.blanket_quantity is not None:
            planned = document_quantity(line.blanket_quantity, units)
            if schedule is ScheduleAs.LINES and releases:
                # Each release is a line with its own quantity: no line has the quantity of all.
                self._drop_blanket_quantity(where, planned)
            else:
                quantity = planned
        if quantity <= 0 and len(self.reasons) == so_far:
            message = f"the {'blanket' if blanket else 'ordered'} quantity is {quantity}"
            what = "Set the blanket quantity of the line" if blanket else "Correct the releases of the line"
            fix = f"{what} in Plex, or cancel the line there"
            self._hold("quantity-not-positive", where, message, fix)
        if price is None:
            return None
        return LineView(
            id=line.id,
            number=line.number,
            quantity=quantity,
            unit=units.quantity.unit,
            plex_unit=line.order_unit or line.unit or "",
            factor=units.quantity.factor,
            price=price.price,
            price_basis=price.basis,
            amount=_amount(quantity, line.price, price),
            items=self._items(line, where),
            description=self.cleaner.clean(line.description, where),
            description_counts=line.part is None,
            note=self._note(line.note, (LINE_LOOP[self.set_id],), where),
            releases=releases,
        )

    def _drop_blanket_quantity(self, where: str, quantity: Decimal) -> None:
        why = 'each release is sent as a separate line (schedule = "lines")'
        self.dropped.append(Dropped(where=where, fact="blanket quantity", value=f"{quantity:f}", why=why))

    def _price(self, line: Line, units: Units | Reason, where: str) -> DocumentPrice | None:
        if line.price is None:
            self._hold(
                "price-missing", where, "Plex has no price for this line", "Set the price in Plex (0 is a price)"
            )
            return None
        if isinstance(units, Reason):
            return None
        price = document_price(line.price, units, self.price_at.placement, self.price_at.basis, where)
        if isinstance(price, Reason):
            self.reasons.append(price)
            return None
        return price

    def _release(self, line: Line, release: Release, units: Units, ship_to: str | None) -> ReleaseView | None:
        where = f"line {line.number} release {release.number}"
        if release.quantity is None or release.quantity < 0:
            what = "has no quantity" if release.quantity is None else f"has the quantity {release.quantity}"
            self._hold("quantity-missing", where, f"the release {what}", "Set the quantity of the release in Plex")
            return None
        if release.quantity == 0:
            return None
        elsewhere = release.ship_to if release.ship_to != ship_to else None
        return ReleaseView(
            id=release.id,
            number=release.number,
            name=release_name(line, release),
            quantity=document_quantity(release.quantity, units),
            due=release.due,
            ship_to=self._ship_to(elsewhere, (LINE_LOOP[self.set_id],), where),
            note=self._note(release.note, (LINE_LOOP[self.set_id],), where),
            received=release.state is ReleaseState.RECEIVED,
        )

    def _items(self, line: Line, where: str) -> tuple[tuple[str, str], ...]:
        items = self.partner.settings.items
        number = line.part.number if line.part else line.item
        sources = (
            (items.part, number),
            (items.supplier_part, line.supplier_part or line.approved_supplier_part),
            (items.manufacturer_part, line.manufacturer_part),
            (items.revision, line.part.revision if line.part else None),
        )
        found: list[tuple[str, str]] = []
        for qualifier, value in sources:
            text = self.cleaner.clean(value, where) if qualifier else None
            if not text:
                continue
            if any(qualifier == known for known, _ in found):
                message = f"two item numbers share the qualifier {qualifier}"
                self._hold("item-qualifier-twice", where, message, "Give each its own qualifier in `items`")
                continue
            found.append((qualifier, text))
        return tuple(found)

    def _schedule(self) -> ScheduleAs:
        """Form of releases: as configured, else the first that the guide has a place for; independent of the order.

        Line ids depend on it, so a change uses releases as lines if and only if the first document did.
        """
        loop = LINE_LOOP[self.set_id]
        document = self.partner.settings.document_850
        if self.first_schedule in (ScheduleAs.LINES, ScheduleAs.HEADER):
            return self.first_schedule
        if self.first_schedule is None and document is not None and document.schedule is not None:
            return document.schedule
        if self._takes_date("detail", (loop,), "SCH", 5, 6):
            return ScheduleAs.SCH
        if self.first_schedule is None and self._takes_date("detail", (loop,), "DTM", 1, 2):
            return ScheduleAs.LINES
        return ScheduleAs.HEADER

    def _takes_date(
        self, section: Literal["heading", "detail"], path: tuple[str, ...], segment_id: str, qualifier: int, value: int
    ) -> bool:
        codes = due_codes(self.partner.settings, self.set_id)
        return due_qualifier(self.capacity, codes, section, path, segment_id, qualifier, value) is not None

    def _check_due_placements(self, view: OrderView, of_order: date | None) -> None:
        loop = LINE_LOOP[self.set_id]
        if view.schedule is ScheduleAs.LINES and placement_for(self.capacity, "detail", (), loop, {1: "10-1"}) is None:
            self._hold(
                "line-id-without-place",
                "order",
                f"each release is sent as a separate line, and the {self.set_id} guide has no place for ids such as "
                "10-1",
                f"Ask the supplier for {loop}01 in its {self.set_id} guide",
            )
        schedules = view.schedule is not ScheduleAs.HEADER and self._takes_date("detail", (loop,), "SCH", 5, 6)
        at_line = self._takes_date("detail", (loop,), "DTM", 1, 2)
        at_header = self._takes_date("heading", (), "DTM", 1, 2)
        due_capacity = DueDateCapacity(self.capacity, self.set_id, self._table(), loop, view.schedule)
        if of_order is not None and not at_header:
            self._due_of_order(of_order, view, due_capacity, at_lines=schedules or at_line)
        for line in view.lines:
            where, dues = f"line {line.number}", line.dues()
            undated = [r for r in line.releases if r.due is None]
            if dues and undated:
                message = f"release {undated[0].number} has no due date, other releases of the line have one"
                self._hold("due-missing", where, message, "Set the due date of the release in Plex")
            alone = len(dues) == 1 or view.schedule is ScheduleAs.LINES
            is_dated = schedules or (at_line and alone) or (at_header and dues == (view.due,))
            if dues and not is_dated:
                shown = ", ".join(due.isoformat() for due in dues)
                message = f"the {self.set_id} guide has no place for the due date {shown}"
                fix = due_advice(due_capacity, several=len(dues) > 1)
                self._hold("due-without-place", where, message, fix)
            if view.schedule is not ScheduleAs.LINES and len({r.ship_to for r in line.releases}) > 1:
                message = "its releases go to different ship-tos"
                self._hold("ship-to-mixed", where, message, 'Split the line in Plex, or set schedule = "lines"')

    def _due_of_order(self, due: date, view: OrderView, due_capacity: DueDateCapacity, *, at_lines: bool) -> None:
        """Handle the order's due date when the heading has no place for it."""
        of_lines = {day for line in view.lines for day in line.dues()}
        if not of_lines:
            message = f"the {self.set_id} guide has no place for the order's due date {due.isoformat()}"
            fix = due_advice(due_capacity, several=False)
            if at_lines:
                message += ", and the lines have none"
                fix = "Set the due date of each release in Plex"
            self._hold("due-without-place", "order", message, fix)
        elif of_lines != {due}:
            why = f"the {self.set_id} guide has no place for it; the due dates of the lines are sent"
            self.dropped.append(Dropped(where="order", fact="due date", value=due.isoformat(), why=why))


def _unanimous(names: Iterable[str | None]) -> str | None:
    different = set(names)
    return next(iter(different)) if len(different) == 1 else None


def _amount(quantity: Decimal, price: Decimal | None, sent: DocumentPrice) -> Decimal | None:
    if price is None or sent.per == 0:
        return None
    return exact_quotient(product(quantity, plain(price)), sent.per, 10)
