"""The port to Plex: what the rest of the program may ask of it, in whatever dialect it speaks.

Every method may raise ServiceUnavailable (no answer; the next run carries on) and ServiceRefused (key, tenant, grant,
or a filter that Plex did not honour). What concerns one order or one record only is a value, so that the others go on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol, TypeAlias

from plexstedi.edi.invoice import Invoice
from plexstedi.edi.order import Order, ReleaseState, Supplier
from plexstedi.errors import ServiceUnavailable
from plexstedi.plex.settings import Level

__all__ = [
    "CurrentRelease",
    "FieldValue",
    "FieldValues",
    "InvoiceReading",
    "Level",
    "NotWritten",
    "OrderReading",
    "PlexPort",
    "Receipt",
    "RecordRef",
    "ReleaseUpdate",
    "Tenant",
    "Touched",
    "UnavailableOrder",
    "UnforeseenInvoice",
    "UnforeseenOrder",
    "UnreadableInvoice",
    "UnreadableOrder",
    "UnreadableRecord",
    "VanishedOrder",
    "Window",
    "WriteOutcome",
    "WriteRefused",
    "WriteResult",
    "WriteUnknown",
    "Written",
]


@dataclass(frozen=True)
class Window:
    """A span of time that a poll covers, both ends included, aware. Raise ValueError if it ends before it begins."""

    begin: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.begin.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window needs aware times")
        if self.end < self.begin:
            raise ValueError("a window ends after it begins")


@dataclass(frozen=True)
class Tenant:
    """A company in Plex: its id (UUID in Connect) and the code seen at log-in (PCN)."""

    id: str
    code: str


@dataclass(frozen=True)
class Touched:
    """An order of which something changed.

    `number` is empty if only a release was seen that does not name it. `marks` has, per row seen (the order itself or
    a release of it), when it was last modified, else created: a row whose mark is known needs no second look.
    """

    order_id: str
    number: str
    marks: Mapping[str, datetime]


@dataclass(frozen=True)
class UnreadableOrder:
    """An order that is there and cannot be read faithfully: an unknown status, a missing field. Held with `reason`."""

    order_id: str
    number: str
    reason: str
    fix: str


@dataclass(frozen=True)
class VanishedOrder:
    """An order that Plex no longer has, while it answers for others."""

    order_id: str


@dataclass(frozen=True)
class UnavailableOrder:
    """An order of which Plex does not answer, while it answers for others: read again later."""

    order_id: str
    number: str
    fault: ServiceUnavailable


@dataclass(frozen=True)
class UnforeseenOrder:
    """An order whose reading raised what nobody foresaw."""

    order_id: str
    number: str
    error: Exception


OrderReading: TypeAlias = Order | UnreadableOrder | VanishedOrder | UnavailableOrder | UnforeseenOrder


@dataclass(frozen=True)
class UnreadableRecord:
    """A row of Plex that cannot be read, and does not tell which order or invoice it belongs to.

    It is left out where it was found; whatever depends on it says so itself.
    """

    table: str
    key: str
    """Its id, else a fingerprint of its content."""
    words: str
    """The row as people find it again: `receipt 4711`, or the table alone."""
    reason: str
    error: Exception | None = None
    """What nobody foresaw, if it was that."""


@dataclass(frozen=True)
class UnreadableInvoice:
    """A customer invoice that is there and cannot be read faithfully. Held with `reason`."""

    invoice_id: str
    number: str
    customer_code: str
    """Empty if that cannot be read either."""
    created_at: datetime | None
    reason: str
    fix: str


@dataclass(frozen=True)
class UnforeseenInvoice:
    """A customer invoice whose reading raised what nobody foresaw."""

    invoice_id: str
    number: str
    error: Exception
    mark: str
    """A fingerprint of its content."""


InvoiceReading: TypeAlias = Invoice | UnreadableInvoice | UnforeseenInvoice


@dataclass(frozen=True)
class Receipt:
    """Goods received, for RULES.md Reading 14. `quantity` is in the line's unit; returns are negative."""

    id: str
    order_id: str
    line_id: str
    release_id: str | None
    quantity: Decimal
    received_at: datetime


@dataclass(frozen=True)
class RecordRef:
    """What an acknowledgment is written to: an order, a line or a release, by Plex's id."""

    level: Level
    order_id: str
    record_id: str


FieldValue: TypeAlias = str | Decimal | None


@dataclass(frozen=True)
class FieldValues:
    """Fields of one record by the field's own name in Plex; None is an empty field."""

    record: RecordRef
    values: Mapping[str, FieldValue]


