"""Positions in Stedi's feeds (OpenAPI ListPollingTransactions, ListPollingExecutions). Pure.

The feeds are ordered from oldest to newest. The page token does not expire and is the checkpoint. A start time is for
the very first call only: items with equal times at a page boundary would be lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Generic, TypeAlias, TypeVar

from msgspec import Struct

from plexstedi.decimal_json import Json
from plexstedi.stedi.models import UnreadableEntry

LARGEST_PAGE = 500
Item = TypeVar("Item")


class FromTime(Struct, frozen=True):
    """Start of the first call: items processed after this instant, which must be at least a minute ago."""

    at: datetime


class FromToken(Struct, frozen=True):
    """Start of every later call."""

    token: str


Checkpoint: TypeAlias = FromTime | FromToken


class Page(Struct, Generic[Item], frozen=True):
    """One page of a feed."""

    items: tuple[Item, ...]
    unreadable: tuple[UnreadableEntry, ...]
    next_token: str | None

    @property
    def last(self) -> bool:
        """Whether the feed is read to its end: an empty page, or no next token (Stedi's two descriptions differ)."""
        return self.next_token is None or not (self.items or self.unreadable)

    def after(self, checkpoint: Checkpoint) -> Checkpoint:
        """The checkpoint after this page, to be stored in one transaction with its items; unchanged without a token."""
        return checkpoint if self.next_token is None else FromToken(self.next_token)


def polling_params(checkpoint: Checkpoint, page_size: int) -> list[tuple[str, str]]:
    """The query of a polling call. Raise ValueError for a page size that Stedi does not accept."""
    size = ("pageSize", str(_checked_size(page_size)))
    if isinstance(checkpoint, FromToken):
        return [("pageToken", checkpoint.token), size]
    return [("startDateTime", instant(checkpoint.at)), size]


def listing_params(filters: Mapping[str, str | None], page_size: int, token: str | None) -> list[tuple[str, str]]:
    """The query of a listing; filters without a value are omitted."""
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
