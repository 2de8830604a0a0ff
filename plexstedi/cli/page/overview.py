"""The overview as one self-contained page: no other file and no network. All text in it is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from plexstedi.cli.page.charts import Box, Spread, css_of, spread, stage_chart, verdict_boxes
from plexstedi.cli.page.templating import asset, environment, policy_hash
from plexstedi.cli.page.words import STALE_AFTER, age, anchors
from plexstedi.cli.render.sections import health_facts
from plexstedi.state.reviews import Review
from plexstedi.sync.report.page import PERIODS, PageData
from plexstedi.sync.report.risks import OpenOrder
from plexstedi.sync.statistics.scorecards import Scorecard

_MOST_RISKS = 100
"""Rows of a list of risks; the list of orders has all of them."""


class Tile(Struct, frozen=True):
    """One number at the top, linked to its section."""

    anchor: str
    title: str
    count: int
    alarming: bool


class Freshness(Struct, frozen=True):
    """When something was last done."""

    what: str
    at: datetime | None
    watched: bool
    """It should happen in every run: marked when it is old."""
    stale: bool
    age: str


class Card(Struct, frozen=True):
    """One supplier's scorecard with its charts."""

    card: Scorecard
    name: str
    boxes: Sequence[Box]
    spread: Spread | None


def overview_page(data: PageData) -> str:
    """The overview as HTML."""
    style, script = asset("style.css"), asset("script.js") + asset("age.js")
    risks = _risks(data)
    return (
        environment()
        .get_template("overview.html.j2")
        .render(
            title=_title(data),
            data=data,
            style=style,
            script=script,
            style_hash=policy_hash(style),
            script_hash=policy_hash(script),
            chart=None if data.supplier is not None else stage_chart(data.days),
            css_of=css_of,
            tiles=_tiles(data),
            fresh=_freshness(data),
            health=health_facts(data.health),
            anchors=anchors(data.orders),
            risks=risks,
            reviews=_reviews(data),
            periods={period: _cards(data, period) for period in PERIODS},
            suppliers=sorted(
                {order.record.supplier for order in data.orders} | {c.supplier for c in data.seen.suppliers}
            ),
            most=_MOST_RISKS,
            stale_minutes=data.every_minutes * STALE_AFTER,
            began=min((at for at, record in data.days.items() if record.suppliers is not None), default=None),
        )
    )


def _title(data: PageData) -> str:
    if data.supplier is None:
        return "Purchase orders by EDI"
    name = data.names.get(data.supplier, data.supplier)
    return f"Supplier {data.supplier}" + ("" if name == data.supplier else f" {name}")


def _tiles(data: PageData) -> list[Tile]:
    return [
        Tile("late", "Late", len(data.late), bool(data.late)),
        Tile("due-soon", f"Due within {data.radar_days} days, not confirmed", len(data.due_soon), bool(data.due_soon)),
        Tile("changed", "Changed or rejected", len(data.differs), False),
        Tile("failed", "Not delivered or not readable", len(data.failed), bool(data.failed)),
        Tile("no-response", "Response overdue", len(data.overdue), False),
        Tile("decisions", "Needs review", len(data.seen.open_reviews), bool(data.seen.open_reviews)),
    ]


def _risks(data: PageData) -> dict[str, str]:
    """By Plex id, the filters that an order is found by."""
    found: dict[str, list[str]] = {}
    for name, rows in (("late", data.late), ("due-soon", data.due_soon), ("changed", data.differs)):
        for row in rows:
            found.setdefault(row.order.record.id, []).append(name)
    for document in data.failed:
        found.setdefault(document.order_id, []).append("failed")
    for one in data.overdue:
        found.setdefault(one.document.order_id, []).append("no-response")
    for order in data.orders:
        if order.reviews:
            found.setdefault(order.record.id, []).append("decisions")
    return {order_id: " ".join(dict.fromkeys(names)) for order_id, names in found.items()}


def _reviews(data: PageData) -> list[tuple[Review, OpenOrder | None]]:
    by_id: Mapping[str, OpenOrder] = {order.record.id: order for order in data.orders}
    return [(review, by_id.get(review.order_id or "")) for review in data.seen.open_reviews]


def _freshness(data: PageData) -> list[Freshness]:
    seen = data.seen.times
    limit = timedelta(minutes=data.every_minutes * STALE_AFTER)

    def one(what: str, at: datetime | None, *, watched: bool) -> Freshness:
        stale = watched and (at is None or data.now - at > limit)
        return Freshness(what, at, watched, stale, "" if at is None else age(at, data.now))

    stages = [
        one(f"Last `{stage}` without an error", record.succeeded_at, watched=True)
        for stage, record in data.health.stages.items()
    ]
    return [
        *stages,
        one("Plex read until", seen.plex_read_until, watched=True),
        one("All open orders read", seen.sweep_finished, watched=False),
        one("Receipts read until", seen.receipts_read_until, watched=False),
        one("Last document sent", seen.last_sent, watched=False),
        one("Last transaction received", seen.last_received, watched=False),
        one("Last confirmation written to Plex", seen.last_written, watched=False),
    ]


def _cards(data: PageData, period: int) -> list[Card]:
    cards: Iterable[Scorecard] = data.cards.get(period, ())
    longest = max((card.upper_minutes or 0 for card in cards), default=0)
    return [
        Card(card, data.names.get(card.supplier, card.supplier), verdict_boxes(card), spread(card, longest))
        for card in cards
    ]
