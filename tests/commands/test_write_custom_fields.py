"""Custom fields in Plex have the current state: neither an earlier revision's nor that of only one release."""

from __future__ import annotations

from decimal import Decimal

import pytest

from plexstedi.sandbox.behaviours import Character
from tests.commands.test_ingest_acks_meaning import acknowledge, change_quantity, sent

__all__ = ["sent"]
TABLE = "[supplier_defaults]\n"


def fields(bench, order) -> dict[str, object]:
    """What was written last to each custom field of an order, its line and its releases."""
    found: dict[str, object] = {}
    for write in bench.writes(order.number):
        found |= write.after
    return found


def at_level(bench, level: str) -> None:
    bench.write_config(lambda text: text.replace('level = "line"', f'level = "{level}"'))


@pytest.mark.parametrize("level", ["line", "release"])
def test_values_of_an_earlier_revision_are_not_shown_as_confirmed_after_an_860(sent, level):
    """The only line is changed: no acknowledgment counts any more, so Plex must not say "confirmed" of the new one."""
    bench, order = sent
    at_level(bench, level)
    acknowledge(bench, order, "IA", 130)
    assert bench.run("run").code == 0
    confirmed = fields(bench, order)
    assert confirmed["EDI_Ack_Status"] == "confirmed"
    assert confirmed["EDI_Confirmed_Qty"] is not None
    change_quantity(bench, order, 150)
    bench.run("ingest-acks")
    now = fields(bench, order)
    assert now["EDI_Ack_Status"] == "unacknowledged"
    empty = ("EDI_Confirmed_Qty", "EDI_Ack_Code", "EDI_Ack_Reference", "EDI_Acknowledged_At")
    assert [now[name] for name in empty] == [None] * 4
    assert now["EDI_Supplier_Reference"] == "SO-1"
    written = len(bench.writes(order.number))
    assert bench.run("ingest-acks").code == 0
    assert len(bench.writes(order.number)) == written
    acknowledge(bench, order, "IA", 180)
    assert bench.run("ingest-acks").code == 0
    assert fields(bench, order)["EDI_Ack_Status"] == "confirmed"
    assert fields(bench, order)["EDI_Confirmed_Qty"] is not None


def test_a_value_that_a_buyer_entered_stays_after_an_860(sent):
    """Only what PlexStedi wrote is cleared."""
    bench, order = sent
    acknowledge(bench, order, "IA", 130)
    assert bench.run("run").code == 0
    (line,) = [w for w in bench.writes(order.number) if w.object == "PurchaseOrderLineItem"]
    with bench.sandbox.lock:
        field = next(values for values in bench.sandbox.plex.custom.values() if "EDI_Confirmed_Qty" in values)
        field["EDI_Confirmed_Qty"] = Decimal(125)
    change_quantity(bench, order, 150)
    bench.run("ingest-acks")
    assert [w for w in bench.writes(order.number) if w.object == "PurchaseOrderLineItem"] == [line]


def test_releases_sent_as_orders_share_the_fields_of_the_order(make_bench):
    """Each release is acknowledged on its own; the order has one reference, that of the newest acknowledgment."""
    bench = make_bench(orders=12, suppliers=1, characters=(Character.SILENT,))
    bench.write_config(
        lambda text: text.replace(TABLE, f'{TABLE}releases = "order-per-release"\n').replace(
            'level = "line"', 'level = "release"'
        )
    )
    bench.run("run")
    order = next(o for o in bench.sandbox.plex.tenant.orders if o.blanket and len(bench.sent(o.number)) > 1)
    bench.later(hours=1)
    bench.run("run")
    for document in bench.sent(order.number)[:2]:
        rows = [row.split("*") for row in document.edi.split("~")]
        (beg,) = [row for row in rows if row[0] == "BEG"]
        (po1,) = [row for row in rows if row[0] == "PO1"]
        bak = ("BAK", "00", "AC", order.number, "20261123", beg[4], "", "", f"SO-{beg[4]}", "20261123")
        bench.answer("855", bak, tuple(po1), ("ACK", "IA", po1[2], po1[3]))
        ran = bench.run("ingest-acks")
        assert (ran.code, ran.err) == (0, "")
        assert fields(bench, order)["EDI_Supplier_Reference"] == f"SO-{beg[4]}"
    written = len(bench.writes(order.number))
    bench.run("ingest-acks")
    assert len(bench.writes(order.number)) == written
