"""What a supplier's acknowledgment means, seen from the whole program: never silently wrong, never held for ever."""

from __future__ import annotations

import json
import urllib.request
from decimal import Decimal

import pytest

from plexstedi.sandbox.characters import Character
from tests.commands.test_acknowledgments import reviews, standing

WHY = ("--reason", "agreed by phone")


def control(bench, method: str, path: str, body: dict) -> dict:
    """The sandbox's own routes, as a person who tries things by hand calls them."""
    request = urllib.request.Request(
        f"{bench.sandbox.urls.plex_url}/_sandbox/{path}",
        data=json.dumps(body).encode(),
        method=method,
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read() or b"{}")


@pytest.fixture
def sent(make_bench):
    """A silent supplier with one order of one line and two releases sent; the order, and what its line says."""
    bench = make_bench(orders=1, suppliers=1, characters=(Character.SILENT,))
    order = bench.sandbox.plex.tenant.orders[0]
    for line in order.lines[1:]:
        bench.sandbox.plex.delete_line(order.number, line.number)
    line = order.lines[0]
    for release in line.releases[1:]:
        bench.sandbox.plex.edit_release(order.number, line.number, release.number, status="Cancelled")
    first = {"line": line.number, "release": line.releases[0].number, "quantity": 100, "due": "2026-12-17"}
    extra = {"line": line.number, "quantity": 30, "due": "2027-01-06"}
    control(bench, "PATCH", f"orders/{order.number}", {"releases": [first], "add_releases": [extra]})
    assert bench.run("run").code == 0
    bench.later(hours=1)
    bench.run("run")
    assert len(bench.sent(order.number)) == 1
    return bench, order


def po1(bench, order) -> list[str]:
    """PO1 of the order's line as it was sent first."""
    rows = [row.split("*") for row in bench.sent(order.number)[0].edi.split("~")]
    return next(row for row in rows if row[0] == "PO1")


def acknowledge(bench, order, code: str, quantity: int, **more) -> None:
    """The supplier's 855 of the one line as Guide JSON, through the sandbox's control API."""
    sent_line = po1(bench, order)
    ack = {"line_item_status_code_01": code, "quantity_02": quantity, "unit_or_basis_for_measurement_code_03": "EA"}
    loop = {
        "baseline_item_data_PO1": {
            "assigned_identification_01": sent_line[1],
            "quantity_ordered_02": more.get("echo", quantity),
            "unit_or_basis_for_measurement_code_03": sent_line[3],
            "unit_price_04": float(sent_line[4]),
            "product_service_id_qualifier_06": sent_line[6],
            "product_service_id_07": sent_line[7],
        },
        "line_item_acknowledgment_ACK_loop": [
            {"line_item_acknowledgment_ACK": {**ack, "unit_or_basis_for_measurement_code_03": sent_line[3]}}
        ],
        **more.get("line", {}),
    }
    transaction = {
        "heading": {
            "transaction_set_header_ST": {
                "transaction_set_identifier_code_01": "855",
                "transaction_set_control_number_02": 1,
            },
            "beginning_segment_for_purchase_order_acknowledgment_BAK": {
                "transaction_set_purpose_code_01": "00",
                "acknowledgment_type_02": "AC",
                "purchase_order_number_03": order.number,
                "date_04": "2026-11-23",
                "reference_identification_08": "SO-1",
                "date_09": more.get("dated", bench.sandbox.clock.now().date().isoformat()),
            },
            **more.get("heading", {}),
        },
        "detail": {"baseline_item_data_PO1_loop": [loop]},
        "summary": {"transaction_totals_CTT_loop": [{"transaction_totals_CTT": {"number_of_line_items_01": 1}}]},
    }
    partnership = bench.sandbox.made_up.partners[0].partnership_id
    control(bench, "POST", "inbound", {"partnership": partnership, "set": "855", "transaction": transaction})
    bench.later(minutes=5)


def the_line(bench, order) -> dict:
    (line,) = standing(bench, order).values()
    return line


def test_goods_that_come_before_the_acknowledgment_hold_nothing(sent):
    """A receipt is the normal end of a release in Plex: "run `submit`" would have nothing to send, for ever."""
    bench, order = sent
    line = order.lines[0]
    received = {"line": line.number, "release": line.releases[0].number, "quantity": 100}
    control(bench, "PATCH", f"orders/{order.number}", {"receive": [received]})
    bench.later(minutes=10)
    bench.run("run")
    acknowledge(bench, order, "IA", 130)
    ran = bench.run("run", "--json")
    assert (ran.code, ran.json["counts"]["attention"]) == (0, 0)
    assert (the_line(bench, order)["state"], the_line(bench, order)["confirmed"]) == ("confirmed", 30)
    assert reviews(bench) == []


def test_a_line_that_is_entered_again_is_written_where_it_is_now(sent):
    """The supplier sees the same order, so its word counts; it goes to the line that Plex has now."""
    bench, order = sent
    line = order.lines[0]
    with bench.sandbox.lock:
        plex = bench.sandbox.plex
        releases = [(r.quantity, r.due) for r in line.releases if r.status != "Cancelled"]
        for release in list(line.releases):
            plex.edit_release(order.number, line.number, release.number, status="Cancelled")
        for quantity, due in releases:
            plex.add_release(order.number, line.number, quantity, due)
    bench.later(minutes=10)
    before = bench.run("run", "--json")
    assert before.json["counts"]["documents_sent"] == 0
    acknowledge(bench, order, "IA", 130)
    ran = bench.run("run", "--json")
    assert (ran.code, the_line(bench, order)["state"]) == (0, "confirmed")
    assert [write.after["EDI_Confirmed_Qty"] for write in bench.writes(order.number) if write.line] == [Decimal(130)]
