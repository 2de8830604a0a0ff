"""The fault that ended a command, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from plexstedi.cli.result.values import JsonShape

if TYPE_CHECKING:
    from plexstedi.errors import PlexStediError


class ProblemJson(JsonShape):
    """One problem of a configuration."""

    file: str
    key: str
    message: str
    fix: str


class ErrorJson(JsonShape):
    """The fault that ended the command, and its fix."""

    code: str
    message: str
    fix: str
    problems: list[ProblemJson] = Field(default_factory=list)

    @classmethod
    def of(cls, fault: PlexStediError) -> ErrorJson:
        from plexstedi.errors import ConfigurationFault

        if not isinstance(fault, ConfigurationFault):
            return cls(code=fault.code, message=fault.message, fix=fault.fix)
        problems = [ProblemJson(file=p.file, key=p.key, message=p.message, fix=p.fix) for p in fault.problems]
        return cls(code=fault.code, message=fault.message, fix=fault.fix, problems=problems)
