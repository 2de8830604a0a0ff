"""Finding the order: another supplier's or another plant's order is never touched."""

from __future__ import annotations

from decimal import Decimal

import pytest

from plexstedi.edi.inbound.matching import (
    AmbiguousLine,
    AmbiguousOrder,
    Candidate,
    LineIndex,
    LineMatch,
    Matched,
    NoLine,
    OrderMatch,
    OtherPlant,
    OtherSupplier,
    UnknownOrder,
    match_line,
    match_order,
    why_ambiguous,
)
from plexstedi.edi.inbound.reading.acknowledgment import AcknowledgedLine
from plexstedi.edi.sent import SentLine

PARTNERSHIPS = ("us_acme", "us_bolt")
ORDERS = (
    Candidate("1", "PO-1001", frozenset({"us_acme"})),
    Candidate("2", "0042", frozenset({"us_acme"})),
    Candidate("3", "777", frozenset({"us_acme"})),
    Candidate("4", "0777", frozenset({"us_acme"})),
    Candidate("5", "PO-2001", frozenset({"us_bolt"})),
    Candidate("6", "BL-5", frozenset({"us_acme"}), release="1"),
    Candidate("7", "BL-5", frozenset({"us_acme"}), release="2"),
    Candidate("8", "BL-6", frozenset({"us_acme"}), release="1-1"),
)


def _match(number: str, partnership: str = "us_acme", release: str | None = None) -> OrderMatch:
    return match_order(number, release, partnership, ORDERS, PARTNERSHIPS)


@pytest.mark.parametrize(
    ("number", "order_id", "exactly"),
    [
        ("PO-1001", "1", True),
        ("po-1001 ", "1", False),
        ("42", "2", False),
        ("000042", "2", False),
        ("777", "3", True),
        ("0777", "4", True),
    ],
)
def test_a_supplier_may_write_the_number_its_own_way(number: str, order_id: str, exactly: bool) -> None:
    """Blanks, case and leading zeros do not cost the buyer an answer."""
    found = _match(number)
    assert isinstance(found, Matched)
    assert (found.candidate.order_id, found.exactly) == (order_id, exactly)


def test_a_number_that_could_be_two_orders_is_not_guessed() -> None:
    """`00777` is neither 777 nor 0777 for sure."""
    found = _match("00777")
    assert isinstance(found, AmbiguousOrder)
    assert {c.order_id for c in found.candidates} == {"3", "4"}


def test_the_release_tells_orders_of_one_number_apart() -> None:
    """Releases of a blanket that were sent one by one get each its own answer."""
    found = _match("BL-5", release="2")
    assert isinstance(found, Matched)
    assert found.candidate.order_id == "7"
    assert isinstance(_match("BL-5"), AmbiguousOrder)


@pytest.mark.parametrize(("release", "said"), [(None, "no release (BAK05)"), ("1-3", "(BAK05) 1-3 is unknown")])
def test_a_release_that_is_missing_or_unknown_is_named_with_those_that_were_sent(
    release: str | None, said: str
) -> None:
    """The order number was right: the supplier is asked for the release, not for the number."""
    found = _match("BL-5", release=release)
    assert isinstance(found, AmbiguousOrder)
    reason = why_ambiguous(found)
    assert said in reason.message
    assert "1, 2" in reason.message
    assert "BAK05" in reason.fix
    assert "number" not in reason.message


@pytest.mark.parametrize(("release", "is_meant"), [("1-1", True), ("01-1", True), (None, True), ("1-2", False)])
def test_the_only_release_sent_is_not_confirmed_by_the_acknowledgment_of_another(
    release: str | None, is_meant: bool
) -> None:
    """The other one may have been sent by hand, or before the state file was lost."""
    found = _match("BL-6", release=release)
    assert isinstance(found, Matched) is is_meant
    if isinstance(found, AmbiguousOrder):
        assert "(BAK05) 1-2 is unknown" in why_ambiguous(found).message


def test_of_two_orders_the_number_is_asked_for() -> None:
    found = _match("00777")
    assert isinstance(found, AmbiguousOrder)
    assert "could refer to 777, 0777" in why_ambiguous(found).message


def test_a_supplier_that_moved_acknowledges_over_either_partnership() -> None:
    """What its documents went over, or what it has now; nobody else's."""
    order = Candidate("9", "PO-9", frozenset({"old", "new"}))
    known = ("old", "new", "us_bolt")
    for partnership in ("old", "new"):
        assert isinstance(match_order("PO-9", None, partnership, [order], known), Matched)
    assert isinstance(match_order("PO-9", None, "us_bolt", [order], known), OtherSupplier)


def test_one_supplier_cannot_confirm_the_order_of_another() -> None:
    """A mistyped number never confirms somebody else's order."""
    found = _match("PO-2001")
    assert isinstance(found, OtherSupplier)
    assert found.candidates[0].partnership_ids == {"us_bolt"}
    assert isinstance(_match("PO-2001", "us_bolt"), Matched)


def test_a_partnership_that_is_not_ours_is_another_plants() -> None:
    """Two plants may share one Stedi account without seeing each other's answers."""
    assert _match("PO-1001", "us_elsewhere") == OtherPlant("us_elsewhere")


def test_an_unknown_order_is_kept_for_later() -> None:
    """An answer that overtakes our own bookkeeping is not lost."""
    assert _match("PO-9") == UnknownOrder("PO-9")


def _sent(line: int, part: str) -> SentLine:
    return SentLine(
        line_id=str(line), line=line, quantity=Decimal(5), unit="EA", price=Decimal(1), items={"BP": part, "VP": "V-1"}
    )


@pytest.mark.parametrize(
    ("assigned_id", "part", "expected"),
    [
        ("20", "A", LineMatch),  # the part is on several lines, this one among them
        ("0020", "a", LineMatch),
        ("30", "A", AmbiguousLine),  # the number is line 30, the part that of 10 and 20
        (None, "A", AmbiguousLine),
        (None, "B", LineMatch),
        ("99", "B", LineMatch),
        ("99", "C", NoLine),
    ],
)
def test_a_part_on_several_lines_confirms_none_but_the_line_that_is_numbered(
    assigned_id: str | None, part: str, expected: type
) -> None:
    index = LineIndex([_sent(10, "A"), _sent(20, "A"), _sent(30, "B")])
    acknowledged = AcknowledgedLine(position=1, place="PO1", assigned_id=assigned_id, items={"BP": part})
    found = match_line(acknowledged, index)
    assert isinstance(found, expected)
    if isinstance(found, LineMatch):
        assert found.line.line == (20 if assigned_id in ("20", "0020") else 30)
    if isinstance(found, AmbiguousLine):
        assert [line.line for line in found.candidates] == ([30, 10, 20] if assigned_id else [10, 20])
