"""A table of settings is read whole, or everything that is wrong with it is said at once, each at its place."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import pytest
from msgspec import Meta, field

from plexstedi.edi.read_settings import After, Before, InvalidSettings, Settings, refusal
from plexstedi.edi.settings import AcknowledgmentSettings, SupplierSettings, Tolerance, Unit


def _no_tabs(text: str) -> str:
    if "\t" in text:
        raise refusal("has a tab", "Remove it.")
    return text


class Inner(Settings, frozen=True, kw_only=True):
    name: Annotated[str, Meta(min_length=1), After(_no_tabs)]


def _short(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class Outer(Settings, frozen=True, kw_only=True):
    needed: int
    sender: str = field(name="from", default="")
    one: Annotated[Inner, Before(_short)] | None = None
    many: dict[str, Annotated[Inner, Before(_short)]] = field(default_factory=dict)
    words: Annotated[tuple[str, ...], Meta(min_length=1)] = ("a",)
    street: str | tuple[str, ...] | None = None
    share: Annotated[Decimal, Meta(gt=0, le=1)] = Decimal(1)


def places(table: type[Settings], given: object) -> list[tuple[tuple[str | int, ...], str]]:
    with pytest.raises(InvalidSettings) as caught:
        table.of(given)
    return [(fault.path, fault.message) for fault in caught.value.faults]


def test_all_faults_come_at_once_and_unknown_keys_last() -> None:
    given = {
        "x": 1,
        "sender": "x",
        "from": 1,
        "many": {"a": "", "b": 5, "c": {"nam": 1}},
        "words": [],
    }
    assert places(Outer, given) == [
        (("needed",), "is missing"),
        (("from",), "must be text"),
        # No table of the file: the key that stands for one.
        (("many", "a"), "is too short or empty"),
        (("many", "b"), "must be a table"),
        (("many", "c", "name"), "is missing"),
        (("many", "c", "nam"), "is an unknown key"),
        (("words",), "must not be an empty list"),
        (("x",), "is an unknown key"),
        (("sender",), "is an unknown key"),
    ]


@pytest.mark.parametrize(
    ("key", "value", "faults"),
    [
        ("needed", True, [(("needed",), "must be a whole number")]),
        ("needed", Decimal(1), [(("needed",), "must be a whole number")]),
        ("street", 1, [(("street",), "must be text"), (("street",), "must be a list")]),
        ("street", ["a", 1], [(("street",), "must be text"), (("street",), "must be text")]),
        ("words", ["a", 1], [(("words", 1), "must be text")]),
        ("share", 0, [(("share",), "must be more than 0, not 0")]),
        ("share", Decimal("1.01"), [(("share",), "must be at most 1, not 1.01")]),
        ("one", {"name": "a\tb"}, [(("one", "name"), "has a tab")]),
        ("many", [], [(("many",), "must be a table")]),
    ],
)
def test_each_fault_is_at_its_place(key: str, value: object, faults: list[tuple[Any, str]]) -> None:
    assert places(Outer, {"needed": 1, key: value}) == faults


def test_a_value_becomes_what_the_setting_is() -> None:
    read = Outer.of({"needed": 1, "from": "x", "one": "a", "many": {"m": {"name": "b"}}, "words": ["w"], "share": 1})
    assert read == Outer(
        needed=1, sender="x", one=Inner(name="a"), many={"m": Inner(name="b")}, words=("w",), share=Decimal(1)
    )
    assert (Outer.of({"needed": 1, "street": ["a"]}).street, Outer.of({"needed": 1, "street": "a"}).street) == (
        ("a",),
        "a",
    )


@pytest.mark.parametrize(
    ("value", "read"), [(True, True), ("yes", True), ("OFF", False), (1, True), (Decimal("0.0"), False)]
)
def test_a_switch_is_also_a_word_or_a_number(value: object, read: bool) -> None:
    assert AcknowledgmentSettings.of({"ae_accepts_unlisted": value}).ae_accepts_unlisted is read


@pytest.mark.parametrize("value", [2, "maybe", " yes", []])
def test_what_is_no_switch_is_refused(value: object) -> None:
    assert places(AcknowledgmentSettings, {"ae_accepts_unlisted": value}) == [
        (("ae_accepts_unlisted",), "must be true or false")
    ]


@pytest.mark.parametrize(("value", "read"), [(3, 3), ("3", 3), (Decimal("3.0"), 3), (True, 1)])
def test_days_are_whole_however_they_are_written(value: object, read: int) -> None:
    assert Tolerance.of({"date_late_days": value}).date_late_days == read


@pytest.mark.parametrize(
    ("value", "message"),
    [(Decimal("3.5"), "must be a whole number"), ("3.5", "must be a whole number"), (-1, "must be at least 0, not -1")],
)
def test_what_is_no_count_of_days_is_refused(value: object, message: str) -> None:
    assert places(Tolerance, {"date_late_days": value}) == [(("date_late_days",), message)]


def test_a_unit_is_a_code_or_a_table() -> None:
    read = SupplierSettings.of({"units": {"A": "EA", "B": {"unit": "EA", "factor": "12"}}}).units
    assert read == {"A": Unit(unit="EA"), "B": Unit(unit="EA", factor=Decimal(12))}


@pytest.mark.parametrize(
    "table",
    [
        {"release": "0" * 5000},
        {"850": {"due_qualifier": "0" * 5000}},
        {"business_days": "x" * 5000},
        {"acknowledgments": {"ignore_segments": ["X" * 5000]}},
        {"tolerance": {"on_price": "x" * 5000}},
    ],
)
def test_a_text_of_thousands_of_characters_is_not_repeated_in_the_message(table: dict[str, Any]) -> None:
    with pytest.raises(InvalidSettings) as caught:
        SupplierSettings.of(table)
    assert all(len(fault.message) < 300 and fault.message for fault in caught.value.faults)
    # Each is refused for its value: the key is known.
    assert all(fault.known is None for fault in caught.value.faults)
