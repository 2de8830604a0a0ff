"""Whatever Stedi answers, a call ends in a value or in a fault that is told; an odd entry of a feed is that entry's."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plexstedi.decimal_json import loads
from plexstedi.errors import PlexStediError
from plexstedi.http.caller import RetryPolicy
from plexstedi.secret_text import SecretText
from plexstedi.stedi.build import connect_to_stedi
from plexstedi.stedi.client import StediClient
from plexstedi.stedi.models import Execution, StediTransaction, UnreadableEntry, read_execution, read_transaction
from plexstedi.stedi.paging import FromTime, FromToken
from tests.examples import examples
from tests.plex.rest.test_any_response import ODD_HEADERS, ODD_TOKENS
from tests.stedi.conftest import BASE, KEY, Clock

CALLS: dict[str, Callable[[StediClient], object]] = {
    "generate": lambda stedi: stedi.generate_edi("p", b"{}", "key-1"),
    "create": lambda stedi: stedi.create_transaction("p", "s", b"{}", "key-1"),
    "execution": lambda stedi: stedi.execution("e"),
    "its transactions": lambda stedi: stedi.execution_transactions("e"),
    "its faults": lambda stedi: stedi.execution_faults("e"),
    "executions": lambda stedi: [page for page, _ in zip(stedi.executions(), range(3), strict=False)],
    "poll transactions": lambda stedi: stedi.poll_transactions(FromTime(datetime(2026, 1, 1, tzinfo=UTC))),
    "poll executions": lambda stedi: stedi.poll_executions(FromToken("t")),
    "document": lambda stedi: stedi.transaction_document("t", "output"),
    "file": lambda stedi: stedi.execution_document("e", "input"),
    "retry": lambda stedi: stedi.retry_executions(["e"]),
    "access": lambda stedi: stedi.check_access(),
    "preflight": lambda stedi: stedi.preflight("p", ()),
}


def stedi_of(handler: Callable[[httpx.Request], httpx.Response]) -> StediClient:
    return connect_to_stedi(
        BASE,
        SecretText(KEY),
        clock=Clock(),
        rng=random.Random(7),
        retry=RetryPolicy(tries=1),
        transport=httpx.MockTransport(handler),
    )


_TOKENS = st.sampled_from(ODD_TOKENS)


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow])
@given(
    call=st.sampled_from(sorted(CALLS)),
    status=st.sampled_from([200, 200, 200, 201, 204, 302, 400, 401, 403, 404, 409, 422, 429, 500, 503]),
    headers=st.sampled_from(ODD_HEADERS),
    body=st.binary(max_size=60)
    | _TOKENS.map(str.encode)
    | _TOKENS.map(lambda token: f'{{"items": [{token}], "nextPageToken": {token}}}'.encode())
    | _TOKENS.map(lambda token: f'{{"documentDownloadUrl": {token}, "fileExecutionId": {token}}}'.encode())
    | _TOKENS.map(
        lambda token: (
            f'{{"fileExecutionId": "e", "metadata": {{"interchangeMetadata": [{{"interchangeControlNumber": {token},'
            f' "functionalGroupControlNumbers": [{token}]}}]}}, "message": {token}, "code": {token}}}'.encode()
        )
    ),
)
def test_any_bytes_as_any_response_are_a_foreseen_outcome(
    call: str, status: int, headers: dict[str, str], body: bytes
) -> None:
    encoded = [(name.encode(), value.encode("utf-8", "replace")) for name, value in headers.items()]
    stedi = stedi_of(lambda request: httpx.Response(status, headers=encoded, stream=httpx.ByteStream(body)))
    with suppress(PlexStediError):
        CALLS[call](stedi)
    stedi.close()


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in _places(each, (*path, key)))]


def _with_token(value: Any, path: tuple[Any, ...], token: str) -> bytes:
    copy = json.loads(json.dumps(value))
    here = copy
    for key in path[:-1]:
        here = here[key]
    if not path:
        return token.encode("utf-8", "surrogatepass")
    here[path[-1]] = "@odd@"
    return json.dumps(copy).replace('"@odd@"', token).encode("utf-8", "surrogatepass")


@settings(max_examples=examples(200), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), token=_TOKENS)
def test_an_odd_value_in_one_entry_of_a_feed_leaves_the_others_as_they_are(transaction, execution, data, token) -> None:
    for made, read, kind in (
        (transaction(), read_transaction, StediTransaction),
        (execution(), read_execution, Execution),
    ):
        path = data.draw(st.sampled_from(_places(made)))
        body = b'{"items": [' + _with_token(made, path, token) + b"," + json.dumps(made).encode() + b"]}"
        stedi = stedi_of(lambda request, body=body: httpx.Response(200, content=body))
        feed = stedi.poll_transactions if kind is StediTransaction else stedi.poll_executions
        page = feed(FromToken("t"))
        assert len(page.items) + len(page.unreadable) == 2
        assert read(loads(json.dumps(made))) in page.items
        for item in page.items:
            for name in ("interchange_control", "group_control", "set_control", "transaction_count"):
                assert (getattr(item, name, None) or 0) < 2**63
        stedi.close()


@pytest.mark.parametrize("field", ["transactionId", "fileExecutionId", "direction", "processedAt"])
@pytest.mark.parametrize("token", ["1e999999999", "NaN", "9" * 40, '"0001-01-01T00:00:00+14:00"', "[]", "null"])
def test_an_entry_without_what_it_is_known_by_is_unreadable(transaction, field, token) -> None:
    if field != "processedAt" and token.startswith('"'):
        token = "true"
    read = read_transaction(loads(_with_token(transaction(), (field,), token)))
    assert isinstance(read, UnreadableEntry)
    assert field in read.reason


@pytest.mark.parametrize("control", ["1e31", "9" * 30, '"²"', '"٢"', '"1_0"', "-4", "NaN"])
def test_an_odd_control_number_is_none(transaction, control) -> None:
    path = ("x12", "metadata", "interchange", "controlNumber")
    read = read_transaction(loads(_with_token(transaction(), path, control)))
    assert isinstance(read, StediTransaction)
    assert read.interchange_control is None
    assert read.group_control == 34
