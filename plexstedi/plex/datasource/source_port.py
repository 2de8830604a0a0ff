"""`PlexPort` over data sources alone, in JSON or SOAP."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from plexstedi.edi.invoice import Invoice
from plexstedi.edi.order import Order, Supplier
from plexstedi.errors import ServiceRefused
from plexstedi.http.caller import Caller
from plexstedi.plex.datasource.directory import SourceDirectory
from plexstedi.plex.datasource.invoices import SourceInvoices
from plexstedi.plex.datasource.keys import ReleaseKey
from plexstedi.plex.datasource.orders import SourceOrders
from plexstedi.plex.datasource.releases import current_release, update_release
from plexstedi.plex.datasource.tables import SourceTables
from plexstedi.plex.days import Days
from plexstedi.plex.port import (
    CurrentRelease,
    FieldValues,
    InvoiceReading,
    OrderReading,
    Receipt,
    ReleaseUpdate,
    Tenant,
    Touched,
    UnavailableOrder,
    UnreadableRecord,
    Window,
    WriteOutcome,
    WriteResult,
)
from plexstedi.plex.rest.receipts import read_receipt
from plexstedi.plex.rest.rows import Row
from plexstedi.plex.rest_port import AckValues
from plexstedi.plex.settings import Level, PlexSettings


class DataSourcePlex:
    """`PlexPort` over the data sources of one web service account."""

    def __init__(
        self,
        caller: Caller,
        tables: SourceTables,
        settings: PlexSettings,
        values: AckValues | None,
        former: Sequence[Days] = (),
    ) -> None:
        """`values`: where acknowledgments are written as records; None: nowhere."""
        self._caller = caller
        self._tables = tables
        self._settings = settings
        self._values = values
        self._directory = SourceDirectory(tables, settings.statuses)
        self._orders = SourceOrders(tables, self._directory, former, settings.parallel_calls)
        self._invoices = SourceInvoices(tables, former)

    @property
    def tables(self) -> SourceTables:
        """The tables that are read."""
        return self._tables

    def tenants(self) -> tuple[Tenant, ...]:
        rows = self._tables.rows("company")
        codes = sorted({code for row in rows if (code := row.text("code")) is not None})
        wanted = self._settings.company_code or ""
        if [code.casefold() for code in codes] != [wanted.casefold()]:
            raise ServiceRefused(
                f"the web service account {self._settings.username} belongs to company {', '.join(codes) or '(none)'}, "
                f"the configuration names {wanted}",
                fix="Set plex.auth.username to an account of your own company, or correct plex.auth.company_code. "
                "Nothing was read, written or sent.",
                code="wrong-tenant",
            )
        return (Tenant(id=codes[0], code=codes[0]),)

    def unreadable_records(self) -> tuple[UnreadableRecord, ...]:
        return self._tables.unreadable_records()

    def touched_orders(self, window: Window) -> tuple[Touched, ...]:
        return self._orders.touched(window)

    def open_orders(self) -> tuple[Touched, ...]:
        return self._orders.open()

    def order(self, order_id: str) -> OrderReading:
        reading = next(self._orders.read([order_id]))
        if isinstance(reading, UnavailableOrder):
            raise reading.fault
        return reading

    def orders(self, order_ids: Iterable[str]) -> Iterator[OrderReading]:
        return self._orders.read(order_ids)

    def order_in_former_zone(self, order_id: str, timezone: str) -> Order | None:
        return self._orders.in_former_zone(order_id, timezone)

    def supplier(self, supplier_id: str, address_id: str | None = None) -> Supplier | None:
        return self._directory.supplier(supplier_id, address_id)

    def suppliers(self) -> tuple[Supplier, ...]:
        return self._directory.suppliers()

    def receipts(self, window: Window) -> tuple[Receipt, ...]:
        if not self._tables.has("receipts"):
            return ()
        rows = self._tables.in_window("receipts", window)
        read = self._tables.each((row for row in rows if row.raw("poLineItemId") is not None), _receipt)
        # Both halves of a halved window have the rows of their common second.
        return tuple(sorted({receipt.id: receipt for receipt in read}.values(), key=lambda r: (r.received_at, r.id)))

    def touched_invoices(self, window: Window) -> tuple[InvoiceReading, ...]:
        return self._invoices.touched(window)

    def some_invoices(self, window: Window, most: int) -> tuple[InvoiceReading, ...]:
        """As `touched_invoices`, but only as many of them, each of which takes a call."""
        return self._invoices.touched(window, most)

    def invoice_in_former_zone(self, invoice_id: str, timezone: str) -> Invoice | None:
        return self._invoices.in_former_zone(invoice_id, timezone)

    def check_fields(self, wanted: Mapping[Level, Collection[str]]) -> None:
        self._needed_values().check(wanted)

    def read_values(self, wanted: Sequence[FieldValues]) -> tuple[FieldValues, ...]:
        return self._needed_values().read(wanted)

    def write_values(self, changes: Sequence[FieldValues]) -> tuple[WriteResult, ...]:
        return self._needed_values().write(changes)

    def _needed_values(self) -> AckValues:
        if self._values is None:
            raise ServiceRefused(
                f'plex.api = "{self._settings.api}" has no custom fields',
                fix='Set plex.acknowledgments.write = "datasource", "releases" or "report-only".',
                code="not-available",
            )
        return self._values

    def current_release(self, release_id: str) -> CurrentRelease | None:
        return current_release(self._tables, self._directory, release_id)

    def update_release(self, update: ReleaseUpdate) -> WriteOutcome:
        return update_release(self._tables, update)

    def service_now(self) -> datetime | None:
        return self._caller.service_now()

    def close(self) -> None:
        self._caller.close()


def _receipt(row: Row) -> Receipt:
    receipt = read_receipt(row)
    release = row.text("release_key")
    if release is None:
        return receipt
    return Receipt(
        receipt.id,
        receipt.order_id,
        receipt.line_id,
        ReleaseKey(receipt.order_id, receipt.line_id, release).id,
        receipt.quantity,
        receipt.received_at,
    )
