"""Faults on demand, hooks for crash tests, and the routes to look inside and to move things along."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from plexstedi.decimal_json import Json
from plexstedi.sandbox.faults import Call, FaultKind, FaultRule
from plexstedi.sandbox.server import Sandbox
from plexstedi.sandbox.web import ConnectionDropped

ORDERS = "/purchasing/v1/purchase-orders"


@pytest.fixture
def send(sandbox: Sandbox, caller: Any, guide_850: Any) -> Any:
    transaction = guide_850(sandbox.plex.tenant.orders[0], "004010")
    return lambda: caller.generate(sandbox.sample_data.partners[0], transaction, key="k1")


@pytest.mark.parametrize(
    ("kind", "status", "processed"),
    [
        (FaultKind.THROTTLED, 429, 0),
        (FaultKind.ERROR_BEFORE, 500, 0),
        (FaultKind.ERROR_AFTER, 500, 1),
        (FaultKind.UNAVAILABLE, 503, 0),
        (FaultKind.GATEWAY_TIMEOUT, 504, 0),
        (FaultKind.HTML, 200, 0),
        (FaultKind.DROP_BEFORE, None, 0),
        (FaultKind.DROP_AFTER, None, 1),
    ],
)
def test_each_fault_responds_as_configured_and_processes_or_does_not(
    sandbox: Sandbox, send: Any, kind: FaultKind, status: int | None, processed: int
) -> None:
    sandbox.inject(FaultRule(kind, origin="stedi"))
    if status is None:
        with pytest.raises(ConnectionDropped):
            send()
    else:
        assert send().status_code == status
    assert len(sandbox.generated()) == processed
    assert send().status_code == 200
    assert len(sandbox.generated()) == 1
    assert [(call.status, call.fault) for call in sandbox.log] == [(status, kind.value), (200, None)]


def test_a_rule_picks_its_calls_skips_some_and_runs_out(sandbox: Sandbox, caller: Any) -> None:
    sandbox.inject(FaultRule(FaultKind.UNAVAILABLE, origin="plex", method="GET", path="tenants$", skip=1, times=2))
    statuses = [caller.plex("/mdm/v1/tenants").status_code for _ in range(4)]
    assert (statuses, caller.plex(ORDERS).status_code) == ([200, 503, 503, 200], 200)


def test_throttling_may_name_its_seconds(sandbox: Sandbox, caller: Any) -> None:
    sandbox.inject(FaultRule(FaultKind.THROTTLED, retry_after=7))
    sandbox.inject(FaultRule(FaultKind.THROTTLED))
    assert caller.plex(ORDERS).headers["Retry-After"] == "7"
    assert "Retry-After" not in caller.plex(ORDERS).headers


def test_a_filter_can_be_ignored_and_the_default_tenant_served(sandbox: Sandbox, caller: Any) -> None:
    future = {"modifiedDateBegin": "2099-01-01T00:00:00Z"}
    sandbox.inject(FaultRule(FaultKind.IGNORED_FILTER, path="purchase-orders", filter="modifiedDate"))
    sandbox.inject(FaultRule(FaultKind.DEFAULT_TENANT, path="tenants"))
    assert len(caller.rows(ORDERS, **future)) == 23
    assert caller.rows(ORDERS, **future) == []
    assert caller.rows("/mdm/v1/tenants")[0]["code"] == "NORTHWOOD"


def test_a_truncated_response_keeps_the_whole_length(sandbox: Sandbox, caller: Any) -> None:
    sandbox.inject(FaultRule(FaultKind.TRUNCATED))
    answer = caller.plex(ORDERS)
    assert int(answer.headers["Content-Length"]) > len(answer.content) > 0


def test_hooks_see_every_call_before_and_after_and_may_cut_it(sandbox: Sandbox, caller: Any, send: Any) -> None:
    seen: list[Call] = []

    def hook(call: Call) -> None:
        seen.append(call)
        if call.number == 2 and call.phase == "after":
            raise ConnectionDropped

    sandbox.on_call(hook)
    caller.plex(ORDERS)
    with pytest.raises(ConnectionDropped):
        send()
    assert [(call.phase, call.origin, call.method, call.number) for call in seen] == [
        ("before", "plex", "GET", 1),
        ("after", "plex", "GET", 1),
        ("before", "stedi", "POST", 2),
        ("after", "stedi", "POST", 2),
    ]
    assert len(sandbox.generated()) == 1


def test_the_clock_moves_only_forward(sandbox: Sandbox, caller: Any) -> None:
    assert caller.control("GET", "clock") == {"now": "2026-11-23T15:00:00.000Z"}
    assert caller.control("POST", "clock", {"advance_seconds": 90})["now"] == "2026-11-23T15:01:30.000Z"
    with pytest.raises(ValueError, match="forward"):
        sandbox.clock.advance(timedelta(seconds=-1))
    sandbox.clock.sleep(30)
    assert sandbox.clock.monotonic() == 120.0


def test_documents_and_requests_can_be_inspected_without_secrets(sandbox: Sandbox, caller: Any, send: Any) -> None:
    send()
    caller.plex(ORDERS, params={"status": "On Order"})
    (document,) = caller.control("GET", "documents")
    assert (document["idempotencyKey"], document["usageIndicator"], document["delivered"]) == ("k1", "T", None)
    assert document["edi"].startswith("ISA*")
    log = caller.control("GET", "requests")
    assert log[1]["query"] == [["status", "On Order"]]
    assert sandbox.plex_settings.api_key not in str(log)


def test_a_buyer_edits_an_order_through_control(sandbox: Sandbox, caller: Any) -> None:
    order = next(order for order in sandbox.plex.tenant.orders if len(order.lines) > 1)
    sandbox.advance(timedelta(minutes=1))
    part = sandbox.plex.tenant.parts[0].number
    body: Json = {
        "header": {"note": "new note"},
        "lines": [{"line": 1, "price": Decimal("4.5")}],
        "releases": [{"line": 1, "release": 1, "quantity": 77, "due": "2027-03-01"}],
        "add_lines": [{"part": part, "unit": "Ea", "price": 1, "quantity": 5, "due": "2027-01-01"}],
        "delete_lines": [2],
    }
    shown = caller.control("PATCH", f"orders/{order.number}", body)
    assert (shown["note"], shown["lines"][0]["price"]) == ("new note", Decimal("4.5"))
    assert shown["lines"][0]["releases"][0]["quantity"] == 77
    assert [line["line"] for line in shown["lines"]][:1] == [1]
    assert 2 not in [line["line"] for line in shown["lines"]]
    assert shown["modified"] == "2026-11-23T15:01:00.000Z"
    assert caller.control("PATCH", f"orders/{order.number}", {"cancel": True})["status"] == "Cancelled"
    assert caller.control("PATCH", f"orders/{order.number}", {"reopen": True})["status"] == "On Order"
    caller.control("POST", "orders", {"like": order.number, "number": "PO-NEW"})
    assert caller.rows(ORDERS, pONumber="PO-NEW")[0]["status"] == "On Order"
    caller.control("PATCH", "orders/PO-NEW", {"delete": True})
    assert caller.rows(ORDERS, pONumber="PO-NEW") == []


def test_no_two_records_share_a_key_however_often_an_order_is_copied(caller: Any, sandbox: Sandbox) -> None:
    like = sandbox.plex.tenant.orders[0].number
    for number, of in (("PO-A", like), ("PO-B", like), ("PO-C", "PO-A"), ("PO-D", "PO-A")):
        caller.control("POST", "orders", {"like": of, "number": number})
    orders = sandbox.plex.tenant.orders
    keys = [order.key for order in orders] + [line.key for order in orders for line in order.lines]
    keys += [release.key for order in orders for line in order.lines for release in line.releases]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PATCH", "orders/PO-104001", {"colour": "red"}, 400),
        ("PATCH", "orders/PO-104001", {"header": {"status": "Somehow"}}, 400),
        ("PATCH", "orders/nobody", {"cancel": True}, 404),
        ("POST", "faults", {"kind": "meteor"}, 400),
        ("POST", "inbound", {"partnership": "nobody", "set": "855", "transaction": {}}, 404),
        ("GET", "nothing", None, 404),
    ],
)
def test_an_invalid_control_call_says_why(caller: Any, method: str, path: str, body: Json, status: int) -> None:
    answer = caller.plex_http.request(method, f"/_sandbox/{path}", json=body)
    assert answer.status_code == status
    assert answer.json()["message"]


def test_faults_come_and_go_through_control(caller: Any) -> None:
    caller.control("POST", "faults", {"kind": "503", "origin": "plex", "times": None})
    assert [caller.plex(ORDERS).status_code for _ in range(2)] == [503, 503]
    caller.control("DELETE", "faults")
    assert caller.plex(ORDERS).status_code == 200


def test_writes_and_custom_fields_are_shown_with_before_and_after(sandbox: Sandbox, caller: Any) -> None:
    order = sandbox.plex.tenant.orders[0]
    sandbox.plex.save_custom("custom-fields", "PurchaseOrder", order.id, {"EDI_Ack_Code": "AD"})
    (write,) = caller.control("GET", "writes")
    assert (write["before"], write["after"], write["effective"]) == (
        {"EDI_Ack_Code": None},
        {"EDI_Ack_Code": "AD"},
        True,
    )
    (row,) = caller.control("GET", "custom-fields")
    assert (row["order"], row["values"]) == (order.number, {"EDI_Ack_Code": "AD"})
