"""Record how a run ended: for `status`, for the monitor, and for cron's mail.

Cron's mail contains changes only (DESIGN.md section 4): a persistent fault is printed when it begins, once a day, and
when it ends. A run that printed to a terminal or a program (`--json`) does not count as reported to cron.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from plexstedi.errors import (
    ConfigurationFault,
    CredentialsFault,
    EnvironmentFault,
    InternalFault,
    Interrupted,
    LockHeld,
    PlexStediError,
    RecordsUnanswered,
    ServiceUnavailable,
    StateUnusable,
    SuspicionStop,
    Unforeseen,
    UsageFault,
)
from plexstedi.secret_names import SecretName
from plexstedi.state.faults import OpenFault
from plexstedi.state.run_records import ErrorNote, HealthFile, LastRun, RunRecords, RunTally, StageRecord, StoredFault
from plexstedi.state.store import Store
from plexstedi.sync.key_use import KeyUse
from plexstedi.sync.stages import Stage

RUN = "run"
"""Place of faults that end a `run` outside its three stages."""
START = "start"
"""Place of faults that keep a command from opening a session: configuration, state file, lock."""
KEY = "stedi-api-key"
"""Place of the fault of a refused key in whose stead another one is used: it ends no command."""
REPORT_AGAIN = timedelta(days=1)
_JITTER = timedelta(minutes=5)
"""Timers are not exact to the second: a daily run must not miss its daily report."""
_MOST_WARNINGS = 200


class Ending(Struct, frozen=True):
    """How one command ended, and the fault of each of its stages."""

    command: str
    began: datetime
    at: datetime
    exit_code: int
    faults: Sequence[PlexStediError]
    """All faults; the first determines the exit code."""
    stages: Mapping[str, PlexStediError | None] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    idle: bool = False
    """Nothing was done and no review item was opened: without a fault nothing is printed."""
    started: bool = True
    """False: there was no session."""
    key: KeyUse = field(default_factory=KeyUse)
    calls: Mapping[str, int] = field(default_factory=dict)
    """By service and outcome: `Plex ok`."""

    @property
    def last_run(self) -> LastRun:
        """As stored in the run records."""
        error = ErrorNote.of(self.faults[0]) if self.faults else None
        return LastRun(at=self.at, command=self.command, exit_code=self.exit_code, error=error)

    @property
    def places(self) -> set[str]:
        """The places whose faults this command reports."""
        key = {KEY} if self.key.seen else set()
        return key | ({START, RUN, *Stage} if self.command == RUN else {START, self.command})

    def ends(self) -> dict[str, PlexStediError | None]:
        """The fault of each stage (None: success); a fault of a stage's own command outside the stage counts as the
        stage's."""
        ends = dict(self.stages)
        if self.command in tuple(Stage) and ends.get(self.command) is None:
            ends |= {place: fault for place, fault in self.open_faults() if place == self.command}
        return ends

    def open_faults(self) -> list[tuple[str, PlexStediError]]:
        """The faults that persist from now on, each with its place."""
        of_stages = [(name, fault) for name, fault in self.stages.items() if fault is not None]
        elsewhere = START if not self.started else self.command
        others = [(elsewhere, fault) for fault in self.faults if all(fault is not known for _, known in of_stages)]
        return [(place, fault) for place, fault in (*of_stages, *others) if persists(fault)]


class Mail(Struct, frozen=True):
    """What a run under cron prints of its faults and warnings; the rest was printed before."""

    faults: Sequence[PlexStediError] = ()
    ended: Sequence[str] = ()
    known_warnings: Sequence[str] = ()
    """Warnings that were printed within the last day."""


class RecordedEnding(Struct, frozen=True):
    """The result of recording an ending."""

    mail: Mail
    known: Sequence[PlexStediError] = ()
    """Faults that existed before this run."""


