"""What a supplier has, including dates and quantities that PlexStedi wrote to Plex from its acknowledgments
(DESIGN.md section 6).

With `release_values` a supplier's promise replaces our demand in Plex. It must not be sent back to the supplier as a
change. A later edit of such a value by a user is a change, even back to the value first ordered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from plexstedi.edi.order import Line, Order, Release

Demand: TypeAlias = Decimal | date


class WrittenDemand(Struct, frozen=True):
    """A quantity or due date that PlexStedi wrote, or may have written, to a release."""

    release_id: str
    value: Demand
    """Decimal: quantity in the line's unit. date: due date."""
    is_certain: bool
    """False: the outcome of the write is unknown, so it counts only if Plex shows the value."""


def with_promises(has: Order, latest: Order, written: Iterable[WrittenDemand]) -> Order:
    """Apply values written since, oldest first, to `has`; `latest` is the current order in Plex."""
    now = {release.id: release for line in latest.lines for release in line.releases}
    changed: dict[str, dict[str, Demand]] = {}
    for each in written:
        holds = now.get(each.release_id)
        name = "quantity" if isinstance(each.value, Decimal) else "due"
        if each.is_certain or (holds is not None and getattr(holds, name) == each.value):
            changed.setdefault(each.release_id, {})[name] = each.value
    return with_demands(has, changed) if changed else has


def with_demands(order: Order, demands: Mapping[str, Mapping[str, Demand]]) -> Order:
    """The order with these values (`quantity`, `due`) set in its releases, by release id."""

    def release(each: Release) -> Release:
        return replace(each, **dict(demands[each.id])) if each.id in demands else each

    def line(each: Line) -> Line:
        return replace(each, releases=tuple(map(release, each.releases)))

    return replace(order, lines=tuple(map(line, order.lines)))
