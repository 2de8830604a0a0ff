"""One odd record of Plex is held and told; ordinary ones go through in the same run, and later runs are quiet."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.web import Request, Response
from tests.commands.services import meddle
from tests.commands.test_submit_invoices import with_invoices
from tests.plex.conftest import snake

from .conftest import Bench, MakeBench

HUGE, MANY_DIGITS, NAN, UNDERSCORE, SUPERSCRIPT = "1e999999999", "9" * 40, "NaN", '"1_000"', '"\u00b2"'
NO_DATE, YEAR_ZERO, LIST, OBJECT, MISSING = '"2026-02-30"', '"0000-01-01"', "[]", '{"a": 1}', "null"
SURROGATE, ARABIC = '"\\ud800"', '"\u0661\u0662"'


@dataclass(frozen=True)
class Odd:
    """An odd value in one field of one row, and what the review item names."""

    table: str
    field: str
    value: str
    named: str | None = None
    """What the review item speaks of; the field, unless said otherwise."""


IN_ORDERS = (
    Odd("order", "dueDate", NO_DATE),
    Odd("order", "modifiedDate", YEAR_ZERO),
    Odd("order", "supplierId", LIST),
    Odd("order", "poNumber", OBJECT),
    Odd("order", "currencyCode", SURROGATE, "characters that X12 cannot carry"),
    Odd("line", "unitPrice", HUGE),
    Odd("line", "unitPrice", NAN),
    Odd("line", "lineItemNumber", UNDERSCORE),
    Odd("line", "unit", OBJECT),
    Odd("line", "id", LIST),
    Odd("release", "quantity", MANY_DIGITS),
    Odd("release", "quantity", ARABIC),
    Odd("release", "releaseLineNumber", SUPERSCRIPT),
    Odd("release", "dueDate", NO_DATE),
    Odd("release", "poId", MISSING),
    Odd("release", "poLineItemId", OBJECT),
)
"""Each in an order of its own."""
ORDINARY = 4
ORDERS = len(IN_ORDERS) + ORDINARY


def spoil(rows: dict[str, list[Odd]]) -> Callable[[Request, Response], Response]:
    """Put odd values into rows of Plex, by the row's id."""

    def change(request: Request, response: Response) -> Response:
        if request.method != "GET" or response.status != 200 or not response.body.startswith((b"[", b"{")):
            return response
        document = json.loads(response.body)
        listed = document.get("data", document) if isinstance(document, dict) else document
        tokens: list[str] = []
        for row in listed if isinstance(listed, list) else [listed]:
            for odd in rows.get(str(row.get("id")) if isinstance(row, dict) else "", ()):
                for name in {odd.field, snake(odd.field)} & row.keys() or {odd.field}:
                    row[name] = f"@odd{len(tokens)}@"
                    tokens.append(odd.value)
        text = json.dumps(document)
        for index, token in enumerate(tokens):
            text = text.replace(f'"@odd{index}@"', token)
        return Response(response.status, body=text.encode("utf-8", "surrogatepass"), headers=response.headers)

    return change


def record_of(order: Any, odd: Odd) -> str:
    """The id of the row that gets the odd value."""
    line = order.lines[0]
    return str({"order": order.id, "line": line.id, "release": line.releases[0].id}[odd.table])


def sent_850(bench: Bench, number: str) -> list[str]:
    """The 850s that went out for an order; invoices go out beside them here."""
    return [document.edi for document in bench.sandbox.generated() if f"*{number}*" in document.edi]


def calls_of(bench: Bench) -> Counter[str]:
    counted: Counter[str] = Counter()
    bench.sandbox.on_call(lambda call: counted.update([call.origin]) if call.phase == "before" else None)
    return counted


