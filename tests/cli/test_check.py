"""`check` finds what is wrong before an order does, and tells the fix."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from plexstedi.clock import SystemClock
from plexstedi.config.load import load
from plexstedi.credentials.secrets import Secrets
from plexstedi.state.cursors import Fact
from plexstedi.state.file.backups import keep_backup
from plexstedi.state.store import Store
from plexstedi.sync.report.check import Verdict
from plexstedi.sync.report.check_files import file_system_of
from plexstedi.sync.report.check_key import check_key
from tests.forked import run_forked

from .conftest import NOW, Cli, an_order, record

KEYS = {"PLEXSTEDI_PLEX_API_KEY": "k1-not-shown", "PLEXSTEDI_STEDI_API_KEY": "k2-not-shown"}


class Kept:
    """A keyring in memory; `check` only reads it."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values = values

    def describe(self) -> str:
        return "a keyring"

    def get(self, name: str) -> str | None:
        return self.values.get(name)

    def set(self, name: str, value: str) -> None:
        raise AssertionError("check stores nothing")

    def delete(self, name: str) -> None:
        raise AssertionError("check deletes nothing")


def findings(told: dict[str, Any], verdict: str) -> list[tuple[str, str]]:
    return [(f["area"], f["subject"]) for f in told["findings"] if f["verdict"] == verdict]


def test_a_good_set_up_is_confirmed(cli: Cli) -> None:
    ran = cli.run("check", "--offline", "--json", **KEYS)
    assert ran.code == 0
    assert findings(ran.json, "wrong") == []
    assert "not-shown" not in ran.out + ran.err


def test_offline_asks_nobody(cli: Cli) -> None:
    ran = cli.run("check", "--offline", "--json", **KEYS)
    assert not {"plex", "stedi"} & {f["area"] for f in ran.json["findings"]}


def test_all_problems_of_a_configuration_come_at_once_with_their_fixes(cli: Cli) -> None:
    cli.config.write_text('[plex]\napi = "connekt"\n[stedi]\nusage_indicator = "X"\nbase_ulr = "x"\n')
    ran = cli.run("check", "--json")
    assert ran.code == 4
    subjects = " ".join(subject for _, subject in findings(ran.json, "wrong"))
    for key in ("plex.api", "stedi.usage_indicator", "stedi.base_ulr", "plex.acknowledgments.write"):
        assert key in subjects
    assert all(f["fix"] for f in ran.json["findings"])


def test_a_missing_secret_is_wrong_and_its_fix_can_be_copied(cli: Cli) -> None:
    ran = cli.run("check", "--offline", PLEXSTEDI_PLEX_API_KEY="x")
    assert ran.code == 4
    assert "stedi-api-key: is not set" in ran.out
    assert "plexstedi credentials set stedi-api-key" in ran.out


@pytest.mark.parametrize(
    ("age", "verdict"), [(75, Verdict.OK), (77, Verdict.WARN), (91, Verdict.WARN), (None, Verdict.COULD_NOT_VERIFY)]
)
def test_an_old_stedi_key_is_reported_in_time(cli: Cli, age: int | None, verdict: Verdict) -> None:
    kept = Kept({"stedi-api-key": "x", "plex-api-key": "y"})
    if age is not None:
        kept.values["stedi-api-key.set-at"] = (datetime.now(UTC) - timedelta(days=age)).isoformat()
    found = check_key(cli.state, load(cli.config), Secrets({}, SystemClock(), kept), datetime.now(UTC))
    assert [f.verdict for f in found if f.subject.startswith("age")] == [verdict]


def test_a_supplier_table_that_lacks_something_is_named_with_its_key(cli: Cli) -> None:
    cli.config.write_text(cli.config.read_text().replace('partnership_id = "us_quiet"\n', ""))
    ran = cli.run("check", "--offline", "--json", **KEYS)
    assert ran.code == 4
    assert ("suppliers", "suppliers.QUIET9.partnership_id") in findings(ran.json, "wrong")
    only_the_other = cli.run("check", "--offline", "--supplier", "ACME01", **KEYS)
    assert only_the_other.code == 0


def test_a_guide_that_is_not_there_or_cannot_be_followed_is_wrong(cli: Cli) -> None:
    setting = 'transaction_setting_id = "004010-860"'
    cli.config.write_text(cli.config.read_text().replace(setting, f'{setting}\nguide_schema = "guide.json"'))
    missing = cli.run("check", "--offline", **KEYS)
    assert missing.code == 4
    assert "guide.json does not exist" in missing.out
    (cli.home / "guide.json").write_text(json.dumps({"$ref": "#/$defs/nowhere", "$defs": {}}))
    unreadable = cli.run("check", "--offline", "--json", **KEYS)
    assert unreadable.code == 4
    assert ("suppliers", "suppliers.ACME01.860.guide_schema") in findings(unreadable.json, "wrong")