def persists(fault: PlexStediError) -> bool:
    """Whether a fault persists until a later run succeeds.

    Not: invalid usage, an interruption, the lock of another run, and faults recorded per record.
    """
    return not isinstance(fault, (Interrupted, UsageFault, LockHeld, Unforeseen, RecordsUnanswered))


def always_reported(fault: PlexStediError) -> bool:
    """Whether every run prints it: without its state file the program cannot do anything."""
    return isinstance(fault, StateUnusable)


def fault_key(fault: PlexStediError) -> str:
    """Identifies a fault within its place, and is stable while the fault persists.

    A failing service fails in varying ways: all of them are one fault.
    """
    if isinstance(fault, SuspicionStop):
        return f"{fault.code} {fault.name}"
    if isinstance(fault, InternalFault):
        return f"{fault.code} {fault.key}"
    if isinstance(fault, LockHeld):
        return f"{fault.code} {fault.message}"
    if isinstance(fault, ConfigurationFault):
        # Another wrong setting is another fault: after a correction that breaks something else, cron's mail reports it.
        # So is another secret or variable below.
        return " ".join([fault.code, *sorted({problem.key or problem.file for problem in fault.problems})])
    if isinstance(fault, EnvironmentFault):
        return f"{fault.code} {fault.message}"
    secrets = [name for name in SecretName if isinstance(fault, CredentialsFault) and name in fault.message]
    # The service is part of the key: Plex and Stedi may fail at the same time.
    service = "Stedi" if "Stedi" in fault.message else "Plex" if "Plex" in fault.message else ""
    kind = ServiceUnavailable.code if isinstance(fault, ServiceUnavailable) else fault.code
    return " ".join([kind, *secrets, service]).strip()


def record_in_state(store: Store, ending: Ending, *, to_cron: bool) -> RecordedEnding:
    """Record an ending in the state, with what was recorded beside it meanwhile; return what cron's mail reports.

    Raise StateUnusable if it cannot be written; then nothing of it is stored.
    """
    state = store.database.path
    health_file = HealthFile() if state is None else HealthFile.load(state)
    faults, now = store.faults, ending.at
    with store.transaction():
        # Collect twice: faults recorded beside the state are imported with their original times, and count as known.
        before = {(one.place, one.key) for one in faults.open_faults()}
        _import_stored_faults(store, health_file, before)
        before |= {(one.place, one.key) for one in faults.open_faults()}
        found = ending.open_faults()
        if ending.key.refused is not None:
            found.append((KEY, ending.key.refused))
        for place, fault in found:
            faults.stage_failed(place, fault_key(fault), fault.code, fault.message, fault.fix, now)
        for place in _succeeded(ending, found):
            faults.stage_succeeded(place, now, began=_error_free_since(ending, place))
        records = RunRecords.load(store.cursors)
        due = _due(faults.open_faults(), ending, now) if to_cron else []
        # Only faults of this command's places are marked as reported: another timer's mail reports its own.
        ended = [one for one in faults.ended() if _concerns(one, ending)] if to_cron else []
        faults.reported([*due, *ended], now)
        words = _faults_to_print(due, ending, found)
        # A quiet run prints no warnings: the refused key is a fault, which it prints.
        fresh = [
            text for text in ending.warnings if text != ending.key.warning and _is_due(records.warnings.get(text), now)
        ]
        # A quiet run prints no warnings, so they must stay due for the next mail.
        printed = fresh if to_cron and (words or not ending.idle) else []
        _records_after(records, health_file, ending, printed).save(store.cursors)
        runs = health_file.counting(ending.command, ending.exit_code)
        seconds = max(0.0, (ending.at - ending.began).total_seconds())
        RunTally.load(store.cursors).plus(runs, ending.calls, seconds).save(store.cursors)
    if state is not None:
        # Keep the entry of a lock held by another run: further overlaps with the same run are not reported again.
        HealthFile(
            faults=tuple(one for one in health_file.faults if not one.stands and now - one.since < REPORT_AGAIN)
        ).save(state)
    known = [fault for place, fault in found if (place, fault_key(fault)) in before]
    old = [text for text in ending.warnings if text not in fresh]
    return RecordedEnding(Mail(words, _resolved_lines(ended), old), known)


