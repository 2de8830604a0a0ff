"""Every answer of the made-up Stedi against Stedi's own OpenAPI file, where that file is at hand.

It is not ours to redistribute: put it where PLEXSTEDI_STEDI_OPENAPI says, or beside this repository. Without it there
is nothing to compare with, and this module has no cases.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema

from plexstedi.sandbox.faults import FaultKind, FaultRule
from plexstedi.sandbox.server import Sandbox

ROOT = Path(__file__).resolve().parents[2]
BESIDE = ROOT.parent / "shared" / "reference" / "openapi" / "stedi-core.json"
FILE = Path(os.environ.get("PLEXSTEDI_STEDI_OPENAPI") or BESIDE)
SPECIFICATION: dict[str, Any] | None = json.loads(FILE.read_text()) if FILE.is_file() else None


def scenario(sandbox: Sandbox, caller: Any, guide_850: Any) -> list[Any]:
    """Answers of every kind, right and wrong."""
    partner = sandbox.sample_data.partners[0]
    order = sandbox.plex.tenant.orders[0]
    transaction = guide_850(order, partner.release)
    answers = [caller.generate(partner, transaction, key="k"), caller.generate(partner, transaction, key="k")]
    answers.append(caller.generate(partner, transaction, key="k", filename="other.edi"))
    answers.append(caller.generate(partner, {}))
    create = f"/partnerships/{partner.partnership_id}/transactions/{partner.release}-850"
    answers.append(caller.stedi_post(create, {"transaction": transaction}))
    sandbox.fail_deliveries(sandbox.sample_data.partners[1].code)
    failing = sandbox.sample_data.partners[1]
    failed = caller.generate(failing, guide_850(sandbox.plex.tenant.orders[1], failing.release))
    caller.control("POST", "inbound", {"partnership": partner.partnership_id, "failed": {"code": "FAILED_TO_PARSE"}})
    sandbox.advance(timedelta(days=5))
    since = "2026-11-23T14:00:00Z"
    answers += [
        caller.stedi("/polling/transactions", startDateTime=since),
        caller.stedi("/polling/transactions"),
        caller.stedi("/polling/executions", startDateTime=since),
        caller.stedi("/transactions"),
        caller.stedi("/executions"),
        caller.stedi("/executions/unknown"),
    ]
    for item in caller.polled():
        identity = item["transactionId"]
        answers += [caller.stedi(f"/transactions/{identity}{rest}") for rest in ("", "/input", "/output-url")]
    for execution in sandbox.stedi.executions:
        rests = ("", "/faults", "/transactions", "/input", "/output", "/input-url", "/output-url")
        answers += [caller.stedi(f"/executions/{execution}{rest}") for rest in rests]
    answers.append(
        caller.stedi_post("/executions/retry", {"condition": {"executionIds": [failed.json()["fileExecutionId"]]}})
    )
    for kind in (FaultKind.THROTTLED, FaultKind.ERROR_BEFORE, FaultKind.UNAVAILABLE, FaultKind.GATEWAY_TIMEOUT):
        sandbox.inject(FaultRule(kind))
        answers.append(caller.stedi("/executions"))
    return answers


def operation_of(method: str, path: str) -> tuple[str, dict[str, Any]]:
    """The operation of the specification that a call was, the plainest path first."""
    assert SPECIFICATION is not None
    for pattern in sorted(SPECIFICATION["paths"], key=lambda each: each.count("{")):
        operations = SPECIFICATION["paths"][pattern]
        if method.lower() in operations and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path):
            return pattern, operations[method.lower()]
    raise AssertionError(f"the specification has no {method} {path}")


def check(answer: Any) -> None:
    assert SPECIFICATION is not None
    path = answer.request.url.path.removeprefix("/2023-08-01")
    pattern, operation = operation_of(answer.request.method, path)
    described = operation["responses"].get(str(answer.status_code))
    assert described is not None, f"{pattern} does not answer {answer.status_code}"
    content = described.get("content")
    if content is None:
        assert answer.content == b""
        return
    schema = {**content["application/json"]["schema"], "components": SPECIFICATION["components"]}
    jsonschema.Draft202012Validator(schema).validate(answer.json())


CASES: list[Callable[[Any], None]] = [check] if SPECIFICATION is not None else []


def test_every_response_of_stedi_is_as_its_openapi_describes_it(sandbox: Sandbox, caller: Any, guide_850: Any) -> None:
    answers = scenario(sandbox, caller, guide_850)
    assert {answer.status_code for answer in answers} >= {200, 302, 400, 404, 422, 429, 500, 503, 504}
    for compare in CASES:
        for answer in answers:
            compare(answer)
