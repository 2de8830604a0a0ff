"""The traps of Plex Connect, each of which a client that ignores it walks into."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from plexstedi.decimal_json import loads
from plexstedi.sandbox.server import Sandbox

ORDERS = "/purchasing/v1/purchase-orders"
RELEASES = "/purchasing/v2-beta1/releases"
HEADER_FIELDS = 39
LINE_FIELDS = 30
RELEASE_FIELDS = 31


def without(headers: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in headers.items() if key != name}


def test_without_a_tenant_header_another_companys_orders_are_served(sandbox: Sandbox, caller: Any) -> None:
    headers = without(caller.plex_headers, "X-Plex-Connect-Tenant-Id")
    tenants = loads(caller.plex("/mdm/v1/tenants", headers=headers).content)
    orders = loads(caller.plex(ORDERS, headers=headers).content)
    assert tenants == [{"id": sandbox.other_plex.tenant.id, "code": "NORTHWOOD"}]
    assert {row["poNumber"] for row in orders} == {"770", "771"}
    assert caller.rows("/mdm/v1/tenants") == [{"id": sandbox.plex.tenant.id, "code": "RIVERBEND"}]


def test_the_pcn_header_opens_the_same_tenant_and_both_headers_together_are_refused(
    sandbox: Sandbox, caller: Any
) -> None:
    by_pcn = without(caller.plex_headers, "X-Plex-Connect-Tenant-Id") | {"X-Plex-Connect-Customer-Id": "300123"}
    assert loads(caller.plex("/mdm/v1/tenants", headers=by_pcn).content)[0]["code"] == "RIVERBEND"
    both = caller.plex_headers | {"X-Plex-Connect-Customer-Id": "300123"}
    assert caller.plex("/mdm/v1/tenants", headers=both).status_code == 400


def test_four_causes_give_one_indistinguishable_401(sandbox: Sandbox, caller: Any) -> None:
    sandbox.plex_settings.unsubscribed = ("/mdm/v1/parts",)
    key = "X-Plex-Connect-Api-Key"
    answers = [
        caller.plex(ORDERS, headers=caller.plex_headers | {key: "wrong"}),
        caller.plex(ORDERS, headers=caller.plex_headers | {key: min(sandbox.plex_settings.expired_keys)}),
        caller.plex("/mdm/v1/parts"),
        caller.plex(ORDERS, headers=caller.plex_headers | {"X-Plex-Connect-Tenant-Id": "no-access"}),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["code"] == "REQUEST_NOT_AUTHENTICATED"


def test_unknown_parameters_are_ignored_and_there_is_no_paging(caller: Any) -> None:
    everything = caller.rows(ORDERS)
    assert caller.rows(ORDERS, limit=1, offset=3, updatedAfter="2099-01-01T00:00:00Z") == everything
    assert caller.rows(ORDERS, modified_date_begin="2099-01-01T00:00:00Z") == everything


def test_inactive_orders_vanish_unless_asked_for(sandbox: Sandbox, caller: Any) -> None:
    cancelled = next(order.number for order in sandbox.plex.tenant.orders if order.status == "Cancelled")
    assert cancelled not in {row["poNumber"] for row in caller.rows(ORDERS)}
    assert {row["poNumber"] for row in caller.rows(ORDERS, active="false")} == {cancelled}


def test_repeated_names_are_a_list(sandbox: Sandbox, caller: Any) -> None:
    ids = [order.id for order in sandbox.plex.tenant.orders[:2]]
    assert {row["id"] for row in caller.rows(ORDERS, id=ids)} == set(ids)
    assert {row["poId"] for row in caller.rows(RELEASES, pOId=ids)} == set(ids)


def test_windows_include_both_ends_and_the_row_shows_the_compared_time(caller: Any) -> None:
    moment = caller.rows(ORDERS)[0]["modifiedDate"]
    at = {"modifiedDateBegin": moment, "modifiedDateEnd": moment}
    assert [row["modifiedDate"] for row in caller.rows(ORDERS, **at)] == [moment]


@pytest.mark.parametrize("broken", ["2026-11-23", "yesterday", "2026-11-23T14:00:00", "2026-11-23T14:00:00 00:00"])
def test_a_badly_formed_date_finds_nothing(caller: Any, broken: str) -> None:
    assert caller.rows(ORDERS, modifiedDateBegin=broken) == []


def test_more_than_the_limit_in_a_minute_is_throttled_until_the_clock_moves_on(sandbox: Sandbox, caller: Any) -> None:
    sandbox.plex_settings.calls_per_minute = 3
    assert [caller.plex("/mdm/v1/tenants").status_code for _ in range(4)] == [200, 200, 200, 429]
    sandbox.plex_settings.retry_after = True
    assert caller.plex("/mdm/v1/tenants").headers["Retry-After"] == "60"
    sandbox.advance(timedelta(seconds=60))
    assert caller.plex("/mdm/v1/tenants").status_code == 200


def test_a_wrong_version_and_a_missing_record_are_404_without_a_body(caller: Any) -> None:
    for path in ("/purchasing/v9/purchase-orders", f"{ORDERS}/nobody", f"{RELEASES}/nobody"):
        answer = caller.plex(path)
        assert (answer.status_code, answer.content) == (404, b"")


def test_rows_have_every_field_of_connect_some_null_some_absent(sandbox: Sandbox, caller: Any) -> None:
    orders, releases = caller.rows(ORDERS), caller.rows(RELEASES)
    lines = caller.rows(f"{ORDERS}/{orders[0]['id']}/line-items")
    for order in orders[1:]:
        lines += caller.rows(f"{ORDERS}/{order['id']}/line-items")
    for rows, count in ((orders, HEADER_FIELDS), (lines, LINE_FIELDS), (releases, RELEASE_FIELDS)):
        assert len({key for row in rows for key in row}) == count
        assert any(len(row) < count for row in rows)
        assert any(None in row.values() for row in rows)


def test_a_line_has_no_quantity_no_date_and_no_order(caller: Any) -> None:
    order = caller.rows(ORDERS)[0]
    line = caller.rows(f"{ORDERS}/{order['id']}/line-items")[0]
    assert not {"quantity", "dueDate", "poId"} & set(line)
    one = caller.plex(f"{ORDERS}/{order['id']}/line-items/{line['id']}")
    assert loads(one.content) == line
    assert caller.plex(f"{ORDERS}/another/line-items/{line['id']}").status_code == 404


def test_prices_keep_their_decimals_on_the_wire(sandbox: Sandbox, caller: Any) -> None:
    order = sandbox.plex.tenant.orders[0]
    sandbox.plex.edit_line(order.number, order.lines[0].number, price=Decimal("18.1234"))
    assert b'"unitPrice":18.1234' in caller.plex(f"{ORDERS}/{order.id}/line-items").content


def test_a_line_edit_bumps_only_the_line_and_a_deletion_bumps_nothing(sandbox: Sandbox, caller: Any) -> None:
    order = next(order for order in sandbox.plex.tenant.orders if len(order.lines) > 1)
    sandbox.advance(timedelta(minutes=5))
    since = {"modifiedDateBegin": f"{sandbox.clock.now():%Y-%m-%dT%H:%M:%SZ}"}
    sandbox.plex.edit_line(order.number, 1, price=Decimal("9.99"))
    assert caller.rows(ORDERS, **since) == []
    assert caller.rows(RELEASES, **since) == []
    assert len(caller.rows(f"{ORDERS}/{order.id}/line-items", **since)) == 1
    sandbox.plex.edit_release(order.number, 1, 1, quantity=Decimal(7))
    assert [row["quantity"] for row in caller.rows(RELEASES, **since)] == [Decimal("7.0")]
    sandbox.plex.delete_line(order.number, 1)
    assert caller.rows(ORDERS, **since) == []
    assert caller.rows(RELEASES, **since) == []


def test_put_release_without_status_derives_it_and_drops_the_note_that_was_not_echoed(
    sandbox: Sandbox, caller: Any
) -> None:
    order = sandbox.plex.tenant.orders[0]
    release = order.lines[0].releases[0]
    release.note, release.due = "keep me", sandbox.clock.now().date() + timedelta(days=100)
    before = release.modified
    answer = caller.plex_http.put(f"{RELEASES}/{release.id}", json={"quantity": 5}, headers=caller.plex_headers)
    row = loads(answer.content)
    assert (row["status"], row["quantity"]) == ("Forecast", Decimal("5.0"))
    assert release.note is None
    assert release.modified > before
    assert order.modified < release.modified
    assert [write.kind for write in sandbox.plex.writes] == ["release"]


def test_put_release_that_echoes_keeps_status_and_note(sandbox: Sandbox, caller: Any) -> None:
    release = sandbox.plex.tenant.orders[0].lines[0].releases[0]
    body = {"status": "Planned", "dueDate": "2027-01-05T00:00:00Z", "quantity": 5, "note": "kept"}
    assert caller.plex_http.put(f"{RELEASES}/{release.id}", json=body, headers=caller.plex_headers).status_code == 200
    assert (release.status, release.due, release.note) == ("Planned", date(2027, 1, 5), "kept")
    wrong = caller.plex_http.put(f"{RELEASES}/{release.id}", json={"status": "Sure"}, headers=caller.plex_headers)
    assert (wrong.status_code, wrong.json()["code"]) == (400, "REQUEST_VALIDATION_FAILED")


def test_set_up_tables_suppliers_parts_and_invoices_are_there(sandbox: Sandbox, caller: Any) -> None:
    statuses = {row["name"]: row for row in caller.rows("/purchasing/v1/purchase-order-statuses")}
    assert statuses["On Order"]["onOrder"] is True
    assert statuses["Cancelled"]["cancelled"] is True
    releases = {row["name"]: row for row in caller.rows("/purchasing/v1/release-statuses")}
    assert releases["Forecast"]["forecast"] is True
    assert caller.rows("/purchasing/v1/purchase-order-types")
    supplier = caller.rows("/mdm/v1/suppliers", code="S002")[0]
    assert caller.rows(f"/mdm/v1/suppliers/{supplier['id']}/addresses")[0]["zip"]
    assert loads(caller.plex(f"/mdm/v1/suppliers/{supplier['id']}").content) == supplier
    assert "unit" not in caller.rows("/mdm/v1/parts")[0]
    invoice = caller.rows("/accounting/v1/ar-invoices", customerCode="TRUCKCO")[0]
    assert invoice["amount"] == sum(
        line["credit"] + sum(tax["taxAmount"] for tax in line["taxes"]) for line in invoice["lines"]
    )
    assert "taxbleAmount" in invoice["lines"][0]["taxes"][0]


def test_receipts_show_what_arrived_and_have_no_modified_filter(sandbox: Sandbox, caller: Any) -> None:
    order = sandbox.plex.tenant.orders[0]
    sandbox.plex.receive(order.number, 1, 1, order.lines[0].releases[0].quantity)
    (row,) = caller.rows("/purchasing/v1/receipts", modifiedDateBegin="2099-01-01T00:00:00Z")
    assert row["releaseId"] == order.lines[0].releases[0].id
    assert order.lines[0].releases[0].status == "Received"


def test_broken_json_is_refused_in_plexs_shape(caller: Any) -> None:
    answer = caller.plex_http.post(
        "/platform/custom-fields/v1/field-values/save", content=b"{", headers=caller.plex_headers
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "REQUEST_MALFORMED")
