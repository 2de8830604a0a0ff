"""A change is told once, as the net difference, in codes that the supplier takes; the rest waits for a person."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from plexstedi.edi.order import LineState, Order, Phase, ReleaseState
from plexstedi.edi.outbound.actions import Cancel860, Change860, DueHeld, Nothing, Replace850, Send850
from plexstedi.edi.outbound.document import Prepared
from plexstedi.edi.outbound.due import streams
from plexstedi.edi.partner import Partner
from plexstedi.edi.reasons import Held
from plexstedi.edi.x12.transaction import Composite, Loop, Segment, Transaction
from tests.edi.guides.corpus import GUIDES_850, GUIDES_860
from tests.edi.outbound_orders import CHANGES, ORDERS, SEEN, D, changed, line, must_send, order, partner, release, sent
from tests.edi.rendered import due, prepare
from tests.examples import examples

_BASE = ORDERS["three-releases"]
_EXPECTED = {
    "quantity-up": "QI",
    "quantity-down": "QD",
    "price": "PC",
    "rescheduled": "RS",
    "quantity-and-date": "RQ",
    "price-and-date": "PR",
    "price-and-quantity": "PQ",
    "everything": "MU",
    "other-part": "CA",
    "line-added": "AI",
    "line-cancelled": "DI",
}


def _phase(base: Order, phase: Phase) -> Order:
    return replace(base, phase=phase)


def _lines(transaction: Transaction) -> list[Loop]:
    return [loop for loop in transaction.detail if isinstance(loop, Loop)]


@pytest.mark.parametrize(("change", "code"), _EXPECTED.items())
def test_each_kind_of_change_has_its_code_and_the_new_total(change: str, code: str) -> None:
    before, after = CHANGES[change]
    result = must_send(after, partner(), has=before, sequence=3)
    (loop,) = _lines(result.transaction)
    assert loop.head.text(2) == code
    line_now = next((ln for ln in after.open_lines() if str(ln.number) == loop.head.text(1)), None)
    assert loop.head.get(3) == (D(0) if line_now is None else line_now.firm_quantity())
    begin = result.transaction.heading[0]
    assert isinstance(begin, Segment)
    assert [begin.text(p) for p in (1, 2, 3, 5, 6, 11)] == ["04", "SA", "PO-1001", "3", "2026-11-02", "2026-11-05"]


def test_a_reschedule_lists_every_open_schedule_of_the_line_after_it() -> None:
    before, after = CHANGES["rescheduled"]
    (loop,) = _lines(must_send(after, partner(), has=before, sequence=1).transaction)
    listed = [(s.head.get(1), s.head.get(6)) for s in loop.loops("SCH")]
    assert listed == [(D(50), date(2026, 11, 23)), (D(30), date(2026, 12, 4)), (D("20.5"), date(2026, 12, 18))]


@pytest.mark.parametrize(
    ("codes", "change", "expected"),
    [
        (["AI", "DI", "QI", "QD", "PC", "CA"], "rescheduled", "CA"),
        (["AI", "DI", "QI", "QD", "PC", "RS", "CA"], "price-and-quantity", "CA"),
        (["RZ"], "everything", "RZ"),
        (["QI", "QD"], "price", None),
        (["CA"], "line-added", None),
    ],
)
def test_only_codes_that_the_supplier_takes_are_used(codes: list[str], change: str, expected: str | None) -> None:
    before, after = CHANGES[change]
    result = sent(after, partner(change_codes=codes), has=before, sequence=1)
    if expected is None:
        assert isinstance(result, Held)
        assert [reason.code for reason in result.reasons] == ["change-code-not-taken"]
        assert "change_codes" in result.reasons[0].fix
        return
    assert isinstance(result, Prepared)
    assert [loop.head.text(2) for loop in _lines(result.transaction)] == [expected]


@pytest.mark.parametrize(
    "edit",
    [
        {"modified_at": None, "status_name": "Confirmed"},
        {"lines": (replace(_BASE.lines[0], description="WIDGET, NEW NAME"),)},
        {"lines": (replace(_BASE.lines[0], price=D("4.2500")),)},
        {
            "lines": (
                replace(
                    _BASE.lines[0],
                    releases=(
                        *_BASE.lines[0].releases,
                        release(9, "500", "12-30", state=ReleaseState.FORECAST),
                    ),
                ),
            )
        },
        {
            "lines": (
                replace(
                    _BASE.lines[0],
                    releases=(
                        replace(_BASE.lines[0].releases[0], state=ReleaseState.RECEIVED),
                        *_BASE.lines[0].releases[1:],
                    ),
                ),
            )
        },
    ],
    ids=["status name", "part description", "same price", "forecast", "receipt"],
)
def test_what_the_supplier_does_not_see_is_no_change(edit: dict[str, Any]) -> None:
    assert due(_BASE, replace(_BASE, **edit), partner()) == Nothing()


def test_an_edit_undone_before_it_was_sent_sends_nothing() -> None:
    _, edited = CHANGES["price"]
    undone = changed(edited, price=_BASE.lines[0].price)
    assert isinstance(due(_BASE, edited, partner()), Change860)
    assert due(_BASE, undone, partner()) == Nothing()


@pytest.mark.parametrize("phase", [Phase.UNRELEASED, Phase.RECEIVED, Phase.CANCELLED, Phase.VANISHED])
def test_an_order_never_sent_is_sent_only_when_it_is_released(phase: Phase) -> None:
    assert due(None, _phase(_BASE, phase), partner()) == Nothing()
    assert isinstance(due(None, _BASE, partner()), Send850)


@pytest.mark.parametrize(
    ("phase", "code"), [(Phase.UNRELEASED, "order-unreleased"), (Phase.VANISHED, "order-vanished")]
)
def test_an_order_that_was_sent_and_is_no_order_any_more_waits(phase: Phase, code: str) -> None:
    found = due(_BASE, _phase(_BASE, phase), partner())
    assert isinstance(found, DueHeld)
    assert found.reasons[0].code == code


def test_a_received_order_is_over() -> None:
    assert due(_BASE, _phase(changed(_BASE, price=D(9)), Phase.RECEIVED), partner()) == Nothing()


def test_a_cancelled_order_is_cancelled_with_the_supplier_and_once() -> None:
    gone = _phase(_BASE, Phase.CANCELLED)
    found = due(_BASE, gone, partner())
    assert isinstance(found, Cancel860)
    result = prepare(found, partner(), change_sequence=2, revision_seen=SEEN)
    assert isinstance(result, Prepared)
    begin = result.transaction.heading[0]
    assert isinstance(begin, Segment)
    assert (begin.text(1), begin.text(5)) == ("01", "2")
    assert not result.transaction.detail
    assert [(ln.line, ln.quantity) for ln in result.sent.lines] == [(10, D(0))]
    assert due(gone, gone, partner()) == Nothing()


def test_a_cancelled_order_that_is_reopened_waits() -> None:
    found = due(_phase(_BASE, Phase.CANCELLED), _BASE, partner())
    assert isinstance(found, DueHeld)
    assert found.reasons[0].code == "order-reopened"


_TO_860 = {"change_orders": "860", "860": {"transaction_setting_id": "set-860"}}


def _advised(fix: str) -> dict[str, Any]:
    """The settings that a fix says to write, as a user would."""
    named = {"change_orders": 'change_orders = "860"' in fix, "860": "dd [suppliers.ACME01.860]" in fix}
    return {key: _TO_860[key] for key, is_named in named.items() if is_named}


@pytest.mark.parametrize(
    "settings_",
    [
        {"change_orders": "replace"},
        {"change_orders": "hold"},
        {"860": None},
        {"change_orders": "hold", "860": None},
    ],
)
def test_a_cancellation_that_the_supplier_takes_by_no_860_waits(settings_: dict[str, Any]) -> None:
    """What its fix says to write is what sends it."""
    found = due(_BASE, _phase(_BASE, Phase.CANCELLED), partner(**settings_))
    assert isinstance(found, DueHeld)
    (reason,) = found.reasons
    assert reason.code == "cancellation-not-taken"
    assert ("there is no 860 table" in reason.message) == (settings_ == {"860": None})
    after = partner(**{**settings_, **_advised(reason.fix)})
    assert isinstance(due(_BASE, _phase(_BASE, Phase.CANCELLED), after), Cancel860)


@pytest.mark.parametrize(
    "settings_", [{"change_orders": "hold"}, {"860": None}, {"change_orders": "hold", "860": None}]
)
def test_a_change_that_waits_for_a_setting_goes_with_the_one_that_its_fix_names(settings_: dict[str, Any]) -> None:
    before, after = CHANGES["price"]
    held = due(before, after, partner(**settings_))
    assert isinstance(held, DueHeld)
    (reason,) = held.reasons
    assert isinstance(due(before, after, partner(**{**settings_, **_advised(reason.fix)})), Change860)


def test_a_release_of_a_blanket_order_that_waits_for_the_table_alone_says_so() -> None:
    blanket = ORDERS["blanket"]
    more = changed(blanket, releases=(*blanket.lines[0].releases, release(2, "25", "12-20")))
    held = due(blanket, more, partner(releases="change-order", change_orders="hold", **{"860": None}))
    assert isinstance(held, DueHeld)
    assert held.reasons[0].fix.startswith("Add [suppliers.ACME01.860]; or")


def test_a_supplier_without_860_gets_the_whole_order_again_or_it_is_held() -> None:
    before, after = CHANGES["price"]
    replaced = sent(after, partner(change_orders="replace"), has=before)
    assert isinstance(due(before, after, partner(change_orders="replace")), Replace850)
    assert isinstance(replaced, Prepared)
    begin = replaced.transaction.heading[0]
    assert isinstance(begin, Segment)
    assert begin.text(1) == "05"
    for held in (due(before, after, partner(change_orders="hold")), due(before, after, partner(**{"860": None}))):
        assert isinstance(held, DueHeld)
        assert held.reasons[0].code == "change-not-taken"


def test_new_releases_of_a_blanket_order_go_as_change_orders_where_the_supplier_wants_that() -> None:
    blanket = ORDERS["blanket"]
    more = changed(blanket, releases=(*blanket.lines[0].releases, release(2, "25", "12-20")))
    supplier = partner(releases="change-order", change_orders="hold")
    found = due(blanket, more, supplier)
    assert isinstance(found, Change860)
    result = prepare(found, supplier, change_sequence=1, revision_seen=SEEN)
    assert isinstance(result, Prepared)
    (loop,) = _lines(result.transaction)
    assert loop.head.text(2) == "RS"
    assert [s.head.get(1) for s in loop.loops("SCH")] == [D(50), D(25)]
    assert isinstance(due(blanket, changed(blanket, price=D(9)), supplier), DueHeld)


def test_a_renumbered_line_waits_since_acknowledgments_would_point_elsewhere() -> None:
    found = due(_BASE, changed(_BASE, number=20), partner())
    assert isinstance(found, DueHeld)
    assert found.reasons[0].code == "line-renumbered"


@pytest.mark.parametrize(
    ("wrong", "fix"),
    [
        (
            {"releases": (release(1, "0", "11-20"),)},
            "Correct the releases of the line in Plex, or cancel the line there",
        ),
        ({"blanket_quantity": D(0)}, "Set the blanket quantity of the line in Plex, or cancel the line there"),
    ],
)
def test_a_line_of_quantity_zero_waits_and_goes_as_deleted_once_it_is_cancelled(wrong: Any, fix: str) -> None:
    before = ORDERS["blanket"] if "blanket_quantity" in wrong else _BASE
    held = due(before, changed(before, **wrong), partner())
    assert isinstance(held, DueHeld)
    assert [(reason.code, reason.fix) for reason in held.reasons] == [("quantity-not-positive", fix)]
    told = must_send(changed(before, **wrong, state=LineState.CANCELLED), partner(), has=before, sequence=1)
    assert [loop.head.text(2) for loop in _lines(told.transaction)] == ["DI"]


def test_a_line_that_is_deleted_stays_known_at_zero_for_its_acknowledgment() -> None:
    before, after = CHANGES["line-cancelled"]
    told = must_send(after, partner(), has=before, sequence=1).sent
    assert [(ln.line, ln.quantity) for ln in told.lines] == [(10, D(0)), (20, D(7))]


def test_a_line_that_was_entered_again_under_its_number_goes_on_and_is_not_deleted() -> None:
    """Plex has it under another id; for the supplier it is line 10, with what is ordered now."""
    before = ORDERS["two-lines"]
    again = line(10, release(1, "150", "11-20"), id="again", description="WIDGET", supplier_part="A", revision="B")
    after = replace(before, lines=(again, before.lines[1]))
    told = must_send(after, partner(), has=before, sequence=1)
    assert [(loop.head.text(1), loop.head.text(2)) for loop in _lines(told.transaction)] == [("10", "QI")]
    assert [(ln.line, ln.line_id, ln.quantity) for ln in told.sent.lines] == [(10, "again", D(150)), (20, "l20", D(7))]


def test_a_change_keeps_the_line_ids_of_the_first_document() -> None:
    before, after = CHANGES["rescheduled"]
    settings_: dict[str, Any] = {"850": {"transaction_setting_id": "x", "schedule": "lines"}}
    (loop,) = _lines(must_send(after, partner(**settings_), has=before, sequence=1).transaction)
    assert (loop.head.text(1), loop.head.text(2)) == ("10-1", "RS")


def test_a_release_that_is_an_order_of_its_own_is_due_on_its_own_day() -> None:
    """The due date of the blanket order in Plex is another day, and a new one changes nothing in its releases."""
    blanket = order(line(10, release(1, "50", "11-20"), release(2, "70", "12-20")), blanket=True, due=date(2026, 11, 9))
    supplier = partner(releases="order-per-release")
    second = streams(blanket, supplier)[1]
    first_order = due(None, blanket, supplier, second)
    assert isinstance(first_order, Send850)
    sent_ = prepare(first_order, supplier, change_sequence=0, revision_seen=SEEN)
    assert isinstance(sent_, Prepared)
    days = [s.get(2) for s in sent_.transaction.walk() if s.id == "DTM"]
    assert days == [date(2026, 12, 20)]
    assert due(blanket, replace(blanket, due=date(2026, 12, 1)), supplier, second) == Nothing()


def test_a_release_that_is_cancelled_cancels_the_order_that_it_was_sent_as() -> None:
    blanket = order(line(10, release(1, "50", "11-20"), release(2, "70", "12-20")), blanket=True)
    supplier = partner(releases="order-per-release")
    first, second = streams(blanket, supplier)
    gone = replace(blanket.lines[0].releases[1], state=ReleaseState.CANCELLED)
    after = changed(blanket, releases=(blanket.lines[0].releases[0], gone))
    assert due(blanket, after, supplier, first) == Nothing()
    assert isinstance(due(blanket, after, supplier, second), Cancel860)
    assert due(None, after, supplier, second) == Nothing()


@pytest.mark.parametrize("phase", [Phase.RELEASED, Phase.RECEIVED])
def test_a_line_that_is_cancelled_cancels_the_orders_that_its_releases_were_sent_as(phase: Phase) -> None:
    """And one that was never sent needs nothing: it holds no run."""
    blanket = order(line(10, release(1, "50", "11-20")), line(20, release(1, "7", "12-20")), blanket=True, phase=phase)
    supplier = partner(releases="order-per-release")
    first, second = streams(blanket, supplier)
    after = changed(blanket, state=LineState.CANCELLED)
    assert due(None, after, supplier, first) == Nothing()
    if phase is Phase.RELEASED:
        assert isinstance(due(blanket, after, supplier, first), Cancel860)
    assert due(blanket, after, supplier, second) == Nothing()


def test_a_release_that_was_cancelled_and_entered_again_under_its_number_is_ordered() -> None:
    gone = release(1, "50", "11-20", state=ReleaseState.CANCELLED)
    blanket = order(line(10, gone, release(1, "60", "12-20", id="new")), blanket=True)
    supplier = partner(releases="order-per-release")
    found = due(None, blanket, supplier, streams(blanket, supplier)[0])
    assert isinstance(found, Send850)
    result = prepare(found, supplier, change_sequence=0, revision_seen=SEEN)
    assert isinstance(result, Prepared)
    assert [loop.head.get(2) for loop in _lines(result.transaction)] == [D(60)]


@pytest.mark.parametrize("singly", ["order-per-release", "lines"])
def test_two_releases_of_one_number_are_held_where_each_goes_under_its_number(singly: str) -> None:
    """One of the two would not be ordered, or both would be one line for the supplier."""
    twice = order(line(10, release(1, "50", "11-20"), release(1, "60", "12-20", id="other")), blanket=True)
    settings_: dict[str, Any] = {"releases": singly}
    if singly == "lines":
        settings_ = {"850": {"transaction_setting_id": "x", "schedule": "lines"}}
    supplier = partner(**settings_)
    action = due(None, twice, supplier, streams(twice, supplier)[0])
    assert isinstance(action, Send850)
    held = prepare(action, supplier, change_sequence=0, revision_seen=SEEN)
    assert isinstance(held, Held)
    assert [reason.code for reason in held.reasons] == ["release-number-twice"]
    alone = changed(twice, releases=(twice.lines[0].releases[0], release(2, "60", "12-20", id="other")))
    for stream in streams(alone, supplier):
        sendable = due(None, alone, supplier, stream)
        assert isinstance(sendable, Send850)
        assert isinstance(prepare(sendable, supplier, change_sequence=0, revision_seen=SEEN), Prepared)


def test_a_change_of_the_header_alone_is_sent() -> None:
    before, after = CHANGES["header-note"]
    result = must_send(after, partner(), has=before, sequence=1)
    assert not result.transaction.detail
    assert "New dock: 7" in [s.text(1) for s in result.transaction.walk() if s.id == "MSG"]


def test_a_change_that_no_guide_of_the_supplier_shows_is_no_change() -> None:
    supplier = partner({"850": GUIDES_850["date-at-header"][0]})
    one = ORDERS["one-line"]
    assert due(one, replace(one, currency="CAD", ship_via="AIR"), supplier) == Nothing()


def test_a_change_seen_in_the_850_that_the_860_cannot_say_waits() -> None:
    supplier = partner({"860": GUIDES_860["change-full"][0]})
    one = ORDERS["one-line"]
    result = sent(changed(replace(one, currency="CAD"), price=D(9)), supplier, has=one, sequence=1)
    assert isinstance(result, Held)
    assert result.reasons[0].code == "change-without-place"
    assert "currency" in result.reasons[0].message


def _away(base: Order) -> Order:
    """The same order, with the releases of its first line for another plant."""
    return changed(base, releases=tuple(replace(r, ship_to="Plant 2") for r in base.lines[0].releases))


_UNNAMED = changed(_BASE, part=None, description="ANVIL")


@pytest.mark.parametrize(
    ("before", "after", "guide", "what"),
    [
        (_BASE, _away(_BASE), "change-full", "ship-to"),
        (_BASE, changed(_away(_BASE), price=D(9)), "change-full", "ship-to"),
        (_away(_BASE), changed(_BASE, price=D(9)), "change-full", "ship-to"),
        (_UNNAMED, changed(_UNNAMED, description="HAMMER"), "change-few-codes", "description"),
    ],
)
def test_a_change_of_a_line_that_the_860_cannot_say_waits(before: Order, after: Order, guide: str, what: str) -> None:
    """An 860 that repeats the line as it was, or lists nothing, would pass for the change."""
    schema, own = GUIDES_860[guide]
    supplier = partner({"860": schema}, **own)
    held = sent(after, supplier, has=before, sequence=1)
    assert isinstance(held, Held)
    assert [(reason.code, reason.where) for reason in held.reasons] == [("change-without-place", "line 10")]
    assert held.reasons[0].message.endswith(f": {what}")
    assert 'change_orders = "replace"' in held.reasons[0].fix
    replaced = sent(after, partner({"860": schema}, **{**own, "change_orders": "replace"}), has=before, sequence=1)
    assert isinstance(replaced, Prepared)


def test_a_listed_line_has_its_dates_also_where_the_heading_has_the_same() -> None:
    """The supplier has another date at this line, so the heading's alone would leave it there."""
    header: dict[str, Any] = {"850": {"transaction_setting_id": "x", "schedule": "header"}}
    before = order(line(10, release(1, "5", "11-20")), line(20, release(1, "7", "12-04")))
    after = order(line(10, release(1, "5", "12-04")), line(20, release(1, "7", "12-04")))
    change = must_send(after, partner(**header), has=before, sequence=1).transaction
    (loop,) = _lines(change)
    assert [loop.head.text(position) for position in (1, 2)] == ["10", "RS"]
    assert [(s.text(1), s.get(2)) for s in loop.segments("DTM")] == [("002", date(2026, 12, 4))]
    assert [s.get(2) for s in change.heading if isinstance(s, Segment) and s.id == "DTM"] == [date(2026, 12, 4)]


