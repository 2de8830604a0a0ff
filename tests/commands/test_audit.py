"""What happened can be exported and proved."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import sqlite3
import zlib

import pytest

from tests.edited_event import edit_event


@pytest.fixture
def ran(make_bench):
    bench = make_bench(orders=2, suppliers=1)
    bench.run("run")
    bench.later(hours=3)
    bench.run("run")
    return bench


def test_the_head_of_a_run_proves_the_trail_later(ran):
    head = ran.run("run", "--json").json["audit_head"]
    ran.later(hours=1)
    ran.run("run")
    verified = ran.run("audit", "verify", "--head", head, "--json")
    assert (verified.code, verified.json["verified"]) == (0, True)
    assert ran.run("audit", "verify").out.startswith(f"{verified.json['events']} events")


def test_an_edited_trail_is_7_and_names_the_event(ran):
    edit_event(ran.state, 4, actor="nobody")
    broken = ran.run("audit", "verify", "--json")
    assert broken.code == 7
    assert broken.json["error"]["code"] == "audit-broken"
    assert broken.json["broken_at"] == 4
    assert "event 4" in broken.err


def test_a_cut_tail_is_7_against_a_head_noted_before(ran):
    head = ran.run("run", "--json").json["audit_head"]
    connection = sqlite3.connect(ran.state)
    connection.execute("DROP TRIGGER events_no_delete")
    connection.execute("DELETE FROM events WHERE seq > 4")
    connection.commit()
    connection.close()
    assert ran.run("audit", "verify").code == 0
    assert ran.run("audit", "verify", "--head", head).code == 7


@pytest.mark.parametrize(
    ("trigger", "change"),
    [
        (
            "documents_keep_their_bytes",
            "UPDATE documents SET body = (SELECT body FROM documents WHERE id = 2) WHERE id = 1",
        ),
        (None, "UPDATE inbox SET document = (SELECT max(document) FROM inbox) WHERE document IS NOT NULL"),
        (None, "UPDATE inbox SET document = x'00' WHERE document IS NOT NULL"),
        (None, "UPDATE writes SET plan = (SELECT max(plan) FROM writes)"),
        (None, "DELETE FROM writes"),
    ],
    ids=["sent", "received", "not-readable", "plan", "no-plan"],
)
def test_a_document_that_was_exchanged_behind_our_back_is_found(ran, trigger, change):
    connection = sqlite3.connect(ran.state)
    if trigger is not None:
        connection.execute(f"DROP TRIGGER {trigger}")
    connection.execute(change)
    connection.commit()
    connection.close()
    broken = ran.run("audit", "verify", "--json")
    assert (broken.code, broken.json["error"]["code"]) == (7, "audit-broken")
    assert re.search("no longer what event|the plan of event [0-9]+ is gone", broken.json["error"]["message"])


def test_events_come_out_as_lines_of_json_and_as_csv(ran):
    lines = [json.loads(line) for line in ran.run("audit", "export").out.splitlines()]
    assert [event["seq"] for event in lines] == list(range(1, len(lines) + 1))
    rows = list(csv.DictReader(io.StringIO(ran.run("audit", "export", "--format", "csv").out)))
    assert [(row["seq"], row["kind"], row["hash"]) for row in rows] == [
        (str(event["seq"]), event["kind"], event["hash"]) for event in lines
    ]
    assert [json.loads(row["detail"]) for row in rows] == [event["detail"] for event in lines]


def test_an_exported_plan_is_what_the_event_has_the_hash_of(ran):
    exported = ran.run("audit", "export", "--json").json["events"]
    planned = [event for event in exported if event["kind"] == "write-planned"]
    assert planned
    assert all(len(event["plan"]) == event["detail"]["fields"] > 0 for event in planned)
    assert {entry["record_id"] for event in planned for entry in event["plan"]}
    assert all(event["plan"] is None for event in exported if event not in planned)
    rows = list(csv.DictReader(io.StringIO(ran.run("audit", "export", "--format", "csv").out)))
    assert [json.loads(row["plan"]) for row in rows if row["plan"]] == [event["plan"] for event in planned]


def test_one_orders_story_has_nothing_of_the_others(ran):
    number = ran.numbers_sent()[0]
    events = ran.run("audit", "export", "--order", number, "--json").json["events"]
    assert {"order-seen", "document-frozen", "document-delivered", "write-done"} <= {e["kind"] for e in events}
    assert len({event["order_id"] for event in events}) == 1
    since = ran.run("audit", "export", "--since", "2026-11-23T09:00:00Z", "--json").json["events"]
    assert {event["at"][:13] for event in since} == {"2026-11-23T10"}
    assert ran.run("audit", "export", "--order", "PO-0").code == 2


def test_no_secret_is_in_the_trail(ran):
    out = ran.run("audit", "export").out
    assert ran.sandbox.plex_settings.api_key not in out
    assert all(key not in out for key in ran.sandbox.stedi_settings.api_keys)
    assert "X-Amz" not in out
    assert "documentDownloadUrl" not in out


def test_a_state_file_that_is_gone_is_no_empty_trail(ran):
    ran.state.unlink()
    assert ran.run("audit", "verify").code == 7
    assert ran.run("review", "list").code == 7


def test_a_plan_that_was_emptied_is_found(ran):
    assert ran.run("audit", "verify").code == 0
    with contextlib.closing(sqlite3.connect(ran.state)) as state, state:
        assert state.execute("UPDATE writes SET plan = ? WHERE id = 1", (zlib.compress(b""),)).rowcount == 1
    assert "broken" in ran.run("audit", "verify").out
