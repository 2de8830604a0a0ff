"""Every character answers what its 850 said, so that a demo shows a buyer's real morning and tests can rely on it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.plex.records import Order
from plexstedi.sandbox.plex.sample_data import TradingPartner
from plexstedi.sandbox.server import Sandbox
from plexstedi.sandbox.stedi.guide_check import check_base
from plexstedi.sandbox.stedi.guide_names import layout

RELEASES = ("004010", "005010")


def partner_and_order(sandbox: Sandbox, release: str, *, lines: int = 1) -> tuple[TradingPartner, Order]:
    """A supplier of that release and an order of it in pieces, whose first line has one firm release."""
    for order in sandbox.plex.tenant.orders:
        partner = next((p for p in sandbox.sample_data.partners if p.code == order.supplier.code), None)
        if partner is not None and partner.release == release and len(order.lines) >= lines:
            order.lines = order.lines[:lines] if lines > 1 else order.lines[:1]
            for line in order.lines:
                line.unit = "Ea"
                line.releases = line.releases[:1]
                line.releases[0].quantity, line.releases[0].status = Decimal(120), "Firm"
            return partner, order
    raise AssertionError("the made-up tenant has no such order")


def answers(caller: Any, partner: TradingPartner, order: Order, guide_850: Any, character: Character) -> list[Any]:
    """(set, Guide JSON) of all that comes back within a week."""
    sandbox = caller.sandbox
    sandbox.set_character(partner.code, character)
    assert caller.generate(partner, guide_850(order, partner.release)).status_code == 200
    sandbox.advance(timedelta(days=7))
    return answered(caller)


def answered(caller: Any) -> list[Any]:
    return [
        (item["x12"]["metadata"]["transaction"]["transactionSetIdentifier"], caller.output(item))
        for item in caller.polled()
        if item["direction"] == "INBOUND"
    ]


def acks(document: dict[str, Any], line: int = 0) -> list[dict[str, Any]]:
    loop = document["detail"]["baseline_item_data_PO1_loop"][line]
    return [each["line_item_acknowledgment_ACK"] for each in loop.get("line_item_acknowledgment_ACK_loop", [])]


def head(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["heading"]["beginning_segment_for_purchase_order_acknowledgment_BAK"]
    return found


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("character", list(Character))
def test_every_response_is_what_the_base_specification_of_its_release_allows(
    sandbox: Sandbox, caller: Any, guide_850: Any, guide_860: Any, release: str, character: Character
) -> None:
    partner, order = partner_and_order(sandbox, release, lines=2)
    found = answers(caller, partner, order, guide_850, character)
    assert caller.generate(partner, guide_860(order, release, 144), set_id="860", filename="b.edi").status_code == 200
    sandbox.advance(timedelta(days=7))
    found = answered(caller)
    for set_id, document in found:
        assert check_base(document, layout(set_id, release)) == []
    assert bool(found) == (character is not Character.SILENT)


@pytest.mark.parametrize("release", RELEASES)
def test_prompt_accepts_as_ordered_with_both_dates(sandbox: Sandbox, caller: Any, guide_850: Any, release: str) -> None:
    partner, order = partner_and_order(sandbox, release)
    (receipt_set, receipt), (answer_set, answer) = answers(caller, partner, order, guide_850, Character.PROMPT)
    assert (receipt_set, answer_set) == ("997", "855")
    assert receipt["heading"]["functional_group_response_trailer_AK9"]["functional_group_acknowledge_code_01"] == "A"
    assert head(answer)["acknowledgment_type_02"] == "AD"
    assert head(answer)["purchase_order_number_03"] == order.number
    (ack,) = acks(answer)
    assert (ack["line_item_status_code_01"], ack["quantity_02"]) == ("IA", 120)
    assert (ack["date_time_qualifier_04"], ack["date_05"]) == ("068", f"{order.lines[0].releases[0].due}")


def test_997_names_the_group_and_set_that_stedi_gave_the_850(sandbox: Sandbox, caller: Any, guide_850: Any) -> None:
    partner, order = partner_and_order(sandbox, "004010")
    caller.generate(partner, guide_850(order, partner.release), filename="first.edi")
    numbers = caller.generate(partner, guide_850(order, partner.release), filename="second.edi").json()["metadata"]
    sandbox.advance(timedelta(days=1))
    groups = [
        document["heading"]["functional_group_response_header_AK1"]["group_control_number_02"]
        for set_id, document in answered(caller)
        if set_id == "997"
    ]
    assert groups == [1, 2]
    assert numbers["interchangeMetadata"][0]["functionalGroupControlNumbers"] == [2]


def test_partial_splits_the_first_line_into_parts_that_add_up(sandbox: Sandbox, caller: Any, guide_850: Any) -> None:
    partner, order = partner_and_order(sandbox, "005010")
    _, (_, answer) = answers(caller, partner, order, guide_850, Character.PARTIAL)
    assert [(a["line_item_status_code_01"], a["quantity_02"]) for a in acks(answer)] == [("IB", 48), ("IA", 72)]


def test_splitting_promises_two_dates_that_add_up(sandbox: Sandbox, caller: Any, guide_850: Any) -> None:
    partner, order = partner_and_order(sandbox, "004010")
    _, (_, answer) = answers(caller, partner, order, guide_850, Character.SPLITTING)
    assert sum(a["quantity_02"] for a in acks(answer)) == 120
    assert len({a["date_05"] for a in acks(answer)}) == 2


def test_echo_and_bare_give_no_acknowledgment_loops(sandbox: Sandbox, caller: Any, guide_850: Any) -> None:
    partner, order = partner_and_order(sandbox, "004010")
    _, (_, echo) = answers(caller, partner, order, guide_850, Character.ECHO)
    assert acks(echo) == []
    assert head(echo)["acknowledgment_type_02"] == "AD"
    sandbox.set_character(partner.code, Character.BARE)
    caller.generate(partner, guide_850(order, partner.release), filename="again.edi")
    sandbox.advance(timedelta(days=1))
    bare = answered(caller)[-1][1]
    assert "detail" not in bare
    assert head(bare)["acknowledgment_type_02"] == "AK"


def test_renumbering_keeps_the_part_and_loses_our_line_number(sandbox: Sandbox, caller: Any, guide_850: Any) -> None:
    partner, order = partner_and_order(sandbox, "004010")
    _, (_, answer) = answers(caller, partner, order, guide_850, Character.RENUMBERING)
    item = answer["detail"]["baseline_item_data_PO1_loop"][0]["baseline_item_data_PO1"]
    assert item["assigned_identification_01"] == "101"
    assert order.lines[0].part is not None
    assert item["product_service_id_07"] == order.lines[0].part.number


def test_wrong_units_confirms_in_cases_of_twelve(sandbox: Sandbox, caller: Any, guide_850: Any) -> None:
    partner, order = partner_and_order(sandbox, "004010")
    _, (_, answer) = answers(caller, partner, order, guide_850, Character.WRONG_UNITS)
    (ack,) = acks(answer)
    assert (ack["quantity_02"], ack["unit_or_basis_for_measurement_code_03"]) == (10, "CA")


def test_sloppy_says_changed_where_nothing_is_and_accepted_where_the_date_moved(
    sandbox: Sandbox, caller: Any, guide_850: Any
) -> None:
    partner, order = partner_and_order(sandbox, "004010", lines=2)
    _, (_, answer) = answers(caller, partner, order, guide_850, Character.SLOPPY)
    (first,), (second,) = acks(answer, 0), acks(answer, 1)
    due = [f"{line.releases[0].due}" for line in order.lines]
    assert (first["line_item_status_code_01"], first["quantity_02"], first["date_05"]) == ("IC", 120, due[0])
    assert second["line_item_status_code_01"] == "IA"
    assert second["date_05"] > due[1]


def test_corrected_sends_a_later_855_that_takes_back_the_first(sandbox: Sandbox, caller: Any, guide_850: Any) -> None:
    partner, order = partner_and_order(sandbox, "004010")
    _, (_, first), (_, second) = answers(caller, partner, order, guide_850, Character.CORRECTED)
    due = f"{order.lines[0].releases[0].due}"
    assert acks(first)[0]["date_05"] > due == acks(second)[0]["date_05"]
    assert head(first)["date_09"] < head(second)["date_09"]


def test_rejecting_gives_a_reason_and_rejects_a_one_line_order_as_a_whole(
    sandbox: Sandbox, caller: Any, guide_850: Any
) -> None:
    partner, order = partner_and_order(sandbox, "004010", lines=1)
    _, (_, answer) = answers(caller, partner, order, guide_850, Character.REJECTING)
    assert head(answer)["acknowledgment_type_02"] == "RD"
    assert acks(answer)[0]["line_item_status_code_01"] == "IR"
    assert acks(answer)[0]["industry_code_29"] == "ITEM DISCONTINUED"


def test_rejects_syntax_sends_a_997_that_names_segment_and_element_and_no_855(
    sandbox: Sandbox, caller: Any, guide_850: Any
) -> None:
    partner, order = partner_and_order(sandbox, "004010")
    ((set_id, receipt),) = answers(caller, partner, order, guide_850, Character.REJECTS_SYNTAX)
    assert set_id == "997"
    (loop,) = receipt["heading"]["transaction_set_response_header_AK2_loop"]
    assert loop["transaction_set_response_trailer_AK5"]["transaction_set_acknowledgment_code_01"] == "R"
    (segment,) = loop["data_segment_note_AK3_loop"]
    assert segment["data_segment_note_AK3"]["segment_id_code_01"] == "PO1"
    assert segment["data_segment_note_AK3"]["segment_position_in_transaction_set_02"] == 3
    assert segment["data_element_note_AK4"][0]["data_element_syntax_error_code_03"] == "7"


def test_late_acknowledges_after_days_and_silent_never(sandbox: Sandbox, caller: Any, guide_850: Any) -> None:
    partner, order = partner_and_order(sandbox, "004010")
    sandbox.set_character(partner.code, Character.LATE)
    caller.generate(partner, guide_850(order, partner.release))
    sandbox.advance(timedelta(days=3))
    assert [set_id for set_id, _ in answered(caller)] == ["997"]
    sandbox.advance(timedelta(days=2))
    assert [set_id for set_id, _ in answered(caller)] == ["997", "855"]


def test_865_to_an_860_confirms_the_changed_line_as_it_is_now(
    sandbox: Sandbox, caller: Any, guide_850: Any, guide_860: Any
) -> None:
    partner, order = partner_and_order(sandbox, "004010", lines=2)
    answers(caller, partner, order, guide_850, Character.PROMPT)
    assert (
        caller.generate(
            partner, guide_860(order, partner.release, 240, line=2), set_id="860", filename="c.edi"
        ).status_code
        == 200
    )
    sandbox.advance(timedelta(days=1))
    set_id, answer = answered(caller)[-1]
    assert set_id == "865"
    begin = answer["heading"]["beginning_segment_for_purchase_order_change_acknowledgment_BCA"]
    assert begin["change_order_sequence_number_05"] == "1"
    (loop,) = answer["detail"]["line_item_change_POC_loop"]
    assert loop["line_item_change_POC"]["assigned_identification_01"] == "2"
    (ack,) = loop["line_item_acknowledgment_ACK_loop"]
    assert ack["line_item_acknowledgment_ACK"]["quantity_02"] == 240


def test_865_to_a_deleted_line_says_id(sandbox: Sandbox, caller: Any, guide_850: Any, guide_860: Any) -> None:
    partner, order = partner_and_order(sandbox, "005010", lines=2)
    answers(caller, partner, order, guide_850, Character.PROMPT)
    change = guide_860(order, partner.release, 0, code="DI", line=2)
    assert caller.generate(partner, change, set_id="860", filename="d.edi").status_code == 200
    sandbox.advance(timedelta(days=1))
    (loop,) = answered(caller)[-1][1]["detail"]["line_item_change_POC_loop"]
    (ack,) = loop["line_item_acknowledgment_ACK_loop"]
    assert ack["line_item_acknowledgment_ACK"]["line_item_status_code_01"] == "ID"


def test_a_supplier_that_acknowledges_changes_by_855_confirms_the_whole_order_as_changed(
    sandbox: Sandbox, caller: Any, guide_850: Any, guide_860: Any
) -> None:
    partner = next(p for p in sandbox.sample_data.partners if p.change_reply == "855")
    order = next(o for o in sandbox.plex.tenant.orders if o.supplier.code == partner.code)
    answers(caller, partner, order, guide_850, Character.PROMPT)
    caller.generate(partner, guide_860(order, partner.release, 7777), set_id="860", filename="e.edi")
    sandbox.advance(timedelta(days=1))
    set_id, answer = answered(caller)[-1]
    assert set_id == "855"
    assert len(answer["detail"]["baseline_item_data_PO1_loop"]) == len(order.lines)
    assert acks(answer)[0]["quantity_02"] == 7777


def test_acknowledgments_can_be_called_for_at_once(sandbox: Sandbox, caller: Any, guide_850: Any) -> None:
    partner, order = partner_and_order(sandbox, "004010")
    sandbox.set_character(partner.code, Character.LATE)
    caller.generate(partner, guide_850(order, partner.release))
    assert caller.control("POST", "supplier-answers") == {"answers": 2}
    sandbox.advance(timedelta(seconds=16))
    assert [set_id for set_id, _ in answered(caller)] == ["997", "855"]
