"""A fault stands from the first time until it ends, and its end is kept for whoever was told of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from plexstedi.state.faults import Faults
from plexstedi.state.run_records import HealthFile, LastRun, StoredFault
from plexstedi.state.store import Store

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def later(**span: float) -> datetime:
    return NOW + timedelta(**span)


@pytest.fixture
def faults(tmp_path: Path) -> Iterator[Faults]:
    store = Store.open(tmp_path / "state.sqlite3", NOW)
    yield store.faults
    store.close()


def test_a_record_fails_since_the_first_time_however_it_fails(faults: Faults) -> None:
    assert faults.fail("order 7", "unavailable", "no answer", "Wait.", NOW) == NOW
    assert faults.fail("order 7", "throttled", "too many", "Wait.", later(hours=1)) == NOW
    (one,) = faults.open_faults()
    assert (one.place, one.code, one.message, one.since) == ("order 7", "throttled", "too many", NOW)
    assert one.of_record
    faults.succeed("order 7", later(hours=2))
    assert faults.open_faults() == []
    assert faults.fail("order 7", "unavailable", "no answer", "Wait.", later(hours=3)) == later(hours=3)


def test_success_of_what_never_failed_is_nothing(faults: Faults) -> None:
    faults.succeed("order 7", NOW)
    faults.stage_succeeded("poll", NOW)
    assert faults.open_faults() == faults.ended() == []


def test_only_a_fault_that_was_reported_has_an_end_to_report(faults: Faults) -> None:
    faults.fail("order 7", "unavailable", "no answer", "Wait.", NOW)
    faults.fail("order 8", "unavailable", "no answer", "Wait.", NOW)
    faults.reported([one for one in faults.open_faults() if one.place == "order 7"], NOW)
    for record in ("order 7", "order 8"):
        faults.succeed(record, later(hours=1))
    (ended,) = faults.ended()
    assert (ended.place, ended.ended_at) == ("order 7", later(hours=1))
    faults.reported([ended], later(hours=2))
    assert faults.ended() == []


def test_a_record_that_became_a_review_item_does_not_work_again(faults: Faults) -> None:
    faults.fail("order 7", "unavailable", "no answer", "Wait.", NOW)
    faults.reported(faults.open_faults(), NOW)
    faults.forget("order 7")
    assert faults.open_faults() == faults.ended() == []


def test_a_fault_that_comes_back_before_its_end_was_reported_is_a_new_one(faults: Faults) -> None:
    faults.stage_failed("poll", "unavailable Plex", "unavailable", "Plex is away", "Wait.", NOW)
    faults.reported(faults.open_faults(), NOW)
    faults.stage_succeeded("poll", later(hours=1))
    faults.stage_failed("poll", "unavailable Plex", "unavailable", "Plex is away", "Wait.", later(hours=2))
    (one,) = faults.open_faults()
    assert (one.since, one.reported_at) == (later(hours=2), None)
    assert faults.ended() == []


def test_a_stage_has_one_fault_at_a_time_and_leaves_those_of_others(faults: Faults) -> None:
    faults.stage_failed("poll", "unavailable Plex", "unavailable", "Plex is away", "Wait.", NOW)
    faults.stage_failed("submit", "refused Stedi", "refused", "Stedi refuses", "Renew it.", NOW)
    faults.reported(faults.open_faults(), NOW)
    faults.stage_failed("poll", "refused Plex", "refused", "Plex refuses", "Renew it.", later(hours=1))
    assert {(one.place, one.message) for one in faults.open_faults()} == {
        ("poll", "Plex refuses"),
        ("submit", "Stedi refuses"),
    }
    assert faults.ended() == [], "the stage still does not work"
    faults.stage_succeeded("poll", later(hours=2))
    assert [one.place for one in faults.open_faults()] == ["submit"]


def test_a_record_that_its_stage_no_longer_meets_has_ended_with_the_stages_success(faults: Faults) -> None:
    faults.fail("order 7", "unavailable", "no answer", "Wait.", NOW, stage="poll")
    faults.fail("order 8", "unavailable", "no answer", "Wait.", later(hours=1), stage="poll")
    faults.fail("document 9", "unavailable", "no answer", "Wait.", NOW, stage="submit")
    faults.stage_succeeded("poll", later(hours=1, minutes=1))
    assert len(faults.open_faults()) == 3, "a stage that met faults of records has not looked at all of them"
    faults.stage_succeeded("poll", later(hours=1, minutes=1), began=later(hours=1))
    assert [one.place for one in faults.open_faults()] == ["document 9", "order 8"]


def test_what_lies_beside_the_state_is_whole_or_not_there(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite3"
    fault = StoredFault(place="start", key="k", code="state-full", since=NOW, message="full", fix="Free some space.")
    health_file = HealthFile(last_run=LastRun(at=NOW, command="run", exit_code=7), faults=(fault,))
    assert health_file.save(state)
    assert HealthFile.load(state) == health_file
    assert HealthFile.path(state).stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["state.sqlite3.health"]
    HealthFile.path(state).write_text('{"faults": [{"place"')
    assert HealthFile.load(state) == HealthFile(), "what cannot be read says nothing"
    assert HealthFile().save(state)
    assert list(tmp_path.iterdir()) == []
    assert not health_file.save(tmp_path / "no folder" / "state.sqlite3")
