"""One odd value in an answer is that value's fault, and everything beside it is read as always."""

from __future__ import annotations

import json
import tracemalloc
from collections import deque
from contextlib import suppress
from decimal import Decimal
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexstedi.decimal_json import BrokenJsonError, Encoded, ListReader, NotPlain, as_time, as_whole, dumps, loads

ODD = {
    "an exponent of any size": "1e999999999",
    "an exponent that no Decimal has": "1e9999999999999999999999",
    "thousands of digits": "7" * 5000,
    "a long fraction": "0." + "1" * 40,
    "no number": "NaN",
    "infinity": "-Infinity",
}


@pytest.mark.parametrize("written", ODD.values(), ids=ODD)
def test_a_number_out_of_bounds_is_no_number_and_breaks_nothing(written: str) -> None:
    read: Any = loads(f'[{{"quantity": {written}, "unit": "EA"}}, {{"quantity": 5}}]')
    assert isinstance(read[0]["quantity"], NotPlain)
    assert len(read[0]["quantity"]) < 60
    assert (read[0]["unit"], read[1]["quantity"]) == ("EA", 5)
    assert as_whole(read[0]["quantity"]) is None
    dumps(read).encode()


def test_lone_surrogates_and_other_encodings_become_the_broken_character() -> None:
    read: Any = loads(rb'{"a\ud800": "x\udc00y", "pair": "\ud83d\ude00", "latin": "' + b"caf\xe9" + b'"}')
    assert read == {"a\ufffd": "x\ufffdy", "pair": "\U0001f600", "latin": "caf\ufffd"}
    assert loads('"\ud800"') == "\ufffd"


def test_two_values_under_one_name_are_neither() -> None:
    read: Any = loads('{"quantity": 10, "quantity": 100, "unit": "EA", "unit": "EA"}')
    assert isinstance(read["quantity"], NotPlain)
    assert read["unit"] == "EA"


@pytest.mark.parametrize("depth", [150, 5_000, 100_000])
def test_what_is_nested_too_deeply_is_cut_out(depth: int) -> None:
    read: Any = loads('[{"note": ' + "[" * depth + "]" * depth + ', "id": 1}, {"id": 2}]')
    inner, steps = read[0]["note"], 0
    while isinstance(inner, list):
        inner, steps = inner[0], steps + 1
    assert isinstance(inner, NotPlain)
    assert steps <= 100
    assert (read[0]["id"], read[1]["id"]) == (1, 2)
    dumps(read)


@pytest.mark.parametrize("text", ["", "NaN", "{", "[1_000]", "[٢]", "[+1]", "{'a': 1}", "[1,]", "nul", '"\\ud8'])
def test_what_is_no_json_is_said_to_be_none(text: str) -> None:
    with pytest.raises(BrokenJsonError):
        loads(text)


@given(st.binary(max_size=80))
def test_any_bytes_are_json_or_broken(data: bytes) -> None:
    with suppress(BrokenJsonError):
        dumps(loads(data)).encode()


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**29), 10**29) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=12,
)


@given(_PLAIN)
def test_what_is_plain_is_read_as_it_was_written(value: Any) -> None:
    assert loads(json.dumps(value)) == value
    assert loads(dumps(value).encode()) == value


def test_numbers_stay_exact() -> None:
    read: Any = loads("[1.10, 1e3, 0.1, 123456789012345678901234567890]")
    assert read == [Decimal("1.10"), Decimal(1000), Decimal("0.1"), 123456789012345678901234567890]


@pytest.mark.parametrize("value", [True, None, "²", "1_0", Decimal("1.5"), [], {}, "9" * 40])
def test_what_counts_is_a_whole_number(value: Any) -> None:
    assert as_whole(value) is None


@pytest.mark.parametrize("value", [5, "0001-01-01T00:00:00+14:00", "yesterday", None, []])
def test_what_is_no_time_is_none(value: Any) -> None:
    assert as_time(value) is None


