"""A document whose totals, or whose quantity left to receive, are not true is refused: the sandbox counts itself."""

from __future__ import annotations

import copy
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from plexstedi.sandbox.server import Sandbox
from plexstedi.sandbox.stedi.totals_check import check_totals
from tests.sandbox.suppliers.test_replies import answered, partner_and_order

PO1, POC, IT1 = ("PO1", "1", "60", "EA", "2"), ("POC", "1", "QI", "60", "20", "EA"), ("IT1", "1", "60", "EA", "2")


@pytest.mark.parametrize(
    ("set_id", "body", "wrong"),
    [
        ("850", [PO1, PO1, ("CTT", "2", "120")], None),
        ("850", [PO1, PO1, ("CTT", "2")], None),
        ("850", [PO1, ("PO1", "2", ".5", "EA"), ("CTT", "2", "60.5")], None),
        ("850", [PO1, PO1, ("CTT", "2", "60")], "CTT02"),
        ("850", [PO1, ("CTT", "2", "60")], "CTT01"),
        ("860", [POC, ("CTT", "1", "60")], None),
        ("860", [("POC", "1", "DI", "0", "0", "EA"), ("CTT", "1", "0")], None),
        ("860", [("POC", "1", "QI", "60", "61", "EA")], "POC04"),
        ("860", [("POC", "1", "DI", "0", "20", "EA")], "POC04"),
        ("860", [POC, ("CTT", "1", "20")], "CTT02"),
        ("810", [IT1, ("CTT", "1", "60")], None),
        ("810", [IT1, ("CTT", "1", "2")], "CTT02"),
    ],
)
def test_what_a_document_says_of_itself_is_counted(set_id: str, body: list[Any], wrong: str | None) -> None:
    found = " ".join(error.message for error in check_totals(set_id, body))
    assert (wrong or "") in found
    assert bool(found) == (wrong is not None)


@pytest.mark.parametrize("release", ["004010", "005010"])
def test_stedi_takes_no_order_whose_sum_is_not_that_of_its_lines(
    sandbox: Sandbox, caller: Any, guide_850: Any, release: str
) -> None:
    partner, order = partner_and_order(sandbox, release)
    document = guide_850(order, release)
    totals = document["summary"]["transaction_totals_CTT_loop"][0]["transaction_totals_CTT"]
    totals["hash_total_02"] = 121
    refused = caller.generate(partner, copy.deepcopy(document))
    assert (refused.status_code, "CTT02" in refused.text) == (400, True)
    totals["hash_total_02"] = 120
    assert caller.generate(partner, document).status_code == 200


@pytest.mark.parametrize(("left", "answers"), [(144, False), (104, True)])
def test_a_supplier_acknowledges_no_change_that_says_another_quantity_left_than_it_counts(
    sandbox: Sandbox, caller: Any, guide_850: Any, guide_860: Any, left: int, answers: bool
) -> None:
    partner, order = partner_and_order(sandbox, "004010")
    assert caller.generate(partner, guide_850(order, "004010")).status_code == 200
    sandbox.plex.receive(order.number, order.lines[0].number, order.lines[0].releases[0].number, Decimal(40))
    change = guide_860(order, "004010", 144)
    change["detail"]["line_item_change_POC_loop"][0]["line_item_change_POC"]["quantity_left_to_receive_04"] = left
    assert caller.generate(partner, change, set_id="860", filename="b.edi").status_code == 200
    sandbox.advance(timedelta(days=7))
    assert ("865" in [set_id for set_id, _ in answered(caller)]) == answers
