"""The tables of `status` as headers and rows, shared by text and page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from msgspec import Struct

from plexstedi.cli.render.tables import plain
from plexstedi.edi.deadlines import OverdueLevel
from plexstedi.edi.invoice import InvoiceLine
from plexstedi.state.document import Document
from plexstedi.state.inbox import Inbound
from plexstedi.state.reviews import Review, ReviewKind
from plexstedi.state.run_records import LastRun, StageRecord
from plexstedi.sync.health import Health, HealthFault
from plexstedi.sync.ingest.deadlines import LateDocument
from plexstedi.sync.keys.advice import KeyDue
from plexstedi.sync.report.history import History, WordedEvent
from plexstedi.sync.report.invoice import InvoiceReport
from plexstedi.sync.report.lines import OrderLine, plain_quantity
from plexstedi.sync.report.order import OrderReport
from plexstedi.sync.report.overview import OrderRow, Overview, Unwritten

NOTHING = "-"
REVIEW_HEADERS = ("id", "order", "supplier", "line", "what", "since", "why")


def review_row(review: Review) -> tuple[object, ...]:
    """One open review item."""
    return (
        review.id,
        review.order_number or NOTHING,
        review.supplier or NOTHING,
        NOTHING if review.line is None else review.line,
        review.kind.value.replace("-", " "),
        instant(review.opened_at),
        first_of([reason.message for reason in review.reasons]),
    )


def first_of(texts: Sequence[str]) -> str:
    """The first reason and how many more there are: all of them would not fit into a table."""
    if not texts:
        return ""
    return texts[0] if len(texts) == 1 else f"{texts[0]} (and {len(texts) - 1} more)"


def overdue_without_review(seen: Overview) -> list[LateDocument]:
    """Overdue documents without a review item yet."""
    in_review = {review.subject for review in seen.open_reviews if review.kind is ReviewKind.OVERDUE}
    return [one for one in seen.late if one.subject not in in_review]


LATE_HEADERS = ("order", "supplier", "due", "document", "how late", "overdue by", "lines", "what")


def late_row(one: LateDocument) -> tuple[object, ...]:
    """One deadline whose limit or warning has passed."""
    return (
        one.document.order_number,
        one.document.supplier,
        day(one.due),
        one.document.kind,
        "overdue" if one.late.level is OverdueLevel.LIMIT else "warning",
        span(one.late.by),
        ", ".join(map(str, one.late.lines)) or NOTHING,
        one.in_words(),
    )


UNWRITTEN_HEADERS = ("order", "supplier", "since", "why")


def unwritten_row(one: Unwritten) -> tuple[object, ...]:
    """One order with an acknowledgment that is not yet written to Plex."""
    return (one.order_number, one.supplier, instant(one.since), one.why)


ORDER_HEADERS = ("order", "supplier", "in Plex", "sent", "delivery", "997", "confirmation", "needs review")


def order_row(row: OrderRow) -> tuple[object, ...]:
    """One order of a list."""
    last = row.last
    record = row.record
    sent = ("not by EDI" if record.untraded else NOTHING, NOTHING, NOTHING, NOTHING) if last is None else statuses(last)
    return (record.number, record.supplier, record.phase.value, *sent, row.reviews or NOTHING)


def statuses(document: Document) -> tuple[str, str, str, str]:
    """A document's kind and its three statuses, for display."""
    return (
        document.kind,
        document.delivery.value if document.state.value in ("delivered", "failed") else words(document.state),
        words(document.functional_ack),
        words(document.business_ack),
    )


ACKNOWLEDGMENT_HEADERS = ("transaction", "document", "type", "dated", "processed by Stedi", "state", "why")


def acknowledgment_row(acknowledgment: Inbound) -> tuple[object, ...]:
    """One acknowledgment of the supplier."""
    return (
        acknowledgment.transaction_id,
        acknowledgment.set_id,
        acknowledgment.type_code or NOTHING,
        acknowledgment.dated or NOTHING,
        instant(acknowledgment.processed_at),
        acknowledgment.state.value,
        acknowledgment.reason or "",
    )


EVENT_HEADERS = ("time", "who", "what")


def event_rows(events: Sequence[WordedEvent]) -> list[tuple[object, ...]]:
    """The timeline, without attempts whose result another line shows."""
    return [
        (instant(each.event.at), each.event.actor, each.words)
        for each in events
        if each.event.kind != "attempt-begun"
        and not (each.event.kind == "attempt-ended" and each.event.detail.get("outcome") == "accepted")
    ]


