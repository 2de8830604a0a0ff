"""What `status` prints for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from plexstedi.cli.tables import plain, print_table
from plexstedi.edi.clocks import Lateness
from plexstedi.state.documents import Document
from plexstedi.state.reviews import Review, ReviewKind
from plexstedi.sync.order_lines import OrderLine, plain_quantity
from plexstedi.sync.order_report import OrderReport
from plexstedi.sync.overdue import LateDocument
from plexstedi.sync.reporting import OrderRow, Overview

NOTHING = "-"


def show_overview(seen: Overview, now: datetime, supplier: str | None) -> None:
    """The whole picture."""
    print(f"Supplier {plain(supplier)}, {instant(now)}" if supplier else f"All suppliers, {instant(now)}")
    for name, counts in (
        ("orders", seen.orders),
        ("documents", seen.states),
        ("  delivery", seen.delivery),
        ("  functional ack (997)", seen.functional_ack),
        ("  business ack (855, 865)", seen.business_ack),
        ("lines sent", seen.lines),
    ):
        print(f"{name + ':':<26}{counted(counts)}")
    print(f"{'needs a person:':<26}{seen.attention}, in doubt {seen.in_doubt}")
    for name, at in times(seen):
        print(f"{name + ':':<26}{instant(at)}{_ago(at, now)}")
    print_table(
        ("supplier", "orders", "open", "documents", "not delivered", "not answered", "needs a person", ""),
        [
            (
                tally.supplier,
                tally.orders,
                tally.open_orders,
                tally.documents,
                tally.undelivered,
                tally.unanswered,
                tally.reviews,
                "not traded by EDI" if tally.untraded else "",
            )
            for tally in seen.suppliers
        ],
        title="\nSuppliers",
    )
    show_waiting(seen.waiting)
    if seen.late:
        print_table(LATE_HEADERS, [late_row(one) for one in seen.late], title="\nLate")
    for code, count in seen.not_traded:
        print(f"not traded by EDI: {plain(code)}, {count} orders (no [suppliers.{plain(code)}] in the configuration)")
    if seen.unread_sets:
        print(f"received and not read: {counted(seen.unread_sets)}")


def show_waiting(reviews: Sequence[Review]) -> None:
    """What needs a person; changed orders from before polling as one line."""
    known = [review for review in reviews if review.kind is ReviewKind.KNOWN_ORDER_CHANGED]
    apart = [review for review in reviews if review.kind is not ReviewKind.KNOWN_ORDER_CHANGED]
    print_table(WAITING_HEADERS, [waiting_row(review) for review in apart], title="\nNeeds a person")
    if known:
        noun = "order" if len(known) == 1 else "orders"
        print(f"and {len(known)} changed {noun} from before PlexStedi: `plexstedi review list` shows them")


WAITING_HEADERS = ("id", "order", "supplier", "line", "what", "since", "why")


def waiting_row(review: Review) -> tuple[object, ...]:
    """One open question."""
    return (
        review.id,
        review.order_number or NOTHING,
        review.supplier or NOTHING,
        NOTHING if review.line is None else review.line,
        review.kind.value.replace("-", " "),
        instant(review.opened_at),
        "; ".join(f"{reason.message} ({reason.fix})" for reason in review.reasons),
    )


def show_late(late: Sequence[LateDocument], now: datetime, *, timed: bool) -> None:
    """What is past a time limit or its warning. `timed`: the limits are known."""
    if not timed:
        print("How long a supplier may take stands in the configuration: name it with --config FILE.")
    elif late:
        print_table(LATE_HEADERS, [late_row(one) for one in late])
    else:
        print(f"Nothing is late, {instant(now)}.")


LATE_HEADERS = ("order", "supplier", "document", "how late", "over by", "lines", "what")


def late_row(one: LateDocument) -> tuple[object, ...]:
    """One clock past its time."""
    return (
        one.document.order_number,
        one.document.supplier,
        one.document.kind,
        "past the limit" if one.late.lateness is Lateness.LIMIT else "warning",
        span(one.late.by),
        ", ".join(map(str, one.late.lines)) or NOTHING,
        one.in_words(),
    )


def show_orders(rows: Sequence[OrderRow]) -> None:
    """A list of orders."""
    print_table(ORDER_HEADERS, [order_row(row) for row in rows], title="\nOrders")


ORDER_HEADERS = ("order", "supplier", "in Plex", "sent", "delivery", "997", "confirmation", "needs a person")


def order_row(row: OrderRow) -> tuple[object, ...]:
    """One order of a list."""
    last = row.last
    record = row.record
    sent = ("not by EDI" if record.untraded else NOTHING, NOTHING, NOTHING, NOTHING) if last is None else statuses(last)
    return (record.number, record.supplier, record.phase.value, *sent, row.reviews or NOTHING)


def statuses(document: Document) -> tuple[str, str, str, str]:
    """A document's kind and its three statuses, in words."""
    return (
        document.kind,
        document.delivery.value if document.state.value in ("delivered", "failed") else words(document.state),
        words(document.functional_ack),
        words(document.business_ack),
    )


