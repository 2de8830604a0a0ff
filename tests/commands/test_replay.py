"""A replay sends what a person wants sent again, linked to the old, and never by accident."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.faults import FaultKind, FaultRule

WHY = ("--reason", "the supplier lost it")


@pytest.fixture
def delivered(make_bench):
    """Two orders, delivered and confirmed."""
    bench = make_bench(orders=2, suppliers=1)
    bench.run("run")
    bench.later(hours=3)
    bench.run("run")
    return bench


def beg01(document) -> str:
    return document.edi.split("~BEG*")[1][:2]


def test_without_a_terminal_and_without_yes_it_shows_and_refuses(delivered):
    number = delivered.numbers_sent()[0]
    refused = delivered.run("replay", number, *WHY)
    assert refused.code == 2
    assert refused.out == ""
    for told in (number, "_r2_", "may order it a second time", "--yes"):
        assert told in refused.err
    assert len(delivered.sent(number)) == 1


def test_an_order_goes_out_again_as_a_new_linked_document_marked_as_asked(delivered):
    number = delivered.numbers_sent()[0]
    ran = delivered.run("replay", number, *WHY, "--purpose", "15", "--yes", "--json")
    assert ran.code == 0, ran.err
    (replay,) = ran.json["replays"]
    assert (replay["purpose"], replay["state"]) == ("15", "accepted")
    first, second = delivered.sent(number)
    assert (beg01(first), beg01(second)) == ("00", "15")
    assert first.edi.split("~BEG*15")[0] != second.edi.split("~BEG*15")[0]
    assert second.idempotency_key == replay["idempotency_key"] != first.idempotency_key
    assert second.filename.startswith(first.filename.split("_r1_")[0])
    delivered.later(hours=3)
    later = delivered.run("run", "--json").json["counts"]
    assert (later["documents_delivered"], later["documents_sent"]) == (1, 0)
    events = delivered.run("audit", "export", "--order", number, "--json").json["events"]
    (noted,) = [event for event in events if event["kind"] == "document-replayed"]
    assert noted["detail"]["reason"] == "the supplier lost it"
    assert noted["detail"]["replay_of"] == replay["replay_of"]


def test_the_preview_tells_whether_the_supplier_gets_the_same_and_what_differs(delivered):
    number = delivered.numbers_sent()[0]
    same = delivered.run("replay", number, *WHY, "--dry-run", "--json")
    assert (same.json["replays"][0]["content"], same.json["replays"][0]["differences"]) == ("same", [])
    assert "with the same content as before" in same.err
    other = delivered.run("replay", number, *WHY, "--dry-run", "--purpose", "15", "--json")
    (replay,) = other.json["replays"]
    assert replay["content"] == "rebuilt"
    (told,) = replay["differences"]
    assert told.endswith("_01: 00 → 15")
    assert told in other.err
    assert "\nBEG*15*" in other.err, "the X12 is shown before it is sent"


def test_a_replay_may_wait_for_the_next_submit(delivered):
    number = delivered.numbers_sent()[0]
    queued = delivered.run("replay", number, *WHY, "--purpose", "07", "--queue", "--yes", "--json")
    assert queued.json["replays"][0]["state"] == "frozen"
    assert len(delivered.sent(number)) == 1
    delivered.run("submit")
    assert [beg01(document) for document in delivered.sent(number)] == ["00", "07"]


def test_a_dry_run_of_submit_shows_what_waits_to_be_sent(delivered):
    """It said "Nothing is due." of a document that the next submit sent."""
    number, other = delivered.numbers_sent()
    delivered.run("replay", number, *WHY, "--purpose", "07", "--queue", "--yes")
    (shown,) = delivered.run("submit", "--dry-run", "--json").json["documents"]
    assert (shown["order"], shown["kind"], shown["purpose"]) == (number, "850", "07")
    assert delivered.run("submit", "--dry-run", "--order", other, "--json").json["documents"] == []
    assert f'"purchase_order_number_03": "{number}"' in delivered.run("submit", "--dry-run", "--show", "guide").out
    assert "\nBEG*07*" in delivered.run("submit", "--dry-run", "--show", "x12").out
    delivered.run("submit")
    _, second = delivered.sent(number)
    assert (second.idempotency_key, second.filename) == (shown["idempotency_key"], shown["file_name"])
    assert delivered.run("submit", "--dry-run", "--json").json["documents"] == []


def test_a_waiting_document_that_cannot_be_read_hides_no_other_one(delivered):
    for number in delivered.numbers_sent():
        delivered.run("replay", number, *WHY, "--queue", "--yes")
    with closing(sqlite3.connect(delivered.state)) as state:
        state.execute("DROP TRIGGER documents_keep_their_bytes")
        state.execute("UPDATE documents SET body = x'80' WHERE id = (SELECT max(id) FROM documents)")
        state.commit()
    ran = delivered.run("submit", "--dry-run", "--json")
    assert (ran.code, len(ran.json["documents"])) == (1, 1)
    assert f"cannot send the 850 of order {delivered.numbers_sent()[1]}" in ran.err


def test_submit_of_one_order_leaves_the_queued_replay_of_another(delivered):
    number, other = delivered.numbers_sent()
    delivered.run("replay", number, *WHY, "--queue", "--yes")
    delivered.run("submit", "--order", other)
    assert len(delivered.sent(number)) == 1
    delivered.run("submit", "--order", f" {number}")
    assert len(delivered.sent(number)) == 2


def test_a_dry_run_sends_and_keeps_nothing(delivered):
    number = delivered.numbers_sent()[0]
    before = delivered.run("audit", "verify", "--json").json["audit_head"]
    shown = delivered.run("replay", number, *WHY, "--dry-run", "--json")
    assert (shown.code, shown.json["dry_run"]) == (0, True)
    assert shown.json["replays"][0]["file_name"].count("_r2_") == 1
    assert delivered.run("audit", "verify", "--json").json["audit_head"] == before
    assert len(delivered.sent(number)) == 1


def test_a_document_that_is_still_under_way_is_not_sent_beside_itself(make_bench):
    bench = make_bench(orders=1, suppliers=1)
    bench.run("run")
    number = bench.numbers_sent()[0]
    refused = bench.run("replay", number, *WHY, "--yes")
    assert refused.code == 2
    assert "not delivered yet" in refused.err
    assert len(bench.sent(number)) == 1


def test_a_replay_without_a_response_is_completed_under_its_own_key(delivered):
    number = delivered.numbers_sent()[0]
    delivered.sandbox.inject(FaultRule(FaultKind.DROP_AFTER, origin="stedi", method="POST", times=None))
    unheard = delivered.run("replay", number, *WHY, "--purpose", "15", "--yes", "--json")
    assert unheard.code == 5
    assert unheard.json["error"]["code"] == "not-heard"
    delivered.sandbox.faults.clear()
    delivered.later(minutes=10)
    delivered.run("run")
    assert len(delivered.sent(number)) == 2


def test_everything_that_failed_since_a_time_is_sent_again_at_once(make_bench):
    bench = make_bench(orders=3, suppliers=1)
    bench.sandbox.fail_deliveries("S001")
    bench.run("run")
    bench.later(hours=3)
    assert bench.run("run", "--json").json["counts"]["documents_failed"] == 3
    bench.sandbox.fail_deliveries("S001", 0)
    none = bench.run("replay", "--failed", "--since", "2026-11-23T09:00:00Z", *WHY, "--yes", "--json")
    assert (none.code, none.json["replays"]) == (0, [])
    ran = bench.run("replay", "--failed", "--since", "2026-11-23T06:00:00Z", *WHY, "--yes", "--json")
    assert ran.code == 0, ran.err
    assert [replay["state"] for replay in ran.json["replays"]] == ["accepted"] * 3
    assert bench.run("review", "list", "--json").json["reviews"] == []
    bench.later(hours=3)
    assert bench.run("run", "--json").json["counts"]["documents_delivered"] == 3


def test_a_change_order_is_replayed_as_the_same_change(delivered):
    number = delivered.numbers_sent()[0]
    line = delivered.sandbox.plex.order(number).lines[0]
    release = line.releases[0]
    with delivered.sandbox.lock:
        delivered.sandbox.plex.edit_release(number, line.number, release.number, quantity=release.quantity + 5)
    delivered.later(minutes=10)
    delivered.run("run")
    delivered.later(hours=3)
    delivered.run("run")
    refused = delivered.run("replay", number, *WHY, "--purpose", "15", "--yes")
    assert refused.code == 2
    assert delivered.run("replay", number, *WHY, "--yes").code == 0
    _, change, again = delivered.sent(number)

    def said(document) -> str:
        return document.edi.split("~BCH*")[1].split("~SE*")[0]

    assert said(change) == said(again)


def test_an_acknowledgment_is_read_again_with_the_setting_that_was_missing(make_bench):
    bench = make_bench(orders=1, suppliers=1, characters=(Character.BARE,))
    bench.write_config(lambda text: text.replace("accept_without_detail = true", "accept_without_detail = false"))
    bench.run("run")
    bench.later(hours=3)
    assert bench.run("run").code == 3
    reviews = bench.run("review", "list", "--json").json["reviews"]
    transaction = next(r["transaction"] for r in reviews if r["transaction"] is not None)
    bench.write_config()
    ran = bench.run("replay", "--ack", transaction, *WHY, "--yes", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["transaction"]["state"] == "applied"
    assert bench.run("review", "list", "--json").json["reviews"] == []
    assert bench.run("run", "--json").json["counts"]["writes_made"] == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "one of NUMBER, --ack and --failed"),
        (("PO-104001",), "a reason is required"),
        (("PO-10400", *WHY, "--yes"), "Did you mean PO-104001"),
        (("PO-104001", *WHY, "--yes"), "no document of order PO-104001"),
        (("--failed", *WHY, "--yes"), "--failed and --since must be used together"),
        (("--failed", "--since", "soon", *WHY), "is not a time"),
        (("--ack", "nothing", *WHY, "--yes"), "there is no transaction nothing"),
        (("PO-104001", "--ack", "x", *WHY), "one of NUMBER, --ack and --failed"),
    ],
)
def test_what_cannot_be_replayed_is_2_and_says_why(make_bench, arguments, told):
    bench = make_bench(orders=1, suppliers=1)
    bench.run("poll")
    refused = bench.run("replay", *arguments)
    assert refused.code == 2
    assert told in refused.err
    assert bench.sandbox.generated() == []


def standing(bench) -> list[dict]:
    return bench.run("review", "list", "--json").json["reviews"]


@pytest.fixture
def recovered(delivered):
    """The state was lost after an order had changed in Plex, and `recover` has rebuilt it."""
    number = delivered.numbers_sent()[0]
    line = delivered.sandbox.plex.order(number).lines[0]
    release = line.releases[0]
    with delivered.sandbox.lock:
        delivered.sandbox.plex.edit_release(number, line.number, release.number, quantity=release.quantity + 5)
    delivered.later(minutes=10)
    delivered.state.unlink()
    assert delivered.run("run").code in (3, 7)
    ran = delivered.run("recover", "--yes", "--json")
    assert ran.code in (0, 3), ran.err
    delivered.run("run")
    review = next(review for review in standing(delivered) if review["kind"] == "recovered-differs")
    assert len(delivered.sent(number)) == 1
    return delivered, number, str(review["id"])


def test_an_order_that_changed_while_the_state_was_lost_can_be_replaced_by_a_user(recovered):
    bench, number, _ = recovered
    refused = bench.run("replay", number, *WHY, "--yes")
    assert refused.code == 2
    assert "--purpose" in refused.err
    assert bench.run("replay", number, *WHY, "--purpose", "05", "--yes").code == 0
    assert [beg01(document) for document in bench.sent(number)] == ["00", "05"]
    bench.later(hours=3)
    after = bench.run("run", "--json").json["counts"]
    assert (after["documents_delivered"], after["documents_sent"]) == (1, 0)
    assert "recovered-differs" not in {review["kind"] for review in standing(bench)}


def test_an_order_that_the_supplier_has_as_it_is_now_goes_on_from_there(recovered):
    bench, number, review = recovered
    assert bench.run("review", "reject", review, *WHY).code == 2
    assert bench.run("review", "accept", review, *WHY).code == 0
    bench.later(minutes=10)
    after = bench.run("run", "--json").json["counts"]
    assert after["documents_sent"] == 0
    assert "recovered-differs" not in {review["kind"] for review in standing(bench)}
    assert len(bench.sent(number)) == 1
