"""Values that were read from a file and are kept in memory, as long as they are sure to be in it."""

from __future__ import annotations

from typing import Any, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Kept(dict[Key, Value]):
    """At most `most` values; the one stored first is dropped for a new one."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: Key, value: Value) -> None:
        if len(self) >= self._most and key not in self:
            if not self._most:
                return
            del self[next(iter(self))]
        super().__setitem__(key, value)


class KeptReads:
    """All values kept of one file: dropped together when one of them may no longer be what is in the file."""

    def __init__(self, *, keeps: bool) -> None:
        """`keeps`: false for a file that another process may write at any time: nothing is kept."""
        self._keeps = keeps
        self._made: list[Kept[Any, Any]] = []
        self._version = 0

    def up_to(self, most: int) -> Kept[Any, Any]:
        """A place for so many values. Whoever keeps values there changes them together with the file."""
        made: Kept[Any, Any] = Kept(most if self._keeps else 0)
        self._made.append(made)
        return made

    def drop(self) -> None:
        """What was written may have been undone: nothing is known any more."""
        for made in self._made:
            made.clear()

    def drop_unless(self, version: int) -> None:
        """Drop all if this number, which changes when another connection writes the file, is not the one before."""
        if version != self._version:
            self._version = version
            self.drop()
