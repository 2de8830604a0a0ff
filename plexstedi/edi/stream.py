"""Streams: what is sent strictly one after the other, an order or one release of it (DESIGN.md section 6)."""

from __future__ import annotations

from plexstedi.edi.order import Frozen, Line, Order, Phase, Release, ReleaseState
from plexstedi.edi.partner import Partner
from plexstedi.edi.settings import ReleasesAs


class StreamKey(Frozen):
    """One stream: an order, or one release of a blanket order where the supplier takes those singly."""

    order_id: str
    release: str | None = None
    """`line-release` (`10-1`), as it goes into BEG04; None: the order as a whole."""


def release_name(line: Line, release: Release) -> str:
    """Line and release as one name: `10-1` (RULES.md Sending 8)."""
    return f"{line.number}-{release.number}"


def streams(order: Order, partner: Partner) -> tuple[StreamKey, ...]:
    """The streams of an order: itself, or with `releases = "order-per-release"` each release of a blanket order.

    Cancelled releases have a stream too, so that their cancellation is told; forecasts have none. An order that is
    no blanket order goes as a whole also to a supplier that takes releases singly: its releases are its schedule.
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
    """The order as this stream carries it: with one release of one line, or as it is.

    A release that is cancelled or gone makes a cancelled order, a received one a received order.
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
