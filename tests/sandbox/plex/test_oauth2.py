"""The oauth2 dialect: tokens that expire, pages that must be followed, and the same orders as in connect."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from plexstedi.decimal_json import loads
from plexstedi.sandbox.faults import FaultKind, FaultRule
from plexstedi.sandbox.plex.rows import snake_row
from plexstedi.sandbox.server import Sandbox

FORM = {"grant_type": "client_credentials", "client_id": "sandbox-client", "client_secret": "sandbox-client-secret"}


@pytest.fixture
def bearer(caller: Any) -> dict[str, str]:
    token = caller.plex_http.post("/oauth2/token", data=FORM).json()
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 600)
    return {"Authorization": f"Bearer {token['access_token']}"}


def every_page(caller: Any, path: str, bearer: dict[str, str], **params: Any) -> tuple[list[dict[str, Any]], int]:
    rows: list[dict[str, Any]] = []
    url: str | None = str(httpx.URL(path, params=params))
    pages = 0
    while url is not None:
        body = loads(caller.plex_http.get(url, headers=bearer).content)
        rows += body["data"]
        pages += 1
        url = body["next"]
        if url is not None:
            assert urlsplit(url).path == path
    return rows, pages


def test_a_wrong_secret_is_401_and_basic_is_taken_too(caller: Any) -> None:
    assert caller.plex_http.post("/oauth2/token", data={**FORM, "client_secret": "no"}).status_code == 401
    assert caller.plex_http.post("/oauth2/token", data={**FORM, "grant_type": "password"}).status_code == 400
    basic = base64.b64encode(b"sandbox-client:sandbox-client-secret").decode()
    answer = caller.plex_http.post(
        "/oauth2/token", data={"grant_type": "client_credentials"}, headers={"Authorization": f"Basic {basic}"}
    )
    assert answer.status_code == 200


def test_a_token_expires_by_the_sandbox_clock(sandbox: Sandbox, caller: Any, bearer: dict[str, str]) -> None:
    sandbox.advance(timedelta(seconds=599))
    assert caller.plex_http.get("/tenants", headers=bearer).status_code == 200
    sandbox.advance(timedelta(seconds=1))
    assert caller.plex_http.get("/tenants", headers=bearer).status_code == 401
    assert caller.plex_http.get("/tenants").status_code == 401


def test_a_response_without_a_token_can_be_had(sandbox: Sandbox, caller: Any) -> None:
    sandbox.inject(FaultRule(FaultKind.NO_ACCESS_TOKEN, path="token"))
    assert "access_token" not in caller.plex_http.post("/oauth2/token", data=FORM).json()


def test_lists_come_in_pages_with_the_next_url(sandbox: Sandbox, caller: Any, bearer: dict[str, str]) -> None:
    sandbox.plex_settings.page_size = 10
    rows, pages = every_page(caller, "/purchase-orders", bearer)
    assert pages == 3
    assert len({row["id"] for row in rows}) == len(rows) == 23
    assert rows[0]["po_number"] == sandbox.plex.tenant.orders[0].number


def test_the_rows_are_those_of_connect_in_snake_case(sandbox: Sandbox, caller: Any, bearer: dict[str, str]) -> None:
    connect = caller.rows("/purchasing/v2-beta1/releases")
    oauth2, _ = every_page(caller, "/purchase-order-releases", bearer)
    assert oauth2 == [snake_row(row) for row in connect]
    order = sandbox.plex.tenant.orders[0]
    some, _ = every_page(caller, "/purchase-order-releases", bearer, purchase_order_id=order.id)
    assert {row["po_id"] for row in some} == {order.id}


def test_filters_are_in_snake_case_too(sandbox: Sandbox, caller: Any, bearer: dict[str, str]) -> None:
    none, _ = every_page(caller, "/purchase-orders", bearer, modified_date_begin="2099-01-01T00:00:00Z")
    ignored, _ = every_page(caller, "/purchase-orders", bearer, modifiedDateBegin="2099-01-01T00:00:00Z")
    assert (len(none), len(ignored)) == (0, 23)


@pytest.mark.parametrize(
    "path",
    [
        "/purchase-order-statuses",
        "/suppliers",
        "/parts",
        "/ar-invoices",
        "/ap-invoices",
        "/receipts",
        "/release-statuses",
    ],
)
def test_the_other_resources_respond(caller: Any, bearer: dict[str, str], path: str) -> None:
    assert caller.plex_http.get(path, headers=bearer).status_code == 200


def test_a_patch_writes_custom_fields_of_order_and_lines_and_reads_back(
    sandbox: Sandbox, caller: Any, bearer: dict[str, str]
) -> None:
    order = sandbox.plex.tenant.orders[0]
    before = order.modified
    body = {
        "custom_fields": {"EDI_Ack_Code": "AD"},
        "lines": [{"id": order.lines[0].id, "custom_fields": {"EDI_Confirmed_Qty": 5}}],
    }
    assert caller.plex_http.patch(f"/purchase-orders/{order.id}", json=body, headers=bearer).status_code == 200
    row = loads(caller.plex_http.get(f"/purchase-orders/{order.id}", headers=bearer).content)
    lines = loads(caller.plex_http.get(f"/purchase-orders/{order.id}/line-items", headers=bearer).content)["data"]
    assert row["custom_fields"] == {"EDI_Ack_Code": "AD"}
    assert lines[0]["custom_fields"] == {"EDI_Confirmed_Qty": 5}
    assert order.modified > before
    assert [(write.kind, write.line) for write in sandbox.plex.writes] == [("order-patch", None), ("order-patch", 1)]


@pytest.mark.parametrize(
    "body",
    [
        {"custom_fields": {"EDI_Nothing": 1}},
        {"custom_fields": {"EDI_Ack_Code": "AD"}, "lines": [{"id": "x", "custom_fields": {"EDI_Confirmed_Qty": 1}}]},
        {"status": "Cancelled"},
    ],
)
def test_a_patch_with_anything_wrong_in_it_writes_nothing(
    sandbox: Sandbox, caller: Any, bearer: dict[str, str], body: dict[str, Any]
) -> None:
    order = sandbox.plex.tenant.orders[0]
    assert caller.plex_http.patch(f"/purchase-orders/{order.id}", json=body, headers=bearer).status_code == 400
    assert sandbox.plex.writes == []


def test_a_put_of_a_release_has_the_same_traps(sandbox: Sandbox, caller: Any, bearer: dict[str, str]) -> None:
    release = sandbox.plex.tenant.orders[0].lines[0].releases[0]
    body = {"status": "Firm", "due_date": "2027-02-01T00:00:00Z", "note": "n"}
    answer = caller.plex_http.put(f"/purchase-order-releases/{release.id}", json=body, headers=bearer)
    assert answer.json()["due_date"].startswith("2027-02-01")
    assert release.note == "n"
