"""Sample data: a company with suppliers, parts, orders and invoices; deterministic for a seed."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from plexstedi.sandbox.behaviours import DEFAULT_CHARACTERS, Character
from plexstedi.sandbox.plex.records import Address, Invoice, InvoiceLine, Line, Order, Part, Release, Supplier, Tenant


class EdgeCase(StrEnum):
    """Orders that a client must neither send unchanged nor drop."""

    LONG_NUMBER = "long-number"
    """An order number of 30 characters."""
    NO_LINES = "no-lines"
    UNKNOWN_UNIT = "unknown-unit"
    UNKNOWN_SUPPLIER = "unknown-supplier"
    """A supplier without EDI."""
    CURLY_QUOTES = "curly-quotes"
    """Typographic quotes in a description."""
    ASTERISK_NOTE = "asterisk-note"
    """A note that contains the X12 element separator."""


TIMEZONE = "America/Detroit"
"""The plant's time zone: half of the days are stored as its midnight, half as midnight UTC."""


class TradingPartner(Struct, frozen=True):
    """A supplier's (or customer's) EDI set-up at Stedi, and its behaviour. `settings` is by transaction set."""

    code: str
    partnership_id: str
    release: str
    settings: tuple[tuple[str, str], ...]
    character: Character
    isa_qualifier: str
    isa_id: str
    change_reply: str
    """The set that acknowledges an 860: `865`, or `855` with the whole order."""


class SampleData(Struct):
    """The served tenant, the other company that is the key's default tenant, and the trading partners."""

    tenant: Tenant
    other: Tenant
    partners: list[TradingPartner]
    customers: list[TradingPartner]


_NAMES = (
    "Acme Bolt & Fastener", "Bluewater Castings", "Crown Point Stamping", "Delta Tube Works", "Erie Spring Co",
    "Fox River Plating", "Great Lakes Bearing", "Harbor Polymers", "Ironwood Forge", "Jasper Electric Supply",
    "Kettle Creek Machining", "Lakeshore Rubber", "Maumee Wire & Cable", "Northline Coatings", "Oak Hill Gaskets",
    "Pioneer Die Casting", "Quarry Steel Service", "Redstone Hydraulics", "Summit Packaging", "Tri-Valley Screw",
)  # fmt: skip
_PLACES = (
    ("Toledo", "OH", "43604"), ("Troy", "MI", "48083"), ("Gary", "IN", "46402"), ("Erie", "PA", "16501"),
    ("Racine", "WI", "53403"), ("Dayton", "OH", "45402"), ("Peoria", "IL", "61602"), ("Flint", "MI", "48502"),
)  # fmt: skip
_GOODS = (
    ("Hex bolt M8x40", "Ea", "0.0825"), ("Flange nut M10", "Ea", "0.12"), ("Bracket, stamped", "Ea", "3.475"),
    ("Deep groove bearing 6204", "Ea", "4.19"), ("Steel tube 25x2", "ft", "2.3150"),
    ("Copper wire 1.5 mm", "ft", "0.4125"),
    ("Zinc ingot", "lb", "1.8875"), ("ABS pellets, black", "kg", "2.65"), ("Compression spring", "Ea", "0.3099"),
    ("Housing, die cast", "Ea", "12.80"), ("O-ring 32x3", "Ea", "0.045"), ("Shaft, turned", "Ea", "18.1234"),
)  # fmt: skip
_NOTES = ("Deliver to dock 4", "Call before delivery", "Certificate of conformance with each shipment")


