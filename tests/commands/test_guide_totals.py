"""Guides that could not be filled before: the sum of the quantities (CTT02), what is left to receive (POC04).

Stedi checks each document against the guide, counts its totals itself, and the supplier answers only what agrees with
what it shipped.
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest
from msgspec import structs

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.plex.sample_data import sample_tenant
from plexstedi.sandbox.server import Sandbox
from tests.commands.advice import follow
from tests.commands.conftest import START, Bench
from tests.commands.services import instead, meddle
from tests.edi.guide.test_placement import guide
from tests.edi.guides.corpus import GUIDES_850, GUIDES_860

REFERENCES = '[suppliers.S001.references]\nIA = "V-1001"\n'


def with_guides(more_850: str = "", more_860: str = ""):
    """S001 with guides for 850 and 860."""

    def change(text: str) -> str:
        for set_id, more in (("850", more_850), ("860", more_860)):
            table = f"[suppliers.S001.{set_id}]\n"
            assert table in text
            text = text.replace(table, f'{table}guide_schema = "s001-{set_id}.json"\n{more}')
        return text + REFERENCES

    return change


@pytest.fixture(params=["003070", "004010", "007030"])
def bench(request, tmp_path):
    """One supplier of that release whose guides require CTT02 and POC04."""
    sample_data = sample_tenant(2, 1, 7, START, characters=(Character.PROMPT,))
    partners = [structs.replace(partner, release=request.param) for partner in sample_data.partners]
    sandbox = Sandbox(structs.replace(sample_data, partners=partners), SandboxClock.manual(START))
    with sandbox.serve():
        made = Bench(sandbox, tmp_path)
        for set_id, (name, table) in {
            "850": ("line-price", GUIDES_850),
            "860": ("change-left", GUIDES_860),
        }.items():
            schema, _ = guide(name, table)
            sandbox.use_guide("S001", set_id, schema)
            (tmp_path / f"s001-{set_id}.json").write_text(json.dumps(schema))
        made.write_config(with_guides('due_qualifier = "010"\n'))
        yield made


def ordered(bench):
    """One made-up order on the books, as simple as can be."""
    order = bench.sandbox.plex.tenant.orders[0]
    with bench.sandbox.lock:
        order.lines = order.lines[:1]
        line = order.lines[0]
        line.unit, line.order_unit, line.releases = "Ea", None, line.releases[:1]
        line.releases[0].quantity, line.releases[0].status = Decimal(120), "Firm"
        line.releases[0].due = date(2026, 12, 18)
        bench.sandbox.plex.tenant.orders[:] = [order]
        bench.sandbox.plex.reindex()
    return order


def run(bench):
    bench.later(minutes=5)
    done = bench.run("run", "--json")
    return done.json


def segments(document, segment_id: str) -> list[list[str]]:
    return [row.split("*") for row in document.edi.split("~") if row.startswith(f"{segment_id}*")]


def edit(bench, order, quantity: int) -> None:
    line = order.lines[0]
    with bench.sandbox.lock:
        bench.sandbox.plex.edit_release(order.number, line.number, line.releases[0].number, quantity=Decimal(quantity))


def confirmed(bench, number: str):
    (line,) = bench.run("status", number, "--json").json["lines"]
    return line["state"], line["confirmed"]


def test_totals_and_what_is_left_go_out_as_the_guides_require_and_are_acknowledged(bench):
    order = ordered(bench)
    assert run(bench)["counts"]["documents_sent"] == 1
    (sent,) = bench.sent(order.number)
    assert segments(sent, "CTT")[0][2] == "120"
    assert segments(sent, "CTP")[0][2] == "UCP"
    assert segments(sent, "SCH")[0][5] == "010"
    bench.later(hours=12)
    run(bench)
    assert confirmed(bench, order.number) == ("confirmed", 120)

    edit(bench, order, 150)
    assert run(bench)["counts"]["documents_sent"] == 1
    change = bench.sent(order.number)[-1]
    assert (segments(change, "POC")[0][3:5], segments(change, "CTT")[0][2]) == (["150", "150"], "150")
    bench.later(hours=12)
    run(bench)
    assert confirmed(bench, order.number) == ("confirmed", 150)

    line = order.lines[0]
    with bench.sandbox.lock:
        bench.sandbox.plex.receive(order.number, line.number, line.releases[0].number, Decimal(40))
    edit(bench, order, 130)
    held = run(bench)
    assert held["counts"]["documents_held"] == 1
    (review,) = bench.run("review", "list", "--json").json["reviews"]
    (reason,) = review["reasons"]
    assert reason["code"] == "quantity-left"
    assert 'in [suppliers.s001.860] write quantity_left = "open"' in reason["fix"].casefold()

    bench.write_config(with_guides('due_qualifier = "010"\n', 'quantity_left = "open"\n'))
    assert run(bench)["counts"]["documents_sent"] == 1
    change = bench.sent(order.number)[-1]
    assert segments(change, "POC")[0][3:5] == ["130", "90"]
    bench.later(hours=12)
    ended = run(bench)
    assert ended["counts"]["attention"] == 0
    # All 130 were confirmed; what came in is promised no more.
    assert confirmed(bench, order.number) == ("confirmed", 90)


def test_receipts_that_cannot_be_read_hold_the_change_and_check_names_them(bench):
    order = ordered(bench)
    end = meddle(bench, "plex", "/receipts$", instead(404))
    run(bench)
    bench.later(hours=12)
    run(bench)
    edit(bench, order, 150)
    assert run(bench)["counts"]["documents_held"] == 1
    (review,) = bench.run("review", "list", "--json").json["reviews"]
    checked = follow(bench, review["reasons"][0]["fix"]).json["findings"]
    (receipts,) = [one for one in checked if one["subject"] == "receipts"]
    assert receipts["verdict"] != "ok"
    end()
    assert run(bench)["counts"]["documents_sent"] == 1, "read again, the change goes out by itself"
