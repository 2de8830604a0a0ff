"""One odd value in an acknowledgment holds its line, or the document where no line is clear; it never raises."""

from __future__ import annotations

import copy
import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plexstedi.edi.inbound.reading.acknowledgment as acknowledgment_module
from plexstedi.decimal_json import BrokenJsonError, loads
from plexstedi.edi.inbound.outcome import AckState
from plexstedi.edi.inbound.reading.acknowledgment import (
    Acknowledgment,
    Malformed,
    content_fingerprint,
    read_acknowledgment,
)
from plexstedi.edi.inbound.reading.functional_ack import read_997, verdict
from plexstedi.edi.inbound.reading.guide_reading import UnreadableDocument, read_guide_json
from plexstedi.edi.inbound.reading.interchange_ack import ta1_of_json
from plexstedi.edi.inbound.reconcile import reconcile
from plexstedi.edi.model import to_json
from plexstedi.edi.sent import SentLine, SentOrder, SentSchedule
from plexstedi.edi.settings import SupplierSettings
from plexstedi.edi.x12.text import BrokenX12Error, parse
from plexstedi.edi.x12.transaction import Transaction
from tests.examples import examples
from tests.plex.rest.test_any_response import ODD_TOKENS

SENT = SentOrder(
    number="4500012345",
    lines=tuple(
        SentLine(
            line_id=f"l{number}",
            line=number,
            quantity=Decimal(100),
            unit="EA",
            price=Decimal("1.25"),
            items={"BP": f"P-{number}"},
            schedules=(
                SentSchedule(release_id=f"r{number}", release_number=1, quantity=Decimal(100), due=date(2026, 12, 8)),
            ),
        )
        for number in (1, 2)
    ),
)


def line(number: int) -> dict[str, Any]:
    return {
        "baseline_item_data_PO1": {
            "assigned_identification_01": str(number),
            "quantity_ordered_02": 100,
            "unit_03": "EA",
            "unit_price_04": 1.25,
            "qualifier_06": "BP",
            "product_id_07": f"P-{number}",
        },
        "line_item_acknowledgment_ACK_loop": [
            {
                "line_item_acknowledgment_ACK": {
                    "status_01": "IA",
                    "quantity_02": 100,
                    "unit_03": "EA",
                    "qualifier_04": "067",
                    "date_05": "2026-12-08",
                }
            }
        ],
    }


def answer() -> dict[str, Any]:
    return {
        "heading": {
            "beginning_segment_BAK": {
                "purpose_01": "00",
                "type_02": "AD",
                "number_03": "4500012345",
                "date_04": "2026-11-20",
                "reference_08": "SO-77",
                "date_09": "2026-11-23",
            }
        },
        "detail": {"baseline_item_data_PO1_loop": [line(1), line(2)]},
    }


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


def with_token(path: tuple[Any, ...], token: str) -> bytes:
    changed: Any = {"all": copy.deepcopy(answer())}
    here = changed
    for key in ("all", *path[:-1]) if path else ():
        here = here[key]
    here[path[-1] if path else "all"] = "@odd@"
    return json.dumps(changed["all"]).replace('"@odd@"', token).encode("utf-8", "surrogatepass")


def outcome_of(document: bytes) -> Any:
    """Through every step that a document takes."""
    tree = read_guide_json(loads(document), "855", "004010")
    if isinstance(tree, UnreadableDocument):
        return tree
    read = read_acknowledgment(tree)
    if isinstance(read, Malformed):
        return read
    content_fingerprint(read)
    outcome = reconcile(read, SENT, SupplierSettings(), received={})
    to_json(outcome).encode()
    return outcome


def test_the_ordinary_acknowledgment_is_confirmed() -> None:
    assert [each.state for each in outcome_of(json.dumps(answer()).encode()).lines] == [AckState.CONFIRMED] * 2


@settings(max_examples=examples(300))
@given(path=st.sampled_from(places(answer())), token=st.sampled_from(ODD_TOKENS))
def test_an_odd_value_anywhere_is_a_foreseen_outcome(path: tuple[Any, ...], token: str) -> None:
    try:
        outcome_of(with_token(path, token))
    except BrokenJsonError:
        assert not path


