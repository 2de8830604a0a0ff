"""A made-up tenant behind pytest-httpx, in either dialect, and the clock of its clients."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from plexstedi.http.caller import Attempt
from plexstedi.plex.build import connect_to_plex
from plexstedi.plex.port import MasterDataStore, PlexPort
from plexstedi.plex.settings import Api, PlexSettings

TENANT = "11111111-2222-4333-8444-555555555555"
BASE = {Api.CONNECT: "https://plex.example", Api.OAUTH2: "https://plex.example/api"}
TOKEN_URL = "https://accounts.example/oauth2/token"


class StillClock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def order_row(order_id: str = "o1", **more: Any) -> dict[str, Any]:
    return {
        "id": order_id,
        "poNumber": f"PO-{order_id}",
        "currencyCode": "USD",
        "status": "On Order",
        "active": True,
        "type": "Purchased Components",
        "supplierId": "s1",
        "supplierAddressId": "a2",
        "poDate": "2026-11-17T14:03:00Z",
        "terms": "Net 30",
        "freightTerms": "Collect",
        "shipTo": "Plant 1",
        "shipVia": "Truck",
        "orderedDate": "2026-11-18T15:10:42.1531234Z",
        "fob": "Origin",
        "dueDate": "2026-12-15T05:00:00Z",
        "note": "Deliver to dock 4",
        "blanketOrder": False,
        "createdDate": "2026-11-18T14:03:11.92Z",
        "modifiedDate": "2026-11-18T15:10:42.153Z",
    } | more


def line_row(line_id: str = "l1", number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": line_id,
        "lineItemNumber": number,
        "status": "Open",
        "unit": "Ea",
        "orderUnit": "Ea",
        "description": "Hex bolt",
        "unitPrice": 1.2300,
        "manufacturerPartNumber": None,
        "supplierPartNumber": "AB-7816",
        "itemId": None,
        "partId": "p1",
        "note": None,
        "blanketQuantity": None,
        "modifiedDate": "2026-11-18T15:10:42.153Z",
    } | more


def release_row(release_id: str = "r1", number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": release_id,
        "poLineItemId": "l1",
        "status": "Firm",
        "quantity": 3000.0,
        "dueDate": "2026-12-08T05:00:00Z",
        "releaseLineNumber": number,
        "note": "Top [PlexStedi: 3000 confirmed]",
        "createdDate": "2026-11-18T14:07:00Z",
        "modifiedDate": "2026-11-18T16:00:00Z",
        "partId": "p1",
        "poId": "o1",
        "poNumber": "PO-o1",
        "supplierCode": "ACME01",
        "partNumber": "82695",
        "partRevision": "AAA",
        "poShipTo": "Plant 1",
    } | more


ORDER_STATUSES = [
    {"name": "New"},
    {"name": "On Order", "onOrder": True, "release": True},
    {"name": "Cancelled", "cancelled": True},
    {"name": "Received", "received": True},
]
RELEASE_STATUSES = [
    {"name": "Firm", "open": True},
    {"name": "Planned", "open": True, "planStatus": True},
    {"name": "Forecast", "open": True, "forecast": True},
    {"name": "Cancelled", "cancelled": True, "open": False},
    {"name": "Received", "received": True, "open": False},
]
SUPPLIERS = [{"id": "s1", "code": "ACME01", "name": "Acme Bolt"}]
ADDRESSES = [
    {
        "id": "a1",
        "address": "1 Main St",
        "city": "Toledo",
        "zip": "43604",
        "state": "OH",
        "country": "USA",
        "main": True,
    },
    {"id": "a2", "address": "2 Side St\r\nDock 7\nGate B", "city": "Lima", "zip": "45801", "state": "OH"},
]


@dataclass
class FakePlex:
    """Answers by path; what was asked is in `asked` as (method, path, parameters, body)."""

    api: Api
    answers: dict[str, Callable[[httpx.Request], httpx.Response]] = field(default_factory=dict)
    asked: list[tuple[str, str, list[tuple[str, str]], Any]] = field(default_factory=list)

    def path(self, connect: str, oauth2: str) -> str:
        return connect if self.api is Api.CONNECT else oauth2

    def put(
        self, path: str, rows: Any, *, keep: Callable[[dict[str, Any], httpx.QueryParams], bool] | None = None
    ) -> None:
        """Serve rows under a path; in oauth2 in snake_case and inside `data`. `keep` is the filter."""

        def answer(request: httpx.Request) -> httpx.Response:
            found = rows
            if keep is not None:
                found = [row for row in rows if keep(row, request.url.params)]
            if self.api is Api.OAUTH2:
                found = [{snake(key): value for key, value in row.items()} for row in found]
                return httpx.Response(200, json={"data": found, "next": None})
            return httpx.Response(200, json=found)

        self.answers[path] = answer

    def one(self, path: str, row: dict[str, Any]) -> None:
        spelled = {snake(key): value for key, value in row.items()} if self.api is Api.OAUTH2 else row
        self.answers[path] = lambda request: httpx.Response(200, json=spelled)

    def say(self, path: str, status: int, document: Any = None) -> None:
        self.answers[path] = lambda request: httpx.Response(status, json=document)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if str(request.url) == TOKEN_URL:
            return httpx.Response(200, json={"access_token": "token-1", "expires_in": 600})
        path = request.url.path.removeprefix("/api") if self.api is Api.OAUTH2 else request.url.path
        body = json.loads(request.content) if request.content else None
        self.asked.append((request.method, path, list(request.url.params.multi_items()), body))
        if path not in self.answers:
            return httpx.Response(404, json={"code": "RESOURCE_NOT_FOUND", "message": "no"})
        return self.answers[path](request)

    def calls(self, path: str) -> list[list[tuple[str, str]]]:
        return [params for _, asked, params, _ in self.asked if asked == path]

    def bodies(self, path: str) -> list[Any]:
        return [body for _, asked, _, body in self.asked if asked == path]

    def master_data(self) -> None:
        self.put(self.path("/purchasing/v1/purchase-order-statuses", "/purchase-order-statuses"), ORDER_STATUSES)
        self.put(self.path("/purchasing/v1/release-statuses", "/release-statuses"), RELEASE_STATUSES)
        base = self.path("/mdm/v1/suppliers", "/suppliers")
        self.put(base, SUPPLIERS)
        self.one(f"{base}/s1", SUPPLIERS[0])
        self.put(f"{base}/s1/addresses", ADDRESSES)

    def order(self, header: dict[str, Any], lines: list[dict[str, Any]], releases: list[dict[str, Any]]) -> None:
        """Serve one order, in the way of either dialect."""
        orders = self.path("/purchasing/v1/purchase-orders", "/purchase-orders")
        self.put(orders, [header], keep=lambda row, params: row["id"] in params.get_list("id"))
        self.one(f"{orders}/{header['id']}", header)
        self.put(f"{orders}/{header['id']}/line-items", lines)
        name = self.path("pOId", "purchase_order_id")
        self.put(
            self.path("/purchasing/v2-beta1/releases", "/purchase-order-releases"),
            releases,
            keep=lambda row, params: row["poId"] in params.get_list(name),
        )


def settings_of(api: Api, **more: Any) -> PlexSettings:
    own = {"tenant_id": TENANT} if api is Api.CONNECT else {"token_url": TOKEN_URL, "client_id": "plexstedi"}
    return PlexSettings(api=api, base_url=BASE[api], **(own | more))


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def attempts() -> list[Attempt]:
    return []


@pytest.fixture
def make_plex(clock: StillClock, attempts: list[Attempt]) -> Iterator[Callable[..., tuple[FakePlex, PlexPort]]]:
    opened: list[PlexPort] = []

    def make(api: Api = Api.CONNECT, kept: MasterDataStore | None = None, **more: Any) -> tuple[FakePlex, PlexPort]:
        fake = FakePlex(api)
        opened.append(
            connect_to_plex(
                settings_of(api, **more),
                "a-very-secret-key",
                clock=clock,
                rng=random.Random(1),
                on_attempt=attempts.append,
                transport=httpx.MockTransport(fake),
                kept=kept,
            )
        )
        return fake, opened[-1]

    yield make
    for port in opened:
        port.close()


@pytest.fixture
def rows() -> Any:
    """The builders of rows, for tests that make their own."""

    class Rows:
        order = staticmethod(order_row)
        line = staticmethod(line_row)
        release = staticmethod(release_row)

    return Rows
