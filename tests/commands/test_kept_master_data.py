"""Master data of Plex is kept for a day, but never at the cost of a wrong document or of a correction not seen."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.plex.store import copy_order
from plexstedi.sandbox.web import Request, Response, json_response
from tests.commands.conftest import Bench, MakeBench
from tests.commands.services import meddle

Change = Callable[[Request, Response], Response]


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    """Two orders of one supplier."""
    return make_bench(orders=2, suppliers=1)


def in_rows(**values: object) -> Change:
    """Each row with these values."""

    def change(request: Request, response: Response) -> Response:
        document = json.loads(response.body)
        rows = document if isinstance(document, list) else [document]
        changed = [{**row, **values} for row in rows]
        return json_response(changed if isinstance(document, list) else changed[0], response.status)

    return change


@pytest.mark.parametrize(
    ("path", "values"),
    [("/addresses$", {"zip": {"a": 1}}), ("/suppliers", {"name": ["x"]})],
)
def test_a_supplier_that_could_not_be_read_is_read_again_once_it_is_corrected(
    bench: Bench, path: str, values: dict[str, object]
) -> None:
    end = meddle(bench, "plex", path, in_rows(**values))
    assert bench.run("run").code == 3
    assert bench.numbers_sent() == []
    end()
    bench.later(minutes=10)
    assert bench.run("poll", "--full").code == 0
    assert bench.run("run").code == 0
    assert bench.numbers_sent()


def test_an_order_for_an_address_added_today_is_sent_to_that_address(bench: Bench) -> None:
    assert bench.run("run").code == 0
    with bench.sandbox.lock:
        first = bench.sandbox.plex.tenant.orders[0]
        new = copy_order(first, "PO-NEW", bench.sandbox.clock.now())
        (main,) = first.supplier.addresses
        second = replace(main, id="22222222-aaaa-4bbb-8ccc-000000000002", code="SECOND", street="7 New Street")
        bench.sandbox.plex.tenant.suppliers[0].addresses.append(second)
        new.supplier = replace(first.supplier, addresses=[second])
        bench.sandbox.plex.add_order(new)
    bench.later(minutes=5)
    assert bench.run("run").code == 0
    assert "7 New Street" in bench.sent("PO-NEW")[0].edi


def test_poll_full_reads_master_data_again(bench: Bench) -> None:
    assert bench.run("run").code == 0
    with bench.sandbox.lock:
        first = bench.sandbox.plex.tenant.orders[0]
        first.supplier.addresses[0].street = "7 New Street"
        bench.sandbox.plex.add_order(copy_order(first, "PO-NEW", bench.sandbox.clock.now()))
    bench.later(minutes=5)
    assert bench.run("poll", "--full").code == 0
    assert bench.run("run").code == 0
    (sent,) = bench.sent("PO-NEW")
    assert "7 New Street" in sent.edi


def test_statuses_that_plex_did_not_have_are_read_again(bench: Bench) -> None:
    with bench.sandbox.lock:
        for order in bench.sandbox.plex.tenant.orders:
            order.modified = order.created = order.created.replace(year=2025)
            for line in order.lines:
                for release in line.releases:
                    release.modified = release.created = order.created
    end = meddle(bench, "plex", "statuses", lambda request, response: json_response([], 200))
    assert bench.run("run").code == 4
    end()
    bench.later(minutes=10)
    assert bench.run("run").code == 0


def test_each_order_goes_out_with_the_supplier_address_that_it_names(make_bench):
    """A supplier with two plants: the address in an 850 is that of its order, not of the order read last."""
    bench = make_bench(orders=6, suppliers=1, characters=(Character.PROMPT,))
    plex = bench.sandbox.plex
    with bench.sandbox.lock:
        supplier = plex.tenant.suppliers[0]
        main = supplier.addresses[0]
        second = replace(main, id="22222222-aaaa-4bbb-8ccc-000000000003", code="SECOND", street="9 Other Plant Road")
        supplier.addresses.append(second)
        wanted = [order for order in plex.tenant.orders if order.status == "On Order"]
        for order in wanted[::2]:
            order.supplier = replace(supplier, addresses=[second])
    bench.run("run")
    for position, order in enumerate(wanted):
        (document,) = bench.sent(order.number)
        street = second.street if position % 2 == 0 else main.street
        assert f"~N3*{street}".upper() in document.edi.upper(), order.number
    # A later run that reads only one of them changes nothing for the others.
    bench.later(hours=3)
    bench.run("run")
    ran = bench.run("replay", wanted[0].number, "--reason", "lost", "--purpose", "07", "--yes")
    assert ran.code == 0, ran.err
    assert f"~N3*{second.street}".upper() in bench.sent(wanted[0].number)[-1].edi.upper()
