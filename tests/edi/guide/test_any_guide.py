"""Guides nobody has thought of: whatever the schema, a document is valid and true, or held."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plexstedi.edi.order import Order
from plexstedi.edi.reasons import Held
from tests.edi.guides.corpus import GUIDES_850
from tests.edi.outbound_facts import assert_facts_kept, assert_same_as_x12, assert_valid
from tests.edi.outbound_orders import ORDERS, line, order, partner, release, sent
from tests.examples import examples

_OPERATIONS = ("drop", "require", "rename", "to-text", "shorten", "fewer-codes", "single", "list", "once", "constant")


def _objects(schema: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            found.append(schema)
        for value in schema.values():
            found += _objects(value)
    elif isinstance(schema, list):
        for value in schema:
            found += _objects(value)
    return found


def _mutate(schema: dict[str, Any], which: int, what: int, operation: str) -> None:
    """One change of one property of one object of the guide, of the kind that partners make."""
    objects = _objects(schema)
    owner = objects[which % len(objects)]
    names = list(owner["properties"])
    if not names:
        return
    name = names[what % len(names)]
    item = owner["properties"][name]
    required = owner.get("required", [])
    match operation:
        case "drop" if name not in required:
            del owner["properties"][name]
        case "require" if name not in required:
            owner["required"] = [*required, name]
        case "rename" if any(c.isupper() for c in name):
            owner["properties"] = {k if k != name else f"{k}_own": v for k, v in owner["properties"].items()}
            owner["required"] = [k if k != name else f"{k}_own" for k in required]
        case "to-text" if item.get("type") in ("number", "integer"):
            owner["properties"][name] = {"type": "string", "minLength": 1 + what % 6}
        case "shorten" if item.get("type") == "string" and "enum" not in item:
            item["maxLength"] = max(item.get("minLength", 1), 1 + what % 12)
        case "fewer-codes" if len(item.get("enum", ())) > 1:
            item["enum"] = item["enum"][what % len(item["enum"]) :]
        case "constant" if item.get("enum"):
            owner["properties"][name] = {"const": item["enum"][0]}
        case "single" if item.get("type") == "array" and isinstance(item.get("items"), dict):
            owner["properties"][name] = item["items"]
        case "list" if item.get("type") == "object" and any(c.isupper() for c in name):
            owner["properties"][name] = {"type": "array", "items": item}
        case "once" if item.get("type") == "array":
            item["maxItems"] = 1 + what % 2
        case _:
            pass


_QUANTITIES = st.decimals(min_value=Decimal("0.001"), max_value=99999, places=3)
_PRICES = st.integers(0, 99999).map(lambda cents: Decimal(3 * cents) / 100)
"""Multiples of three cents: a price per dozen or thousand is then exact per each."""
_DAYS = st.sampled_from(["11-20", "12-04", "12-18"])


@st.composite
def _orders(draw: st.DrawFn) -> Order:
    if draw(st.booleans()):
        return draw(st.sampled_from(list(ORDERS.values())))
    lines = []
    for number in range(1, draw(st.integers(1, 3)) + 1):
        days = draw(st.sampled_from([_DAYS, st.none()]))
        releases = [release(n, str(draw(_QUANTITIES)), draw(days)) for n in range(1, draw(st.integers(1, 3)) + 1)]
        lines.append(
            line(
                number * 10,
                *releases,
                price=str(draw(_PRICES)),
                unit=draw(st.sampled_from(["Ea", "Thousand", "Box"])),
                part=draw(st.text("ABCDEF-123456", min_size=1, max_size=14)),
                supplier_part=draw(st.none() | st.text("XYZ789", min_size=1, max_size=10)),
                description=draw(st.none() | st.text("ABC def ", min_size=1, max_size=100)),
                note=draw(st.none() | st.text("note words ", min_size=1, max_size=300)),
            )
        )
    return order(*lines, ship_via=draw(st.none() | st.just("TRUCK")), note=draw(st.none() | st.just("Dock 4")))


@settings(max_examples=examples(120), suppress_health_check=[HealthCheck.too_slow])
@given(
    base=st.sampled_from(list(GUIDES_850)),
    mutations=st.lists(
        st.tuples(st.integers(0, 200), st.integers(0, 50), st.sampled_from(_OPERATIONS)), min_size=1, max_size=12
    ),
    ordered=_orders(),
)
def test_any_guide_gets_a_valid_true_document_or_none(
    base: str, mutations: list[tuple[int, int, str]], ordered: Order
) -> None:
    schema, supplier = copy.deepcopy(GUIDES_850[base])
    for which, what, operation in mutations:
        _mutate(schema, which, what, operation)
    result = sent(ordered, partner({"850": schema}, **supplier))
    if isinstance(result, Held):
        assert all(reason.where and reason.message and reason.fix for reason in result.reasons)
        return
    assert_valid(result, schema)
    assert_same_as_x12(result)
    assert_facts_kept(ordered, result)
