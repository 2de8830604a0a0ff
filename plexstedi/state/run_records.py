"""How runs ended: what a run leaves in the state file, or beside it where the state cannot be written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from plexstedi.durable import replace_file
from plexstedi.errors import PlexStediError
from plexstedi.state.cursors import Cursors, Fact
from plexstedi.state.faults import StandingFault

_LARGEST = 1_000_000


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class ErrorNote(_Record):
    """A fault in words, as `error` of `--json`."""

    code: str
    message: str
    fix: str

    @classmethod
    def of(cls, fault: PlexStediError) -> ErrorNote:
        """Of a fault that a run ended with."""
        return cls(code=fault.code, message=fault.message, fix=fault.fix)


class LastRun(_Record):
    """The end of a `run`, `poll`, `submit` or `ingest-acks`."""

    at: AwareDatetime
    command: str
    exit_code: int
    error: ErrorNote | None = None


class StageRecord(_Record):
    """What is known of one stage. `error`: what it failed with, None once it has succeeded again."""

    succeeded_at: AwareDatetime | None = None
    failed_at: AwareDatetime | None = None
    error: ErrorNote | None = None


class RunRecords(_Record):
    """All that is kept of runs: the last one, each stage, and which warnings were printed when."""

    last_run: LastRun | None = None
    stages: dict[str, StageRecord] = Field(default_factory=dict)
    warnings: dict[str, AwareDatetime] = Field(default_factory=dict)
    key_set_at: AwareDatetime | None = None
    """Since when the Stedi key of the last run is used, as far as it is known."""

    @classmethod
    def load(cls, memory: Cursors) -> RunRecords:
        """As the state has them; nothing where no run has ended yet."""
        text = memory.get(Fact.RUNS)
        try:
            return cls() if text is None else cls.model_validate_json(text)
        except ValidationError:
            # Another program wrote it. It decides nothing, and the next run writes it anew.
            return cls()

    def save(self, memory: Cursors) -> None:
        """Into the state; the caller commits."""
        memory.put(Fact.RUNS, self.model_dump_json())


class BesideFault(_Record):
    """A fault that could not be noted in the state, or that came before it could be opened."""

    place: str
    key: str
    code: str
    since: AwareDatetime
    message: str
    fix: str
    reported_at: AwareDatetime | None = None
    alerted_at: AwareDatetime | None = None
    stands: bool = True
    """False: nothing that a monitor is told; only when it was printed (a lock that another run holds)."""

    def standing(self) -> StandingFault:
        """As the state would hold it."""
        return StandingFault(
            self.place, self.key, self.code, self.since, self.message, self.fix, reported_at=self.reported_at
        )


class Beside(_Record):
    """The small file beside the state: the last run that could not write its end into it, and its faults."""

    last_run: LastRun | None = None
    stages: dict[str, StageRecord] = Field(default_factory=dict)
    faults: tuple[BesideFault, ...] = ()

    @staticmethod
    def path(state: Path) -> Path:
        """Where it is."""
        return state.with_name(f"{state.name}.health")

    @classmethod
    def load(cls, state: Path) -> Beside:
        """What stands there; nothing where there is no such file, or none that can be read."""
        try:
            with cls.path(state).open("rb") as file:
                return cls.model_validate_json(file.read(_LARGEST))
        except (OSError, ValidationError):
            # It is only ever an addition: without it, faults are reported once more.
            return cls()

    def save(self, state: Path) -> bool:
        """Write it, whole or not at all; an empty one is removed. Whether that could be done."""
        path = self.path(state)
        try:
            if self == Beside():
                path.unlink(missing_ok=True)
                return True
            replace_file(path, self.model_dump_json().encode())
        except OSError:
            return False
        return True

    def fault(self, place: str, key: str) -> BesideFault | None:
        """One fault, None if it is not noted."""
        return next((one for one in self.faults if (one.place, one.key) == (place, key)), None)

    def with_faults(self, faults: Sequence[BesideFault]) -> Beside:
        """With these in the place of those of the same place and key."""
        kept = [one for one in self.faults if all((one.place, one.key) != (new.place, new.key) for new in faults)]
        return self.model_copy(update={"faults": (*kept, *faults)})