class Section(Struct, frozen=True):
    """One table of a report; omitted without rows."""

    title: str
    headers: tuple[str, ...]
    rows: Sequence[Sequence[object]]
    are_notes: bool = False
    """Rows of an id and a sentence: printed as lines on the terminal, not as a table."""


def sections(report: OrderReport | InvoiceReport) -> list[Section]:
    """The tables of one order's or invoice's report, the same for the terminal and the page."""
    if isinstance(report, OrderReport):
        lines = [
            Section("Lines", LINE_HEADERS, [line_row(line) for line in report.lines]),
            Section("Schedules", SCHEDULE_HEADERS, schedule_rows(report.lines)),
        ]
    else:
        lines = [Section("Lines", INVOICE_LINE_HEADERS, [invoice_line_row(line) for line in report.invoice.lines])]
    return [*lines, *_history(report.history)]


def _history(history: History) -> list[Section]:
    reasons = [(review.id, str(reason)) for review in history.reviews for reason in review.reasons]
    remarks = [
        (document.id, text)
        for document in history.documents
        for text in (*((document.error,) if document.error else ()), *(f"left out: {d}" for d in document.dropped))
    ]
    acknowledgments = [acknowledgment_row(each) for each in history.acknowledgments]
    return [
        Section("Needs review", REVIEW_HEADERS, [review_row(review) for review in history.reviews]),
        Section("Reasons", ("id", "reason and fix"), reasons, are_notes=True),
        Section("Documents", DOCUMENT_HEADERS, [document_row(document) for document in history.documents]),
        Section("Remarks on documents", ("document", "remark"), remarks, are_notes=True),
        Section("Acknowledgments", ACKNOWLEDGMENT_HEADERS, acknowledgments),
        Section("Timeline", EVENT_HEADERS, event_rows(history.events)),
    ]


def facts(report: OrderReport | InvoiceReport) -> list[tuple[str, str]]:
    """Header data of one report."""
    return _order_facts(report) if isinstance(report, OrderReport) else _invoice_facts(report)


def _order_facts(report: OrderReport) -> list[tuple[str, str]]:
    """Header data of one order."""
    order, record = report.order, report.record
    name = f" {report.supplier_name}" if report.supplier_name else ""
    known = ", from before PlexStedi" if record.known else ""
    return [
        ("order", order.number),
        ("supplier", f"{record.supplier}{name}" + (", not traded by EDI" if record.untraded else "")),
        ("in Plex", f"{record.phase.value} ({order.status_name}), revision {record.latest}{known}"),
        ("ordered on", day(order.order_date)),
        ("due", day(order.due)),
        ("last read", instant(record.read_at)),
    ]


def _invoice_facts(report: InvoiceReport) -> list[tuple[str, str]]:
    """Header data of one invoice."""
    invoice, record = report.invoice, report.record
    status = "void" if invoice.void else "booked" if invoice.booked else "not booked"
    known = ", from before invoices were sent from here" if record.known else ""
    return [
        ("credit memo" if invoice.credit else "invoice", invoice.number),
        ("customer", record.customer + (", not traded by EDI" if record.untraded else "")),
        ("for order", invoice.customer_order or NOTHING),
        ("in Plex", f"{status}, revision {record.latest}{known}"),
        ("dated", day(invoice.invoice_date)),
        ("due", day(invoice.due)),
        ("total", NOTHING if invoice.total is None else f"{invoice.total} {invoice.currency or ''}".rstrip()),
        ("last read", instant(record.read_at)),
    ]


INVOICE_LINE_HEADERS = ("line", "part", "quantity", "unit", "price", "description")


def invoice_line_row(line: InvoiceLine) -> tuple[object, ...]:
    """One line as invoiced in Plex."""
    return (
        line.number,
        line.part.number if line.part else NOTHING,
        plain_quantity(line.quantity),
        line.unit or NOTHING,
        NOTHING if line.price is None else plain_quantity(line.price),
        line.description or "",
    )


DOCUMENT_HEADERS = ("id", "document", "revision", "state", "delivery", "997", "confirmation", "sent", "file execution")


def document_row(document: Document) -> tuple[object, ...]:
    """One document with its three statuses."""
    return (
        document.id,
        document.kind if document.order_release is None else f"{document.kind} release {document.order_release}",
        document.revision,
        words(document.state),
        words(document.delivery),
        words(document.functional_ack),
        words(document.business_ack),
        instant(document.accepted_at),
        document.file_execution_id or NOTHING,
    )


LINE_HEADERS = ("line", "part", "ordered", "due", "confirmed", "promised", "state", "why")
DIFFERS = " *"
"""After a value that the supplier confirmed differently."""


