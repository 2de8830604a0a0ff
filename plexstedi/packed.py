"""Keeps a value in a tenth of the memory until it is needed. Packed values never leave the process."""

from __future__ import annotations

import pickle
import zlib
from typing import Generic, TypeVar

Value = TypeVar("Value")
_FASTEST = 1


class Packed(Generic[Value]):
    """One value of plain data: texts, numbers, containers, dataclasses, models."""

    __slots__ = ("_content",)

    def __init__(self, value: Value) -> None:
        self._content = zlib.compress(pickle.dumps(value, pickle.HIGHEST_PROTOCOL), _FASTEST)

    def unpacked(self) -> Value:
        """An equal value."""
        value: Value = pickle.loads(zlib.decompress(self._content))
        return value
