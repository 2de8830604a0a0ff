"""Reading Guide JSON and acknowledgments: nothing that a supplier sends stops the run or is read as something else."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from plexstedi.edi.inbound.reading.acknowledgment import Acknowledgment, Malformed, read_acknowledgment
from plexstedi.edi.inbound.reading.element_values import Bad, read_date, read_number
from plexstedi.edi.inbound.reading.guide_reading import UnreadableDocument, read_guide_json
from plexstedi.edi.x12.text import parse
from plexstedi.edi.x12.transaction import Composite, Loop, Segment, Transaction

HEADING = {
    "beginning_segment_for_purchase_order_acknowledgment_BAK": {
        "transaction_set_purpose_code_01": "00",
        "acknowledgment_type_02": "AD",
        "purchase_order_number_03": "PO-1001",
        "date_04": "2026-11-01",
        "reference_identification_08": "SO-77",
        "date_09": "2026-11-02",
    },
}


def _read(document: object) -> Acknowledgment:
    transaction = read_guide_json(document, "855", "005010")
    assert isinstance(transaction, Transaction), transaction
    read = read_acknowledgment(transaction)
    assert isinstance(read, Acknowledgment), read
    return read


def test_the_heading_is_read() -> None:
    """The buyer sees the supplier's own order number and the date of the answer."""
    read = _read({"heading": HEADING})
    assert (read.order_number, read.type_code, read.purpose) == ("PO-1001", "AD", "00")
    assert read.supplier_reference == "SO-77"
    assert read.dated == date(2026, 11, 2)


def test_loops_of_a_guide_with_variants_are_recognized_by_their_segment() -> None:
    """A guide that renames `N1_loop` and `REF` for each role is read like any other."""
    document = {
        "heading": {
            **HEADING,
            "party_identification_N1_loop_ship_to": [{"party_identification_N1": {"name_02": "Wile E"}}],
            "reference_information_REF_customer_order": {"reference_identification_qualifier_01": "CO"},
        }
    }
    transaction = read_guide_json(document, "855", "005010")
    assert isinstance(transaction, Transaction)
    assert [(type(node), node.id) for node in transaction.heading] == [
        (Segment, "BAK"),
        (Loop, "N1"),
        (Segment, "REF"),
    ]