def show_order(report: OrderReport) -> None:
    """One order's story."""
    for name, value in facts(report):
        print(f"{name + ':':<12}{plain(value)}")
    print_table(DOCUMENT_HEADERS, [document_row(document) for document in report.documents], title="\nDocuments")
    for document in report.documents:
        if document.error:
            print(f"document {document.id}: {plain(document.error)}")
        for dropped in document.dropped:
            print(f"document {document.id}, left out: {plain(dropped)}")
    print_table(LINE_HEADERS, [line_row(line) for line in report.lines], title="\nLines")
    print_table(SCHEDULE_HEADERS, schedule_rows(report.lines), title="\nSchedules")
    show_waiting(report.reviews)
    print_table(
        ("time", "who", "what"),
        [(instant(told.event.at), told.event.actor, told.words) for told in report.events],
        title="\nTimeline",
    )


def facts(report: OrderReport) -> list[tuple[str, str]]:
    """The head of one order."""
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


LINE_HEADERS = (
    "line",
    "part",
    "unit",
    "ordered",
    "due",
    "confirmed",
    "backordered",
    "ships",
    "arrives",
    "state",
    "why",
)


def line_row(line: OrderLine) -> tuple[object, ...]:
    """One line: ordered against confirmed."""
    said = line.answered
    return (
        line.line,
        line.part,
        line.unit,
        plain_quantity(line.ordered),
        day(line.due),
        plain_quantity(line.confirmed) if said else NOTHING,
        plain_quantity(line.backordered) if said else NOTHING,
        day(line.ship_date),
        day(line.delivery_date),
        line.state.value if line.sent else "not sent",
        line.reason or "",
    )


SCHEDULE_HEADERS = ("line", "what", "quantity", "due", "ships", "arrives")


def schedule_rows(lines: Sequence[OrderLine]) -> list[tuple[object, ...]]:
    """What was asked for and what was promised, part by part, of lines with more than one part."""
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
    """When what was last done."""
    return [
        ("Plex read until", seen.times.plex_read_until),
        ("all open orders seen", seen.times.sweep_finished),
        ("receipts read until", seen.times.receipts_read_until),
        ("last sent", seen.times.last_sent),
        ("last received", seen.times.last_received),
        ("last written to Plex", seen.times.last_written),
    ]


def counted(counts: Mapping[str, int]) -> str:
    """`60: released 50, received 10`."""
    if not counts:
        return "0"
    return f"{sum(counts.values())}: " + ", ".join(f"{words(name)} {count}" for name, count in counts.items())


def words(name: str) -> str:
    """A status as words; `none` is nothing."""
    return NOTHING if name == "none" else plain(name).replace("_", " ")


def instant(at: datetime | None) -> str:
    """A time to the minute, UTC."""
    return NOTHING if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def day(value: date | None) -> str:
    """A day."""
    return NOTHING if value is None else value.isoformat()


def _ago(at: datetime | None, now: datetime) -> str:
    if at is None or now - at < timedelta(hours=1):
        return ""
    return f" ({span(now - at)} ago)"


def span(length: timedelta) -> str:
    """A length of time, roughly."""
    minutes = int(length.total_seconds()) // 60
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"
