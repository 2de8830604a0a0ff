"""Every guide with every order: the document is valid and true, or held with a reason that names what to do."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from msgspec.structs import replace

from plexstedi.edi.order import Phase
from plexstedi.edi.outbound.actions import Nothing
from plexstedi.edi.outbound.document import Prepared, prepare_invoice
from plexstedi.edi.reasons import Held
from tests.edi.demands import demands
from tests.edi.guides.corpus import GUIDES_810, GUIDES_850, GUIDES_860
from tests.edi.outbound_facts import assert_facts_kept, assert_same_as_x12, assert_valid
from tests.edi.outbound_orders import CHANGES, INVOICES, ORDERS, must_send, partner, sent
from tests.edi.rendered import due

_UNSENDABLE = {
    "part-of-60": {"too-long"},
    "price-missing": {"price-missing"},
}
"""Orders that no guide can carry, and why."""

_TEXTS_WITH_A_PLACE = {
    "delimiter-note": ("text-has-delimiter", {"full-4010", "wants-contact", "line-price"}),
    "non-ascii-note": ("text-not-ascii", {"full-4010", "wants-contact", "line-price", "variants-5010", "narrow"}),
}
"""Texts that X12 cannot carry hold an order only with guides that have a place for them; others drop them."""

_REFUSED: dict[str, dict[str, set[str]]] = {
    "strict-5010": {name: {"due-without-place"} for name in ORDERS if name != "no-due"},
    "date-at-header": {
        "three-releases": {"due-without-place"},
        "no-due": {"guide-wants"},
        "no-part": {"guide-wants"},
    },
    "variants-5010": {"no-due": {"guide-wants"}, "no-ship-to": {"guide-wants"}},
    "wants-contact": {name: {"guide-wants"} for name in ORDERS},
    "narrow": {
        "two-lines": {"guide-no-place"},
        "three-releases": {"guide-no-place"},
        "no-part": {"description-too-long"},
    },
    "each-only": {"two-lines": {"guide-contradicts"}},
    "totals-3070": {"three-releases": {"due-without-place"}, "no-part": {"guide-wants"}},
}
"""Orders that a guide has no room for, and why."""


@pytest.mark.parametrize("name", GUIDES_850)
@pytest.mark.parametrize("order_name", ORDERS)
def test_an_850_fits_the_guide_or_waits_with_the_fix(name: str, order_name: str) -> None:
    schema, settings = GUIDES_850[name]
    order = ORDERS[order_name]
    result = sent(order, partner({"850": schema}, **settings))
    expected = _UNSENDABLE.get(order_name, set()) | _REFUSED.get(name, {}).get(order_name, set())
    text, guides = _TEXTS_WITH_A_PLACE.get(order_name, ("", set()))
    expected |= {text} if name in guides else set()
    if isinstance(result, Held):
        codes = {reason.code for reason in result.reasons}
        assert codes & expected, [str(reason) for reason in result.reasons]
        assert all(reason.where and reason.message and reason.fix for reason in result.reasons)
        return
    assert not expected
    assert_valid(result, schema)
    assert_same_as_x12(result)
    assert_facts_kept(order, result)


@pytest.mark.parametrize("name", GUIDES_860)
@pytest.mark.parametrize("change", CHANGES)
def test_an_860_fits_the_guide(name: str, change: str) -> None:
    schema, settings = GUIDES_860[name]
    before, after = CHANGES[change]
    supplier = partner({"860": schema}, **settings)
    if (name, change) == ("change-few-codes", "header-note"):
        assert due(before, after, supplier) == Nothing(), "this 860 has no place for a note"
        return
    result = sent(after, supplier, has=before, sequence=1)
    assert isinstance(result, Prepared)
    assert_valid(result, schema)
    assert_same_as_x12(result)


@pytest.mark.parametrize("name", GUIDES_860)
def test_a_cancellation_lists_lines_only_where_the_guide_wants_them(name: str) -> None:
    schema, settings = GUIDES_860[name]
    before = ORDERS["three-releases"]
    gone = replace(before, phase=Phase.CANCELLED)
    result = must_send(gone, partner({"860": schema}, **settings), has=before, sequence=2)
    assert_valid(result, schema)
    codes = [loop.head.text(2) for loop in result.transaction.detail if hasattr(loop, "head")]
    assert codes == (["DI"] if name == "change-few-codes" else [])


_HELD_810 = {
    # No place for tax or for the mark of a credit memo: sending would state another debt.
    ("invoice-4010", "taxed"): "TXI",
    ("invoice-4010", "credit"): "BIG07 CR",
    ("invoice-5010", "fraction"): "IT103 KG",
    ("invoice-5010", "charge-without-part"): "product_service_id_qualifier_06",
}
"""Invoices that a guide of the corpus cannot carry, with what the reason names."""


@pytest.mark.parametrize("name", GUIDES_810)
@pytest.mark.parametrize("invoice_name", INVOICES)
def test_an_810_fits_the_guide_or_waits(name: str, invoice_name: str) -> None:
    schema, settings = GUIDES_810[name]
    result = prepare_invoice(INVOICES[invoice_name], partner({"810": schema}, **settings))
    if isinstance(result, Held):
        assert _HELD_810[(name, invoice_name)] in " ".join(map(str, result.reasons))
        return
    assert (name, invoice_name) not in _HELD_810
    assert_valid(result, schema)
    assert_same_as_x12(result)


def _strict(**changes: object) -> Prepared | Held:
    schema, settings = GUIDES_850["strict-5010"]
    return sent(replace(ORDERS["no-due"], **changes), partner({"850": schema}, **settings))


def test_a_quantity_is_padded_and_item_numbers_go_to_the_pairs_that_take_them() -> None:
    result = _strict()
    assert isinstance(result, Prepared)
    detail = result.guide_json["detail"]
    assert isinstance(detail, dict)
    loops = detail["baseline_item_data_PO1_loop"]
    assert isinstance(loops, list)
    assert isinstance(loops[0], dict)
    assert loops[0]["baseline_item_data_PO1"] == {
        "assigned_identification_01": "10",
        "quantity_02": "0008",
        "unit_or_basis_for_measurement_code_03": "EA",
        "unit_price_04": pytest.approx(4.25),
        "product_service_id_qualifier_06": "VC",
        "product_service_id_07": "V-8",
        "product_service_id_qualifier_08": "SK",
        "product_service_id_09": "82695",
    }


def test_a_missing_required_value_names_the_guide_path_its_description_and_the_plex_field() -> None:
    result = _strict(ship_via=None)
    assert isinstance(result, Held)
    (reason,) = result.reasons
    assert reason.where == "heading.carrier_details_routing_sequence_transit_time_TD5.routing_05"
    assert "FHD - home delivery" in reason.message
    assert "ship via" in reason.fix


def test_what_the_guide_has_no_place_for_is_dropped_and_said() -> None:
    result = _strict()
    assert isinstance(result, Prepared)
    assert [d.fact for d in result.dropped] == ["CUR", "N1", "N1", "N1"]
    assert "CUR*BY*USD" in result.dropped[0].value


def test_the_order_type_follows_the_one_code_of_the_guide_that_fits() -> None:
    schema, settings = GUIDES_850["each-only"]
    result = must_send(ORDERS["one-line"], partner({"850": schema}, **settings))
    assert [s.text(2) for s in result.transaction.walk() if s.id == "BEG"] == ["NE"]
    held = sent(ORDERS["no-due"], partner({"850": GUIDES_850["strict-5010"][0]}, release="005010"))
    assert isinstance(held, Held)
    assert "order-type-not-taken" in {reason.code for reason in held.reasons}


def test_a_price_per_thousand_is_converted_exactly_where_there_is_no_place_for_its_basis() -> None:
    schema, settings = GUIDES_850["old-3040"]
    result = must_send(ORDERS["per-thousand"], partner({"850": schema}, **settings))
    assert [s.text(4) for s in result.transaction.walk() if s.id == "PO1"] == ["0.0125"]
    crooked = replace(ORDERS["per-thousand"].lines[0], price=ORDERS["two-lines"].lines[1].price)
    held = sent(replace(ORDERS["per-thousand"], lines=(crooked,)), partner({"850": schema}, **settings))
    assert isinstance(held, Held)
    assert [reason.code for reason in held.reasons] == ["price-not-exact"]


def test_a_guide_that_cannot_be_read_holds_the_order_and_says_where_to_get_it() -> None:
    for schema in ({"type": "object"}, {"properties": {"heading": {"$ref": "other.json#/x"}}}):
        held = sent(ORDERS["one-line"], partner({"850": schema}))
        assert isinstance(held, Held)
        assert held.reasons[0].code == "guide-unreadable"
        assert "View Schema" in held.reasons[0].fix


def test_sent_items_are_those_that_the_guide_took() -> None:
    schema, settings = GUIDES_850["date-at-header"]
    result = must_send(ORDERS["one-line"], partner({"850": schema}, **settings))
    assert result.sent.lines[0].items == {"BP": "82695"}


def test_a_note_without_place_is_dropped_unless_the_supplier_must_have_it() -> None:
    schema, settings = GUIDES_850["dates-at-lines"]
    order = ORDERS["typographic-note"]
    result = must_send(order, partner({"850": schema}, **settings))
    assert [d.value for d in result.dropped if d.fact == "note"] == [
        'Handle "with care" - fragile...',
        "Deliver before noon",
    ]
    held = sent(order, partner({"850": schema}, notes="required", **settings))
    assert isinstance(held, Held)
    assert {reason.code for reason in held.reasons} == {"note-without-place"}


def test_a_trailer_that_the_guide_requires_counts_every_segment() -> None:
    result = _strict()
    assert isinstance(result, Prepared)
    summary = result.guide_json["summary"]
    assert isinstance(summary, dict)
    assert summary["transaction_set_trailer_SE"] == {
        "number_of_included_segments_01": len(list(result.transaction.walk())) + 2,
        "transaction_set_control_number_02": "0001",
    }


_ENDLESS = {"properties": {"x_N1_loop": {"$ref": "#/$defs/n"}}}


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"heading": {"properties": {"x_REF": "text"}}}},
        {"properties": {"heading": {"properties": []}}},
        {
            "$defs": {"n": {"properties": {"x_N1_loop": {"$ref": "#/$defs/n"}}}},
            "properties": {"heading": {"$ref": "#/$defs/n"}},
        },
        {"properties": {"heading": {"properties": {"a_REF": {"properties": {"b_01": {"pattern": "("}}}}}}},
    ],
    ids=["no schema", "no object", "contains itself", "broken pattern"],
)
def test_a_malformed_schema_holds_the_order_instead_of_stopping_the_run(schema: dict[str, Any]) -> None:
    held = sent(ORDERS["no-due"], partner({"850": schema}))
    assert isinstance(held, Held)
    assert {"guide-unreadable", "guide-no-place"} & {reason.code for reason in held.reasons}


def test_the_demands_of_a_guide_say_what_is_met_and_where_the_rest_could_come_from() -> None:
    schema, _ = GUIDES_850["wants-contact"]
    full = must_send(ORDERS["one-line"], partner({"850": GUIDES_850["full-4010"][0]}))
    states = {d.path: d for d in demands(schema, full.guide_json)}
    assert states["heading.beginning_segment_for_purchase_order_BEG"].state == "met"
    contact = states["heading.administrative_communications_contact_PER"]
    assert (contact.state, contact.description) == ("missing", "Buyer to be called about the order")
    terms = states["heading.terms_of_sale_deferred_terms_of_sale_ITD"]
    assert (terms.state, terms.required) == ("unused", False)
    assert "`terms`" in terms.source


@pytest.mark.parametrize(
    "key", ["unit_price_04", "quantity_ordered_02", "unit_or_basis_for_measurement_code_03", "purchase_order_number_03"]
)
def test_a_guide_without_a_place_for_what_is_ordered_holds_the_order(key: str) -> None:
    schema = copy.deepcopy(GUIDES_850["full-4010"][0])
    heading, detail = schema["properties"]["heading"], schema["properties"]["detail"]
    line = detail["properties"]["baseline_item_data_PO1_loop"]["items"]["properties"]["baseline_item_data_PO1"]
    for owner in (line, heading["properties"]["beginning_segment_for_purchase_order_BEG"]):
        owner["properties"].pop(key, None)
        owner["required"] = [name for name in owner["required"] if name != key]
    held = sent(ORDERS["one-line"], partner({"850": schema}))
    assert isinstance(held, Held)
    assert any("no place" in reason.message for reason in held.reasons)


def test_releases_as_lines_need_a_place_for_their_ids() -> None:
    schema = copy.deepcopy(GUIDES_850["dates-at-lines"][0])
    loop = schema["properties"]["detail"]["properties"]["baseline_item_data_PO1_loop"]["items"]
    loop["properties"]["baseline_item_data_PO1"]["properties"].pop("assigned_identification_01")
    held = sent(ORDERS["three-releases"], partner({"850": schema}))
    assert isinstance(held, Held)
    assert [reason.code for reason in held.reasons] == ["line-id-without-place"]
