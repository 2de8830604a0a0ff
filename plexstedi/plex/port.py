"""The interface to Plex for the rest of the program, independent of the dialect.

Every method may raise ServiceUnavailable (no response; the next run continues) and ServiceRefused (key, tenant, grant,
or a filter that Plex ignored). A failure that concerns one order or record only is returned as a value, so that the
others are still processed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol, TypeAlias

from msgspec import Struct

from plexstedi.decimal_json import Json
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
    "MasterDataStore",
    "NoMasterData",
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


class MasterDataStore(Protocol):
    """Where master data is kept between runs: rows as Plex returned them."""

    def get(self, kind: str, key: str) -> Json:
        """The rows; None if they were never read, or too long ago."""
        ...

    def put(self, kind: str, key: str, content: Json) -> None:
        """Keep rows that were just read."""
        ...


class NoMasterData:
    """Nothing is kept."""

    def get(self, kind: str, key: str) -> Json:
        return None

    def put(self, kind: str, key: str, content: Json) -> None:
        return None


class Window(Struct, frozen=True):
    """The time span of a poll: both ends inclusive and timezone-aware. Raise ValueError if it ends before it begins."""

    begin: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.begin.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window needs aware times")
        if self.end < self.begin:
            raise ValueError("a window ends after it begins")


class Tenant(Struct, frozen=True):
    """A company in Plex: its id (UUID in Connect) and its log-in code (PCN)."""

    id: str
    code: str


class Touched(Struct, frozen=True):
    """An order with a changed header or release.

    `number` is empty if only a release was found that does not name it. `marks` has, for each row found (the order or
    one of its releases), its modified time, else its created time: a row whose mark is known need not be read again.
    """

    order_id: str
    number: str
    marks: Mapping[str, datetime]


class UnreadableOrder(Struct, frozen=True):
    """An order that exists but cannot be read faithfully: an unknown status, a missing field. Held with `reason`."""

    order_id: str
    number: str
    reason: str
    fix: str


class VanishedOrder(Struct, frozen=True):
    """An order that Plex no longer has, while it returns others."""

    order_id: str


class UnavailableOrder(Struct, frozen=True):
    """An order that Plex fails to return, while it returns others; it is read again later."""

    order_id: str
    number: str
    fault: ServiceUnavailable


class UnforeseenOrder(Struct, frozen=True):
    """An order whose reading raised an unexpected error."""

    order_id: str
    number: str
    error: Exception


OrderReading: TypeAlias = Order | UnreadableOrder | VanishedOrder | UnavailableOrder | UnforeseenOrder


class UnreadableRecord(Struct, frozen=True):
    """A Plex row that cannot be read and does not identify its order or invoice.

    It is skipped where it was found; reading the order or invoice itself reports the problem again.
    """

    table: str
    key: str
    """The row's id, else a fingerprint of its content."""
    label: str
    """A label for users: `receipt 4711`, or the table alone."""
    reason: str
    error: Exception | None = None
    """The exception, if it was an unexpected one."""


class UnreadableInvoice(Struct, frozen=True):
    """A customer invoice that exists but cannot be read faithfully. Held with `reason`."""

    invoice_id: str
    number: str
    customer_code: str
    """Empty if it cannot be read either."""
    created_at: datetime | None
    reason: str
    fix: str


class UnforeseenInvoice(Struct, frozen=True):
    """A customer invoice whose reading raised an unexpected error."""

    invoice_id: str
    number: str
    error: Exception
    mark: str
    """A fingerprint of the row's content."""


InvoiceReading: TypeAlias = Invoice | UnreadableInvoice | UnforeseenInvoice


class Receipt(Struct, frozen=True):
    """Goods received (RULES.md Reading 14). `quantity` is in the line's unit; returns are negative."""

    id: str
    order_id: str
    line_id: str
    release_id: str | None
    quantity: Decimal
    received_at: datetime


class RecordRef(Struct, frozen=True):
    """The target of a write-back: an order, a line or a release, by Plex's id."""

    level: Level
    order_id: str
    record_id: str


FieldValue: TypeAlias = str | Decimal | None


class FieldValues(Struct, frozen=True):
    """Field values of one record by Plex field name; None is an empty field."""

    record: RecordRef
    values: Mapping[str, FieldValue]


class CurrentRelease(Struct, frozen=True):
    """The current values of a release in Plex; `note` is the whole note, including our token."""

    release_id: str
    status: str
    state: ReleaseState | None
    """The meaning of the status; None: unknown, then nothing may be written."""
    quantity: Decimal | None
    due: date | None
    note: str | None


