"""Our judge of documents agrees with an independent one, so that what Stedi would refuse is refused here."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plexstedi import decimal_json
from plexstedi.edi.guide.compiled import is_valid_document
from plexstedi.edi.guide.schema import GuideUnreadableError, alternatives
from plexstedi.edi.guide.validate import faults, is_valid
from tests.examples import examples

_NAMES = st.sampled_from(["a_01", "b_02", "c_REF", "d_N1_loop"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-20, 20) | st.decimals(-20, 20, places=2) | st.text("AB12-.", max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=6,
)
_PLAIN = st.one_of(
    st.fixed_dictionaries(
        {}, optional={"type": st.sampled_from(["string", "number", "integer", "object", "array", "null", "boolean"])}
    ),
    st.builds(lambda v: {"enum": v}, st.lists(st.text("AB12", max_size=2) | st.integers(0, 3), min_size=1, max_size=3)),
    st.builds(lambda v: {"const": v}, st.text("AB12", max_size=2) | st.integers(0, 3) | st.booleans()),
    st.builds(lambda low, high: {"minLength": low, "maxLength": high}, st.integers(0, 3), st.integers(0, 5)),
    st.builds(
        lambda low, high: {"type": "string", "minLength": low, "maxLength": high}, st.integers(0, 2), st.integers(0, 5)
    ),
    st.builds(
        lambda v: {"type": "string", "enum": v}, st.lists(st.text("AB12", max_size=2) | st.integers(0, 3), min_size=1)
    ),
    st.builds(lambda low, high: {"minimum": low, "exclusiveMaximum": high}, st.integers(-9, 5), st.integers(-5, 9)),
    st.sampled_from([{"pattern": "^[AB]+$"}, {"pattern": "[0-9]"}, {"multipleOf": 3}, {"required": ["a_01"]}]),
    st.builds(lambda low, high: {"minItems": low, "maxItems": high}, st.integers(0, 2), st.integers(0, 3)),
    st.just({"dependentRequired": {"a_01": ["b_02"]}}),
    st.just({"uniqueItems": True}),
)


def _combined(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.builds(
            lambda p: {"properties": p, "additionalProperties": False}, st.dictionaries(_NAMES, inner, max_size=3)
        ),
        st.builds(lambda p, o: {"properties": p, "additionalProperties": o}, st.dictionaries(_NAMES, inner), inner),
        st.builds(lambda p: {"type": "object", "properties": p, "required": list(p)}, st.dictionaries(_NAMES, inner)),
        st.builds(lambda i: {"type": "array", "items": i}, inner),
        st.builds(lambda i, n: {"prefixItems": [i], "items": n}, inner, inner),
        st.builds(lambda parts: {"allOf": parts}, several),
        st.builds(lambda parts: {"anyOf": parts}, several),
        st.builds(lambda parts: {"oneOf": parts}, several),
        st.builds(lambda i: {"not": i}, inner),
        st.builds(lambda i, t, e: {"if": i, "then": t, "else": e}, inner, inner, inner),
        st.builds(lambda i: {"$defs": {"x": i}, "$ref": "#/$defs/x"} if "$ref" not in str(i) else i, inner),
        st.booleans(),
    )


@settings(max_examples=examples(400))
@given(schema=st.recursive(_PLAIN, _combined, max_leaves=6), value=_VALUES)
def test_we_accept_and_refuse_what_an_independent_validator_does(schema: Any, value: Any) -> None:
    document = json.loads(decimal_json.dumps(value))
    if isinstance(schema, dict) and "$ref" in str(schema) and "$ref" not in schema:
        return  # a definition inside a part: its pointer would lead elsewhere
    expected = jsonschema.Draft202012Validator(schema).is_valid(document)
    # The oracle counts in floats: a multiple is only comparable for whole numbers, which is what `multipleOf: 3` is.
    assert is_valid(value, schema, schema) is expected
    assert is_valid_document(value, schema, schema) is expected, "compiled otherwise than defined"


@pytest.mark.parametrize(
    ("value", "schema", "expected"),
    [
        (Decimal("0.07"), {"multipleOf": 0.01}, True),
        (Decimal("0.075"), {"multipleOf": 0.01}, False),
        ("2026-02-30", {"format": "date"}, False),
        ("2026-02-28", {"type": "string", "format": "date"}, True),
        ("2026-02-30", {"type": "string", "format": "date"}, False),
        ("2026-02-28", {"type": "string", "format": "date", "maxLength": 8}, False),
        (20260228, {"type": "string", "format": "date"}, False),
        ("AB", {"type": "string", "enum": ["AB"], "maxLength": 1}, False),
        ("AB", {"type": "string", "pattern": "^A$"}, False),
        ("1", {"type": "string", "enum": [1]}, False),
        (True, {"type": "number"}, False),
        ("no object", {"type": "object", "required": ["a_01"]}, False),
        ("no object", {"required": ["a_01"]}, True),
        ("AB\n", {"pattern": "^AB$"}, False),
        ("٣", {"pattern": "^\\d$"}, False),
        (True, {"enum": [1]}, False),
        ([True], {"const": [1]}, False),
        ({"a": Decimal("1.0")}, {"const": {"a": 1}}, True),
        ([False, 0], {"uniqueItems": True}, True),
        ([[1], [Decimal("1.0")]], {"uniqueItems": True}, False),
        (Decimal("1.0"), {"type": "integer"}, True),
    ],
)
def test_numbers_dates_and_patterns_are_judged_exactly(value: Any, schema: dict[str, Any], expected: bool) -> None:
    assert is_valid(value, schema, schema) is expected
    assert is_valid_document(value, schema, schema) is expected, "compiled otherwise than defined"


def test_a_fault_names_the_place() -> None:
    schema = {
        "properties": {"detail": {"properties": {"x_PO1_loop": {"type": "array", "items": {"required": ["q_02"]}}}}}
    }
    (fault,) = faults({"detail": {"x_PO1_loop": [{}]}}, schema)
    assert fault.path == "detail.x_PO1_loop[0].q_02"
    assert fault.message == "is required"


def test_references_in_a_circle_and_countless_alternatives_are_refused_not_followed_for_ever() -> None:
    circle = {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}
    with pytest.raises(GuideUnreadableError, match="circular"):
        alternatives(circle, circle)
    pair = {"oneOf": [{"type": "string"}, {"type": "number"}]}
    with pytest.raises(GuideUnreadableError, match="too many"):
        alternatives({"allOf": [pair] * 7}, {})
