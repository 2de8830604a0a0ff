"""A hold names what is really missing, and doing what it says sends the order or shows the next true reason."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from plexstedi.edi.order import Order
from plexstedi.edi.outbound.document import Prepared, prepare_invoice
from plexstedi.edi.partner import Partner
from plexstedi.edi.reasons import Held, Reason
from plexstedi.edi.settings import Company, SupplierSettings
from tests.edi.following import followed, settings_of
from tests.edi.guide.test_any_guide import _OPERATIONS, _mutate, _orders
from tests.edi.guide_holds import BARE, CASES, CHANGE_CASES, REF, Schema, heading, items, loop, require
from tests.edi.guides.corpus import GUIDES_810, GUIDES_850, GUIDES_860
from tests.edi.guides.shapes import code, many, obj, text
from tests.edi.outbound_facts import assert_valid
from tests.edi.outbound_orders import CHANGES, INVOICES, ORDERS, SETTINGS, changed, partner, sent
from tests.examples import examples


def company_of(settings: dict[str, Any]) -> Company:
    return Company.of({"name": "Us Inc", "code": "US1", **settings.get("_company", {})})


def to_partner(guides: dict[str, Schema], settings: dict[str, Any]) -> Partner:
    made = partner(guides)
    own = {key: value for key, value in {**SETTINGS, **settings}.items() if key != "_company"}
    return Partner(made.code, SupplierSettings.of(own), company_of(settings), made.name, made.address, guides)


@pytest.mark.parametrize("name", CASES)
def test_doing_what_the_reason_says_sends_the_order(name: str) -> None:
    case = CASES[name]
    schema = copy.deepcopy(GUIDES_850["full-4010"][0])
    case.guide(schema)
    settings = copy.deepcopy({**SETTINGS, **case.settings})
    ordered, seen = case.order, set[Reason]()
    result = sent(ordered, to_partner({"850": schema}, settings))
    assert isinstance(result, Held), "nothing holds it"
    (first, *_) = [r for r in result.reasons if re.search(case.says, f"{r.where} {r.message}")] or [None]
    assert first is not None, [str(reason) for reason in result.reasons]
    assert re.search(case.advises, first.fix), first.fix
    for _ in range(6):
        if isinstance(result, Prepared):
            break
        # A reason that stands after its advice was followed would lead in a circle.
        assert not seen & set(result.reasons), [str(reason) for reason in result.reasons]
        seen |= set(result.reasons)
        settings = followed(settings, result.reasons)
        if case.plex is not None:
            ordered = case.plex(ordered)
        if case.supplier is not None:
            schema = copy.deepcopy(schema)
            case.supplier(schema)
        result = sent(ordered, to_partner({"850": schema}, settings))
    if case.then == "sent":
        assert isinstance(result, Prepared), [str(reason) for reason in result.reasons]
        assert_valid(result, schema)
    else:
        assert isinstance(result, Held)


@pytest.mark.parametrize("name", CHANGE_CASES)
def test_doing_what_the_reason_says_sends_the_change(name: str) -> None:
    case = CHANGE_CASES[name]
    schema = copy.deepcopy(GUIDES_860["change-full"][0])
    case.guide(schema)
    settings, seen = copy.deepcopy({**SETTINGS, **case.settings}), set[Reason]()
    before, after = CHANGES[case.change]
    result = sent(after, to_partner({"860": schema}, settings), has=before, sequence=1)
    assert isinstance(result, Held)
    (first, *_) = [r for r in result.reasons if re.search(case.says, f"{r.where} {r.message}")] or [None]
    assert first is not None, [str(reason) for reason in result.reasons]
    assert re.search(case.advises, first.fix), first.fix
    for _ in range(4):
        if isinstance(result, Prepared):
            break
        assert not seen & set(result.reasons), [str(reason) for reason in result.reasons]
        seen |= set(result.reasons)
        settings = followed(settings, result.reasons)
        if case.supplier is not None:
            schema = copy.deepcopy(schema)
            case.supplier(schema)
        result = sent(after, to_partner({"860": schema}, settings), has=before, sequence=1)
    assert isinstance(result, Prepared), [str(reason) for reason in result.reasons]


def test_an_invoices_advice_names_the_customers_table_and_the_other_side() -> None:
    schema = copy.deepcopy(GUIDES_810["invoice-4010"][0])
    line_ = loop(schema, "baseline_item_data_invoice_IT1_loop")["properties"]["baseline_item_data_invoice_IT1"]
    line_["properties"]["product_service_id_qualifier_06"] = code("VN")
    line_["required"] += ["product_service_id_qualifier_06", "product_service_id_07"]
    line_["properties"]["unit_or_basis_for_measurement_code_03"] = code("PC")
    invoice = INVOICES["plain"]
    settings = copy.deepcopy(SETTINGS)
    for _ in range(3):
        result = prepare_invoice(invoice, to_partner({"810": schema}, settings))
        if isinstance(result, Prepared):
            break
        told = " ".join(str(reason) for reason in result.reasons)
        assert "[customers.ACME01.items] write supplier_part" in told
        assert "[customers.ACME01.units] write Ea" in told
        settings = followed(settings, result.reasons)
    assert isinstance(result, Prepared)


def test_all_that_a_guide_does_not_take_is_said_at_once() -> None:
    schema = copy.deepcopy(GUIDES_850["full-4010"][0])
    CASES["two misfits of one line at once"].guide(schema)
    require(
        heading(schema),
        f"{REF}_department",
        many(obj(reference_identification_qualifier_01_R=code("19"), reference_identification_02_R=text(1, 30))),
    )
    items("SK")(schema)
    held = sent(ORDERS["three-releases"], partner({"850": schema}))
    assert isinstance(held, Held)
    told = " ".join(str(reason) for reason in held.reasons)
    for what in ("whole numbers only", "unit EA is not accepted: FT", "19", "SK"):
        assert what in told


def test_our_part_number_is_never_advised_under_the_vendors_qualifier() -> None:
    for theirs in ("VP", "VN", "VC"):
        for ours in ("BP", "IN", "PN", "CB"):
            schema = copy.deepcopy(GUIDES_850["full-4010"][0])
            items(theirs)(schema)
            for number_ in (None, "S-1"):
                held = sent(
                    changed(BARE, supplier_part=number_),
                    partner({"850": schema}, items={"part": ours, "supplier_part": "ZZ"}),
                )
                assert isinstance(held, Held)
                for reason in held.reasons:
                    for path, value in settings_of(reason.fix):
                        assert (path[-1], value) != ("part", theirs)
    # And the supplier's number never under ours.
    schema = copy.deepcopy(GUIDES_850["full-4010"][0])
    items("IN")(schema)
    held = sent(changed(ORDERS["no-part"], supplier_part="S-1"), partner({"850": schema}))
    assert isinstance(held, Held)
    assert all(path[-1] != "supplier_part" for r in held.reasons for path, _ in settings_of(r.fix))


def test_no_constant_is_advised_for_what_changes_from_order_to_order() -> None:
    for name, (schema, settings) in GUIDES_850.items():
        for ordered in ORDERS.values():
            held = sent(ordered, partner({"850": schema}, **settings))
            for reason in held.reasons if isinstance(held, Held) else ():
                if "constant" in reason.fix:
                    assert "only if it is the same in every order" in reason.fix, (name, str(reason))


@pytest.mark.parametrize("name", GUIDES_850)
@pytest.mark.parametrize("order_name", ORDERS)
def test_no_advice_of_the_corpus_leads_in_a_circle(name: str, order_name: str) -> None:
    schema, settings = GUIDES_850[name]
    _never_again(ORDERS[order_name], schema, settings)


def _never_again(ordered: Order, schema: Schema, settings: dict[str, Any]) -> None:
    """A reason whose fix is a setting does not stand once that setting is written."""
    own = copy.deepcopy({**SETTINGS, **settings})
    result = sent(ordered, to_partner({"850": schema}, own))
    if not isinstance(result, Held):
        return
    # What has to be done in Plex first stands until it is done.
    led = [r for r in result.reasons if settings_of(r.fix) and not re.match(r"(Set|Enter) [^:;]*in Plex", r.fix)]
    again = sent(ordered, to_partner({"850": schema}, followed(own, led)))
    standing = set(again.reasons) if isinstance(again, Held) else set()
    assert not standing & set(led), [str(reason) for reason in standing & set(led)]


@profile(max_examples=examples(100), suppress_health_check=[HealthCheck.too_slow])
@given(
    base=st.sampled_from(list(GUIDES_850)),
    mutations=st.lists(
        st.tuples(st.integers(0, 200), st.integers(0, 50), st.sampled_from(_OPERATIONS)), min_size=1, max_size=12
    ),
    ordered=_orders(),
)
def test_no_advice_about_any_guide_leads_in_a_circle(
    base: str, mutations: list[tuple[int, int, str]], ordered: Order
) -> None:
    schema, settings = copy.deepcopy(GUIDES_850[base])
    for which, what, operation in mutations:
        _mutate(schema, which, what, operation)
    _never_again(ordered, schema, settings)
