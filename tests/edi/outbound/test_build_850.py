"""What a supplier reads in a purchase order, and which orders wait instead."""

from __future__ import annotations

import datetime
import time
from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from plexstedi import decimal_json
from plexstedi.edi.order import LineState, Order, ReleaseState
from plexstedi.edi.outbound.actions import Nothing, Send850
from plexstedi.edi.outbound.document import Prepared
from plexstedi.edi.outbound.due import streams
from plexstedi.edi.partner import Partner
from plexstedi.edi.reasons import Held
from plexstedi.edi.x12.writing import Envelope, render
from tests.edi.guides.corpus import GUIDES_850
from tests.edi.outbound_orders import ORDERS, D, changed, line, must_send, order, partner, release, sent
from tests.edi.rendered import due, prepare

_ENVELOPE = Envelope("ZZ", "US", "ZZ", "ACME", "US", "ACME", date(2026, 11, 5), datetime.time(9, 5), "T")


def _text(prepared: Prepared) -> list[str]:
    return render(prepared.transaction, _ENVELOPE).replace("~\n", "~").split("~")[3:-4]


def _codes(result: Prepared | Held) -> list[str]:
    return [reason.code for reason in result.reasons] if isinstance(result, Held) else []


def test_an_order_is_written_with_header_lines_schedules_and_totals() -> None:
    assert _text(must_send(ORDERS["two-lines"], partner())) == [
        "BEG*00*SA*PO-1001**20261102",
        "CUR*BY*USD",
        "REF*IA*V-1001",
        "FOB*PP",
        "ITD*05******30",
        "DTM*002*20261120",
        "TD5*****FEDEX GROUND",
        "N1*ST*Plant One*92*P1",
        "N3*1 Main St",
        "N4*Troy*MI*48083*US",
        "N1*SU*Acme Corp*92*A-77",
        "N3*9 Side Rd",
        "N4*Flint*MI*48501*US",
        "N1*BY*Us Inc*92*US1",
        "N1*BT*Us Inc*92*US1",
        "PO1*10*100*EA*4.25**BP*82695*VP*A*EC*B",
        "PID*F****WIDGET",
        "SCH*100*EA***002*20261120",
        "PO1*20*7*EA*.333333**BP*B-100*MG*M9",
        "PID*F****BOLT",
        "SCH*7*EA***002*20261120",
        "CTT*2",
        "AMT*TT*427.333331",
    ]


def test_an_approved_suppliers_number_is_sent_only_where_the_line_states_none() -> None:
    def numbers(**fields: str | None) -> str:
        text = _text(must_send(changed(ORDERS["no-part"], approved_supplier_part="AP-9", **fields), partner()))
        return next(segment for segment in text if segment.startswith("PO1*"))

    assert "*VP*AP-9" in numbers(supplier_part=None)
    assert "*VP*S-1" in numbers(supplier_part="S-1")
    assert "AP-9" not in numbers(supplier_part="S-1")


def test_base_names_follow_the_release() -> None:
    def keys(release_: str) -> tuple[set[str], set[str], list[str]]:
        json: Any = must_send(ORDERS["typographic-note"], partner(release=release_)).guide_json
        loop = json["detail"]["baseline_item_data_PO1_loop"][0]
        return set(json["heading"]), set(loop), list(loop["baseline_item_data_PO1"])

    old_heading, old_loop, old_line = keys("004010")
    new_heading, new_loop, new_line = keys("005010")
    assert {"name_N1_loop", "reference_identification_REF", "reference_identification_N9_loop"} <= old_heading
    assert {"party_identification_N1_loop", "reference_information_REF", "extended_reference_information_N9_loop"} <= (
        new_heading
    )
    assert "line_item_schedule_SCH_loop" in old_loop & new_loop
    assert old_line[:2] == ["assigned_identification_01", "quantity_ordered_02"]
    assert new_line[:2] == ["assigned_identification_01", "quantity_02"]


def test_numbers_are_json_numbers_dates_are_iso_and_the_header_is_included() -> None:
    text = decimal_json.dumps(must_send(ORDERS["per-thousand"], partner()).guide_json)
    assert '"transaction_set_control_number_02":1' in text
    assert '"quantity_ordered_02":2500,' in text
    assert '"unit_price_04":12.5,"basis_of_unit_price_code_05":"TP"' in text
    assert '"date_05":"2026-11-02"' in text
    assert "transaction_set_trailer_SE" not in text


