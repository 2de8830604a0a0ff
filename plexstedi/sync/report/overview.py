"""The report of `status`, read from the state file without secrets, services or the lock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from plexstedi.edi.deadlines import OverdueLevel
from plexstedi.edi.inbound.reading.inbound_sets import READ_SETS
from plexstedi.edi.order import Phase
from plexstedi.edi.order_number import number_key
from plexstedi.errors import UsageFault
from plexstedi.state.cursors import Fact
from plexstedi.state.document import Document
from plexstedi.state.orders import OrderRecord
from plexstedi.state.reviews import Review, ReviewKind
from plexstedi.state.statistics import Statistics, SupplierCounts
from plexstedi.state.store import Store, expect_state
from plexstedi.sync.ingest.deadlines import LateDocument, late_documents
from plexstedi.sync.report.lines import unacknowledged_lines
from plexstedi.sync.writeback.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plexstedi.config.load import Config
from plexstedi.config.places import may_exist

_MOST_COMPARED = 50_000


class Times(Struct, frozen=True):
    """Times of the last reads, sends and writes; None: never."""

    plex_read_until: datetime | None = None
    sweep_finished: datetime | None = None
    receipts_read_until: datetime | None = None
    last_sent: datetime | None = None
    last_received: datetime | None = None
    last_written: datetime | None = None


class Unwritten(Struct, frozen=True):
    """An order whose acknowledgment is not written to Plex yet."""

    order_number: str
    supplier: str
    since: datetime
    why: str


class Overview(Struct, frozen=True):
    """The report of `status`, of one supplier or of all."""

    orders: dict[str, int] = field(default_factory=dict)
    """By phase."""
    states: dict[str, int] = field(default_factory=dict)
    """Documents by state."""
    delivery: dict[str, int] = field(default_factory=dict)
    functional_ack: dict[str, int] = field(default_factory=dict)
    business_ack: dict[str, int] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    """Lines that were sent, by their current state."""
    suppliers: tuple[SupplierCounts, ...] = ()
    open_reviews: tuple[Review, ...] = ()
    late: tuple[LateDocument, ...] = ()
    unwritten: tuple[Unwritten, ...] = ()
    """Orders whose acknowledgments are not written to Plex yet, oldest first."""
    unread_sets: dict[str, int] = field(default_factory=dict)
    """Number of received transactions, by set, of sets that are not read."""
    not_traded: tuple[tuple[str, int], ...] = ()
    customers_not_traded: tuple[tuple[str, int], ...] = ()
    """Customers without settings, each with its number of invoices."""
    times: Times = Times()
    attention: int = 0
    """Number of open review items, and of overdue limits without one yet."""
    in_doubt: int = 0

    @property
    def needs_review(self) -> bool:
        """Whether a monitor should raise an alarm: an item is open, a document in doubt or a limit passed."""
        return bool(self.attention or self.in_doubt)


@contextmanager
def reading(path: Path) -> Iterator[Store | None]:
    """Open the state for reading; None before the first run.

    Raise StateUnusable if it cannot be read, or is missing although it existed.
    """
    if not may_exist(path):
        expect_state(path)
        yield None
        return
    store = Store.open_to_read(path)
    try:
        yield store
    finally:
        store.close()


def overview(store: Store, config: Config | None, now: datetime, supplier: str | None = None) -> Overview:
    """Read the report, of one supplier (its code in Plex) or of all.

    Raise UsageFault for a supplier that is in neither the configuration nor the state.
    """
    statistics = Statistics(store.database)
    suppliers = statistics.suppliers()
    if supplier is not None:
        suppliers = [counts for counts in suppliers if counts.supplier == supplier]
        if not suppliers and (config is None or supplier not in {**config.suppliers, **config.customers}):
            raise _unknown_supplier(supplier, statistics, config)
    idle = sorted(set(() if config is None else config.suppliers) - {counts.supplier for counts in suppliers})
    if supplier is not None:
        idle = [code for code in idle if code == supplier]
    lines = store.inbox.line_counts(supplier)
    unacknowledged = unacknowledged_lines(store, supplier)
    if unacknowledged:
        lines["unacknowledged"] = lines.get("unacknowledged", 0) + unacknowledged
    late = [] if config is None else late_documents(store, config, now, supplier=supplier)
    return Overview(
        orders=statistics.orders_by_phase(supplier),
        states=statistics.documents_by("state", supplier),
        delivery=statistics.documents_by("delivery", supplier),
        functional_ack=statistics.documents_by("functional_ack", supplier),
        business_ack=statistics.documents_by("business_ack", supplier),
        lines=lines,
        suppliers=tuple(sorted([*suppliers, *map(_without_orders, idle)], key=lambda counts: counts.supplier)),
        open_reviews=tuple(store.reviews.open_items(supplier=supplier)),
        late=tuple(late),
        unwritten=tuple(_unwritten(store, config, supplier)),
        unread_sets={s: n for s, n in store.inbox.counts_by_set().items() if s not in READ_SETS},
        not_traded=tuple(pair for pair in store.orders.untraded_suppliers() if supplier in (None, pair[0])),
        customers_not_traded=tuple(pair for pair in store.invoices.untraded_customers() if supplier in (None, pair[0])),
        times=_times(store, statistics),
        attention=(store.reviews.attention() if supplier is None else statistics.attention(supplier))
        + limits_without_review(store, late),
        in_doubt=statistics.in_doubt(supplier),
    )


def _unwritten(store: Store, config: Config | None, supplier: str | None) -> Iterator[Unwritten]:
    target = None if config is None else TARGETS.get(config.plex.acknowledgments.write)
    for write in store.writes.open():
        record = store.orders.get(write.order_id)
        code = "" if record is None else record.supplier
        if supplier not in (None, code):
            continue
        why = write.error or "the next `plexstedi ingest-acks` writes it"
        if config is not None and write.plan.target is not target:
            why = "planned for another [plex.acknowledgments] write; the next `plexstedi ingest-acks` plans it again"
        yield Unwritten(write.plan.order_number, code, write.planned_at, why)


def limits_without_review(store: Store, late: Iterable[LateDocument]) -> int:
    """Number of overdue limits without a review item: no run has ended since they passed."""
    limits = [one.subject for one in late if one.late.level is OverdueLevel.LIMIT]
    in_review = {review.subject for review in store.reviews.open_items() if review.kind is ReviewKind.OVERDUE}
    return sum(
        subject not in in_review and not store.reviews.decided(ReviewKind.OVERDUE, subject) for subject in limits
    )


def find_order(store: Store, number: str) -> tuple[OrderRecord, tuple[OrderRecord, ...]]:
    """The order of this number (or Plex id), and others that have it, were sent under it or differ only in blanks.

    Sorted: exact number first, then orders that Plex still has, then by time of the last read. Raise UsageFault, with
    similar numbers, if there is none.
    """
    alike = [one for one in store.orders.like_number(number) if number_key(one.number) == number_key(number)]
    sent = [store.orders.get(order_id) for order_id in store.documents.orders_sent_as(number)]
    found = list({record.id: record for record in (*alike, *sent) if record is not None}.values())
    if not found:
        by_id = store.orders.get(number)
        if by_id is None:
            numbers = Statistics(store.database).order_numbers()
            raise _unknown_order(number, [*numbers, *store.invoices.numbers()])
        found = [by_id]
    found.sort(
        key=lambda record: (
            record.number != number,
            record.phase is Phase.VANISHED,
            -record.read_at.timestamp(),
            record.id,
        )
    )
    return found[0], tuple(found[1:])


def near_numbers(number: str, known: Sequence[str]) -> list[str]:
    """Up to five known order numbers that are similar."""
    wanted = _bare(number)
    same = [other for other in known if _bare(other) == wanted]
    inside = [other for other in known if wanted and wanted in _bare(other)] if len(wanted) > 1 else []
    near = get_close_matches(number, known, n=5, cutoff=0.7) if len(known) <= _MOST_COMPARED else []
    return list(dict.fromkeys([*same, *inside, *near]))[:5]


def _bare(number: str) -> str:
    return "".join(c for c in number.casefold() if c.isalnum()).lstrip("0")


def _unknown_order(number: str, known: Sequence[str]) -> UsageFault:
    near = near_numbers(number, known)
    if near:
        fix = f"Near it: {', '.join(near)}."
    elif known:
        fix = f"The state file holds {len(known)} order numbers; use the number that Plex shows."
    else:
        fix = "The state file holds no order yet: `plexstedi poll` reads them from Plex."
    return UsageFault(f"there is no order {number} in the state file", fix=fix, code="order-unknown")


def _unknown_supplier(code: str, statistics: Statistics, config: Config | None) -> UsageFault:
    known = {counts.supplier for counts in statistics.suppliers()} | set(() if config is None else config.suppliers)
    near = get_close_matches(code, sorted(known), n=3)
    return UsageFault(
        f"there is no supplier {code}: it has no table in the configuration and no order in the state file",
        fix=f"Near it: {', '.join(near)}." if near else "Write the supplier's code as Plex shows it.",
        code="supplier-unknown",
    )


def _without_orders(code: str) -> SupplierCounts:
    """Counts of a configured supplier without orders."""
    return SupplierCounts(code, 0, 0, 0, 0, 0, 0, 0)


def _times(store: Store, statistics: Statistics) -> Times:
    return Times(
        plex_read_until=store.cursors.time(Fact.PLEX_CURSOR),
        sweep_finished=store.cursors.time(Fact.SWEEP_FINISHED),
        receipts_read_until=store.cursors.time(Fact.RECEIPTS_CURSOR),
        last_sent=statistics.last_sent_at(),
        last_received=statistics.last_received_at(),
        last_written=statistics.last_written_at(),
    )


class OrderRow(Struct, frozen=True):
    """One order of a list, with its last document and number of open review items."""

    record: OrderRecord
    last: Document | None
    reviews: int


def order_rows(store: Store, supplier: str) -> list[OrderRow]:
    """Every order of one supplier, by number."""
    return _rows(store, store.orders.of_supplier(supplier))


def open_order_rows(store: Store, supplier: str | None = None) -> list[OrderRow]:
    """Orders that are open in Plex, or have a document that is not final or an open review item; by number."""
    reviews = (review.order_id for review in store.reviews.open_items(supplier=supplier) if review.order_id is not None)
    ids = {*store.orders.open_ids(), *store.documents.orders_not_final(), *reviews}
    records = [record for order_id in ids if (record := store.orders.get(order_id)) is not None]
    wanted = [record for record in records if supplier in (None, record.supplier)]
    return _rows(store, sorted(wanted, key=lambda record: (record.number, record.id)))


def _rows(store: Store, records: Iterable[OrderRecord]) -> list[OrderRow]:
    open_items = Counter(review.order_id for review in store.reviews.open_items())
    return [OrderRow(record, store.documents.last_of_order(record.id), open_items[record.id]) for record in records]
