"""Orders, invoices, lines, acknowledgments and events as JSON (`status NUMBER`, `audit export`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

from plexstedi.cli.result.values import Day, ExactTime, JsonShape, Number, Time

if TYPE_CHECKING:
    from plexstedi.edi.invoice import Invoice, InvoiceLine
    from plexstedi.edi.order import Order
    from plexstedi.edi.writeback.plan import WritePlan
    from plexstedi.state.audit import Event
    from plexstedi.state.inbox import Inbound
    from plexstedi.state.invoices import InvoiceRecord
    from plexstedi.state.orders import OrderRecord
    from plexstedi.state.reviews import Review
    from plexstedi.sync.report.history import WordedEvent
    from plexstedi.sync.report.lines import OrderLine, Promise
from plexstedi.cli.result.things import LineJson, ReviewJson


class ScheduleJson(JsonShape):
    """A promised quantity and its dates, in the unit sent."""

    quantity: Number
    ship_date: Day | None
    delivery_date: Day | None

    @classmethod
    def of(cls, promise: Promise) -> ScheduleJson:
        return cls(quantity=promise.quantity, ship_date=promise.ship_date, delivery_date=promise.delivery_date)


class OrderLineJson(LineJson):
    """The current state of a line after all acknowledgments."""

    reason: str | None
    schedules: list[ScheduleJson]

    @classmethod
    def of(cls, line: OrderLine) -> OrderLineJson:
        return cls(
            line=line.line,
            ordered=line.ordered,
            unit=line.unit,
            confirmed=line.confirmed,
            backordered=line.backordered,
            ship_date=line.ship_date,
            delivery_date=line.delivery_date,
            state=line.state.value,
            reason="; ".join(line.reasons) or None,
            schedules=[ScheduleJson.of(promise) for promise in line.promised],
        )


class AcknowledgmentJson(JsonShape):
    """One inbound 855, 865 or 997."""

    transaction: str
    set: str
    document: int | None
    type: str | None
    dated: str | None
    processed_at: Time
    state: str
    reason: str | None

    @classmethod
    def of(cls, inbound: Inbound) -> AcknowledgmentJson:
        return cls(
            transaction=inbound.transaction_id,
            set=inbound.set_id,
            document=inbound.document_id,
            type=inbound.type_code,
            dated=inbound.dated,
            processed_at=inbound.processed_at,
            state=inbound.state.value,
            reason=inbound.reason,
        )


class EventJson(JsonShape):
    """An event of the audit trail."""

    at: ExactTime
    actor: str
    kind: str
    subject: str
    detail: Mapping[str, Any]


class WordedEventJson(EventJson):
    """An event of an order's timeline, in words."""

    text: str

    @classmethod
    def of(cls, worded: WordedEvent) -> WordedEventJson:
        event = worded.event
        return cls(
            at=event.at,
            actor=event.actor,
            kind=event.kind,
            subject=event.subject.text,
            detail=event.detail,
            text=worded.words,
        )


class ChainedEventJson(EventJson):
    """An event as stored, chained to its predecessor by its hash."""

    seq: int
    order_id: str | None
    previous: str
    hash: str
    plan: list[Mapping[str, Any]] | None
    """For `write-planned`: the fields planned, which the state keeps with the write; the event has their SHA-256."""

    @classmethod
    def of(cls, event: Event, plan: WritePlan | None) -> ChainedEventJson:
        return cls(
            at=event.at,
            actor=event.actor,
            kind=event.kind,
            subject=event.subject.text,
            detail=event.detail,
            seq=event.seq,
            order_id=event.order_id,
            previous=event.previous,
            hash=event.hash,
            plan=None if plan is None else [to_builtins(entry) for entry in plan.entries],
        )


class RecordJson(JsonShape):
    """Common keys of orders and invoices."""

    id: str
    number: str
    currency: str | None
    due_date: Day | None
    revision: int
    known_before: bool
    traded: bool
    read_at: Time
    reviews: list[ReviewJson]


class OrderJson(RecordJson):
    """An order as Plex has it."""

    supplier: str
    supplier_name: str | None
    phase: str
    status_in_plex: str | None
    order_date: Day | None
    blanket: bool

    @classmethod
    def of(cls, record: OrderRecord, order: Order, name: str | None, reviews: Iterable[Review]) -> OrderJson:
        return cls(
            id=order.id,
            number=order.number,
            currency=order.currency,
            due_date=order.due,
            revision=record.latest,
            known_before=record.known,
            traded=not record.untraded,
            read_at=record.read_at,
            reviews=[ReviewJson.of(review) for review in reviews],
            supplier=record.supplier,
            supplier_name=name,
            phase=record.phase.value,
            status_in_plex=order.status_name,
            order_date=order.order_date,
            blanket=order.blanket,
        )


class InvoiceJson(RecordJson):
    """A customer invoice as Plex has it."""

    customer: str
    customer_order: str | None
    booked: bool
    void: bool
    credit: bool
    invoice_date: Day | None
    total: Number | None

    @classmethod
    def of(cls, record: InvoiceRecord, invoice: Invoice, reviews: Iterable[Review]) -> InvoiceJson:
        return cls(
            id=invoice.id,
            number=invoice.number,
            currency=invoice.currency,
            due_date=invoice.due,
            revision=record.latest,
            known_before=record.known,
            traded=not record.untraded,
            read_at=record.read_at,
            reviews=[ReviewJson.of(review) for review in reviews],
            customer=record.customer,
            customer_order=invoice.customer_order,
            booked=invoice.booked,
            void=invoice.void,
            credit=invoice.credit,
            invoice_date=invoice.invoice_date,
            total=invoice.total,
        )


class InvoiceLineJson(JsonShape):
    """A line of an invoice."""

    line: int
    part: str | None
    quantity: Number
    unit: str | None
    price: Number | None
    description: str | None

    @classmethod
    def of(cls, line: InvoiceLine) -> InvoiceLineJson:
        return cls(
            line=line.number,
            part=line.part.number if line.part else None,
            quantity=line.quantity,
            unit=line.unit,
            price=line.price,
            description=line.description,
        )
