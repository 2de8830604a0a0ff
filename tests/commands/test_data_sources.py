"""The whole loop where Plex is reached through data sources alone: poll, submit, ingest-acks, over JSON and SOAP."""

from __future__ import annotations

import json

import pytest

from plexstedi.sandbox.config_text import config_text

APIS = ["datasource", "soap"]


@pytest.fixture
def source_bench(make_bench):
    def make(api: str, write: str = "report-only", **more):
        bench = make_bench(**more)
        bench.write_config(lambda _: config_text(bench.sandbox, api, write))
        return bench

    return make


def sources_called(bench, since: int = 0) -> list[str]:
    """The paths of the calls to Plex, of data sources with their number."""
    of_plex = [entry for entry in bench.sandbox.log[since:] if entry.origin == "plex"]
    return [entry.path for entry in of_plex]


@pytest.mark.parametrize("api", APIS)
def test_an_order_is_sent_once_its_change_as_860_and_its_acknowledgment_is_recorded(source_bench, api):
    bench = source_bench(api, "datasource", orders=3, suppliers=1)
    assert bench.run("run", "--json").code == 0
    bench.later(hours=3)
    second = bench.run("run", "--json")
    assert second.code == 0, second.out + second.err
    sent = bench.numbers_sent()
    firm = [
        release.id
        for order in bench.sandbox.plex.tenant.orders
        if order.number in sent
        for line in order.lines
        for release in line.releases
        if release.status == "Firm"
    ]
    assert sorted(each.release_id for each in bench.sandbox.plex.acknowledgements) == sorted(firm)
    trail = bench.run("audit", "export", "--format", "jsonl").out
    done = [json.loads(line) for line in trail.splitlines() if '"write-done"' in line]
    # Plex lists its calls by this number: each write can be found there.
    assert done
    assert all("plex_transactions" in json.dumps(event) for event in done)
    bench.later(minutes=20)
    assert bench.run("run", "--json").json["counts"]["writes_made"] == 0
    assert len(bench.sandbox.plex.acknowledgements) == len(firm)
    with bench.sandbox.lock:
        line = bench.sandbox.plex.order(sent[0]).lines[0]
        release = line.releases[0]
        bench.sandbox.plex.edit_release(sent[0], line.number, release.number, quantity=release.quantity + 5)
    bench.later(minutes=10)
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 1
    assert bench.numbers_sent() == [*sent, sent[0]]


@pytest.mark.parametrize("api", APIS)
def test_releases_get_the_confirmed_values_in_their_note_once(source_bench, api):
    bench = source_bench(api, "releases", orders=2, suppliers=1)
    assert bench.run("run", "--json").code == 0
    bench.later(hours=3)
    second = bench.run("run", "--json")
    assert second.code == 0, second.out + second.err
    written = [each for each in bench.sandbox.plex.writes if each.kind == "release"]
    assert written
    assert all("PlexStedi" in str(each.after["note"]) for each in written)
    assert all(each.before["dueDate"] == each.after["dueDate"] for each in written)
    bench.later(minutes=20)
    third = bench.run("run", "--json")
    assert third.json["counts"]["writes_made"] == third.json["counts"]["documents_sent"] == 0
    assert len([each for each in bench.sandbox.plex.writes if each.kind == "release"]) == len(written)


@pytest.mark.parametrize("api", APIS)
def test_the_account_of_another_company_stops_before_anything_is_read(source_bench, api):
    bench = source_bench(api)
    bench.config.write_text(bench.config.read_text().replace('company_code = "', 'company_code = "X'))
    ran = bench.run("run", "--json")
    assert ran.code == 4
    assert ran.json["error"]["code"] == "wrong-tenant"
    path = "/api/datasources/382" if api == "datasource" else "/DataSource/Service.asmx"
    called = sources_called(bench)
    assert called
    assert all(each.startswith(path) for each in called)
    assert len(called) <= 2
    assert bench.sandbox.generated() == []


@pytest.mark.parametrize("api", APIS)
def test_check_verifies_this_interface_within_thirty_calls(source_bench, api):
    bench = source_bench(api, "datasource")
    ran = bench.run("check", "--json")
    assert ran.code == 0, ran.out
    assert 0 < len(sources_called(bench)) <= 30
    # Without metadata nothing can be said of what only a write would use.
    unverified = [each for each in findings(ran) if "acknowledgment_write" in each["message"]]
    assert len(unverified) == (1 if api == "soap" else 0)


def findings(ran):
    return [each for each in ran.json["findings"] if each["verdict"] != "ok" and each["area"] == "plex"]


def test_check_names_a_missing_grant_with_whom_to_ask_and_a_wrong_name_with_the_nearest(source_bench):
    bench = source_bench("datasource", "datasource")
    bench.sandbox.plex_settings.granted -= {28809, 107, 6200}
    bench.config.write_text(bench.config.read_text().replace('status = "PO_Status"', 'status = "PO_status"'))
    ran = bench.run("check", "--json")
    assert ran.code == 4
    found = {each["subject"]: each for each in findings(ran)}
    assert "28809" in found["plex.datasources.acknowledgment_write"]["message"]
    assert "Customer Care" in found["plex.datasources.acknowledgment_write"]["fix"]
    assert "Web Service Access By User Account" in found["plex.datasources.addresses"]["fix"]
    assert "16518 (PO_Releases_Acknowledgement_Get)" not in found["plex.datasources.addresses"]["fix"]
    assert "Grant data source 6200" in found["plex.datasources.releases"]["fix"]
    assert len(sources_called(bench)) <= 30
    assert "did you mean PO_Status?" in found["plex.datasources.order"]["message"]
    assert bench.sandbox.plex.writes == []
