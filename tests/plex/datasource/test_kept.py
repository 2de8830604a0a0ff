"""Master data of data sources is read once a day, and again as soon as an order needs what is not in it."""

from __future__ import annotations

import random

import httpx
import pytest
from msgspec.structs import replace

from plexstedi.edi.order import Order
from plexstedi.plex.build import connect_to_plex
from plexstedi.plex.port import UnreadableOrder
from plexstedi.plex.settings import Api, PlexSettings
from tests.plex.datasource.conftest import ADDRESS, ORDER, SUPPLIER, FakeSources, tables

MASTER_DATA = (20, 2769, 126, 107)


class Kept:
    """What a state file keeps."""

    def __init__(self):
        self.rows = {}

    def get(self, kind, key):
        return self.rows.get((kind, key))

    def put(self, kind, key, content):
        self.rows[kind, key] = content


@pytest.fixture
def run_again(clock):
    """A run of its own over the same fake and the same kept rows."""
    fake, kept, opened = FakeSources(), Kept(), []
    fake.serve()

    def run(**more):
        fake.asked.clear()
        given = {"tables": tables(), "username": "ACME.webservice@plex.com", "company_code": "ACME"} | more
        settings = PlexSettings(api=Api.DATASOURCE, base_url="https://acme.example", **given)
        transport = httpx.MockTransport(fake)
        plex = connect_to_plex(settings, "x" * 20, clock=clock, rng=random.Random(1), transport=transport, kept=kept)
        opened.append(plex)
        return fake, plex

    yield run
    for plex in opened:
        plex.close()


def master_data_calls(fake):
    return [number for number, _ in fake.asked if number in MASTER_DATA]


def read_all(plex):
    return plex.order("7001"), plex.supplier("31", "2")


def test_a_second_run_reads_the_order_alone(run_again):
    fake, plex = run_again()
    first = read_all(plex)
    assert sorted(master_data_calls(fake)) == sorted(MASTER_DATA)
    fake, plex = run_again()
    assert read_all(plex) == first
    assert [number for number, _ in fake.asked] == [3827, 6197, 6200]


def test_a_status_a_supplier_and_an_address_added_since_are_read_at_once(run_again):
    read_all(run_again()[1])
    fake, plex = run_again()
    fake.put(20, [{"PO_Status": "Rush", "On_Order": True}])
    fake.put(126, [SUPPLIER, SUPPLIER | {"Supplier_No": 32, "Supplier_Code": "NEW01"}])
    fake.put(107, [ADDRESS | {"Address_No": 9, "City": "Toledo"}])
    fake.put(3827, [ORDER | {"PO_Status": "Rush", "Supplier_No": 32}], by="PO_Key")
    order = plex.order("7001")
    assert isinstance(order, Order)
    assert order.supplier_code == "NEW01"
    moved = plex.supplier("31", "9")
    assert moved is not None
    assert moved.address is not None
    assert moved.address.city == "Toledo"
    assert sorted(master_data_calls(fake)) == sorted(MASTER_DATA)


def test_what_cannot_be_read_is_not_kept(run_again):
    fake, plex = run_again()
    fake.put(20, [{"PO_Status": "On Order", "On_Order": "perhaps"}])
    assert isinstance(plex.order("7001"), UnreadableOrder)
    fake, plex = run_again()
    fake.put(20, [{"PO_Status": "On Order", "On_Order": True}])
    assert isinstance(plex.order("7001"), Order)


def test_other_names_in_the_configuration_count_at_once(run_again):
    read_all(run_again()[1])
    own = tables()
    renamed = replace(own["suppliers"], columns={"supplier": "Supplier_No", "code": "Name", "name": "Name"})
    fake, plex = run_again(tables=own | {"suppliers": renamed})
    order = plex.order("7001")
    assert isinstance(order, Order)
    assert order.supplier_code == "Acme Bolt"
    assert master_data_calls(fake) == [126]
