"""A small made-up company, and a caller that talks to the sandbox's three origins without a socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from plexstedi.decimal_json import Json, dumps, loads
from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.plex.records import Order
from plexstedi.sandbox.plex.sample_data import TradingPartner, sample_tenant
from plexstedi.sandbox.server import Sandbox

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


@dataclass
class Caller:
    """HTTP calls with the right headers, unless told otherwise."""

    sandbox: Sandbox
    plex_http: httpx.Client
    stedi_http: httpx.Client
    documents_http: httpx.Client

    @property
    def plex_headers(self) -> dict[str, str]:
        return {
            "X-Plex-Connect-Api-Key": self.sandbox.plex_settings.api_key,
            "X-Plex-Connect-Tenant-Id": self.sandbox.sample_data.tenant.id,
        }

    def plex(self, path: str, *, params: Any = None, headers: dict[str, str] | None = None) -> httpx.Response:
        return self.plex_http.get(path, params=params, headers=headers or self.plex_headers)

    def plex_post(self, path: str, body: Json) -> httpx.Response:
        return self.plex_http.post(path, content=dumps(body), headers=self.plex_headers)

    def rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        response = self.plex(path, params=params)
        assert response.status_code == 200, response.text
        rows = loads(response.content)
        assert isinstance(rows, list)
        return rows

    @property
    def stedi_headers(self) -> dict[str, str]:
        return {"Authorization": min(self.sandbox.stedi_settings.api_keys)}

    def stedi(self, path: str, **params: Any) -> httpx.Response:
        return self.stedi_http.get(f"/2023-08-01{path}", params=params, headers=self.stedi_headers)

    def stedi_post(self, path: str, body: Json, key: str | None = None) -> httpx.Response:
        headers = self.stedi_headers | ({"Idempotency-Key": key} if key is not None else {})
        return self.stedi_http.post(f"/2023-08-01{path}", content=dumps(body), headers=headers)

    def generate(
        self,
        partner: TradingPartner,
        transaction: Json,
        *,
        key: str | None = None,
        filename: str = "a.edi",
        set_id: str = "850",
    ) -> httpx.Response:
        body: Json = {
            "transactionGroups": [
                {"transactionSettingId": dict(partner.settings)[set_id], "transactions": [transaction]}
            ],
            "filename": filename,
            "overrides": {"interchangeUsageIndicator": "T"},
        }
        return self.stedi_post(f"/x12/partnerships/{partner.partnership_id}/generate-edi", body, key)

    def polled(self) -> list[dict[str, Any]]:
        """Every transaction that polling shows by now."""
        start = (NOW - timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
        response = self.stedi("/polling/transactions", startDateTime=start, pageSize=500)
        assert response.status_code == 200, response.text
        items: list[dict[str, Any]] = response.json()["items"]
        return items

    def output(self, item: dict[str, Any]) -> dict[str, Any]:
        """The output document of a polled transaction, through its presigned URL."""
        url = self.stedi(f"/transactions/{item['transactionId']}/output-url").json()["documentDownloadUrl"]
        content = loads(self.documents_http.get(url).content)
        assert isinstance(content, dict)
        return content

    def control(self, method: str, name: str, body: Json = None) -> Any:
        content = dumps(body) if body is not None else None
        response = self.plex_http.request(method, f"/_sandbox/{name}", content=content)
        assert response.status_code == 200, response.text
        return loads(response.content)


@pytest.fixture
def clock() -> SandboxClock:
    return SandboxClock.manual(NOW)


@pytest.fixture
def sandbox(clock: SandboxClock) -> Sandbox:
    return Sandbox(sample_tenant(24, 16, 1, NOW), clock)


@pytest.fixture
def caller(sandbox: Sandbox) -> Iterator[Caller]:
    clients = [
        httpx.Client(transport=httpx.WSGITransport(app=sandbox.app(origin)), base_url=url)
        for origin, url in (
            ("plex", sandbox.urls.plex_url),
            ("stedi", sandbox.urls.stedi_url.removesuffix("/2023-08-01")),
            ("documents", sandbox.urls.documents_url),
        )
    ]
    yield Caller(sandbox, *clients)
    for client in clients:
        client.close()


GuideWriter = Callable[..., dict[str, Json]]


@pytest.fixture
def guide_850() -> GuideWriter:
    """Writes an order as an 850 in base Guide JSON, by hand: independent of the product's own writer."""

    def write(order: Order, release: str) -> dict[str, Json]:
        quantity_key = "quantity_ordered_02" if release == "004010" else "quantity_02"
        lines: list[Json] = []
        for line in order.lines:
            firm = [each for each in line.releases if each.status == "Firm"]
            assert line.part is not None
            lines.append(
                {
                    "baseline_item_data_PO1": {
                        "assigned_identification_01": str(line.number),
                        quantity_key: sum((each.quantity for each in firm), Decimal(0)),
                        "unit_or_basis_for_measurement_code_03": {"Ea": "EA", "ft": "FT", "lb": "LB", "kg": "KG"}[
                            line.unit
                        ],
                        "unit_price_04": line.price,
                        "product_service_id_qualifier_06": "BP",
                        "product_service_id_07": line.part.number,
                    },
                    "line_item_schedule_SCH_loop": [
                        {
                            "line_item_schedule_SCH": {
                                "quantity_01": each.quantity,
                                "unit_or_basis_for_measurement_code_02": "EA",
                                "date_time_qualifier_05": "002",
                                "date_06": f"{each.due}",
                            }
                        }
                        for each in firm
                    ],
                }
            )
        return {
            "heading": {
                "transaction_set_header_ST": {
                    "transaction_set_identifier_code_01": "850",
                    "transaction_set_control_number_02": 1,
                },
                "beginning_segment_for_purchase_order_BEG": {
                    "transaction_set_purpose_code_01": "00",
                    "purchase_order_type_code_02": "SA",
                    "purchase_order_number_03": order.number,
                    "date_05": f"{order.created:%Y-%m-%d}",
                },
            },
            "detail": {"baseline_item_data_PO1_loop": lines},
            "summary": {
                "transaction_totals_CTT_loop": [{"transaction_totals_CTT": {"number_of_line_items_01": len(lines)}}]
            },
        }

    return write


