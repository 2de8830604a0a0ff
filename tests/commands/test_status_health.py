"""`status` tells monitors what they must know: `health`, and the exit code of `--check`."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from plexstedi.sandbox.faults import FaultKind, FaultRule
from plexstedi.state.store import Store

from .conftest import Bench

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")


@pytest.fixture
def ran(bench: Bench) -> Bench:
    """One good run."""
    assert bench.run("run", "--json").code == 0
    return bench


def health(bench: Bench, *more: str) -> dict[str, object]:
    return bench.run("status", "--json", *more).json["health"]


def test_a_good_run_is_reported_field_by_field(ran: Bench) -> None:
    told = health(ran)
    assert set(told) == {"ok", "last_run", "stages", "faults", "key_due"}
    assert (told["ok"], told["faults"]) == (True, [])
    # A key from the environment: its age counts from the first run that used it.
    assert told["key_due"].startswith("2027-02-2")
    last = told["last_run"]
    assert (last["command"], last["exit_code"], last["error"]) == ("run", 0, None)
    assert TIME.match(last["at"])
    assert list(told["stages"]) == ["poll", "submit", "ingest-acks"]
    for record in told["stages"].values():
        assert (record["failed_at"], record["error"]) == (None, None)
        assert TIME.match(record["succeeded_at"])
    assert ran.run("status", "--check").code == 0


def test_the_last_run_is_the_last_of_the_four_and_no_dry_run(ran: Bench) -> None:
    ran.later(minutes=5)
    ran.run("submit", "--json")
    submitted = health(ran)
    assert submitted["last_run"]["command"] == "submit"
    assert submitted["stages"]["submit"]["succeeded_at"] > submitted["stages"]["poll"]["succeeded_at"]
    ran.later(minutes=5)
    for command in (("poll", "--dry-run"), ("submit", "--dry-run"), ("ingest-acks", "--dry-run"), ("review", "list")):
        ran.run(*command)
    ran.sandbox.inject(FaultRule(FaultKind.UNAVAILABLE, origin="plex", times=None))
    assert ran.run("poll", "--dry-run").code == 5
    assert health(ran) == submitted


def test_a_fault_stands_until_its_stage_succeeds(ran: Bench) -> None:
    bench = ran
    bench.sandbox.inject(FaultRule(FaultKind.UNAVAILABLE, origin="stedi", times=None))
    bench.later(minutes=5)
    assert bench.run("run", "--json").code == 5
    stood = health(bench)
    assert not stood["ok"]
    (fault,) = stood["faults"]
    assert set(fault) == {"code", "since", "message", "fix"}
    assert (fault["code"], fault["since"]) == ("unavailable", stood["last_run"]["at"])
    assert "Stedi" in fault["message"]
    assert fault["fix"]
    assert stood["last_run"]["error"] == {key: fault[key] for key in ("code", "message", "fix")}
    assert stood["stages"]["poll"]["error"] is None
    for stage in ("submit", "ingest-acks"):
        assert stood["stages"][stage]["failed_at"] == stood["last_run"]["at"]
        assert stood["stages"][stage]["error"]["code"] == "unavailable"
    checked = bench.run("status", "--check", "--json")
    assert (checked.code, checked.json["exit_code"], checked.json["counts"]["attention"]) == (3, 3, 0)
    assert bench.run("status", "--json").code == 0, "a person is not bothered"

    bench.later(minutes=5)
    assert bench.run("poll", "--json").code == 0
    assert health(bench)["faults"] == [fault], "a poll says nothing of Stedi"
    assert health(bench)["last_run"]["command"] == "poll"
    bench.sandbox.faults.clear()
    assert bench.run("submit", "--json").code == 0
    assert not health(bench)["ok"], "ingest-acks has still not come through"
    assert bench.run("ingest-acks", "--json").code == 0
    over = health(bench)
    assert over["ok"]
    assert over["stages"]["submit"]["error"] is None
    assert over["stages"]["submit"]["failed_at"] is not None


def test_a_suspicion_stands_as_a_fault_with_what_passes_it(ran: Bench) -> None:
    bench = ran
    bench.sandbox.plex.tenant.orders.clear()
    bench.sandbox.plex.reindex()
    bench.later(hours=25)
    assert bench.run("run", "--json").code == 3
    (fault,) = health(bench)["faults"]
    assert fault["code"] == "suspicion"
    assert "--override sweep-empty" in fault["fix"]
    assert bench.run("status", "--check").code == 3


def test_runs_that_stopped_are_noticed_after_three_times_the_interval(ran: Bench) -> None:
    bench = ran
    bench.write_config(lambda text: text + "\n[run]\nevery_minutes = 20\n")
    bench.later(minutes=59)
    assert bench.run("status", "--check").code == 0
    bench.later(minutes=2)
    stopped = bench.run("status", "--check", "--json")
    assert stopped.code == 3
    assert [fault["code"] for fault in stopped.json["health"]["faults"]] == ["no-run"]
    assert bench.run("status").code == 0
    bench.run("run", "--json")
    assert health(bench)["ok"]


@pytest.mark.parametrize("named", [True, False])
def test_a_broken_configuration_stands_beside_a_state_that_never_was(bench: Bench, named: bool) -> None:
    """Also where the state's place is only in that configuration."""
    bench.state_named = named
    bench.write_config(lambda text: text + f'\n[state]\npath = "{bench.state}"\n[supliers]\n')
    assert bench.run("run", "--json").code == 4
    shown = bench.run("status", "--json")
    assert (shown.code, shown.json["error"]["code"]) == (4, "configuration")
    assert [fault["code"] for fault in shown.json["health"]["faults"]] == ["configuration"]
    assert shown.json["health"]["last_run"]["exit_code"] == 4
    bench.write_config(lambda text: text + f'\n[state]\npath = "{bench.state}"\n')
    assert bench.run("status", "--check").code == 3, "no run has shown yet that it is mended"
    bench.run("run", "--json")
    assert bench.run("status", "--check").code == 0


