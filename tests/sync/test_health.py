"""Health is decided from what runs left: what is wrong stands, what stopped is missed, what works again has ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict

from plexstedi.state.faults import OpenFault
from plexstedi.state.run_records import ErrorNote, HealthFile, LastRun, RunRecords, StageRecord, StoredFault
from plexstedi.sync.health import Health, decide_health
from plexstedi.sync.stages import Stage

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
EVERY = 60


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def records(**succeeded: datetime | None) -> RunRecords:
    """Stages by name (`ingest` for ingest-acks), each with its last success."""
    names = {"poll": Stage.POLL, "submit": Stage.SUBMIT, "ingest": Stage.INGEST}
    return RunRecords(stages={names[name]: StageRecord(succeeded_at=at) for name, at in succeeded.items()})


def decided(kept: RunRecords, created: datetime | None = None, health_file: HealthFile | None = None) -> Health:
    return decide_health(
        now=NOW,
        records=kept,
        open_faults=(),
        health_file=health_file or HealthFile(),
        created=created,
        every_minutes=EVERY,
    )


@pytest.mark.parametrize(
    ("kept", "created", "missed"),
    [
        (records(poll=ago(hours=1), submit=ago(hours=1), ingest=ago(hours=1)), ago(days=9), None),
        (records(poll=ago(hours=3), submit=ago(hours=3), ingest=ago(hours=3)), ago(days=9), None),
        (records(poll=ago(hours=4), submit=ago(hours=4), ingest=ago(hours=4)), ago(days=9), ago(hours=4)),
        (records(poll=ago(hours=1), submit=ago(hours=1), ingest=ago(hours=5)), ago(days=9), ago(hours=5)),
        (records(poll=ago(hours=1)), ago(days=9), None),
        (RunRecords(), ago(hours=2), None),
        (RunRecords(), ago(hours=4), ago(hours=4)),
        (RunRecords(), None, None),
        (RunRecords(stages={Stage.POLL: StageRecord(failed_at=ago(hours=1))}), ago(hours=5), ago(hours=5)),
    ],
    ids=[
        "all lately",
        "just in time",
        "cron stopped",
        "one stage is no longer called",
        "two stages that nobody calls",
        "a new state",
        "a state that no run ever used",
        "no state",
        "a stage that never succeeded",
    ],
)
def test_runs_that_stopped_are_missed_after_three_times_their_interval(kept, created, missed) -> None:
    health = decided(kept, created)
    assert health.ok == (missed is None)
    assert [(fault.code, fault.since) for fault in health.faults] == ([] if missed is None else [("no-run", missed)])
    if missed is not None:
        assert "run.every_minutes" in health.faults[0].fix


@given(st.integers(1, 10_000), st.integers(0, 100_000))
def test_the_interval_is_the_configured_one(every: int, minutes: int) -> None:
    at = ago(minutes=minutes)
    kept = records(poll=at, submit=at, ingest=at)
    health = decide_health(
        now=NOW, records=kept, open_faults=(), health_file=HealthFile(), created=at, every_minutes=every
    )
    assert health.ok == (minutes <= 3 * every)


def test_what_several_stages_say_alike_is_one_fault_since_the_first() -> None:
    lately = ago(minutes=5)
    open_faults = [
        OpenFault("submit", "unavailable Plex", "unavailable", ago(hours=1), "Plex is away: GET /b", "Wait."),
        OpenFault("poll", "unavailable Plex", "unavailable", ago(hours=2), "Plex is away: GET /a", "Wait."),
        OpenFault("order 7", "", "unavailable", lately, "order 7 cannot be read", "Look at it."),
    ]
    kept = records(poll=lately, submit=lately, ingest=lately)
    health = decide_health(now=NOW, records=kept, open_faults=open_faults, health_file=HealthFile(), created=NOW)
    assert [(fault.message, fault.since) for fault in health.faults] == [
        ("Plex is away: GET /a", ago(hours=2)),
        ("order 7 cannot be read", lately),
    ]


def test_what_lies_beside_the_state_counts_as_far_as_it_is_newer() -> None:
    note = ErrorNote(code="state-full", message="the disk is full", fix="Free some space.")
    kept = RunRecords(
        last_run=LastRun(at=ago(hours=1), command="run", exit_code=0),
        stages={
            Stage.POLL: StageRecord(succeeded_at=ago(hours=1)),
            Stage.SUBMIT: StageRecord(succeeded_at=ago(minutes=1)),
        },
    )
    health_file = HealthFile(
        last_run=LastRun(at=ago(minutes=10), command="poll", exit_code=7, error=note),
        stages={
            Stage.POLL: StageRecord(failed_at=ago(minutes=10), error=note),
            Stage.SUBMIT: StageRecord(failed_at=ago(minutes=10), error=note),
        },
        faults=(
            StoredFault(place="poll", key="state-full", since=ago(minutes=10), **asdict(note)),
            StoredFault(place="start", key="lock", code="locked", since=NOW, message="held", fix="Wait.", stands=False),
        ),
    )
    health = decided(kept, health_file=health_file)
    assert health.last_run == health_file.last_run
    assert health.stages[Stage.POLL].error == note
    assert health.stages[Stage.SUBMIT].error is None, "it has succeeded since"
    assert [fault.code for fault in health.faults] == ["state-full"]
