"""`init` tries keys where they are typed, and chooses suppliers among those that Plex and Stedi have."""

from __future__ import annotations

import tomllib

import pytest

from plexstedi.config.load import load
from tests.cli.conftest import Cli
from tests.commands.conftest import DRIVER
from tests.commands.driver import stedi_is_at

GIVEN = ("--api", "connect", "--usage-indicator", "T", "--company", "Acme", "--write", "report-only")
MACHINE = ("--timezone", "America/Detroit", "--every-minutes", "5", "--key-rotation-days", "90")


@pytest.fixture
def bench(make_bench):
    made = make_bench(orders=6, suppliers=2)
    made.config.unlink()
    return made


def plex_of(bench):
    return ("--tenant-id", str(bench.sandbox.sample_data.tenant.id), "--base-url", bench.sandbox.urls.plex_url)


def init(bench, *more, **environment):
    return bench.run(
        *("init", *GIVEN, *plex_of(bench), *more, "--json"),
        env=environment,
        before=lambda: stedi_is_at(bench.sandbox.urls.stedi_url),
    )


def on_a_terminal(bench, *more, answers, keys=True):
    """A person at `init` who has not stored a key, or both."""
    home = bench.place / "home"
    home.mkdir(exist_ok=True)
    known = {
        "PLEXSTEDI_PLEX_API_KEY": bench.sandbox.plex_settings.api_key,
        "PLEXSTEDI_STEDI_API_KEY": min(bench.sandbox.stedi_settings.api_keys),
    }
    return Cli(home).on_a_terminal(
        *("--config", str(bench.config), "init", *GIVEN, *plex_of(bench), *MACHINE, *more),
        answers=answers,
        program=(str(DRIVER),),
        TEST_NOW=bench.sandbox.clock.now().isoformat(),
        TEST_CONTROL=bench.sandbox.urls.plex_url,
        TEST_STEDI=bench.sandbox.urls.stedi_url,
        **(known if keys else {}),
    )


def tables(bench):
    return tomllib.loads(bench.config.read_text())["suppliers"]


def missing(bench):
    """What `check --offline` finds wrong, by key."""
    checked = bench.run("check", "--offline", "--json").json["findings"]
    return {each["subject"] for each in checked if each["verdict"] == "wrong"}


def codes(bench):
    return [each.code for each in bench.sandbox.sample_data.partners]


def test_both_keys_are_tried_and_nothing_is_sent(bench):
    ran = init(bench, "--try-keys")
    assert ran.code == 0, ran.out
    assert ran.json["accepted"] == ["plex-api-key", "stedi-api-key"]
    tenant = bench.sandbox.sample_data.tenant
    assert ran.json["tenant"] == f"{tenant.id} ({tenant.code})"
    assert {call.method for call in bench.sandbox.log} == {"GET"}


def test_without_the_option_no_service_is_called(bench):
    ran = init(bench)
    assert (ran.code, ran.json["accepted"], ran.json["tenant"]) == (0, [], None)
    assert list(bench.sandbox.log) == []


@pytest.mark.parametrize("key", ["PLEXSTEDI_PLEX_API_KEY", "PLEXSTEDI_STEDI_API_KEY"])
@pytest.mark.parametrize("value", ["wrong-key-0123456789", None])
def test_a_key_that_is_refused_or_missing_leaves_no_file(bench, key, value):
    ran = init(bench, "--try-keys", **{key: value})
    assert ran.code == 4, ran.out
    assert not bench.config.exists()
    assert "wrong-key" not in ran.out + ran.err


def test_another_companys_key_leaves_no_file(bench):
    ran = init(bench, "--try-keys", "--tenant-code", "ANOTHER")
    assert (ran.code, ran.json["error"]["code"]) == (4, "wrong-tenant")
    assert not bench.config.exists()


def test_suppliers_by_option_are_tables_to_fill_in_and_check_names_each_key(bench):
    first, second = codes(bench)
    ran = init(bench, "--supplier", first, "--supplier", second, "--supplier", first)
    assert (ran.code, ran.json["suppliers"]) == (0, [first, second])
    assert set(tables(bench)) == {first, second}
    text = bench.config.read_text()
    assert text.count('#partnership_id = ""  # fill in. Stedi portal: Trading partners') == 2
    keys = ("partnership_id", "850.transaction_setting_id", "860.transaction_setting_id")
    assert missing(bench) == {f"suppliers.{code}.{key}" for code in (first, second) for key in keys}


