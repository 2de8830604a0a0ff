"""An order with an odd value is held and named; the others go out in the same run, and later runs are quiet."""

from __future__ import annotations

import json
from typing import Any

import pytest

UNREADABLE = {
    "forty digits": ("line", "unitPrice", "9" * 40),
    "any exponent": ("line", "unitPrice", "1e999999999"),
    "no number": ("release", "quantity", "NaN"),
    "separators": ("release", "quantity", '"1_000"'),
    "digits of another script": ("release", "quantity", '"\u0661\u0660"'),
    "a list": ("release", "quantity", "[100]"),
    "an object": ("line", "description", '{"a": 1}'),
    "a number for a text": ("line", "description", "1e99"),
    "a day of no calendar": ("release", "dueDate", '"2026-02-30T00:00:00Z"'),
    "the edge of the calendar": ("order", "modifiedDate", '"0001-01-01T00:00:00+05:00"'),
    "a flag that is none": ("order", "blanketOrder", '"perhaps"'),
    "nested without end": ("order", "note", "[" * 3000 + "]" * 3000),
}
ABSURD = {
    "thirty digits": ("release", "quantity", "9" * 30),
    "a lone surrogate": ("line", "description", '"M8 \\ud800"'),
    "a control character": ("line", "description", '"M8 \\u0000"'),
}


def snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def spoil(bench, odd: dict[str, tuple[str, str]]) -> None:
    """Put JSON texts in place of fields of Plex's records, by the record's id."""
    plex = bench.sandbox._handlers

    def change(value: Any) -> None:
        if isinstance(value, list):
            for each in value:
                change(each)
        elif isinstance(value, dict):
            if value.get("id") in odd:
                field = odd[value["id"]][0]
                name = next(each for each in value if each.lower().replace("_", "") == field.lower())
                value[name] = f"@odd {value['id']}@"
            for each in value.values():
                change(each)

    def spoiled(answer):
        def answered(*arguments):
            response = answer(*arguments)
            if any(each.encode() in response.body for each in odd):
                document = json.loads(response.body)
                change(document)
                text = json.dumps(document)
                for record, (_, token) in odd.items():
                    text = text.replace(f'"@odd {record}@"', token)
                response.body = text.encode()
            return response

        return answered

    for origin, answer in list(plex.items()):
        if "plex" in str(origin):
            plex[origin] = spoiled(answer)


@pytest.mark.parametrize("dialect", ["connect", "oauth2"])
def test_odd_orders_are_held_one_by_one_and_the_others_are_sent(make_bench, dialect):
    cases = [*UNREADABLE.items(), *ABSURD.items()]
    bench = make_bench(orders=34, suppliers=2, dialect=dialect)
    on_order = [o for o in bench.sandbox.plex.tenant.orders if o.status == "On Order" and not o.blanket]
    assert len(on_order) > len(cases) + 4
    orders = {name: order for (name, _), order in zip(cases, on_order, strict=False)}
    odd = {}
    for name, (record, field, token) in cases:
        order = orders[name]
        first = order.lines[0]
        chosen = {"order": order.id, "line": first.id, "release": first.releases[0].id}[record]
        odd[chosen] = (field, token)
    spoil(bench, odd)
    ran = bench.run("run", "--json")
    assert ran.code == 3, ran.err
    assert "Traceback" not in ran.err
    ordinary = {order.number for order in on_order} - {order.number for order in orders.values()}
    assert ordinary <= set(bench.numbers_sent())
    asked = {each["order"]: each for each in bench.run("review", "list", "--json").json["reviews"]}
    for name, (_, field, _token) in cases:
        number = orders[name].number
        assert number in asked, name
        assert number not in bench.numbers_sent(), name
        if name in UNREADABLE:
            assert asked[number]["kind"] == "order-unreadable", name
            assert field in asked[number]["reasons"][0]["message"], name
        else:
            assert asked[number]["kind"] == "order-held", name
    assert bench.run("status", "--check").code == 3
    bench.later(minutes=10)
    again = bench.run("poll", "--json")
    assert again.code == 0, again.err