def test_the_same_order_gives_the_same_bytes() -> None:
    rounded = replace(ORDERS["one-line"].lines[0], price=D("4.2500"))
    again = replace(ORDERS["one-line"], lines=(rounded,))
    first, second = (decimal_json.dumps(must_send(o, partner()).guide_json) for o in (ORDERS["one-line"], again))
    assert first == second


def test_what_was_sent_is_kept_in_the_units_of_the_document() -> None:
    told = must_send(ORDERS["per-thousand"], partner()).sent
    assert told.number == "PO-1001"
    assert (told.lines[0].quantity, told.lines[0].unit, told.lines[0].price_basis) == (D(2500), "EA", "TP")
    assert told.lines[0].schedules[0].due == date(2026, 11, 20)


def test_forecasts_and_cancelled_lines_are_left_out() -> None:
    firm, forecast = release(1, "5", "11-20"), release(2, "900", "12-20", state=ReleaseState.FORECAST)
    ordered = order(
        line(10, firm, forecast),
        line(20, forecast),
        line(30, release(1, "1", "11-20"), state=LineState.CANCELLED),
    )
    lines = [row for row in _text(must_send(ordered, partner())) if row.startswith(("PO1", "SCH"))]
    assert lines == ["PO1*10*5*EA*4.25**BP*82695", "SCH*5*EA***002*20261120"]


def test_a_received_release_still_counts_as_ordered() -> None:
    ordered = order(line(10, release(1, "5", "11-20", state=ReleaseState.RECEIVED), release(2, "3", "12-20")))
    assert must_send(ordered, partner()).sent.lines[0].quantity == D(8)


def test_a_blanket_order_says_its_blanket_quantity() -> None:
    rows = _text(must_send(ORDERS["blanket"], partner()))
    assert rows[0].startswith("BEG*00*BK*")
    assert "PO1*10*1000*EA*4.25**BP*82695*VP*AB" in rows


def test_one_line_per_release_where_the_supplier_wants_it() -> None:
    settings: dict[str, Any] = {"850": {"transaction_setting_id": "x", "schedule": "lines"}}
    result = must_send(ORDERS["three-releases"], partner(**settings))
    rows = [row for row in _text(result) if row.startswith(("PO1", "DTM", "SCH"))]
    assert [row.split("*")[1:3] for row in rows if row.startswith("PO1")] == [
        ["10-1", "50"],
        ["10-2", "30"],
        ["10-3", "20.5"],
    ]
    assert [row for row in rows if row.startswith("DTM")] == [f"DTM*002*2026{day}" for day in ("1120", "1204", "1218")]
    assert [s.assigned_id for s in result.sent.lines[0].schedules] == ["10-1", "10-2", "10-3"]


def test_a_line_for_another_plant_waits_where_the_guide_names_one_plant_for_all() -> None:
    """It would be delivered to the plant of the heading."""
    away = line(20, release(1, "4", "11-20", ship_to="Plant 2"), part="B", description="BOLT")
    mixed = order(line(10, release(1, "5", "11-20"), description="WIDGET"), away)
    schema, own = GUIDES_850["full-4010"]
    held = sent(mixed, partner({"850": schema}, **own))
    assert isinstance(held, Held)
    assert [(reason.code, reason.where) for reason in held.reasons] == [("ship-to-without-place", "line 20")]
    assert isinstance(sent(mixed, partner()), Prepared)
    alone = order(away, ship_to=None)
    rows = _text(must_send(alone, partner({"850": schema}, **own)))
    assert "N1*ST*Plant Two*92*P2" in rows


def test_a_blanket_order_sent_release_by_release_is_ordered_and_valued_as_its_lines_say() -> None:
    """No line has the blanket quantity: an acknowledgment of all lines is whole, and AMT is what they add up to."""
    settings: dict[str, Any] = {"850": {"transaction_setting_id": "x", "schedule": "lines"}}
    result = must_send(ORDERS["blanket"], partner(**settings))
    assert [row for row in _text(result) if row.startswith(("PO1*", "AMT*"))] == [
        "PO1*10-1*50*EA*4.25**BP*82695*VP*AB",
        "AMT*TT*212.5",
    ]
    assert [told.quantity for told in result.sent.lines] == [D(50)]
    assert [(dropped.fact, dropped.value) for dropped in result.dropped] == [("blanket quantity", "1000")]
    more = changed(ORDERS["blanket"], blanket_quantity=D(2000))
    assert due(ORDERS["blanket"], more, partner(**settings)) == Nothing()


