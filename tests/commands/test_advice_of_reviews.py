"""What a review item says to do works when it is done: the item goes, or the next true step is told. Never a circle.

Each situation is made with whole commands; what a fix wants done outside (at Stedi, in Plex, in the configuration) is
done in the sandbox; then the advised command is run as it stands in the item.
"""

from __future__ import annotations

import pytest

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.faults import FaultKind, FaultRule
from tests.commands.advice import commands, fixes, follow, items
from tests.commands.test_ingest_acks import accepted, bak, ordered, plain_half, send_ta1, sent_to_silent
from tests.commands.test_one_record_stops_no_other import STEPS, breaks
from tests.commands.test_recover import edit, lists_that_lag, lose
from tests.commands.test_submit_invoices import edit as change_invoice
from tests.commands.test_submit_invoices import with_invoices
from tests.commands.test_unreadable_record_held_alone import HUGE, Odd, meddle, spoil


def answered(make_bench, character, change=lambda text: text):
    """One order, and its supplier's answer read."""
    bench = make_bench(orders=1, suppliers=1, characters=(character,))
    bench.write_config(change)
    bench.run("run")
    bench.later(hours=3)
    bench.run("run")
    return bench


def gone(bench, kind) -> None:
    assert items(bench, kind) == []


def only(bench, kind) -> str:
    (fix,) = fixes(bench, kind)
    return fix


def ran(bench) -> dict:
    bench.later(minutes=10)
    after = bench.run("run", "--json")
    assert after.code in (0, 3), after.err
    return after.json["counts"]


def test_a_rejected_line_is_written_to_plex(make_bench):
    bench = make_bench(orders=1, suppliers=1, characters=(Character.REJECTING,))
    bench.run("run")
    bench.later(hours=3)
    told = bench.run("run").out
    assert all(f"plexstedi review accept {item['id']} --reason" in told for item in items(bench, "line-rejected"))
    for fix in fixes(bench, "line-rejected"):
        follow(bench, fix)
    gone(bench, "line-rejected")
    assert ran(bench)["writes_made"] > 0


@pytest.mark.parametrize("pick", [0, 1])
def test_a_997_that_rejects(make_bench, pick):
    bench = answered(make_bench, Character.REJECTS_SYNTAX)
    follow(bench, only(bench, "syntax-rejected"), pick)
    gone(bench, "syntax-rejected")
    assert ran(bench)["documents_sent"] == 0
    assert len(bench.sandbox.generated()) == (2 if pick == 0 else 1)


@pytest.mark.parametrize("verdict", ["E", "R"])
def test_a_997_with_errors_orders_nothing_a_second_time(make_bench, verdict):
    bench, order = sent_to_silent(make_bench, orders=1)
    group = bench.sandbox.generated()[0].group_control_numbers[0]
    rows = ("AK1", "PO", str(group)), ("AK2", "850", "0001"), ("AK5", verdict), ("AK9", verdict, "1", "1", "1")
    bench.answer("997", *rows)
    bench.run("run")
    kind = "syntax-errors" if verdict == "E" else "syntax-rejected"
    named = [words[:2] for words in commands(only(bench, kind))]
    assert named == ([["review", "accept"]] if verdict == "E" else [["replay", order.number], ["review", "accept"]])
    follow(bench, only(bench, kind), -1)
    gone(bench, kind)
    ran(bench)
    assert len(bench.sandbox.generated()) == 1


def test_a_document_that_stedi_refused(make_bench):
    bench = make_bench(orders=1, suppliers=1)
    bench.sandbox.use_guide("S001", "850", {"type": "object", "required": ["nothing_has_this"], "properties": {}})
    bench.run("run")
    bench.sandbox.use_guide("S001", "850", {"type": "object", "properties": {}})
    follow(bench, only(bench, "document-refused"))
    assert ran(bench)["documents_sent"] == 1
    gone(bench, "document-refused")


