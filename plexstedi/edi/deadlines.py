"""Deadlines of a stream: delivery, 997, 855, and lines confirmed short (RULES.md "Settings").

A missed deadline is only reported; an acknowledgment that arrives late is processed as usual. Time counts on the
supplier's `business_days`. Delivery and the 997 are expected of every document. The 855 deadline applies to the last
document of the stream: an 860 restarts it; a cancellation, an order that Plex no longer wants, and a rejecting 997
whose review item is open suspend it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct, field

from plexstedi.edi.business_days import business_days, elapsed
from plexstedi.edi.inbound.outcome import AckState, LineOutcome
from plexstedi.edi.inbound.precedence import LineAckStatus
from plexstedi.edi.settings import SupplierSettings


class DeadlineKind(StrEnum):
    """The event that a deadline waits for."""

    DELIVERY = "delivery"
    """From the first attempt until Stedi has delivered the file."""
    FUNCTIONAL_ACK = "functional-ack"
    """From delivery until the 997."""
    ACKNOWLEDGMENT = "acknowledgment"
    """From delivery of the last document until each of its lines is acknowledged (855, 865)."""
    CONFIRMED_SHORT = "confirmed-short"
    """From an acknowledgment that confirms less than ordered until another confirms the rest or a review decides it."""


class OverdueLevel(StrEnum):
    """How far overdue: `WARNING` is only reported, `LIMIT` opens a review item."""

    WARNING = "warning"
    LIMIT = "limit"


class Overdue(Struct, frozen=True):
    """One deadline whose warning or limit has passed."""

    document: int
    """`DeadlineDocument.id`."""
    kind: DeadlineKind
    level: OverdueLevel
    since: datetime
    """Start of the deadline, UTC."""
    allowed: timedelta
    """Time allowed by the setting, counted on business days."""
    by: timedelta
    """Time beyond `allowed`, counted on business days."""
    lines: tuple[int, ...] = ()
    """Plex line numbers that are not acknowledged, or that are confirmed short."""


class DeadlineDocument(Struct, frozen=True):
    """One document of a stream that has reached the supplier or may still reach it."""

    id: int
    begun_at: datetime
    """Start of the first send attempt, UTC."""
    delivered_at: datetime | None
    awaits_delivery: bool
    """In delivery. False also for failed and in-doubt documents, which have a review item of their own."""
    functional_ack_received: bool
    """A 997 was received, whatever its result."""
    cancels: bool = False
    """The document cancels the order (BCH01 01)."""
    rejected_unresolved: bool = False
    """A 997 rejects it and the review item is open: the supplier cannot acknowledge what its system did not read."""


class DeadlineStream(Struct, frozen=True):
    """Input for the deadlines of one stream."""

    documents: tuple[DeadlineDocument, ...]
    """In the order sent, without refused and withdrawn ones."""
    wanted: bool
    """Plex still expects the goods: the order is not cancelled, received or deleted."""
    lines: tuple[int, ...] = ()
    """Plex line numbers that the last document orders."""
    statuses: Mapping[int, LineAckStatus] = field(default_factory=dict)
    """Current outcome per line (`precedence.fold`), without acknowledgments of a line from before an 860 changed it."""
    reviewed: Collection[int] = ()
    """Lines whose acknowledgment was decided in a review."""


def overdue(stream: DeadlineStream, settings: SupplierSettings, now: datetime) -> tuple[Overdue, ...]:
    """Every deadline of the stream whose warning or limit has passed at `now` (UTC). Pure."""
    days = business_days(settings.business_days)
    found = (
        _judged(deadline, elapsed(deadline.since, now, days)) for deadline in _deadlines(stream, settings, now=now)
    )
    return tuple(one for one in found if one is not None)


def limit_of(kind: DeadlineKind, settings: SupplierSettings) -> timedelta:
    """Time that a supplier may take, on its business days, before a review item opens."""
    return _span(_HOURS[kind](settings)[1])


class _Deadline(Struct, frozen=True):
    document: int
    kind: DeadlineKind
    since: datetime
    warn: timedelta
    limit: timedelta
    lines: tuple[int, ...] = ()


_HOURS: Mapping[DeadlineKind, Callable[[SupplierSettings], tuple[Decimal, Decimal]]] = {
    DeadlineKind.DELIVERY: lambda s: (s.delivery_within_hours, s.delivery_within_hours),
    DeadlineKind.FUNCTIONAL_ACK: lambda s: (s.functional_ack_warn_hours, s.functional_ack_within_hours),
    DeadlineKind.ACKNOWLEDGMENT: lambda s: (s.ack_warn_hours, s.ack_within_hours),
    DeadlineKind.CONFIRMED_SHORT: lambda s: (s.ack_warn_hours, s.ack_within_hours),
}


def _span(hours: Decimal) -> timedelta:
    return timedelta(seconds=int(hours * 3600))


def _judged(deadline: _Deadline, spent: timedelta) -> Overdue | None:
    if spent >= deadline.limit:
        level, allowed = OverdueLevel.LIMIT, deadline.limit
    elif spent >= deadline.warn:
        level, allowed = OverdueLevel.WARNING, deadline.warn
    else:
        return None
    return Overdue(deadline.document, deadline.kind, level, deadline.since, allowed, spent - allowed, deadline.lines)


def _deadlines(stream: DeadlineStream, settings: SupplierSettings, *, now: datetime) -> Iterator[_Deadline]:
    def started(
        document: DeadlineDocument, kind: DeadlineKind, since: datetime, lines: tuple[int, ...] = ()
    ) -> Iterator[_Deadline]:
        if since < now:
            warn, limit = (_span(hours) for hours in _HOURS[kind](settings))
            yield _Deadline(document.id, kind, since, warn, limit, lines)

    last = stream.documents[-1] if stream.documents else None
    for document in stream.documents:
        if document.awaits_delivery:
            yield from started(document, DeadlineKind.DELIVERY, document.begun_at)
        # Once the order is cancelled, only the cancellation itself still needs a 997.
        superseded = document is not last and last is not None and last.cancels
        stopped = superseded or not (stream.wanted or document.cancels)
        if document.delivered_at is not None and not document.functional_ack_received and not stopped:
            yield from started(document, DeadlineKind.FUNCTIONAL_ACK, document.delivered_at)
    if last is None or last.delivered_at is None or last.cancels or not stream.wanted:
        return
    # While a rejecting 997 is undecided, no 855 can be expected for what the supplier could not read.
    if any(document.rejected_unresolved for document in stream.documents):
        return
    unacknowledged = tuple(line for line in stream.lines if not _acknowledged(stream.statuses.get(line)))
    if unacknowledged:
        yield from started(last, DeadlineKind.ACKNOWLEDGMENT, last.delivered_at, unacknowledged)
    short = {
        line: stream.statuses[line].latest_from.processed_at
        for line in stream.lines
        if line in stream.statuses and line not in stream.reviewed and confirmed_short(stream.statuses[line].latest)
    }
    if short:
        yield from started(last, DeadlineKind.CONFIRMED_SHORT, min(short.values()), tuple(short))


def _acknowledged(status: LineAckStatus | None) -> bool:
    return status is not None and status.latest.state is not AckState.UNACKNOWLEDGED


def confirmed_short(outcome: LineOutcome) -> bool:
    """Whether an applied acknowledgment leaves a part of the line that the supplier has not committed to.

    A shortfall inside the tolerance is accepted. A held or rejected line already has a review item.
    """
    if outcome.confirmed >= outcome.open:
        return False
    return outcome.state is AckState.BACKORDERED or (outcome.state is AckState.CHANGED and outcome.attention)
