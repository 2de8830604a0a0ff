"""Reading single values: lenient in spelling, strict in meaning."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from plexstedi.plex.rest.rows import Names, Row, RowFault, filter_time, read_time

NAMES = Names(own={}, aliases={"ponumber": ("purchaseordernumber",)})


def row(**values: object) -> Row:
    return Row(values, NAMES, "row")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-18T15:10:42.153Z", datetime(2026, 11, 18, 15, 10, 42, 153000, tzinfo=UTC)),
        ("2026-11-18T15:10:42.1531239", datetime(2026, 11, 18, 15, 10, 42, 153123, tzinfo=UTC)),
        ("2026-11-18T15:10", datetime(2026, 11, 18, 15, 10, tzinfo=UTC)),
        ("2026-11-18T15:10:00+02:00", datetime(2026, 11, 18, 13, 10, tzinfo=UTC)),
        ("2026-11-18", datetime(2026, 11, 18, tzinfo=UTC)),
        ("2026-13-18", None),
        ("18.11.2026", None),
        ("", None),
    ],
)
def test_times_are_read_with_any_fraction_and_as_utc_without_a_zone(text, expected):
    assert read_time(text) == expected


def test_filter_times_are_utc_in_whole_seconds():
    moment = datetime.fromisoformat("2026-11-18T15:10:42.999+02:00")
    assert filter_time(moment) == "2026-11-18T13:10:42Z"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3000, "3000"),
        (Decimal("3000.0"), "3000"),
        (Decimal("0.100"), "0.1"),
        (Decimal("1E+3"), "1000"),
        ("12.50", "12.5"),
        (Decimal("0.00"), "0"),
        (Decimal("12345678901234567890123456789.5"), "12345678901234567890123456789.5"),
    ],
)
def test_equal_numbers_read_as_one_text_and_lose_nothing(value, expected):
    assert str(row(quantity=value).number("quantity")) == expected


@pytest.mark.parametrize("value", [True, "many", [1], Decimal("NaN"), {"a": 1}])
def test_what_is_no_number_is_not_read_as_one(value):
    with pytest.raises(RowFault, match="quantity"):
        row(quantity=value).number("quantity")


def test_absent_null_and_blank_are_the_same():
    assert row().text("note") is row(note=None).text("note") is row(note="  ").text("note") is None
    assert row(quantity="").number("quantity") is None


def test_a_field_is_found_under_every_known_spelling():
    for values in ({"poNumber": "7"}, {"po_number": 7}, {"PONumber": "7"}, {"purchase_order_number": "7"}):
        assert row(**values).needed("poNumber") == "7"


def test_a_value_of_the_wrong_kind_is_named_and_not_bent():
    with pytest.raises(RowFault, match="note"):
        row(note=["a"]).text("note")
    with pytest.raises(RowFault, match="a whole number"):
        row(number=Decimal("1.5")).whole("number")
    with pytest.raises(RowFault, match="yes or no"):
        row(main="maybe").flag("main")
    with pytest.raises(RowFault, match="a list"):
        row(lines="x").rows("lines")
    with pytest.raises(RowFault, match="object"):
        Row([1], NAMES, "row")


def test_flags_come_in_several_forms():
    assert [row(main=value).flag("main") for value in (True, "False", 1, None)] == [True, False, True, None]
