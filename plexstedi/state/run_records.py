"""Results of runs, in the state file or, where that cannot be written, in a file beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from plexstedi.durable import replace_file
from plexstedi.edi.model import Moment, from_json, to_json
from plexstedi.errors import PlexStediError
from plexstedi.state.cursors import Cursors, Fact
from plexstedi.state.faults import OpenFault

_LARGEST = 1_000_000


class ErrorNote(Struct, frozen=True, kw_only=True):
    """A fault as shown by `error` of `--json`."""

    code: str
    message: str
    fix: str

    @classmethod
    def of(cls, fault: PlexStediError) -> ErrorNote:
        """The note of a fault."""
        return cls(code=fault.code, message=fault.message, fix=fault.fix)


class LastRun(Struct, frozen=True, kw_only=True):
    """Result of the last `run`, `poll`, `submit` or `ingest-acks`."""

    at: Moment
    command: str
    exit_code: int
    error: ErrorNote | None = None


class StageRecord(Struct, frozen=True, kw_only=True):
    """Last results of one stage. `error`: its fault; None if it succeeded since."""

    succeeded_at: Moment | None = None
    failed_at: Moment | None = None
    error: ErrorNote | None = None


class RunRecords(Struct, frozen=True, kw_only=True):
    """The last run, the results of each stage, and when each warning was last printed."""

    last_run: LastRun | None = None
    stages: dict[str, StageRecord] = field(default_factory=dict)
    warnings: dict[str, Moment] = field(default_factory=dict)

    @classmethod
    def load(cls, memory: Cursors) -> RunRecords:
        """Load from the state; empty before the first run has ended."""
        text = memory.get(Fact.RUNS)
        try:
            return cls() if text is None else from_json(cls, text)
        except ValueError:
            # Written by another version. It is information only, and the next run replaces it.
            return cls()

    def save(self, memory: Cursors) -> None:
        """Store in the state; the caller commits."""
        memory.put(Fact.RUNS, to_json(self))


class RunTally(Struct, frozen=True, kw_only=True):
    """Runs and calls since the state file was created: counters of the metrics file."""

    runs: dict[str, int] = field(default_factory=dict)
    """By command and exit code: `run 0`."""
    calls: dict[str, int] = field(default_factory=dict)
    """By service and outcome: `Plex ok`."""
    seconds: float = 0.0
    """Duration of the last run."""

    @classmethod
    def load(cls, memory: Cursors) -> RunTally:
        """Load from the state; empty before the first run has ended."""
        text = memory.get(Fact.TALLY)
        try:
            return cls() if text is None else from_json(cls, text)
        except ValueError:
            # Written by another version. Counters begin again, as after any restart.
            return cls()

    def save(self, memory: Cursors) -> None:
        """Store in the state; the caller commits."""
        memory.put(Fact.TALLY, to_json(self))

    def plus(self, runs: Mapping[str, int], calls: Mapping[str, int], seconds: float) -> RunTally:
        """With further runs and calls."""
        return RunTally(runs=_sum(self.runs, runs), calls=_sum(self.calls, calls), seconds=seconds)


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in sorted({*one, *other})}


class StoredFault(Struct, frozen=True, kw_only=True):
    """A fault that could not be stored in the state, or occurred before the state was opened."""

    place: str
    key: str
    code: str
    since: Moment
    message: str
    fix: str
    reported_at: Moment | None = None
    alerted_at: Moment | None = None
    stands: bool = True
    """False: not shown by `status` or alerts, stored only for when it was printed (a lock held by another run)."""

    def as_fault(self) -> OpenFault:
        """The fault as stored in the state."""
        return OpenFault(
            self.place, self.key, self.code, self.since, self.message, self.fix, reported_at=self.reported_at
        )


class HealthFile(Struct, frozen=True, kw_only=True):
    """The file beside the state: result and faults of the last run that could not write the state."""

    last_run: LastRun | None = None
    stages: dict[str, StageRecord] = field(default_factory=dict)
    faults: tuple[StoredFault, ...] = ()
    runs: dict[str, int] = field(default_factory=dict)
    """Runs that the state has not counted yet, as in `RunTally`."""

    def counting(self, command: str, exit_code: int) -> dict[str, int]:
        """These runs and one more."""
        return _sum(self.runs, {f"{command} {exit_code}": 1})

    @staticmethod
    def path(state: Path) -> Path:
        """Path of the file."""
        return state.with_name(f"{state.name}.health")

    @classmethod
    def load(cls, state: Path) -> HealthFile:
        """Load the file; empty if it is missing or unreadable."""
        try:
            with cls.path(state).open("rb") as file:
                return from_json(cls, file.read(_LARGEST))
        except (OSError, ValueError):
            # Information only: without it, faults are reported once more.
            return cls()

    def save(self, state: Path) -> bool:
        """Replace the file atomically, or delete it if empty; return whether that succeeded."""
        path = self.path(state)
        try:
            if self == HealthFile():
                path.unlink(missing_ok=True)
                return True
            replace_file(path, to_json(self).encode())
        except OSError:
            return False
        return True

    def fault(self, place: str, key: str) -> StoredFault | None:
        """The fault of this place and key; None if there is none."""
        return next((one for one in self.faults if (one.place, one.key) == (place, key)), None)

    def with_faults(self, faults: Sequence[StoredFault]) -> HealthFile:
        """A copy in which these replace the faults of the same place and key."""
        kept = [one for one in self.faults if all((one.place, one.key) != (new.place, new.key) for new in faults)]
        return replace(self, faults=(*kept, *faults))
