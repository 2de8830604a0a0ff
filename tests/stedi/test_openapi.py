"""The examples that Stedi itself publishes are read without loss; collected only where its OpenAPI is at hand."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from plexstedi import decimal_json
from plexstedi.stedi.models import Execution, StediTransaction, read_execution, read_generated, read_transaction

SPEC = json.loads(
    Path(
        os.environ.get("PLEXSTEDI_STEDI_OPENAPI")
        or Path(__file__).resolve().parents[3] / "shared/reference/openapi/stedi-core.json"
    ).read_bytes()
)


def examples(path: str, method: str = "get") -> list[Any]:
    content = SPEC["paths"][path][method]["responses"]["200"]["content"]["application/json"]
    found = [example["value"] for example in content.get("examples", {}).values()]
    assert found, f"Stedi no longer publishes an example of {path}"
    return [decimal_json.loads(json.dumps(value)) for value in found]


@pytest.mark.parametrize("path", ["/transactions", "/polling/transactions", "/executions/{executionId}/transactions"])
def test_published_transactions_are_read_with_their_control_numbers(path: str) -> None:
    for page in examples(path):
        for item in page["items"]:
            read = read_transaction(item)
            assert isinstance(read, StediTransaction)
            assert None not in (read.set_id, read.interchange_control, read.group_control, read.set_control)


@pytest.mark.parametrize("path", ["/executions", "/polling/executions"])
def test_published_executions_are_read(path: str) -> None:
    for page in examples(path):
        for item in page["items"]:
            read = read_execution(item)
            assert isinstance(read, Execution)
            assert read.file_name


def test_the_published_response_to_a_send_is_read_wholly() -> None:
    for value in examples("/x12/partnerships/{partnershipId}/generate-edi", "post"):
        read = read_generated(value)
        assert None not in (read.file_execution_id, read.interchange_control, read.group_control, read.edi)