class _Maker:
    def __init__(self, seed: int, now: datetime) -> None:
        self.rng = random.Random(seed)
        self.now = now
        self.keys = 700000

    def uuid(self) -> str:
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def key(self) -> int:
        self.keys += self.rng.randint(1, 9)
        return self.keys

    def supplier(self, index: int, prefix: str = "S") -> Supplier:
        city, state, postal = _PLACES[index % len(_PLACES)]
        since = self.now - timedelta(days=600 + index)
        name = _NAMES[index % len(_NAMES)]
        if index >= len(_NAMES):
            name = f"{name} {index // len(_NAMES) + 1}"
        street = f"{100 + 7 * index} Industrial Way"
        address = Address(
            self.uuid(), "MAIN", street, city, state, postal, "USA", f"orders{index + 1}@supplier.example"
        )
        return Supplier(self.uuid(), f"{prefix}{index + 1:03}", name, [address], since, since)

    def part(self, index: int) -> tuple[Part, str, Decimal]:
        name, unit, price = _GOODS[index % len(_GOODS)]
        since = self.now - timedelta(days=400 + index)
        number = f"{80000 + 37 * index}"
        revision = "ABC"[index % 3] if index % 5 else ""
        return Part(self.uuid(), number, revision, name, since, since), unit, Decimal(price)

    def release(self, number: int, quantity: Decimal, due: date, created: datetime, modified: datetime) -> Release:
        return Release(self.uuid(), self.key(), number, quantity, due, "Firm", created, modified, original_due=due)

    def quantity(self, unit: str) -> Decimal:
        if unit == "Ea":
            return Decimal(12 * self.rng.randint(5, 250))
        if unit == "ft":
            return Decimal(50 * self.rng.randint(4, 60))
        return Decimal(self.rng.randint(100, 4000)) / 2

    def order(self, number: str, supplier: Supplier, goods: Sequence[tuple[Part, str, Decimal]], plant: str) -> Order:
        created = self.now - timedelta(seconds=self.rng.randint(125, 1195))
        modified = created + timedelta(milliseconds=self.rng.randint(1000, 55000))
        due = modified.date() + timedelta(days=self.rng.randint(14, 45))
        order = Order(
            self.uuid(), self.key(), number, "On Order", supplier, created, modified,
            ordered=modified, due=due, ship_to=plant,
            note=self.rng.choice(_NOTES) if self.rng.random() < 0.3 else None,
            internal_note="Budget 4711" if self.rng.random() < 0.2 else None,
        )  # fmt: skip
        for index, (part, unit, price) in enumerate(goods, start=1):
            line = Line(
                self.uuid(), self.key(), index, unit, price, created, modified, order_unit=unit, part=part,
                description=part.name,
                supplier_part=f"{supplier.code}-{part.number[-3:]}" if self.rng.random() < 0.6 else None,
            )  # fmt: skip
            day = due
            for release_number in range(1, self.rng.choice((1, 1, 1, 2, 2, 3)) + 1):
                line.releases.append(self.release(release_number, self.quantity(unit), day, created, modified))
                day += timedelta(days=self.rng.choice((7, 14)))
            order.lines.append(line)
        return order

    def forecast(self, line: Line) -> None:
        last = line.releases[-1]
        far = self.release(
            last.number + 1, self.quantity(line.unit), last.due + timedelta(days=60), line.created, line.modified
        )
        far.status = "Forecast"
        line.releases.append(far)

    def invoice(self, index: int, goods: Sequence[tuple[Part, str, Decimal]], customer: str) -> Invoice:
        created = self.now - timedelta(seconds=self.rng.randint(300, 3000))
        lines = []
        for part, unit, price in goods:
            quantity = self.quantity(unit)
            tax = (quantity * price * Decimal("0.06")).quantize(Decimal("0.01")) if index % 2 else None
            lines.append(
                InvoiceLine(
                    self.uuid(), part.name, f"C-{part.number}", unit, quantity, price + 1,
                    tax_code="MI-6" if tax is not None else None, tax_amount=tax,
                )
            )  # fmt: skip
        day = created.date()
        return Invoice(
            self.uuid(), f"{100455 + index}", customer, f"45000{12345 + index}", day, day + timedelta(days=45),
            created, created + timedelta(seconds=20), lines,
        )  # fmt: skip


