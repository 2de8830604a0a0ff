"""Where we are in one of Stedi's feeds (OpenAPI ListPollingTransactions, ListPollingExecutions). Pure.

The feeds run from oldest to newest. A token does not expire and is the checkpoint; a time is for the very first call
only, since items of equal time at the edge of a page would be lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeAlias, TypeVar

from plexstedi.decimal_json import Json
from plexstedi.stedi.models import UnreadableEntry

LARGEST_PAGE = 500
Item = TypeVar("Item")


@dataclass(frozen=True)
class FromTime:
    """The very first call: what was processed after this instant, which must be at least a minute ago."""

    at: datetime


@dataclass(frozen=True)
class FromToken:
    """Every later call."""

    token: str


Checkpoint: TypeAlias = FromTime | FromToken


@dataclass(frozen=True)
class Page(Generic[Item]):
    """One page of a feed."""

    items: tuple[Item, ...]
    unreadable: tuple[UnreadableEntry, ...]
    next_token: str | None

    @property
    def last(self) -> bool:
        """Nothing more for now: the page is empty, or names no successor (the two sources contradict each other)."""
        return self.next_token is None or not (self.items or self.unreadable)

    def after(self, checkpoint: Checkpoint) -> Checkpoint:
        """Where to go on, to be stored in one transaction with the items: without a new token, where we were."""
        return checkpoint if self.next_token is None else FromToken(self.next_token)


def polling_params(checkpoint: Checkpoint, page_size: int) -> list[tuple[str, str]]:
    """The query of a polling call. Raise ValueError for a page size that Stedi does not take."""
    size = ("pageSize", str(_checked_size(page_size)))
    if isinstance(checkpoint, FromToken):
        return [("pageToken", checkpoint.token), size]
    return [("startDateTime", instant(checkpoint.at)), size]


def listing_params(filters: Mapping[str, str | None], page_size: int, token: str | None) -> list[tuple[str, str]]:
    """The query of a listing; filters without a value are left out."""
    params = [(name, value) for name, value in filters.items() if value is not None]
    params.append(("pageSize", str(_checked_size(page_size))))
    if token is not None:
        params.append(("pageToken", token))
    return params


def instant(at: datetime) -> str:
    """ISO 8601 in UTC with milliseconds. Raise ValueError for a naive time."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def next_token(page: Mapping[str, Json]) -> str | None:
    """`nextPageToken`, None if it is absent or empty."""
    token = page.get("nextPageToken")
    return token if isinstance(token, str) and token else None


def _checked_size(page_size: int) -> int:
    if not 1 <= page_size <= LARGEST_PAGE:
        raise ValueError(f"a page has 1 to {LARGEST_PAGE} items, not {page_size}")
    return page_size