def test_names_of_another_dialect_are_refused_with_the_nearest(cli: Cli) -> None:
    cli.config.write_text(cli.config.read_text() + '[plex.filters]\nmodifed_begin = "x"\n')
    ran = cli.run("check", "--offline", **KEYS)
    assert (ran.code, "modified_begin" in ran.out) == (4, True)


def test_a_state_file_of_another_tenant_is_found_before_a_run_refuses_it(cli: Cli) -> None:
    store = Store.open(cli.state, NOW)
    store.cursors.put(Fact.TENANT, "another")
    store.close()
    ran = cli.run("check", "--offline", **KEYS)
    assert (ran.code, "another" in ran.out) == (4, True)


def test_a_damaged_state_file_ends_with_its_own_code(cli: Cli) -> None:
    cli.state.write_bytes(b"this is no database, whatever its name says" * 100)
    assert cli.run("check", "--offline", **KEYS).code == 7


def test_services_that_are_not_there_end_with_5(cli: Cli) -> None:
    text = cli.config.read_text()
    text = text.replace("[plex]", '[plex]\nbase_url = "http://127.0.0.1:9"', 1)
    cli.config.write_text(text.replace("[stedi]", '[stedi]\nbase_url = "http://127.0.0.1:9/x"', 1))
    ran = cli.hasty("check", "--json", **KEYS)
    assert ran.code == 5
    assert findings(ran.json, "wrong") == [("plex", "access"), ("stedi", "access")]


def test_a_new_suppliers_guide_is_tried_on_real_orders(cli: Cli) -> None:
    """Price missing on one order: the other would go. Nothing is stored, and nothing counts as sent or held."""
    store = Store.open(cli.state, NOW)
    good, bad = an_order(), an_order("PO-2")
    record(store, good)
    record(store, replace(bad, lines=(replace(bad.lines[0], price=None), bad.lines[1])))
    store.close()
    before = cli.state.read_bytes()
    ran = cli.run("check", "--offline", "--supplier", "ACME01", "--json", **KEYS)
    assert ran.code == 0
    results = {trial["order"]: trial for trial in ran.json["orders"]}
    assert results["PO-1001"]["result"] == "would-send"
    assert "PO1 x2" in results["PO-1001"]["segments"]
    assert results["PO-2"]["result"] == "held"
    assert results["PO-2"]["reasons"][0]["fix"]
    text = cli.run("check", "--offline", "--supplier", "ACME01", **KEYS)
    assert "Missing" in text.out
    assert cli.state.read_bytes() == before


def test_a_supplier_without_orders_yet_is_no_fault_and_an_unknown_one_is(cli: Cli) -> None:
    none = cli.run("check", "--offline", "--supplier", "QUIET9", **KEYS)
    assert none.code == 0
    assert "plexstedi poll" in none.out
    unknown = cli.run("check", "--offline", "--supplier", "ACM", **KEYS)
    assert (unknown.code, "ACME01" in unknown.out) == (4, True)


def state_findings(cli: Cli, code: int = 0) -> dict[str, tuple[str, str]]:
    ran = cli.run("check", "--offline", "--json", **KEYS)
    assert (ran.code, "Traceback" in ran.err) == (code, False), ran.err
    return {f["subject"]: (f["verdict"], f["message"] + f["fix"]) for f in ran.json["findings"]}


def test_the_state_folder_is_really_written_to_and_nothing_stays(cli: Cli) -> None:
    Store.open(cli.state, NOW).close()
    before = {path: path.stat().st_size for path in cli.home.iterdir()}
    assert state_findings(cli)[f"folder {cli.home}"] == ("ok", "can be written")
    assert {path: path.stat().st_size for path in cli.home.iterdir()} == before


def test_a_state_folder_on_a_full_disk_is_7(cli: Cli) -> None:
    """`os.access` would say that all is well."""

    def fill_the_disk() -> None:
        def full(descriptor: int) -> None:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(28, "No space left on device")

        os.fsync = full  # type: ignore[assignment]

    named = ("--config", str(cli.config), "--state", str(cli.state), "check", "--offline", "--json")
    ended = run_forked(named, environment=cli.environment(**KEYS), before=fill_the_disk)
    assert ended.code == 7
    told = json.loads(ended.out)["error"]
    assert f"{cli.home}" in told["message"]
    assert "No space left on device" in told["message"]
    assert "Free space" in told["fix"]
    assert not [path for path in cli.home.iterdir() if "check" in path.name], "the trial is taken away"


