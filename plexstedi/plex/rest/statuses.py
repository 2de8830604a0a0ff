"""What a status means: by the tenant's own words in `[plex.statuses]`, else by the flags that Plex gives.

Status names are the customer's (plex/README.md 5.6), so a name alone is never guessed at: unknown, it holds its order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from plexstedi.edi.order import LineState, Phase, ReleaseState
from plexstedi.plex.rest.rows import Row, RowFault
from plexstedi.plex.settings import StatusNames

_State = TypeVar("_State")

# Line statuses have no flags anywhere in Plex (plex/README.md 5.4); these words leave no doubt.
_PLAIN_LINE_WORDS = {
    "open": LineState.OPEN,
    "received": LineState.OPEN,
    "cancelled": LineState.CANCELLED,
    "canceled": LineState.CANCELLED,
}


class UnknownStatus(RowFault):
    """A status of which neither Plex nor the configuration says what it means."""

    def __init__(self, what: str, name: str | None, keys: tuple[str, ...]) -> None:
        shown = f"has the status {name!r}, whose meaning is unknown" if name else "has no status"
        super().__init__(f"{what} {shown}")
        self.keys = keys


def _normalized(name: str | None) -> str:
    return " ".join((name or "").split()).casefold()


@dataclass(frozen=True)
class Statuses:
    """The meaning of every status of a tenant, by its name without case."""

    orders: Mapping[str, Phase]
    releases: Mapping[str, ReleaseState]
    lines: Mapping[str, LineState]
    other_lines: LineState | None
    """What a line status that is not listed means; None: unknown."""
    released_names: tuple[str, ...]
    """The names, as Plex spells them, of statuses that mean on order."""

    def phase(self, name: str | None, what: str) -> Phase:
        """Where an order of this status stands. Raise UnknownStatus."""
        if _normalized(name) not in self.orders:
            keys = ("released_orders", "unreleased_orders", "received_orders", "cancelled_orders")
            raise UnknownStatus(what, name, keys)
        return self.orders[_normalized(name)]

    def release(self, name: str | None, what: str) -> ReleaseState:
        """What a release of this status is. Raise UnknownStatus."""
        if _normalized(name) not in self.releases:
            keys = ("firm_releases", "forecast_releases", "received_releases", "cancelled_releases")
            raise UnknownStatus(what, name, keys)
        return self.releases[_normalized(name)]

    def line(self, name: str | None, what: str) -> LineState:
        """Whether a line of this status is still wanted; a line without status is. Raise UnknownStatus."""
        state = self.lines.get(_normalized(name), self.other_lines)
        if state is None and name is None:
            return LineState.OPEN
        if state is None:
            raise UnknownStatus(what, name, ("open_lines", "cancelled_lines"))
        return state


def read_statuses(
    order_rows: tuple[Row, ...],
    release_rows: tuple[Row, ...],
    names: StatusNames,
    skip_row: Callable[[Row, Exception], None],
) -> Statuses:
    """Given Plex's status tables (empty where the tenant has none) and `[plex.statuses]`, return what they mean.

    A name in the configuration goes before the flags of Plex. A row that cannot be read goes to `skip_row`: orders of
    that status are then held as of one without a meaning.
    """
    orders: dict[str, Phase] = {}
    spelled: dict[str, str] = {}
    for row in order_rows:
        try:
            name, phase = row.needed("name"), _phase(row)
        except RowFault as error:
            skip_row(row, error)
            continue
        spelled[_normalized(name)] = name
        orders[_normalized(name)] = phase
    releases: dict[str, ReleaseState] = {}
    for row in release_rows:
        try:
            name, state = row.needed("name"), _release_state(row)
        except RowFault as error:
            skip_row(row, error)
            continue
        if state is not None:
            releases[_normalized(name)] = state
    orders |= _listed(
        (names.unreleased_orders, Phase.UNRELEASED),
        (names.released_orders, Phase.RELEASED),
        (names.received_orders, Phase.RECEIVED),
        (names.cancelled_orders, Phase.CANCELLED),
    )
    for name in names.released_orders:
        spelled.setdefault(_normalized(name), name)
    releases |= _listed(
        (names.firm_releases, ReleaseState.FIRM),
        (names.forecast_releases, ReleaseState.FORECAST),
        (names.received_releases, ReleaseState.RECEIVED),
        (names.cancelled_releases, ReleaseState.CANCELLED),
    )
    lines = _listed((names.open_lines, LineState.OPEN), (names.cancelled_lines, LineState.CANCELLED))
    return Statuses(
        orders=orders,
        releases=releases,
        lines=_PLAIN_LINE_WORDS | lines,
        # A tenant that lists which lines are cancelled, and nothing else, says that all others are open.
        other_lines=LineState.OPEN if names.cancelled_lines and not names.open_lines else None,
        released_names=tuple(spelled[key] for key, phase in orders.items() if phase is Phase.RELEASED),
    )


def _phase(row: Row) -> Phase:
    if row.flag("cancelled"):
        return Phase.CANCELLED
    if row.flag("received"):
        return Phase.RECEIVED
    return Phase.RELEASED if row.flag("onOrder") or row.flag("release") else Phase.UNRELEASED


def _release_state(row: Row) -> ReleaseState | None:
    if row.flag("cancelled"):
        return ReleaseState.CANCELLED
    if row.flag("received"):
        return ReleaseState.RECEIVED
    if row.flag("forecast") or row.flag("planStatus"):
        return ReleaseState.FORECAST
    # Neither open nor anything else: such a status must be named in the configuration.
    return None if row.flag("open") is False else ReleaseState.FIRM


def _listed(*groups: tuple[tuple[str, ...], _State]) -> dict[str, _State]:
    return {_normalized(name): state for names, state in groups for name in names}