def test_a_line_that_goes_to_the_ship_to_of_the_order_again_says_so() -> None:
    """Without an N1 of its own it would stay at the ship-to that was sent for it."""
    away = _away(_BASE)
    (loop,) = _lines(must_send(_BASE, partner(), has=away, sequence=1).transaction)
    assert loop.head.text(2) == "CA"
    assert [n.head.text(4) for n in loop.loops("N1")] == ["P1"]


def test_a_new_line_for_the_former_ship_to_waits_where_the_860_has_no_place_for_one() -> None:
    schema, own = GUIDES_860["change-full"]
    more = line(20, release(1, "4", "12-01", ship_to="Plant 1"), part="NEW")
    after = replace(_BASE, ship_to="Plant 2", lines=(replace(_away(_BASE).lines[0]), more))
    held = sent(after, partner({"860": schema}, **own), has=_BASE, sequence=1)
    assert isinstance(held, Held)
    assert [(reason.code, reason.where) for reason in held.reasons] == [("change-without-place", "line 20")]


@pytest.mark.parametrize("after", [changed(_BASE, note="urgent"), replace(_BASE, note="New dock")])
def test_a_note_alone_without_a_place_in_the_860_is_no_change_and_holds_nothing(after: Order) -> None:
    schema, own = GUIDES_860["change-few-codes"]
    assert due(_BASE, after, partner({"860": schema}, **own)) == Nothing()
    replacing = partner({"860": schema}, **{**own, "change_orders": "replace"})
    assert isinstance(due(_BASE, after, replacing), Replace850), "the 850 has a place for it"
    required = sent(after, partner({"860": schema}, **{**own, "notes": "required"}), has=_BASE, sequence=1)
    assert isinstance(required, Held)
    assert [reason.code for reason in required.reasons] == ["note-without-place"]


