"""What goes wrong at a real site: each fault says what to do, loses nothing, and does not stop the rest."""

from __future__ import annotations

import re

import pytest

from plexstedi.sandbox.faults import FaultKind, FaultRule
from plexstedi.sandbox.plex.sample_data import EdgeCase


def test_a_missing_plex_key_is_named_with_its_places(bench):
    ran = bench.run("run", "--json", env={"PLEXSTEDI_PLEX_API_KEY": None})
    assert ran.code == 4
    assert ran.json["error"]["code"] == "credentials"
    assert "plex-api-key" in ran.json["error"]["message"]
    assert "PLEXSTEDI_PLEX_API_KEY" in ran.json["error"]["message"] + ran.json["error"]["fix"]
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("variable", "service"), [("PLEXSTEDI_PLEX_API_KEY", "Plex"), ("PLEXSTEDI_STEDI_API_KEY", "Stedi")]
)
def test_a_wrong_key_is_4_names_the_service_and_is_never_shown(bench, variable, service):
    ran = bench.run("run", "--json", env={variable: "wrong0secret0value0of0thirty0two"})
    assert ran.code == 4
    assert service in ran.json["error"]["message"]
    assert "wrong0secret" not in ran.out + ran.err
    assert bench.sandbox.generated() == []


def test_a_key_of_another_company_stops_before_anything_is_sent(bench):
    bench.sandbox.inject(FaultRule(FaultKind.DEFAULT_TENANT, origin="plex", times=None))
    ran = bench.run("run", "--json")
    assert ran.code == 4
    assert ran.json["error"]["code"] == "wrong-tenant"
    assert bench.sandbox.generated() == []


def by_number(bench, code):
    """The configuration with the tenant's number instead of its id."""
    tenant = bench.sandbox.plex.tenant
    bench.write_config(
        lambda text: re.sub(
            "tenant_code = .*",
            f'tenant_code = "{code}"',
            text.replace(f'tenant_id = "{tenant.id}"', f'customer_id = "{tenant.pcn}"'),
        )
    )


def test_a_tenant_that_is_named_by_its_number_is_verified_by_its_code(bench):
    by_number(bench, bench.sandbox.plex.tenant.code)
    ran = bench.run("run", "--json")
    assert (ran.code, ran.json["counts"]["documents_sent"]) == (0, 4)
    checked = bench.run("check", "--json")
    assert checked.code == 0, checked.out


