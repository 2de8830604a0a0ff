"""Test a guide against stored orders: which document each order would become, before anything is sent.

Builds the first 850 of each order of a supplier, as `submit` would, and the 860 of its last change: a new supplier can
be set up on orders that were sent by other means. Stores nothing and calls no service.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct, structs
from msgspec.structs import replace

from plexstedi.config.load import Config
from plexstedi.edi.order import Order, Phase
from plexstedi.edi.outbound.actions import Change860, Replace850, Send850
from plexstedi.edi.outbound.document import Prepared, Renderings, prepare, prepare_invoice
from plexstedi.edi.outbound.due import due, streams
from plexstedi.edi.partner import Partner
from plexstedi.edi.reasons import Dropped, Held, Reason
from plexstedi.edi.stream import StreamKey
from plexstedi.state.orders import OrderRecord
from plexstedi.state.store import Store
from plexstedi.sync.supplier_copy import day_of_revision, received_so_far

_SHOWN = (Phase.RELEASED, Phase.RECEIVED)


class Trial(Struct, frozen=True):
    """One document as it would be sent, or the reasons to hold it."""

    order: str
    """Order number; for an 810 the invoice number."""
    release: str | None
    kind: str
    reasons: tuple[Reason, ...]
    """Why it would be held; empty: it would be sent."""
    segments: tuple[str, ...] = ()
    """Segments of the document in order: `BEG`, `REF`, `N1 x2`."""
    dropped: tuple[Dropped, ...] = ()
    """Values that the guide has no element for."""
    adjusted: tuple[str, ...] = ()
    """Values changed to be valid in X12."""

    @property
    def would_go(self) -> bool:
        """Whether no reason holds it."""
        return not self.reasons


def try_orders(store: Store, config: Config, code: str) -> list[Trial]:
    """Test every released or received order of a supplier, and every booked invoice of a customer.

    Raise ConfigurationFault for a missing guide.
    """
    invoices = _invoices(store, config, code) if code in config.customers else []
    orders = _orders(store, config, code) if code in config.suppliers else []
    return [*orders, *invoices]


def _invoices(store: Store, config: Config, code: str) -> list[Trial]:
    partner = config.customer(code)
    trials = []
    for record in store.invoices.of_customer(code):
        invoice = store.invoices.revision(record.id, record.latest)
        if invoice.booked and not invoice.void:
            trials.append(_judged(record.number, None, "810", prepare_invoice(invoice, partner)))
    return trials


def _orders(store: Store, config: Config, code: str) -> list[Trial]:
    partner = config.partner(code)
    return [
        trial
        for record in store.orders.of_supplier(code)
        if record.phase in _SHOWN
        for trial in _of_order(store, record, partner)
    ]


def _of_order(store: Store, record: OrderRecord, partner: Partner) -> Iterator[Trial]:
    latest = store.orders.revision(record.id, record.latest)
    master = store.orders.supplier(record.supplier, latest.supplier_address_id)
    if master is not None:
        partner = structs.replace(partner, name=master.name, address=master.address)
    # A received order is tested as when it was released: only its form matters here.
    order = replace(latest, phase=Phase.RELEASED)
    before = _before(store, record)
    renderings = Renderings(partner)
    for key in streams(order, partner):
        yield _tried(store, record, Send850(order, key), renderings, key, "850")
        change = None if before is None else due(before, order, renderings, key)
        if isinstance(change, Change860 | Replace850):
            yield _tried(store, record, change, renderings, key, "860" if isinstance(change, Change860) else "850")


def _before(store: Store, record: OrderRecord) -> Order | None:
    """The previous revision, if it was released: the change since then is what an 860 would send."""
    if record.latest < 2:
        return None
    before = store.orders.revision(record.id, record.latest - 1)
    return before if before.phase is Phase.RELEASED else None


def _tried(
    store: Store,
    record: OrderRecord,
    what: Send850 | Change860 | Replace850,
    renderings: Renderings,
    key: StreamKey,
    kind: str,
) -> Trial:
    result = prepare(
        what,
        renderings,
        change_sequence=1,
        revision_seen=day_of_revision(store, record.id, record.latest),
        received=received_so_far(store, record.id),
    )
    return _judged(record.number, key.release, kind, result)


def _judged(number: str, release: str | None, kind: str, result: Prepared | Held) -> Trial:
    if isinstance(result, Held):
        return Trial(number, release, kind, result.reasons)
    return Trial(
        number,
        release,
        kind,
        (),
        segments=_segments(result),
        dropped=result.dropped,
        adjusted=result.adjusted,
    )


def _segments(prepared: Prepared) -> tuple[str, ...]:
    counted = Counter(segment.id for segment in prepared.transaction.walk())
    return tuple(name if count == 1 else f"{name} x{count}" for name, count in counted.items())


class Demand(Struct, frozen=True):
    """One cause that holds orders, or one omitted value, with the orders concerned."""

    what: str
    fix: str
    """How to supply it; for an omitted value, why it is omitted."""
    orders: tuple[str, ...]


def demands(trials: Sequence[Trial]) -> list[Demand]:
    """Causes that hold orders, most frequent first; lines are not distinguished."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for trial in trials:
        for reason in trial.reasons:
            what = f"{_any_line(reason.where)}: {reason.message}"
            found.setdefault((what, reason.fix), {})[trial.order] = None
    return _sorted(found)


def left_out(trials: Sequence[Trial]) -> list[Demand]:
    """Values that the guide has no element for, most frequent first; lines and values are not distinguished."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for trial in trials:
        for dropped in trial.dropped:
            found.setdefault((f"{_any_line(dropped.where)}: {dropped.fact}", dropped.why), {})[trial.order] = None
    return _sorted(found)


def _sorted(found: dict[tuple[str, str], dict[str, None]]) -> list[Demand]:
    listed = [Demand(what, fix, tuple(orders)) for (what, fix), orders in found.items()]
    return sorted(listed, key=lambda demand: -len(demand.orders))


def _any_line(where: str) -> str:
    return re.sub(r"\b(line|release) \S+", r"\1 …", where)
