"""Text of others can be looked at: nothing in it steers a terminal, hides, or breaks what holds it."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexstedi.plain_text import can_write, cell, fitted, hanging, many, one_line, visible, visible_json

ANY_TEXT = st.text(st.characters())
"""Every code point, lone surrogates too."""
ENCODINGS = ("utf-8", "ascii", "iso-8859-1", "cp1252")


@given(ANY_TEXT)
def test_all_that_is_shown_can_be_seen(text: str) -> None:
    assert visible(text).replace("\n", "").isprintable()
    assert one_line(text).isprintable()
    assert visible(visible(text)) == visible(text)
    assert visible(text).count("\n") == text.count("\n")


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == one_line(text) == fitted(text, "ascii") == visible_json(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x9b31m", r"\x9b31m"),
        ("a\x7f\x08\x00", r"a\x7f\x08\x00"),
        ("one\rtwo\ttabbed", r"one\rtwo\ttabbed"),
        ("\u202etxt.exe\u202c", r"\u202etxt.exe\u202c"),
        ("\u2066\u2069\u200e\u200f\u061c", r"\u2066\u2069\u200e\u200f\u061c"),
        ("AC\u200bME\u2060\ufeff\xad", r"AC\u200bME\u2060\ufeff\xad"),
        ("AC\u3164ME\u034f", r"AC\u3164ME\u034f"),
        ("one\u2028two\u2029three\x85", r"one\u2028two\u2029three\x85"),
        ("\ud800 \udcff", r"\ud800 \udcff"),
        ("tag \U000e0041", r"tag \U000e0041"),
        ("private \ue000 \U0010ffff", r"private \ue000 \U0010ffff"),
        ("wide\xa0\u3000space", "wide  space"),
        ("Schrauben Müller & Söhne 螺丝 שלום 🔩", "Schrauben Müller & Söhne 螺丝 שלום 🔩"),
        ("two\nlines", "two\nlines"),
    ],
)
def test_what_cannot_be_seen_is_an_escape_and_letters_of_any_script_are_left_alone(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_table_cell_is_one_line() -> None:
    assert one_line("first  of all\r\n  second\tthird") == "first  of all second third"


def test_further_lines_cannot_pass_for_ours() -> None:
    assert hanging("warning: a\nplexstedi: no problems found\n  fix: b") == (
        "warning: a\n  plexstedi: no problems found\n  fix: b"
    )


@given(ANY_TEXT, st.sampled_from(ENCODINGS))
def test_every_encoding_can_write_it(text: str, encoding: str) -> None:
    assert can_write(fitted(visible(text), encoding), encoding)
    assert can_write(fitted(text, encoding), encoding)


def test_our_own_characters_have_look_alikes_and_others_escapes() -> None:
    assert fitted("5e0c… → “é” ─", "ascii") == r'5e0c... -> "\xe9" -'
    assert fitted("5e0c… é", "iso-8859-1") == "5e0c... é"


@given(
    st.recursive(ANY_TEXT, lambda some: st.lists(some) | st.dictionaries(ANY_TEXT, some)), st.sampled_from(ENCODINGS)
)
def test_json_stays_the_same_json_in_every_encoding(value: object, encoding: str) -> None:
    shown = visible_json(json.dumps(value, ensure_ascii=False), encoding)
    assert can_write(shown, encoding)
    assert shown.replace("\n", "").isprintable()
    assert json.loads(shown) == json.loads(_without_surrogates(json.dumps(value, ensure_ascii=False)))


def _without_surrogates(text: str) -> str:
    return "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in text)


@given(ANY_TEXT)
def test_a_csv_cell_is_one_cell_and_no_formula(text: str) -> None:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerow([cell(text), "next"])
    assert file.getvalue().count("\n") == 1
    ((first, following),) = csv.reader([file.getvalue()])
    assert following == "next"
    assert not first.lstrip().startswith(("=", "@"))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("  =1+1", "'  =1+1"),
        ("\t=1+1", "' =1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-2+3+cmd", "'-2+3+cmd"),
        ("+1 555 0100", "'+1 555 0100"),
        ("-5", "-5"),
        ("+12.50", "+12.50"),
        ("PO-104001", "PO-104001"),
    ],
)
def test_a_spreadsheet_computes_nothing_and_numbers_stay_numbers(text: str, written: str) -> None:
    assert cell(text) == written


@pytest.mark.parametrize(("count", "said"), [(0, "0 open orders"), (1, "1 open order"), (2, "2 open orders")])
def test_one_of_something_is_told_as_one(count: int, said: str) -> None:
    assert many(count, "open order") == said
