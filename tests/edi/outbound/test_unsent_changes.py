"""An acknowledgment is held for a change in Plex only where an 860 would tell the supplier of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from msgspec.structs import replace

from plexstedi.edi.inbound.current_ids import current_ids
from plexstedi.edi.order import Line, LineState, Order, Part, Phase, Release, ReleaseState
from plexstedi.edi.outbound.actions import Change860, Nothing
from plexstedi.edi.outbound.document import Renderings
from plexstedi.edi.outbound.unsent_changes import lines_that_differ, lines_with_unsent_changes
from plexstedi.edi.sent import SentLine, SentOrder, SentSchedule
from plexstedi.edi.stream import StreamKey
from tests.edi.guides.corpus import GUIDES_850, GUIDES_860
from tests.edi.outbound_orders import partner as acme
from tests.edi.rendered import due

DUE, LATER = date(2026, 12, 17), date(2027, 1, 6)
KEY = StreamKey(order_id="O1")


def _release(number: int, quantity: str, day: date, state: ReleaseState = ReleaseState.FIRM) -> Release:
    return Release(id=f"R{number}", number=number, state=state, quantity=Decimal(quantity), due=day, ship_to="Plant 1")


def _order(*releases: Release, **line: object) -> Order:
    first = replace(Line(
        id="L1", number=1, state=LineState.OPEN, unit="Ea", price=Decimal("4.25"), part=Part(number="82000"),
        releases=releases or (_release(1, "100", DUE), _release(2, "30", LATER)),
    ), **line)  # fmt: skip
    second = replace(first, id="L2", number=2, releases=(_release(1, "5", DUE),))
    return Order(
        id="O1", number="PO-1000001", supplier_id="S1", supplier_code="ACME01", phase=Phase.RELEASED,
        status_name="On Order", order_date=date(2026, 11, 27), currency="USD", ship_to="Plant 1",
        lines=(first, second),
    )  # fmt: skip


def _received(order: Order) -> Order:
    first = order.lines[0]
    done = tuple(replace(r, state=ReleaseState.RECEIVED) for r in first.releases[:1])
    return _with(order, releases=(*done, *first.releases[1:]))


def _with(order: Order, **line: object) -> Order:
    return replace(order, lines=(replace(order.lines[0], **line), *order.lines[1:]))


def _entered_again(order: Order) -> Order:
    anew = tuple(replace(r, id=f"new-{r.id}", number=r.number + 10) for r in order.lines[0].releases)
    gone = tuple(replace(r, state=ReleaseState.CANCELLED) for r in order.lines[0].releases)
    return _with(order, id="L9", releases=(*gone, *anew))


def _forecast(order: Order, state: ReleaseState) -> Order:
    return _with(order, releases=(*order.lines[0].releases, _release(3, "500", LATER, state)))


SAME: dict[str, Callable[[Order], Order]] = {
    "a release is received": _received,
    "the whole order is received": lambda order: replace(order, phase=Phase.RECEIVED),
    "lines and releases are entered again": _entered_again,
    "one of two releases is entered again": lambda order: _with(
        order, releases=(replace(_release(3, "100", DUE), id="new-R1"), *order.lines[0].releases[1:])
    ),
    "a forecast is added": lambda order: _forecast(order, ReleaseState.FORECAST),
    "a release that was never sent is cancelled": lambda order: _forecast(order, ReleaseState.CANCELLED),
    "a quantity is written with more zeros": lambda order: _with(
        order, releases=(_release(1, "100.000", DUE), *order.lines[0].releases[1:])
    ),
    "the part got another description": lambda order: _with(order, description="bracket, zinc plated"),
    "the blanket quantity of a standard order": lambda order: _with(order, blanket_quantity=Decimal(999)),
    "only the heading changed": lambda order: replace(order, ship_via="TRUCK", note="call first"),
}  # fmt: skip
OTHER: dict[str, Callable[[Order], Order]] = {
    "quantity": lambda order: _with(order, releases=(_release(1, "150", DUE), *order.lines[0].releases[1:])),
    "due date": lambda order: _with(order, releases=(_release(1, "100", LATER), *order.lines[0].releases[1:])),
    "two releases exchange their dates": lambda order: _with(
        order, releases=(_release(1, "30", LATER), _release(2, "100", DUE))
    ),
    "price": lambda order: _with(order, price=Decimal("4.30")),
    "a release is cancelled": lambda order: _with(
        order,
        releases=(_release(1, "100", DUE, ReleaseState.CANCELLED), *order.lines[0].releases[1:]),
    ),
    "the line is cancelled": lambda order: _with(order, state=LineState.CANCELLED),
    "another part": lambda order: _with(order, part=Part(number="82001")),
}


@pytest.fixture(scope="module", params=["known supplier", "supplier without settings"])
def renderings(request: pytest.FixtureRequest) -> Renderings | None:
    return Renderings(acme()) if request.param == "known supplier" else None


@pytest.mark.parametrize("what", SAME)
def test_what_no_860_would_say_holds_no_acknowledgment(what: str, renderings: Renderings | None) -> None:
    """In Plex a receipt is the normal end of every release: an acknowledgment after it is read like any other."""
    order = _order()
    assert lines_with_unsent_changes(order, SAME[what](order), renderings, KEY) == frozenset()


@pytest.mark.parametrize("what", OTHER)
def test_what_an_860_would_say_holds_the_line(what: str, renderings: Renderings | None) -> None:
    """A supplier that confirms what is no longer wanted is not written to Plex; the other line is."""
    order = _order()
    assert lines_with_unsent_changes(order, OTHER[what](order), renderings, KEY) == {1}


def test_a_cancelled_order_is_a_change_of_every_line(renderings: Renderings | None) -> None:
    """The cancellation is not out yet: no line is written as confirmed in the meantime."""
    order = _order()
    assert lines_with_unsent_changes(order, replace(order, phase=Phase.CANCELLED), renderings, KEY) == {
        1,
        2,
    }


@pytest.mark.parametrize("what", [*SAME, *OTHER])
def test_it_is_the_same_notion_as_that_of_sending(what: str) -> None:
    """A hold that says "run `submit`" always has something that `submit` sends."""
    order, partner = _order(), acme()
    latest = (SAME | OTHER)[what](order)
    decision = due(order, latest, partner, KEY)
    if lines_with_unsent_changes(order, latest, Renderings(partner), KEY):
        assert isinstance(decision, Change860)
    else:
        assert isinstance(decision, Nothing) or what == "only the heading changed"


def test_a_note_that_the_guide_has_no_place_for_is_no_change() -> None:
    """Nothing of it can reach the supplier, so nothing of the supplier waits for it."""
    order = _order()
    latest = _with(order, note="paint it green")
    assert lines_with_unsent_changes(order, latest, Renderings(acme()), KEY) == {1}
    assert lines_that_differ(order, latest) == {1}
    assert (
        lines_with_unsent_changes(order, latest, Renderings(acme({"850": GUIDES_850["dates-at-lines"][0]})), KEY)
        == frozenset()
    )


def test_what_was_entered_again_is_written_to_what_is_there_now() -> None:
    """The old ids are gone from Plex: a confirmation would be refused there, or lost."""
    order = _entered_again(_order())
    sent = SentOrder(
        number=order.number,
        lines=(
            SentLine(
                line_id="L1", line=1, quantity=Decimal(130), unit="EA", price=Decimal("4.25"),
                schedules=(
                    SentSchedule(release_id="R1", release_number=1, quantity=Decimal(100), due=DUE),
                    SentSchedule(release_id="R2", release_number=2, quantity=Decimal(30), due=LATER),
                ),
            ),
        ),
    )  # fmt: skip
    gone = replace(order, lines=(replace(order.lines[0], releases=order.lines[0].releases[2:]), order.lines[1]))
    ids = current_ids((sent,), gone)
    assert ids.lines == {"L1": "L9"}
    assert ids.releases == {"R1": "new-R1", "R2": "new-R2"}
    assert current_ids((sent,), order) == ids, "Plex keeps the old releases as cancelled"
    cancelled = replace(_order().lines[0], state=LineState.CANCELLED)
    assert current_ids((sent,), replace(gone, lines=(cancelled, *gone.lines))) == ids, "and the old line"
    moved = ids.of_sent(sent).lines[0]
    assert (moved.line_id, [s.release_id for s in moved.schedules]) == ("L9", ["new-R1", "new-R2"])
    assert current_ids((sent,), _order()).of_sent(sent) == sent


def test_a_note_that_the_860_has_no_place_for_is_no_change_either() -> None:
    """The 850 showed the note; no 860 is due for the new one, so no acknowledgment waits for one."""
    order = _order()
    latest = _with(order, note="paint it green")
    partner = acme({"860": GUIDES_860["change-few-codes"][0]})
    assert due(order, latest, partner, KEY) == Nothing()
    assert lines_with_unsent_changes(order, latest, Renderings(partner), KEY) == frozenset()
