"""A service that echoes our key in an answer of 200 puts it nowhere: not in the state, a log, an export, a screen."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from plexstedi.sandbox.config_text import secrets

KEYS_OF_TEXT = {
    "edi",
    "message",
    "faultMessage",
    "errorMessage",
    "description",
    "businessIdentifier",
    "applicationId",
    "note",
    "name",
}
"""Where an answer has room for words of the service's own."""


def echoing(answer: Callable[[Any], Any], secret: str, echoed: list[str]) -> Callable[[Any], Any]:
    """The same answers, each text of which repeats our key."""

    def say(request: Any) -> Any:
        response = answer(request)
        content_type = response.headers.get("Content-Type", "")
        if response.status == 200 and "json" in content_type and response.body:
            response.body = json.dumps(repeat(json.loads(response.body), secret, request.path, echoed)).encode()
        return response

    return say


def repeat(document: Any, secret: str, path: str, echoed: list[str]) -> Any:
    if isinstance(document, list):
        return [repeat(value, secret, path, echoed) for value in document]
    if not isinstance(document, dict):
        return document
    told = {}
    for name, value in document.items():
        if name in KEYS_OF_TEXT and isinstance(value, str):
            echoed.append(f"{path} {name}")
            told[name] = f"{value} {secret}"
        else:
            told[name] = repeat(value, secret, path, echoed)
    return told


@pytest.fixture
def shown() -> list[str]:
    return []


def test_a_key_that_stedi_echoes_is_nowhere(make_bench, monkeypatch, shown):
    bench = make_bench(orders=4, suppliers=2)
    secret = secrets(bench.sandbox)["stedi-api-key"]
    assert len(secret) >= 12
    echoed: list[str] = []
    api = bench.sandbox.stedi_api
    monkeypatch.setattr(api, "respond", echoing(api.respond, secret, echoed))
    alerted = bench.place / "alerted"
    bench.write_config(lambda text: text + f'\n[alerts]\ncommand = ["tee", "-a", "{alerted}"]\n')
    bench.sandbox.fail_deliveries("S001")

    def do(*command: str) -> None:
        ran = bench.run("--verbose", *command)
        assert "Traceback" not in ran.err, ran.err
        shown.extend((ran.out, ran.err))

    do("run", "--json")
    for minutes in (60, 60, 2000):
        bench.later(minutes=minutes)
        do("run", "--json")
    number = bench.numbers_sent()[0]
    for command in (
        ("run",),
        ("status", "--html", str(bench.place / "status.html")),
        ("status", "--json"),
        ("status", number),
        ("status", number, "--json"),
        ("review", "list", "--json"),
        ("audit", "export", "--format", "jsonl"),
        ("audit", "export", "--format", "csv"),
        ("check",),
        ("credentials", "list"),
        ("credentials", "list", "--json"),
        ("credentials", "rotate", "stedi", "--print-command"),
        ("submit", "--dry-run", "--json"),
        ("recover", "--dry-run"),
    ):
        do(*command)
    for what in ("generate-edi edi", "/executions faultMessage", "message"):
        assert any(what in place for place in echoed), (what, sorted(set(echoed)))
    assert all(secret not in text for text in shown)
    files = [path for path in bench.place.rglob("*") if path.is_file()]
    assert any(path.name == "state.sqlite3" for path in files)
    assert alerted in files
    holding = [path.name for path in files if secret.encode() in path.read_bytes()]
    assert holding == []
    assert any(b"(secret)" in path.read_bytes() for path in files), "the words around it are kept"
