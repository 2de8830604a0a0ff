"""What a data source is: its inputs, outputs and columns, and the result of one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from plexstedi.decimal_json import Json

if TYPE_CHECKING:
    from plexstedi.sandbox.plex.store import PlexStore

ROW_LIMIT = 1000


class Input(Struct, frozen=True):
    name: str
    type: str
    required: bool = False
    nullable: bool = False

    def as_json(self) -> dict[str, Json]:
        return {"name": self.name, "type": self.type, "required": self.required, "nullable": self.nullable}


class Source(Struct, frozen=True):
    """A data source with its inputs, outputs and columns; `limit`: the most rows that it returns."""

    id: int
    name: str
    inputs: tuple[Input, ...]
    outputs: tuple[tuple[str, str], ...]
    columns: tuple[tuple[str, str], ...]
    limit: int = ROW_LIMIT

    def as_json(self) -> dict[str, Json]:
        return {
            "id": self.id,
            "name": self.name,
            "inputs": [each.as_json() for each in self.inputs],
            "outputs": [{"name": name, "type": kind, "nullable": True} for name, kind in self.outputs],
            "columns": [{"name": name, "type": kind, "nullable": True} for name, kind in self.columns],
        }


class Result(Struct, frozen=True):
    """The result of a data source: outputs by name, and rows."""

    outputs: Mapping[str, Json]
    rows: tuple[Mapping[str, Json], ...] = ()


class DataSourceError(Exception):
    """The error that rejects a data source call."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


CarryOut = Callable[["PlexStore", Mapping[str, Json]], Result]