def test_a_note_without_a_place_in_the_860_is_no_reason_beside_another_change_without_one() -> None:
    schema, own = GUIDES_860["change-few-codes"]
    after = replace(changed(_UNNAMED, description="HAMMER"), note="New dock")
    held = sent(after, partner({"860": schema}, **own), has=_UNNAMED, sequence=1)
    assert isinstance(held, Held)
    assert [reason.message.rpartition(": ")[2] for reason in held.reasons] == ["description"]


def test_a_note_without_a_place_in_the_860_goes_with_none_where_something_else_changed() -> None:
    schema, own = GUIDES_860["change-full"]
    after = changed(_BASE, note="urgent", price=D(9))
    result = must_send(after, partner({"860": schema}, **own), has=_BASE, sequence=1)
    assert [loop.head.text(2) for loop in _lines(result.transaction)] == ["PC"]
    assert ("note", "urgent") in [(dropped.fact, dropped.value) for dropped in result.dropped]


def test_what_has_become_unsendable_waits_with_its_reason() -> None:
    found = due(_BASE, changed(_BASE, price=None), partner())
    assert isinstance(found, DueHeld)
    assert [reason.code for reason in found.reasons] == ["price-missing"]


# -- the law of changes: what was sent, plus the 860, is the order as it is now --------------------------------------


