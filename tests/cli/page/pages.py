"""Pages of any number of orders, made without a state file."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from plexstedi.edi.deadlines import DeadlineKind, Overdue, OverdueLevel
from plexstedi.edi.inbound.outcome import AckState
from plexstedi.edi.order import Phase
from plexstedi.edi.reasons import Reason
from plexstedi.state.document import Document
from plexstedi.state.document_states import BusinessStatus, Delivery, DocumentState, FunctionalStatus
from plexstedi.state.orders import OrderRecord
from plexstedi.state.reviews import Review, ReviewKind
from plexstedi.state.run_records import LastRun, StageRecord
from plexstedi.state.statistics import SupplierCounts
from plexstedi.state.subject import of_document
from plexstedi.sync.health import Health, HealthFault
from plexstedi.sync.ingest.deadlines import LateDocument
from plexstedi.sync.report.lines import OrderLine, Promise, Wanted
from plexstedi.sync.report.overview import Overview, Times
from plexstedi.sync.report.page import PERIODS, PageData
from plexstedi.sync.report.risks import OpenLine, OpenOrder, difference, due_soon, lateness, worst_lines
from plexstedi.sync.stages import Stage
from plexstedi.sync.statistics.scorecards import DayRecord, SupplierDay, scorecards
from plexstedi.sync.statistics.stages import OrderStage, stage_of_last

NOW = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
TODAY = NOW.date()
NAMES = {
    "S001": "Acme Bolt & Fastener",
    "S002": "Bluewater Castings",
    "S003": "Crown Point Stamping and Precision Machining Works of Grand Rapids, Incorporated",
    "S004": "Delta <Tube> Works",
    "S005": "Erie Spring Co",
}
_STATES = (AckState.CONFIRMED, AckState.CONFIRMED, AckState.CHANGED, AckState.UNACKNOWLEDGED, AckState.BACKORDERED)
_BUSINESS = (
    BusinessStatus.CONFIRMED,
    BusinessStatus.CONFIRMED,
    BusinessStatus.CHANGED,
    BusinessStatus.NONE,
    BusinessStatus.BACKORDERED,
)


def a_document(number: int, supplier: str, business: BusinessStatus, state: DocumentState) -> Document:
    """The 850 of an order."""
    return Document(
        id=number,
        stream=f"id-{number}",
        order_id=f"id-{number}",
        order_number=f"PO-{104000 + number}",
        order_release=None,
        supplier=supplier,
        partnership="us",
        transaction_setting="850",
        kind="850",
        purpose="00",
        revision=1,
        change_sequence=0,
        counter=1,
        idempotency_key=f"key-{number}",
        file_name=f"{number}.edi",
        route="generate-edi",
        dropped=(),
        state=state,
        delivery=Delivery.FAILED if state is DocumentState.FAILED else Delivery.DELIVERED,
        functional_ack=FunctionalStatus.ACCEPTED,
        business_ack=business,
        retry=False,
        blocks=False,
        file_execution_id=None,
        interchange_control=number,
        group_control=number,
        set_control=1,
        frozen_at=NOW,
        first_attempt_at=NOW,
        accepted_at=NOW,
        delivered_at=NOW,
        next_attempt_at=None,
        error="SFTP server refused the connection" if state is DocumentState.FAILED else None,
        replay_of=None,
    )


def an_order(number: int) -> OpenOrder:
    """An order of one to five lines; its number decides everything about it."""
    supplier = f"S00{number % 5 + 1}"
    state = _STATES[number % 5]
    due = TODAY + timedelta(days=number % 40 - 5)
    record = OrderRecord(
        f"id-{number}", f"PO-{104000 + number}", supplier, Phase.RELEASED, False, 0, 1, NOW, 1, 0, False
    )
    failed = number % 50 == 7
    document = a_document(
        number, supplier, _BUSINESS[number % 5], DocumentState.FAILED if failed else DocumentState.DELIVERED
    )
    lines = tuple(_line(number, line, state, due) for line in range(1, number % 5 + 2))
    reviews = (number,) if state is AckState.BACKORDERED else ()
    return OpenOrder(record, NAMES[supplier], stage_of_last(document), due, lines, document, reviews)


def _line(number: int, line: int, state: AckState, due: date) -> OpenLine:
    quantity = Decimal(100 * line + number % 7)
    late = timedelta(days=number % 9 if state in (AckState.CHANGED, AckState.BACKORDERED) else 0)
    acknowledged = state is not AckState.UNACKNOWLEDGED
    confirmed = quantity if state in (AckState.CONFIRMED, AckState.CHANGED) else Decimal(0)
    words = f"{quantity} EA due {due}, promised delivery {due + late} (067), {late.days} days late"
    made = OrderLine(
        line=line,
        part=f"{80000 + 7 * number + line} rev A",
        ordered=quantity,
        unit="EA",
        confirmed=confirmed,
        backordered=quantity if state is AckState.BACKORDERED else Decimal(0),
        rejected=Decimal(0),
        state=state,
        reasons=(words,) if late else (),
        wanted=(Wanted(quantity, due),),
        promised=(Promise(quantity, due + late, due + late),) if acknowledged else (),
        acknowledged=acknowledged,
        sent=True,
    )
    return OpenLine(made, due)


def _review(number: int, order: OpenOrder) -> Review:
    fix = f"agree on the rest with the supplier, then `plexstedi review accept {number} --reason TEXT`"
    reason = Reason(code="backordered", where="line 1", message="ordered 100 EA, now 60, backordered 40", fix=fix)
    record = order.record
    kind, subject = ReviewKind.LINE_BACKORDERED, of_document(number)
    facts = (record.supplier, record.id, record.number, 1, (reason,), "open", NOW, None, None, None)
    return Review(number, kind, subject, *facts)


def _days(count: int) -> dict[date, DayRecord]:
    """A year in which suppliers get slower with their number, and the last one has started only lately."""
    found: dict[date, DayRecord] = {}
    for back in range(count):
        suppliers = {
            code: SupplierDay(
                as_ordered=6 - index,
                changed=index,
                rejected=int(index == 4),
                timed=7,
                on_time=7 - index,
                minutes=tuple(30 * (index + 1) * (1 + step) for step in range(4)),
            )
            for index, code in enumerate(NAMES)
            if index < 4 or back < 20
        }
        orders = {
            stage.value: (4 * (len(OrderStage) - position) + back % (5 + position)) * 3
            for position, stage in enumerate(OrderStage)
        }
        found[TODAY - timedelta(days=back)] = DayRecord(orders=orders, suppliers=suppliers)
    return dict(sorted(found.items()))


def a_page(count: int, *, days: int = 120, healthy: bool = True) -> PageData:
    """A page of so many open orders."""
    orders = sorted(map(an_order, range(count)), key=lambda order: (order.due or TODAY, order.record.number))
    reviews = tuple(_review(order.reviews[0], order) for order in orders if order.reviews)
    overdue = [
        LateDocument(
            order.last,
            Overdue(
                document=order.last.id,
                kind=DeadlineKind.ACKNOWLEDGMENT,
                level=OverdueLevel.LIMIT if order.last.id % 2 else OverdueLevel.WARNING,
                since=NOW - timedelta(days=4),
                allowed=timedelta(hours=48),
                by=timedelta(hours=order.last.id % 50),
                lines=(1, 2),
            ),
        )
        for order in orders
        if order.last is not None and order.last.business_ack is BusinessStatus.NONE
    ][:12]
    records = _days(days)
    at = NOW - timedelta(minutes=4)
    fault = HealthFault("unavailable", at, "Plex is unavailable: 503", "Nothing to do: `run` continues by itself.")
    silent = {"S005": [TODAY - timedelta(days=3)]}
    return PageData(
        supplier=None,
        now=NOW,
        today=TODAY,
        every_minutes=5,
        radar_days=10,
        seen=Overview(
            orders={"released": count, "received": 1200},
            states={"delivered": count},
            lines={"confirmed": 3 * count},
            suppliers=tuple(SupplierCounts(code, count, count, 0, count, 1, 2, 3) for code in NAMES),
            open_reviews=reviews,
            late=tuple(overdue),
            unread_sets={"820": 3},
            not_traded=(("OTHER", 7),),
            times=Times(at, at - timedelta(hours=20), at, at, at, at),
            attention=len(reviews),
        ),
        health=Health(
            LastRun(at=at, command="run", exit_code=0 if healthy else 5),
            {stage: StageRecord(succeeded_at=at) for stage in Stage},
            () if healthy else (fault,),
            None,
        ),
        orders=orders,
        late=worst_lines(orders, lambda line: lateness(line, TODAY), most_first=True),
        due_soon=worst_lines(orders, lambda line: due_soon(line, TODAY, 10), most_first=False),
        differs=worst_lines(orders, difference, most_first=False),
        overdue=overdue,
        failed=[one.last for one in orders if one.last is not None and one.stage is OrderStage.FAILED],
        names=NAMES,
        days=records,
        cards={period: scorecards(records, silent, TODAY, period) for period in PERIODS},
    )


def one_supplier(data: PageData, code: str) -> PageData:
    """The page of `--supplier CODE`."""
    orders = [order for order in data.orders if order.record.supplier == code]
    return replace(data, supplier=code, orders=orders)
