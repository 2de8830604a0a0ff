"""Whatever the width of the terminal: every value and word is whole, and no line is wider."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plexstedi.cli.render.layout import Mark, columns_of, paragraph, table, text_of
from tests.examples import examples

WORD = st.text("abcXYZ0189.,:;-", min_size=1, max_size=18)
VALUE = st.text("ABC0189-", max_size=14)
SENTENCE = st.lists(WORD, max_size=30).map(" ".join)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    kinds = draw(st.lists(st.sampled_from([VALUE, SENTENCE]), min_size=1, max_size=8))
    headers = [f"head{number}" for number in range(len(kinds))]
    rows = draw(st.lists(st.tuples(*kinds).map(list), min_size=1, max_size=5))
    return headers, rows


@settings(max_examples=examples(100))
@given(tables(), st.sampled_from([80, 100, 120]))
def test_no_line_is_wider_and_no_word_is_split(given_table: tuple[list[str], list[list[str]]], width: int) -> None:
    headers, rows = given_table
    lines = [text_of(line) for line in table(headers, rows, width)]
    assert all(columns_of(line) <= width for line in lines)
    shown = re.findall(r"\S+", "\n".join(lines))
    for row in rows:
        for cell in row:
            assert set(cell.split()) <= set(shown)


def test_a_table_that_fits_is_one_line_a_row() -> None:
    lines = [text_of(line) for line in table(("id", "why"), [["1", "late"], ["22", "held"]], 80)]
    assert lines == ["id  why", "--  ----", "1   late", "22  held"]


def test_a_long_sentence_is_wrapped_beside_the_values() -> None:
    row = ["1", "the supplier rejects the order with detail"]
    lines = [text_of(line) for line in table(("id", "why"), [row], 38)]
    assert lines == ["id  why", f"--  {'-' * 34}", "1   the supplier rejects the order", "    with detail"]


def test_without_room_beside_the_sentence_stands_below() -> None:
    row = ["PO-104005", "S005", "2026-11-23 07:46 UTC", "the supplier rejects the order with detail"]
    lines = [text_of(line) for line in table(("order", "supplier", "since", "why"), [row], 48)]
    assert lines[2:] == [
        "PO-104005  S005      2026-11-23 07:46 UTC",
        "    the supplier rejects the order with detail",
    ]


def test_a_column_that_can_be_spared_goes_first() -> None:
    row = ["PO-104005", "plexstedi-850-PO-104005-key-of-the-slot-r1", "x"]
    lines = [text_of(line) for line in table(("order", "key", "kind"), [row], 40, spare=("key",))]
    assert lines[2:] == ["PO-104005  x"]


def test_values_that_fit_nowhere_become_a_block_and_stay_whole() -> None:
    row = ["0af6d6b2-1f5d-4b6e-9a3c-2f8f0c7d9e11", "0af6d6b2-1f5d-4b6e-9a3c-2f8f0c7d9e12", "rejected"]
    lines = table(("first", "second", "state"), [row, row], 60)
    assert [text_of(line) for line in lines][:4] == [f"first:  {row[0]}", f"second: {row[1]}", "state:  rejected", ""]


@pytest.mark.parametrize(
    ("cell", "mark"), [("rejected", Mark.WRONG), ("held", Mark.CARE), ("confirmed", Mark.NONE), ("Late", Mark.CARE)]
)
def test_what_is_wrong_or_held_is_marked(cell: str, mark: Mark) -> None:
    marks = {piece.text: piece.mark for line in table(("id", "state"), [["1", cell]], 80) for piece in line}
    assert marks[cell] is mark


def test_wide_characters_take_two_columns() -> None:
    (line,) = table(("name", "id"), [["日本精工", "1"], ["Acme", "2"]], 80)[2:3]
    assert text_of(line) == "日本精工  1"
    assert columns_of("日本精工  1") == 11


def test_a_paragraph_hangs_and_keeps_its_words() -> None:
    assert paragraph("fix: run `plexstedi check` and store the key again", 30, indent="  ", hanging="       ") == [
        "  fix: run `plexstedi check`",
        "       and store the key again",
    ]