def _values(loop: Loop, first_item: int) -> dict[str, Any]:
    head = loop.head
    unit = head.get(3) if loop.id == "PO1" else head.get(5)
    quantity, price, basis = (2, 4, 5) if loop.id == "PO1" else (3, 6, 7)
    items = {head.text(p): head.text(p + 1) for p in range(first_item, 25, 2) if head.text(p)}
    return {
        "quantity": head.get(quantity),
        "unit": unit.components[0] if isinstance(unit, Composite) else unit,
        "price": (head.get(price), head.get(basis)),
        "items": items,
        "schedules": sorted((s.head.get(6), s.head.get(1)) for s in loop.loops("SCH")),
        "dates": [s.get(2) for s in loop.segments("DTM")],
        "notes": [m.text(1) for n in loop.loops("N9") for m in n.segments("MSG")],
        "ship_to": [n.head.text(4) for n in loop.loops("N1")],
    }


def _whole(prepared: Prepared) -> dict[str, dict[str, Any]]:
    return {str(loop.head.text(1)): _values(loop, 6) for loop in _lines(prepared.transaction)}


def _applied(known: dict[str, dict[str, Any]], change: Prepared) -> dict[str, dict[str, Any]]:
    """What a supplier's system does with an 860."""
    result = dict(known)
    for loop in _lines(change.transaction):
        line_id, code = str(loop.head.text(1)), loop.head.text(2)
        if code == "DI":
            assert loop.head.get(3) == 0
            del result[line_id]
            continue
        assert (code == "AI") == (line_id not in known)
        new = _values(loop, 8)
        if code == "PC":
            new |= {"schedules": known[line_id]["schedules"], "dates": known[line_id]["dates"]}
            assert new["quantity"] == known[line_id]["quantity"]
        result[line_id] = new
    return result


