"""`PlexPort` over Plex's REST interfaces: one reader for both dialects."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from plexstedi.edi.invoice import Invoice
from plexstedi.edi.order import Order, Supplier
from plexstedi.http.caller import Caller
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
from plexstedi.plex.rest.client import Rest, readable
from plexstedi.plex.rest.directory import Directory
from plexstedi.plex.rest.invoices import InvoiceReader
from plexstedi.plex.rest.orders import OrderReader
from plexstedi.plex.rest.receipts import read_receipts
from plexstedi.plex.settings import Level, StatusNames
from plexstedi.plex.writeback.release_update import current_release, update_release

_NOBODY = "00000000-0000-0000-0000-000000000000"


class AckValues(Protocol):
    """Storage of acknowledgments in Plex: custom fields (in either dialect) or acknowledgment records."""

    def check(self, wanted: Mapping[Level, Collection[str]]) -> None: ...

    def read(self, wanted: Sequence[FieldValues]) -> tuple[FieldValues, ...]: ...

    def write(self, changes: Sequence[FieldValues]) -> tuple[WriteResult, ...]: ...


class RestPlex:
    """`PlexPort` over REST."""

    def __init__(
        self,
        rest: Rest,
        values: AckValues,
        names: StatusNames,
        *,
        account: Caller | None = None,
        former: Sequence[Days] = (),
        parallel_calls: int = 1,
    ) -> None:
        """`account`: the caller that `values` uses, if it is not the REST interface's own.

        `former`: the day conversions of earlier runs, if they differed.
        """
        self._rest = rest
        self._values = values
        self._account = account
        self._directory = Directory(rest, names)
        self._invoices = InvoiceReader(rest, former)
        self._orders = OrderReader(rest, self._directory, former, parallel_calls)

    def tenants(self) -> tuple[Tenant, ...]:
        rows = self._rest.all_of("tenants")
        with readable("tenants"):
            return tuple(Tenant(id=row.needed("id"), code=row.text("code") or "") for row in rows)

    def unreadable_records(self) -> tuple[UnreadableRecord, ...]:
        return self._rest.unreadable_records()

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

    def probe_parts(self) -> None:
        """Ask for a part that does not exist. Raise ServiceRefused where parts may not be read."""
        self._directory.parts([_NOBODY])

    def receipts(self, window: Window) -> tuple[Receipt, ...]:
        return read_receipts(self._rest, window)

    def touched_invoices(self, window: Window) -> tuple[InvoiceReading, ...]:
        return self._invoices.touched(window)

    def invoice_in_former_zone(self, invoice_id: str, timezone: str) -> Invoice | None:
        return self._invoices.in_former_zone(invoice_id, timezone)

    def check_fields(self, wanted: Mapping[Level, Collection[str]]) -> None:
        self._values.check(wanted)

    def read_values(self, wanted: Sequence[FieldValues]) -> tuple[FieldValues, ...]:
        return self._values.read(wanted)

    def write_values(self, changes: Sequence[FieldValues]) -> tuple[WriteResult, ...]:
        return self._values.write(changes)

    def current_release(self, release_id: str) -> CurrentRelease | None:
        found = current_release(self._rest, self._directory.statuses(), release_id)
        if found is not None and found.state is None and (statuses := self._directory.statuses_again()) is not None:
            # Its status was added since the statuses were read.
            found = current_release(self._rest, statuses, release_id)
        return found

    def update_release(self, update: ReleaseUpdate) -> WriteOutcome:
        return update_release(self._rest, update)

    def service_now(self) -> datetime | None:
        return self._rest.caller.service_now()

    def close(self) -> None:
        self._rest.caller.close()
        if self._account is not None:
            self._account.close()
