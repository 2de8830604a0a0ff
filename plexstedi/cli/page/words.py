"""How the page writes times, lengths of time, links and what is attached to an order."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from plexstedi.sync.report.risks import OpenOrder

STALE_AFTER = 3
"""Intervals of the timer: `run.every_minutes` times this, as for `status --check`."""
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")


def machine_time(at: datetime) -> str:
    """A time as the browser reads it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def length(minutes: int) -> str:
    """`35 min`, `3 h`, `26 h`, `5 days`."""
    if minutes < 90:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{(minutes + 30) // 60} h"
    days, rest = divmod((minutes + 72) // 144, 10)
    return f"{days} days" if rest == 0 else f"{days}.{rest} days"


def age(at: datetime, now: datetime) -> str:
    """How long ago."""
    return length(max(0, int((now - at) / timedelta(minutes=1))))


def anchors(orders: Iterable[OpenOrder]) -> dict[str, str]:
    """The anchor of each order by its Plex id: `order-PO-104233`. Unique, also for equal numbers."""
    found: dict[str, str] = {}
    used: set[str] = set()
    for order in orders:
        base = "order-" + (_UNSAFE.sub("-", order.record.number).strip("-") or "x")
        anchor, count = base, 1
        while anchor in used:
            count += 1
            anchor = f"{base}-{count}"
        used.add(anchor)
        found[order.record.id] = anchor
    return found
