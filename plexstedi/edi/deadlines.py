"""The clocks of a stream: delivery, 997, 855, and what stays confirmed short (RULES.md "Settings").

A clock only tells that something is late; a late answer is read like any other. Each clock runs on the supplier's
`business_days`. Delivery and the 997 are asked of every document. The 855 clock belongs to the last document of the
stream: an 860 restarts it, a cancellation stops it, and so does an order that Plex no longer wants, or a rejecting 997
until a person has decided on it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from plexstedi.edi.business_days import business_days, elapsed
from plexstedi.edi.inbound.outcome import AckState, LineOutcome
from plexstedi.edi.inbound.precedence import LineAckStatus
from plexstedi.edi.settings import SupplierSettings


class DeadlineKind(StrEnum):
    """What is waited for."""

    DELIVERY = "delivery"
    """From the first attempt until Stedi has delivered the file."""
    FUNCTIONAL_ACK = "functional-ack"
    """From delivery until the 997."""
    ACKNOWLEDGMENT = "acknowledgment"
    """From delivery of the last document until the last line of it is answered (855, 865)."""
    CONFIRMED_SHORT = "confirmed-short"
    """From an answer that confirms less than ordered until another confirms the rest, or a person takes note."""


class OverdueLevel(StrEnum):
    """How late: worth a look, or a person's."""

    WARNING = "warning"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class Overdue:
    """One clock that ran past its warning or its limit."""

    document: int
    """`DeadlineDocument.id`."""
    kind: DeadlineKind
    level: OverdueLevel
    since: datetime
    """When the clock began, UTC."""
    allowed: timedelta
    """What the setting allows, on business days."""
    by: timedelta
    """How far beyond that it is now, on business days."""
    lines: tuple[int, ...] = ()
    """Plex's line numbers that are not answered, or confirmed short."""


@dataclass(frozen=True, slots=True)
class DeadlineDocument:
    """One document of a stream that the supplier has or may yet get."""

    id: int
    begun_at: datetime
    """When its first attempt began."""
    delivered_at: datetime | None
    awaits_delivery: bool
    """Under way; False also where a person is asked already (failed, in doubt)."""
    functional_ack_received: bool
    """A 997 has come, whatever it says."""
    cancels: bool = False
    """BCH01 01."""
    rejected_unresolved: bool = False
    """A 997 rejects it and no person has decided yet: nobody can acknowledge what was not read."""


@dataclass(frozen=True, slots=True)
class DeadlineStream:
    """All that the clocks of one stream depend on."""

    documents: tuple[DeadlineDocument, ...]
    """In the order sent; neither refused nor withdrawn ones."""
    wanted: bool
    """Whether Plex still waits for the goods: not cancelled, received or gone."""
    lines: tuple[int, ...] = ()
    """Plex's numbers of the lines that the last document asks for."""
    statuses: Mapping[int, LineAckStatus] = field(default_factory=dict)
    """What counts of the answers (`precedence.fold`): nothing said of a line before an 860 changed it."""
    reviewed: Collection[int] = ()
    """Lines whose answer a person has decided on."""


def overdue(stream: DeadlineStream, settings: SupplierSettings, now: datetime) -> tuple[Overdue, ...]:
    """Every clock of the stream that is past its warning or its limit at `now` (UTC). Pure."""
    days = business_days(settings.business_days)
    found = (
        _judged(deadline, elapsed(deadline.since, now, days)) for deadline in _deadlines(stream, settings, now=now)
    )
    return tuple(one for one in found if one is not None)


def limit_of(kind: DeadlineKind, settings: SupplierSettings) -> timedelta:
    """How long a supplier may take, on its business days, before a person is asked."""
    return _span(_HOURS[kind](settings)[1])


@dataclass(frozen=True, slots=True)
class _Deadline:
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
        superseded = document is not last and last is not None and last.cancels
        stopped = superseded or not (stream.wanted or document.cancels)
        if document.delivered_at is not None and not document.functional_ack_received and not stopped:
            yield from started(document, DeadlineKind.FUNCTIONAL_ACK, document.delivered_at)
    if last is None or last.delivered_at is None or last.cancels or not stream.wanted:
        return
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
    """Whether an answer that was applied leaves a part of the line open that the supplier has not committed to.

    Less inside the tolerance is agreed to; a held or rejected line is a person's already.
    """
    if outcome.confirmed >= outcome.open:
        return False
    return outcome.state is AckState.BACKORDERED or (outcome.state is AckState.CHANGED and outcome.attention)
