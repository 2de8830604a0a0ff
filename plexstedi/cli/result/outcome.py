"""The one place that turns results and faults into text, JSON and exit codes (DESIGN.md section 4).

Results go to stdout, messages to stderr. With `--json` stdout is exactly one object, even if nothing happened or the
command failed.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO, TypeAlias

import typer
from msgspec import Struct, field
from msgspec.structs import replace

from plexstedi.cli.render.streams import locale_fault, print_json
from plexstedi.cli.render.summary import sentences, shortened, what_next
from plexstedi.cli.render.tables import plain
from plexstedi.cli.render.terminal import fitted_to_stderr, say
from plexstedi.decimal_json import dumps
from plexstedi.errors import ExitCode, InternalFault, Interrupted, PlexStediError, Unforeseen
from plexstedi.internal import internal_fault, place_of, traceback_text
from plexstedi.logs import complain
from plexstedi.plain_text import hanging
from plexstedi.sync.counts import Counts

if TYPE_CHECKING:
    from plexstedi.sync.endings import Mail, RecordedEnding

SCHEMA = 1

Plain: TypeAlias = "str | int | bool | Sequence[Plain] | Mapping[str, Plain] | None"

_WORST_FIRST = (
    ExitCode.INTERRUPTED,
    ExitCode.STATE,
    ExitCode.LOCKED,
    ExitCode.CONFIGURATION,
    ExitCode.UNAVAILABLE,
    ExitCode.INTERNAL,
    ExitCode.ATTENTION,
    ExitCode.USAGE,
    ExitCode.DONE,
)


def worst(codes: Sequence[ExitCode]) -> ExitCode:
    """The most important of several exit codes: 130, 7, 6, 4, 5, 1, 3 in this order."""
    return next((code for code in _WORST_FIRST if code in codes), ExitCode.DONE)


class Outcome(Struct):
    """The result of a command."""

    command: str
    counts: Counts | None = None
    """None: the command counts nothing; JSON then contains the current totals."""
    dry_run: bool = False
    warnings: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    """Further keys of the JSON object, as defined for the command in `results.RESULTS`."""
    later: list[Callable[[], Mapping[str, Any]]] = field(default_factory=list)
    """Further keys that are made only for JSON."""
    faults: list[PlexStediError] = field(default_factory=list)
    attention: bool = False
    """Review items were opened in this run."""
    show: Callable[[], None] | None = None
    """Prints the result as text, on stdout."""
    quiet_when_idle: bool = False
    """A command for cron: prints nothing if nothing happened and stdout is not a terminal."""
    mail: Mail | None = None
    """Faults and warnings not yet reported to cron; None: print everything."""
    known: Sequence[PlexStediError] = ()
    """Faults that existed before this run: printed without traceback."""
    recorded: int = 0
    """How many of the faults the recorded ending contains."""

    def collect(self, act: Callable[[], object]) -> bool:
        """Run one step of the command; an exception becomes a fault of the outcome. Return whether it raised one.

        typer's own exceptions, which end or explain a command line, are raised.
        """
        try:
            act()
        except (KeyboardInterrupt, typer.Abort):
            fix = "Completed work is kept; run the command again."
            self.faults.append(Interrupted("interrupted", fix=fix))
        except PlexStediError as fault:
            # A full disk makes several steps fail alike: report it once.
            if all((fault.code, fault.message) != (known.code, known.message) for known in self.faults):
                self.faults.append(fault)
        except Exception as error:
            # typer's exception classes are not exported by every version (CHOICES.md 1).
            if isinstance(error, typer.Exit) or hasattr(error, "format_message"):
                raise
            self.faults.append(locale_fault(error) or internal_fault(error, self.command))
        else:
            return False
        return True

    def take(self, noted: RecordedEnding, *, to_cron: bool) -> None:
        """Store how the ending was recorded. `to_cron`: print only what is due; on a terminal everything is."""
        self.mail, self.known = noted.mail if to_cron else None, noted.known
        self.recorded = len(self.faults)

    def by_precedence(self) -> list[PlexStediError]:
        """The faults, with the one that determines the exit code first."""
        if not self.faults:
            return []
        first = self._main_fault()
        return [first, *(fault for fault in self.faults if fault is not first)]

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the process."""
        codes = [fault.exit_code for fault in self.faults]
        return worst([*codes, ExitCode.ATTENTION if self.attention else ExitCode.DONE])

    def as_json(self) -> dict[str, Any]:
        """The JSON object of the contract."""
        # Text needs no model of JSON.
        from plexstedi.cli.result.error import ErrorJson

        data = self.data | {key: value for part in self.later for key, value in part().items()}
        result: dict[str, Any] = {
            "schema": SCHEMA,
            "command": self.command,
            "dry_run": self.dry_run,
            "exit_code": int(self.exit_code),
            "counts": (self.counts or Counts()).as_dict(),
            "warnings": self.warnings,
            **{key: plain_json(value) for key, value in data.items()},
        }
        if self.faults:
            result["error"] = ErrorJson.of(self._main_fault()).as_json()
        return result

    def _main_fault(self) -> PlexStediError:
        code = self.exit_code
        return next((fault for fault in self.faults if fault.exit_code is code), self.faults[0])

    def emit(self, *, as_json: bool, quiet: bool = False) -> None:
        """Print it."""
        mail = None if as_json else self.mail
        if as_json:
            print_json(dumps(self.as_json()))
        elif not self._idle():
            nothing_to_show = self.quiet_when_idle and self.idle and not _is_a_terminal(sys.stdout)
            if self.show is not None and not quiet and not nothing_to_show:
                self.show()
            for warning in self.warnings:
                if mail is None or warning not in mail.known_warnings:
                    complain(logging.WARNING, f"warning: {warning}", fitted_to_stderr)
        for ended in () if mail is None else mail.ended:
            complain(logging.INFO, f"plexstedi: {ended}", fitted_to_stderr)
        traced: set[str] = set()
        for fault in self.faults if mail is None else self._due(mail):
            if mail is not None or all(fault is not known for known in self.known):
                print_traceback(fault, traced)
            print_fault(fault)

    @property
    def idle(self) -> bool:
        """Whether nothing worth reporting was done, and no review item was opened."""
        if self.attention:
            return False
        # Queued documents matter only in a preview; for a run, only what it sends counts.
        counts = self.counts if self.dry_run or self.counts is None else replace(self.counts, documents_queued=0)
        return counts is None or counts.nothing_done()

    def _idle(self) -> bool:
        printed = self.faults if self.mail is None else self._due(self.mail)
        return self.quiet_when_idle and not _is_a_terminal(sys.stdout) and not printed and self.idle

    def _due(self, mail: Mail) -> Sequence[PlexStediError]:
        """The faults that cron prints: those due, and those that came after the ending was recorded."""
        return [*mail.faults, *self.faults[self.recorded :]]