@pytest.mark.parametrize("first", ["850", "860"])
def test_what_stedi_refused_needs_nobody_once_it_is_not_due_and_is_tried_again_when_it_is(make_bench, first):
    """Cancelled in Plex before the supplier has it, or changed back: nothing is to be sent. Else nothing is lost."""
    bench = make_bench(orders=1, suppliers=1, characters=(Character.SILENT,))
    (order,) = bench.sandbox.plex.tenant.orders
    partnership = bench.sandbox.sample_data.partners[0].partnership_id
    if first == "860":
        bench.run("run")
        ran(bench)
    kept = bench.sandbox.stedi.partnerships.pop(partnership)
    change(bench, order, first, back=False)
    assert ran(bench)["documents_rejected"] == 1
    change(bench, order, first, back=True)
    assert ran(bench)["documents_sent"] == 0
    gone(bench, "document-refused")
    change(bench, order, first, back=False)
    assert ran(bench)["documents_rejected"] == 1
    assert len(items(bench, "document-refused")) == 1
    bench.sandbox.stedi.partnerships[partnership] = kept
    follow(bench, only(bench, "document-refused"))
    assert ran(bench)["documents_sent"] == 1
    gone(bench, "document-refused")


def change(bench, order, what: str, *, back: bool) -> None:
    """The order is released, or its quantity changed; or that is undone."""
    with bench.sandbox.lock:
        plex, line = bench.sandbox.plex, order.lines[0]
        if what == "850":
            plex.edit_header(order.number, status="Cancelled" if back else "On Order")
        else:
            release = line.releases[0]
            quantity = release.quantity + (-5 if back else 5)
            plex.edit_release(order.number, line.number, release.number, quantity=quantity)


def test_a_setting_that_stedi_did_not_have(make_bench):
    bench = make_bench(orders=1, suppliers=1)
    partnership = bench.sandbox.sample_data.partners[0].partnership_id
    kept = bench.sandbox.stedi.partnerships.pop(partnership)
    bench.run("run")
    fix = only(bench, "document-refused")
    bench.sandbox.stedi.partnerships[partnership] = kept
    follow(bench, fix)
    assert ran(bench)["documents_sent"] == 1


def test_a_delivery_that_failed_is_replaced_by_one_new_document(make_bench):
    bench = make_bench(orders=1, suppliers=1)
    bench.sandbox.fail_deliveries("S001")
    bench.run("run")
    bench.later(hours=3)
    bench.run("run")
    bench.sandbox.fail_deliveries("S001", 0)
    follow(bench, only(bench, "delivery-failed"))
    gone(bench, "delivery-failed")
    bench.later(hours=3)
    counts = ran(bench)
    assert (counts["documents_delivered"], counts["documents_sent"]) == (1, 0)
    assert len(bench.sandbox.generated()) == 2


def test_a_document_in_doubt_that_is_not_at_stedi(make_bench):
    bench = make_bench(orders=1, suppliers=1)
    bench.sandbox.inject(FaultRule(FaultKind.DROP_BEFORE, origin="stedi", method="POST", times=None))
    bench.run("run")
    bench.sandbox.faults.clear()
    bench.later(days=2)
    bench.run("run")
    follow(bench, only(bench, "document-in-doubt"))
    assert ran(bench)["documents_sent"] == 1
    gone(bench, "document-in-doubt")
    assert len(bench.sandbox.generated()) == 1


@pytest.mark.parametrize(("pick", "sent"), [(0, 1), (1, 0)])
def test_a_changed_order_from_before(make_bench, pick, sent):
    bench = make_bench(orders=1, suppliers=1)
    bench.write_config(lambda text: text + "\n[plex.poll]\nstart = 2026-11-23T07:00:00Z\n")
    bench.run("run")
    bench.later(hours=1)
    edit(bench, bench.sandbox.plex.tenant.orders[0].number)
    bench.later(minutes=10)
    bench.run("run")
    follow(bench, only(bench, "known-order-changed"), pick)
    assert ran(bench)["documents_sent"] == sent
    gone(bench, "known-order-changed")


def conflict(bench) -> None:
    bench.run("run")
    lose(bench, "deleted with its mark")
    edit(bench, bench.numbers_sent()[0])
    with lists_that_lag(bench):
        bench.later(minutes=2)
        bench.run("run")
    bench.later(minutes=10)


