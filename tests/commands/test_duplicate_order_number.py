"""An order number that Plex gives out twice holds one order, never the rest, and never goes out twice."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from plexstedi.sandbox.plex.store import copy_order
from tests.commands.test_submit_invoices import sent_810, with_invoices

FIRST = "PO-104001"


def again(bench, number, *, like=FIRST, **fields):
    """A new order in Plex under this number, like another one; its Plex id."""
    with bench.sandbox.lock:
        plex = bench.sandbox.plex
        order = copy_order(plex.order(like), number, bench.sandbox.clock.now())
        for name, value in fields.items():
            setattr(order, name, value)
        plex.add_order(order)
        return order.id


def drop(bench, number):
    with bench.sandbox.lock:
        bench.sandbox.plex.delete_order(number)


def by_id(bench, order_id):
    return next(order for order in bench.sandbox.plex.tenant.orders if order.id == order_id)


def taken(bench):
    """Open holds for a taken number: order and message."""
    listed = bench.run("status", "--json").json["waiting"]
    return [
        (review["order"], reason["message"], reason["fix"])
        for review in listed
        for reason in review["reasons"]
        if reason["code"] == "number-taken"
    ]


def keys(bench):
    found = [document.idempotency_key for document in bench.sandbox.generated()]
    assert len(found) == len(set(found))
    return found


@pytest.fixture(params=["connect", "oauth2"])
def either(request, make_bench):
    """Two orders of two suppliers that agree to everything, in either dialect."""
    return make_bench(orders=2, suppliers=2, dialect=request.param)


@pytest.mark.parametrize("before", ["deleted", "cancelled"])
def test_a_number_given_out_again_holds_that_order_and_no_other(either, before):
    """Ten ordinary orders behind it go out and answers are applied in the same run."""
    bench = either
    assert bench.run("run").code == 0
    bench.later(hours=3)
    if before == "deleted":
        drop(bench, FIRST)
    else:
        with bench.sandbox.lock:
            bench.sandbox.plex.cancel(FIRST)
        assert bench.run("run").code == 0
        bench.later(hours=1)
        drop_from_lookup(bench, FIRST)
    again(bench, FIRST, like="PO-104002", note=None)
    ordinary = [f"PO-20000{n}" for n in range(10)]
    for number in ordinary:
        again(bench, number, like="PO-104002")
    bench.later(minutes=3)
    ran = bench.run("run", "--json")
    assert ran.code == 3, ran.err
    assert set(ordinary) <= set(bench.numbers_sent())
    assert [document.edi.split("~BEG*")[0] for document in bench.sent(FIRST) if "~BEG*" in document.edi][1:] == []
    assert bench.writes("PO-104002"), "the answers that came in meanwhile are applied"
    ((number, message, fix),) = taken(bench)
    assert number == FIRST
    assert message.count("created ") == 2
    assert "another number" in fix
    assert bench.run("run", "--json").code == 0
    assert bench.run("status", "--check").code == 3
    keys(bench)


def drop_from_lookup(bench, number):
    """The sandbox finds orders by number: put the old one last, so that the new one is found."""
    with bench.sandbox.lock:
        orders = bench.sandbox.plex.tenant.orders
        orders.append(orders.pop(orders.index(bench.sandbox.plex.order(number))))


def test_the_fix_works_another_number_sends_it(bench):
    bench.run("run")
    new = again(bench, FIRST)
    bench.later(minutes=3)
    assert bench.run("run").code == 3
    with bench.sandbox.lock:
        order = by_id(bench, new)
        order.number, order.modified = "PO-300001", bench.sandbox.clock.now()
    bench.later(minutes=3)
    ran = bench.run("run", "--json")
    assert ran.code == 0, ran.out
    assert len(bench.sent("PO-300001")) == 1
    assert not taken(bench)


@pytest.mark.parametrize("number", [f" {FIRST}", "PO -104001", FIRST])
def test_blanks_do_not_make_another_number_also_at_another_supplier(bench, number):
    """The supplier, and X12, cannot tell them apart."""
    bench.run("run")
    other = next(o.supplier for o in bench.sandbox.plex.tenant.orders if o.supplier is not order_of(bench).supplier)
    again(bench, number, supplier=other)
    bench.later(minutes=3)
    assert bench.run("run").code == 3
    ((_, message, _),) = taken(bench)
    assert other.code in message
    assert order_of(bench).supplier.code in message
    assert len([n for n in bench.numbers_sent() if "".join(n.split()) == FIRST]) == 1


def order_of(bench):
    return bench.sandbox.plex.order(FIRST)


def test_of_two_new_orders_the_first_created_goes_and_its_end_frees_the_number(bench):
    """A first one that was cancelled before anything went out leaves the number to the second."""
    first = again(bench, "PO-400001")
    with bench.sandbox.lock:
        by_id(bench, first).lines[0].unit = "Furlong"
    bench.later(minutes=1)
    second = again(bench, "PO-400001")
    bench.later(minutes=3)
    assert bench.run("run").code == 3
    assert bench.sent("PO-400001") == []
    ((_, message, fix),) = taken(bench)
    mine, other = message.split(" and ")
    assert second in mine
    assert first in other
    assert "frees the number only if" in fix
    assert bench.run("run").code == 0
    with bench.sandbox.lock:
        bench.sandbox.plex.order("PO-400001").status = "Cancelled"
        bench.sandbox.plex.order("PO-400001").modified = bench.sandbox.clock.now()
    bench.later(minutes=3)
    bench.run("run")
    assert len(bench.sent("PO-400001")) == 1
    assert not taken(bench)


def test_only_one_of_two_copies_goes_by_order_number_and_by_limit_and_is_acknowledged(bench):
    """`submit --order`, `--limit`, `status`, `replay` and an acknowledgment: each means the one that was sent."""
    bench.run("run")
    first = again(bench, "PO-500001")
    bench.later(minutes=1)
    second = again(bench, "PO-500001")
    bench.later(minutes=3)
    assert bench.run("poll").code == 3
    assert bench.run("submit", "--order", "PO-500001").code == 0
    assert len(bench.sent("PO-500001")) == 1
    assert bench.run("submit", "--order", second).code == 0
    assert bench.run("submit", "--limit", "3").code == 0
    assert len(bench.sent("PO-500001")) == 1
    bench.later(hours=3)
    bench.run("run")
    shown = bench.run("status", first, "--json").json
    assert shown["documents"][0]["business_ack"] == "confirmed"
    assert bench.run("status", second, "--json").json["documents"] == []
    warned = bench.run("status", "PO-500001", "--json").json["warnings"]
    assert any(f"plexstedi status {each}" in text for text in warned for each in (first, second))
    bench.later(hours=2)
    replayed = bench.run("replay", "PO-500001", "--purpose", "15", "--reason", "lost", "--yes")
    assert replayed.code == 0, replayed.err
    assert len(bench.sent("PO-500001")) == 2
    refused = bench.run("replay", second, "--reason", "lost", "--yes")
    assert refused.code == 2
    keys(bench)


def test_releases_sent_separately_under_a_number_twice(make_bench):
    """A release is a slot of its own; the number is taken all the same."""
    bench = make_bench(orders=12, suppliers=1)
    table = "[suppliers.S001]\n"
    bench.write_config(lambda text: text.replace(table, f'{table}releases = "order-per-release"\n'))
    bench.run("run")
    number = next(o.number for o in bench.sandbox.plex.tenant.orders if o.blanket and bench.sent(o.number))
    sent = len(bench.sent(number))
    again(bench, number, like=number)
    bench.later(minutes=3)
    assert bench.run("run").code == 3
    assert taken(bench)
    assert len(bench.sent(number)) == sent


def test_a_number_that_stedi_refused_may_be_given_out_again(bench):
    """Nothing is at the supplier under it; the new order's key is another one all the same."""
    bench.write_config(lambda text: re.sub(r'(\[suppliers.*?\.850\]\ntransaction_setting_id = ")', r"\1wrong", text))
    assert bench.run("run").code == 3
    assert bench.sent(FIRST) == []
    with bench.sandbox.lock:
        bench.sandbox.plex.cancel(FIRST)
    again(bench, FIRST, like="PO-104002", supplier=order_of(bench).supplier)
    bench.write_config()
    bench.later(minutes=3)
    bench.run("run")
    assert len(bench.sent(FIRST)) == 1
    assert not taken(bench)
    assert any(key.endswith("_c0_r2") for key in keys(bench))


