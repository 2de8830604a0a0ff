"""Lines of an order for buyers: quantities ordered and confirmed, and promised dates.

If each release is sent as an order of its own, its lines are acknowledged separately; here they are added up by line.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from itertools import chain

from msgspec import Struct

from plexstedi.edi.inbound.outcome import AckState, LineOutcome, worst_state
from plexstedi.edi.order import Order, Phase
from plexstedi.edi.sent import SentLine, SentSchedule
from plexstedi.state.document import Document
from plexstedi.state.store import Store


class Promise(Struct, frozen=True):
    """A quantity with dates that the supplier confirmed, in the unit sent."""

    quantity: Decimal
    ship_date: date | None
    delivery_date: date | None
    backordered: bool = False


class Wanted(Struct, frozen=True):
    """A quantity ordered for a date, in the unit sent."""

    quantity: Decimal
    due: date | None


class OrderLine(Struct, frozen=True):
    """One line, ordered and confirmed. Quantities are in `unit`: the unit sent, or that of Plex if it was not sent."""

    line: int
    part: str
    ordered: Decimal
    unit: str
    confirmed: Decimal
    backordered: Decimal
    rejected: Decimal
    state: AckState
    reasons: tuple[str, ...]
    """Reasons and notes of the acknowledgments."""
    wanted: tuple[Wanted, ...]
    promised: tuple[Promise, ...]
    acknowledged: bool
    """False: no acknowledgment lists the line."""
    sent: bool

    @property
    def ship_date(self) -> date | None:
        """The last promised ship date; None if there is none."""
        return max((p.ship_date for p in self.promised if p.ship_date is not None), default=None)

    @property
    def delivery_date(self) -> date | None:
        """The last promised delivery date; None if there is none."""
        return max((p.delivery_date for p in self.promised if p.delivery_date is not None), default=None)

    @property
    def due(self) -> date | None:
        """The last date ordered for; None if there is none."""
        return max((w.due for w in self.wanted if w.due is not None), default=None)


def lines_of(store: Store, order: Order) -> tuple[OrderLine, ...]:
    """Every line that was sent, with its current state, and the open lines of `order` that were not sent yet."""
    sent: dict[int, list[tuple[SentLine, LineOutcome | None]]] = {}
    for document in last_sent_document(store.documents.of_order(order.id)):
        outcomes = store.inbox.lines_of_stream(document.stream, document.order_id)
        for line in store.documents.sent(document.id).lines:
            sent.setdefault(line.line, []).append((line, outcomes.get(line.line)))
    found = {number: _sent_line(number, parts, order) for number, parts in sent.items()}
    wanted = order.open_lines() if order.phase in (Phase.RELEASED, Phase.UNRELEASED) else ()
    for plex in wanted:
        if plex.number not in found and (plex.firm_releases() or plex.blanket_quantity is not None):
            found[plex.number] = _unsent(order, plex.number)
    return tuple(found[number] for number in sorted(found))


def last_sent_document(documents: Iterable[Document]) -> list[Document]:
    """The last document of each stream that the supplier has or may still receive."""
    last = {document.stream: document for document in documents if not document.state.is_abandoned}
    return list(last.values())


def unacknowledged_lines(store: Store, supplier: str | None = None) -> int:
    """Number of lines that were sent and never acknowledged."""
    count = 0
    for document in store.documents.not_acknowledged(supplier=supplier):
        acknowledged = store.inbox.lines_of_stream(document.stream, document.order_id)
        count += sum(line.line not in acknowledged for line in store.documents.sent(document.id).lines)
    return count


def _sent_line(number: int, parts: list[tuple[SentLine, LineOutcome | None]], order: Order) -> OrderLine:
    lines = [line for line, _ in parts]
    outcomes = [outcome for _, outcome in parts if outcome is not None]
    states = [AckState.UNACKNOWLEDGED if outcome is None else outcome.state for _, outcome in parts]
    reasons = list(chain.from_iterable(map(_why, outcomes)))
    return OrderLine(
        line=number,
        part=_part(order, number) or next(iter(lines[0].items.values()), ""),
        ordered=_sum(line.quantity for line in lines),
        unit=lines[0].unit,
        confirmed=_sum(outcome.confirmed for outcome in outcomes),
        backordered=_sum(outcome.backordered for outcome in outcomes),
        rejected=_sum(outcome.rejected for outcome in outcomes),
        state=worst_state(states),
        reasons=tuple(dict.fromkeys(reasons)),
        wanted=tuple(_wanted(schedule) for line in lines for schedule in line.schedules),
        promised=tuple(chain.from_iterable(map(_promised, outcomes))),
        acknowledged=bool(outcomes),
        sent=True,
    )


def _why(outcome: LineOutcome) -> list[str]:
    return [reason.message for reason in outcome.reasons] or list(outcome.notes)


def _wanted(schedule: SentSchedule) -> Wanted:
    return Wanted(schedule.quantity, schedule.due)


def _promised(outcome: LineOutcome) -> list[Promise]:
    return [Promise(s.quantity, s.ship_date, s.delivery_date, s.backordered) for s in outcome.schedules]


def _unsent(order: Order, number: int) -> OrderLine:
    line = order.line(number)
    assert line is not None
    releases = line.firm_releases()
    quantity = line.blanket_quantity if line.blanket_quantity is not None else line.firm_quantity()
    return OrderLine(
        line=number,
        part=_part(order, number),
        ordered=quantity,
        unit=line.order_unit or line.unit or "",
        confirmed=Decimal(0),
        backordered=Decimal(0),
        rejected=Decimal(0),
        state=AckState.UNACKNOWLEDGED,
        reasons=("not sent to the supplier yet",),
        wanted=tuple(Wanted(r.quantity, r.due) for r in releases if r.quantity is not None),
        promised=(),
        acknowledged=False,
        sent=False,
    )


def _part(order: Order, number: int) -> str:
    line = order.line(number)
    if line is None:
        return ""
    if line.part is None:
        return line.item or line.supplier_part or ""
    return line.part.number if line.part.revision is None else f"{line.part.number} rev {line.part.revision}"


def _sum(quantities: Iterable[Decimal]) -> Decimal:
    return sum(quantities, Decimal(0))


def plain_quantity(quantity: Decimal) -> str:
    """A quantity without exponent and trailing zeros."""
    text = f"{quantity:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
