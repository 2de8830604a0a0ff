"""Orders, partners and invoices for the outbound tests, as short as a buyer would tell them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from plexstedi.edi.invoice import Invoice, InvoiceLine, Tax
from plexstedi.edi.order import Address, Line, LineState, Order, Part, Phase, Release, ReleaseState
from plexstedi.edi.outbound.actions import Cancel860, Change860, Replace850, Send850
from plexstedi.edi.outbound.document import Prepared
from plexstedi.edi.partner import Partner
from plexstedi.edi.reasons import Held
from plexstedi.edi.settings import Company, SupplierSettings
from tests.edi.rendered import due, prepare

SEEN = date(2026, 11, 5)
D = Decimal


def release(number: int, quantity: str | None, due_on: str | None = None, **more: Any) -> Release:
    """A firm release; `due_on` is MM-DD of 2026."""
    day = None if due_on is None else date.fromisoformat(f"2026-{due_on}")
    firm = {"state": ReleaseState.FIRM, "id": f"r{number}", **more}
    return Release(number=number, quantity=None if quantity is None else D(quantity), due=day, **firm)


def line(number: int, *releases: Release, price: str | None = "4.25", part: str | None = "82695", **more: Any) -> Line:
    """An open line; its releases get ids of their own."""
    own = tuple(replace(r, id=f"l{number}-{r.id}") for r in releases)
    fields = {"unit": "Ea", "state": LineState.OPEN, "id": f"l{number}", **more}
    made = None if part is None else Part(number=part, revision=more.pop("revision", None))
    fields.pop("revision", None)
    return Line(number=number, price=None if price is None else D(price), part=made, releases=own, **fields)


def order(*lines: Line, **more: Any) -> Order:
    """A released order."""
    fields: dict[str, Any] = {
        "id": "o1",
        "number": "PO-1001",
        "supplier_id": "s1",
        "supplier_code": "ACME01",
        "phase": Phase.RELEASED,
        "status_name": "On Order",
        "order_date": date(2026, 11, 2),
        "currency": "USD",
        "ship_to": "Plant 1",
        **more,
    }
    return Order(lines=lines, **fields)


SETTINGS: dict[str, Any] = {
    "release": "004010",
    "850": {"transaction_setting_id": "set-850"},
    "860": {"transaction_setting_id": "set-860"},
    "supplier_account": "A-77",
    "terms": {"Net 30": {"type": "05", "net_days": 30}},
    "freight_terms": {"Prepaid": "PP"},
    "references": {"IA": "V-1001"},
    "units": {"Thousand": {"unit": "EA", "factor": 1000, "price_basis": "TP"}, "Box": {"unit": "EA", "factor": 12}},
    "ship_to": {
        "Plant 1": {
            "name": "Plant One",
            "code": "P1",
            "street": "1 Main St",
            "city": "Troy",
            "state": "MI",
            "postal_code": "48083",
            "country": "US",
        },
        "Plant 2": {"name": "Plant Two", "code": "P2"},
    },
}


def partner(guides: Mapping[str, Mapping[str, Any]] | None = None, **settings: Any) -> Partner:
    """ACME01 with these settings over the usual ones."""
    return Partner(
        code="ACME01",
        settings=SupplierSettings.of({**SETTINGS, **settings}),
        company=Company(name="Us Inc", code="US1"),
        name="Acme Corp",
        address=Address(street=("9 Side Rd",), city="Flint", state="MI", postal_code="48501", country="US"),
        guides=guides or {},
    )


def sent(order_: Order, partner_: Partner, *, has: Order | None = None, sequence: int = 0) -> Prepared | Held:
    """What goes out for this order now, given what the supplier has."""
    found = due(has, order_, partner_)
    assert isinstance(found, Send850 | Replace850 | Change860 | Cancel860), found
    return prepare(found, partner_, change_sequence=sequence, revision_seen=SEEN)


def must_send(order_: Order, partner_: Partner, **more: Any) -> Prepared:
    """As `sent`, for an order that nothing may hold."""
    result = sent(order_, partner_, **more)
    assert isinstance(result, Prepared), [str(reason) for reason in result.reasons]
    return result


ORDERS: dict[str, Order] = {
    "one-line": order(line(10, release(1, "100", "11-20"), supplier_part="AB-7816", description="WIDGET")),
    "two-lines": order(
        line(10, release(1, "100", "11-20"), description="WIDGET", supplier_part="A", revision="B"),
        line(20, release(1, "7", "11-20"), price="0.333333", part="B-100", description="BOLT", manufacturer_part="M9"),
        ship_via="FEDEX GROUND",
        terms="Net 30",
        freight_terms="Prepaid",
    ),
    "three-releases": order(
        line(
            10,
            release(1, "50", "11-20"),
            release(2, "30", "12-04"),
            release(3, "20.5", "12-18"),
            description="WIDGET",
            supplier_part="AB-7816",
        )
    ),
    "per-thousand": order(line(10, release(1, "2.5", "11-20"), unit="Thousand", price="12.50", description="RIVET")),
    "price-zero": order(line(10, release(1, "1", "11-20"), price="0", description="SAMPLE", supplier_part="S-0")),
    "no-due": order(line(10, release(1, "8"), description="ANVIL", supplier_part="V-8"), ship_via="FHD"),
    "typographic-note": order(
        line(10, release(1, "3", "11-20"), description="WIDGET", note="Handle “with care” – fragile…"),
        note="Deliver before noon",
    ),
    "delimiter-note": order(line(10, release(1, "3", "11-20"), note="Use A*B~C"), note="ok"),
    "non-ascii-note": order(line(10, release(1, "3", "11-20"), description="WIDGET"), note="Größe prüfen"),
    "part-of-60": order(line(10, release(1, "3", "11-20"), part="P" * 60, description="LONG")),
    "no-part": order(line(10, release(1, "1", "11-20"), part=None, description="CALIBRATION SERVICE")),
    "blanket": order(
        line(10, release(1, "50", "11-20"), blanket_quantity=D(1000), description="WIDGET", supplier_part="AB"),
        blanket=True,
    ),
    "price-missing": order(line(10, release(1, "1", "11-20"), price=None)),
    "no-ship-to": order(line(10, release(1, "6", "11-20"), description="WIDGET", supplier_part="X"), ship_to=None),
}

_BASE = ORDERS["three-releases"]


def changed(base: Order, **of_line: Any) -> Order:
    """The order with fields of its first line changed."""
    first = replace(base.lines[0], **of_line)
    return replace(base, lines=(first, *base.lines[1:]))


def _releases(*quantities_and_days: tuple[str, str]) -> tuple[Release, ...]:
    return tuple(
        replace(release(n, q, d, id=f"l10-r{n}"), id=f"l10-r{n}")
        for n, (q, d) in enumerate(quantities_and_days, start=1)
    )


CHANGES: dict[str, tuple[Order, Order]] = {
    "quantity-up": (_BASE, changed(_BASE, releases=_releases(("60", "11-20"), ("30", "12-04"), ("20.5", "12-18")))),
    "quantity-down": (_BASE, changed(_BASE, releases=_releases(("50", "11-20"), ("30", "12-04"), ("1", "12-18")))),
    "price": (_BASE, changed(_BASE, price=D("5"))),
    "rescheduled": (_BASE, changed(_BASE, releases=_releases(("50", "11-23"), ("30", "12-04"), ("20.5", "12-18")))),
    "quantity-and-date": (_BASE, changed(_BASE, releases=_releases(("90", "11-23")))),
    "price-and-date": (
        _BASE,
        changed(_BASE, price=D(5), releases=_releases(("50", "11-23"), ("30", "12-04"), ("20.5", "12-18"))),
    ),
    "price-and-quantity": (
        _BASE,
        changed(_BASE, price=D(5), releases=_releases(("60", "11-20"), ("30", "12-04"), ("20.5", "12-18"))),
    ),
    "everything": (_BASE, changed(_BASE, price=D(5), releases=_releases(("9", "12-24")))),
    "other-part": (_BASE, changed(_BASE, supplier_part="AB-7817")),
    "line-added": (
        _BASE,
        replace(_BASE, lines=(*_BASE.lines, line(20, release(1, "4", "12-01"), part="NEW"))),
    ),
    "line-cancelled": (ORDERS["two-lines"], changed(ORDERS["two-lines"], state=LineState.CANCELLED)),
    "header-note": (_BASE, replace(_BASE, note="New dock: 7")),
}


def invoice(*lines: InvoiceLine, **more: Any) -> Invoice:
    """A booked customer invoice."""
    fields: dict[str, Any] = {
        "id": "i1",
        "number": "100455",
        "customer_id": "c1",
        "customer_code": "BIGOEM",
        "invoice_date": date(2026, 11, 19),
        "customer_order": "4500012345",
        "currency": "USD",
        **more,
    }
    return Invoice(lines=lines, **fields)


def billed(number: int, quantity: str, price: str, **more: Any) -> InvoiceLine:
    """One invoice line."""
    fields: dict[str, Any] = {"id": f"i{number}", "unit": "Ea", "part": Part(number="B-100"), **more}
    return InvoiceLine(number=number, quantity=D(quantity), price=D(price), **fields)


INVOICES: dict[str, Invoice] = {
    "plain": invoice(billed(1, "500", "25.00", description="Bracket assy", customer_part="C-7"), total=D("12500")),
    "taxed": invoice(
        billed(1, "10", "4.25", taxes=(Tax(name="MI", amount=D("2.55"), percent=D(6)),)),
        billed(2, "1", "0.10"),
        taxes=(Tax(name="Local", amount=D("0.45")),),
        total=D("45.60"),
    ),
    "rounded-line": invoice(billed(1, "3", "0.333", amount=D("1.00")), total=D("1.00")),
    "credit": invoice(billed(1, "2", "5"), credit=True),
    "free": invoice(billed(1, "4", "0"), total=D("0")),
    "six-decimals": invoice(billed(1, "1000000", "0.000123"), total=D("123")),
    "fraction": invoice(billed(1, "2.5", "4.20", unit="kg"), total=D("10.50")),
    "charge-without-part": invoice(billed(1, "1", "75", part=None, description="Tooling charge"), total=D("75")),
    "thirty-lines": invoice(*(billed(n, "2", "1.25") for n in range(1, 31)), total=D("75")),
    "order-date-known": invoice(billed(1, "1", "5"), order_date=date(2026, 10, 1), total=D("5")),
    "curly-quotes": invoice(
        billed(1, "1", "5", description="7/8\u2033 \u201cHex\u201d bolt \u2013 zinc"), total=D("5")
    ),
}