def record_beside_state(state: Path, ending: Ending, *, to_cron: bool) -> RecordedEnding:
    """The same for a run without a session, or one that could not write its ending into the state.

    If the file beside the state cannot be written either, everything is reported each time.
    """
    health_file, now = HealthFile.load(state), ending.at
    fresh, due, known = [], [], []
    for place, fault in ending.open_faults():
        one = _stored_fault(health_file, place, fault, now)
        # Recorded by an earlier run: its traceback was printed then.
        if one.since < now:
            known.append(fault)
        if to_cron and (always_reported(fault) or _is_due(one.reported_at, now)):
            due.append(fault)
            one = replace(one, reported_at=now)
        fresh.append(one)
    for fault in ending.faults:
        if isinstance(fault, LockHeld):
            # Not a persistent fault: stored only to limit how often the overlap is reported.
            one = replace(_stored_fault(health_file, ending.command, fault, now), stands=False)
            if to_cron and _is_due(one.reported_at, now):
                due.append(fault)
                one = replace(one, reported_at=now)
            fresh.append(one)
    replaced = {one.place for one in fresh if one.stands}
    others = [one for one in health_file.faults if not one.stands or one.place not in replaced]
    stages = {
        name: StageRecord(failed_at=now, error=ErrorNote.of(f)) for name, f in ending.ends().items() if f is not None
    }
    after = HealthFile(
        last_run=ending.last_run,
        stages={**health_file.stages, **stages},
        faults=tuple(others),
        runs=health_file.counting(ending.command, ending.exit_code),
    ).with_faults(fresh)
    if not after.save(state):
        return RecordedEnding(Mail(ending.faults), known)
    unkept = [fault for fault in ending.faults if not persists(fault) and not isinstance(fault, LockHeld)]
    return RecordedEnding(Mail(_unique([*unkept, *due])), known)


def warning_is_due(state: Path, fault: PlexStediError, now: datetime, *, idle: bool) -> bool:
    """Whether cron's mail has this warning of a run whose ending is already recorded: once a day.

    If the file beside the state cannot be written, each time. An idle run prints no warning, so it stays due.
    """
    health_file = HealthFile.load(state)
    one = replace(_stored_fault(health_file, RUN, fault, now), stands=False)
    if idle or not _is_due(one.reported_at, now):
        return False
    # As for a lock held by another run: `since` limits how long the entry is kept.
    one = replace(one, since=now, reported_at=now)
    health_file.with_faults([one]).save(state)
    return True


def _stored_fault(health_file: HealthFile, place: str, fault: PlexStediError, now: datetime) -> StoredFault:
    """The fault as stored; one that is already recorded keeps its times."""
    known = health_file.fault(place, fault_key(fault))
    return StoredFault(
        place=place,
        key=fault_key(fault),
        code=fault.code,
        since=now if known is None else known.since,
        message=fault.message,
        fix=fault.fix,
        reported_at=None if known is None else known.reported_at,
        alerted_at=None if known is None else known.alerted_at,
    )


def _import_stored_faults(store: Store, health_file: HealthFile, known: set[tuple[str, str]]) -> None:
    for one in health_file.faults:
        if one.stands and (one.place, one.key) not in known:
            store.faults.put(one.as_fault())


def _succeeded(ending: Ending, found: Sequence[tuple[str, PlexStediError]]) -> list[str]:
    """The places without a fault now. Every session clears START."""
    failed = {place for place, _ in found}
    stages = [name for name, fault in ending.ends().items() if fault is None or isinstance(fault, RecordsUnanswered)]
    whole = [RUN] if ending.command == RUN and RUN not in failed and len(ending.stages) == len(Stage) else []
    key = [KEY] if ending.key.seen and KEY not in failed else []
    return [START, *stages, *whole, *key]


