"""Streams: units of strictly sequential sending, an order or one release of it (DESIGN.md section 6)."""

from __future__ import annotations

from msgspec.structs import replace

from plexstedi.edi.model import Frozen
from plexstedi.edi.order import Line, LineState, Order, Phase, Release, ReleaseState
from plexstedi.edi.partner import Partner
from plexstedi.edi.settings import ReleasesAs


class StreamKey(Frozen, frozen=True, kw_only=True):
    """One stream: an order, or one release of a blanket order sent as an order of its own."""

    order_id: str
    release: str | None = None
    """`line-release` (`10-1`), sent in BEG04; None: the order as a whole."""

    @property
    def name(self) -> str:
        """The stream's name in the state: Plex's order id, plus the release if releases are sent separately."""
        return self.order_id if self.release is None else f"{self.order_id}/{self.release}"


def release_name(line: Line, release: Release) -> str:
    """Name of a release: line and release number, `10-1` (RULES.md Sending 8)."""
    return f"{line.number}-{release.number}"


def streams(order: Order, partner: Partner) -> tuple[StreamKey, ...]:
    """Streams of an order: the order, or with `releases = "order-per-release"` each release of a blanket order.

    A cancelled release keeps its stream, so that the cancellation is sent; a forecast has none. A standard order is
    always sent as a whole: its releases are its schedule.
    """
    if not (partner.settings.releases is ReleasesAs.ORDER_PER_RELEASE and order.blanket):
        return (StreamKey(order_id=order.id),)
    return tuple(
        StreamKey(order_id=order.id, release=release_name(line, release))
        for line in sorted(order.lines, key=lambda ln: ln.number)
        for release in sorted(line.releases, key=lambda r: (r.number, r.id))
        if release.state is not ReleaseState.FORECAST
    )


def order_of_stream(order: Order, stream: StreamKey) -> Order:
    """The order as sent in this stream: reduced to one release of one line, or unchanged.

    The phase follows the release: a cancelled or deleted release, or one of a cancelled line, gives a cancelled order,
    a received one a received order. Its due date is that of the release: the one of the whole order is another.
    """
    if stream.release is None:
        return order
    named = releases_of_stream(order, stream.release)
    gone = Phase.CANCELLED if order.phase is Phase.RELEASED else order.phase
    if not named:
        return replace(order, lines=(), phase=gone)
    # A release that was cancelled and entered again under its number is the new one.
    line, release = next((each for each in named if not _is_cancelled(*each)), named[0])
    alone = replace(line, releases=(release,), blanket_quantity=None)
    phase = order.phase
    if phase is Phase.RELEASED and release.state is ReleaseState.RECEIVED:
        phase = Phase.RECEIVED
    elif _is_cancelled(line, release):
        phase = gone
    return replace(order, lines=(alone,), phase=phase, due=release.due or order.due)


def releases_of_stream(order: Order, name: str) -> tuple[tuple[Line, Release], ...]:
    """The releases of this name with their lines, without forecasts: Plex may have one number twice."""
    return tuple(
        (line, release)
        for line in order.lines
        for release in line.releases
        if release.state is not ReleaseState.FORECAST and release_name(line, release) == name
    )


def live_releases(order: Order, name: str) -> int:
    """How many releases of this name are ordered, or received."""
    return sum(not _is_cancelled(line, release) for line, release in releases_of_stream(order, name))


def _is_cancelled(line: Line, release: Release) -> bool:
    return ReleaseState.CANCELLED is release.state or line.state is LineState.CANCELLED
