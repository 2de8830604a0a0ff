"""`check` finds what is wrong before an order does, and tells the fix."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plexstedi.clock import SystemClock
from plexstedi.config import load
from plexstedi.credentials import Secrets
from plexstedi.state.memory import Fact
from plexstedi.state.store import Store
from plexstedi.sync.checking import Verdict, check_credentials

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


def test_a_good_set_up_is_told_so(cli: Cli) -> None:
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


@pytest.mark.parametrize(("age", "verdict"), [(89, Verdict.OK), (91, Verdict.WARN), (None, Verdict.COULD_NOT_VERIFY)])
def test_an_old_stedi_key_is_told_in_time(cli: Cli, age: int | None, verdict: Verdict) -> None:
    kept = Kept({"stedi-api-key": "x", "plex-api-key": "y"})
    if age is not None:
        kept.values["stedi-api-key.set-at"] = (datetime.now(UTC) - timedelta(days=age)).isoformat()
    found = check_credentials(load(cli.config), Secrets({}, SystemClock(), kept))
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
    assert "guide.json is not there" in missing.out
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
    store.memory.put(Fact.TENANT, "another")
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
    record(store, bad.model_copy(update={"lines": (bad.lines[0].model_copy(update={"price": None}), bad.lines[1])}))
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
