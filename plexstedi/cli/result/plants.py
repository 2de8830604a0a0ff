"""The overview of several plants as JSON (`status --config A --config B`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from plexstedi.cli.result.error import ErrorJson
from plexstedi.cli.result.values import JsonShape, Time

if TYPE_CHECKING:
    from plexstedi.sync.report.plants import Plant, PlantItem


class PlantItemJson(JsonShape):
    """One thing that is wrong at a plant; `review` is the id of its review item."""

    kind: Literal["unreadable", "fault", "overdue", "review"]
    text: str
    fix: str
    since: Time | None
    order: str | None
    supplier: str | None
    review: int | None

    @classmethod
    def of(cls, item: PlantItem) -> PlantItemJson:
        return cls(
            kind=item.kind.value,
            text=item.text,
            fix=item.fix,
            since=item.since,
            order=item.order,
            supplier=item.supplier,
            review=item.review,
        )


class PlantJson(JsonShape):
    """One plant. `ok` is the health of its runs; null if it cannot be read, and `error` says why."""

    plant: str
    company: str
    config: str
    state: str | None
    ok: bool | None
    last_run: Time | None
    attention: int
    in_doubt: int
    late: int
    unwritten: int
    orders: int
    open_orders: int
    items: list[PlantItemJson]
    """All that is wrong, the worst first."""
    error: ErrorJson | None

    @classmethod
    def of(cls, plant: Plant) -> PlantJson:
        seen, health = plant.overview, plant.health
        return cls(
            plant=plant.name,
            company=plant.company,
            config=str(plant.config),
            state=None if plant.state is None else str(plant.state),
            ok=None if health is None else health.ok,
            last_run=None if health is None or health.last_run is None else health.last_run.at,
            attention=seen.attention,
            in_doubt=seen.in_doubt,
            late=len(seen.late),
            unwritten=len(seen.unwritten),
            orders=sum(seen.orders.values()),
            open_orders=plant.open_orders,
            items=[PlantItemJson.of(item) for item in plant.items],
            error=None if plant.fault is None else ErrorJson.of(plant.fault),
        )
