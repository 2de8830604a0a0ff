"""JSON in which numbers are exact: every non-integer number is a Decimal, in and out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

Json: TypeAlias = "None | bool | int | Decimal | str | Sequence[Json] | Mapping[str, Json]"


class BrokenJsonError(ValueError):
    """The text is not JSON, or holds a number (NaN, Infinity) that JSON does not have."""


def _refuse_constant(name: str) -> Decimal:
    raise BrokenJsonError(f"{name} is not a JSON number")


def loads(text: str | bytes) -> Json:
    """Read JSON; numbers with a fraction or exponent become Decimal. Raise BrokenJsonError."""
    try:
        value: Json = json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
    except (UnicodeDecodeError, RecursionError, json.JSONDecodeError) as error:
        raise BrokenJsonError(str(error)) from error
    return value


def dumps(value: Json) -> str:
    """Write compact JSON, keys in the order given, a Decimal as a plain number without exponent.

    Raise ValueError for a Decimal that is not finite, TypeError for anything that is not Json.
    """
    pieces: list[str] = []
    _write(value, pieces)
    return "".join(pieces)


_quoted = json.JSONEncoder(ensure_ascii=False).encode
"""A text as JSON has it. (`json.dumps` makes an encoder for each call.)"""


def _write(value: Json, pieces: list[str]) -> None:
    if value is None or isinstance(value, bool):
        pieces.append("null" if value is None else ("true" if value else "false"))
    elif isinstance(value, str):
        pieces.append(_quoted(value))
    elif isinstance(value, int):
        pieces.append(str(value))
    elif isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} has no JSON form")
        pieces.append(f"{value:f}")
    elif isinstance(value, Mapping):
        pieces.append("{")
        for index, (key, item) in enumerate(value.items()):
            if not isinstance(key, str):
                raise TypeError(f"a JSON key must be text, not {key!r}")
            pieces.append(("," if index else "") + _quoted(key) + ":")
            _write(item, pieces)
        pieces.append("}")
    elif isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        pieces.append("[")
        for index, item in enumerate(value):
            if index:
                pieces.append(",")
            _write(item, pieces)
        pieces.append("]")
    else:
        raise TypeError(f"{type(value).__name__} has no JSON form")
