"""Values as stored in columns: times as sortable ISO text, payloads compressed, models as JSON."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from pydantic import BaseModel

from plexstedi.edi.reasons import Reason

Model = TypeVar("Model", bound=BaseModel)
_WIDTH = len("2026-11-23T07:00:00.000000Z")


def instant(moment: datetime) -> str:
    """An aware time as fixed-width UTC text, which sorts chronologically."""
    # Not strftime: it writes the year 26 as `26`, which cannot be read back.
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def maybe_instant(moment: datetime | None) -> str | None:
    """As `instant`; None stays None."""
    return None if moment is None else instant(moment)


def moment(text: str) -> datetime:
    """Inverse of `instant`. Raise ValueError for any other text."""
    # Called hundreds of times per run: `strptime` takes twenty times as long.
    if len(text) != _WIDTH or text[-1] != "Z":
        raise ValueError(f"{text!r} is not a time of this file")
    return datetime.fromisoformat(text)


def maybe_moment(text: str | None) -> datetime | None:
    """As `moment`; None stays None."""
    return None if text is None else moment(text)


def pack(payload: bytes | str) -> bytes:
    """Compress a payload."""
    return zlib.compress(payload.encode() if isinstance(payload, str) else payload, 6)


def unpack(packed: bytes) -> bytes:
    """Inverse of `pack`, as bytes."""
    return zlib.decompress(packed)


def pack_model(model: BaseModel) -> bytes:
    """A model as compressed JSON."""
    return pack(model.model_dump_json())


def unpack_model(kind: type[Model], packed: bytes) -> Model:
    """Inverse of `pack_model`."""
    return kind.model_validate_json(unpack(packed))


def reasons_text(reasons: Sequence[Reason]) -> str:
    """Reasons as JSON text."""
    return json.dumps([reason.model_dump() for reason in reasons], sort_keys=True)


def reasons_of(text: str) -> tuple[Reason, ...]:
    """Inverse of `reasons_text`."""
    return tuple(Reason.model_validate(entry) for entry in json.loads(text))


def listed(states: Iterable[StrEnum]) -> str:
    """States as an SQL list: `('sending', 'in_doubt')`."""
    return "(" + ", ".join(f"'{state}'" for state in states) + ")"
