"""JSON with exact numbers: every non-integer number is read and written as a Decimal.

Input is bounded. A number that is not plain (`edi.plain_values`: more than 30 digits, an exponent beyond ±30, NaN)
becomes a `NotPlain`; so does a key that an object has twice with different values, and anything nested too deeply. The
reader of that field reports it; the rest of the document is read normally. Lone surrogates and bytes of another
encoding become the broken character.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
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
    return _mended(value, surrogates=surrogates)


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


def _mended(value: Any, *, surrogates: bool) -> Json:
    """Replace lone surrogates and content nested too deeply. Iterative, so that depth cannot exhaust the stack."""
    if isinstance(value, str):
        return whole_text(value) if surrogates and not isinstance(value, NotPlain) else value
    level: list[Any] = [value] if isinstance(value, dict | list) else []
    if not surrogates and not _is_too_deep(level):
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
        entries = [item for each in level for item in (each.values() if isinstance(each, dict) else each)]
        level = [item for item in entries if isinstance(item, dict | list)]
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
    if isinstance(value, str):
        return value if isinstance(value, Encoded) else encode_basestring(value)
    if isinstance(value, dict):
        return _object(value)
    if isinstance(value, list | tuple):
        return f"[{','.join([dumps(item) for item in value])}]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} has no JSON form")
        return f"{value:f}"
    # Last, since checks against abstract classes are slow.
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return f"[{','.join([dumps(item) for item in value])}]"
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _object(value: Mapping[str, Json]) -> str:
    return f"{{{','.join([f'{_key(key)}:{dumps(item)}' for key, item in value.items()])}}}"


def _key(key: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a JSON key must be text, not {key!r}")
    return encode_basestring(key)
