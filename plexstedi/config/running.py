"""The tables `[run]` and `[report]`, and the types that they share with others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from plexstedi.edi.settings import PathText, Settings

Whole = Annotated[int, Field(strict=True)]
Count = Annotated[Whole, Field(ge=0, le=100_000)]
Positive = Annotated[Whole, Field(ge=1, le=100_000)]


def fault(message: str, fix: str) -> PydanticCustomError:
    """The error that validators raise: a message for the user with its fix."""
    return PydanticCustomError("setting", "{message}", {"message": message, "fix": fix})


def _known_home(text: str) -> str:
    try:
        Path(text).expanduser()
    except RuntimeError:
        raise fault(f"names an unknown home directory: {text}", "Write the whole path.") from None
    return text


WholePath = Annotated[PathText, AfterValidator(_known_home)]


class RunConfig(Settings):
    """`[run]`: limits of a run."""

    time_limit_minutes: Positive = 4
    every_minutes: Annotated[Whole, Field(ge=1, le=10080)] = 60
    """Interval of the timer that calls `run`; `status` reports a fault after three intervals without a success."""
    max_response_mb: Annotated[Whole, Field(ge=1, le=4096)] = 64
    """The largest response of Plex or Stedi that is read, decoded, in MB (2^20 bytes)."""
    html: WholePath | None = None
    """The page of `status --html`, written at the end of each `run`, readable by all users. Relative to the
    configuration file; None: no page."""


class ReportConfig(Settings):
    """`[report]`: what the page shows."""

    radar_days: Annotated[Whole, Field(ge=0, le=365)] = 10
    """Lines that are due within so many days and not confirmed are listed on the page."""
