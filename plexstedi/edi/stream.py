"""Streams: units of strictly sequential sending, an order or one release of it (DESIGN.md section 6)."""

from __future__ import annotations

from plexstedi.edi.order import Frozen, Line, Order, Phase, Release, ReleaseState
from plexstedi.edi.partner import Partner
from plexstedi.edi.settings import ReleasesAs


class StreamKey(Frozen):
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

    The phase follows the release: a cancelled or deleted release gives a cancelled order, a received one a received
    order.
    """
    if stream.release is None:
        return order
    for line in order.lines:
        for release in line.releases:
            if release_name(line, release) != stream.release or release.state is ReleaseState.FORECAST:
                continue
            alone = line.model_copy(update={"releases": (release,), "blanket_quantity": None})
            phase = order.phase
            if phase is Phase.RELEASED and release.state is ReleaseState.RECEIVED:
                phase = Phase.RECEIVED
            if phase is Phase.RELEASED and release.state is ReleaseState.CANCELLED:
                phase = Phase.CANCELLED
            return order.model_copy(update={"lines": (alone,), "phase": phase})
    gone = Phase.CANCELLED if order.phase is Phase.RELEASED else order.phase
    return order.model_copy(update={"lines": (), "phase": gone})
