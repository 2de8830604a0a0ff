"""The state file survives what a server does to files, or says plainly that it cannot be used."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from plexstedi.errors import ExitCode, StateUnusable
from plexstedi.state.cursors import Fact
from plexstedi.state.file.database import Database
from plexstedi.state.file.schema import VERSION
from plexstedi.state.store import Store
from plexstedi.state.subject import of_order
from tests.older_state import make_older
from tests.state.conftest import NOW, an_order, keep_order


def in_a_process(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own, which may be killed or limited."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )


def fault_of(path: Path) -> StateUnusable:
    with pytest.raises(StateUnusable) as caught:
        Store.open(path, NOW)
    assert caught.value.exit_code is ExitCode.STATE
    assert caught.value.fix
    return caught.value


def test_nobody_else_on_the_server_can_read_the_state(tmp_path):
    path = tmp_path / "new" / "state.sqlite3"
    store = Store.open(path, NOW)
    keep_order(store, an_order())
    beside = list(path.parent.iterdir())
    assert {entry.name for entry in beside} >= {"state.sqlite3", "state.sqlite3-wal"}
    assert {stat.S_IMODE(entry.stat().st_mode) for entry in beside} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    store.close()


def test_a_file_that_was_readable_for_others_is_closed_to_them(store, path):
    store.close()
    path.chmod(0o644)
    Store.open(path, NOW).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_commit_is_on_disk_before_it_is_reported(store):
    assert store.database.row("PRAGMA journal_mode")[0] == "wal"
    assert store.database.row("PRAGMA synchronous")[0] == 2
    assert store.database.row("PRAGMA foreign_keys")[0] == 1


def test_a_transaction_is_all_or_nothing_also_when_it_holds_others(store):
    def half_done() -> None:
        with store.transaction():
            keep_order(store, an_order("PO-1"))
            store.audit.append(NOW, "plexstedi", "order-seen", of_order("PO-1"))
            raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        half_done()
    assert store.orders.all() == []
    assert list(store.audit.events()) == []
    assert not store.database.in_transaction


def test_what_was_committed_survives_kill_9_and_what_was_not_is_gone(path):
    killed = in_a_process(
        """
        import os, signal, sys
        from datetime import UTC, datetime
        from pathlib import Path
        from plexstedi.state.cursors import Fact
        from plexstedi.state.store import Store
        store = Store.open(Path(sys.argv[1]), datetime.now(UTC))
        store.cursors.put(Fact.TRANSACTIONS_TOKEN, "committed")
        with store.transaction():
            store.cursors.put(Fact.TRANSACTIONS_TOKEN, "not committed")
            store.cursors.put(Fact.EXECUTIONS_TOKEN, "not committed")
            os.kill(os.getpid(), signal.SIGKILL)
        """,
        path,
    )
    assert killed.returncode == -signal.SIGKILL
    store = Store.open(path, NOW)
    assert store.cursors.get(Fact.TRANSACTIONS_TOKEN) == "committed"
    assert store.cursors.get(Fact.EXECUTIONS_TOKEN) is None
    store.close()


def test_a_file_killed_while_it_is_made_is_made_again(path):
    killed = in_a_process(
        """
        import os, signal, sys
        from datetime import UTC, datetime
        from pathlib import Path
        from plexstedi.state.file import database
        from plexstedi.state.store import Store

        made = database.statements_of_new_file()

        def killed_half_way():
            yield from made[: len(made) // 2]
            os.kill(os.getpid(), signal.SIGKILL)

        database.statements_of_new_file = killed_half_way
        Store.open(Path(sys.argv[1]), datetime.now(UTC))
        """,
        path,
    )
    assert killed.returncode == -signal.SIGKILL
    store = Store.open(path, NOW)
    assert store.database.number("PRAGMA user_version") == VERSION
    assert keep_order(store, an_order()) == 1
    store.close()


def test_an_older_file_is_brought_up_to_date_with_a_copy_beside_it(store, path):
    keep_order(store, an_order())
    store.close()
    make_older(path)
    store = Store.open(path, NOW)
    assert store.database.number("PRAGMA user_version") == VERSION
    assert store.database.number("SELECT count(*) FROM legal_moves WHERE before = 'refused'") == 1
    assert len(store.orders.all()) == 1
    store.close()
    copy = sqlite3.connect(path.with_name(f"{path.name}.before-version-{VERSION}"))
    assert copy.execute("PRAGMA user_version").fetchone() == (1,)
    assert copy.execute("SELECT count(*) FROM orders").fetchone() == (1,)
    copy.close()


@pytest.mark.parametrize("step", range(1, VERSION))
def test_an_older_file_killed_in_its_migration_stays_whole_at_the_step_before(store, path, step):
    keep_order(store, an_order())
    store.close()
    make_older(path)
    killed = in_a_process(
        """
        import os, signal, sys
        from datetime import UTC, datetime
        from pathlib import Path
        from plexstedi.state.file import database
        from plexstedi.state.store import Store

        class Killed(tuple):
            def __iter__(self):
                yield from tuple.__iter__(self)
                os.kill(os.getpid(), signal.SIGKILL)

        step = STEP
        steps = database.MIGRATIONS
        database.MIGRATIONS = (*steps[:step], Killed(steps[step]), *steps[step + 1 :])
        Store.open(Path(sys.argv[1]), datetime.now(UTC))
        """.replace("STEP", str(step)),
        path,
    )
    assert killed.returncode == -signal.SIGKILL
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (step,)
    connection.close()
    store = Store.open(path, NOW)
    assert store.database.number("PRAGMA user_version") == VERSION
    assert len(store.orders.all()) == 1
    store.close()


def test_a_file_of_a_newer_program_is_left_alone(store, path):
    store.close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    assert fault_of(path).code == "state-newer"
    for reading in (Store.open_to_read, Store.open_copy):
        with pytest.raises(StateUnusable, match=f"{path} was made by a newer"):
            reading(path)
    assert path.read_bytes() == before


def test_something_that_is_no_state_file_is_named_and_kept(path):
    path.write_bytes(b"this is no database at all, but somebody's notes " * 100)
    fault = fault_of(path)
    assert fault.code == "state-corrupt"
    assert str(path) in fault.message
    assert path.read_bytes().startswith(b"this is no database")


def test_a_damaged_page_is_found_before_anything_is_sent(store, path):
    with store.transaction():
        for number in range(200):
            keep_order(store, an_order(f"PO-{number}"))
    store.close()
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xff" * 4096
    path.write_bytes(content)
    assert fault_of(path).code == "state-corrupt"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_written_is_named_with_the_fix(store, path):
    store.close()
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        assert fault_of(path).code in ("state-readonly", "state-permission")
    finally:
        path.parent.chmod(0o700)


def test_a_database_that_turned_read_only_is_named_with_the_fix(store, path):
    reader = Store.open_to_read(path)
    with pytest.raises(StateUnusable) as caught:
        keep_order(reader, an_order())
    assert caught.value.code == "state-readonly"
    assert "writable" in caught.value.fix
    reader.close()


def test_a_full_disk_loses_the_open_transaction_only(store, path):
    keep_order(store, an_order("PO-BEFORE"))
    store.close()
    done = in_a_process(
        """
        import resource, signal, sys
        from datetime import UTC, datetime
        from pathlib import Path
        from plexstedi.errors import StateUnusable
        from plexstedi.state.cursors import Fact
        from plexstedi.state.store import Store
        store = Store.open(Path(sys.argv[1]), datetime.now(UTC))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        largest = 400_000
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
        try:
            with store.transaction():
                store.cursors.put(Fact.TRANSACTIONS_TOKEN, "x" * 2 * largest)
        except StateUnusable as fault:
            print(int(fault.exit_code), fault.code, fault.message, fault.fix)
        """,
        path,
    )
    assert done.stderr == ""
    assert done.stdout.startswith("7 state-")
    again = Store.open(path, NOW)
    assert [order.number for order in again.orders.all()] == ["PO-BEFORE"]
    assert again.cursors.get(Fact.TRANSACTIONS_TOKEN) is None
    again.close()


def test_a_folder_in_place_of_the_file_is_7_and_no_traceback(path):
    path.mkdir()
    assert fault_of(path).code.startswith("state-")


def test_reading_needs_an_existing_file_and_makes_none(path):
    with pytest.raises(StateUnusable) as caught:
        Store.open_to_read(path)
    assert caught.value.code == "state-missing"
    assert not path.exists()


def test_status_can_read_while_a_run_writes(store, path):
    keep_order(store, an_order("PO-1"))
    with store.transaction():
        keep_order(store, an_order("PO-2"))
        reader = Store.open_to_read(path)
        assert [order.number for order in reader.orders.all()] == ["PO-1"]
        reader.close()


def test_another_program_that_holds_the_file_is_named(store, path, monkeypatch):
    monkeypatch.setattr("plexstedi.state.file.database._BUSY_SECONDS", 0.0)
    second = Store(Database.open(path))
    with store.transaction(), pytest.raises(StateUnusable) as caught, second.transaction():
        pytest.fail("two transactions at once")
    assert caught.value.code == "state-busy"
    second.close()


def test_a_dry_run_changes_nothing_and_does_not_even_make_the_file(store, path, tmp_path):
    keep_order(store, an_order("PO-1"))
    before = path.read_bytes()
    copy = Store.open_copy(path)
    keep_order(copy, an_order("PO-2"))
    assert [order.number for order in copy.orders.all()] == ["PO-1", "PO-2"]
    copy.close()
    assert path.read_bytes() == before
    assert [order.number for order in store.orders.all()] == ["PO-1"]
    missing = tmp_path / "nothing" / "state.sqlite3"
    Store.open_copy(missing).close()
    assert not missing.parent.exists()


def test_a_backup_is_whole_and_its_owners_only(store, path):
    keep_order(store, an_order("PO-1"))
    target = path.with_name("backup")
    store.database.backup_into(target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    copy = Store.open_to_read(target)
    assert [order.number for order in copy.orders.all()] == ["PO-1"]
    copy.close()