def test_another_content_under_the_key_of_a_document_then_recovered_and_replaced(make_bench):
    """Each step names the next one: compare, recover, then replace what the supplier has."""
    bench = make_bench(orders=1, suppliers=1)
    conflict(bench)
    fix = only(bench, "document-conflict")
    assert follow(bench, fix).json["versions"]
    follow(bench, fix, 1)
    gone(bench, "document-conflict")
    assert len(bench.sandbox.generated()) == 1

    fix = only(bench, "recovered-differs")
    shown = follow(bench, fix).json
    assert shown["reject"]["possible"] is False
    assert follow(bench, shown["reject"]["words"]).json == shown
    follow(bench, fix, 2)
    gone(bench, "recovered-differs")
    bench.later(hours=3)
    assert ran(bench)["documents_sent"] == 0
    assert [document.edi.split("~BEG*")[1][:2] for document in bench.sandbox.generated()] == ["00", "05"]


def test_a_recovered_order_that_the_supplier_has_as_it_is(make_bench):
    bench = make_bench(orders=1, suppliers=1)
    conflict(bench)
    follow(bench, only(bench, "document-conflict"), 1)
    follow(bench, only(bench, "recovered-differs"), 1)
    gone(bench, "recovered-differs")
    assert ran(bench)["documents_sent"] == 0
    assert len(bench.sandbox.generated()) == 1


def test_a_recovered_document_that_a_997_rejects_is_replayed_with_a_purpose(make_bench):
    """How it was sent is not known any more: without --purpose the advised `replay` would refuse."""
    bench, _ = sent_to_silent(make_bench, orders=1)
    group = bench.sandbox.generated()[0].group_control_numbers[0]
    lose(bench, "deleted with its mark")
    bench.run("recover", "--yes")
    bench.answer("997", ("AK1", "PO", str(group)), ("AK2", "850", "0001"), ("AK5", "R"), ("AK9", "R", "1", "1", "1"))
    bench.run("run")
    follow(bench, only(bench, "syntax-rejected"))
    gone(bench, "syntax-rejected")
    assert len(bench.sandbox.generated()) == 2


def test_an_acknowledgment_that_a_setting_makes_clear_is_read_again(make_bench):
    bench, order = sent_to_silent(make_bench, orders=1)
    first, (quantity, unit) = next(iter(ordered(bench, order).items()))
    part = {first: (("ACK", "BP", plain_half(quantity), unit),)}
    bench.answer("855", bak(order, "AC"), *accepted(bench, order, but=part))
    bench.run("run")
    (fix,) = fixes(bench, "line-held")
    bench.write_config(lambda text: text + '\n[suppliers.S001.acknowledgments]\nbp_quantity = "accepted"\n')
    follow(bench, fix)
    assert [fix for fix in fixes(bench, "line-held") if "bp_quantity" in fix] == []


def test_an_acknowledgment_that_cannot_be_read_is_rejected(make_bench):
    bench, order = sent_to_silent(make_bench, orders=1)
    first, (quantity, unit) = next(iter(ordered(bench, order).items()))
    unreal = {first: (("ACK", "IA", quantity, unit, "068", "20269999"),)}
    bench.answer("855", bak(order, "AC"), *accepted(bench, order, but=unreal))
    bench.run("run")
    (fix,) = [fix for fix in fixes(bench, "line-held") if "corrected acknowledgment" in fix]
    follow(bench, fix)
    gone(bench, "line-held")


def test_a_line_that_was_changed_in_plex_after_it_was_sent(make_bench):
    """`submit` has something to send, or `status` shows what holds the change."""
    bench, order = sent_to_silent(make_bench, orders=1)
    bench.answer("855", bak(order, "AC"), *accepted(bench, order))
    edit(bench, order.number)
    bench.later(minutes=2)
    bench.run("poll")
    bench.run("ingest-acks")
    held = [fix for fix in fixes(bench, "line-held") if "submit" in fix]
    assert held
    assert follow(bench, held[0], 0).json["counts"]["documents_sent"] == 1
    assert follow(bench, held[0], 1).json["order"]["number"] == order.number
    assert follow(bench, held[0], 2).json["review"]["kind"] == "line-held"


