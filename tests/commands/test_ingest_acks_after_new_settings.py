"""What suppliers sent is never lost with a change of the configuration: it is read once its partnership is known."""

from __future__ import annotations

import json
import re

import pytest

from plexstedi.state.store import Store

WHY = ("--reason", "it was missing")


def transactions(bench, *, supplier=0, direction="INBOUND"):
    """What Stedi has processed over a supplier's partnership, oldest first."""
    partnership = bench.sandbox.sample_data.partners[supplier].partnership_id
    return [
        each
        for each in bench.sandbox.stedi.processed
        if each.execution.partnership.id == partnership and each.execution.direction == direction
    ]


def state_of(bench, transaction):
    store = Store.open_to_read(bench.state)
    try:
        found = store.inbox.get(transaction.id)
        return None if found is None else (found.state.value, found.reason)
    finally:
        store.close()


def without(code):
    """The configuration without any table of this supplier."""
    return lambda text: re.sub(rf"(?ms)^\[suppliers\.{code}[^\n]*\n.*?(?=^\[(?!suppliers\.{code})|\Z)", "", text)


def first(bench):
    partner = bench.sandbox.sample_data.partners[0]
    return partner, [o.number for o in bench.sandbox.plex.tenant.orders if o.supplier.code == partner.code]


@pytest.mark.parametrize("change", ["another partnership", "no table"])
def test_acknowledgments_over_the_partnership_that_the_documents_went_over_are_applied(bench, change):
    """A supplier that moved, or lost its table, still answers what it was sent before: 855 and 997."""
    bench.run("run")
    partner, numbers = first(bench)
    sent = [number for number in numbers if bench.sent(number)]
    if change == "no table":
        bench.write_config(without(partner.code))
    else:
        bench.write_config(lambda text: text.replace(f'"{partner.partnership_id}"', '"moved-to-another"'))
    bench.later(hours=3)
    ran = bench.run("run", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["counts"]["acks_received"] == ran.json["counts"]["acks_applied"] == len(bench.numbers_sent())
    for number in sent:
        (document,) = bench.run("status", number, "--json").json["documents"]
        assert (document["business_ack"], document["functional_ack"]) == ("confirmed", "accepted")
        assert bench.writes(number)


def test_what_was_nobodys_is_read_when_the_supplier_gets_its_table(make_bench):
    """Fetched then, decided, and counted once; an entry that is left alone for another reason stays so."""
    bench = make_bench(orders=2, suppliers=2)
    partner, numbers = first(bench)
    order = bench.sandbox.plex.order(numbers[0])
    bench.write_config(without(partner.code))
    bench.run("run")
    bak = ("BAK", "00", "AK", order.number, "20261123", "", "", "", "SO-1", "20261123")
    bench.answer("855", bak, ("CTT", "1"))
    bench.answer("810", ("BIG", "20261123", "INV-1"), ("TDS", "100"))
    ran = bench.run("run", "--json")
    assert ran.json["counts"]["acks_received"] == 0
    answer, invoice = transactions(bench)
    assert state_of(bench, answer)[0] == state_of(bench, invoice)[0] == "ignored"
    bench.write_config()
    ran = bench.run("run", "--json")
    assert ran.json["counts"]["acks_received"] == 1, ran.err
    assert state_of(bench, answer)[0] == "waiting"
    assert state_of(bench, invoice) == ("ignored", "its transaction set is not read")
    again = bench.run("run", "--json")
    assert again.json["counts"]["acks_received"] == 0
    kinds = [e["kind"] for e in events_of(bench, answer)]
    assert kinds.count("transaction-stored") == 1


def events_of(bench, transaction):
    exported = bench.run("audit", "export", "--format", "jsonl")
    events = [json.loads(line) for line in exported.out.splitlines()]
    return [event for event in events if event["subject"] == f"transaction {transaction.id}"]


def test_replay_ack_fetches_what_was_never_fetched_or_listed(bench):
    """Also what no listing has shown yet, and what was nobody's; what is not read says why."""
    bench.run("run")
    _, numbers = first(bench)
    number = next(n for n in numbers if bench.sent(n))
    bench.later(hours=3)
    answer = next(each for each in transactions(bench) if each.set_id == "855")
    replayed = bench.run("replay", "--ack", answer.id, *WHY, "--yes", "--json")
    assert replayed.code == 0, replayed.err
    assert replayed.json["transaction"]["state"] == "applied"
    ran = bench.run("run", "--json")
    assert ran.json["counts"]["acks_received"] == len(bench.numbers_sent()) - 1
    assert (
        bench.run("status", answer.order_number or number, "--json").json["documents"][0]["business_ack"] == "confirmed"
    )
    ours = transactions(bench, direction="OUTBOUND")[0]
    refused = bench.run("replay", "--ack", ours.id, *WHY, "--yes")
    assert refused.code == 2
    assert "one of our documents" in refused.err


def test_replay_ack_says_why_something_is_not_read(bench):
    bench.run("run")
    with bench.sandbox.lock:
        store = bench.sandbox.stedi
        partnership = store.partnerships[bench.sandbox.sample_data.partners[0].partnership_id]
        now = bench.sandbox.clock.now()
        text = store.compose(partnership, "855", (("BAK", "00", "AK", "X", "20261123"),), "P", now)
        store.receive(text, partnership=partnership, at=now)
    bench.later(minutes=5)
    foreign = transactions(bench)[-1]
    refused = bench.run("replay", "--ack", foreign.id, *WHY, "--yes")
    assert refused.code == 2
    assert "its mode is production" in refused.err
    assert "Traceback" not in refused.err


def test_what_a_wrong_order_pattern_left_alone_is_read_when_it_is_corrected(make_bench):
    """Ignored by a setting, not for ever; and counted once."""
    bench = make_bench(orders=1, suppliers=1)
    bench.write_config(lambda text: text + '\n[documents]\norder_pattern = "^(PO-104|SALE-)"\n')
    bench.run("run")
    bench.answer("855", ("BAK", "00", "AK", "XY-7", "20261123", "", "", "", "SO-1", "20261123"), ("CTT", "1"))
    assert bench.run("run", "--json").json["counts"]["acks_received"] == 1
    answer = next(each for each in transactions(bench) if each.set_id == "855")
    assert state_of(bench, answer)[0] == "ignored"
    bench.write_config(lambda text: text + '\n[documents]\norder_pattern = "^(PO-104|XY-)"\n')
    assert bench.run("run", "--json").json["counts"]["acks_received"] == 0
    assert state_of(bench, answer)[0] == "waiting"
