"""A Stedi of canned answers. Where Stedi's published OpenAPI is at hand, every request and every answer that passes
here is checked against it, so that neither the client nor these tests can drift from it."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_httpx import HTTPXMock

from plexstedi.secret_text import SecretText
from plexstedi.stedi.build import connect_to_stedi
from plexstedi.stedi.client import StediClient

BASE = "https://core.us.stedi.com/2023-08-01"
KEY = "test_k3y.DoNotShowThis0123456789"
SPEC_FILE = Path(
    os.environ.get("PLEXSTEDI_STEDI_OPENAPI")
    or Path(__file__).resolve().parents[3] / "shared/reference/openapi/stedi-core.json"
)
SPEC: dict[str, Any] | None = json.loads(SPEC_FILE.read_bytes()) if SPEC_FILE.is_file() else None
collect_ignore = [] if SPEC else ["test_openapi.py"]


@dataclass
class Clock:
    """A clock that its sleeper moves."""

    time: datetime = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    elapsed: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.elapsed

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)
        self.elapsed += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stedi(httpx_mock: HTTPXMock, clock: Clock) -> Iterator[StediClient]:
    """A client; afterwards each of its requests must be one that the OpenAPI allows."""
    client = connect_to_stedi(BASE, SecretText(KEY), clock=clock, rng=random.Random(7))
    yield client
    client.close()
    for request in httpx_mock.get_requests():
        if SPEC and str(request.url).startswith(BASE):
            path = request.url.raw_path.decode().partition("?")[0]
            check_request(request.method, path, dict(request.url.params), request.read())


@pytest.fixture
def answer(httpx_mock: HTTPXMock) -> Callable[..., None]:
    """Add the next answer of Stedi to a path (below the base address, with its query)."""

    def add(path: str, value: Any = None, *, status: int = 200, method: str = "GET", **more: Any) -> None:
        if SPEC and value is not None:
            check_answer(method, path.partition("?")[0], status, value)
        if value is not None:
            more["json"] = value
        httpx_mock.add_response(url=BASE + path, method=method, status_code=status, **more)

    return add


@pytest.fixture
def execution() -> Callable[..., dict[str, Any]]:
    """An ExecutionSummary as Stedi gives it."""

    def make(**more: Any) -> dict[str, Any]:
        return {
            "createdAt": "2026-11-23T07:00:00.123Z",
            "updatedAt": "2026-11-23T07:00:05.456Z",
            "executionId": "06bdccdc-4ab9-4add-b1dc-a76a0183f299",
            "status": "COMPLETED",
            "direction": "OUTBOUND",
            "transactionCount": 1,
            "faultCount": 0,
            "retryable": False,
            "partnershipId": "us_acme",
            "source": {"dirname": ".", "name": "ps1_one.edi"},
            "mode": "test",
            **more,
        }

    return make


@pytest.fixture
def transaction() -> Callable[..., dict[str, Any]]:
    """A TransactionSummary as Stedi gives it: an inbound 855."""

    def make(identity: str = "c8dd3a67", set_control: str = "0001", **more: Any) -> dict[str, Any]:
        return {
            "direction": "INBOUND",
            "mode": "test",
            "status": "succeeded",
            "fileExecutionId": "95236a56",
            "transactionId": identity,
            "processedAt": "2026-11-23T07:30:15.801Z",
            "artifacts": [],
            "partnership": {
                "partnershipId": "us_acme",
                "partnershipType": "x12",
                "sender": {"profileId": "acme"},
                "receiver": {"profileId": "us"},
            },
            "x12": {
                "metadata": {
                    "interchange": {"acknowledgmentRequestedCode": "0", "controlNumber": 12},
                    "functionalGroup": {
                        "controlNumber": 34,
                        "release": "004010",
                        "date": "2026-11-23",
                        "time": "07:29:57",
                        "functionalIdentifierCode": "PR",
                    },
                    "transaction": {"controlNumber": set_control, "transactionSetIdentifier": "855"},
                    "receiver": {"applicationCode": "US", "isa": {"qualifier": "ZZ", "id": "US"}},
                    "sender": {"applicationCode": "ACME", "isa": {"qualifier": "ZZ", "id": "ACME           "}},
                },
                "transactionSetting": {"transactionSettingId": "004010-855"},
            },
            **more,
        }

    return make


def operation(method: str, path: str) -> tuple[str, dict[str, Any]] | None:
    """The operation of the OpenAPI that a path belongs to; None for those that it does not publish."""
    assert SPEC is not None
    below = path.removeprefix("/2023-08-01")
    for template, methods in SPEC["paths"].items():
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
        if re.fullmatch(pattern, below) and method.lower() in methods:
            return template, methods[method.lower()]
    return None


def check_schema(schema: dict[str, Any], value: Any) -> None:
    import jsonschema

    assert SPEC is not None
    whole = {**schema, "components": SPEC["components"]}
    errors = [error.message for error in jsonschema.Draft7Validator(whole).iter_errors(value)]
    assert errors == []


def check_request(method: str, path: str, params: dict[str, str], body: bytes) -> None:
    found = operation(method, path)
    if found is None:
        # The reads of the preflight are not published.
        assert re.fullmatch(r"/2023-08-01/x12/partnerships/[^/]+(/connections)?", path), path
        return
    _, described = found
    known = {parameter["name"]: parameter for parameter in described.get("parameters", [])}
    for name, text in params.items():
        assert known[name]["in"] == "query", name
        schema = known[name]["schema"]
        check_schema(schema, int(text) if schema.get("type") == "number" else text)
    if "requestBody" in described:
        check_schema(described["requestBody"]["content"]["application/json"]["schema"], json.loads(body))
    else:
        assert body == b""


def check_answer(method: str, path: str, status: int, value: Any) -> None:
    found = operation(method, path)
    if found is None:
        return
    content = found[1]["responses"][str(status)].get("content")
    if content:
        check_schema(content["application/json"]["schema"], value)