_ULID = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def sample_tenant(
    orders: int,
    suppliers: int,
    seed: int,
    now: datetime,
    *,
    characters: Sequence[Character] | None = None,
    edge_cases: Iterable[EdgeCase] = (),
) -> SampleData:
    """A company with this number of orders (created 2 to 20 minutes before `now`) and suppliers S001, S002, …

    With four or more orders, the last is not yet released and the one before it is cancelled. `edge_cases` adds further
    orders. Suppliers with odd numbers use X12 release 004010, others 005010. Deterministic in all arguments.
    """
    maker = _Maker(seed, now)
    catalogue = [maker.part(index) for index in range(40)]
    people = [maker.supplier(index) for index in range(suppliers)]
    cast = tuple(characters or DEFAULT_CHARACTERS)
    partners = [_partner(maker, supplier, index, cast[index % len(cast)]) for index, supplier in enumerate(people)]
    made = []
    for index in range(orders):
        supplier = people[index % suppliers]
        choice = catalogue
        if partners[index % suppliers].character is Character.WRONG_UNITS:
            choice = [good for good in catalogue if good[1] == "Ea"]
        goods = maker.rng.sample(choice, maker.rng.choice((1, 1, 2, 2, 3, 4, 6)))
        order = maker.order(f"PO-{104000 + index + 1}", supplier, goods, f"Plant {1 + index % 2}")
        if index % 9 == 8:
            order.blanket, order.type = True, "Blanket"
            for line in order.lines:
                line.blanket_quantity = sum((release.quantity for release in line.releases), Decimal(0)) * 4
                maker.forecast(line)
        elif index % 7 == 3:
            maker.forecast(order.lines[0])
        made.append(order)
    if orders >= 4:
        made[-1].status, made[-1].ordered = "New", None
        made[-2].status = "Cancelled"
    stranger = maker.supplier(suppliers)
    stranger.code, stranger.name = "S999", "Walk-in Hardware"
    made.extend(_edge_case(maker, kind, people[0], stranger, catalogue) for kind in edge_cases)
    customers = [
        TradingPartner(
            "BIGOEM", "riverbend_bigoem", "005010", (("810", "005010-810"),), Character.PROMPT, "ZZ", "BIGOEM", ""
        ),
        TradingPartner(
            "TRUCKCO", "riverbend_truckco", "004010", (("810", "004010-810"),), Character.PROMPT, "ZZ", "TRUCKCO", ""
        ),
    ]
    invoices = [
        maker.invoice(index, maker.rng.sample(catalogue, 1 + index), customers[index % 2].code) for index in range(3)
    ]
    parts = [part for part, _, _ in catalogue]
    tenant = Tenant(
        maker.uuid(), "RIVERBEND", "300123", "Riverbend Manufacturing", [*people, stranger], parts, made, invoices
    )
    return SampleData(tenant, _other_company(maker), partners, customers)


def _partner(maker: _Maker, supplier: Supplier, index: int, character: Character) -> TradingPartner:
    release = "004010" if index % 2 == 0 else "005010"
    ulids = ["01J" + "".join(maker.rng.choices(_ULID, k=23)) for _ in range(2)]
    settings = (f"{release}-850", f"{release}-860") if index % 4 < 2 else (ulids[0], ulids[1])
    return TradingPartner(
        supplier.code,
        f"riverbend_{supplier.code.lower()}",
        release,
        tuple(zip(("850", "860"), settings, strict=True)),
        character,
        "01" if index % 3 == 0 else "ZZ",
        f"{400000000 + 1117 * index}" if index % 3 == 0 else f"{supplier.code}EDI",
        "855" if index % 5 == 4 else "865",
    )


def _edge_case(
    maker: _Maker, kind: EdgeCase, usual: Supplier, stranger: Supplier, catalogue: Sequence[tuple[Part, str, Decimal]]
) -> Order:
    number = f"PO-9{list(EdgeCase).index(kind) + 1:05}"
    supplier = stranger if kind is EdgeCase.UNKNOWN_SUPPLIER else usual
    order = maker.order(number, supplier, catalogue[:2], "Plant 1")
    if kind is EdgeCase.LONG_NUMBER:
        order.number = "PO-2026-PROJECT-NORTH-EXTENS-1"
    elif kind is EdgeCase.NO_LINES:
        order.lines.clear()
    elif kind is EdgeCase.UNKNOWN_UNIT:
        order.lines[0].unit = order.lines[0].order_unit = "Pallet"
    elif kind is EdgeCase.CURLY_QUOTES:
        order.lines[0].description = "Hex bolt “M8” – grade 8.8"
    elif kind is EdgeCase.ASTERISK_NOTE:
        order.note = "Use rev. B drawing * not rev. A"
    return order


def _other_company(maker: _Maker) -> Tenant:
    """Another company's tenant, returned for a request without a tenant header."""
    supplier = maker.supplier(0, prefix="X")
    good = maker.part(900)
    orders = [maker.order(f"77{index}", supplier, [good], "Dock B") for index in range(2)]
    return Tenant(maker.uuid(), "NORTHWOOD", "555001", "Northwood Furniture", [supplier], [good[0]], orders, [])