def test_the_unit_of_a_change_line_is_inside_a_composite() -> None:
    """An 865 in cases is not mistaken for one in pieces."""
    document = {
        "heading": {
            "beginning_segment_BCA": {"x_01": "04", "x_02": "AC", "x_03": "PO-1001", "x_05": "2", "x_10": "2026-11-05"}
        },
        "detail": {
            "line_item_change_POC_loop": [
                {
                    "line_item_change_POC": {
                        "assigned_identification_01": 10,
                        "change_or_response_type_code_02": "QD",
                        "quantity_ordered_03": "8",
                        "composite_unit_of_measure_05": {"unit_or_basis_for_measurement_code_01": "CA"},
                        "unit_price_06": Decimal("4.25"),
                    }
                }
            ]
        },
    }
    transaction = read_guide_json(document, "865", "004010")
    assert isinstance(transaction, Transaction)
    read = read_acknowledgment(transaction)
    assert isinstance(read, Acknowledgment)
    assert read.change_sequence == "2"
    assert read.dated == date(2026, 11, 5)
    line = read.lines[0]
    assert (line.assigned_id, line.change_code, line.quantity) == ("10", "QD", Decimal(8))
    assert (line.unit, line.price) == ("CA", Decimal("4.25"))


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ([], "not a JSON object"),
        ("<html>", "not a JSON object"),
        ({}, "neither heading"),
        ({"heading": []}, "heading is not a JSON object"),
        ({"heading": {"no_segment_here": {}}}, "heading.no_segment_here"),
        ({"heading": {"beginning_BAK": "text"}}, "heading.beginning_BAK"),
        ({"heading": {"beginning_BAK": {"no_position": 1}}}, "no_position"),
        ({"heading": {"beginning_BAK": {"a_01": 1, "b_01": 2}}}, "two keys"),
        ({"heading": {"beginning_BAK": {"a_01": True}}}, "no such value"),
        ({"heading": {"header_ST": {"id_01": "850"}}}, "ST01 is 850"),
    ],
)
def test_what_is_no_guide_json_is_reported_and_not_guessed(document: object, named: str) -> None:
    """The raw X12 is read instead; a key that we do not understand could be the one that matters."""
    read = read_guide_json(document, "855", "005010")
    assert isinstance(read, UnreadableDocument)
    assert named in read.reason


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["heading", "detail", "x_BAK", "x_PO1_loop", "x_PO1", "x_ACK_loop", "x_ACK", "q_02"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(document=st.dictionaries(st.sampled_from(["heading", "detail", "summary"]), JSON, max_size=3) | JSON)
def test_no_document_stops_the_batch(document: Any) -> None:
    """Whatever Stedi returns, the other acknowledgments of the run are still read."""
    transaction = read_guide_json(document, "855", "004010")
    if isinstance(transaction, Transaction):
        assert isinstance(read_acknowledgment(transaction), Acknowledgment | Malformed)


def test_what_names_no_order_is_malformed() -> None:
    """It is kept and shown with the place, instead of being matched to something."""
    for transaction, named in (
        (Transaction("855", "004010", ()), "BAK"),
        (Transaction("855", "004010", (Segment("BAK", ("00", "AD")),)), "BAK03"),
        (Transaction("855", "004010", (Segment("BAK", ("00", None, "PO-1")),)), "BAK02"),
        (Transaction("810", "004010", ()), "810"),
    ):
        read = read_acknowledgment(transaction)
        assert isinstance(read, Malformed)
        assert named in read.reasons[0].message


def test_a_sub_line_that_is_acknowledged_holds_its_line() -> None:
    """A rejected component of a kit does not pass as a confirmed kit."""
    sub = Loop("SLN", (Segment("SLN", ("1",)), Loop("ACK", (Segment("ACK", ("IR",)),))))
    line = Loop("PO1", (Segment("PO1", ("10", Decimal(5), "EA")), sub))
    heading = (Segment("BAK", ("00", "AC", "PO-1")),)
    read = read_acknowledgment(Transaction("855", "004010", heading, (line,)))
    assert isinstance(read, Acknowledgment)
    (extra,) = read.lines[0].extras
    assert (extra.segment, extra.holds) == ("SLN", True)


def test_an_ack_that_is_no_loop_is_read_all_the_same() -> None:
    """A guide that flattens ACK and SCH loses nothing."""
    line = Loop(
        "PO1",
        (
            Segment("PO1", ("10", Decimal(5), "EA")),
            Segment("ACK", ("IA", Decimal(5), "EA")),
            Segment("SCH", (Decimal(5), "EA", None, None, "067", date(2026, 12, 1))),
        ),
    )
    read = read_acknowledgment(Transaction("855", "004010", (Segment("BAK", ("00", "AC", "PO-1")),), (line,)))
    assert isinstance(read, Acknowledgment)
    assert read.lines[0].details[0].quantity == 5
    assert read.lines[0].schedules[0].dates[0].on == date(2026, 12, 1)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-12-01", date(2026, 12, 1)),
        ("20261201", date(2026, 12, 1)),
        ("261201", date(2026, 12, 1)),
        (Decimal(20261201), date(2026, 12, 1)),
        (Decimal(50301), date(2005, 3, 1)),
        ("2026-12-01T00:00:00Z", date(2026, 12, 1)),
        (date(2026, 12, 1), date(2026, 12, 1)),
        ("", None),
        (None, None),
    ],
)
def test_a_date_is_the_same_day_however_it_is_written(written: str | Decimal | date | None, read: date | None) -> None:
    """3040, 4010, Guide JSON: the buyer gets the same ship date."""
    assert read_date(written) == read