def test_a_state_folder_that_is_no_folder_is_7(cli: Cli) -> None:
    (cli.home / "file").touch()
    ran = cli.bare("--config", str(cli.config), "--state", f"{cli.home}/file/s.sqlite3", "check", "--offline", **KEYS)
    assert (ran.code, f"folder {cli.home}/file" in ran.out) == (7, True)


def test_a_state_folder_that_is_yet_to_be_made_is_tried_above_and_not_made(cli: Cli) -> None:
    there = cli.home / "a" / "b" / "s.sqlite3"
    ran = cli.bare("--config", str(cli.config), "--state", str(there), "check", "--offline", **KEYS)
    assert (ran.code, f"folder {cli.home}" in ran.out) == (0, True)
    assert not (cli.home / "a").exists()


def test_little_room_is_reported_before_there_is_none(cli: Cli) -> None:
    def little() -> None:
        shutil.disk_usage = lambda path: shutil._ntuple_diskusage(10, 7, 99_000_000)  # type: ignore[attr-defined]

    named = ("--config", str(cli.config), "--state", str(cli.state), "check", "--offline")
    ended = run_forked(named, environment=cli.environment(**KEYS), before=little)
    assert (ended.code, "99 MB left" in ended.out) == (0, True)


def test_who_holds_the_lock_is_reported_and_is_no_fault(cli: Cli) -> None:
    Store.open(cli.state, NOW).close()
    assert state_findings(cli)["lock"] == ("ok", "free")
    program = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path;"
        " from plexstedi.state.file.lock import RunLock\n"
        "with RunLock(Path(sys.argv[1]), command='plexstedi run', now=lambda: datetime.now(UTC)):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(cli.state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    verdict, said = state_findings(cli)["lock"]
    holder.communicate("")
    assert verdict == "ok"
    assert f"pid {holder.pid}" in said
    assert "`plexstedi run`" in said
    assert state_findings(cli)["lock"] == ("ok", "free")


def test_a_damaged_page_is_found_by_check_too(cli: Cli) -> None:
    store = Store.open(cli.state, NOW)
    for number in range(60):
        record(store, an_order(f"PO-{number}"))
    store.close()
    content = bytearray(cli.state.read_bytes())
    for page in range(20, len(content) // 4096 - 1):
        content[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    cli.state.write_bytes(content)
    state_findings(cli, code=7)


@pytest.mark.parametrize(("days", "keep", "warned"), [(2, 3, False), (4, 3, True), (4, 0, False)])
def test_a_state_file_without_a_fresh_copy_is_reported(cli: Cli, days: int, keep: int, warned: bool) -> None:
    made = datetime.now(UTC) - timedelta(days=days)
    store = Store.open(cli.state, made)
    keep_backup(store.database.path, made, keep)
    store.close()
    cli.config.write_text(cli.config.read_text() + f"[state]\nbackups = {keep}\n")
    said = cli.run("check", "--offline", **KEYS)
    assert (said.code, "last copy is 4 days old" in said.out) == (0, warned)


def test_an_alert_program_that_cannot_be_run_is_wrong(cli: Cli) -> None:
    program = cli.home / "tell"
    cli.config.write_text(cli.config.read_text() + f'[alerts]\ncommand = ["{program}", "x"]\n')
    assert state_findings(cli, code=4)["alerts.command"][0] == "wrong"
    program.write_text("#!/bin/sh\ntouch told\n")
    assert "chmod +x" in state_findings(cli, code=4)["alerts.command"][1]
    program.chmod(0o755)
    assert state_findings(cli)["alerts.command"][0] == "ok"
    assert not (cli.home / "told").exists(), "check tells nobody"


def test_runs_that_may_still_be_at_work_when_the_next_is_called_are_reported(cli: Cli) -> None:
    cli.config.write_text(cli.config.read_text() + "[run]\ntime_limit_minutes = 5\nevery_minutes = 5\n")
    ran = cli.run("check", "--offline", **KEYS)
    assert (ran.code, "run.time_limit_minutes = 5 is not below" in ran.out) == (0, True)


MOUNTS = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
36 22 0:30 / /srv/data rw - nfs4 server:/x rw
37 36 0:31 / /srv/data/my\040disk rw - xfs /dev/sdb1 rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("/var/lib", "ext4"), ("/srv/data/plexstedi", "nfs4"), ("/srv/database", "ext4"), ("/srv/data/my disk/x", "xfs")],
)
def test_a_disk_whose_locks_do_not_keep_servers_apart_is_reported(folder: str, kind: str) -> None:
    assert file_system_of(Path(folder), MOUNTS) == kind
    assert file_system_of(Path(folder), "") is None