def test_what_is_overdue_names_the_order_and_can_only_be_accepted(make_bench):
    bench, order = sent_to_silent(make_bench, orders=1)
    bench.later(days=5)
    bench.run("run")
    late = items(bench, "overdue")
    acknowledgment = [item for item in late if commands(item["reasons"][0]["fix"])]
    assert acknowledgment
    assert follow(bench, acknowledgment[0]["reasons"][0]["fix"]).json["order"]["number"] == order.number
    for item in late:
        refused = bench.run("review", "reject", str(item["id"]), "--reason", "no", "--json")
        assert refused.code == 2
        follow(bench, refused.json["error"]["fix"])
    gone(bench, "overdue")


@pytest.mark.parametrize("said", ["the fix", "the refusal"])
def test_a_backorder_is_agreed_with_the_supplier_and_accepted(make_bench, said):
    bench, order = sent_to_silent(make_bench, orders=1)
    first, (quantity, unit) = next(iter(ordered(bench, order).items()))
    half = plain_half(quantity)
    short = {first: (("ACK", "IB", half, unit), ("ACK", "IA", half, unit))}
    bench.answer("855", bak(order, "AC"), *accepted(bench, order, but=short))
    bench.run("run")
    (item,) = items(bench, "line-backordered")
    refused = bench.run("review", "reject", str(item["id"]), "--reason", "no", "--json")
    assert refused.code == 2
    follow(bench, item["reasons"][0]["fix"] if said == "the fix" else refused.json["error"]["fix"])
    gone(bench, "line-backordered")


@pytest.mark.parametrize("pick", [0, 1])
def test_a_ta1_that_rejects_the_interchange(make_bench, pick):
    bench, _ = sent_to_silent(make_bench, orders=1)
    send_ta1(bench, "R", "025")
    bench.run("run")
    follow(bench, only(bench, "syntax-rejected"), pick)
    gone(bench, "syntax-rejected")
    assert len(bench.sandbox.generated()) == 2 - pick


@pytest.mark.parametrize("said", ["the fix", "what reject does", "the refusal"])
def test_what_nobody_foresaw_is_tried_again(make_bench, tmp_path, said):
    bench = make_bench(orders=1, suppliers=1)
    broken = breaks(STEPS["an order is decided"], 0, tmp_path / "noted")
    assert bench.run("run", before=broken).code == 1
    fix = only(bench, "unforeseen")
    (item,) = items(bench, "unforeseen")
    refused = bench.run("review", "reject", str(item["id"]), "--reason", "no", "--json").json["error"]["fix"]
    assert commands(refused) == commands(fix)
    shown = bench.run("review", "show", str(item["id"]), "--json").json
    follow(bench, {"the fix": fix, "what reject does": shown["reject"]["words"], "the refusal": refused}[said])
    assert ran(bench)["documents_sent"] == 1
    gone(bench, "unforeseen")


def test_a_row_of_plex_that_cannot_be_read_is_read_again(make_bench):
    bench = answered(make_bench, Character.PROMPT)
    (order,) = bench.sandbox.plex.tenant.orders
    with bench.sandbox.lock:
        line = order.lines[0]
        bench.sandbox.plex.receive(order.number, line.number, line.releases[0].number, line.releases[0].quantity)
    odd = Odd("receipt", "quantity", HUGE)
    end = meddle(bench, "plex", ".", spoil({bench.sandbox.plex.tenant.receipts[0].id: [odd]}))
    bench.later(minutes=30)
    bench.run("run")
    fix = only(bench, "record-unreadable")
    end()
    follow(bench, fix)
    ran(bench)
    gone(bench, "record-unreadable")


def test_a_change_that_is_held_is_reported_by_phone_and_not_sent(make_bench):
    bench, order = sent_to_silent(make_bench, orders=1)
    hold = '[supplier_defaults]\nchange_orders = "hold"'
    bench.write_config(lambda text: text.replace("[supplier_defaults]", hold))
    edit(bench, order.number)
    ran(bench)
    held = [fix for fix in fixes(bench, "order-held") if commands(fix)]
    assert held
    follow(bench, held[0])
    gone(bench, "order-held")
    assert ran(bench)["documents_sent"] == 0