class ReleaseUpdate(Struct, frozen=True):
    """The values of a release to change; None leaves a value unchanged. The status is never changed."""

    order_id: str
    release_id: str
    note: str | None = None
    due: date | None = None
    quantity: Decimal | None = None


@dataclass(frozen=True)
class Written:
    """Plex reported success. The caller still reads the value back."""

    transaction: str | None = field(default=None, compare=False)
    """Plex's number of the call, if it states one: Plex lists its calls by it."""


@dataclass(frozen=True)
class WriteRefused:
    """Plex rejects this write; repeating it would fail in the same way."""

    reason: str
    transaction: str | None = field(default=None, compare=False)
    """As `Written.transaction`."""


class NotWritten(Struct, frozen=True):
    """Nothing was written, for a reason outside the record; the next run may try again."""

    reason: str


class WriteUnknown(Struct, frozen=True):
    """The write may have been processed. Read the record before deciding; never repeat the write blindly."""

    reason: str


WriteOutcome: TypeAlias = Written | WriteRefused | NotWritten | WriteUnknown


class WriteResult(Struct, frozen=True):
    """The outcome of the write to one record."""

    record: RecordRef
    outcome: WriteOutcome


class PlexPort(Protocol):
    """Plex as the rest of the program uses it."""

    def tenants(self) -> tuple[Tenant, ...]:
        """The companies that the key gives access to."""
        ...

    def unreadable_records(self) -> tuple[UnreadableRecord, ...]:
        """The rows found since the last call of this method that could not be read."""
        ...

    def touched_orders(self, window: Window) -> tuple[Touched, ...]:
        """Orders whose header or a release was modified or created in the window, active or not.

        Raise ServiceRefused if Plex returns rows outside the window: the filter was ignored (plex/README.md 4.2).
        """
        ...

    def open_orders(self) -> tuple[Touched, ...]:
        """All orders currently on order, for the sweep."""
        ...

    def order(self, order_id: str) -> OrderReading:
        """One order with its lines and releases. Never an UnavailableOrder: that fault is raised here."""
        ...

    def orders(self, order_ids: Iterable[str]) -> Iterator[OrderReading]:
        """Many orders, in the sequence given. Calls: about one per order, plus one per 25 orders."""
        ...

    def order_in_former_zone(self, order_id: str, timezone: str) -> Order | None:
        """An order read last, with its days converted by a former `plex.timezone` (empty: none). Makes no call."""
        ...

    def supplier(self, supplier_id: str, address_id: str | None = None) -> Supplier | None:
        """A supplier with this address, else its main one; None if Plex has no such supplier. Cached for the run."""
        ...

    def suppliers(self) -> tuple[Supplier, ...]:
        """All suppliers, without addresses."""
        ...

    def receipts(self, window: Window) -> tuple[Receipt, ...]:
        """All receipts of the tenant whose received date is in the window."""
        ...

    def touched_invoices(self, window: Window) -> tuple[InvoiceReading, ...]:
        """Complete customer invoices modified or created in the window, void or not, sorted by id.

        Raise ServiceRefused as `touched_orders`.
        """
        ...

    def invoice_in_former_zone(self, invoice_id: str, timezone: str) -> Invoice | None:
        """An invoice of the last window, its days converted by a former `plex.timezone` (empty: none). No call."""
        ...

    def check_fields(self, wanted: Mapping[Level, Collection[str]]) -> None:
        """Raise ServiceRefused if a field to be written does not exist at its level or is not writable."""
        ...

    def read_values(self, wanted: Sequence[FieldValues]) -> tuple[FieldValues, ...]:
        """The current values of the fields named in `wanted`, in the same sequence.

        The values in `wanted` are the planned ones: they identify our record among several of a release.
        """
        ...

    def write_values(self, changes: Sequence[FieldValues]) -> tuple[WriteResult, ...]:
        """Write fields, or whole acknowledgment records; one result per change, in the same sequence.

        No write is ever sent twice: none of these interfaces has an idempotency key.
        """
        ...

    def current_release(self, release_id: str) -> CurrentRelease | None:
        """The current values of a release; None if it no longer exists."""
        ...

    def update_release(self, update: ReleaseUpdate) -> WriteOutcome:
        """Change a release; its other values are sent back unchanged, status included (plex/README.md 5.5)."""
        ...

    def service_now(self) -> datetime | None:
        """Plex's current time, UTC, by the Date of its last response; None before the first response."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...
