"""The supplier's copy of an order: what it has, what it has delivered, and the document that brings it up to date."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from msgspec import structs
from msgspec.structs import replace

from plexstedi.edi.order import Order
from plexstedi.edi.outbound.actions import Change860
from plexstedi.edi.outbound.document import Prepared, Renderings, Sendable, prepare
from plexstedi.edi.outbound.promised import Demand, WrittenDemand, with_demands, with_promises
from plexstedi.edi.outbound.unsent_changes import lines_that_differ, lines_with_unsent_changes
from plexstedi.edi.reasons import Held
from plexstedi.edi.sent import SentOrder
from plexstedi.edi.writeback.plan import FieldChange, ReleaseField
from plexstedi.state.cursors import Fact
from plexstedi.state.document import Document
from plexstedi.state.orders import OrderRecord
from plexstedi.state.store import Store
from plexstedi.state.writes import WriteState
from plexstedi.sync.timezones import zone_at

_FRESH = timedelta(hours=24)


def supplier_copy_of(store: Store, record: OrderRecord, revision: int) -> Order:
    """This revision as its supplier has it today. Raise KeyError if there is no such revision."""
    has = store.orders.revision(record.id, revision)
    # Promises written later than the latest revision do not exist: writing records a revision.
    if revision >= record.latest:
        return has
    written = [
        # An unfinished write may or may not be in Plex, so its value is only a possible difference.
        WrittenDemand(change.record_id, value, is_certain=write.state is WriteState.DONE)
        for write in store.writes.of_order(record.id)
        if write.revision is None or write.revision > revision
        for change in write.changes
        if (value := _demand(change)) is not None
    ]
    return with_promises(has, store.orders.revision(record.id, record.latest), written) if written else has


def order_after(order: Order, changes: Iterable[FieldChange]) -> Order | None:
    """The order with what was written into its releases; None if no value that is sent to suppliers was written."""
    demands: dict[str, dict[str, Demand]] = {}
    for change in changes:
        value = _demand(change)
        if value is not None:
            name = "quantity" if isinstance(value, Decimal) else "due"
            demands.setdefault(change.record_id, {})[name] = value
    return with_demands(order, demands) if demands else None


def prepared_for(
    store: Store,
    decision: Sendable,
    renderings: Renderings,
    *,
    revision: int,
    change_sequence: int,
    last: Document | None,
    supplier_has: int,
) -> Prepared | Held:
    """The document of a decision on this revision. `supplier_has`: the revision that the supplier has, `last` sent."""
    order_id = decision.stream.order_id
    prepared = prepare(
        decision,
        renderings,
        change_sequence=change_sequence,
        revision_seen=day_of_revision(store, order_id, revision),
        received=received_so_far(store, order_id),
    )
    if isinstance(prepared, Held) or last is None or not isinstance(decision, Change860):
        return prepared
    sent = _sent_after(store, decision, last, supplier_has, prepared.sent, renderings)
    return structs.replace(prepared, sent=sent)


def day_of_revision(store: Store, order_id: str, revision: int) -> date:
    """The plant's day on which Plex was changed to this revision, else the day on which it was first read (BCH11)."""
    seen_at, modified_at = store.orders.revision_seen(order_id, revision)
    zone = zone_at(store.cursors.timezones(), seen_at)
    return (modified_at or seen_at).astimezone(ZoneInfo(zone) if zone else UTC).date()


def received_so_far(store: Store, order_id: str) -> Mapping[str, Decimal] | None:
    """Quantities by Plex line id, in the unit ordered: they determine what is left to receive (POC04).

    None if receipts are not read, or a day behind the orders.
    """
    read, orders = store.cursors.time(Fact.RECEIPTS_CURSOR), store.cursors.time(Fact.PLEX_CURSOR)
    if read is None or (orders is not None and read < orders - _FRESH):
        return None
    return store.receipts.received(order_id)


def _sent_after(
    store: Store, change: Change860, last: Document, revision: int, sent: SentOrder, renderings: Renderings
) -> SentOrder:
    """The sent order to store with a change since `revision`: a line that only we changed, and that is not sent, stays
    as sent.

    Acknowledgments of that line are then still compared with what was sent, and earlier ones still count.
    """
    ours = lines_that_differ(store.orders.revision(last.order_id, revision), change.has)
    if not ours:
        return sent
    # Lines that the 860 reports anyway are sent with their new values.
    ours -= lines_with_unsent_changes(change.has, change.order, renderings, change.stream)
    if not ours:
        return sent
    before = store.documents.sent(last.id)
    lines = [before.line(line.line) or line if line.line in ours else line for line in sent.lines]
    return replace(sent, lines=tuple(lines))


def _demand(change: FieldChange) -> Demand | None:
    """What a change wrote into a release's quantity or date; None for anything else."""
    if change.level != "release" or change.after is None:
        return None
    if change.field == ReleaseField.QUANTITY:
        return Decimal(change.after)
    if change.field == ReleaseField.DUE_DATE:
        return date.fromisoformat(change.after)
    return None
