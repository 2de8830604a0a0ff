"""A state file that cannot be trusted: exit 7, a clear message, nothing sent, and nothing lost once it is mended."""

from __future__ import annotations

import shutil
import sqlite3

import pytest

from tests.older_state import make_older


def damage(path) -> None:
    """Overwrite the middle of the file, as a failing disk would."""
    for beside in ("-wal", "-shm"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 3)
        file.write(b"\xff" * (size // 3))


def test_a_corrupt_file_is_reported_and_a_restored_backup_continues(bench):
    bench.run("poll")
    saved = bench.place / "saved.sqlite3"
    shutil.copy(bench.state, saved)
    damage(bench.state)
    ran = bench.run("run", "--json")
    assert ran.code == 7
    assert ran.json["error"]["code"] == "state-corrupt"
    assert "Traceback" not in ran.err
    assert bench.sandbox.generated() == []
    shutil.copy(saved, bench.state)
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 4


def test_a_file_that_is_no_database_is_reported(bench):
    bench.run("poll")
    for beside in ("-wal", "-shm"):
        bench.state.with_name(bench.state.name + beside).unlink(missing_ok=True)
    bench.state.write_text("this is no database at all, but somebody's letter\n" * 100)
    ran = bench.run("run", "--json")
    assert ran.code == 7
    assert bench.sandbox.generated() == []


def test_a_file_of_a_newer_program_is_left_alone(bench):
    bench.run("poll")
    with sqlite3.connect(bench.state) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    ran = bench.run("run", "--json")
    assert ran.code == 7
    assert ran.json["error"]["code"] == "state-newer"
    assert bench.run("status").code == 7


@pytest.mark.parametrize("kilobytes", [40, 200, 260, 300, 340])
def test_a_full_disk_stops_with_7_and_the_next_run_completes_everything_once(bench, kilobytes):
    ran = bench.run("run", "--json", env={"TEST_FILE_SIZE": str(kilobytes * 1024)})
    assert ran.code in (0, 7), ran.err
    assert "Traceback" not in ran.err
    bench.later(minutes=2)
    assert bench.run("run", "--json").code == 0
    sent = [document.filename for document in bench.sandbox.generated()]
    assert len(sent) == len(set(sent)) == 4
    assert bench.run("audit", "verify").code == 0


def test_some_of_these_disks_were_really_full(bench):
    assert bench.run("run", env={"TEST_FILE_SIZE": str(40 * 1024)}).code == 7


def test_the_state_and_its_folder_are_for_their_owner_only(bench):
    deeper = bench.place / "deeper" / "still"
    bench.run("--state", str(deeper / "s.sqlite3"), "poll")
    modes = {path.name: path.stat().st_mode & 0o777 for path in deeper.iterdir()}
    assert deeper.stat().st_mode & 0o777 == 0o700
    assert set(modes.values()) == {0o600}


def test_an_older_state_file_goes_on_where_it_was_and_sends_nothing_again(bench):
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 4
    make_older(bench.state)
    assert bench.run("status").code == 0
    bench.later(hours=3)
    ran = bench.run("run", "--json")
    assert (ran.code, ran.json["counts"]["documents_sent"], ran.json["counts"]["acks_applied"]) == (0, 0, 4)
    assert bench.run("audit", "verify").code == 0
    make_older(bench.state, 4)
    bench.run("status")
    bench.later(hours=3)
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 0
    assert bench.run("audit", "verify", "--head", ran.json["audit_head"]).code == 0
    assert [path.name for path in bench.place.glob("*.before-version-*")]
