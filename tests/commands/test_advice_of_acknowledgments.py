"""An acknowledgment that is held as a whole: what its fix advises ends the hold, and nothing is lost."""

from __future__ import annotations

import shutil

from plexstedi.sandbox.behaviours import Character
from tests.commands.advice import follow, items
from tests.commands.buyers import edit
from tests.commands.test_advice_of_holds import cycle, fix_of
from tests.commands.test_ingest_acks import accepted, bak, ordered, sent_to_silent

KIND = "acknowledgment-held"


def business_ack(bench, order) -> str:
    return bench.run("status", order.number, "--json").json["documents"][-1]["business_ack"]


def answered_by_another(make_bench):
    """The order of one supplier, acknowledged over the partnership of another, which has none of that number."""
    bench = make_bench(orders=2, suppliers=2, characters=(Character.SILENT,))
    bench.run("run")
    cycle(bench, hours=1)
    partners = bench.sandbox.sample_data.partners
    order = next(o for o in bench.sandbox.plex.tenant.orders if o.supplier.code == partners[0].code)
    bench.answer("855", bak(order, "AC"), *accepted(bench, order), supplier=1)
    cycle(bench)
    return bench, order, partners


def test_an_order_that_is_acknowledged_over_the_supplier_s_new_partnership_is_confirmed(make_bench):
    bench, order, partners = answered_by_another(make_bench)
    fix = fix_of(bench, "order-of-another", KIND)
    assert f"correct partnership_id of [suppliers.{partners[0].code}]" in fix
    old, new = (partner.partnership_id for partner in partners)
    bench.write_config(lambda text: text.replace(f'partnership_id = "{old}"', f'partnership_id = "{new}"'))
    cycle(bench)
    assert len(items(bench, KIND)) == 1
    follow(bench, fix, 0)
    assert items(bench, KIND) == []
    assert business_ack(bench, order) == "confirmed"
    cycle(bench)
    assert bench.writes(order.number)


def test_an_acknowledgment_of_another_supplier_s_order_is_rejected_and_changes_nothing(make_bench):
    bench, order, _ = answered_by_another(make_bench)
    follow(bench, fix_of(bench, "order-of-another", KIND), 1)
    for _ in range(2):
        cycle(bench)
        assert items(bench, KIND) == []
    assert business_ack(bench, order) == "none"
    assert bench.writes(order.number) == []


def bca(order, sequence: str):
    return ("BCA", "00", "AC", order.number, "", sequence, "20261123", "", "", "", "20261123")


def poc(bench, order):
    return tuple(
        segment
        for number, (quantity, unit) in ordered(bench, order).items()
        for segment in (("POC", number, "QI", quantity, "", unit), ("ACK", "IA", quantity, unit))
    )


def changed(make_bench):
    bench, order = sent_to_silent(make_bench, orders=1)
    edit(bench, order.number)
    cycle(bench)
    cycle(bench)
    return bench, order


def test_an_acknowledgment_of_a_change_that_was_never_sent_is_rejected_and_the_corrected_one_counts(make_bench):
    bench, order = changed(make_bench)
    bench.answer("865", bca(order, "7"), *poc(bench, order))
    cycle(bench)
    follow(bench, fix_of(bench, "change-sequence-unknown", KIND), 0)
    bench.answer("865", bca(order, "1"), *poc(bench, order))
    cycle(bench)
    assert items(bench) == []
    assert business_ack(bench, order) == "confirmed"
    assert bench.writes(order.number)


def test_an_acknowledgment_of_a_change_that_a_lost_state_sent_counts_once_that_is_recovered(make_bench):
    bench, order = changed(make_bench)
    copy = bench.place / "copy.sqlite3"
    shutil.copy(bench.state, copy)
    edit(bench, order.number)
    cycle(bench)
    cycle(bench)
    shutil.copy(copy, bench.state)
    bench.answer("865", bca(order, "2"), *poc(bench, order))
    bench.run("ingest-acks")
    fix = fix_of(bench, "change-sequence-unknown", KIND)
    follow(bench, fix, 1)
    follow(bench, fix, 2)
    assert items(bench, KIND) == []
    assert business_ack(bench, order) == "confirmed"


def test_an_acknowledgment_that_was_not_applied_counts_when_it_is_sent_again_two_days_after_the_860(make_bench):
    """Sent again on the day of the 860 or the day after, it would be taken for one of the order before the change."""
    kind = "acknowledgment-not-applied"
    bench, order = sent_to_silent(make_bench, orders=1)
    before = accepted(bench, order)
    edit(bench, order.number)
    cycle(bench)
    cycle(bench)
    bench.answer("855", bak(order, "AC"), *accepted(bench, order))
    bench.run("run")
    bench.answer("855", bak(order, "AC"), *before)
    bench.run("run")
    assert "two days after our last document at the earliest" in fix_of(bench, "not-applied", kind)
    bench.later(days=2)
    bench.answer("855", bak(order, "AC", f"{bench.sandbox.clock.now():%Y%m%d}"), *before)
    bench.run("run")
    assert business_ack(bench, order) == "held"
    (item,) = items(bench, "line-held")
    assert [reason["code"] for reason in item["reasons"]] == ["quantity"]
