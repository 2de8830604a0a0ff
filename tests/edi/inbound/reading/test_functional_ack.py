"""997: did the supplier's system read what we sent? A rejected order must not look delivered."""

from __future__ import annotations

import pytest

from plexstedi.edi.inbound.reading.acknowledgment import Malformed
from plexstedi.edi.inbound.reading.functional_ack import (
    AcceptedWithErrors,
    FunctionalAck,
    NotMentioned,
    SyntaxAccepted,
    SyntaxRejected,
    Verdict,
    read_997,
    verdict,
)
from plexstedi.edi.inbound.reading.guide_reading import read_guide_json
from plexstedi.edi.x12.transaction import Loop, Segment, Transaction


def _997(sets: list[tuple[object, str]], group_code: str, group: object = 1746) -> FunctionalAck:
    document = {
        "heading": {
            "functional_group_response_header_AK1": {"functional_identifier_code_01": "PO", "control_number_02": group},
            "transaction_set_response_header_AK2_loop": [
                {
                    "transaction_set_response_header_AK2": {"identifier_01": "850", "control_number_02": control},
                    "transaction_set_response_trailer_AK5": {"code_01": code},
                }
                for control, code in sets
            ],
            "functional_group_response_trailer_AK9": {"functional_group_acknowledge_code_01": group_code},
        }
    }
    transaction = read_guide_json(document, "997", "004010")
    assert isinstance(transaction, Transaction)
    read = read_997(transaction)
    assert isinstance(read, FunctionalAck)
    return read


@pytest.mark.parametrize(
    ("sets", "group_code", "expected"),
    [
        ([("0001", "A")], "A", SyntaxAccepted),
        ([(1, "A")], "A", SyntaxAccepted),
        ([("0001", "E")], "E", AcceptedWithErrors),
        ([("0001", "R")], "R", SyntaxRejected),
        ([("0001", "M")], "R", SyntaxRejected),
        ([("0001", "W")], "R", SyntaxRejected),
        ([("0001", "X")], "R", SyntaxRejected),
        ([("0001", "A"), ("0002", "R")], "P", SyntaxAccepted),
        ([("0002", "R")], "P", NotMentioned),
        ([("0002", "A")], "A", SyntaxAccepted),
        ([("0001", "A")], "R", SyntaxRejected),
        ([], "A", SyntaxAccepted),
        ([], "E", AcceptedWithErrors),
        ([], "R", SyntaxRejected),
        ([], "P", SyntaxRejected),
        ([("0001", "")], "A", SyntaxAccepted),
        ([("0001", "")], "P", SyntaxRejected),
        ([("0001", "")], "R", SyntaxRejected),
        ([("0001", "?")], "A", SyntaxRejected),
    ],
)
def test_the_verdict_on_our_document(sets: list[tuple[object, str]], group_code: str, expected: type[Verdict]) -> None:
    """A and E are accepted, each set of a partial answer for itself, all else needs a person."""
    assert isinstance(verdict(_997(sets, group_code), "000001746", "0001"), expected)


def test_another_group_is_not_ours() -> None:
    """The 997 of one order never accepts another."""
    assert verdict(_997([("0001", "A")], "A", group="000001746"), 1747, 1) == NotMentioned()


def test_errors_are_explained_in_words() -> None:
    """The buyer's IT reads which segment and which value the supplier's system did not take."""
    transaction = Transaction(
        "997",
        "004010",
        (
            Segment("AK1", ("PO", "1746")),
            Segment("AK2", ("850", "0001")),
            Segment("AK3", ("PO1", "8", "PO1", "8")),
            Segment("AK4", ("3", "355", "7", "CS")),
            Segment("AK5", ("R", "5", "23")),
            Segment("AK9", ("R", "1", "1", "0", "5")),
        ),
    )
    read = read_997(transaction)
    assert isinstance(read, FunctionalAck)
    assert verdict(read, 1746, 1) == SyntaxRejected(
        (
            "segment PO1 at position 8 (loop PO1): segment has element errors",
            "element 3: invalid code, it was 'CS'",
            "segments have errors",
            "control number is not unique in the group",
        )
    )


@pytest.mark.parametrize(
    ("segments", "named"),
    [
        ((), "AK1"),
        ((Segment("AK1", ("PO",)), Segment("AK9", ("A",))), "AK102"),
        ((Segment("AK1", ("PO", "x1")), Segment("AK9", ("A",))), "AK102"),
        ((Segment("AK1", ("PO", "1")),), "AK901"),
    ],
)
def test_a_997_without_a_group_or_result_is_malformed(segments: tuple[Segment, ...], named: str) -> None:
    """It accepts nothing, and says what is missing."""
    read = read_997(Transaction("997", "004010", segments))
    assert isinstance(read, Malformed)
    assert named in (read.reasons[0].where + read.reasons[0].message)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (0, 2, 1)])
def test_errors_are_reported_in_whatever_order_json_has_them(order: tuple[int, ...]) -> None:
    """Keys of a JSON object have no order: the element that was wrong is named all the same."""
    wrong = Loop("AK3", (Segment("AK3", ("PO1", "12", None, "8")), Segment("AK4", ("3", "355", "7"))))
    inside = (Segment("AK2", ("850", "0001")), wrong, Segment("AK5", ("R", "5")))
    head, rest = inside[0], [inside[i] for i in order if i]
    heading = (Segment("AK1", ("PO", "1746")), Loop("AK2", (head, *rest)), Segment("AK9", ("R", "1", "1", "0")))
    read = read_997(Transaction("997", "004010", heading))
    assert isinstance(read, FunctionalAck)
    (errors,) = (response.errors for response in read.sets)
    assert [text for text in errors if "element 3" in text and "invalid code" in text]
