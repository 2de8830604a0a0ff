"""A supplier that applies each document as it is written has the order as Plex has it, after any history of edits.

Such a system changes what an 860 states, and nothing else: what an 860 leaves out of a line stays as it was.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from plexstedi.edi.order import Line, LineState, Order, Release, ReleaseState
from plexstedi.edi.outbound.actions import Change860, Nothing, Send850
from plexstedi.edi.outbound.document import Prepared
from plexstedi.edi.x12.transaction import Composite, Loop, Segment, Transaction
from tests.edi.outbound_orders import SEEN, D, line, order, partner, release
from tests.edi.rendered import due, prepare
from tests.examples import examples

_FACTORS = {"Ea": D(1), "Box": D(12), "Thousand": D(1000)}
_PER = {None: D(1), "TP": D(1000)}
_PLANTS = {"Plant 1": "P1", "Plant 2": "P2"}


class _Supplier:
    """A supplier's copy of one order: the heading, and each line by its id."""

    def __init__(self) -> None:
        self.due: date | None = None
        self.ship_to: str | None = None
        self.lines: dict[str, dict[str, Any]] = {}
        self.sequence = 0

    def apply(self, document: Transaction) -> None:
        begin = document.heading[0]
        assert isinstance(begin, Segment)
        if begin.id == "BCH":
            assert (begin.text(1), begin.text(5)) == ("04", str(self.sequence + 1))
            self.sequence += 1
        self.due = _day(document.heading) or self.due
        self.ship_to = _ship_to(document.heading) or self.ship_to
        for loop in document.detail:
            assert isinstance(loop, Loop)
            self._line(loop)

    def _line(self, loop: Loop) -> None:
        number, known = str(loop.head.text(1)), loop.head.text(1) in self.lines
        code = "AI" if loop.id == "PO1" else str(loop.head.text(2))
        assert known is (code != "AI"), (number, code)
        if code == "DI":
            assert loop.head.get(3) == 0
            del self.lines[number]
            return
        at, unit, price, basis = (2, 3, 4, 5) if loop.id == "PO1" else (3, 5, 6, 7)
        measure = loop.head.get(unit)
        stated = {
            "quantity": loop.head.get(at),
            "unit": measure.components[0] if isinstance(measure, Composite) else measure,
            "price": _number(loop.head.get(price)) / _PER[loop.head.text(basis)],
            "dates": _dates(loop),
            "ship_to": _ship_to(loop.children),
        }
        was = self.lines.get(number, {})
        if code in ("QI", "QD"):
            assert (stated["quantity"] > was["quantity"]) is (code == "QI")
        self.lines[number] = was | {key: value for key, value in stated.items() if value}
        self.lines[number] |= {"price": stated["price"]}

    def copy(self) -> dict[str, tuple[Any, ...]]:
        found = {}
        for number, has in self.lines.items():
            dates = has.get("dates") or {self.due: None}
            dates = {day: has["quantity"] if quantity is None else quantity for day, quantity in dates.items()}
            found[number] = (has["quantity"], has["unit"], has["price"], dates, has.get("ship_to") or self.ship_to)
        return found


def _number(value: Any) -> Decimal:
    assert isinstance(value, Decimal)
    return value


def _day(nodes: Any) -> date | None:
    return next((node.get(2) for node in nodes if node.id == "DTM" and node.text(1) == "002"), None)


def _ship_to(nodes: Any) -> str | None:
    return next((node.head.text(4) for node in nodes if node.id == "N1" and node.head.text(1) == "ST"), None)


def _dates(loop: Loop) -> dict[Any, Decimal | None]:
    found: dict[Any, Decimal | None] = {}
    for schedule in loop.loops("SCH"):
        day, quantity = schedule.head.get(6), _number(schedule.head.get(1))
        found[day] = (found.get(day) or D(0)) + quantity
    day = _day(loop.children)
    return found or ({} if day is None else {day: None})