@pytest.mark.parametrize("known", [True, False])
def test_an_invoice_that_stedi_refused_is_sent_again(make_bench, known):
    """Its setting was wrong here, or was not yet made at Stedi."""
    bench = make_bench(orders=1, suppliers=1)
    bench.write_config(lambda text: with_invoices(text).replace("004010-810", "no-such-setting"))
    bench.run("run")
    (item,) = items(bench, "document-refused")
    assert commands(item["reasons"][0]["fix"]) == [["review", "accept", str(item["id"]), "--reason", "TEXT"]]
    bench.write_config(with_invoices)
    if known:
        follow(bench, item["reasons"][0]["fix"])
    assert ran(bench)["documents_sent"] == 1
    gone(bench, "document-refused")


def test_files_of_an_order_that_plex_no_longer_has_are_resolved_by_a_user(make_bench):
    bench = make_bench(orders=1, suppliers=1)
    bench.run("run")
    lose(bench, "deleted with its mark")
    with bench.sandbox.lock:
        bench.sandbox.plex.tenant.orders.clear()
        bench.sandbox.plex.reindex()
    bench.later(minutes=10)
    bench.run("recover", "--yes")
    follow(bench, only(bench, "order-held"))
    gone(bench, "order-held")


def test_an_acknowledgment_of_an_unknown_order_is_ignored_and_processed_again(make_bench):
    bench, order = sent_to_silent(make_bench, orders=1)
    bench.answer("855", bak(order, "AT", number="NEVER-SENT"), *accepted(bench, order))
    bench.run("run")
    bench.later(days=3)
    bench.run("run")
    (item,) = items(bench, "order-unknown")
    words = bench.run("review", "show", str(item["id"]), "--json").json["reject"]["words"]
    assert bench.run("review", "reject", str(item["id"]), "--reason", "not ours").code == 0
    assert follow(bench, words).json["transaction"]["state"] != "ignored"


def test_a_write_that_plex_never_shows_is_written_again(make_bench):
    bench = make_bench(orders=1, suppliers=1)
    bench.run("run")
    bench.later(hours=3)
    path = r"field-values/save|/purchase-orders/[^/]+$"
    for method in ("POST", "PUT", "PATCH"):
        bench.sandbox.inject(
            FaultRule(FaultKind.STALE_READ, origin="plex", method=method, path=path, times=None, seconds=86_400.0)
        )
    for _ in range(4):
        bench.later(minutes=10)
        bench.run("run")
    fix = only(bench, "write-failed")
    bench.sandbox.faults.clear()
    bench.later(days=1)
    follow(bench, fix)
    ran(bench)
    gone(bench, "write-failed")


def test_accepting_what_says_nothing_definite_names_the_way_on(make_bench):
    bench, order = sent_to_silent(make_bench, orders=1)
    first, (quantity, unit) = next(iter(ordered(bench, order).items()))
    part = {first: (("ACK", "BP", plain_half(quantity), unit),)}
    bench.answer("855", bak(order, "AC"), *accepted(bench, order, but=part))
    bench.run("run")
    (item,) = [each for each in items(bench, "line-held") if each["line"] == int(first)]
    refused = bench.run("review", "accept", str(item["id"]), "--reason", "yes", "--json")
    assert refused.code == 2
    bench.write_config(lambda text: text + '\n[suppliers.S001.acknowledgments]\nbp_quantity = "accepted"\n')
    follow(bench, refused.json["error"]["fix"])
    assert [fix for fix in fixes(bench, "line-held") if "bp_quantity" in fix] == []


def lost_invoices(make_bench):
    """Invoices were sent, and the state was lost."""
    bench = make_bench(orders=1, suppliers=1)
    bench.write_config(with_invoices)
    bench.run("run")
    bench.later(hours=3)
    bench.run("run")
    lose(bench, "deleted with its mark")
    bench.later(minutes=10)
    return bench


