"""The sandbox over real sockets on loopback: connections kept, cut and cut short."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from plexstedi.sandbox.faults import FaultKind, FaultRule
from plexstedi.sandbox.server import Sandbox
from plexstedi.sandbox.world import Urls

TENANTS = "/mdm/v1/tenants"


@pytest.fixture
def urls(sandbox: Sandbox) -> Iterator[Urls]:
    with sandbox.serve() as urls:
        yield urls


@pytest.fixture
def http(sandbox: Sandbox, urls: Urls) -> Iterator[httpx.Client]:
    headers = {
        "X-Plex-Connect-Api-Key": sandbox.plex_settings.api_key,
        "X-Plex-Connect-Tenant-Id": sandbox.plex.tenant.id,
    }
    with httpx.Client(base_url=urls.plex_url, headers=headers, trust_env=False) as client:
        yield client


def test_urls_are_on_loopback_and_stedis_ends_in_its_version(urls: Urls) -> None:
    assert urls.stedi_url.startswith("http://127.0.0.1:")
    assert urls.stedi_url.endswith("/2023-08-01")
    assert urls.token_url == f"{urls.plex_url}/oauth2/token"
    assert len({urls.plex_url, urls.stedi_url, urls.documents_url}) == 3


def test_a_connection_is_kept_for_the_next_call(http: httpx.Client) -> None:
    streams = [id(http.get(TENANTS).extensions["network_stream"]) for _ in range(2)]
    assert streams[0] == streams[1]


@pytest.mark.parametrize("kind", [FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER, FaultKind.TRUNCATED])
def test_a_cut_connection_is_a_transport_error_and_the_next_call_works(
    sandbox: Sandbox, http: httpx.Client, kind: FaultKind
) -> None:
    sandbox.inject(FaultRule(kind))
    with pytest.raises(httpx.TransportError):
        http.get(TENANTS)
    assert http.get(TENANTS).status_code == 200


def test_a_slow_response_is_a_response(sandbox: Sandbox, http: httpx.Client) -> None:
    sandbox.inject(FaultRule(FaultKind.SLOW, seconds=0.01))
    assert http.get(TENANTS).status_code == 200


def test_many_callers_at_once_lose_nothing(sandbox: Sandbox, http: httpx.Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: http.get(TENANTS).status_code, range(40)))
    assert statuses == [200] * 40
    assert sorted(call.number for call in sandbox.log) == list(range(1, 41))


def test_a_post_body_arrives_and_control_works_over_the_wire(http: httpx.Client) -> None:
    assert http.post("/_sandbox/clock", json={"advance_seconds": 60}).json()["now"] == "2026-11-23T15:01:00.000Z"


def test_the_command_prints_one_json_object_with_all_that_is_needed_and_serves(tmp_path):
    command = [sys.executable, "-m", "plexstedi", "sandbox", "--json", "--dir", str(tmp_path), "--seconds", "60"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        told = json.loads(process.stdout.readline())
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **told["environment"]}
        (tmp_path / "own.toml").write_text(told["config"])
        words = ["--config", str(tmp_path / "own.toml"), "--state", str(tmp_path / "state"), "run", "--json"]
        ran = subprocess.run(
            [sys.executable, "-m", "plexstedi", *words], capture_output=True, env=environment, check=True
        )
        assert json.loads(ran.stdout)["counts"]["documents_sent"] > 0
        assert (tmp_path / "plexstedi.toml").read_text() == told["config"]
    finally:
        process.terminate()
        out, err = process.communicate(timeout=30)
    assert out == b""
    assert b"Traceback" not in err