@pytest.mark.parametrize(
    ("change", "code", "names"),
    [
        ({"price": None}, "price-missing", "line 10"),
        ({"unit": "Pallet"}, "unit-unknown", "Pallet"),
        ({"unit": None}, "unit-missing", "line 10"),
        ({"order_unit": "Box"}, "unit-unknown", "Ea"),
        ({"releases": (release(1, None, "11-20"),)}, "quantity-missing", "release 1"),
        ({"releases": (release(1, "0", "11-20"),)}, "quantity-not-positive", "line 10"),
        ({"releases": (release(1, "1", "11-20"), release(2, "1"))}, "due-missing", "release 2"),
        ({"price": D("-1")}, "price-negative", "-1"),
        ({"number": 10**21}, "too-long", "PO101"),
        ({"supplier_part": "9" * 49}, "too-long", "48"),
        ({"description": "X" * 81}, "description-too-long", "81"),
    ],
)
def test_a_line_that_cannot_be_said_is_held_with_its_place_and_the_fix(
    change: dict[str, Any], code: str, names: str
) -> None:
    base = replace(ORDERS["one-line"].lines[0], **change)
    result = sent(replace(ORDERS["one-line"], lines=(base,)), partner())
    assert isinstance(result, Held)
    assert code in _codes(result)
    assert any(names in str(reason) for reason in result.reasons)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"number": "P" * 23}, "too-long"),
        ({"number": "PO–1001"}, "order-number-unfit"),
        ({"order_date": None}, "order-date-missing"),
        ({"lines": ()}, "order-empty"),
        ({"ship_to": "Plant 9"}, "ship-to-unknown"),
        ({"currency": "DOLLAR"}, "too-long"),
    ],
)
def test_an_order_that_cannot_be_said_is_held(change: dict[str, Any], code: str) -> None:
    result = sent(replace(ORDERS["one-line"], **change), partner())
    assert _codes(result) == [code]


@pytest.mark.parametrize("number", ["PO*1001", "PO-1001Ä"])
def test_no_setting_is_advised_for_an_order_number(number: str) -> None:
    """`replace_delimiters` or `transliterate` would send another number, which is held, too."""
    result = sent(replace(ORDERS["one-line"], number=number), partner())
    assert isinstance(result, Held)
    assert [reason.fix for reason in result.reasons] == ["Correct the order number in Plex"]


def test_every_reason_is_reported_at_once() -> None:
    ordered = order(line(10, release(1, "1", "11-20"), price=None), line(20, release(1, "1", "11-20"), unit="Pallet"))
    assert sorted(_codes(sent(ordered, partner()))) == ["price-missing", "unit-unknown"]


def test_a_unit_with_factor_converts_quantity_and_price_exactly() -> None:
    ordered = order(line(10, release(1, "2.5", "11-20"), unit="Box", price="4.20"))
    assert "PO1*10*30*EA*.35**BP*82695" in _text(must_send(ordered, partner()))
    crooked = order(line(10, release(1, "2.5", "11-20"), unit="Box", price="1"))
    assert _codes(sent(crooked, partner())) == ["price-not-exact"]


def test_a_line_ordered_in_one_unit_and_priced_in_another_needs_both_in_the_settings() -> None:
    ordered = order(line(10, release(1, "2", "11-20"), unit="Ea", order_unit="Box", price="0.35"))
    units = {"Box": {"unit": "EA", "factor": 12}, "Ea": "EA"}
    assert "PO1*10*24*EA*.35**BP*82695" in _text(must_send(ordered, partner(units=units)))


def test_free_and_six_decimal_prices_go_out_as_they_are() -> None:
    ordered = order(
        line(10, release(1, "1.5", "11-20"), price="0"), line(20, release(1, "1", "11-20"), price="0.123456")
    )
    rows = [row.split("*")[4] for row in _text(must_send(ordered, partner())) if row.startswith("PO1")]
    assert rows == ["0", ".123456"]


