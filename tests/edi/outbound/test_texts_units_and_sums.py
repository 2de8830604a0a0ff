"""Texts, units and sums: nothing of what a person wrote is changed without saying so, and no number is rounded."""

from __future__ import annotations

from decimal import localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexstedi.edi.outbound.text import TextCleaner, split_words
from plexstedi.edi.settings import TextSettings
from plexstedi.edi.units import basis_quantity, exact_quotient, plain, plex_unit, product, total_of
from tests.edi.outbound_orders import D, partner

_NUMBERS = st.decimals(min_value=-(10**12), max_value=10**12, places=6)


@given(text=st.text(max_size=40))
def test_clean_text_is_what_x12_can_carry_or_is_held(text: str) -> None:
    cleaner = TextCleaner(TextSettings())
    cleaned = cleaner.clean(text, "order") or ""
    if not cleaner.reasons:
        assert cleaned.isascii()
        assert cleaned.isprintable()
        assert not set(cleaned) & set("*~>^")
        assert cleaned == text.strip() or cleaner.adjusted


@given(text=st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="*~>^")))
def test_ordinary_text_is_never_touched(text: str) -> None:
    cleaner = TextCleaner(TextSettings())
    assert (cleaner.clean(text, "order") or "") == text.strip()
    assert not cleaner.adjusted
    assert not cleaner.reasons


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("“quoted” ‘it’ – …", "\"quoted\" 'it' - ..."),
        ("a\u00a0b", "a b"),
        ("two\r\nlines", "two lines"),
        ("AB  12", "AB  12"),
    ],
)
def test_look_alikes_are_written_as_ascii(text: str, expected: str) -> None:
    assert TextCleaner(TextSettings()).clean(text, "order") == expected


@pytest.mark.parametrize("text", ["5 m²", "½ inch", "10 µm", "注意"])
def test_a_character_that_means_something_is_held_even_when_accents_may_go(text: str) -> None:
    cleaner = TextCleaner(TextSettings(transliterate=True))
    cleaner.clean(text, "line 10")
    assert [reason.code for reason in cleaner.reasons] == ["text-not-ascii"]
    assert cleaner.reasons[0].where == "line 10"


def test_delimiters_are_those_of_the_supplier() -> None:
    cleaner = TextCleaner(TextSettings(delimiters="|'<^"))
    assert cleaner.clean("3*4 ~ 5", "order") == "3*4 ~ 5"
    assert not cleaner.reasons
    cleaner.clean("it's", "order")
    assert [reason.code for reason in cleaner.reasons] == ["text-has-delimiter"]


@given(words=st.lists(st.text("abcdef", min_size=1, max_size=10), min_size=1, max_size=60), width=st.integers(10, 40))
def test_a_split_note_has_every_word_and_no_piece_is_too_long(words: list[str], width: int) -> None:
    pieces = split_words(" ".join(words), width)
    assert pieces is not None
    assert all(len(piece) <= width for piece in pieces)
    assert " ".join(pieces).split() == words


def test_a_word_longer_than_a_segment_is_not_cut() -> None:
    assert split_words("see https://example.test/a/very/long/address", 20) is None


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("EA", "EA"),
        ("Each", "EA"),
        ("pcs", "EA"),
        ("M", "MR"),
        ("lbs", "LB"),
        ("l", "LT"),
        ("hr", "HR"),
        ("Pallet", None),
    ],
)
def test_common_unit_names_need_no_setting(name: str, code: str | None) -> None:
    found = plex_unit(name, partner().settings)
    assert (None if found is None else found.unit) == code


def test_a_suppliers_unit_wins_over_the_built_in_name() -> None:
    found = plex_unit("ea", partner(units={"Ea": "PC"}).settings)
    assert found is not None
    assert found.unit == "PC"


@pytest.mark.parametrize(
    ("basis", "unit", "quantity"),
    [(None, "EA", 1), ("PE", "EA", 1), ("HP", "EA", 100), ("TP", "EA", 1000), ("HP", "LB", None), ("??", "EA", None)],
)
def test_a_price_basis_says_for_how_many_the_price_is(basis: str | None, unit: str, quantity: int | None) -> None:
    assert basis_quantity(basis, unit) == quantity


@given(one=_NUMBERS, other=_NUMBERS.filter(bool))
def test_sums_products_and_quotients_are_exact(one: D, other: D) -> None:
    assert Fraction(product(one, other)) == Fraction(one) * Fraction(other)
    assert Fraction(total_of(one, other)) == Fraction(one) + Fraction(other)
    quotient = exact_quotient(one, other, 6)
    if quotient is not None:
        assert Fraction(quotient) * Fraction(other) == Fraction(one)


def test_a_quotient_is_exact_in_any_decimal_context() -> None:
    longest = D("1" * 30)
    with localcontext(prec=5):
        assert exact_quotient(longest, D(1), 10) == longest


@given(number=_NUMBERS)
def test_one_number_has_one_form(number: D) -> None:
    assert plain(number) == number
    assert str(plain(number)) == str(plain(plain(number) * 1))
    assert "E" not in str(plain(number)) or abs(number) < D("0.000001")


def test_a_delimiter_that_upper_case_makes_is_found() -> None:
    cleaner = TextCleaner(TextSettings(uppercase=True, delimiters="X~>^"))
    assert cleaner.clean("box", "order") == "BOX"
    assert [reason.code for reason in cleaner.reasons] == ["text-has-delimiter"]


@pytest.mark.parametrize(
    ("text", "helps"),
    [("Größe", True), ("bell\x07", False), ("Größe\x07", False), ("5 µm", False), ("Zoë\tvan Dam", True)],
)
def test_transliterate_is_advised_only_where_it_makes_the_text_sendable(text: str, helps: bool) -> None:
    cleaner = TextCleaner(TextSettings())
    cleaner.clean(text, "order")
    (reason,) = cleaner.reasons
    assert ("transliterate = true" in reason.fix) == helps
    with_it = TextCleaner(TextSettings(transliterate=True))
    with_it.clean(text, "order")
    assert (with_it.reasons == []) == helps