LISTS = {
    "an empty list": b" [ ] ",
    "numbers": b"[12, 34.50 ,-1e3, 1e999999999, NaN]",
    "one key with two values": b'[{"a": 1, "a": 2}, {"b": 1}]',
    "escapes": b'["\\ud800x", "\\"], [", {"a\\\\": "]"}]',
    "a byte order mark": b"\xef\xbb\xbf[1, 2, 3]",
    "UTF-16": '[1, "\u00e9"]'.encode("utf-16"),
    "another encoding": b'["caf\xe9\xe9", 1]',
    "nested too deeply": b"[1," + b"[" * 150 + b"]" * 150 + b",2]",
    "nested more deeply than the parser reads": b"[1," + b"[" * 5000 + b"]" * 5000 + b",2]",
    "a long item": b'[["' + b"x" * 3000 + b'"], 1.5]',
}
BROKEN_LISTS = [
    *(b"[1,]", b"[,1]", b"[1 2]", b"[1, 2]x", b"[1, 2", b"[1.", b"[1]]", b"[nul, 1]", b'[{"a": 1}, {"b"', b"[[[[1]]]"),
    b"[1," + b"[" * 5000,
]


def in_pieces(body: bytes, size: int) -> Any:
    """The list, read from pieces of so many bytes."""
    reader = ListReader(lambda item, written: item)
    for start in range(0, len(body), size):
        reader.feed(body[start : start + size])
    return reader.finish() if reader.is_list else loads(reader.body)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 100_000])
@pytest.mark.parametrize("body", LISTS.values(), ids=LISTS)
def test_a_list_that_arrives_in_pieces_has_the_items_that_it_has_as_a_whole(body: bytes, size: int) -> None:
    assert repr(in_pieces(body, size)) == repr(loads(body))


@pytest.mark.parametrize("size", [1, 3, 64, 100_000])
@pytest.mark.parametrize("body", BROKEN_LISTS, ids=[repr(body[:20]) for body in BROKEN_LISTS])
def test_a_list_that_is_broken_anywhere_is_broken_as_a_whole(body: bytes, size: int) -> None:
    with pytest.raises(BrokenJsonError):
        loads(body)
    with pytest.raises(BrokenJsonError):
        in_pieces(body, size)


@given(st.lists(st.recursive(st.none() | st.text() | st.integers() | st.floats(), st.lists, max_leaves=5)), st.data())
def test_any_list_is_read_alike_wherever_it_is_cut(items: Any, data: Any) -> None:
    body = json.dumps(items, indent=data.draw(st.sampled_from([None, 1]))).encode()
    size = data.draw(st.integers(1, len(body)))
    assert repr(in_pieces(body, size)) == repr(loads(body))


@pytest.mark.parametrize("body", [b'{"data": [1]}', b"<html>", b'"text"', b"", b"  "])
def test_what_is_no_list_is_left_as_it_is(body: bytes) -> None:
    reader = ListReader(lambda item, written: item)
    for byte in body:
        reader.feed(bytes([byte]))
    assert not reader.is_list
    assert reader.body == body


def test_an_item_is_let_go_once_it_was_looked_at() -> None:
    """What a long list takes depends on what is kept of its items, not on its length."""
    item = json.dumps({"id": 1, "note": "x" * 1000}).encode()
    tracemalloc.start()
    try:
        reader = ListReader(lambda row, written: None)
        reader.feed(b"[" + item)
        for _ in range(3000):
            reader.feed(b"," + item)
        reader.feed(b"]")
        assert len(reader.finish()) == 3001
        assert tracemalloc.get_traced_memory()[1] < 500_000
    finally:
        tracemalloc.stop()


class _Word(StrEnum):
    EACH = "EA"


class _Number(IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"b": [1, True, None], "a": ("ä", Decimal("1E+2"))}, '{"b":[1,true,null],"a":["ä",100]}'),
        (MappingProxyType({"a": deque([Decimal("0.10")])}), '{"a":[0.10]}'),
        ({_Word.EACH: _Word.EACH, "one": _Number.ONE}, '{"EA":"EA","one":1}'),
        ({"kept": Encoded('{"x": 1}'), "odd": NotPlain("1_0")}, '{"kept":{"x": 1},"odd":"1_0"}'),
    ],
)
def test_values_of_every_type_are_written(value: Any, written: str) -> None:
    assert dumps(value) == written


@pytest.mark.parametrize("value", [{1: "x"}, {"a": b"x"}, {"a": {1, 2}}, 1.5])
def test_what_has_no_json_form_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        dumps(value)
