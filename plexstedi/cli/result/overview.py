"""The overview as JSON: health, overdue documents, counts by supplier (`status`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexstedi.cli.result.values import Day, JsonShape, Time

if TYPE_CHECKING:
    from plexstedi.sync.ingest.deadlines import LateDocument
    from plexstedi.sync.report.overview import Unwritten
    from plexstedi.sync.session import Session


class SupplierNotTradedJson(JsonShape):
    """A supplier without a table, and how many orders it has."""

    supplier: str
    orders: int


class CustomerNotTradedJson(JsonShape):
    """A customer without a table, and how many invoices it has."""

    customer: str
    invoices: int


def not_traded(session: Session) -> list[SupplierNotTradedJson | CustomerNotTradedJson]:
    """Suppliers without settings with their number of orders, then customers with their number of invoices."""
    suppliers, customers = session.store.orders.untraded_suppliers(), session.store.invoices.untraded_customers()
    return [
        *(SupplierNotTradedJson(supplier=code, orders=count) for code, count in suppliers),
        *(CustomerNotTradedJson(customer=code, invoices=count) for code, count in customers),
    ]


class NoteJson(JsonShape):
    """An error of a run or stage."""

    code: str
    message: str
    fix: str


class LastRunJson(JsonShape):
    """How the last of `run`, `poll`, `submit`, `ingest-acks` ended."""

    at: Time
    command: str
    exit_code: int
    error: NoteJson | None


class StageJson(JsonShape):
    """When a stage last succeeded and failed."""

    succeeded_at: Time | None
    failed_at: Time | None
    error: NoteJson | None


class FaultJson(JsonShape):
    """A fault that lasts."""

    code: str
    since: Time
    message: str
    fix: str


class HealthJson(JsonShape):
    """Health for a monitor; `stages` by `poll`, `submit`, `ingest-acks`."""

    ok: bool
    last_run: LastRunJson | None
    stages: dict[str, StageJson]
    faults: list[FaultJson]
    key_due: Time | None


class LateJson(JsonShape):
    """A document with an overdue response."""

    order: str
    supplier: str
    document: int
    kind: str
    clock: str
    lateness: str
    since: Time
    minutes_over: int
    due: Day | None
    """The first day on which something of its lines is due, as last sent."""
    lines: list[int]
    text: str

    @classmethod
    def of(cls, one: LateDocument) -> LateJson:
        return cls(
            order=one.document.order_number,
            supplier=one.document.supplier,
            document=one.document.id,
            kind=one.document.kind,
            clock=one.late.kind.value,
            lateness=one.late.level.value,
            since=one.late.since,
            minutes_over=int(one.late.by.total_seconds()) // 60,
            due=one.due,
            lines=list(one.late.lines),
            text=one.in_words(),
        )


class UnwrittenJson(JsonShape):
    """An order whose acknowledgment is still to be written to Plex."""

    order: str
    supplier: str
    since: Time
    why: str

    @classmethod
    def of(cls, one: Unwritten) -> UnwrittenJson:
        return cls(order=one.order_number, supplier=one.supplier, since=one.since, why=one.why)


class SupplierJson(JsonShape):
    """One supplier's orders and documents, counted."""

    supplier: str
    orders: int
    open_orders: int
    documents: int
    undelivered: int
    unanswered: int
    attention: int


class DocumentCountsJson(JsonShape):
    """How many documents by each of their statuses."""

    state: dict[str, int]
    delivery: dict[str, int]
    functional_ack: dict[str, int]
    business_ack: dict[str, int]


class TimesJson(JsonShape):
    """When each thing was last done."""

    plex_read_until: Time | None
    sweep_finished: Time | None
    receipts_read_until: Time | None
    last_sent: Time | None
    last_received: Time | None
    last_written: Time | None
