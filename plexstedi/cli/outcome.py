"""The one place that turns results and faults into words, JSON and exit codes (DESIGN section 4).

Results go to stdout, everything said about them to stderr. With `--json` stdout is exactly one object, also when
nothing happened and also on failure.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from plexstedi.cli.streams import print_json
from plexstedi.decimal_json import dumps
from plexstedi.errors import ConfigurationFault, ExitCode, PlexStediError
from plexstedi.plain_text import hanging
from plexstedi.sync.tally import Counts

SCHEMA = 1

Plain: TypeAlias = "str | int | bool | Sequence[Plain] | Mapping[str, Plain] | None"

_WORST_FIRST = (
    ExitCode.INTERRUPTED,
    ExitCode.STATE,
    ExitCode.LOCKED,
    ExitCode.CONFIGURATION,
    ExitCode.UNAVAILABLE,
    ExitCode.ATTENTION,
    ExitCode.USAGE,
    ExitCode.INTERNAL,
    ExitCode.DONE,
)


def worst(codes: Sequence[ExitCode]) -> ExitCode:
    """Of several exit codes the one that is told: 130, 7, 6, 4, 5, 3 in this order."""
    return next((code for code in _WORST_FIRST if code in codes), ExitCode.DONE)


@dataclass
class Outcome:
    """What a command has to say."""

    command: str
    counts: Counts | None = None
    """None: the command did nothing that is counted; JSON then has what stands now."""
    dry_run: bool = False
    warnings: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    """Further keys of the JSON object."""
    faults: list[PlexStediError] = field(default_factory=list)
    attention: bool = False
    """Something came to need a person in this run."""
    show: Callable[[], None] | None = None
    """Prints the result for people, on stdout."""
    quiet_when_idle: bool = False
    """A cron command: prints nothing at all when nothing happened and stdout is no terminal."""

    @property
    def exit_code(self) -> ExitCode:
        """What the process ends with."""
        codes = [fault.exit_code for fault in self.faults]
        return worst([*codes, ExitCode.ATTENTION if self.attention else ExitCode.DONE])

    def as_json(self) -> dict[str, Any]:
        """The contract's object."""
        result: dict[str, Any] = {
            "schema": SCHEMA,
            "command": self.command,
            "dry_run": self.dry_run,
            "exit_code": int(self.exit_code),
            "counts": (self.counts or Counts()).as_dict(),
            "warnings": self.warnings,
            **self.data,
        }
        if self.faults:
            result["error"] = fault_json(self._told())
        return result

    def _told(self) -> PlexStediError:
        code = self.exit_code
        return next((fault for fault in self.faults if fault.exit_code is code), self.faults[0])

    def emit(self, *, as_json: bool, quiet: bool = False) -> None:
        """Print it."""
        if as_json:
            print_json(dumps(self.as_json()))
        elif not self._idle():
            if self.show is not None and not quiet:
                self.show()
            for warning in self.warnings:
                print(hanging(f"warning: {warning}"), file=sys.stderr)
        for fault in self.faults:
            say_fault(fault)

    def _idle(self) -> bool:
        return (
            self.quiet_when_idle
            and not sys.stdout.isatty()
            and not self.faults
            and not self.attention
            and (self.counts is None or self.counts.nothing_done())
        )


def fault_json(fault: PlexStediError) -> dict[str, Any]:
    """`error` of the contract, with all problems of a configuration one by one."""
    error: dict[str, Any] = {"code": fault.code, "message": fault.message, "fix": fault.fix}
    if isinstance(fault, ConfigurationFault):
        error["problems"] = [{"file": p.file, "key": p.key, "message": p.message, "fix": p.fix} for p in fault.problems]
    return error


def say_fault(fault: PlexStediError) -> None:
    """A fault in words, on stderr."""
    print(hanging(f"plexstedi: {fault.message}"), file=sys.stderr)
    if fault.fix:
        print(hanging(f"  fix: {fault.fix}"), file=sys.stderr)
