"""The records of the simulated Plex, independent of an API's spelling."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from msgspec import Struct, field

from plexstedi.decimal_json import Json


class OrderStatus(Struct, frozen=True):
    """One row of the PO status table: its flags define the meaning, the name is the customer's."""

    name: str
    active: bool = True
    receive: bool = False
    default: bool = False
    include_in_mrp: bool = True
    cancelled: bool = False
    release: bool = False
    on_order: bool = False
    received: bool = False


class ReleaseStatus(Struct, frozen=True):
    """One row of the release status table."""

    name: str
    default: bool = False
    active: bool = True
    cancelled: bool = False
    received: bool = False
    partial: bool = False
    forecast: bool = False
    plan_status: bool = False
    open: bool = True
    include_in_mrp: bool = True
    mrp_auto_change: bool = False
    immediate_status: bool = False


ORDER_STATUSES = (
    OrderStatus("New", default=True),
    OrderStatus("Pending Approval-NS"),
    OrderStatus("Approved"),
    OrderStatus("On Order", receive=True, release=True, on_order=True),
    OrderStatus("Hold"),
    OrderStatus("Cancelled", active=False, include_in_mrp=False, cancelled=True),
    OrderStatus("Received", active=False, received=True),
)

RELEASE_STATUSES = (
    ReleaseStatus("Firm", default=True),
    ReleaseStatus("Planned", plan_status=True, mrp_auto_change=True),
    ReleaseStatus("Forecast", forecast=True, mrp_auto_change=True),
    ReleaseStatus("Partial", partial=True),
    ReleaseStatus("Received", received=True, open=False),
    ReleaseStatus("Cancelled", cancelled=True, open=False, active=False, include_in_mrp=False),
)


class Address(Struct):
    id: str
    code: str
    street: str
    city: str
    state: str
    postal_code: str
    country: str
    email: str | None = None


class Supplier(Struct):
    id: str
    code: str
    name: str
    addresses: list[Address]
    created: datetime
    modified: datetime
    status: str = "Active"


class Part(Struct):
    id: str
    number: str
    revision: str
    name: str
    created: datetime
    modified: datetime
    description: str | None = None
    type: str = "Component"
    status: str = "Production"


class ApprovedSupplier(Struct):
    """A supplier that may deliver a part, with its own number for it."""

    id: str
    part_id: str
    supplier_id: str
    part_number: str | None


class Release(Struct):
    """One schedule line. `key` is Plex's integer key."""

    id: str
    key: int
    number: int
    quantity: Decimal
    due: date
    status: str
    created: datetime
    modified: datetime
    note: str | None = None
    type: str | None = None
    ship_to: str | None = None
    original_due: date | None = None


class ReleaseAcknowledgement(Struct, frozen=True):
    """One Plex acknowledgment record; `date` as received."""

    key: int
    release_id: str
    date: str
    note: str | None
    type_key: int
    source_key: Json


class Line(Struct):
    """One order line; quantities and dates are in its releases."""

    id: str
    key: int
    number: int
    unit: str
    price: Decimal | None
    created: datetime
    modified: datetime
    releases: list[Release] = field(default_factory=list)
    status: str = "Open"
    order_unit: str | None = None
    description: str | None = None
    part: Part | None = None
    supplier_part: str | None = None
    manufacturer: str | None = None
    manufacturer_part: str | None = None
    blanket_quantity: Decimal | None = None
    note: str | None = None


class Order(Struct):
    """One purchase order."""

    id: str
    key: int
    number: str
    status: str
    supplier: Supplier
    created: datetime
    modified: datetime
    lines: list[Line] = field(default_factory=list)
    type: str = "Purchased Components and Materials"
    currency: str = "USD"
    ordered: datetime | None = None
    due: date | None = None
    terms: str | None = "Net 30"
    freight_terms: str | None = "Collect"
    ship_to: str | None = "Plant 1"
    ship_via: str | None = "Truck"
    fob: str | None = "Origin"
    note: str | None = None
    internal_note: str | None = None
    blanket: bool = False


class Receipt(Struct):
    id: str
    order: Order
    line: Line
    release: Release
    quantity: Decimal
    received: datetime
    shipper: str | None = None


class InvoiceLine(Struct):
    id: str
    description: str
    part_number: str | None
    unit: str
    quantity: Decimal
    unit_price: Decimal
    tax_code: str | None = None
    tax_amount: Decimal | None = None


class Invoice(Struct):
    """One customer (AR) invoice."""

    id: str
    number: str
    customer_code: str
    customer_order: str
    day: date
    due: date
    created: datetime
    modified: datetime
    lines: list[InvoiceLine]
    status: str = "Booked"
    terms: str = "Net 45"
    currency: str = "USD"
    booked: bool = True
    void: bool = False


class Tenant(Struct):
    """One company in Plex."""

    id: str
    code: str
    pcn: str
    name: str
    suppliers: list[Supplier]
    parts: list[Part]
    orders: list[Order]
    invoices: list[Invoice]
    receipts: list[Receipt] = field(default_factory=list)
    approved: list[ApprovedSupplier] = field(default_factory=list)

    def order(self, number: str) -> Order:
        """The order of that number. Raise KeyError."""
        for order in self.orders:
            if order.number == number:
                return order
        raise KeyError(number)
