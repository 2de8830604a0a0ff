"""An order or invoice that is given to another partner: it reaches that one, or a person is asked."""

from __future__ import annotations

import re

import pytest

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.plex.sample_data import EdgeCase
from tests.commands.advice import follow, items
from tests.commands.test_advice_of_holds import cycle, fix_of
from tests.commands.test_moves_and_restores import codes, kinds_sent, move
from tests.commands.test_submit_invoices import edit, sent_810, with_invoices

STRANGER = "S999"
KNOWN = "\n[plex.poll]\nstart = 2026-11-23T07:00:00Z\n"


def silent(make_bench, more: str = "", **made):
    bench = make_bench(orders=4, suppliers=2, characters=(Character.SILENT,), **made)
    bench.write_config(lambda text: text + more)
    bench.run("run")
    cycle(bench)
    return bench


@pytest.mark.parametrize("policy", ["hold", "ignore"])
def test_an_order_of_a_supplier_without_edi_is_sent_to_the_one_that_gets_it(make_bench, policy):
    """Corrected by the buyer minutes later: nobody has it yet, whatever is done with orders from before."""
    more = f'\n[documents]\nknown_orders = "{policy}"\n'
    bench = silent(make_bench, more, edge_cases=(EdgeCase.UNKNOWN_SUPPLIER,))
    order = next(o for o in bench.sandbox.plex.tenant.orders if o.supplier.code == STRANGER)
    move(bench, order, "S001")
    assert cycle(bench)["documents_sent"] == 1
    assert kinds_sent(bench, order.number) == ["850"]
    assert "given to supplier S001" in bench.run("status", order.number).out
    assert codes(bench) == []


def test_an_order_that_a_supplier_had_before_it_received_its_table_is_still_known_to_it(make_bench):
    bench = make_bench(orders=1, suppliers=2, characters=(Character.SILENT,))
    (order,) = bench.sandbox.plex.tenant.orders
    bench.write_config(lambda text: re.sub(r"(?ms)^\[suppliers\.S00[12].*?(?=^\[(?!suppliers)|\Z)", "", text))
    bench.run("run")
    move(bench, order, "S002")
    cycle(bench)
    bench.write_config()
    assert cycle(bench)["documents_sent"] == 0
    assert codes(bench) == ["known-order"]


@pytest.mark.parametrize("policy", ["hold", "send"])
def test_a_known_order_that_another_supplier_gets_is_not_lost(make_bench, policy):
    """The first supplier has it by other means, the second nothing: a buyer tells both."""
    bench = silent(make_bench, f'{KNOWN}[documents]\nknown_orders = "{policy}"\n')
    order, other = bench.sandbox.plex.tenant.orders[:2]
    move(bench, order, "S002")
    with bench.sandbox.lock:
        other.number, other.modified = "PO-NEW", bench.sandbox.clock.now()
    assert cycle(bench)["documents_sent"] == 0
    assert codes(bench) == ["order-moved", "order-moved"]
    assert bench.numbers_sent() == []


def test_a_known_order_that_moved_is_resolved_or_moved_back(make_bench):
    bench = silent(make_bench, KNOWN)
    order = bench.sandbox.plex.tenant.orders[0]
    move(bench, order, "S002")
    cycle(bench)
    move(bench, order, "S001")
    cycle(bench)
    assert items(bench) == []
    move(bench, order, "S002")
    cycle(bench)
    follow(bench, fix_of(bench, "order-moved"))
    cycle(bench)
    assert (items(bench), bench.numbers_sent()) == ([], [])


def test_a_known_order_whose_supplier_has_another_code_now_did_not_move(make_bench):
    bench = silent(make_bench, KNOWN)
    order = bench.sandbox.plex.tenant.orders[0]
    with bench.sandbox.lock:
        order.supplier.code = "S00X"
        bench.sandbox.plex.edit_header(order.number, ship_via="Rail")
    bench.write_config(lambda text: text.replace("[suppliers.S001", "[suppliers.S00X") + KNOWN)
    cycle(bench, hours=25)
    assert "order-moved" not in codes(bench)


@pytest.fixture
def invoicing(make_bench):
    bench = make_bench(orders=2, suppliers=2)
    bench.write_config(with_invoices)
    return bench


def without(customer: str):
    """Without the table of a customer."""
    return lambda text: re.sub(
        rf"(?ms)^\[customers\.{customer}.*?(?=^\[(?!customers\.{customer})|\Z)", "", with_invoices(text)
    )


def test_an_invoice_of_a_customer_without_edi_is_sent_to_the_one_that_gets_it(invoicing):
    invoices = invoicing.sandbox.plex.tenant.invoices
    wrong = next(each for each in invoices if each.customer_code == "TRUCKCO")
    invoicing.write_config(without("TRUCKCO"))
    invoicing.run("run")
    assert wrong.number not in sent_810(invoicing)
    edit(invoicing, wrong.number, customer_code="BIGOEM")
    cycle(invoicing)
    assert wrong.number in sent_810(invoicing)
    assert "given to customer BIGOEM" in invoicing.run("status", wrong.number).out


@pytest.mark.parametrize("change", ["another customer", "no table"])
def test_a_sent_invoice_whose_customer_has_no_table_any_longer_is_reported_when_it_changes(invoicing, change):
    invoicing.run("run")
    cycle(invoicing, hours=3)
    sent = next(each for each in invoicing.sandbox.plex.tenant.invoices if each.customer_code == "BIGOEM")
    if change == "no table":
        invoicing.write_config(without("BIGOEM"))
        edit(invoicing, sent.number, void=True)
        code, command = "customer-missing", 0
    else:
        edit(invoicing, sent.number, customer_code="NOBODY")
        code, command = "invoice-moved", 0
    cycle(invoicing)
    follow(invoicing, fix_of(invoicing, code, "invoice-held"), command)
    cycle(invoicing)
    assert items(invoicing) == []
