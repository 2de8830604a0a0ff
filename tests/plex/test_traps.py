"""What users of Plex trip over, each with the tests that hold what PlexStedi makes of it (plex/README.md)."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from plexstedi.config.load import load
from plexstedi.edi.order import Order
from plexstedi.errors import ConfigurationFault
from plexstedi.plex.build import connect_to_plex
from plexstedi.plex.settings import Api, PlexSettings
from plexstedi.sandbox.faults import FaultKind, FaultRule
from tests.commands.dialects import fresh, served
from tests.plex.datasource.conftest import soap_response, tables

ROOT = Path(__file__).parents[2]
HERE = "plex/test_traps.py"
BY_ACCOUNT = ("datasource", "soap")
TRAPS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "a refused key looks the same whether it is wrong, has lapsed, lacks the product or names another tenant": (
        ("plex/test_access.py", "test_a_refused_connect_key_names_all_that_it_can_mean"),
        ("sandbox/plex/test_connect.py", "test_four_causes_give_one_indistinguishable_401"),
        ("commands/test_check_products.py", "test_a_product_without_subscription_is_named_with_whom_to_ask"),
    ),
    "without a tenant Plex serves the data of another company": (
        ("plex/test_access.py", "test_connect_names_key_and_tenant_and_asks_politely"),
        ("plex/test_suppliers_receipts_releases.py", "test_somebody_elses_tenant_stops_everything"),
        ("config/test_load.py", "test_what_nobody_can_choose_for_the_user_has_no_default"),
        ("cli/test_check_services.py", "test_another_companys_tenant_is_found_before_anything_else_is_asked"),
    ),
    "a key lapses after some weeks": (
        ("commands/test_key_rotation.py", "test_a_plex_key_is_warned_of_before_it_may_lapse"),
        ("commands/test_four_dialects.py", "test_credentials_that_lapse_stop_the_next_run_and_nothing_is_lost"),
    ),
    "lists have no pages: tens of megabytes, and slow": (
        ("http/test_lists.py", "test_of_each_item_only_what_is_wanted_is_kept"),
        ("http/test_time_and_size.py", "test_a_run_ends_in_time_however_slow_the_response"),
        ("benchmarks/test_memory.py", "test_a_poll_of_a_long_list_stays_within_its_limit"),
    ),
    "a filter with a wrong name is ignored, and the whole table comes": (
        ("plex/rest/test_orders.py", "test_rows_outside_the_window_stop_the_run"),
        ("plex/rest/test_orders.py", "test_a_batch_filter_that_is_ignored_stops_the_run"),
        ("plex/rest/test_orders.py", "test_an_ignored_status_filter_stops_the_run"),
        ("plex/datasource/test_reading.py", "test_an_ignored_input_is_seen_and_an_unknown_order_has_vanished"),
        ("cli/test_check_services.py", "test_filters_that_plex_ignores_are_found"),
    ),
    "a data source ignores its window: its rows show no time that would tell": (
        (HERE, "test_a_window_that_plex_ignores_costs_calls_and_check_finds_it"),
        ("commands/test_four_dialects.py", "test_an_ignored_filter_adds_no_order_and_hides_no_change"),
        (
            "commands/test_check_products.py",
            "test_a_data_source_that_ignores_its_window_is_found_by_a_window_in_the_future",
        ),
    ),
    "a data source ignores the order's key, and the lines of all orders come": (
        (HERE, "test_lines_and_releases_of_all_orders_are_never_sent_as_those_of_one"),
        ("commands/test_data_source_faults.py", "test_an_ignored_key_never_mixes_orders"),
    ),
    "the same record has a UUID, a whole number as key, and a code": (
        (HERE, "test_a_suppliers_id_is_never_taken_for_a_code"),
        ("config/test_load.py", "test_a_company_code_is_not_taken_for_a_tenant_id"),
        ("plex/datasource/test_reading.py", "test_keys_go_back_as_the_type_that_metadata_states_read_once"),
        ("plex/datasource/test_writing.py", "test_an_id_of_another_interface_is_refused_not_searched"),
        ("plex/writeback/test_custom_fields.py", "test_values_go_to_the_object_of_their_level_under_its_keys"),
    ),
    "a host with old TLS is refused by OpenSSL 3": (
        ("plex/test_access.py", "test_a_host_with_old_tls_names_the_switch"),
        (
            "http/test_network.py",
            "test_old_tls_is_accepted_only_where_it_was_allowed_and_certificates_are_verified_all_the_same",
        ),
    ),
    "a null is refused where an input does not take it": (
        ("plex/datasource/test_writing.py", "test_values_that_plex_does_not_have_are_omitted_not_null"),
        ("sandbox/plex/test_datasource.py", "test_wrong_inputs_are_refused"),
    ),
    "names of inputs and columns count upper and lower case, and differ between reading and writing": (
        (
            "plex/datasource/test_reading.py",
            "test_a_mapped_column_that_plex_does_not_return_is_a_fault_even_without_rows",
        ),
        (
            "commands/test_data_sources.py",
            "test_check_names_a_missing_grant_with_whom_to_ask_and_a_wrong_name_with_the_nearest",
        ),
        ("commands/test_write_datasource.py", "test_check_names_the_inputs_that_plex_does_not_have"),
        (
            "commands/test_init_data_sources.py",
            "test_a_name_that_plex_spells_otherwise_is_found_and_one_that_it_lacks_is_said",
        ),
    ),
    "rows beyond the row limit are left out without an error": (
        ("plex/datasource/test_reading.py", "test_a_truncated_window_is_halved_until_each_part_is_complete"),
        ("plex/datasource/test_reading.py", "test_a_second_with_too_many_rows_stops_the_run_and_names_the_source"),
        ("commands/test_data_source_faults.py", "test_a_row_limit_is_seen_in_every_spelling_and_place"),
        (
            "commands/test_data_source_faults.py",
            "test_a_row_limit_that_soap_does_not_state_is_seen_by_the_number_of_rows",
        ),
        ("plex/writeback/test_datasources.py", "test_rows_that_were_left_out_are_never_taken_for_all"),
    ),
    "the description of the SOAP service (WSDL) is not public": ((HERE, "test_soap_needs_no_description_from_plex"),),
    "the grant of a data source is a case for Plex Customer Care, and takes days": (
        ("plex/datasource/test_reading.py", "test_a_missing_grant_names_table_and_number"),
        (
            "commands/test_data_sources.py",
            "test_check_names_a_missing_grant_with_whom_to_ask_and_a_wrong_name_with_the_nearest",
        ),
        (
            "commands/test_write_datasource.py",
            "test_without_the_grant_nothing_is_written_and_the_error_says_whom_to_ask",
        ),
    ),
    "there may be no key of a test system: the first try is on production": (
        ("cli/test_check_services.py", "test_checking_sends_and_writes_nothing"),
        ("commands/test_write_releases.py", "test_a_dry_run_shows_the_note_as_it_is_and_as_it_would_be"),
        ("commands/test_write_datasource.py", "test_a_dry_run_shows_the_record_and_writes_none"),
    ),
    "names of fields, types of values and versions of paths drift": (
        ("plex/rest/test_orders.py", "test_names_with_datetime_in_them_mean_the_same"),
        ("plex/rest/test_orders.py", "test_a_field_that_the_tenant_calls_otherwise"),
        ("plex/rest/test_rows.py", "test_flags_come_in_several_forms"),
        ("plex/rest/test_wrong_version.py", "test_a_404_on_a_collection_names_the_key_to_set"),
        ("plex/rest/test_invoices.py", "test_taxes_are_kept_by_line_and_what_only_balances_the_books_is_no_line"),
    ),
    "a line has no quantity: it is in the releases": (
        ("plex/rest/test_orders.py", "test_an_order_has_what_a_document_needs"),
        ("edi/outbound/test_build_850.py", "test_a_line_that_cannot_be_said_is_held_with_its_place_and_the_fix"),
        (
            "commands/test_four_dialects.py",
            "test_the_same_fault_has_the_same_outcome_and_nothing_of_the_response_is_used",
        ),
    ),
    "ODBC needs the vendor's driver, and may be refused on production": (
        (HERE, "test_an_interface_that_needs_a_driver_is_refused_with_those_that_need_none"),
    ),
    "a failure comes with HTTP 200 and Result_Error": (
        ("plex/datasource/test_reading.py", "test_a_business_error_with_200_is_no_empty_table"),
        ("plex/writeback/test_datasources.py", "test_a_business_failure_comes_with_200_and_is_no_success"),
        ("commands/test_data_source_faults.py", "test_a_write_refused_with_200_is_not_taken_as_done"),
    ),
    "a release that is written without its status gets another one": (
        ("plex/test_suppliers_receipts_releases.py", "test_a_release_is_restored_with_everything_it_had"),
        ("plex/test_suppliers_receipts_releases.py", "test_a_release_without_a_status_or_gone_is_not_written"),
        ("plex/datasource/test_writing.py", "test_a_release_is_changed_with_its_other_values_and_its_status"),
        (
            "sandbox/plex/test_connect.py",
            "test_put_release_without_status_derives_it_and_drops_the_note_that_was_not_echoed",
        ),
    ),
    "a missing role may show nothing at all instead of a refusal": (
        ("commands/test_check_products.py", "test_an_empty_list_of_suppliers_is_a_missing_role_too"),
        (
            "plex/datasource/test_reading.py",
            "test_a_table_without_rows_of_any_order_is_missing_access_and_no_order_has_vanished",
        ),
        ("commands/test_safety_stops.py", "test_a_sweep_that_finds_none_of_the_known_orders_stops_the_run"),
    ),
    "the company of a web service account is fixed: a company code in the configuration selects nothing": (
        ("plex/datasource/test_reading.py", "test_another_company_than_the_configured_one_is_refused"),
        ("commands/test_data_sources.py", "test_the_account_of_another_company_stops_before_anything_is_read"),
    ),
    "a page to log in comes with HTTP 200": (
        ("http/test_caller.py", "test_what_is_no_response_is_never_taken_for_one"),
        ("plex/datasource/test_soap.py", "test_a_fault_of_a_read_is_what_it_is_over_json"),
    ),
    "each interface has an address and a way to log in of its own": (
        ("config/test_load.py", "test_each_interface_says_what_it_needs"),
        ("plex/test_access.py", "test_every_interface_has_a_secret_of_its_own_kind"),
    ),
    "Plex announces no change, lists some late, and an edit of a line alone not at all": (
        ("commands/test_poll.py", "test_a_row_that_was_committed_late_is_found_by_the_overlap"),
        ("commands/test_poll.py", "test_an_edit_of_a_line_only_is_found_by_the_daily_sweep"),
    ),
    "calls beyond the limit per minute are refused": (
        ("http/test_caller.py", "test_the_limit_per_minute_holds_also_right_after_another_run"),
        ("sandbox/plex/test_connect.py", "test_more_than_the_limit_in_a_minute_is_throttled_until_the_clock_moves_on"),
    ),
}
"""By trap: the tests, each by its file below `tests` and its function."""


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    return frozenset(each.name for each in tree.body if isinstance(each, ast.FunctionDef))


@pytest.mark.parametrize("trap", TRAPS)
def test_each_trap_is_held_by_tests_that_exist(trap: str) -> None:
    assert TRAPS[trap], trap
    for file, function in TRAPS[trap]:
        assert function.startswith("test_"), function
        assert function in functions_of(file), f"{file}::{function} is gone: what holds this trap now?"


def test_a_suppliers_id_is_never_taken_for_a_code(make_plex, rows):
    """One supplier's id is another one's code here: the order would go to the wrong company."""
    fake, plex = make_plex()
    fake.master_data()
    suppliers = [{"id": "s1", "code": "S2", "name": "One"}, {"id": "S2", "code": "ACME01", "name": "Two"}]
    fake.put("/mdm/v1/suppliers", suppliers)
    for each in suppliers:
        fake.one(f"/mdm/v1/suppliers/{each['id']}", each)
    fake.order(rows.order(supplierId="S2"), [rows.line()], [rows.release()])
    order = plex.order("o1")
    assert isinstance(order, Order)
    assert (order.supplier_id, order.supplier_code) == ("S2", "ACME01")


def test_soap_needs_no_description_from_plex(clock, httpx_mock):
    """Every request is a call of the service; any other address is not answered here, as with Plex."""
    address = "https://plex.example/DataSource/Service.asmx"
    company = soap_response([{"Plexus_Customer_Code": "ACME"}])
    httpx_mock.add_response(url=address, method="POST", text=company)
    settings = PlexSettings(
        api=Api.SOAP, base_url=address, tables=tables(), username="ACME.webservice@plex.com", company_code="ACME"
    )
    plex = connect_to_plex(settings, "a-very-secret-password", clock=clock)
    assert [each.code for each in plex.tenants()] == ["ACME"]
    plex.close()
    assert [(each.method, str(each.url)) for each in httpx_mock.get_requests()] == [("POST", address)]


def test_an_interface_that_needs_a_driver_is_refused_with_those_that_need_none(tmp_path):
    file = tmp_path / "plexstedi.toml"
    file.write_text('[plex]\napi = "odbc"\n')
    with pytest.raises(ConfigurationFault) as caught:
        load(file)
    (problem,) = [each for each in caught.value.problems if each.key == "plex.api"]
    for api in Api:
        assert api.value in f"{problem.message} {problem.fix}"


@pytest.mark.parametrize("api", BY_ACCOUNT)
def test_a_window_that_plex_ignores_costs_calls_and_check_finds_it(tmp_path, api):
    """Orders from before the start are not sent, known ones not again, and a change is sent once."""
    with served(api, tmp_path, 4) as one:
        plex = one.sandbox.plex
        released = {order.number: order.created for order in plex.tenant.orders if order.status == "On Order"}
        old, new = sorted(released, key=lambda number: released[number])
        start = released[old] + (released[new] - released[old]) / 2
        bench = fresh(one, tmp_path, lambda text: f'{text}\n[plex.poll]\nstart = "{start.isoformat()}"\n')
        for source in (19022, 21338):
            bench.sandbox.inject(FaultRule(FaultKind.IGNORED_FILTER, origin="plex", source=source, times=None))
        first = bench.run("run", "--json")
        assert (first.code, first.json["counts"]["orders_seen"]) == (0, 4)
        assert bench.numbers_sent() == [new]
        bench.later(minutes=20)
        second = bench.run("run", "--json")
        assert second.json["counts"]["documents_sent"] == second.json["counts"]["orders_changed"] == 0
        with bench.sandbox.lock:
            line = plex.order(new).lines[0]
            release = line.releases[0]
            plex.edit_release(new, line.number, release.number, quantity=release.quantity + 5)
        bench.later(minutes=10)
        assert bench.run("run", "--json").json["counts"]["documents_sent"] == 1
        assert bench.numbers_sent() == [new, new]
        checked = bench.run("check", "--json")
        (found,) = [each for each in checked.json["findings"] if each["subject"] == "filters"]
        assert (checked.code, found["verdict"]) == (4, "wrong")
        assert "orders" in found["message"]


@pytest.mark.parametrize("api", BY_ACCOUNT)
def test_lines_and_releases_of_all_orders_are_never_sent_as_those_of_one(tmp_path, api):
    with served(api, tmp_path, 3) as one:
        bench = fresh(one, tmp_path)
        for source in (6197, 6200):
            bench.sandbox.inject(FaultRule(FaultKind.IGNORED_FILTER, origin="plex", source=source, times=None))
        ran = bench.run("run", "--json")
        assert (ran.code, ran.json["counts"]["documents_held"]) == (3, 3)
        assert bench.sandbox.generated() == []
        bench.sandbox.faults.clear()
        bench.later(minutes=10)
        assert bench.run("run", "--json").code == 0
        lines = {order.number: len(order.lines) for order in bench.sandbox.plex.tenant.orders}
        assert {number: bench.sent(number)[0].edi.count("~PO1*") for number in bench.numbers_sent()} == lines
