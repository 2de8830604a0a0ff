"""A line without the supplier's part number gets it from Plex's approved suppliers: if wanted, and if it is clear."""

from __future__ import annotations

import pytest

from plexstedi.edi.order import Order, fingerprint
from plexstedi.errors import ServiceRefused
from tests.plex.conftest import line_row, order_row, release_row

PATH = "/purchasing/v1/approved-suppliers"


def approved(number, **more):
    return {"id": "x", "partId": "p1", "supplierId": "s1", "supplierPartNumber": number} | more


@pytest.fixture
def read(make_plex):
    """The line of an order, what the approved suppliers are, and how often they were asked for."""

    def one(*rows, wanted=True, **line):
        fake, plex = make_plex(approved_supplier_parts=wanted)
        fake.master_data()
        fake.order(order_row(), [line_row(**{"supplierPartNumber": None, **line})], [release_row()])
        fake.put(PATH, list(rows))
        (order,) = plex.orders(["o1"])
        assert isinstance(order, Order)
        list(plex.orders(["o1"]))
        return order, fake.calls(PATH)

    return one


def test_the_number_is_read_once_per_supplier_and_is_not_of_the_order(read):
    order, calls = read(approved("AB-1"), approved("ZZ-9", partId="other"))
    assert (order.lines[0].supplier_part, order.lines[0].approved_supplier_part) == (None, "AB-1")
    assert calls == [[("supplierId", "s1")]]
    other, _ = read(approved("AB-2"))
    assert fingerprint(order) == fingerprint(other)


@pytest.mark.parametrize("rows", [[], [approved(None)], [approved("AB-1"), approved("AB-2", operationCode="20")]])
def test_without_a_clear_number_there_is_none(read, rows):
    order, _ = read(*rows)
    assert order.lines[0].approved_supplier_part is None


def test_a_line_that_states_its_number_or_a_tenant_that_does_not_want_it_costs_no_call(read):
    stated, calls = read(approved("AB-1"), supplierPartNumber="AB-7816")
    assert (stated.lines[0].supplier_part, stated.lines[0].approved_supplier_part, calls) == ("AB-7816", None, [])
    _, calls = read(approved("AB-1"), wanted=False)
    assert calls == []


def test_a_filter_that_is_ignored_is_never_taken_for_this_suppliers_list(read):
    with pytest.raises(ServiceRefused, match="ignored the filter supplierId"):
        read(approved("AB-1"), approved("CD-2", supplierId="s2"))
