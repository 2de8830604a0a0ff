"""Interruptible long work: the caller passes a callback that is called between items and may raise to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias, TypeVar

_Item = TypeVar("_Item")

Watch: TypeAlias = Callable[[], None]
"""Called between two items of work; an exception from it ends the work. Keeps the work free of a clock."""


def unwatched() -> None:
    """Default callback: never interrupts."""


def watched(items: Iterable[_Item], watch: Watch) -> Iterator[_Item]:
    """Yield the items; call `watch` before each."""
    for item in items:
        watch()
        yield item