def test_the_number_of_another_company_stops_before_anything_is_sent(bench):
    by_number(bench, "ANOTHER")
    ran = bench.run("run", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (4, "wrong-tenant")
    assert "plex.customer_id" in ran.json["error"]["fix"]
    assert bench.sandbox.generated() == []


def test_an_unreachable_plex_is_5_and_the_next_run_does_everything(bench):
    bench.write_config(lambda text: text.replace(bench.sandbox.urls.plex_url, "http://127.0.0.1:9"))
    ran = bench.run("run", "--json")
    assert ran.code == 5
    assert "Plex" in ran.json["error"]["message"]
    bench.write_config()
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 4


@pytest.mark.parametrize("origin", ["plex", "stedi"])
def test_a_page_for_people_instead_of_json_is_5_and_loses_nothing(bench, origin):
    bench.sandbox.inject(FaultRule(FaultKind.HTML, origin=origin, times=None))
    ran = bench.run("run", "--json")
    assert ran.code == 5
    assert "HTML" in ran.json["error"]["message"]
    bench.sandbox.faults.clear()
    bench.later(minutes=5)
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 4


def test_a_filter_that_plex_ignores_stops_the_run_loudly(bench):
    bench.run("run")
    bench.later(hours=30)
    bench.sandbox.inject(
        FaultRule(FaultKind.IGNORED_FILTER, origin="plex", path="purchase-orders", filter="modified", times=None)
    )
    ran = bench.run("poll", "--json")
    assert ran.code == 4
    assert "filter" in (ran.json["error"]["message"] + ran.json["error"]["fix"])


def test_orders_that_cannot_go_are_held_and_the_others_are_sent(make_bench):
    bench = make_bench(
        edge_cases=(EdgeCase.LONG_NUMBER, EdgeCase.NO_LINES, EdgeCase.UNKNOWN_UNIT, EdgeCase.CURLY_QUOTES)
    )
    ran = bench.run("run", "--json")
    assert ran.code == 3
    counts = ran.json["counts"]
    assert counts["documents_sent"] == 5
    assert counts["documents_held"] == 3
    assert counts["attention"] == 3
    told = "\n".join(ran.json["news"])
    assert "22" in told
    assert "line" in told
    assert "units" in told
    again = bench.run("run", "--json")
    assert again.code == 0
    assert again.json["counts"]["attention"] == 3
    assert again.json["counts"]["documents_sent"] == 0


def test_a_supplier_that_does_not_trade_by_edi_is_listed_and_no_fault(make_bench):
    bench = make_bench(edge_cases=(EdgeCase.UNKNOWN_SUPPLIER,))
    ran = bench.run("run", "--json")
    assert ran.code == 0
    assert ran.json["not_traded"] == [{"supplier": "S999", "orders": 1}]
    assert ran.json["counts"]["documents_sent"] == 4


def test_a_supplier_table_without_its_partnership_holds_its_orders_only(bench):
    partnership = bench.sandbox.sample_data.partners[0].partnership_id
    bench.write_config(lambda text: text.replace(f'partnership_id = "{partnership}"\n', ""))
    ran = bench.run("run", "--json")
    assert ran.code == 3
    assert ran.json["counts"]["documents_held"] == 2
    assert ran.json["counts"]["documents_sent"] == 2
    assert "partnership_id" in "\n".join(ran.json["news"])
    bench.write_config()
    mended = bench.run("run", "--json")
    assert mended.code == 0
    assert mended.json["counts"]["documents_sent"] == 2
    assert mended.json["counts"]["attention"] == 0


def test_a_document_that_stedi_refuses_needs_review_and_is_not_sent_again(bench):
    setting = bench.sandbox.sample_data.partners[0].settings[0][1]
    bench.write_config(lambda text: text.replace(f'"{setting}"', '"no-such-setting"', 1))
    ran = bench.run("run", "--json")
    assert ran.code == 3
    assert ran.json["counts"]["documents_rejected"] == 2
    assert ran.json["counts"]["documents_sent"] == 2
    calls = len([call for call in bench.sandbox.log if call.method == "POST"])
    again = bench.run("run", "--json")
    assert again.code == 0
    assert len([call for call in bench.sandbox.log if call.method == "POST"]) == calls
    bench.write_config()
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 2


def test_every_problem_of_a_configuration_is_reported_at_once(bench):
    bench.write_config(
        lambda text: text.replace('usage_indicator = "T"', 'usage_indicator = "X"').replace("tenant_id", "tenant_ident")
    )
    ran = bench.run("run", "--json")
    assert ran.code == 4
    keys = {problem["key"] for problem in ran.json["error"]["problems"]}
    assert "stedi.usage_indicator" in keys
    assert any("tenant_id" in p["message"] + p["fix"] for p in ran.json["error"]["problems"])


def test_a_dry_run_before_the_first_run_leaves_no_file(bench):
    before = sorted(path.name for path in bench.place.iterdir())
    for command in (("poll", "--dry-run"), ("submit", "--dry-run"), ("ingest-acks", "--dry-run")):
        ran = bench.run(*command, "--json")
        assert ran.code == 0, ran.err
        assert ran.json["dry_run"] is True
    assert sorted(path.name for path in bench.place.iterdir()) == before
    assert bench.sandbox.generated() == []


def test_a_dry_run_of_submit_shows_just_what_then_goes(bench):
    bench.run("poll")
    shown = bench.run("submit", "--dry-run", "--json").json["documents"]
    calls = len(bench.sandbox.log)
    bench.run("submit")
    sent = bench.sandbox.generated()
    # Several are sent at once, so Stedi may have them in another order.
    assert sorted((d["file_name"], d["idempotency_key"]) for d in shown) == sorted(
        (d.filename, d.idempotency_key) for d in sent
    )
    assert calls < len(bench.sandbox.log)


def test_a_dry_run_of_submit_asks_no_service(bench):
    bench.run("poll")
    calls = len(bench.sandbox.log)
    assert bench.run("submit", "--dry-run", env={"PLEXSTEDI_STEDI_API_KEY": None}).code == 0
    assert len(bench.sandbox.log) == calls


def test_a_dry_run_of_ingest_shows_plex_now_and_after_and_writes_nothing(bench):
    bench.run("run")
    bench.later(hours=3)
    shown = bench.run("ingest-acks", "--dry-run", "--json").json
    assert {change["field"] for change in shown["writes"]} >= {"EDI_Ack_Code", "EDI_Confirmed_Qty"}
    assert all(change["before"] is None for change in shown["writes"])
    assert bench.sandbox.plex.writes == []
    assert bench.run("ingest-acks", "--json").json["counts"]["writes_made"] == 4


@pytest.mark.parametrize(
    "arguments",
    [("poll", "--since", "soon"), ("submit", "--show", "x12"), ("frobnicate",), ("submit", "--limit", "0")],
)
def test_invalid_usage_is_2(bench, arguments):
    ran = bench.run(*arguments, "--json")
    assert ran.code == 2
    assert ran.json["error"]["code"] == "usage"
    assert "Traceback" not in ran.err


def test_a_state_file_of_another_tenant_or_usage_is_refused(bench):
    bench.run("run")
    bench.write_config(lambda text: text.replace('usage_indicator = "T"', 'usage_indicator = "P"'))
    ran = bench.run("run", "--json")
    assert ran.code == 4
    assert "--state" in ran.json["error"]["problems"][0]["fix"]


def test_a_state_file_that_is_gone_is_noticed_and_nothing_is_sent_twice(bench):
    bench.run("run")
    for name in ("state.sqlite3", "state.sqlite3-wal", "state.sqlite3-shm"):
        (bench.place / name).unlink(missing_ok=True)
    ran = bench.run("run", "--json")
    assert ran.code == 7
    assert "recover" in ran.json["error"]["fix"]
    assert len(bench.sandbox.generated()) == 4


def test_a_mistyped_order_number_is_2_and_names_the_near_ones(bench):
    bench.run("poll")
    ran = bench.run("submit", "--order", "PO-10401", "--json")
    assert ran.code == 2
    assert "PO-10400" in ran.json["error"]["message"] + ran.json["error"]["fix"]
    assert bench.sandbox.generated() == []


def test_the_oauth2_interface_needs_no_tenant_where_the_client_opens_one(make_bench):
    bench = make_bench(dialect="oauth2")
    tenant = bench.sandbox.sample_data.tenant
    bench.write_config(
        lambda text: text.replace(f'tenant_id = "{tenant.id}"\n', "").replace(f'tenant_code = "{tenant.code}"\n', "")
    )
    ran = bench.run("run", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["counts"]["documents_sent"] == 4


def test_an_app_with_a_secret_gets_it_beside_the_key_and_no_output_shows_it(bench):
    bench.sandbox.plex_settings.api_secret = "made0up0app0secret0000"
    refused = bench.run("run", "--json")
    assert (refused.code, refused.json["error"]["code"]) == (4, "refused")
    env = {"PLEXSTEDI_PLEX_API_SECRET": "made0up0app0secret0000"}
    ran = bench.run("--verbose", "run", "--json", env=env)
    assert ran.code == 0
    checked = bench.run("check", "--json", env=env)
    assert checked.code == 0
    assert "made0up0app0secret" not in ran.out + ran.err + checked.out + checked.err
