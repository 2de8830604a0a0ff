"""Custom fields in Plex of an order whose releases were sent as orders of their own."""

from __future__ import annotations

from plexstedi.sandbox.behaviours import Character

TABLE = "[supplier_defaults]\n"


def fields(bench, order) -> dict[str, object]:
    """What was written last to each custom field of an order and its releases."""
    found: dict[str, object] = {}
    for write in bench.writes(order.number):
        found |= write.after
    return found


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