def test_a_lost_state_never_takes_the_new_order_for_the_old_one(bench):
    """The file at Stedi is of an order that was made before it; the new one is held, and says why."""
    bench.run("run")
    bench.later(hours=3)
    drop(bench, FIRST)
    again(bench, FIRST, like="PO-104002")
    bench.state.unlink()
    bench.state.with_name(f"{bench.state.name}.was-here").unlink(missing_ok=True)
    bench.later(minutes=3)
    found = bench.run("recover", "--yes", "--json")
    assert found.code in (0, 3), found.err
    stream = next(one for one in found.json["streams"] if one.get("order") == FIRST)
    assert stream["supplier"] is None
    bench.later(minutes=3)
    before = len(bench.sent(FIRST))
    bench.run("run")
    assert len(bench.sent(FIRST)) == before
    assert [number for number, *_ in taken(bench)] == [FIRST]


@pytest.mark.parametrize("same", [True, False], ids=["copies", "different"])
def test_a_lost_state_and_two_orders_that_may_be_the_files(bench, same):
    """The one that says what was sent is taken over; of two that say the same none goes out, a person is asked."""
    first = again(bench, "PO-600001")
    second = again(bench, "PO-600001", **({} if same else {"note": "call before delivery"}))
    bench.later(minutes=3)
    bench.run("run")
    assert len(bench.sent("PO-600001")) == 1
    bench.later(hours=3)
    bench.state.unlink()
    bench.run("run")
    found = bench.run("recover", "--yes", "--json")
    stream = next(one for one in found.json["streams"] if one.get("order") == "PO-600001")
    assert stream["in_sync"] is not same
    assert ("cannot be determined" in stream["what"]) is same
    bench.later(minutes=5)
    bench.run("run")
    assert len(bench.sent("PO-600001")) == 1
    documents = {each: bench.run("status", each, "--json").json["documents"] for each in (first, second)}
    assert sorted(map(len, documents.values())) == ([0, 0] if same else [0, 1])
    assert len(taken(bench)) == (2 if same else 1)


