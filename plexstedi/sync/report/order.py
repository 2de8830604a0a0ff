"""One order as `status NUMBER` reports it, read from the state file."""

from __future__ import annotations

from msgspec import Struct

from plexstedi.edi.order import Order
from plexstedi.state.orders import OrderRecord
from plexstedi.state.store import Store
from plexstedi.sync.report.history import History, history_of
from plexstedi.sync.report.lines import OrderLine, lines_of


class OrderReport(Struct, frozen=True):
    """Everything that `status` shows of one order."""

    record: OrderRecord
    order: Order
    """The latest revision."""
    supplier_name: str | None
    lines: tuple[OrderLine, ...]
    history: History


def order_report(store: Store, record: OrderRecord) -> OrderReport:
    """Read the report of an order."""
    order = store.orders.revision(record.id, record.latest)
    supplier = store.orders.supplier(record.supplier)
    return OrderReport(
        record=record,
        order=order,
        supplier_name=None if supplier is None else supplier.name,
        lines=lines_of(store, order),
        history=history_of(store, record.id),
    )