def test_a_missing_secret_is_a_fault_of_the_stages_that_need_it(ran: Bench) -> None:
    ran.environment = {"PLEXSTEDI_STEDI_API_KEY": "  "}
    assert ran.run("run", "--json").code == 4
    told = health(ran)
    assert [fault["code"] for fault in told["faults"]] == ["credentials"]
    assert told["stages"]["poll"]["error"] is None
    assert told["stages"]["submit"]["error"]["code"] == "credentials"


def test_a_state_that_cannot_be_read_is_7_and_still_tells_what_is_known(ran: Bench) -> None:
    ran.state.write_bytes(b"no database" * 1000)
    assert ran.run("run", "--json").code == 7
    checked = ran.run("status", "--check", "--json")
    assert (checked.code, checked.json["error"]["code"]) == (7, "state-corrupt")
    assert [fault["code"] for fault in checked.json["health"]["faults"]] == ["state-corrupt"]
    assert checked.json["health"]["last_run"]["exit_code"] == 7


def test_one_record_whose_calls_fail_is_a_fault_that_monitors_see(ran: Bench) -> None:
    now = ran.sandbox.clock.now()
    store = Store.open(ran.state, now)
    store.faults.fail("order 7", "unavailable", "order PO-7 cannot be read: 500", "Look at it in Plex.", now)
    store.close()
    assert health(ran)["faults"][0]["message"] == "order PO-7 cannot be read: 500"
    assert ran.run("status", "--check").code == 3
    printed = ran.run("run")
    assert (printed.code, "order PO-7 cannot be read" in printed.err) == (0, True)
    assert ran.run("run").err == ""


def test_text_and_page_show_each_fault_with_its_fix(ran: Bench, tmp_path: Path) -> None:
    ran.sandbox.inject(FaultRule(FaultKind.UNAVAILABLE, origin="stedi", times=None))
    ran.later(minutes=5)
    assert ran.run("run", "--json").code == 5
    (fault,) = health(ran)["faults"]
    text = ran.run("status").out
    page = tmp_path / "page.html"
    assert ran.run("status", "--html", str(page)).code == 0
    for shown in (text, unescape(re.sub("</?code>", "`", page.read_text()))):
        for part in ("ealth", "not ok: 1 fault", "`run` ended with 5", "ast poll", "ast ingest-acks", "Stedi key due"):
            assert part in shown
        assert fault["message"][:40] in shown
        assert fault["fix"] in shown


def test_the_key_is_due_the_configured_days_after_it_was_set(bench: Bench) -> None:
    environment = {"PYTHON_KEYRING_BACKEND": "plexstedi.credentials.keyring_file.EncryptedFileKeyring"}
    key = next(iter(bench.sandbox.stedi_settings.api_keys))
    assert bench.run("credentials", "set", "stedi-api-key", stdin=key, env=environment).code == 0
    bench.environment |= environment
    assert bench.run("run", "--json", env={"PLEXSTEDI_STEDI_API_KEY": None}).code == 0
    assert health(bench)["key_due"].startswith("2027-02-21T")