@pytest.mark.parametrize("more", [(), ("--from-plex",)])
def test_over_data_sources_the_account_is_tried_and_the_tables_follow_the_sources(bench, more):
    tenant, code = bench.sandbox.sample_data.tenant, codes(bench)[0]
    account = ("--username", bench.sandbox.plex_settings.account, "--company-code", tenant.code)
    ran = bench.run(
        *("init", "--api", "datasource", *GIVEN[2:], "--base-url", bench.sandbox.urls.plex_url, *account),
        *("--try-keys", "--supplier", code, *more, "--json"),
        before=lambda: stedi_is_at(bench.sandbox.urls.stedi_url),
    )
    assert ran.code == 0, ran.out
    assert ran.json["accepted"] == ["plex-password", "stedi-api-key"]
    config = load(bench.config)
    assert list(config.suppliers) == [code]
    assert "order" in config.plex.datasources


def test_a_code_that_needs_quotes_stays_one_table(bench):
    assert init(bench, "--supplier", 'A.B "C"').code == 0
    assert list(load(bench.config).suppliers) == ['A.B "C"']


def test_a_supplier_that_plex_does_not_have_is_named_with_the_nearest(bench):
    code = codes(bench)[0]
    ran = init(bench, "--try-keys", "--supplier", code.lower())
    assert (ran.code, bench.config.exists()) == (2, False)
    assert ran.json["error"]["message"] == f"Plex has no supplier {code.lower()}; similar: {code}"


def test_on_a_terminal_suppliers_and_partnerships_are_chosen_and_check_is_content(bench):
    """After earlier traffic Stedi shows partnerships and settings: nothing is left to be filled in."""
    bench.write_config()
    assert bench.run("run").code == 0
    bench.later(hours=1)
    bench.config.unlink()
    partner = bench.sandbox.sample_data.partners[0]
    answers = ["y", "open", "NOBODY", partner.code, "y", "no such!", partner.partnership_id]
    ran = on_a_terminal(bench, answers=answers)
    assert ran.code == 0, ran.out
    assert f"Plex accepts plex-api-key: tenant {bench.sandbox.sample_data.tenant.id}" in ran.out
    assert "Stedi accepts stedi-api-key" in ran.out
    assert "open order" in ran.out
    assert "Plex has no supplier NOBODY" in ran.out
    assert "no such! is not a partnership identifier" in ran.out
    assert partner.partnership_id in ran.out.split("Partnerships in Stedi's recent transactions")[1].splitlines()[0]
    table = tables(bench)[partner.code]
    assert table["partnership_id"] == partner.partnership_id
    assert table["850"]["transaction_setting_id"]
    assert f"# Acme Bolt & Fastener\n[suppliers.{partner.code}]" in bench.config.read_text()
    assert missing(bench) == {f"suppliers.{partner.code}.860.transaction_setting_id"}
    for key in (bench.sandbox.plex_settings.api_key, *bench.sandbox.stedi_settings.api_keys):
        assert key not in ran.out
    assert "credentials set" not in ran.out, "both keys are stored and were accepted"


def test_a_wrong_key_is_typed_again_and_stored_without_being_shown(bench):
    right = bench.sandbox.plex_settings.api_key
    answers = ["y", "wrong-key-0123456789", "enter", right, "none", "y", ""]
    ran = on_a_terminal(bench, answers=answers, keys=False)
    assert ran.code == 0, ran.out
    assert ran.out.count("plex-api-key stored in") == 2
    assert "Plex accepts plex-api-key" in ran.out
    assert "wrong-key" not in ran.out
    assert right not in ran.out
    assert "credentials set stedi-api-key" in ran.out, "it was not typed"
    assert "credentials set plex-api-key" not in ran.out.split("Next:")[1]
    assert missing(bench) == set()


def test_a_person_goes_on_without_a_working_key(bench):
    bench.sandbox.plex_settings.credentials_lapse = bench.sandbox.clock.now()
    ran = on_a_terminal(bench, "--supplier", "ACME", answers=["y", "skip", "n", ""])
    assert ran.code == 0, ran.out
    assert "Plex accepts" not in ran.out
    assert list(tables(bench)) == ["ACME"]


def test_a_stopped_set_up_remembers_the_suppliers(bench):
    code = codes(bench)[0]
    stopped = on_a_terminal(bench, answers=["y", "all", code, "\x04"])
    assert (stopped.code, bench.config.exists()) == (130, False)
    ran = on_a_terminal(bench, answers=["n", "n", ""])
    assert ran.code == 0, ran.out
    assert list(tables(bench)) == [code]


def test_a_key_of_another_company_lets_the_company_be_named_again(bench):
    tenant = bench.sandbox.sample_data.tenant.id
    other = "01234567-89ab-cdef-0123-456789abcde0"
    ran = on_a_terminal(bench, "--tenant-id", other, answers=["y", "company", tenant, "none", "n"])
    assert ran.code == 0, ran.out
    assert "company (name the company again)" in ran.out
    assert f"Plex accepts plex-api-key: tenant {tenant}" in ran.out
    assert load(bench.config).plex.tenant_id == tenant
