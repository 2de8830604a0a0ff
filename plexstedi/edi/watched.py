"""Long work that can be broken off: who calls it says when, by raising in what is called between two pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias, TypeVar

_Item = TypeVar("_Item")

Watch: TypeAlias = Callable[[], None]
"""Called between two pieces of work; what it raises ends the work. The work itself knows no clock."""


def unwatched() -> None:
    """Nobody waits."""


def watched(items: Iterable[_Item], watch: Watch) -> Iterator[_Item]:
    """The items, with a call between them."""
    for item in items:
        watch()
        yield item
