"""Models that are stored and exchanged as JSON: immutable, with Decimals and dates exact."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec
from msgspec import Meta, Struct

Kind = TypeVar("Kind")
Moment: TypeAlias = Annotated[datetime, Meta(tz=True)]
"""A time that states its zone."""


class Frozen(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of stored models: immutable, unknown fields are errors."""


def to_json(model: object) -> str:
    """A model, or a tuple of models, as JSON: fields in their order, a Decimal as the text of its digits."""
    return msgspec.json.encode(model).decode()


def from_json(kind: type[Kind], text: str | bytes) -> Kind:
    """Inverse of `to_json`. Raise ValueError for anything else."""
    decoder = _DECODERS.get(kind)
    if decoder is None:
        decoder = _DECODERS.setdefault(kind, msgspec.json.Decoder(kind))
    try:
        found: Kind = decoder.decode(text)
    except msgspec.DecodeError as error:
        # It is a ValueError only in newer versions of msgspec.
        raise ValueError(str(error)) from error
    return found


_DECODERS: dict[type[Any], msgspec.json.Decoder[Any]] = {}
