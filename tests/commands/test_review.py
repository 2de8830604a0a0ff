"""A person decides: each kind of question says what its answers do, and does just that."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.control import receive_inbound
from plexstedi.sandbox.faults import FaultKind, FaultRule
from plexstedi.sandbox.plex.sample_data import EdgeCase
from plexstedi.sandbox.plex.store import copy_order

WHY = ("--reason", "agreed by phone")


def standing(bench) -> list[dict]:
    return bench.run("review", "list", "--json").json["reviews"]


def the_only(bench, kind: str) -> str:
    (review,) = [review for review in standing(bench) if review["kind"] == kind]
    return str(review["id"])


def answered_by(make_bench, character: Character, **more):
    """One order whose supplier has answered in its way, and what the run said of it."""
    bench = make_bench(orders=1, suppliers=1, characters=(character,), **more)
    bench.run("run")
    bench.later(hours=3)
    return bench, bench.run("run", "--json")


def in_plex(bench, field: str) -> list[object]:
    return [write.after[field] for write in bench.writes(bench.numbers_sent()[0]) if field in write.after]


def test_before_the_first_run_nothing_waits(bench):
    listed = bench.run("review", "list")
    assert (listed.code, listed.out) == (0, "No item needs review.\n")
    assert not bench.state.exists()


def test_a_rejected_order_is_written_to_plex_only_after_a_user_accepts_it(make_bench):
    bench, ran = answered_by(make_bench, Character.REJECTING)
    assert ran.code == 3
    assert "rejected" not in in_plex(bench, "EDI_Ack_Status")
    reviews = [str(review["id"]) for review in standing(bench) if review["kind"] == "line-rejected"]
    shown = bench.run("review", "show", reviews[0], "--json").json
    assert shown["accept"]["possible"]
    assert ("EDI_Confirmed_Qty", "0") in {(entry["field"], entry["after"]) for entry in shown["accept"]["writes"]}
    for review in reviews:
        accepted = bench.run("review", "accept", review, *WHY, "--json")
        assert accepted.code == 0, accepted.err
        assert accepted.json["review"]["state"] == "accepted"
        assert accepted.json["review"]["closing_reason"] == "agreed by phone"
    assert bench.run("run", "--json").code == 0
    assert "rejected" in "".join(map(str, in_plex(bench, "EDI_Ack_Status")))
    assert standing(bench) == []


def test_a_rejection_that_a_user_rejects_never_reaches_plex(make_bench):
    bench, _ = answered_by(make_bench, Character.REJECTING)
    for review in standing(bench):
        assert bench.run("review", "reject", str(review["id"]), *WHY).code == 0
    bench.later(minutes=5)
    assert bench.run("run", "--json").code == 0
    assert standing(bench) == []
    assert "rejected" not in "".join(map(str, in_plex(bench, "EDI_Ack_Status")))


def test_a_held_date_is_shown_side_by_side_and_written_as_stated_when_accepted(make_bench):
    bench = make_bench(orders=1, suppliers=1, characters=(Character.DATES,))
    bench.write_config(lambda text: text.replace("date_late_days = 5", "date_late_days = 0"))
    bench.run("run")
    bench.later(hours=3)
    assert bench.run("run").code == 3
    held = [review for review in standing(bench) if review["kind"] == "line-held"]
    review = held[0]
    shown = bench.run("review", "show", str(review["id"]))
    assert "plexstedi review accept" in shown.out
    assert "Then written to Plex" in shown.out
    detail = bench.run("review", "show", str(review["id"]), "--json").json
    (line,) = [line for line in detail["lines"] if line["line"] == review["line"]]
    assert line["state"] == "held"
    assert max(filter(None, (line["ship_date"], line["delivery_date"]))) > max(line["due"])
    for one in held:
        assert bench.run("review", "accept", str(one["id"]), *WHY).code == 0
    bench.run("run")
    number = bench.numbers_sent()[0]
    dates = {
        value
        for write in bench.writes(number)
        if write.line == review["line"]
        for field, value in write.after.items()
        if field.endswith("_Date")
    }
    assert str(line["ship_date"] or line["delivery_date"]) in {str(value)[:10] for value in dates}


def test_review_show_changes_nothing(make_bench):
    bench, _ = answered_by(make_bench, Character.REJECTING)
    before = bench.run("audit", "verify", "--json").json
    for review in standing(bench):
        assert bench.run("review", "show", str(review["id"])).code == 0
    assert bench.run("audit", "verify", "--json").json == before


def backordered(make_bench):
    """Two orders, one of which comes in two parts, as their supplier says."""
    bench = make_bench(orders=2, suppliers=2, characters=(Character.PROMPT, Character.PARTIAL))
    bench.run("run")
    bench.later(hours=3)
    ran = bench.run("run", "--json")
    assert {review["kind"] for review in standing(bench)} == {"line-backordered"}
    return bench, ran


def test_a_backorder_is_noted_once(make_bench):
    bench, ran = backordered(make_bench)
    assert ran.json["counts"]["attention"] > 0
    for review in standing(bench):
        refused = bench.run("review", "reject", str(review["id"]), *WHY)
        assert refused.code == 2
        assert "closes the item" in refused.err
        assert bench.run("review", "accept", str(review["id"]), *WHY).code == 0
    bench.later(days=4)
    later = bench.run("run", "--json")
    assert (later.code, later.json["counts"]["attention"]) == (0, 0)


def test_a_backorder_that_nobody_looks_at_becomes_overdue(make_bench):
    bench, _ = backordered(make_bench)
    bench.later(days=3)
    later = bench.run("run", "--json")
    assert later.code == 3
    assert any("less than ordered" in line for line in later.json["news"])
    overdue = the_only(bench, "overdue")
    assert bench.run("review", "accept", overdue, *WHY).code == 0
    bench.later(minutes=5)
    assert bench.run("run", "--json").code == 0
    assert "overdue" not in {review["kind"] for review in standing(bench)}


def test_a_late_acknowledgment_closes_its_overdue_item(make_bench):
    bench = make_bench(orders=1, suppliers=1, characters=(Character.LATE,))
    bench.run("run")
    bench.later(minutes=30)
    bench.run("run")
    bench.later(days=3)
    assert bench.run("run").code == 3
    the_only(bench, "overdue")
    bench.later(days=2)
    assert bench.run("run", "--json").json["counts"]["acks_applied"] == 1
    assert standing(bench) == []


def test_a_997_that_rejects_blocks_until_it_is_accepted_as_resolved(make_bench):
    bench, ran = answered_by(make_bench, Character.REJECTS_SYNTAX)
    assert ran.code == 3
    number = bench.numbers_sent()[0]
    change(bench, number)
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 0
    review = the_only(bench, "syntax-rejected")
    assert bench.run("review", "accept", review, *WHY).code == 0
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 1
    assert "~BCH*" in bench.sent(number)[-1].edi


def test_a_997_that_rejects_can_be_resolved_by_sending_the_order_again(make_bench):
    bench, _ = answered_by(make_bench, Character.REJECTS_SYNTAX)
    number = bench.numbers_sent()[0]
    review = the_only(bench, "syntax-rejected")
    assert bench.run("review", "reject", review, *WHY).code == 0
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 1
    first, second = bench.sent(number)
    assert first.idempotency_key != second.idempotency_key
    assert "~BEG*00*" in second.edi


def change(bench, number: str) -> None:
    line = bench.sandbox.plex.order(number).lines[0]
    release = line.releases[0]
    with bench.sandbox.lock:
        bench.sandbox.plex.edit_release(number, line.number, release.number, quantity=release.quantity + 5)
    bench.later(minutes=10)


def test_a_held_order_that_was_resolved_by_phone_is_not_sent_but_its_next_change_is_looked_at(make_bench):
    bench = make_bench(orders=1, suppliers=1, edge_cases=(EdgeCase.UNKNOWN_UNIT,))
    assert bench.run("run", "--json").code == 3
    review = the_only(bench, "order-held")
    rejected = bench.run("review", "reject", review, *WHY)
    assert rejected.code == 2
    assert "Fix the order in Plex" in rejected.err
    assert bench.run("review", "accept", review, *WHY).code == 0
    bench.later(minutes=10)
    assert bench.run("run", "--json").json["counts"]["attention"] == 0
    assert len(bench.sandbox.generated()) == 1


def test_a_refused_document_is_sent_again_only_when_a_user_says_so(make_bench):
    bench = make_bench(orders=1, suppliers=1)
    impossible = {"type": "object", "required": ["nothing_has_this"], "properties": {}}
    bench.sandbox.use_guide("S001", "850", impossible)
    assert bench.run("run", "--json").json["counts"]["documents_rejected"] == 1
    bench.sandbox.use_guide("S001", "850", {"type": "object", "properties": {}})
    bench.later(minutes=10)
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 0
    review = the_only(bench, "document-refused")
    assert bench.run("review", "accept", review, *WHY).code == 0
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 1


def test_a_failed_delivery_that_is_abandoned_goes_out_as_a_new_document(make_bench):
    bench = make_bench(orders=1, suppliers=1)
    bench.sandbox.fail_deliveries("S001")
    bench.run("run")
    bench.later(hours=3)
    assert bench.run("run", "--json").json["counts"]["documents_failed"] == 1
    review = the_only(bench, "delivery-failed")
    shown = bench.run("review", "show", review, "--json").json
    assert "supplier receives both" in shown["reject"]["words"]
    bench.sandbox.fail_deliveries("S001", 0)
    assert bench.run("review", "reject", review, *WHY).code == 0
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 1
    bench.later(hours=3)
    assert bench.run("run", "--json").json["counts"]["documents_delivered"] == 1


@pytest.mark.parametrize(("how", "sent"), [("accept", 1), ("reject", 0)])
def test_a_document_in_doubt_is_sent_or_abandoned_as_a_user_says(make_bench, how, sent):
    bench = make_bench(orders=1, suppliers=1)
    bench.sandbox.inject(FaultRule(FaultKind.DROP_BEFORE, origin="stedi", method="POST", times=None))
    assert bench.run("run").code == 5
    bench.sandbox.faults.clear()
    bench.later(days=2)
    doubt = bench.run("run", "--json")
    assert (doubt.code, doubt.json["counts"]["in_doubt"]) == (3, 1)
    review = the_only(bench, "document-in-doubt")
    assert bench.run("review", how, review, *WHY).code == 0
    after = bench.run("run", "--json")
    assert after.json["counts"]["documents_sent"] == sent
    assert after.json["counts"]["in_doubt"] == 0
    assert len(bench.sandbox.generated()) == sent
    bench.later(minutes=10)
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("accept", "1"), "a reason is required"),
        (("accept", "99", *WHY), "there is no review 99"),
        (("accept", "1", *WHY, "--line", "77"), "line"),
    ],
)
def test_a_decision_that_cannot_be_is_2_and_says_why(make_bench, arguments, told):
    bench, _ = answered_by(make_bench, Character.REJECTING)
    refused = bench.run("review", *arguments)
    assert refused.code == 2
    assert told in refused.err
    assert "Traceback" not in refused.err


def test_who_decided_what_and_why_is_in_the_audit_trail(make_bench):
    bench, _ = answered_by(make_bench, Character.REJECTING)
    review = standing(bench)[0]
    bench.run("review", "accept", str(review["id"]), *WHY)
    again = bench.run("review", "accept", str(review["id"]), *WHY)
    assert again.code == 2
    assert "agreed by phone" in again.err
    events = bench.run("audit", "export", "--order", review["order"], "--json").json["events"]
    (decided,) = [event for event in events if event["kind"] == "review-decided"]
    assert decided["actor"] != "plexstedi"
    assert decided["detail"]["decision"] == "accepted"
    assert decided["detail"]["reason"] == "agreed by phone"


@pytest.mark.parametrize(("how", "sent"), [("accept", 1), ("reject", 0)])
def test_a_changed_order_from_before_the_first_run_goes_out_only_when_a_user_says_so(make_bench, how, sent):
    bench = make_bench(orders=1, suppliers=1)
    bench.write_config(lambda text: text + "\n[plex.poll]\nstart = 2026-11-23T07:00:00Z\n")
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 0
    number = bench.sandbox.plex.tenant.orders[0].number
    bench.later(hours=1)
    change(bench, number)
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 0
    assert bench.run("review", how, the_only(bench, "known-order-changed"), *WHY).code == 0
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == sent
    assert standing(bench) == []


def test_two_contents_for_one_slot_need_review_with_a_warning_of_a_second_order(make_bench):
    bench = make_bench(orders=1, suppliers=1)
    bench.run("poll")
    kept = bench.state.read_bytes()
    bench.run("submit")
    number = bench.numbers_sent()[0]
    # Stedi's lists do not show the file under its name: then only the key can tell.
    for execution in bench.sandbox.stedi.executions.values():
        execution.filename = "renamed.edi"
    bench.state.write_bytes(kept)
    change(bench, number)
    conflict = bench.run("run", "--json")
    assert (conflict.code, conflict.json["counts"]["in_doubt"]) == (3, 1)
    assert len(bench.sent(number)) == 1
    review = the_only(bench, "document-conflict")
    assert "MAY ORDER TWICE" in " ".join(bench.run("review", "show", review).out.split())
    accepted = bench.run("review", "accept", review, *WHY)
    assert accepted.code == 2
    assert "plexstedi recover" in accepted.err
    assert bench.run("review", "reject", review, *WHY).code == 0
    bench.run("run")
    first, second = bench.sent(number)
    assert first.idempotency_key != second.idempotency_key


def test_an_acknowledgment_of_somebody_elses_order_is_ignored_when_a_user_says_so(make_bench):
    bench = make_bench(orders=1, suppliers=1)
    bench.run("run")
    bench.later(hours=3)
    bench.run("run")
    partnership = bench.sandbox.sample_data.partners[0].partnership_id
    begin = {"transaction_set_purpose_code_01": "00", "acknowledgment_type_02": "AT", "purchase_order_number_03": "X-1"}
    stray = {"heading": {"beginning_segment_for_purchase_order_acknowledgment_BAK": begin}}
    receive_inbound(bench.sandbox, {"partnership": partnership, "set": "855", "transaction": stray})
    bench.later(minutes=5)
    assert bench.run("run", "--json").code == 0
    bench.later(days=4)
    assert bench.run("run", "--json").code == 3
    review = the_only(bench, "order-unknown")
    assert bench.run("review", "accept", review, *WHY).code == 2
    assert bench.run("review", "reject", review, *WHY).code == 0
    bench.later(days=4)
    after = bench.run("run", "--json")
    assert (after.code, after.json["counts"]["attention"]) == (0, 0)


def unknown_then_of_another(make_bench):
    """An acknowledgment that waited for its order for days; then the order goes out, to another supplier."""
    bench = make_bench(orders=1, suppliers=2, characters=(Character.SILENT,))
    bench.run("run")
    bench.later(hours=1)
    like = bench.sandbox.plex.order(bench.numbers_sent()[0])
    other = next(n for n, p in enumerate(bench.sandbox.sample_data.partners) if p.code != like.supplier.code)
    bench.answer("855", ("BAK", "00", "AC", "PO-LATER", "20261123", "", "", "", "SO1", "20261123"), supplier=other)
    bench.run("run")
    bench.later(days=3)
    bench.run("run")
    unknown = the_only(bench, "order-unknown")
    with bench.sandbox.lock:
        bench.sandbox.plex.add_order(copy_order(like, "PO-LATER", bench.sandbox.clock.now()))
    bench.later(minutes=5)
    for _ in range(2):
        bench.run("run")
    return bench, unknown


@pytest.mark.parametrize("decision", ["accept", "reject"])
def test_an_acknowledgment_is_one_item_at_a_time_and_none_is_left_when_it_was_decided(make_bench, decision):
    bench, unknown = unknown_then_of_another(make_bench)
    (held,) = [item for item in standing(bench) if "PO-LATER" in (item["order"] or "") and "late" not in item["kind"]]
    assert held["kind"] == "acknowledgment-held", "it is not unknown any longer"
    assert unknown not in {str(item["id"]) for item in standing(bench)}
    shown = bench.run("review", "show", str(held["id"]), "--json")
    assert shown.code == 0, shown.err
    decided = bench.run("review", decision, str(held["id"]), *WHY)
    assert decided.code == (0 if shown.json[decision]["possible"] else 2), decided.err
    if decision == "reject":
        for _ in range(2):
            bench.later(minutes=5)
            bench.run("run")
        assert [item for item in standing(bench) if item["kind"] in ("order-unknown", "acknowledgment-held")] == []


def test_an_item_of_a_transaction_that_was_decided_meanwhile_can_be_shown_and_closed(make_bench):
    """Earlier versions left such items open."""
    bench, _ = unknown_then_of_another(make_bench)
    held = the_only(bench, "acknowledgment-held")
    with closing(sqlite3.connect(bench.state)) as connection, connection:
        connection.execute("UPDATE inbox SET state = 'ignored' WHERE set_id = '855'")
    shown = bench.run("review", "show", held, "--json")
    assert (shown.code, shown.json["reject"]["possible"]) == (0, True), shown.err
    assert bench.run("review", "reject", held, *WHY).code == 0
    assert [item for item in standing(bench) if item["kind"] == "acknowledgment-held"] == []


def test_a_review_item_has_one_shape_in_every_command(make_bench):
    bench = make_bench(orders=1, suppliers=1, characters=(Character.SILENT,))
    bench.run("run")
    bench.later(hours=1)
    bench.run("run")
    (order,) = bench.numbers_sent()
    bench.answer("855", ("BAK", "00", "RJ", order, "20261123", "", "", "", "SO1", "20261123"))
    assert bench.run("run").code == 3
    (item,) = bench.run("review", "list", "--json").json["reviews"]
    keys = "id kind state order supplier line document transaction since closed_at closed_by closing_reason reasons"
    assert set(item) == set(keys.split())
    assert item["since"].endswith("Z")
    assert (item["order"], item["state"]) == (order, "open")
    assert item["transaction"] == bench.sandbox.stedi.processed[-1].id
    assert bench.run("review", "show", str(item["id"]), "--json").json["review"] == item
    assert bench.run("status", "--json").json["waiting"] == [item]
    assert bench.run("status", order, "--json").json["order"]["reviews"] == [item]
    closed = bench.run("review", "accept", str(item["id"]), "--reason", "by phone", "--json").json["review"]
    assert (closed["state"], closed["closing_reason"]) == ("accepted", "by phone")
    assert closed["closed_at"].endswith("Z")
