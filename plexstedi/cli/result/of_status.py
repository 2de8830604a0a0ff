"""The keys that `status --json` adds: a module of its own, since text needs none of these models."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from plexstedi.cli.result.overview import (
    CustomerNotTradedJson,
    DocumentCountsJson,
    FaultJson,
    HealthJson,
    LastRunJson,
    LateJson,
    NoteJson,
    StageJson,
    SupplierJson,
    SupplierNotTradedJson,
    TimesJson,
    UnwrittenJson,
)
from plexstedi.cli.result.records import (
    AcknowledgmentJson,
    InvoiceJson,
    InvoiceLineJson,
    OrderJson,
    OrderLineJson,
    WordedEventJson,
)
from plexstedi.cli.result.things import DocumentJson, ReviewJson
from plexstedi.state.run_records import ErrorNote
from plexstedi.sync.health import Health
from plexstedi.sync.report.invoice import InvoiceReport
from plexstedi.sync.report.order import OrderReport
from plexstedi.sync.report.overview import Overview


def overview_parts(seen: Overview) -> dict[str, Any]:
    """The keys of the overview."""
    return {
        "orders": seen.orders,
        "documents": DocumentCountsJson(
            state=seen.states,
            delivery=seen.delivery,
            functional_ack=seen.functional_ack,
            business_ack=seen.business_ack,
        ),
        "lines": seen.lines,
        "suppliers": [
            SupplierJson(
                supplier=counts.supplier,
                orders=counts.orders,
                open_orders=counts.open_orders,
                documents=counts.documents,
                undelivered=counts.undelivered,
                unanswered=counts.unacknowledged,
                attention=counts.reviews,
            )
            for counts in seen.suppliers
        ],
        "waiting": [ReviewJson.of(review) for review in seen.open_reviews],
        "late": [LateJson.of(late) for late in seen.late],
        "unwritten": [UnwrittenJson.of(one) for one in seen.unwritten],
        "not_traded": [
            *(SupplierNotTradedJson(supplier=code, orders=count) for code, count in seen.not_traded),
            *(CustomerNotTradedJson(customer=code, invoices=count) for code, count in seen.customers_not_traded),
        ],
        "transactions_not_read": seen.unread_sets,
        "times": TimesJson(**structs.asdict(seen.times)),
    }


def report_parts(report: OrderReport | InvoiceReport) -> dict[str, Any]:
    """The keys of one order or invoice."""
    history = report.history
    parts: dict[str, Any] = {
        "documents": [DocumentJson.of(document) for document in history.documents],
        "events": [WordedEventJson.of(event) for event in history.events],
    }
    if isinstance(report, InvoiceReport):
        parts["invoice"] = InvoiceJson.of(report.record, report.invoice, history.reviews)
        parts["lines"] = [InvoiceLineJson.of(line) for line in report.invoice.lines]
    else:
        parts["order"] = OrderJson.of(report.record, report.order, report.supplier_name, history.reviews)
        parts["lines"] = [OrderLineJson.of(line) for line in report.lines]
        parts["answers"] = [AcknowledgmentJson.of(each) for each in history.acknowledgments]
    return parts


def health_part(health: Health) -> HealthJson:
    """`health` of the contract (DESIGN.md section 4)."""
    last = health.last_run
    return HealthJson(
        ok=health.ok,
        last_run=None
        if last is None
        else LastRunJson(at=last.at, command=last.command, exit_code=last.exit_code, error=_note(last.error)),
        stages={
            stage.value: StageJson(
                succeeded_at=record.succeeded_at, failed_at=record.failed_at, error=_note(record.error)
            )
            for stage, record in health.stages.items()
        },
        faults=[
            FaultJson(code=fault.code, since=fault.since, message=fault.message, fix=fault.fix)
            for fault in health.faults
        ],
        key_due=None if health.key is None else health.key.at,
    )


def _note(note: ErrorNote | None) -> NoteJson | None:
    return None if note is None else NoteJson(code=note.code, message=note.message, fix=note.fix)