def _in_plex(now: Order, schedule: str) -> dict[str, tuple[Any, ...]]:
    """What the supplier should have, from the order alone (RULES.md Sending 2, 8)."""
    found = {}
    for each in now.open_lines():
        factor, firm = _FACTORS[str(each.unit)], [r for r in each.firm_releases() if r.quantity]
        price = (each.price or D(0)) / factor
        parts = [(f"{each.number}-{r.number}", [r]) for r in firm]
        for number, releases in parts if schedule == "lines" else [(str(each.number), firm)] if firm else []:
            dates: dict[date | None, Decimal] = {}
            for r in releases:
                dates[r.due] = dates.get(r.due, D(0)) + (r.quantity or D(0)) * factor
            plant = _PLANTS[str(releases[0].ship_to or now.ship_to)]
            found[number] = (sum(dates.values(), D(0)), "EA", price, dates, plant)
    return found


_DAYS = st.sampled_from(["11-20", "12-04", "12-18"])
_QUANTITIES = st.sampled_from(["1", "50", "120"])
_EDITS = st.lists(
    st.tuples(
        st.sampled_from(["quantity", "due", "price", "unit", "plant", "cancel", "open", "add", "again", "new line"]),
        st.integers(0, 5),
        _QUANTITIES,
        _DAYS,
    ),
    min_size=1,
    max_size=3,
)


def _edited(now: Order, what: str, pick: int, quantity: str, day: str) -> Order:
    """The order after one edit in Plex; each line keeps at least one release, with one date where `day` is fixed."""
    index = pick % len(now.lines)
    chosen = now.lines[index]
    first, next_number = chosen.releases[-1], chosen.releases[-1].number + 1
    new = replace(release(next_number, quantity, day), id=f"{chosen.id}-r{next_number}", ship_to=first.ship_to)
    plant = "Plant 2" if first.ship_to is None else None
    changes: dict[str, Line] = {
        "quantity": _with(chosen, replace(first, quantity=D(quantity))),
        "due": _with(chosen, replace(first, due=new.due)),
        "price": replace(chosen, price=D(quantity) * 12),
        "unit": replace(chosen, unit=("Ea", "Box", "Thousand")[pick % 3]),
        "plant": replace(chosen, releases=tuple(replace(r, ship_to=plant) for r in chosen.releases)),
        "cancel": replace(chosen, state=LineState.CANCELLED),
        "open": replace(chosen, state=LineState.OPEN),
        "add": replace(chosen, releases=(*chosen.releases, new)),
        "again": replace(
            chosen,
            releases=(
                *chosen.releases[:-1],
                replace(first, state=ReleaseState.CANCELLED),
                replace(new, quantity=first.quantity, due=first.due),
            ),
        ),
    }
    if what == "new line":
        number = max(ln.number for ln in now.lines) + 10
        return replace(now, lines=(*now.lines, line(number, release(1, quantity, day), price="24")))
    return replace(now, lines=(*now.lines[:index], changes[what], *now.lines[index + 1 :]))


def _with(chosen: Line, last: Release) -> Line:
    return replace(chosen, releases=(*chosen.releases[:-1], last))


@pytest.mark.parametrize("schedule", ["sch", "lines", "header"])
@settings(max_examples=examples(120))
@given(history=st.lists(_EDITS, min_size=2, max_size=6))
def test_the_copy_of_a_supplier_is_the_order_in_plex(schedule: str, history: Any) -> None:
    to = partner(**{"850": {"transaction_setting_id": "x", "schedule": schedule}})
    now = order(line(10, release(1, "50", "11-20"), price="12"), line(20, release(1, "7", "11-20"), price="24"))
    supplier, has = _Supplier(), None
    for edits in ([], *history):
        for edit in edits:
            now = _edited(now, *edit)
        found = due(has, now, to)
        assert isinstance(found, Send850 | Change860 | Nothing) or has is not None
        if isinstance(found, Send850 | Change860):
            result = prepare(found, to, change_sequence=supplier.sequence + 1, revision_seen=SEEN)
            if not isinstance(result, Prepared):
                continue  # held: nothing is sent
            if has is not None:
                assert result.transaction.detail, "an 860 that states no change"
            supplier.apply(result.transaction)
            has = now
        elif not isinstance(found, Nothing):
            continue
        if now.open_lines():
            assert supplier.copy() == _in_plex(now, schedule)
