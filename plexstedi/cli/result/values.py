"""Values in JSON: times `…Z`, dates, quantities and prices as exact numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, PlainSerializer, WithJsonSchema

_INSTANT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"


def stamp(at: datetime) -> str:
    """A time in ISO 8601, UTC, to the second."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def exact_stamp(at: datetime) -> str:
    """A time in ISO 8601, UTC, to the microsecond: it distinguishes events of the audit trail."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def exact(number: Decimal) -> int | Decimal:
    """A quantity or price as an exact JSON number, without trailing zeros."""
    if number == number.to_integral_value():
        return int(number)
    return Decimal(f"{number:f}".rstrip("0"))


_TIME_SCHEMA = WithJsonSchema({"type": "string", "format": "date-time", "pattern": _INSTANT})
Time: TypeAlias = Annotated[datetime, PlainSerializer(stamp), _TIME_SCHEMA]
ExactTime: TypeAlias = Annotated[datetime, PlainSerializer(exact_stamp), _TIME_SCHEMA]
Day: TypeAlias = Annotated[date, PlainSerializer(date.isoformat), WithJsonSchema({"type": "string", "format": "date"})]
Number: TypeAlias = Annotated[Decimal, PlainSerializer(exact), WithJsonSchema({"type": "number"})]


class JsonShape(BaseModel):
    """Base of all JSON objects. Every key is present, except those with a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    def as_json(self) -> dict[str, Any]:
        """The object, with exact numbers; keys that were never set are omitted."""
        return self.model_dump(exclude_unset=True)