def on_a_terminal() -> bool:
    """Whether the output goes to a terminal."""
    return _is_a_terminal(sys.stdout) or _is_a_terminal(sys.stderr)


def _is_a_terminal(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty()


def print_traceback(fault: PlexStediError, traced: set[str]) -> None:
    """Print the traceback of an unexpected error on stderr; once per place, by `traced`."""
    if not isinstance(fault, (InternalFault, Unforeseen)):
        return
    place = f"{type(fault.error).__name__} {place_of(fault.error)}"
    if place not in traced:
        traced.add(place)
        complain(logging.ERROR, traceback_text(fault.error), str)


def plain_json(value: Any) -> Any:
    """A value with JsonShapes converted to objects."""
    # Text needs no model of JSON, nor pydantic.
    from plexstedi.cli.result.values import JsonShape

    if isinstance(value, JsonShape):
        return value.as_json()
    if isinstance(value, Mapping):
        return {key: plain_json(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain_json(each) for each in value]
    return value


def print_fault(fault: PlexStediError) -> None:
    """Print a fault on stderr."""
    fix = f"\n  fix: {hanging(fault.fix)}" if fault.fix else ""
    complain(logging.ERROR, f"plexstedi: {fault.message}{fix}", fitted_to_stderr, code=fault.code)


def print_done(outcome: Outcome, *, due: bool = False) -> None:
    """Print what was done, a sentence each; the review items that were opened; what to do next."""
    counts = outcome.counts or Counts()
    done = sentences(counts, due=due)
    prefix = f"{outcome.command}, dry run: " if outcome.dry_run else f"{outcome.command}: "
    # What failed may have had much to do; the fault follows on stderr.
    if done or not outcome.faults:
        say(f"{prefix}{' '.join(done) or 'Nothing to do.'}", hanging="  ")
    print_news(outcome)
    for sentence in what_next(counts):
        say(sentence)


def print_news(outcome: Outcome) -> None:
    """Print the review items opened in this run, one line each."""
    for line in shortened(list(outcome.data.get("news", ())), on_a_terminal=_is_a_terminal(sys.stdout)):
        say(plain(line), indent="  ", hanging="    ")