def _error_free_since(ending: Ending, place: str) -> datetime | None:
    """When the stage began, if it processed every record without a fault: earlier faults of records have ended."""
    ends = ending.ends()
    return ending.began if place in ends and ends[place] is None else None


def _records_after(records: RunRecords, health_file: HealthFile, ending: Ending, reported: Sequence[str]) -> RunRecords:
    stages = dict(records.stages)
    for name, later in health_file.stages.items():
        kept = stages.get(name, StageRecord())
        stages[name] = replace(kept, failed_at=later.failed_at, error=later.error)
    for name, fault in ending.ends().items():
        kept = stages.get(name, StageRecord())
        if fault is None or isinstance(fault, RecordsUnanswered):
            change: dict[str, object] = {"succeeded_at": ending.at, "error": None}
        else:
            change = {"failed_at": ending.at, "error": ErrorNote.of(fault)}
        stages[name] = replace(kept, **change)
    warnings = {text: at for text, at in records.warnings.items() if not _is_due(at, ending.at)}
    warnings |= dict.fromkeys(reported, ending.at)
    newest = dict(list(warnings.items())[-_MOST_WARNINGS:])
    return RunRecords(last_run=ending.last_run, stages=stages, warnings=newest)


def _is_due(reported: datetime | None, now: datetime) -> bool:
    # If the clock was set back, report rather than stay silent.
    return reported is None or not reported <= now < reported + REPORT_AGAIN - _JITTER


def _due(faults: Iterable[OpenFault], ending: Ending, now: datetime) -> list[OpenFault]:
    return [one for one in faults if _concerns(one, ending) and _is_due(one.reported_at, now)]


def _concerns(fault: OpenFault, ending: Ending) -> bool:
    place = fault.stage if fault.of_record else fault.place
    return place is None or place in ending.places


def _faults_to_print(
    due: Sequence[OpenFault], ending: Ending, found: Sequence[tuple[str, PlexStediError]]
) -> list[PlexStediError]:
    """Faults to print: those that never persist (an interruption), and persistent faults whose report is due."""
    live = {(place, fault_key(fault)): fault for place, fault in found}
    immediate = [
        fault
        for fault in ending.faults
        if always_reported(fault) or not (persists(fault) or isinstance(fault, RecordsUnanswered))
    ]
    if ending.key.replaced is not None:
        immediate.append(ending.key.replaced)
    words: dict[str, PlexStediError] = {}
    for one in due:
        fault = live.get((one.place, one.key))
        if fault is not None and always_reported(fault):
            continue
        words.setdefault(one.identity, fault or PlexStediError(one.message, fix=one.fix, code=one.code))
    return [*immediate, *words.values()]


def _unique(faults: Sequence[PlexStediError]) -> list[PlexStediError]:
    return list({fault.message: fault for fault in faults}.values())


def _resolved_lines(ended: Sequence[OpenFault]) -> list[str]:
    """Resolved faults, one line each however many stages met them."""
    places: dict[str, list[OpenFault]] = {}
    for fault in ended:
        places.setdefault(fault.identity, []).append(fault)
    lines = []
    for same in places.values():
        first = min(same, key=lambda fault: fault.since)
        names = ", ".join({START: "plexstedi", RUN: "the end of `run`"}.get(fault.place, fault.place) for fault in same)
        service = next((word for word in ("Plex", "Stedi") if first.key.endswith(f" {word}")), None)
        # A record's message contains its number; its place is an internal key.
        what = "what failed" if first.of_record else names if service is None else f"{service} ({names})"
        lines.append(
            f"{what} works again since {first.ended_at:%Y-%m-%d %H:%M} UTC;"
            f" from {first.since:%Y-%m-%d %H:%M} UTC on: {first.message}"
        )
    return lines