@settings(max_examples=examples(100))
@given(
    st.binary(max_size=100)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["heading", "detail", "x_BAK", "x_PO1_loop", "x_PO1", "x_ACK", "a_01", "b_02", "c_03", "d_25"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_document_is_a_foreseen_outcome(document: bytes) -> None:
    try:
        read = loads(document)
    except BrokenJsonError:
        return
    ta1_of_json(read)
    for set_id in ("855", "865", "997"):
        tree = read_guide_json(read, set_id, "004010")
        if isinstance(tree, Transaction):
            if set_id == "997":
                functional = read_997(tree)
                if not isinstance(functional, Malformed):
                    verdict(functional, 1, 1)
            else:
                acknowledgment = read_acknowledgment(tree)
                if isinstance(acknowledgment, Acknowledgment):
                    reconcile(acknowledgment, SENT, SupplierSettings(), received={})


ACK = (
    "detail",
    "baseline_item_data_PO1_loop",
    1,
    "line_item_acknowledgment_ACK_loop",
    0,
    "line_item_acknowledgment_ACK",
)
PO1 = ("detail", "baseline_item_data_PO1_loop", 1, "baseline_item_data_PO1")


@pytest.mark.parametrize("place", [(*ACK, "quantity_02"), (*PO1, "quantity_ordered_02"), (*PO1, "unit_price_04")])
@pytest.mark.parametrize(
    "token",
    [
        "1e999999999",
        "1e40",
        "9" * 40,
        "NaN",
        "-Infinity",
        '"1_000"',
        '"\u0661\u0660\u0660"',
        '"\u00b2"',
        '"1E40"',
        "-5",
    ],
)
def test_a_number_that_is_none_holds_its_line_and_no_other(place, token) -> None:
    first, second = outcome_of(with_token(place, token)).lines
    assert (first.state, second.state) == (AckState.CONFIRMED, AckState.HELD)
    assert any(f"{place[-2][-3:]}{place[-1][-2:]}" in reason.message for reason in second.reasons)


@pytest.mark.parametrize(
    "token", ['"2026-02-30"', '"0000-01-01"', '"99999999"', '"\u0662\u0660\u0662\u0666-12-08"', "1e31"]
)
def test_a_date_of_no_calendar_holds_its_line_and_no_other(token) -> None:
    first, second = outcome_of(with_token((*ACK, "date_05"), token)).lines
    assert (first.state, second.state) == (AckState.CONFIRMED, AckState.HELD)


@pytest.mark.parametrize("token", ['"P-\\ud8002"', '"P-\ufffd"'])
def test_broken_text_in_a_line_holds_it_with_the_place_named(token) -> None:
    first, second = outcome_of(with_token((*PO1, "product_id_07"), token)).lines
    assert (first.state, second.state) == (AckState.CONFIRMED, AckState.HELD)
    assert any("PO107" in reason.message and "broken" in reason.message for reason in second.reasons)


@pytest.mark.parametrize("key", ["reference_08", "number_03"])
@pytest.mark.parametrize("token", ['"SO\\ud800"', "9" * 40])
def test_broken_text_in_the_heading_holds_the_document_with_the_place_named(key, token) -> None:
    outcome = outcome_of(with_token(("heading", "beginning_segment_BAK", key), token))
    reasons = outcome.reasons if isinstance(outcome, Malformed) else outcome.holds
    assert any(f"BAK{key[-2:]}" in reason.message for reason in reasons)


def test_the_same_name_with_two_values_is_none_of_them() -> None:
    text = json.dumps(answer()).replace('"number_03": "4500012345"', '"number_03": "4500012345", "number_03": "X"')
    assert isinstance(outcome_of(text.encode()), Malformed)


def test_more_lines_than_x12_allows_are_held_without_being_read(monkeypatch) -> None:
    assert acknowledgment_module._MOST_LINES == 100_000
    monkeypatch.setattr(acknowledgment_module, "_MOST_LINES", 50)
    document = answer()
    document["detail"]["baseline_item_data_PO1_loop"] = [line(1)] * 51
    outcome = outcome_of(json.dumps(document).encode())
    assert isinstance(outcome, Malformed)
    assert "51 lines" in outcome.reasons[0].message


def test_many_lines_that_all_say_the_same_line_do_not_take_longer_and_longer() -> None:
    """Doubling the lines doubles the work: nothing is copied once more per line."""
    import time

    def least_seconds(count: int) -> float:
        """Of three times: what else this process has to clear away is not the work of the lines."""
        document = answer()
        document["detail"]["baseline_item_data_PO1_loop"] = [line(1)] * count
        tree = read_guide_json(loads(json.dumps(document)), "855", "004010")
        assert isinstance(tree, Transaction)
        read = read_acknowledgment(tree)
        assert isinstance(read, Acknowledgment)
        took = []
        for _ in range(3):
            began = time.process_time()
            reconcile(read, SENT, SupplierSettings(), received={})
            took.append(time.process_time() - began)
        return min(took)

    assert least_seconds(2_000) < 20 * max(least_seconds(250), 0.005)


class Enough(Exception):
    pass


def test_reading_and_deciding_can_be_broken_off_between_any_two_lines() -> None:
    document = answer()
    document["detail"]["baseline_item_data_PO1_loop"] = [line(1), line(2)] * 50
    looks = 0

    def watch() -> None:
        nonlocal looks
        looks += 1
        if looks > 60:
            raise Enough

    with pytest.raises(Enough):
        read_guide_json(document, "855", "004010", watch)
    tree = read_guide_json(document, "855", "004010")
    assert isinstance(tree, Transaction)
    looks = 0
    with pytest.raises(Enough):
        read_acknowledgment(tree, watch)
    read = read_acknowledgment(tree)
    assert isinstance(read, Acknowledgment)
    looks = 0
    with pytest.raises(Enough):
        reconcile(read, SENT, SupplierSettings(), received={}, watch=watch)


X12 = (
    "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260101*0000*U*00401*000000001*0*P*>~"
    "GS*PR*A*B*20260101*0000*1*X*004010~ST*855*0001~BAK*00*AD*4500012345*20261120****SO-77*20261123~{lines}"
    "CTT*2~SE*{count}*0001~GE*1*1~IEA*1*000000001~"
)


def x12(second: str) -> str:
    lines = "PO1*1*100*EA*1.25**BP*P-1~ACK*IA*100*EA*067*20261208~" + second
    return X12.format(lines=lines, count=4 + lines.count("~"))


@pytest.mark.parametrize(
    "second",
    [
        *(
            "PO1*2*1E40*EA*1.25**BP*P-2~ACK*IA*100*EA*067*20261208~",
            "PO1*2*100*EA*1.25**BP*P-2~ACK*IA*1_0*EA*067*20261208~",
        ),
        *(f"PO1*2*100*EA*{'9' * 5000}**BP*P-2~ACK*IA*100*EA~", "PO1*2*100*EA*1.25**BP*P-2~ACK*IA*²*EA*067*20261208~"),
        *("PO1*2*100*EA*1.25**BP*P-2~ACK*IA*100*EA*067*20269999~", "PO1*2*100*EA*1.25**BP*P-\ufffd~ACK*IA*100*EA~"),
    ],
)
def test_an_odd_element_of_raw_x12_holds_its_line_and_no_other(second: str) -> None:
    (parsed,) = parse(x12(second)).transactions()
    read = read_acknowledgment(parsed.transaction)
    assert isinstance(read, Acknowledgment)
    outcome = reconcile(read, SENT, SupplierSettings(), received={})
    assert [each.state for each in outcome.lines] == [AckState.CONFIRMED, AckState.HELD]


@settings(max_examples=examples(100))
@given(st.text(alphabet="ACKPO1SCHDTM*~>0123456789.-E\ufffd²", max_size=80))
def test_any_raw_x12_within_an_acknowledgment_is_a_foreseen_outcome(second: str) -> None:
    try:
        parsed = parse(x12(second)).transactions()
    except BrokenX12Error:
        return
    for each in parsed:
        read = read_acknowledgment(each.transaction)
        if isinstance(read, Acknowledgment):
            to_json(reconcile(read, SENT, SupplierSettings(), received={})).encode()