@dataclass(frozen=True)
class CurrentRelease:
    """What a release holds now, as Plex has it: the note with everything in it."""

    release_id: str
    status: str
    state: ReleaseState | None
    """What the status means; None: unknown, so that nothing is to be written."""
    quantity: Decimal | None
    due: date | None
    note: str | None


@dataclass(frozen=True)
class ReleaseUpdate:
    """What of a release is to be changed; None leaves a value as it is. The status is never changed."""

    order_id: str
    release_id: str
    note: str | None = None
    due: date | None = None
    quantity: Decimal | None = None


@dataclass(frozen=True)
class Written:
    """Plex says that it has written. The caller reads back."""


@dataclass(frozen=True)
class WriteRefused:
    """Plex will not write this; trying again changes nothing."""

    reason: str


@dataclass(frozen=True)
class NotWritten:
    """Nothing has been written, for no fault of the record; the next run may try again."""

    reason: str


@dataclass(frozen=True)
class WriteUnknown:
    """It may have been written. Read, then decide; never write blindly again."""

    reason: str


WriteOutcome: TypeAlias = Written | WriteRefused | NotWritten | WriteUnknown


@dataclass(frozen=True)
class WriteResult:
    """What became of the write to one record."""

    record: RecordRef
    outcome: WriteOutcome


class PlexPort(Protocol):
    """Plex, as the rest of the program sees it."""

    def tenants(self) -> tuple[Tenant, ...]:
        """The companies that the key opens."""
        ...

    def unreadable_records(self) -> tuple[UnreadableRecord, ...]:
        """The rows that were met since this was asked last, and could not be read."""
        ...

    def touched_orders(self, window: Window) -> tuple[Touched, ...]:
        """Orders of which the header or a release was modified or created in the window, active or not.

        Raise ServiceRefused if Plex returns rows outside the window: the filter was ignored (plex/README.md 4.2).
        """
        ...

    def open_orders(self) -> tuple[Touched, ...]:
        """All orders that are on order now, for the sweep."""
        ...

    def order(self, order_id: str) -> OrderReading:
        """One order with its lines and releases. Never UnavailableOrder: its fault is raised."""
        ...

    def orders(self, order_ids: Iterable[str]) -> Iterator[OrderReading]:
        """Many orders, in the order asked, with few calls: about one each, and one more per 25."""
        ...

    def order_in_former_zone(self, order_id: str, timezone: str) -> Order | None:
        """An order of the last ones read, in the days of a former `plex.timezone` (empty: none): without a call."""
        ...

    def supplier(self, supplier_id: str, address_id: str | None = None) -> Supplier | None:
        """A supplier with the address named, else its main one; None if Plex has no such supplier. Kept for the run."""
        ...

    def suppliers(self) -> tuple[Supplier, ...]:
        """All suppliers, without addresses."""
        ...

    def receipts(self, window: Window) -> tuple[Receipt, ...]:
        """All receipts of the tenant by the date received."""
        ...

    def touched_invoices(self, window: Window) -> tuple[InvoiceReading, ...]:
        """Customer invoices modified or created in the window, whole, void or not, by id.

        Raise ServiceRefused as `touched_orders`.
        """
        ...

    def invoice_in_former_zone(self, invoice_id: str, timezone: str) -> Invoice | None:
        """An invoice of the last window, in the days of a former `plex.timezone` (empty: none): without a call."""
        ...

    def check_fields(self, wanted: Mapping[Level, Collection[str]]) -> None:
        """Raise ServiceRefused if a field to be written does not exist where it should, or cannot be written."""
        ...

    def read_values(self, wanted: Sequence[FieldValues]) -> tuple[FieldValues, ...]:
        """What the fields named in `wanted` hold now, in the same order.

        Its values are what they are to hold: of several acknowledgment records of a release, ours is told by them.
        """
        ...

    def write_values(self, changes: Sequence[FieldValues]) -> tuple[WriteResult, ...]:
        """Write fields, or whole acknowledgment records; one result per change, in the same order.

        Nothing is ever sent twice.
        """
        ...

    def current_release(self, release_id: str) -> CurrentRelease | None:
        """What a release holds now; None if it is gone."""
        ...

    def update_release(self, update: ReleaseUpdate) -> WriteOutcome:
        """Change a release; the rest is read and echoed: Plex derives an omitted status anew (plex/README.md 5.5)."""
        ...

    def service_now(self) -> datetime | None:
        """Plex's own time, UTC, by the Date of its last answer; None while it has not answered."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...
