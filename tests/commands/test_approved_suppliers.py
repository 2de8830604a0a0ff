"""`plex.approved_supplier_parts`: a line without the supplier's part number gets it from Plex's approved suppliers."""

from __future__ import annotations

import pytest

from plexstedi.sandbox.plex.records import ApprovedSupplier

from .conftest import Bench

OWN = "ACME-77-B"


@pytest.fixture
def line(bench: Bench) -> tuple[str, int]:
    """The number of an order, and of a line of it that has no part number of the supplier."""
    tenant = bench.sandbox.plex.tenant
    order = next(each for each in tenant.orders if each.lines)
    found = order.lines[0]
    found.supplier_part = None
    assert found.part is not None
    tenant.approved.append(
        ApprovedSupplier("0a1f6d6b-0000-4000-8000-000000000001", found.part.id, order.supplier.id, OWN)
    )
    return order.number, found.number


def with_approved(bench: Bench) -> None:
    bench.write_config(lambda text: text.replace("[plex]\n", "[plex]\napproved_supplier_parts = true\n", 1))


def sent(bench: Bench, number: str) -> str:
    ran = bench.run("submit", "--dry-run", "--order", number, "--show", "x12")
    assert ran.code == 0, ran.err
    return ran.out


def test_the_number_is_sent_where_the_line_has_none(bench: Bench, line: tuple[str, int]) -> None:
    with_approved(bench)
    bench.run("poll")
    assert f"*VP*{OWN}" in sent(bench, line[0])


def test_without_the_setting_plex_is_not_asked(bench: Bench, line: tuple[str, int]) -> None:
    bench.run("poll")
    assert OWN not in sent(bench, line[0])


def test_an_edit_of_the_approved_supplier_is_no_change_of_the_order(bench: Bench, line: tuple[str, int]) -> None:
    with_approved(bench)
    bench.run("run")
    bench.later(hours=1)
    bench.run("run")
    bench.sandbox.plex.tenant.approved[0].part_number = "ACME-78"
    bench.later(hours=25)
    ran = bench.run("poll", "--full", "--json").json
    assert (ran["counts"]["orders_changed"], ran["due"]) == (0, [])


def test_two_numbers_for_one_part_are_not_guessed(bench: Bench, line: tuple[str, int]) -> None:
    approved = bench.sandbox.plex.tenant.approved
    approved.append(
        ApprovedSupplier(
            "0a1f6d6b-0000-4000-8000-000000000002", approved[0].part_id, approved[0].supplier_id, "ACME-99"
        )
    )
    with_approved(bench)
    bench.run("poll")
    assert OWN not in sent(bench, line[0])
    assert "ACME-99" not in sent(bench, line[0])
