"""Deciding what is due of an order makes each view of it, and each document that it compares or sends, once."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from plexstedi.sandbox.behaviours import Character


def noting(into: Path) -> Callable[[], None]:
    """Let each view and each document that is made be noted, with the mark of what it was made from."""

    def patch() -> None:
        import plexstedi.edi.outbound.document as module

        owner: Any = module

        def note(name: str, made_from: tuple[object, ...]) -> None:
            mark = hashlib.sha256(repr(made_from).encode()).hexdigest()
            with into.open("a") as file:
                file.write(json.dumps([name, mark]) + "\n")

        def noted(name: str, build: Callable[..., Any], used: tuple[int, ...]) -> Callable[..., Any]:
            def noting_build(*given: Any, **named: Any) -> Any:
                note(
                    name, (*(given[at] for at in used if at < len(given)), named.get("revised"), named.get("as_before"))
                )
                return build(*given, **named)

            return noting_build

        owner.build_view = noted("view", owner.build_view, (0, 3, 4, 5))
        owner.build_850 = noted("850", owner.build_850, (0, 3))
        owner.build_change = noted("860", owner.build_change, (0, 1))

    return patch


@pytest.fixture
def sent(make_bench):
    bench = make_bench(orders=1, suppliers=1, characters=(Character.SILENT,))
    bench.run("run")
    bench.later(hours=3)
    bench.run("run")
    bench.later(minutes=10)
    return bench


def made(bench, *words: str) -> Counter[tuple[str, str]]:
    noted = bench.place / "made"
    noted.touch()
    ran = bench.run(*words, before=noting(noted))
    assert ran.code in (0, 3), ran.err
    return Counter(tuple(json.loads(line)) for line in noted.read_text().splitlines())


def test_a_new_order_is_looked_at_and_built_once(make_bench):
    bench = make_bench(orders=1, suppliers=1)
    found = made(bench, "poll")
    assert Counter(name for name, _ in found) == {"view": 1, "850": 1}
    assert set(found.values()) == {1}


def test_a_changed_order_is_looked_at_twice_for_each_set_and_each_document_built_once(sent):
    (order,) = sent.sandbox.plex.tenant.orders
    line = order.lines[0]
    with sent.sandbox.lock:
        sent.sandbox.plex.edit_release(order.number, line.number, line.releases[0].number, quantity=Decimal(77))
    sent.later(minutes=10)
    found = made(sent, "poll")
    # As it was and as it is, in the words of both sets; the 860 also with the values before, to see what it cannot say.
    assert Counter(name for name, _ in found) == {"view": 4, "850": 2, "860": 2}
    assert {each: n for each, n in found.items() if n > 1} == {}
    assert sent.run("submit", "--json").json["counts"]["documents_sent"] == 1


def test_an_order_that_did_not_change_is_not_looked_at(sent):
    assert made(sent, "poll") == {}