@pytest.fixture
def guide_860() -> GuideWriter:
    """An 860 that changes one line's quantity, or deletes it (`code` DI), or cancels the order (`purpose` 01)."""

    def write(
        order: Order, release: str, quantity: int, *, code: str = "QI", line: int = 1, purpose: str = "04"
    ) -> dict[str, Json]:
        each = next(each for each in order.lines if each.number == line)
        assert each.part is not None
        quantity_key = "quantity_ordered_03" if release == "004010" else "quantity_03"
        change: Json = {
            "line_item_change_POC": {
                "assigned_identification_01": str(line),
                "change_or_response_type_code_02": code,
                quantity_key: quantity,
                "quantity_left_to_receive_04": quantity,
                "composite_unit_of_measure_05": {"unit_or_basis_for_measurement_code_01": "EA"},
                "product_service_id_qualifier_08": "BP",
                "product_service_id_09": each.part.number,
            },
            "line_item_schedule_SCH_loop": [
                {
                    "line_item_schedule_SCH": {
                        "quantity_01": quantity,
                        "unit_or_basis_for_measurement_code_02": "EA",
                        "date_time_qualifier_05": "002",
                        "date_06": f"{each.releases[0].due}",
                    }
                }
            ],
        }
        return {
            "heading": {
                "transaction_set_header_ST": {
                    "transaction_set_identifier_code_01": "860",
                    "transaction_set_control_number_02": 1,
                },
                "beginning_segment_for_purchase_order_change_BCH": {
                    "transaction_set_purpose_code_01": purpose,
                    "purchase_order_type_code_02": "SA",
                    "purchase_order_number_03": order.number,
                    "change_order_sequence_number_05": "1",
                    "date_06": f"{order.created:%Y-%m-%d}",
                },
            },
            "detail": {"line_item_change_POC_loop": [change]},
            "summary": {"transaction_totals_CTT_loop": [{"transaction_totals_CTT": {"number_of_line_items_01": 1}}]},
        }

    return write