_RELEASE = st.tuples(st.integers(1, 500), st.sampled_from(["11-20", "12-04", "12-18"]))
_LINE = st.tuples(
    st.lists(_RELEASE, min_size=1, max_size=3),
    st.integers(0, 5000),
    st.sampled_from(["A-1", "B-2"]),
    st.sampled_from([None, "AB-7"]),
    st.sampled_from(["Ea", "Box"]),
    st.sampled_from([None, "careful"]),
    st.sampled_from([LineState.OPEN, LineState.OPEN, LineState.CANCELLED]),
)


def _order_of(lines: list[Any]) -> Order:
    made = []
    for number, (releases, cents, part, supplier_part, unit, note, state) in enumerate(lines, start=1):
        firm = [release(n, str(q), d) for n, (q, d) in enumerate(releases, start=1)]
        made.append(
            line(
                number * 10,
                *firm,
                price=str(D(12 * cents) / 100),
                part=part,
                supplier_part=supplier_part,
                unit=unit,
                note=note,
                state=state,
            )
        )
    return order(*made)


def _partner(singly: bool) -> Partner:
    settings_: dict[str, Any] = {"850": {"transaction_setting_id": "x", "schedule": "lines"}}
    return partner(**settings_) if singly else partner()


@settings(max_examples=examples(200))
@given(
    was=st.lists(_LINE, min_size=1, max_size=4),
    becomes=st.lists(_LINE, min_size=1, max_size=4),
    kept=st.integers(0, 4),
    singly=st.booleans(),
)
def test_the_last_document_plus_the_860_is_the_order_as_it_is_now(
    was: list[Any], becomes: list[Any], kept: int, singly: bool
) -> None:
    before, after = _order_of(was), _order_of([*was[:kept], *becomes[kept:]])
    supplier = _partner(singly)
    first, whole = sent(before, supplier), sent(after, supplier)
    if not isinstance(first, Prepared) or not isinstance(whole, Prepared):
        return  # nothing is ordered in one of them
    found = due(before, after, supplier)
    if isinstance(found, Nothing):
        assert _whole(first) == _whole(whole)
        return
    assert isinstance(found, Change860)
    change = prepare(found, supplier, change_sequence=1, revision_seen=SEEN)
    assert isinstance(change, Prepared)
    assert _applied(_whole(first), change) == _whole(whole)
    assert [ln for ln in change.sent.lines if ln.quantity] == list(whole.sent.lines)