def test_delimiters_and_accents_go_only_by_the_suppliers_setting() -> None:
    text = {"replace_delimiters": "/", "transliterate": True, "uppercase": True}
    rows = _text(must_send(ORDERS["delimiter-note"], partner(text=text)))
    assert "MSG*USE A/B/C" in rows
    result = must_send(ORDERS["non-ascii-note"], partner(text=text))
    assert "MSG*GROSSE PRUFEN" in _text(result)
    assert any("Größe" in note for note in result.adjusted)


def test_typographic_look_alikes_become_ascii_and_are_recorded() -> None:
    result = must_send(ORDERS["typographic-note"], partner())
    assert 'MSG*Handle "with care" - fragile...' in _text(result)
    assert len(result.adjusted) == 1


def test_a_long_note_is_split_at_words_and_none_is_lost() -> None:
    note = " ".join(f"word{n}" for n in range(200))
    rows = [
        row[4:]
        for row in _text(must_send(order(*ORDERS["one-line"].lines, note=note), partner()))
        if row.startswith("MSG")
    ]
    assert len(rows) > 1
    assert " ".join(rows) == note


def test_terms_that_no_table_maps_are_left_out_and_said() -> None:
    result = must_send(
        order(*ORDERS["one-line"].lines, terms="Net 90", freight_terms="Third Party", fob="Origin"), partner()
    )
    assert [(d.fact, d.value) for d in result.dropped] == [
        ("freight terms", "Third Party"),
        ("payment terms", "Net 90"),
        ("FOB point", "Origin"),
    ]


def test_a_release_goes_as_an_order_of_its_own_where_the_supplier_takes_them_separately() -> None:
    blanket = order(line(10, release(1, "50", "11-20"), release(2, "70", "12-20")), blanket=True)
    supplier = partner(releases="order-per-release")
    assert [key.release for key in streams(blanket, supplier)] == ["10-1", "10-2"]
    found = due(None, blanket, supplier, streams(blanket, supplier)[1])
    assert isinstance(found, Send850)
    result = prepare(found, supplier, change_sequence=0, revision_seen=date(2026, 11, 5))
    assert isinstance(result, Prepared)
    rows = _text(result)
    assert rows[0] == "BEG*00*RL*PO-1001*10-2*20261102"
    assert [row for row in rows if row.startswith(("PO1", "SCH"))] == [
        "PO1*10*70*EA*4.25**BP*82695",
        "SCH*70*EA***002*20261220",
    ]
    assert result.sent.release == "10-2"


def test_releases_to_different_plants_need_lines_of_their_own() -> None:
    ordered = order(
        line(10, release(1, "1", "11-20", ship_to="Plant 1"), release(2, "1", "11-20", ship_to="Plant 2")), ship_to=None
    )
    assert _codes(sent(ordered, partner())) == ["ship-to-mixed"]
    settings: dict[str, Any] = {"850": {"transaction_setting_id": "x", "schedule": "lines"}}
    singly = partner(**settings)
    rows = [row for row in _text(must_send(ordered, singly)) if row.startswith("N1*ST")]
    assert rows == ["N1*ST*Plant One*92*P1", "N1*ST*Plant Two*92*P2"]


def _big(count: int) -> Order:
    return order(
        *(line(n, release(1, "5", "11-20"), release(2, "7", "12-20"), part=f"P-{n}") for n in range(1, count + 1))
    )


@pytest.mark.parametrize("guided", [False, True])
@pytest.mark.parametrize(("lines", "seconds"), [(1000, 4), pytest.param(5000, 12, marks=pytest.mark.long)])
def test_an_order_of_thousands_of_lines_is_ready_within_seconds(lines: int, seconds: float, guided: bool) -> None:
    supplier: Partner = partner({"850": GUIDES_850["full-4010"][0]} if guided else {})
    began = time.process_time()
    result = must_send(_big(lines), supplier)
    took = time.process_time() - began
    assert len(result.transaction.detail) == lines
    assert result.sent.lines[-1].quantity == D(12)
    assert took < seconds, "a large order must not hold up a run"
