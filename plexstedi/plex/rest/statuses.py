"""The meaning of Plex statuses: by `[plex.statuses]`, else by the flags of Plex's status tables.

Status names are defined by the customer (plex/README.md 5.6), so a name alone is never interpreted: an order with an
unknown status is held.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from msgspec import Struct

from plexstedi.edi.order import LineState, Phase, ReleaseState
from plexstedi.plex.rest.rows import Row, RowFault
from plexstedi.plex.settings import StatusNames

_State = TypeVar("_State")

# Line statuses have no flags in Plex (plex/README.md 5.4); these names are unambiguous.
_PLAIN_LINE_WORDS = {
    "open": LineState.OPEN,
    "received": LineState.OPEN,
    "cancelled": LineState.CANCELLED,
    "canceled": LineState.CANCELLED,
}


class UnknownStatus(RowFault):
    """A status whose meaning neither Plex nor the configuration defines."""

    def __init__(self, what: str, name: str | None, keys: tuple[str, ...]) -> None:
        shown = f"has the status {name!r}, whose meaning is unknown" if name else "has no status"
        super().__init__(f"{what} {shown}")
        self.keys = keys


def _normalized(name: str | None) -> str:
    return " ".join((name or "").split()).casefold()


class Statuses(Struct, frozen=True):
    """The meaning of a tenant's statuses, by case-insensitive name."""

    orders: Mapping[str, Phase]
    releases: Mapping[str, ReleaseState]
    lines: Mapping[str, LineState]
    other_lines: LineState | None
    """The meaning of a line status that is not listed; None: unknown."""
    released_names: tuple[str, ...]
    """The names, in Plex's spelling, of the statuses that mean "on order"."""

    def phase(self, name: str | None, what: str) -> Phase:
        """The phase of an order with this status. Raise UnknownStatus."""
        if _normalized(name) not in self.orders:
            keys = ("released_orders", "unreleased_orders", "received_orders", "cancelled_orders")
            raise UnknownStatus(what, name, keys)
        return self.orders[_normalized(name)]

    def release(self, name: str | None, what: str) -> ReleaseState:
        """The state of a release with this status. Raise UnknownStatus."""
        if _normalized(name) not in self.releases:
            keys = ("firm_releases", "forecast_releases", "received_releases", "cancelled_releases")
            raise UnknownStatus(what, name, keys)
        return self.releases[_normalized(name)]

    def line(self, name: str | None, what: str) -> LineState:
        """The state of a line with this status; a line without a status is open. Raise UnknownStatus."""
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
    """The statuses' meanings from Plex's status tables (empty if the tenant has none) and `[plex.statuses]`.

    The configuration takes precedence over Plex's flags. A row that cannot be read is passed to `skip_row`; its status
    then has no meaning, and its orders are held.
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
        # A tenant that configures only the cancelled line statuses declares all others to be open.
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
    # Not open, and no other flag is set: the configuration must name such a status.
    return None if row.flag("open") is False else ReleaseState.FIRM


def _listed(*groups: tuple[tuple[str, ...], _State]) -> dict[str, _State]:
    return {_normalized(name): state for names, state in groups for name in names}
