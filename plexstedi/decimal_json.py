"""JSON with exact numbers: every non-integer number is read and written as a Decimal.

Input is bounded. A number that is not plain (`edi.plain_values`: more than 30 digits, an exponent beyond ±30, NaN)
becomes a `NotPlain`; so does a key that an object has twice with different values, and anything nested too deeply. The
reader of that field reports it; the rest of the document is read normally. Lone surrogates and bytes of another
encoding become the broken character.

`ListReader` reads a list item by item as it arrives, with the same items as `loads`. It is built on the standard
library's decoder, because its hooks carry these rules: `ijson` reads exact numbers too, but not with them (its keys
that occur twice and its numbers of any size would need a second set of rules, and lists would differ from the rest).
"""

from __future__ import annotations

import codecs
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, TypeAlias

from plexstedi.edi.plain_values import (
    BROKEN_CHARACTER,
    MOST_DIGITS,
    iso_time,
    plain_number,
    plain_whole,
    whole_text,
)

Json: TypeAlias = "None | bool | int | Decimal | str | Sequence[Json] | Mapping[str, Json]"

DEEPEST = 100
"""Maximum nesting of containers; deeper content is not read."""
_SHOWN = 40
_BLANKS = " \t\n\r"
_BLANK = re.compile(f"[{_BLANKS}]*")
_ENCODING_BYTES = 4
"""Bytes from which the encoding is detected."""
_CONTAINERS = frozenset({dict, list})
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]|[^"\[\]{}]+|.', re.DOTALL)


class Encoded(str):
    """JSON text of a value that is encoded already: `dumps` copies it as it is, so that nothing is encoded twice."""

    __slots__ = ()


class BrokenJsonError(ValueError):
    """The text is not JSON."""


class NotPlain(str):
    """A value that its field cannot hold: the written text, shortened, with the broken character before it.

    It is a str, so it can be stored and displayed; a reader that expects a number or text rejects it by its type.
    """

    __slots__ = ()

    @classmethod
    def showing(cls, written: str) -> NotPlain:
        """Build one from the written text, shortened."""
        return cls(BROKEN_CHARACTER + (written if len(written) <= _SHOWN else f"{written[:_SHOWN]}…"))


def loads(text: str | bytes) -> Json:
    """Read JSON; numbers with a fraction or exponent become Decimal. Raise BrokenJsonError."""
    written = text.decode(json.detect_encoding(text), errors="replace") if isinstance(text, bytes) else text
    try:
        value = _parsed(written, NotPlain.showing)
    except RecursionError:
        # The parser recurses and hits Python's limit: cut what is nested too deeply and parse again.
        value = _parsed("".join(_without_depths(written)), lambda _: NotPlain.showing("nested too deeply"))
    if isinstance(value, NotPlain):
        raise BrokenJsonError("the text is not a JSON value")
    surrogates = "\\u" in written or not isinstance(text, bytes)
    return _mended(value, surrogates=surrogates, deep=_may_be_too_deep(written))


class _Place(Enum):
    """How far a `ListReader` is."""

    START = "nothing received but blanks"
    OTHER = "not a list"
    FIRST = "after the opening bracket"
    NEXT = "after a comma"
    END = "after the closing bracket"


class ListReader:
    """Reads a JSON list in pieces and keeps, of each item, only what `keep` returns for it.

    `keep` gets the item and its text as written. An incomplete item is kept as text until the rest of it arrives. A
    body that is not a list, or is shorter than four bytes, is collected unread.
    """

    def __init__(self, keep: Callable[[Json, str], object]) -> None:
        self._keep = keep
        self._kept: list[object] = []
        self._received: list[bytes] = []
        """The body, unless it is a list."""
        self._decoder: codecs.IncrementalDecoder | None = None
        self._unread: list[str] = []
        self._length = 0
        self._enough = 0
        """Characters that must be unread before the next attempt, so that an item of any length takes linear time."""
        self._place = _Place.START

    @property
    def is_list(self) -> bool:
        """Whether the body received so far is a list, well-formed or not."""
        return self._place not in (_Place.START, _Place.OTHER)

    @property
    def body(self) -> bytes:
        """The body as received, unless it is a list."""
        return b"".join(self._received)

    def feed(self, piece: bytes) -> None:
        """Read the next piece of the body."""
        if not self.is_list:
            self._received.append(piece)
            if self._place is _Place.OTHER or not self._begins_a_list(piece):
                return
        elif self._decoder is not None:
            self._add(self._decoder.decode(piece))
        if self._length >= self._enough:
            self._read_items()

    def finish(self) -> list[object]:
        """What was kept of the items of a list, once it is complete. Raise BrokenJsonError."""
        if self._decoder is not None:
            self._add(self._decoder.decode(b"", final=True))
        self._read_items()
        rest = "".join(self._unread)
        if self._place in (_Place.FIRST, _Place.NEXT):
            # Broken, or nested more deeply than the decoder reads: `loads` decides for all that is left.
            items = loads(f"[{rest}" if self._place is _Place.FIRST else f"[0,{rest}")
            assert isinstance(items, list)
            self._kept += [self._keep(item, rest) for item in items[int(self._place is _Place.NEXT) :]]
        elif rest.strip(_BLANKS):
            raise BrokenJsonError("something follows the list")
        return self._kept

    def _begins_a_list(self, piece: bytes) -> bool:
        if self._decoder is None:
            piece = self.body
            if len(piece) < _ENCODING_BYTES:
                return False
            self._decoder = codecs.getincrementaldecoder(json.detect_encoding(piece))(errors="replace")
        text = self._decoder.decode(piece).lstrip(_BLANKS)
        if text:
            self._place = _Place.FIRST if text[0] == "[" else _Place.OTHER
        if self._place is _Place.FIRST:
            self._received = []
            self._add(text[1:])
        return self.is_list

    def _add(self, text: str) -> None:
        self._unread.append(text)
        self._length += len(text)

    def _read_items(self) -> None:
        """Read the items that are complete: a comma or the end of the list follows."""
        text = "".join(self._unread)
        at = 0
        while self._place in (_Place.FIRST, _Place.NEXT):
            begin = _after_blanks(text, at)
            if self._place is _Place.FIRST and text[begin : begin + 1] == "]":
                at, self._place = begin + 1, _Place.END
                break
            try:
                value, end = _DECODER.raw_decode(text, begin)
            except (json.JSONDecodeError, RecursionError):
                break
            after = _after_blanks(text, end)
            # Before its delimiter a number may continue in the next piece.
            if text[after : after + 1] not in (",", "]"):
                break
            written = text[begin:end]
            whole: Any = _mended([value], surrogates="\\u" in written, deep=_may_be_too_deep(written))
            self._kept.append(self._keep(whole[0], written))
            at, self._place = after + 1, _Place.NEXT if text[after] == "," else _Place.END
        self._unread = [text[at:]]
        self._length = len(text) - at
        self._enough = 2 * self._length


def _after_blanks(text: str, at: int) -> int:
    blanks = _BLANK.match(text, at)
    return at if blanks is None else blanks.end()


def as_whole(value: Json) -> int | None:
    """A whole number given as a number or as text with zeros ("0001"); None for anything else."""
    if isinstance(value, bool | NotPlain):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return plain_whole(value) if isinstance(value, str) else None


def as_time(value: Json) -> datetime | None:
    """An ISO 8601 time in UTC; a time without a zone is taken as UTC. None for anything else."""
    return iso_time(value) if isinstance(value, str) else None


def _parsed(text: str, constant: Callable[[str], NotPlain]) -> Any:
    try:
        return json.loads(
            text,
            parse_int=_whole,
            parse_float=_fraction,
            parse_constant=constant,
            object_pairs_hook=_table,
        )
    except json.JSONDecodeError as error:
        raise BrokenJsonError(str(error)) from error


def _whole(written: str) -> int | NotPlain:
    if len(written) <= MOST_DIGITS:
        return int(written)
    value = plain_whole(written.removeprefix("-"))
    if value is None:
        return NotPlain.showing(written)
    return -value if written.startswith("-") else value


def _fraction(written: str) -> Decimal | NotPlain:
    if len(written) <= MOST_DIGITS and "e" not in written and "E" not in written:
        return Decimal(written)
    value = plain_number(written)
    return NotPlain.showing(written) if value is None else value


def _table(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        seen: dict[str, Any] = {}
        for key, value in pairs:
            if key in seen and (type(seen[key]), seen[key]) != (type(value), value):
                value = NotPlain.showing("two values under one name")
            seen[key] = value
        return seen
    return table


def _item_table(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    # The decoder shares the names of one document, and here each item is one.
    return _table([(sys.intern(name), value) for name, value in pairs])


_DECODER = json.JSONDecoder(
    parse_int=_whole, parse_float=_fraction, parse_constant=NotPlain.showing, object_pairs_hook=_item_table
)


def _without_depths(text: str) -> Iterator[str]:
    """The text with a constant in place of every container that is nested too deeply."""
    depth = 0
    for token in _TOKEN.finditer(text):
        piece = token[0]
        if piece in "[{":
            depth += 1
            if depth <= DEEPEST:
                yield piece
            elif depth == DEEPEST + 1:
                yield "NaN"
        elif piece in "]}":
            if depth <= DEEPEST:
                yield piece
            depth -= 1
        elif depth <= DEEPEST:
            yield piece


def _may_be_too_deep(written: str) -> bool:
    """Whether it has so many opening brackets, in texts too, that they could be nested too deeply."""
    return written.count("{") + written.count("[") >= DEEPEST


def _mended(value: Any, *, surrogates: bool, deep: bool) -> Json:
    """Replace lone surrogates and content nested too deeply. Iterative, so that depth cannot exhaust the stack."""
    if isinstance(value, str):
        return whole_text(value) if surrogates and not isinstance(value, NotPlain) else value
    level: list[Any] = [value] if isinstance(value, dict | list) else []
    if not surrogates and not (deep and _is_too_deep(level)):
        shallow: Json = value
        return shallow
    for depth in range(DEEPEST):
        inner: list[Any] = []
        for container in level:
            if surrogates and isinstance(container, dict):
                _mend_names(container)
            for key, item in _entries(container):
                if isinstance(item, dict | list):
                    if depth == DEEPEST - 1:
                        container[key] = NotPlain.showing("nested too deeply")
                    else:
                        inner.append(item)
                elif surrogates and isinstance(item, str) and not isinstance(item, NotPlain):
                    container[key] = whole_text(item)
        level = inner
        if not level:
            break
    result: Json = value
    return result


def _is_too_deep(level: list[Any]) -> bool:
    for _ in range(DEEPEST):
        level = [
            item
            for each in level
            for item in (each.values() if type(each) is dict else each)
            # The exact types that the parser makes: asking for instances takes twice as long.
            if type(item) in _CONTAINERS
        ]
        if not level:
            return False
    return True


def _entries(container: dict[str, Any] | list[Any]) -> Iterable[tuple[Any, Any]]:
    return list(container.items()) if isinstance(container, dict) else enumerate(container)


def _mend_names(table: dict[str, Any]) -> None:
    broken = [name for name in table if whole_text(name) != name]
    for name in broken:
        table[whole_text(name)] = table.pop(name)


def dumps(value: Json) -> str:
    """Write compact JSON, keys in the order given, a Decimal as a plain number without exponent.

    Raise ValueError for a Decimal that is not finite, TypeError for anything that is not Json.
    """
    write = _WRITERS.get(type(value))
    if write is not None:
        return write(value)
    # Subclasses; checks against abstract classes are last, since they are slow.
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return _list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _number(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError(f"{value} has no JSON form")
    return f"{value:f}"


def _list(value: Sequence[Json]) -> str:
    return f"[{','.join([dumps(item) for item in value])}]"


def _object(value: Mapping[str, Json]) -> str:
    return f"{{{','.join([_key(key) + _WRITERS.get(type(item), dumps)(item) for key, item in value.items()])}}}"


@lru_cache(maxsize=4096)
def _key(key: str) -> str:
    """A key as it is written, with its colon. Documents of one kind have the same keys."""
    if not isinstance(key, str):
        raise TypeError(f"a JSON key must be text, not {key!r}")
    return f"{encode_basestring(key)}:"


_WRITERS: Mapping[type, Callable[[Any], str]] = {
    str: encode_basestring,
    Encoded: str,
    int: str,
    bool: lambda value: "true" if value else "false",
    type(None): lambda _: "null",
    Decimal: _number,
    dict: _object,
    list: _list,
    tuple: _list,
}
"""How a value of exactly this type is written."""