def line_row(line: OrderLine) -> tuple[object, ...]:
    """One line: ordered against confirmed; what differs is marked."""
    confirmed = promised = NOTHING
    if line.acknowledged:
        confirmed = plain_quantity(line.confirmed) + (DIFFERS if line.confirmed != line.ordered else "")
        day_promised = line.delivery_date or line.ship_date
        late = day_promised is not None and line.due is not None and day_promised > line.due
        promised = day(day_promised) + (DIFFERS if late else "")
    return (
        line.line,
        line.part,
        f"{plain_quantity(line.ordered)} {line.unit}",
        day(line.due),
        confirmed,
        promised,
        line.state.value if line.sent else "not sent",
        first_of(line.reasons),
    )


SCHEDULE_HEADERS = ("line", "what", "quantity", "due", "ships", "arrives")


def schedule_rows(lines: Sequence[OrderLine]) -> list[tuple[object, ...]]:
    """Ordered and promised quantities by schedule, for lines with more than one schedule."""
    rows: list[tuple[object, ...]] = []
    for line in lines:
        if len(line.wanted) < 2 and len(line.promised) < 2:
            continue
        rows += [
            (line.line, "ordered", plain_quantity(part.quantity), day(part.due), NOTHING, NOTHING)
            for part in line.wanted
        ]
        rows += [
            (
                line.line,
                "backordered" if part.backordered else "confirmed",
                plain_quantity(part.quantity),
                NOTHING,
                day(part.ship_date),
                day(part.delivery_date),
            )
            for part in line.promised
        ]
    return rows


def times(seen: Overview) -> list[tuple[str, datetime | None]]:
    """When each thing was last done."""
    return [
        ("Plex read until", seen.times.plex_read_until),
        ("all open orders seen", seen.times.sweep_finished),
        ("receipts read until", seen.times.receipts_read_until),
        ("last sent", seen.times.last_sent),
        ("last received", seen.times.last_received),
        ("last written to Plex", seen.times.last_written),
    ]


FAULT_HEADERS = ("fault", "since", "what", "what to do")


def fault_row(fault: HealthFault) -> tuple[str, ...]:
    """One persistent fault."""
    return (fault.code, instant(fault.since), fault.message, fault.fix)


def health_facts(health: Health) -> list[tuple[str, str]]:
    """Whether runs are healthy, and since when."""
    count = len(health.faults)
    state = "ok" if health.ok else f"not ok: {count} fault{'s' if count > 1 else ''}"
    facts = [("health", state), ("last run", _last_run(health.last_run))]
    succeeded = {record.succeeded_at and instant(record.succeeded_at) for record in health.stages.values()}
    if len(succeeded) == 1 and None not in succeeded and all(not each.failed_at for each in health.stages.values()):
        facts.append((", ".join(health.stages), f"succeeded {succeeded.pop()}"))
    else:
        facts += [(f"last {stage}", _stage(record)) for stage, record in health.stages.items()]
    due = health.key
    return [*facts, ("Stedi key due", instant(None if due is None else due.at)), *_notice(due)]


def _notice(due: KeyDue | None) -> list[tuple[str, str]]:
    return [] if due is None or due.notice is None else [("Stedi key", due.notice)]


def _last_run(run: LastRun | None) -> str:
    if run is None:
        return NOTHING
    text = f"{instant(run.at)}, `{run.command}` ended with {run.exit_code}"
    return text if run.error is None else f"{text}: {plain(run.error.message)}"


def _stage(record: StageRecord) -> str:
    if record.succeeded_at is None and record.failed_at is None:
        return NOTHING
    text = f"succeeded {instant(record.succeeded_at)}" if record.succeeded_at else "has not succeeded yet"
    if record.failed_at is not None:
        text += f", failed {instant(record.failed_at)}"
    return text if record.error is None else f"{text}: {plain(record.error.message)}"


def counted(counts: Mapping[str, int]) -> str:
    """`60: released 50, received 10`."""
    if not counts:
        return "0"
    listed = (f"{'not yet' if name == 'none' else words(name)} {count}" for name, count in counts.items())
    return f"{sum(counts.values())}: " + ", ".join(listed)


def words(name: str) -> str:
    """A status for display; `none` is empty."""
    return NOTHING if name == "none" else plain(name).replace("_", " ")


def instant(at: datetime | None) -> str:
    """A time to the minute, UTC."""
    return NOTHING if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def day(value: date | None) -> str:
    """A day."""
    return NOTHING if value is None else value.isoformat()


def span(length: timedelta) -> str:
    """An approximate duration."""
    minutes = int(length.total_seconds()) // 60
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"
