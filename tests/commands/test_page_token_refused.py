"""A page token that Stedi no longer takes costs nobody an answer or a delivery, and nothing counts twice."""

from __future__ import annotations

import json

import pytest

from plexstedi.sandbox.faults import FaultKind, FaultRule
from plexstedi.sandbox.stedi.send import stedi_error

FEEDS = ("transactions", "executions")


def refuse(bench, feed, **more):
    bench.sandbox.inject(FaultRule(FaultKind.TOKEN_REFUSED, origin="stedi", path=f"/polling/{feed}$", **more))


def events(bench, kind):
    exported = bench.run("audit", "export", "--format", "jsonl")
    return [e for e in map(json.loads, exported.out.splitlines()) if e["kind"] == kind]


@pytest.fixture
def morning(bench):
    """Orders sent and delivered, not yet answered."""
    bench.run("run")
    bench.later(hours=3)
    return bench


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("times", [1, None], ids=["once", "for ever"])
def test_the_feed_is_read_again_from_the_last_time_known(morning, feed, times):
    """Everything goes on in the same run, and the run says it once, however long Stedi refuses every token."""
    bench = morning
    refuse(bench, feed, times=times)
    ran = bench.run("run", "--json")
    assert ran.code == 0, ran.err
    (warning,) = [text for text in ran.json["warnings"] if "page token" in text]
    assert "nothing is processed twice" in warning
    assert ran.json["counts"]["acks_applied"] == 4
    bench.later(minutes=20)
    again = bench.run("run", "--json")
    assert again.code == 0, again.err
    assert not [text for text in again.json["warnings"] if "page token" in text]
    assert again.json["counts"]["acks_received"] == 0
    assert len(events(bench, "feed-read-again")) == 1
    assert len(events(bench, "transaction-listed")) == len({e["subject"] for e in events(bench, "transaction-listed")})
    assert len(bench.sandbox.generated()) == 4


def test_new_acknowledgments_and_failures_come_in_while_every_token_is_refused(morning):
    bench = morning
    for feed in FEEDS:
        refuse(bench, feed, times=None)
    assert bench.run("run").code == 0
    number = bench.numbers_sent()[0]
    with bench.sandbox.lock:
        bench.sandbox.plex.edit_header(number, note="deliver to gate 4")
    bench.later(minutes=10)
    assert bench.run("run").code == 0
    bench.later(hours=3)
    ran = bench.run("run", "--json")
    assert ran.json["counts"]["acks_received"] == len(bench.sent(number)) - 1 == 1
    bench.sandbox.faults.clear()
    bench.later(minutes=20)
    bench.run("run")
    assert len(events(bench, "feed-token-taken")) == 2
    refuse(bench, "transactions")
    assert [t for t in bench.run("run", "--json").json["warnings"] if "page token" in t], "a new loss is said anew"


@pytest.mark.parametrize(
    "command", [("submit",), ("ingest-acks",), ("check",), ("recover", "--yes")], ids=lambda command: command[0]
)
def test_every_command_that_reads_a_feed_goes_on(morning, command):
    for feed in FEEDS:
        refuse(morning, feed, times=None)
    ran = morning.run(*command, "--json")
    assert ran.code in (0, 3), ran.err
    assert "error" not in ran.json


def test_a_start_that_stedi_refuses_is_a_fault_and_nothing_is_lost(morning):
    """A refused time is no lost token: it is told, and the answers come in when Stedi answers again."""
    bench = morning
    handlers = bench.sandbox._handlers
    real = handlers["stedi"]

    def refusing(request, fault):
        if request.path.endswith("/polling/transactions"):
            return stedi_error(400, "Bad request", "BadRequestException")
        return real(request, fault)

    handlers["stedi"] = refusing
    ran = bench.run("run", "--json")
    assert ran.code != 0
    assert "400" in ran.json["error"]["message"]
    handlers["stedi"] = real
    bench.later(minutes=5)
    assert bench.run("run", "--json").json["counts"]["acks_applied"] == 4


@pytest.mark.parametrize("status", [404, 422])
def test_other_words_for_a_lost_token(morning, status):
    bench = morning
    handlers = bench.sandbox._handlers
    real = handlers["stedi"]

    def refusing(request, fault):
        if request.path.endswith("/polling/transactions") and request.one("pageToken") is not None:
            return stedi_error(status, "The page token is unknown", "ResourceNotFoundException")
        return real(request, fault)

    handlers["stedi"] = refusing
    ran = bench.run("run", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["counts"]["acks_applied"] == 4
