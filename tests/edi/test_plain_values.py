"""What is no number, no time and no text of anybody's is refused where it comes in, and never raises."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from plexstedi.edi.inbound.reading.element_values import Bad, is_sensible, read_date, read_number
from plexstedi.edi.inbound.reading.functional_ack import FunctionalAck, read_997
from plexstedi.edi.inbound.reading.interchange_ack import ta1_of_json, ta1_of_x12
from plexstedi.edi.plain_values import is_plain, iso_time, moved, plain_number, plain_whole, whole_text
from plexstedi.edi.units import plain
from plexstedi.edi.x12.text import BrokenX12Error, parse
from plexstedi.edi.x12.transaction import Loop, Segment, Transaction

ODD_NUMBERS = [
    *("1_000", "١٢", "²", "1²", "१", "", " ", "-", ".", "1e", "NaN", "Infinity", "-inf", "0x10", "1,000", "1 000"),
    *("1e31", "1E-31", "1e999999999999999999999", "9" * 31, "0." + "1" * 31, "1" * 5000, "٠", "1\x00", "½"),
]


@pytest.mark.parametrize("written", ODD_NUMBERS)
def test_a_number_that_is_not_plainly_written_is_none(written: str) -> None:
    assert plain_number(written) is None
    assert isinstance(read_number(written), Bad) or not written.strip()


@pytest.mark.parametrize(
    ("written", "number"),
    [
        *(("10", "10"), (" 10 ", "10"), ("+1.50", "1.50"), ("-0", "0"), (".5", "0.5"), ("5.", "5"), ("1e3", "1000")),
        *(("0" * 40 + "7", "7"), ("9" * 30, "9" * 30), ("1e30", "1" + "0" * 30), ("1E-30", "1E-30")),
    ],
)
def test_a_plain_number_is_read_exactly(written: str, number: str) -> None:
    assert plain_number(written) == Decimal(number)


@pytest.mark.parametrize("written", ["²", "١", "-1", "1.0", "1_0", "", "9" * 31, "1" * 5000])
def test_a_control_number_is_ascii_digits(written: str) -> None:
    assert plain_whole(written) is None


@given(st.text(max_size=60))
def test_whatever_is_written_a_number_is_plain_or_none(written: str) -> None:
    number = plain_number(written)
    assert number is None or is_plain(number)
    assert len(f"{number:f}" if number is not None else "") < 130


_ANY_NUMBER = st.decimals() | st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(-(10**32), 10**32), st.integers(-70, 70)
)


@given(_ANY_NUMBER)
@example(Decimal("1." + "0" * 30))
@example(Decimal("0E-61"))
@example(Decimal(10**30 - 1))
def test_a_number_is_plain_by_its_digits_and_its_exponent(number: Decimal) -> None:
    few = number.is_finite() and len(number.as_tuple().digits) <= 30 and abs(number.adjusted()) <= 60
    assert is_plain(number) is few


@given(_ANY_NUMBER.filter(Decimal.is_finite))
@example(Decimal("-0"))
@example(Decimal("3E+3"))
def test_a_number_has_one_canonical_form(number: Decimal) -> None:
    exponent = plain(number).as_tuple().exponent
    assert plain(number) == number
    assert isinstance(exponent, int)
    assert exponent == 0 or (exponent < 0 and plain(number).as_tuple().digits[-1] != 0)
    assert str(plain(number * 0)) == "0"


@given(_ANY_NUMBER.filter(is_plain))
@example(Decimal("1." + "0" * 20))
@example(Decimal("1234567890.123456789"))
@example(Decimal(10**18 - 1))
@example(Decimal(10**18))
def test_a_quantity_or_price_has_no_more_digits_than_x12_allows(number: Decimal) -> None:
    short = not number or (-18 <= number.adjusted() < 18 and len(plain(number).as_tuple().digits) <= 18)
    assert is_sensible(number) is short
    read = read_number(number)
    assert (not isinstance(read, Bad)) is (short and number >= 0)
    assert isinstance(read, Bad) or str(read) == str(plain(number))


@given(st.text(max_size=40) | st.datetimes(timezones=st.timezones()).map(datetime.isoformat))
def test_whatever_is_written_a_time_is_utc_and_can_be_moved_by_a_day(written: str) -> None:
    found = iso_time(written)
    if found is not None:
        assert found.tzinfo is UTC
        assert found - timedelta(days=1) < found < found + timedelta(days=1)


@pytest.mark.parametrize("written", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "9999-12-31"])
def test_a_time_at_the_edge_of_the_calendar_is_none(written: str) -> None:
    assert iso_time(written) is None


def test_a_time_moved_out_of_the_calendar_stays_at_its_edge() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert moved(at, timedelta(days=999_999_999)).year == 9999
    assert moved(at, -timedelta(days=999_999_999)).year == 1
    assert moved(at, timedelta(days=1)).day == 2


@given(st.text(alphabet=st.characters(categories=["Cs", "Lu", "Nd"]), max_size=20))
def test_what_is_kept_of_a_text_can_be_encoded(text: str) -> None:
    assert len(whole_text(text).encode().decode()) == len(text)


@given(st.text(max_size=12) | st.dates() | st.decimals(allow_nan=True))
def test_a_date_is_a_date_or_said_to_be_none(value: object) -> None:
    read_date(value)  # type: ignore[arg-type]


@given(st.text(alphabet="ISAGT~*:>1²٢\n\x00\ud800PO", max_size=300))
def test_no_text_that_calls_itself_x12_raises_anything_else(rest: str) -> None:
    isa = "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260101*0000*U*00401*000000001*0*P*>~"
    for text in (rest, isa + rest, isa + rest + "~IEA*0*1~"):
        with suppress(BrokenX12Error):
            parse(text)
        ta1_of_x12(text)


@pytest.mark.parametrize("control", ["²", "1" * 5000, "١", "-1", "1_0"])
def test_an_odd_control_number_is_no_control_number(control: str) -> None:
    segments = (Segment("AK1", ("PO", control)), Segment("AK9", ("A",)))
    assert not isinstance(read_997(Transaction("997", "004010", segments)), FunctionalAck)
    sets = (Segment("AK1", ("PO", "7")), Loop("AK2", (Segment("AK2", ("850", control)),)), Segment("AK9", ("A",)))
    read = read_997(Transaction("997", "004010", sets))
    assert isinstance(read, FunctionalAck)
    assert read.sets[0].control is None
    assert ta1_of_json({"TA1": {"a_01": control, "b_04": "A", "c_05": "000"}}) == ()
    with pytest.raises(BrokenX12Error):
        parse(
            "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260101*0000*U*00401*"
            f"000000001*0*P*>~GS*PR*A*B*20260101*0000*{control}*X*004010~GE*0*1~IEA*1*1~"
        )