def test_an_accepted_hold_sends_nothing_and_asks_no_more(bench):
    bench.run("run")
    again(bench, FIRST)
    bench.later(minutes=3)
    bench.run("run")
    (item,) = bench.run("review", "list", "--json").json["reviews"]
    shown = bench.run("review", "show", str(item["id"]))
    assert "another number" in shown.out
    assert bench.run("review", "accept", str(item["id"]), "--reason", "told by phone").code == 0
    bench.later(minutes=3)
    assert bench.run("run").code == 0
    assert len(bench.sent(FIRST)) == 1
    assert not taken(bench)


def test_one_invoice_number_on_two_invoices(make_bench):
    bench = make_bench(orders=2, suppliers=2)
    bench.write_config(with_invoices)
    assert bench.run("run").code == 0
    assert len(sent_810(bench)) == 3
    with bench.sandbox.lock:
        invoices = bench.sandbox.plex.tenant.invoices
        now = bench.sandbox.clock.now()
        copy = replace(invoices[-1], id="b7b1a4c2-0000-4000-8000-000000000001", number="100455", created=now)
        copy.modified = now
        invoices.append(copy)
    bench.later(minutes=3)
    ran = bench.run("run", "--json")
    assert ran.code == 3, ran.err
    assert sent_810(bench).count("100455") == 1
    assert [number for number, *_ in taken(bench)] == ["100455"]