@pytest.mark.parametrize("written", ["2026-02-30", "20261340", "soon", "1", Composite(("2026-12-01",))])
def test_an_impossible_date_is_reported(written: str | Composite) -> None:
    """It is never turned into a neighbouring day."""
    assert isinstance(read_date(written), Bad)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("100", 100),
        ("0100.50", Decimal("100.5")),
        (Decimal("1E+2"), 100),
        ("1E2", 100),
        (".5", Decimal("0.5")),
        (" 7 ", 7),
    ],
)
def test_a_number_is_exact_however_it_is_written(written: str | Decimal, number: Decimal | int) -> None:
    """Text or number in the JSON makes no difference to a quantity."""
    assert read_number(written) == number


@pytest.mark.parametrize("written", ["1,000", "ten", "-1", Decimal(-1), "1E99", "NaN", Decimal("Infinity"), "1" * 19])
def test_what_is_no_quantity_is_reported(written: str | Decimal) -> None:
    """A quantity that is no sensible number is never taken for one, and never breaks the sums of others."""
    assert isinstance(read_number(written), Bad)


def _from_x12(*body: str, release: str = "004010") -> Acknowledgment:
    rows = ["ST*855*0001", "BAK*00*AC*PO-1001*20261101", *body, "CTT*1"]
    isa = f"ISA*00*{' ' * 10}*00*{' ' * 10}*ZZ*{'SUPPLIER':15}*ZZ*{'US':15}*261102*1200*U*00401*000000001*0*P*>"
    group = f"GS*PR*SUPPLIER*US*20261102*1200*1*X*{release}"
    text = "~".join([isa, group, *rows, f"SE*{len(rows) + 1}*0001", "GE*1*1", "IEA*1*000000001"]) + "~"
    read = read_acknowledgment(parse(text).groups[0].transactions[0].transaction)
    assert isinstance(read, Acknowledgment), read
    return read


STRANGE = ["NTE*GEN*SORRY", "ITA*C", "K3*ABC", "ZZZ*1", "G72*1", "LQ*1", "J2X*1"]


@pytest.mark.parametrize("strange", STRANGE)
@pytest.mark.parametrize("release", ["003040", "004010", "005010"])
def test_a_segment_that_no_table_knows_takes_nothing_with_it(strange: str, release: str) -> None:
    """A supplier's note between the line and its ACK must not turn a rejection into an acceptance."""
    plain = ("PO1*10*100*EA", "ACK*IR*60*EA", "ACK*IB*40*EA", "DTM*067*20261220", "SCH*40*EA***067*20261220")
    expected = _from_x12(*plain, release=release)
    assert [detail.code for detail in expected.lines[0].details] == ["IR", "IB"]
    for place in range(1, len(plain) + 1):
        with_strange = (*plain[:place], strange, *plain[place:])
        assert _without_words(_from_x12(*with_strange, release=release)) == expected, with_strange


def _without_words(read: Acknowledgment) -> Acknowledgment:
    return replace(read, lines=tuple(replace(line, words=()) for line in read.lines))


@pytest.mark.parametrize("stray", ["ACK*IR*100*EA", "SCH*100*EA***067*20261220"])
def test_what_belongs_to_a_line_and_stands_in_none_holds_the_document(stray: str) -> None:
    segment = stray.split("*")
    tree = Transaction(
        "855",
        "004010",
        (Segment("BAK", ("00", "AC", "PO-1001")),),
        (Segment(segment[0], tuple(segment[1:])), Loop("PO1", (Segment("PO1", ("10", Decimal(100), "EA")),))),
    )
    read = read_acknowledgment(tree)
    assert isinstance(read, Acknowledgment)
    assert [segment[0] in fault.message for fault in read.faults] == [True]


def test_schedules_of_a_single_party_hold_their_line() -> None:
    """A quantity for one dock is not the quantity of the line."""
    inside = Loop("N1", (Segment("N1", ("ST", "Dock 4")), Segment("SCH", (Decimal(40), "EA"))))
    line = Loop("PO1", (Segment("PO1", ("10", Decimal(100), "EA")), inside))
    read = read_acknowledgment(Transaction("855", "004010", (Segment("BAK", ("00", "AC", "PO-1")),), (line,)))
    assert isinstance(read, Acknowledgment)
    assert ["SCH" in fault.message for fault in read.lines[0].faults] == [True]
