"""A guide's demands against real orders: what each stored order would become, before anything is sent.

The first 850 of every order of one supplier is made as `submit` would make it, and the 860 of its last change; so a new
supplier can be set up on orders that went out by other means. Nothing is stored, nothing is asked of a service.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
from plexstedi.sync.received import received_so_far

_SHOWN = (Phase.RELEASED, Phase.RECEIVED)


@dataclass(frozen=True)
class Trial:
    """One document as it would go, or why it would be held."""

    order: str
    """Its number; of an 810 that of the invoice."""
    release: str | None
    kind: str
    reasons: tuple[Reason, ...]
    """Why it would be held; none: it would go."""
    segments: tuple[str, ...] = ()
    """What the document carries, by segment, in the order of the document: `BEG`, `REF`, `N1 x2`."""
    dropped: tuple[Dropped, ...] = ()
    """What the guide has no place for."""
    adjusted: tuple[str, ...] = ()
    """What was changed so that X12 can carry it."""

    @property
    def would_go(self) -> bool:
        """Whether nothing holds it."""
        return not self.reasons


def try_orders(store: Store, config: Config, code: str) -> list[Trial]:
    """Every released or received order of a supplier, and every booked invoice of a customer, tried.

    Raise ConfigurationFault for a guide that is not there.
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
    master = store.orders.supplier(code)
    if master is not None:
        partner = dataclasses.replace(partner, name=master.name, address=master.address)
    return [
        trial
        for record in store.orders.of_supplier(code)
        if record.phase in _SHOWN
        for trial in _of_order(store, record, partner)
    ]


def _of_order(store: Store, record: OrderRecord, partner: Partner) -> Iterator[Trial]:
    latest = store.orders.revision(record.id, record.latest)
    # A received order is tried as it was when it was ordered: its form is what counts here.
    order = latest.model_copy(update={"phase": Phase.RELEASED})
    before = _before(store, record)
    renderings = Renderings(partner)
    for key in streams(order, partner):
        yield _tried(store, record, Send850(order, key), renderings, key, "850")
        change = None if before is None else due(before, order, renderings, key)
        if isinstance(change, Change860 | Replace850):
            yield _tried(store, record, change, renderings, key, "860" if isinstance(change, Change860) else "850")


def _before(store: Store, record: OrderRecord) -> Order | None:
    """The revision before the latest, if it was released: the change to the latest is what an 860 would tell."""
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
    seen_at, modified_at = store.orders.revision_seen(record.id, record.latest)
    result = prepare(
        what,
        renderings,
        change_sequence=1,
        revision_seen=(modified_at or seen_at).date(),
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


@dataclass(frozen=True)
class Demand:
    """One thing that holds orders, or is left out of them, with how many it concerns."""

    what: str
    fix: str
    """How to supply it; of what is left out, why."""
    orders: tuple[str, ...]


def demands(trials: Sequence[Trial]) -> list[Demand]:
    """What keeps orders from going, the most frequent first; lines are not told apart."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for trial in trials:
        for reason in trial.reasons:
            what = f"{_any_line(reason.where)}: {reason.message}"
            found.setdefault((what, reason.fix), {})[trial.order] = None
    return _sorted(found)


def left_out(trials: Sequence[Trial]) -> list[Demand]:
    """What the guide has no place for, the most frequent first; lines and values are not told apart."""
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
