"""What a held order, a held invoice, a limit or a missing secret says to do works when it is done, and leads on.

Nothing is sent a second time on the way, and what was accepted does not come back.
"""

from __future__ import annotations

from plexstedi.sandbox.characters import Character
from tests.commands.advice import follow, items
from tests.commands.test_acknowledgments import sent_to_silent
from tests.commands.test_lost_state import edit

KIND = "order-held"
TABLE = "[suppliers.S001]\n"
SINGLY = f'{TABLE}releases = "order-per-release"\n'


def table_of(text: str, code: str) -> tuple[int, int]:
    """Where the tables of a supplier begin and end."""
    begin = text.index(f"[suppliers.{code}]\n")
    ends = [at for at in (text.find("[customers.", begin), text.find("[suppliers.S002]", begin)) if at > 0]
    return begin, min(ends, default=len(text))


def without_s001(text: str) -> str:
    begin, end = table_of(text, "S001")
    return text[:begin] + text[end:]


def held(bench, code: str, kind: str = KIND) -> list[dict]:
    """Open items of a kind with a reason of this code."""
    return [item for item in items(bench, kind) if code in [reason["code"] for reason in item["reasons"]]]


def fix_of(bench, code: str, kind: str = KIND) -> str:
    (item,) = held(bench, code, kind)
    return next(reason["fix"] for reason in item["reasons"] if reason["code"] == code)


def cycle(bench, **span) -> dict:
    """Time passes, then cron runs."""
    bench.later(**(span or {"minutes": 10}))
    ran = bench.run("run", "--json")
    assert ran.code in (0, 3), ran.out + ran.err
    return ran.json["counts"]


def quiet(bench, sent: int) -> None:
    """Nothing is open any more, nothing more goes out: now, and two runs later."""
    for _ in range(2):
        assert cycle(bench)["documents_sent"] == 0
        assert [item for item in items(bench) if item["kind"] in (KIND, "invoice-held")] == []
    assert len(bench.sandbox.generated()) == sent


def test_an_order_whose_supplier_lost_its_table_goes_on_when_it_is_back(make_bench):
    bench, order = sent_to_silent(make_bench, orders=1)
    edit(bench, order.number)
    bench.write_config(without_s001)
    assert cycle(bench)["documents_sent"] == 0
    assert "Add [suppliers.S001] again" in fix_of(bench, "supplier-missing")
    bench.write_config()
    assert cycle(bench)["documents_sent"] == 1
    assert [d.edi.split("~")[2].split("*")[1] for d in bench.sent(order.number)] == ["850", "860"]
    quiet(bench, 2)


def test_an_order_whose_supplier_lost_its_table_is_settled(make_bench):
    bench, order = sent_to_silent(make_bench, orders=1)
    edit(bench, order.number)
    bench.write_config(without_s001)
    cycle(bench)
    follow(bench, fix_of(bench, "supplier-missing"))
    quiet(bench, 1)
    bench.write_config()
    quiet(bench, 1)


def test_an_order_that_moved_to_another_supplier_is_settled(make_bench):
    bench = make_bench(orders=2, suppliers=2, characters=(Character.SILENT,))
    bench.run("run")
    cycle(bench, hours=1)
    sent = len(bench.sandbox.generated())
    order = next(o for o in bench.sandbox.plex.tenant.orders if bench.sent(o.number))
    other = next(o.supplier for o in bench.sandbox.plex.tenant.orders if o.supplier.code != order.supplier.code)
    with bench.sandbox.lock:
        order.supplier, order.modified = other, bench.sandbox.clock.now()
    cycle(bench)
    fix = fix_of(bench, "order-moved")
    refused = bench.run("replay", order.number, "--yes", "--reason", "moved", "--json")
    assert refused.json["error"]["code"] == "order-moved"
    follow(bench, fix)
    quiet(bench, sent)


def test_a_cancellation_that_no_860_can_tell_is_told_by_a_person(make_bench):
    bench, order = sent_to_silent(make_bench, orders=1)
    hold = '[supplier_defaults]\nchange_orders = "hold"'
    bench.write_config(lambda text: text.replace("[supplier_defaults]", hold))
    with bench.sandbox.lock:
        bench.sandbox.plex.cancel(order.number)
    cycle(bench)
    follow(bench, fix_of(bench, "cancellation-not-taken"))
    quiet(bench, 1)


def sent_singly(make_bench):
    """A blanket order whose releases went out as orders of their own, and that is due as a whole now."""
    bench = make_bench(orders=12, suppliers=1, characters=(Character.SILENT,))
    bench.write_config(lambda text: text.replace(TABLE, SINGLY))
    bench.run("run")
    cycle(bench, hours=1)
    order = next(o for o in bench.sandbox.plex.tenant.orders if o.blanket and bench.sent(o.number))
    bench.write_config()
    edit(bench, order.number)
    cycle(bench)
    return bench, order.number


def test_releases_that_were_sent_singly_are_settled(make_bench):
    bench, _ = sent_singly(make_bench)
    sent = len(bench.sandbox.generated())
    follow(bench, fix_of(bench, "sent-singly"))
    quiet(bench, sent)


def test_releases_that_were_sent_singly_go_on_so(make_bench):
    bench, number = sent_singly(make_bench)
    sent = len(bench.sent(number))
    assert 'Set `releases = "order-per-release"` again' in fix_of(bench, "sent-singly")
    bench.write_config(lambda text: text.replace(TABLE, SINGLY))
    quiet(bench, len(bench.sandbox.generated()))
    edit(bench, number)
    assert cycle(bench)["documents_sent"] == 1
    assert [document.filename.split("_")[3] for document in bench.sent(number)][sent:] == ["860"]
