"""What a supplier has, with the dates and quantities that we wrote into Plex from its own answers
(DESIGN.md section 6).

With `release_values` a supplier's promise replaces our demand in Plex. The supplier knows it: it must not be told back
as a change. But a person's edit of such a value afterwards is one, also back to what was first asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from plexstedi.edi.order import Line, Order, Release

Demand: TypeAlias = Decimal | date


@dataclass(frozen=True, slots=True)
class WrittenDemand:
    """A quantity or due date that we wrote into a release, or may have written."""

    release_id: str
    value: Demand
    """A Decimal is the quantity in the line's unit, a date the due date."""
    sure: bool
    """False: its outcome was not heard, so it counts only where Plex is seen to hold it."""


def with_promises(has: Order, latest: Order, written: Iterable[WrittenDemand]) -> Order:
    """`has`, with what was written since, oldest first; `latest` is what Plex holds now."""
    now = {release.id: release for line in latest.lines for release in line.releases}
    changed: dict[str, dict[str, Demand]] = {}
    for each in written:
        holds = now.get(each.release_id)
        name = "quantity" if isinstance(each.value, Decimal) else "due"
        if each.sure or (holds is not None and getattr(holds, name) == each.value):
            changed.setdefault(each.release_id, {})[name] = each.value
    return with_demands(has, changed) if changed else has


def with_demands(order: Order, demands: Mapping[str, Mapping[str, Demand]]) -> Order:
    """The order with these values (`quantity`, `due`) in its releases, by release id."""

    def release(each: Release) -> Release:
        return each.model_copy(update=dict(demands[each.id])) if each.id in demands else each

    def line(each: Line) -> Line:
        return each.model_copy(update={"releases": tuple(map(release, each.releases))})

    return order.model_copy(update={"lines": tuple(map(line, order.lines))})