def test_a_recovered_invoice_that_differs_is_resolved_and_none_is_sent_again(make_bench):
    bench = lost_invoices(make_bench)
    invoices = bench.sandbox.plex.tenant.invoices
    change_invoice(bench, invoices[0].number, void=True)
    with bench.sandbox.lock:
        gone_from_plex = invoices.pop()
        bench.sandbox.plex.reindex()
    bench.later(minutes=10)
    bench.run("recover", "--yes")
    before = len(bench.sandbox.generated())
    about = [item for item in items(bench) if item["kind"] in ("recovered-differs", "invoice-held")]
    assert gone_from_plex.number in {item["order"] for item in about}
    for item in about:
        for reason in item["reasons"]:
            follow(bench, reason["fix"])
    assert [item for item in items(bench) if item["kind"] in ("recovered-differs",)] == []
    ran(bench)
    assert len(bench.sandbox.generated()) == before


def test_a_document_that_is_abandoned_before_its_delivery_is_known(make_bench):
    bench = make_bench(orders=1, suppliers=1, characters=(Character.SILENT,))
    bench.run("run")
    group = bench.sandbox.generated()[0].group_control_numbers[0]
    bench.answer("997", ("AK1", "PO", str(group)), ("AK2", "850", "0001"), ("AK5", "R"), ("AK9", "R", "1", "1", "1"))
    bench.run("ingest-acks")
    (item,) = items(bench, "syntax-rejected")
    words = ("review", "reject", str(item["id"]), "--reason", "sent again", "--json")
    refused = bench.run(*words)
    assert refused.code == 2
    follow(bench, refused.json["error"]["fix"])
    assert bench.run(*words).code == 0
    assert ran(bench)["documents_sent"] == 1


def test_a_recovered_release_that_was_sent_separately_is_replaced_by_its_name(make_bench):
    """Without --release the advised `replay` would ask which of them."""
    bench = make_bench(orders=12, suppliers=1)
    table = "[suppliers.S001]\n"
    bench.write_config(lambda text: text.replace(table, f'{table}releases = "order-per-release"\n'))
    bench.run("run")
    number = next(o.number for o in bench.sandbox.plex.tenant.orders if o.blanket and len(bench.sent(o.number)) > 1)
    before = len(bench.sent(number))
    lose(bench, "deleted with its mark")
    bench.later(hours=30)
    edit(bench, number)
    bench.later(minutes=10)
    bench.run("recover", "--yes")
    fix = only(bench, "recovered-differs")
    follow(bench, fix, 2)
    gone(bench, "recovered-differs")
    assert len(bench.sent(number)) == before + 1


def test_a_change_that_supplier_settings_hold_is_shown_where_submit_has_nothing_to_send(make_bench):
    bench, order = sent_to_silent(make_bench, orders=1)
    hold = '[supplier_defaults]\nchange_orders = "hold"'
    bench.write_config(lambda text: text.replace("[supplier_defaults]", hold))
    bench.answer("855", bak(order, "AC"), *accepted(bench, order))
    edit(bench, order.number)
    bench.later(minutes=2)
    bench.run("poll")
    bench.run("ingest-acks")
    (fix, *_) = [fix for fix in fixes(bench, "line-held") if "submit" in fix]
    assert follow(bench, fix, 0).json["counts"]["documents_sent"] == 0
    events = follow(bench, fix, 1).json
    assert "order-held" in {item["kind"] for item in items(bench)}
    assert events["order"]["number"] == order.number
    follow(bench, fixes(bench, "order-held")[0])
    gone(bench, "order-held")


def test_an_acknowledgment_that_may_be_another_plants_is_rejected_since_it_cannot_be_accepted(make_bench):
    bench, order = sent_to_silent(make_bench, orders=1)
    bench.answer("855", bak(order, "AT", number="NEVER-SENT"), *accepted(bench, order))
    bench.run("run")
    bench.later(days=3)
    bench.run("run")
    (item,) = items(bench, "order-unknown")
    follow(bench, item["reasons"][0]["fix"])
    gone(bench, "order-unknown")