@pytest.mark.parametrize("dialect", ["connect", "oauth2"])
def test_an_odd_order_line_or_release_holds_its_order_and_the_others_go_out(
    make_bench: MakeBench, dialect: str
) -> None:
    bench = make_bench(orders=ORDERS, suppliers=3, characters=(Character.SILENT,), dialect=dialect)
    told = bench.place / "told.txt"
    bench.write_config(lambda text: text + f'\n[alerts]\ncommand = ["/bin/sh", "-c", "cat >> {told}"]\n')
    orders = bench.sandbox.plex.tenant.orders
    victims = list(zip(orders, IN_ORDERS, strict=False))
    wanted = [order for order in orders if order.status == "On Order"]
    ordinary = [order.number for order in wanted[len(IN_ORDERS) :]]
    assert len(ordinary) > 1
    end = meddle(bench, "plex", ".", spoil({record_of(order, odd): [odd] for order, odd in victims}))

    ran = bench.run("run", "--json")
    assert ran.code == 3, ran.err
    assert sorted(bench.numbers_sent()) == sorted(ordinary), "every ordinary order went out in the same run"
    reviews = bench.run("review", "list", "--json").json["reviews"]
    said = [json.dumps(review) for review in reviews]
    for order, odd in victims:
        about = [text for text in said if order.number in text or order.id in text]
        assert about, f"no review item about {order.number}: {odd}"
        assert any((odd.named or odd.field) in text for text in about), f"{odd} is not named in {about}"
    kinds = Counter(review["kind"] for review in reviews)
    assert kinds == {"order-unreadable": len(IN_ORDERS) - 1, "order-held": 1, "record-unreadable": 1}
    assert bench.run("status", "--check").code == 3
    assert all(order.number in told.read_text() for order, odd in victims if odd.field != "poNumber")

    bench.later(hours=1)
    assert bench.run("run").code == 0
    bench.later(minutes=30)
    calls = calls_of(bench)
    idle = bench.run("run")
    assert (idle.code, idle.out, idle.err) == (0, "", ""), "later runs are quiet"
    assert calls.total() <= 20, f"and ask for nothing more: {calls}"

    end()
    for order, _ in victims:
        with bench.sandbox.lock:
            bench.sandbox.plex.edit_header(order.number, note="looked at")
    bench.later(minutes=30)
    assert bench.run("run").code == 0
    assert sorted(bench.numbers_sent()) == sorted(order.number for order in wanted), "corrected, each goes out once"
    assert bench.run("review", "list", "--json").json["reviews"] == []


@pytest.mark.parametrize("dialect", ["connect", "oauth2"])
def test_odd_master_data_receipts_and_invoices_hold_what_depends_on_them_and_nothing_else(
    make_bench: MakeBench, dialect: str
) -> None:
    bench = make_bench(orders=9, suppliers=3, characters=(Character.SILENT,), dialect=dialect)
    bench.write_config(with_invoices)
    tenant = bench.sandbox.plex.tenant
    odd_supplier = tenant.orders[0].supplier
    odd_invoice = tenant.invoices[0]
    wanted = [order for order in tenant.orders if order.status == "On Order"]
    of_it = [order.number for order in wanted if order.supplier is odd_supplier]
    ordinary = [order.number for order in wanted if order.supplier is not odd_supplier]
    end = meddle(
        bench,
        "plex",
        ".",
        spoil(
            {
                odd_supplier.id: [Odd("supplier", "name", OBJECT)],
                odd_invoice.id: [Odd("invoice", "transactionDate", NO_DATE)],
            }
        ),
    )
    assert bench.run("run", "--json").code == 3
    assert all(len(sent_850(bench, number)) == 1 for number in ordinary)
    assert not any(sent_850(bench, number) for number in of_it), "an order whose supplier cannot be read waits"
    kinds = {(review["kind"], review["order"]) for review in bench.run("review", "list", "--json").json["reviews"]}
    assert kinds == {("order-unreadable", number) for number in of_it} | {("invoice-unreadable", odd_invoice.number)}

    bench.later(hours=1)
    bench.run("run")
    with bench.sandbox.lock:
        for order in [order for order in wanted if order.number in ordinary][:2]:
            line = order.lines[0]
            bench.sandbox.plex.receive(order.number, line.number, line.releases[0].number, line.releases[0].quantity)
    bad = tenant.receipts[0]
    end()
    end = meddle(bench, "plex", ".", spoil({bad.id: [Odd("receipt", "quantity", HUGE)]}))
    bench.later(minutes=30)
    assert bench.run("run").code == 3
    (review,) = [
        each for each in bench.run("review", "list", "--json").json["reviews"] if each["kind"] == "record-unreadable"
    ]
    assert "quantity" in review["reasons"][0]["message"]
    end()
    bench.later(minutes=30)
    bench.run("run")
    left = bench.run("review", "list", "--json").json["reviews"]
    assert "record-unreadable" not in {each["kind"] for each in left}, "read after all, it closes by itself"
