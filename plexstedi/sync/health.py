"""Health of scheduled runs, derived from what each run recorded (DESIGN.md section 4, `health`)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from plexstedi.config.load import Config
from plexstedi.errors import PlexStediError
from plexstedi.state.cursors import Fact
from plexstedi.state.faults import OpenFault
from plexstedi.state.run_records import HealthFile, LastRun, RunRecords, StageRecord
from plexstedi.state.store import Store
from plexstedi.sync.endings import KEY
from plexstedi.sync.keys.advice import KeyDue, key_due
from plexstedi.sync.keys.record import KeyRecord, refused_key
from plexstedi.sync.stages import Stage

EVERY_MINUTES = 60
"""Interval of the timer if the configuration cannot be read (`run.every_minutes`)."""
_RUNS_MISSED = 3
_SPACE_NEEDED = 65_536
"""Bytes that even an idle run may need for the state file and its journal."""


class HealthFault(Struct, frozen=True):
    """One fault that lasts until a run succeeds."""

    code: str
    since: datetime
    message: str
    fix: str


class Health(Struct, frozen=True):
    """Data for a monitor. `ok`: no fault persists, and runs succeed as often as configured."""

    last_run: LastRun | None
    stages: Mapping[Stage, StageRecord]
    faults: tuple[HealthFault, ...]
    key: KeyDue | None
    """When the Stedi key is due for rotation; None if the start of its use is unknown."""

    @property
    def ok(self) -> bool:
        """Whether no fault persists."""
        return not self.faults


def decide_health(
    *,
    now: datetime,
    records: RunRecords,
    open_faults: Sequence[OpenFault],
    health_file: HealthFile,
    created: datetime | None,
    every_minutes: int = EVERY_MINUTES,
    key: KeyDue | None = None,
) -> Health:
    """Derive health. `created`: when the state file was created, None if there is none."""
    stages = {stage: _stage(stage, records, health_file) for stage in Stage}
    last_run = max(
        (run for run in (health_file.last_run, records.last_run) if run is not None),
        key=lambda run: run.at,
        default=None,
    )
    faults = _merged([*open_faults, *(one.as_fault() for one in health_file.faults if one.stands)])
    explained = any(not one.of_record for one in open_faults) or any(one.stands for one in health_file.faults)
    if not explained and (late := _missed_runs(stages, created, now, timedelta(minutes=every_minutes))) is not None:
        faults.append(late)
    return Health(last_run, stages, tuple(sorted(faults, key=lambda fault: fault.since)), key)


def _stage(stage: Stage, records: RunRecords, health_file: HealthFile) -> StageRecord:
    kept, later = records.stages.get(stage, StageRecord()), health_file.stages.get(stage)
    if later is None or later.failed_at is None or (kept.succeeded_at and kept.succeeded_at > later.failed_at):
        return kept
    return replace(kept, failed_at=later.failed_at, error=later.error)


def _merged(open_faults: Sequence[OpenFault]) -> list[HealthFault]:
    """One fault per cause: several stages may meet the same unavailable service. Keeps the earliest message."""
    found: dict[str, HealthFault] = {}
    rank: dict[str, int] = {stage: number for number, stage in enumerate(Stage)}
    for fault in sorted(open_faults, key=lambda fault: (fault.since, rank.get(fault.place, len(rank)))):
        found.setdefault(fault.identity, HealthFault(fault.code, fault.since, fault.message, fault.fix))
    return list(found.values())


def _missed_runs(
    stages: Mapping[Stage, StageRecord], created: datetime | None, now: datetime, every: timedelta
) -> HealthFault | None:
    """A fault if no run has succeeded for too long. A stage that was never used is ignored, unless none was used at
    all."""
    used = [(stage, record) for stage, record in stages.items() if record.succeeded_at or record.failed_at]
    last: dict[str, datetime] = {
        stage: at for stage, record in used if (at := record.succeeded_at or created) is not None
    }
    if not used and created is not None:
        last = {"run": created}
    overdue = {name: at for name, at in last.items() if now - at > _RUNS_MISSED * every}
    if not overdue:
        return None
    since = min(overdue.values())
    minutes = int(every.total_seconds()) // 60
    what = "run" if len(overdue) == len(last) else " and no ".join(overdue)
    return HealthFault(
        "no-run",
        since,
        f"no {what} has succeeded since {since:%Y-%m-%d %H:%M} UTC, which is longer than three times"
        f" run.every_minutes = {minutes}",
        "See that cron or the timer calls `plexstedi run`, and check its exit code; if it runs less often on "
        "purpose, set run.every_minutes.",
    )


def read_health(
    store: Store | None,
    state: Path,
    config: Config | None,
    now: datetime,
    *,
    fault: PlexStediError | None = None,
) -> Health:
    """Health from the state and the file beside it. `fault`: why the state cannot be read now."""
    health_file = HealthFile.load(state)
    open_faults = [*_full_disk(state, now)]
    records, created, key = RunRecords(), None, KeyRecord()
    if store is not None:
        key = KeyRecord.load(store.cursors)
        stored = store.faults.open_faults()
        # Only scheduled runs store a fault; other commands record the key.
        known = any(one.place == KEY for one in stored)
        open_faults += [*stored, *(() if known else _refused_key(key, now))]
        records, created = RunRecords.load(store.cursors), store.cursors.time(Fact.CREATED)
    if fault is not None and all(one.code != fault.code for one in health_file.faults):
        open_faults.append(OpenFault("start", fault.code, fault.code, now, fault.message, fault.fix))
    return decide_health(
        now=now,
        records=records,
        open_faults=open_faults,
        health_file=health_file,
        created=created,
        every_minutes=EVERY_MINUTES if config is None else config.run.every_minutes,
        key=key_due(key, config, now),
    )


def _full_disk(state: Path, now: datetime) -> Iterator[OpenFault]:
    """A full disk, checked now: the run that met it could not record it."""
    try:
        disk = os.statvfs(state.parent)
    except OSError:
        # A folder that is missing or inaccessible is reported by the operation that needs it.
        return
    if disk.f_bavail * disk.f_frsize < _SPACE_NEEDED:
        yield OpenFault(
            "start",
            "state-full",
            "state-full",
            now,
            f"the disk of the state file {state} is full: no run can record what it does",
            "Free some space on it; the next run continues.",
        )


def _refused_key(record: KeyRecord, now: datetime) -> Iterator[OpenFault]:
    """Stedi refuses the key in use, and runs use another one: it has to be replaced before that one ends, too."""
    if record.substitute is not None:
        fault, since = refused_key(record), record.refused_since or now
        yield OpenFault("run", fault.code, fault.code, since, fault.message, fault.fix)
