"""Orders from before the start of polling: what their suppliers do not have yet is sent, or a person is asked."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from plexstedi.sandbox.behaviours import Character
from tests.commands.advice import follow, items
from tests.commands.test_advice_of_holds import SINGLY, TABLE, cycle, fix_of
from tests.commands.test_ingest_acks_after_new_settings import without
from tests.commands.test_moves_and_restores import codes, kinds_sent

KNOWN = "\n[plex.poll]\nstart = 2026-11-23T07:00:00Z\n"


@pytest.mark.parametrize("policy", ["hold", "send"])
def test_a_new_release_of_a_known_blanket_order_is_ordered(make_bench, policy):
    """The order and its first releases went by other means; each later release goes as an order of its own."""
    bench = make_bench(orders=12, suppliers=1, characters=(Character.SILENT,))
    settings = f'{KNOWN}[documents]\nknown_orders = "{policy}"\n'
    bench.write_config(lambda text: text.replace(TABLE, SINGLY) + settings)
    bench.run("run")
    cycle(bench)
    order = next(order for order in bench.sandbox.plex.tenant.orders if order.blanket)
    with bench.sandbox.lock:
        line = order.lines[0].number
        number = bench.sandbox.plex.add_release(order.number, line, Decimal(11), date(2027, 1, 15))
    sent = cycle(bench)["documents_sent"]
    if policy == "hold":
        assert sent == 0
        follow(bench, fix_of(bench, "known-order", "known-order-changed"))
        sent = cycle(bench)["documents_sent"]
    assert sent == 1
    assert codes(bench) == []
    (document,) = bench.sent(order.number)
    assert f"BEG*00*RL*{order.number}*{line}-{number}*" in document.edi
    cycle(bench)
    with bench.sandbox.lock:
        bench.sandbox.plex.edit_release(order.number, line, number, status="Cancelled")
    cycle(bench)
    assert kinds_sent(bench, order.number) == ["850", "860"]
    assert items(bench) == []


def test_a_decision_about_one_release_of_a_known_order_sends_no_other(make_bench):
    """Each item names its release: the others may have gone by other means, and would be ordered twice."""
    bench = make_bench(orders=12, suppliers=1, characters=(Character.SILENT,))
    bench.write_config(without("S001"))
    bench.run("run")
    bench.write_config(lambda text: text.replace(TABLE, SINGLY))
    cycle(bench)
    order = next(order for order in bench.sandbox.plex.tenant.orders if order.blanket)
    asked = [item for item in items(bench, "known-order-changed") if item["order"] == order.number]
    first, second, *rest = sorted(asked, key=lambda item: item["reasons"][0]["where"])
    follow(bench, first["reasons"][0]["fix"])
    assert cycle(bench)["documents_sent"] == 1
    release = first["reasons"][0]["where"].removeprefix("release ")
    assert [f"*{order.number}*{release}*" in document.edi for document in bench.sent(order.number)] == [True]
    follow(bench, second["reasons"][0]["fix"], 1)
    assert cycle(bench)["documents_sent"] == 0
    left = [item["id"] for item in items(bench, "known-order-changed") if item["order"] == order.number]
    assert sorted(left) == sorted(item["id"] for item in rest)
    assert rest
