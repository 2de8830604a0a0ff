"""`init` for a Plex of data sources: a valid file whose names are guesses for a person, with --from-plex Plex's own."""

from __future__ import annotations

import tomllib

import pytest

from plexstedi.config.load import load
from plexstedi.sandbox.plex import datasources
from plexstedi.sandbox.plex.source import Source


@pytest.fixture
def bench(make_bench):
    return make_bench(orders=2, suppliers=1)


def init(bench, *more, api="datasource", write="report-only", **environment):
    bench.config.unlink(missing_ok=True)
    urls = bench.sandbox.urls
    url = urls.plex_url if api == "datasource" else urls.soap_url
    given = ["--api", api, "--base-url", url, "--username", bench.sandbox.plex_settings.account]
    given += ["--company-code", bench.sandbox.sample_data.tenant.code, "--usage-indicator", "T", "--company", "Acme"]
    return bench.run("init", *given, "--write", write, *more, "--json", env=environment)


def text_of(bench, table):
    """The lines of one table of the written configuration."""
    text = bench.config.read_text().split(f"[plex.datasources.{table}]\n")[1]
    return text.split("\n\n")[0]


@pytest.mark.parametrize("api", ["datasource", "soap"])
@pytest.mark.parametrize("write", ["report-only", "releases"])
def test_the_file_is_valid_and_each_guess_is_marked(bench, api, write):
    ran = init(bench, api=api, write=write)
    assert ran.code == 0, ran.out
    config = load(bench.config)
    assert config.plex.auth.company_code == bench.sandbox.sample_data.tenant.code
    assert config.plex.datasources["order"].columns["number"] == "PO_No"
    assert ("release_write" in config.plex.datasources) == (write == "releases")
    block = bench.config.read_text().split("# Written by `plexstedi init`")[1].split("# The company of the account")[0]
    names = [line for line in block.splitlines() if " = " in line and not line.startswith(("id", "#"))]
    assert len(names) > 35
    assert all(line.endswith("# confirm") for line in names), names
    # Optional columns are not known to exist: in force they would stop each run.
    assert '#fob = "FOB"  # confirm' in text_of(bench, "order")


def test_from_plex_the_names_and_numbers_are_those_of_plex_and_check_is_content(bench):
    ran = init(bench, "--from-plex")
    assert ran.code == 0, ran.out
    config = load(bench.config)
    sources = config.plex.datasources
    assert sources["order"].columns["fob"] == "FOB"
    assert sources["receipts"].id == 15303
    assert "id = 15303  # confirm: Receipts_Get" in text_of(bench, "receipts")
    assert "#street2" in text_of(bench, "addresses")
    checked = bench.run("check", "--json").json["findings"]
    wrong = [each for each in checked if each["area"] == "plex" and each["verdict"] == "wrong"]
    assert wrong == []
    assert [call.path for call in bench.sandbox.log if "28809" in call.path] == []


def test_a_name_that_plex_spells_otherwise_is_found_and_one_that_it_lacks_is_said(bench, monkeypatch):
    def renamed(source: Source) -> Source:
        columns = {"PO_No": "Po_Number", "PO_Status": "Zustand"} if source.id == 3827 else {}
        return Source(
            source.id, source.name, source.inputs, source.outputs,
            tuple((columns.get(name, name), kind) for name, kind in source.columns), source.limit,
        )  # fmt: skip

    monkeypatch.setattr(datasources, "SOURCES", tuple(map(renamed, datasources.SOURCES)))
    assert init(bench, "--from-plex").code == 0
    order = text_of(bench, "order")
    assert 'number = "Po_Number"  # confirm' in order
    assert 'status = "PO_Status"  # confirm: Plex has no such name; it has ' in order
    assert "Zustand" in order
    tomllib.loads(bench.config.read_text())


def test_a_missing_grant_is_a_comment_that_says_whom_to_ask(bench):
    bench.sandbox.plex_settings.granted -= {20, 3827}
    assert init(bench, "--from-plex").code == 0
    text = bench.config.read_text()
    assert "# Data source 20 cannot be used. Open a case with Plex Customer Care" in text
    assert "#[plex.datasources.order_statuses]" in text
    assert "# Data source 3827 cannot be used. Grant data source 3827" in text
    assert "order" in load(bench.config).plex.datasources


def test_a_refused_password_leaves_no_file_and_costs_one_call(bench):
    before = len(bench.sandbox.log)
    ran = init(bench, "--from-plex", PLEXSTEDI_PLEX_PASSWORD="wrong")
    assert ran.code == 4
    assert not bench.config.exists()
    assert len(bench.sandbox.log) - before == 1
    assert "plex.auth.username" in ran.json["error"]["fix"]


def test_a_missing_password_is_named_before_any_call(bench):
    ran = init(bench, "--from-plex", PLEXSTEDI_PLEX_PASSWORD=None)
    assert (ran.code, "plex-password" in ran.json["error"]["message"]) == (4, True)
    assert not bench.config.exists()


def test_from_plex_is_refused_where_plex_has_no_metadata(bench):
    ran = init(bench, "--from-plex", api="soap")
    assert (ran.code, "--from-plex" in ran.json["error"]["message"]) == (2, True)
    assert not bench.config.exists()
