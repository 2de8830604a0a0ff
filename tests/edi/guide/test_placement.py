"""What a guide has room for is filled, what it requires is true, and what it has no place for holds nothing."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from msgspec.structs import replace

from plexstedi.edi.order import LineState, Phase, ReleaseState
from plexstedi.edi.outbound.actions import Cancel860, Change860
from plexstedi.edi.outbound.document import Prepared, prepare_invoice
from plexstedi.edi.reasons import Held
from plexstedi.edi.stream import streams
from plexstedi.edi.x12.limits import beyond_limits, placed_segments
from plexstedi.edi.x12.transaction import Composite, Loop, Segment
from tests.edi.guides.corpus import GUIDES_810, GUIDES_850, GUIDES_860
from tests.edi.outbound_facts import assert_valid
from tests.edi.outbound_orders import (
    CHANGES,
    INVOICES,
    ORDERS,
    SEEN,
    changed,
    line,
    must_send,
    order,
    partner,
    release,
    sent,
)
from tests.edi.rendered import due, prepare
from tests.examples import examples

D = Decimal
Schema = dict[str, Any]


def said(prepared: Prepared, segment_id: str) -> list[list[str | None]]:
    """Every segment of this id, its elements as text."""
    return [
        [segment.text(position) for position in range(1, len(segment.elements) + 1)]
        for segment in prepared.transaction.walk()
        if segment.id == segment_id
    ]


def codes(result: Prepared | Held) -> list[str]:
    assert isinstance(result, Held), "nothing holds it"
    return [reason.code for reason in result.reasons]


def guide(name: str, table: dict[str, tuple[Schema, dict[str, Any]]] = GUIDES_850) -> tuple[Schema, dict[str, Any]]:
    schema, settings = table[name]
    return copy.deepcopy(schema), dict(settings)


def heading(schema: Schema) -> Schema:
    found: Schema = schema["properties"]["heading"]["properties"]
    return found


def loop_of(schema: Schema, key: str) -> Schema:
    found: Schema = schema["properties"]["detail"]["properties"][key]["items"]["properties"]
    return found


# -- CTT02 -----------------------------------------------------------------------------------------------------------


def test_the_totals_hold_the_sum_of_the_quantities_where_the_guide_has_it() -> None:
    schema, settings = guide("line-price")
    result = must_send(ORDERS["three-releases"], partner({"850": schema}, **settings))
    assert said(result, "CTT") == [["1", "100.5"]]
    # Without a guide nothing asks for it.
    assert said(must_send(ORDERS["three-releases"], partner()), "CTT") == [["1"]]


def test_the_sum_of_a_change_is_that_of_its_lines_and_a_deleted_line_counts_nothing() -> None:
    schema, settings = guide("change-left", GUIDES_860)
    before, after = CHANGES["line-cancelled"]
    grown = replace(after, lines=(after.lines[0], replace(after.lines[1], releases=(release(1, "9", "11-20"),))))
    result = must_send(grown, partner({"860": schema}, **settings), has=before, sequence=1)
    assert said(result, "CTT") == [["2", "9"]]


def test_the_sum_of_an_invoice_is_that_of_what_is_billed() -> None:
    schema, settings = guide("invoice-5010", GUIDES_810)
    result = prepare_invoice(INVOICES["taxed"], partner({"810": schema}, **settings))
    assert isinstance(result, Prepared)
    assert said(result, "CTT") == [["2", "11"]]


@pytest.mark.parametrize("required", [False, True])
def test_a_sum_that_x12_cannot_carry_is_left_out_or_holds_where_the_guide_requires_it(required: bool) -> None:
    schema, settings = guide("full-4010")
    if required:
        ctt = schema["properties"]["summary"]["properties"]["transaction_totals_CTT_loop"]["items"]["properties"]
        ctt["transaction_totals_CTT"]["required"].append("hash_total_02")
    huge = order(line(10, release(1, "12345678901", "11-20")))
    result = sent(huge, partner({"850": schema}, **settings))
    if required:
        assert codes(result) == ["too-long"]
    else:
        assert isinstance(result, Prepared)
        assert [d.fact for d in result.dropped if d.fact == "CTT02"] == ["CTT02"]


# -- POC04 -----------------------------------------------------------------------------------------------------------


def change(
    name: str, received: dict[str, Decimal] | None, *, required: bool = True, **settings: Any
) -> tuple[Prepared | Held, Schema]:
    schema, own = guide("change-left", GUIDES_860)
    if not required:
        loop = loop_of(schema, "line_item_change_POC_loop")
        loop["line_item_change_POC"]["required"].remove("quantity_left_to_receive_04")
    before, after = CHANGES[name]
    to = partner({"860": schema}, **{**own, **settings})
    found = due(before, after, to)
    assert isinstance(found, Change860)
    return prepare(found, to, change_sequence=1, revision_seen=SEEN, received=received), schema


def left(result: Prepared | Held) -> list[str | None]:
    assert isinstance(result, Prepared), result
    return [poc[3] for poc in said(result, "POC")]


def test_while_nothing_was_received_all_is_left_to_receive() -> None:
    result, schema = change("quantity-up", {})
    assert left(result) == ["110.5"]
    assert isinstance(result, Prepared)
    assert_valid(result, schema)


def test_of_a_deleted_line_nothing_is_left_whatever_was_received() -> None:
    result, _ = change("line-cancelled", {"l10": D(30)})
    assert left(result) == ["0"]
    assert isinstance(result, Prepared)
    assert [poc[2] for poc in said(result, "POC")] == ["0"]


def test_a_cancelled_order_has_nothing_left_where_its_lines_are_listed() -> None:
    schema, settings = guide("change-left", GUIDES_860)
    schema["properties"]["detail"]["required"] = ["line_item_change_POC_loop"]
    schema["required"].append("detail")
    before = ORDERS["three-releases"]
    to = partner({"860": schema}, **settings)
    found = due(before, replace(before, phase=Phase.CANCELLED), to)
    assert isinstance(found, Cancel860)
    result = prepare(found, to, change_sequence=1, revision_seen=SEEN, received={"l10": D(40)})
    assert left(result) == ["0"]


def test_once_something_was_received_the_change_is_held_and_the_fix_sends_the_difference() -> None:
    held, _ = change("quantity-up", {"l10": D(40)})
    assert isinstance(held, Held)
    (reason,) = held.reasons
    assert (reason.code, reason.where) == ("quantity-left", "line 10")
    assert "40 EA were received of 110.5" in reason.message
    assert 'in [suppliers.ACME01.860] write quantity_left = "open"'.casefold() in reason.fix.casefold()
    followed, _ = change(
        "quantity-up", {"l10": D(40)}, **{"860": {"transaction_setting_id": "x", "quantity_left": "open"}}
    )
    assert left(followed) == ["70.5"]


_OPEN = {"860": {"transaction_setting_id": "x", "quantity_left": "open"}}


def test_a_line_that_is_ordered_again_after_its_deletion_has_less_left_than_ordered() -> None:
    """POC02 AI: its receipts from before the deletion count."""
    before, after = CHANGES["line-added"]
    schema, own = guide("change-left", GUIDES_860)
    for received, expected in (({}, "4"), ({"l20": D(3)}, "1")):
        to = partner({"860": schema}, **{**own, **_OPEN})
        found = due(before, after, to)
        assert isinstance(found, Change860)
        result = prepare(found, to, change_sequence=1, revision_seen=SEEN, received=received)
        assert left(result) == [expected]


def test_of_a_release_that_is_an_order_of_its_own_what_is_left_is_not_guessed() -> None:
    """Receipts are known for the whole line in Plex: those of the other release would count."""
    blanket = order(line(10, release(1, "50", "11-20"), release(2, "70", "12-20")), blanket=True)
    first, second = blanket.lines[0].releases
    after = changed(blanket, releases=(first, replace(second, quantity=D(90))))
    schema, own = guide("change-left", GUIDES_860)
    to = partner({"860": schema}, **{**own, **_OPEN, "releases": "order-per-release"})
    found = due(blanket, after, to, streams(blanket, to)[1])
    assert isinstance(found, Change860)
    assert left(prepare(found, to, change_sequence=1, revision_seen=SEEN, received={})) == ["90"]
    held = prepare(found, to, change_sequence=1, revision_seen=SEEN, received={"l10": D(50)})
    assert codes(held) == ["quantity-left"]


def test_what_came_in_beyond_the_order_leaves_nothing_and_never_less() -> None:
    result, _ = change("quantity-down", {"l10": D(100)}, **_OPEN)
    assert left(result) == ["0"]


def test_the_received_quantity_enters_no_other_element_and_no_guide_that_does_not_require_it() -> None:
    result, _ = change("quantity-up", {"l10": D(40)}, required=False)
    assert isinstance(result, Prepared)
    assert [poc[2:4] for poc in said(result, "POC")] == [["110.5", None]]


def test_the_received_quantity_is_said_in_the_unit_of_the_line() -> None:
    before = order(line(10, release(1, "5", "11-20"), unit="Box", price="6"))
    after = changed(before, releases=(release(1, "6", "11-20", id="l10-r1"),))
    schema, own = guide("change-left", GUIDES_860)
    to = partner({"860": schema}, **{**own, **_OPEN})
    found = due(before, after, to)
    assert isinstance(found, Change860)
    result = prepare(found, to, change_sequence=1, revision_seen=SEEN, received={"l10": D(2)})
    assert left(result) == ["48"]


def test_a_release_that_plex_has_as_received_without_a_receipt_is_never_left_to_receive() -> None:
    first = replace(ORDERS["three-releases"].lines[0].releases[0], state=ReleaseState.RECEIVED)
    before = ORDERS["three-releases"]
    rest = before.lines[0].releases[1:]
    after = changed(before, price=D(5), releases=(first, *rest))
    schema, own = guide("change-left", GUIDES_860)
    to = partner({"860": schema}, **{**own, **_OPEN})
    found = due(before, after, to)
    assert isinstance(found, Change860)
    assert codes(prepare(found, to, change_sequence=1, revision_seen=SEEN)) == ["quantity-left"]


def test_where_receipts_could_not_be_read_what_is_left_is_not_guessed() -> None:
    held, _ = change("quantity-up", None)
    assert isinstance(held, Held)
    (reason,) = held.reasons
    assert (reason.code, "plexstedi check" in reason.fix) == ("quantity-left", True)
    # Of a new line nothing can have come in, of a deleted one nothing is wanted, and other guides do not ask.
    assert left(change("line-added", None)[0]) == ["4"]
    assert left(change("line-cancelled", None)[0]) == ["0"]
    assert isinstance(change("quantity-up", None, required=False)[0], Prepared)


# -- Text without a place ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "more",
    [
        {"note": "Größe * prüfen ~"},
        {"ship_via": "Straße"},
        {"ship_via": "X" * 60},
        {"ship_to": "Werk Süd"},
        {"currency": "DOLLAR"},
    ],
    ids=["note", "routing", "long routing", "ship-to", "currency"],
)
def test_text_that_has_no_place_is_dropped_and_recorded_whatever_is_in_it(more: dict[str, Any]) -> None:
    schema, settings = guide("date-at-header")
    result = must_send(replace(ORDERS["one-line"], **more), partner({"850": schema}, **settings))
    (text,) = more.values()
    assert any(text in str(dropped) for dropped in result.dropped)
    full, settings = guide("full-4010")
    assert isinstance(sent(replace(ORDERS["one-line"], **more), partner({"850": full}, **settings)), Held)


def test_a_supplier_part_that_no_pair_takes_holds_nothing_however_it_is_written() -> None:
    schema, settings = guide("date-at-header")
    odd = order(line(10, release(1, "1", "11-20"), supplier_part="Ü*" + "9" * 60))
    result = must_send(odd, partner({"850": schema}, **settings))
    assert "VP" in " ".join(str(d) for d in result.dropped)


def test_an_address_of_a_party_that_the_guide_does_not_have_holds_nothing() -> None:
    schema, settings = guide("date-at-header")
    settings["ship_to"] = {"Plant 1": {"name": "Werk Süd", "city": "X" * 40}}
    assert must_send(ORDERS["one-line"], partner({"850": schema}, **settings))
    full, _ = guide("full-4010")
    assert set(codes(sent(ORDERS["one-line"], partner({"850": full}, **settings)))) == {"text-not-ascii", "too-long"}


def test_a_description_without_a_place_holds_nothing_however_long_it_is() -> None:
    schema, settings = guide("full-4010")
    pid = loop_of(schema, "baseline_item_data_PO1_loop")["product_item_description_PID_loop"]["items"]
    segment = pid["properties"]["product_item_description_PID"]
    del segment["properties"]["description_05"]
    segment["properties"]["product_description_code_04"] = {"type": "string"}
    wordy = order(line(10, release(1, "1", "11-20"), description="Ü" * 200))
    result = must_send(wordy, partner({"850": schema}, **settings))
    assert any(d.fact == "PID" for d in result.dropped)


def test_everything_that_is_wrong_with_what_is_sent_is_said_at_once() -> None:
    schema, settings = guide("wants-contact")
    odd = order(line(10, release(1, "1", "11-20"), part="P" * 60, description="Größe"), note="A*B", ship_via="X" * 40)
    assert set(codes(sent(odd, partner({"850": schema}, **settings)))) == {
        "too-long",
        "text-not-ascii",
        "text-has-delimiter",
        "guide-wants",
    }


_TEXTS = st.text(alphabet=st.sampled_from("ab 1*~>^ü“…\n\u00a0½"), min_size=1, max_size=90)


@profile(max_examples=examples(60))
@given(
    name=st.sampled_from(list(GUIDES_850)),
    texts=st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(("note", "ship_via", "ship_to", "currency", "description", "supplier_part"), _TEXTS),
    ),
)
def test_whatever_is_written_only_what_x12_can_carry_goes_out(name: str, texts: dict[str, str]) -> None:
    schema, settings = guide(name)
    of_line = {key: texts.pop(key) for key in ("description", "supplier_part") if key in texts}
    odd = replace(changed(ORDERS["no-due"], **of_line), **texts)
    result = sent(odd, partner({"850": schema}, **settings))
    if isinstance(result, Held):
        return
    said_ = "".join(text or "" for segment in result.transaction.walk() for text in map(segment.text, range(1, 30)))
    assert said_.isascii()
    assert said_.isprintable()
    assert not set(said_) & set("*~>^")
    assert not beyond_limits(placed_segments(result.transaction), result.transaction.release)


# -- Dates -------------------------------------------------------------------------------------------------------------


def test_a_place_for_the_order_date_is_filled_in_the_heading_or_at_the_lines() -> None:
    for name in ("totals-3070", "line-price"):
        schema, settings = guide(name)
        result = must_send(ORDERS["one-line"], partner({"850": schema}, **settings))
        assert ["004", "2026-11-02"] in said(result, "DTM")
    # A list of dates that says nothing of it is no place for it: BEG05 has it already.
    assert not [d for d in said(must_send(ORDERS["one-line"], partner()), "DTM") if d[0] == "004"]


def test_the_order_date_never_takes_the_only_place_of_the_due_date() -> None:
    schema, settings = guide("totals-3070")
    heading(schema)["date_time_reference_DTM"]["maxItems"] = 1
    result = must_send(ORDERS["one-line"], partner({"850": schema}, **settings))
    assert said(result, "DTM") == [["002", "2026-11-20"]]
    assert any("004" in d.value for d in result.dropped)


def test_a_due_date_goes_under_the_guides_own_word_only_by_the_setting() -> None:
    schema, settings = guide("line-price")
    result = must_send(ORDERS["three-releases"], partner({"850": schema}, **settings))
    assert [s[4:6] for s in said(result, "SCH")] == [["010", d] for d in ("2026-11-20", "2026-12-04", "2026-12-18")]
    held = sent(ORDERS["three-releases"], partner({"850": schema}, release="007030"))
    assert isinstance(held, Held)
    (reason,) = held.reasons
    assert reason.code == "due-without-place"
    assert 'in [suppliers.ACME01.850] write due_qualifier = "010"' in reason.fix


def test_x12s_own_word_goes_before_the_setting() -> None:
    schema, settings = guide("full-4010")
    settings["850"] = {"transaction_setting_id": "x", "due_qualifier": "010"}
    result = must_send(ORDERS["one-line"], partner({"850": schema}, **settings))
    assert {s[4] for s in said(result, "SCH")} == {"002"}


def test_the_due_date_of_an_order_without_dates_at_its_lines_has_a_place_or_holds() -> None:
    schema, settings = guide("each-only")
    dated = replace(ORDERS["no-due"], due=date(2026, 12, 1))
    held = sent(dated, partner({"850": schema}, **settings))
    assert isinstance(held, Held)
    assert [(r.code, r.where) for r in held.reasons] == [("due-without-place", "order")]
    assert "each release" in held.reasons[0].fix
    schema, settings = guide("full-4010")
    assert said(must_send(dated, partner({"850": schema}, **settings)), "DTM") == [["002", "2026-12-01"]]


_EMPTY = [date(1, 1, 1), date(1899, 12, 30), date(9999, 12, 31), date(1999, 12, 31), date(2036, 11, 3)]


@pytest.mark.parametrize("day", _EMPTY, ids=str)
@pytest.mark.parametrize("place", ["order", "release"])
def test_a_due_date_that_no_order_can_have_is_held_with_its_field_named(day: date, place: str) -> None:
    base = ORDERS["one-line"]
    if place == "order":
        odd = replace(base, due=day)
    else:
        first = replace(base.lines[0].releases[0], due=day)
        odd = changed(base, releases=(first,))
    held = sent(odd, partner())
    assert isinstance(held, Held)
    (reason,) = [r for r in held.reasons if r.code == "date-impossible"]
    assert reason.where == ("order" if place == "order" else "line 10 release 1")
    assert "due date" in reason.message
    assert day.isoformat() in reason.message


def test_the_last_days_that_an_order_can_have_are_sent() -> None:
    made = datetime(2025, 11, 2, 8, 0, tzinfo=UTC)
    base = replace(ORDERS["one-line"], created_at=made)
    for day in (date(2000, 1, 1), date(2036, 11, 2)):
        first = replace(base.lines[0].releases[0], due=day)
        assert must_send(changed(base, releases=(first,)), partner())


@pytest.mark.parametrize("day", [date(1, 1, 1), date(1999, 12, 31), date(2027, 11, 3), date(9999, 12, 31)], ids=str)
def test_an_order_date_that_no_order_can_have_is_held(day: date) -> None:
    made = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
    held = sent(replace(ORDERS["one-line"], order_date=day, created_at=made), partner())
    assert isinstance(held, Held)
    assert [r.message.split(" ")[1] for r in held.reasons if r.code == "date-impossible"] == ["order"]


def test_dates_that_go_nowhere_are_not_judged() -> None:
    odd = line(20, replace(release(1, "1"), due=date(1, 1, 1)), state=LineState.CANCELLED)
    forecast = replace(release(2, "9", state=ReleaseState.FORECAST), due=date(9999, 12, 31))
    assert must_send(order(line(10, release(1, "1", "11-20"), forecast), odd), partner())


def test_a_sent_order_whose_odd_date_was_corrected_is_not_held_for_what_it_was() -> None:
    base = ORDERS["one-line"]
    first = base.lines[0].releases[0]
    before = changed(base, releases=(replace(first, due=date(1, 1, 1)),))
    result = must_send(base, partner(), has=before, sequence=1)
    assert [poc[1] for poc in said(result, "POC")] == ["RS"]


def test_an_invoice_with_a_date_that_none_can_have_is_held() -> None:
    odd = replace(INVOICES["plain"], due=date(9999, 12, 31), order_date=date(1, 1, 1))
    held = prepare_invoice(odd, partner())
    assert codes(held) == ["date-impossible", "date-impossible"]


# -- Prices and references ---------------------------------------------------------------------------------------------


def ctp(prepared: Prepared) -> list[Segment]:
    return [segment for segment in prepared.transaction.walk() if segment.id == "CTP"]


def test_a_guide_that_has_the_price_in_ctp_only_gets_it_there_with_its_basis() -> None:
    schema, settings = guide("line-price")
    (price,) = ctp(must_send(ORDERS["per-thousand"], partner({"850": schema}, **settings)))
    assert price.elements == (None, "UCP", D("12.5"), None, Composite(("EA",)), None, None, None, "TP")


def test_a_price_per_thousand_never_goes_out_as_a_price_each_in_ctp_either() -> None:
    schema, settings = guide("line-price")
    loop = loop_of(schema, "baseline_item_data_PO1_loop")
    del loop["pricing_information_CTP"]["items"]["properties"]["basis_of_unit_price_code_09"]
    (price,) = ctp(must_send(ORDERS["per-thousand"], partner({"850": schema}, **settings)))
    assert price.get(3) == D("0.0125")


def test_a_list_price_is_no_place_for_what_we_pay() -> None:
    schema, settings = guide("line-price")
    loop = loop_of(schema, "baseline_item_data_PO1_loop")
    loop["pricing_information_CTP"]["items"]["properties"]["price_identifier_code_02"]["enum"] = ["MSR"]
    held = sent(ORDERS["one-line"], partner({"850": schema}, **settings))
    assert "guide-misfit" in codes(held)


def test_a_guide_with_the_price_in_the_line_gets_it_there_alone() -> None:
    schema, settings = guide("line-price")
    more = loop_of(schema, "baseline_item_data_PO1_loop")
    more["baseline_item_data_PO1"]["properties"]["unit_price_04"] = {"type": "number"}
    schema["properties"]["detail"]["properties"]["baseline_item_data_PO1_loop"]["items"]["required"].remove(
        "pricing_information_CTP"
    )
    result = must_send(ORDERS["one-line"], partner({"850": schema}, **settings))
    assert not ctp(result)
    assert [po1[3] for po1 in said(result, "PO1")] == ["4.25"]


@pytest.mark.parametrize(
    ("set_id", "head"), [("860", "line_item_change_POC"), ("810", "baseline_item_data_invoice_IT1")]
)
def test_changes_and_invoices_have_their_price_in_ctp_where_the_guide_has(set_id: str, head: str) -> None:
    name, table = ("change-full", GUIDES_860) if set_id == "860" else ("invoice-4010", GUIDES_810)
    schema, settings = guide(name, table)
    loop = loop_of(schema, f"{head}_loop")
    for key in ("unit_price_06", "basis_of_unit_price_code_07", "unit_price_04"):
        loop[head]["properties"].pop(key, None)
        loop[head]["required"] = [k for k in loop[head]["required"] if k != key]
    loop["pricing_information_CTP"] = {"type": "array", "items": {"properties": {"unit_price_03": {"type": "number"}}}}
    to = partner({set_id: schema}, **settings)
    if set_id == "860":
        before, after = CHANGES["price"]
        result: Prepared | Held = must_send(after, to, has=before, sequence=1)
    else:
        result = prepare_invoice(INVOICES["plain"], to)
    assert isinstance(result, Prepared), result
    assert [c.get(3) for c in ctp(result)] == [D(5) if set_id == "860" else D(25)]


def references(result: Prepared) -> tuple[list[str | None], list[str | None]]:
    """REF02 of the heading, and of all lines."""
    top = [n.text(2) for n in result.transaction.heading if isinstance(n, Segment) and n.id == "REF"]
    lines = [
        child.text(2)
        for loop in result.transaction.detail
        if isinstance(loop, Loop)
        for child in loop.children
        if isinstance(child, Segment) and child.id == "REF"
    ]
    return top, lines


def test_references_stand_in_the_heading_else_at_every_line() -> None:
    schema, settings = guide("full-4010")
    assert references(must_send(ORDERS["two-lines"], partner({"850": schema}, **settings))) == (["V-1001"], [])
    schema, settings = guide("line-price")
    assert references(must_send(ORDERS["two-lines"], partner({"850": schema}, **settings))) == ([], ["V-1001"] * 2)
    assert references(must_send(ORDERS["two-lines"], partner())) == (["V-1001"], [])


def test_a_reference_that_the_guide_wants_in_both_places_stands_in_both() -> None:
    schema, settings = guide("line-price")
    full, _ = guide("full-4010")
    heading(schema)["reference_identification_REF"] = heading(full)["reference_identification_REF"]
    assert references(must_send(ORDERS["one-line"], partner({"850": schema}, **settings))) == (["V-1001"], ["V-1001"])


@pytest.mark.parametrize("in_heading", [False, True])
def test_a_ship_to_stands_at_every_line_where_the_guide_has_it_there(in_heading: bool) -> None:
    schema, settings = guide("full-4010")
    found = schema["properties"]["detail"]["properties"]["baseline_item_data_PO1_loop"]["items"]
    found["properties"]["name_N1_loop"] = copy.deepcopy(heading(schema)["name_N1_loop"])
    found["required"].append("name_N1_loop")
    if not in_heading:
        roles = heading(schema)["name_N1_loop"]["items"]["properties"]["name_N1"]["properties"]
        roles["entity_identifier_code_01"]["enum"] = ["SU", "BY", "BT"]
    result = must_send(ORDERS["two-lines"], partner({"850": schema}, **settings))
    assert [n1[0] for n1 in said(result, "N1")].count("ST") == (3 if in_heading else 2)
    assert_valid(result, schema)


# -- Releases ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("release_", ["003010", "003020", "003070", "004030", "004060", "005050", "006020", "008060"])
def test_every_release_has_documents_with_and_without_a_guide(release_: str) -> None:
    schema, _ = guide("full-4010")
    for guides in ({}, {"850": schema}):
        result = must_send(ORDERS["two-lines"], partner(guides, release=release_))
        assert result.transaction.release == release_
    before, after = CHANGES["quantity-up"]
    assert must_send(after, partner(release=release_), has=before, sequence=1)


def test_keys_of_the_guide_win_over_names_of_the_release() -> None:
    schema, _ = guide("variants-5010")
    result = must_send(ORDERS["one-line"], partner({"850": schema}, release="003070", acknowledgment_type="AD"))
    assert_valid(result, schema)
    assert "party_identification_N1_loop_ship_to" in str(result.guide_json)
