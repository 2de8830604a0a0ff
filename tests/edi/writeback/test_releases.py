"""What may go into a release itself: our demand is replaced only by what a release can hold, and only on request."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from plexstedi.edi.inbound.outcome import AckState, ConfirmedSchedule, LineOutcome
from plexstedi.edi.inbound.precedence import AcknowledgmentHeader, RankedAcknowledgment, fold
from plexstedi.edi.order import Line, LineState, Order, Phase, Release, ReleaseState
from plexstedi.edi.outbound.promised import WrittenDemand, with_promises
from plexstedi.edi.sent import SentLine, SentOrder, SentSchedule
from plexstedi.edi.settings import SupplierSettings
from plexstedi.edi.writeback.plan import ReleaseField, WritePlan
from plexstedi.edi.writeback.releases import plan_release_writes

DUE, LATER, LAST = date(2026, 12, 1), date(2026, 12, 4), date(2026, 12, 20)
ALL = tuple(ReleaseField)
SETTINGS = SupplierSettings.of({"units": {"Thousand": {"unit": "EA", "factor": "1000"}}})


def order(unit: str = "Ea", quantity: str = "100", due: date = DUE, state: ReleaseState = ReleaseState.FIRM) -> Order:
    release = Release(id="R1", number=1, state=state, quantity=Decimal(quantity), due=due)
    line = Line(id="L1", number=1, state=LineState.OPEN, unit=unit, price=Decimal(1), releases=(release,))
    return Order(
        id="O1",
        number="PO-1",
        supplier_id="S1",
        supplier_code="ACME",
        phase=Phase.RELEASED,
        status_name="On Order",
        order_date=DUE,
        lines=(line,),
    )


def part(quantity: int, *, ship: date | None = None, delivery: date | None = None, late: bool = False):
    return ConfirmedSchedule(
        quantity=Decimal(quantity), backordered=late, ship_date=ship, delivery_date=delivery, release_id="R1", due=DUE
    )


def planned(
    *parts: ConfirmedSchedule,
    of: Order | None = None,
    values: tuple[ReleaseField, ...] = ALL,
    ordered: int = 100,
    received: int = 0,
) -> WritePlan:
    """The plan after one answer in these parts."""
    confirmed = sum((p.quantity for p in parts if not p.backordered), Decimal(0))
    backordered = sum((p.quantity for p in parts if p.backordered), Decimal(0))
    left = Decimal(ordered - received)
    outcome = LineOutcome(
        line=1,
        line_id="L1",
        state=AckState.CHANGED,
        ordered=Decimal(ordered),
        open=left,
        unit="EA",
        confirmed=confirmed,
        backordered=backordered,
        rejected=Decimal(0),
        variance=left - confirmed - backordered,
        schedules=parts,
        release_ids=("R1",),
        code="IA",
    )
    header = AcknowledgmentHeader(
        transaction_id="01T",
        type_code="AC",
        supplier_reference=None,
        dated=None,
        processed_at=datetime(2026, 11, 2, tzinfo=UTC),
    )
    folded = fold([RankedAcknowledgment(header=header, position=0, outcomes=(outcome,))])
    schedule = SentSchedule(release_id="R1", release_number=1, quantity=Decimal(100), due=DUE)
    sent = SentLine(line_id="L1", line=1, quantity=Decimal(ordered), unit="EA", price=Decimal(1), schedules=(schedule,))
    return plan_release_writes(of or order(), folded.lines, SentOrder(number="PO-1", lines=(sent,)), values, SETTINGS)


def values_of(plan: WritePlan) -> dict[str, str | None]:
    return {entry.field: entry.value for entry in plan.entries}


def test_the_note_says_code_quantity_dates_and_which_acknowledgment():
    plan = planned(part(100, ship=DUE, delivery=LATER), values=(ReleaseField.NOTE,))
    assert values_of(plan) == {"note": "IA: 100 Ea confirmed, ship 2026-12-01, delivery 2026-12-04; stedi:01T"}


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((part(100, delivery=LATER),), {"quantity": "100", "due_date": "2026-12-04"}),
        ((part(95, delivery=DUE),), {"quantity": "95", "due_date": "2026-12-01"}),
        ((part(100, ship=LATER),), {"quantity": "100"}),
        ((part(60, delivery=DUE), part(40, delivery=LAST, late=True)), {"quantity": "100"}),
        ((part(60, delivery=DUE), part(40, delivery=DUE)), {"quantity": "100", "due_date": "2026-12-01"}),
        ((), {}),
    ],
    ids=["later", "less", "a ship date is no due date", "backordered is still to come", "one day", "nothing"],
)
def test_with_the_opt_in_a_release_gets_what_it_can_hold(parts, expected):
    found = values_of(planned(*parts))
    assert "stedi:01T" in str(found.pop("note"))
    assert found == expected


@pytest.mark.parametrize(
    ("parts", "code"),
    [((part(60, delivery=DUE), part(40, delivery=LAST, late=True)), "release-in-parts"), ((), "quantity-zero")],
)
def test_what_it_cannot_hold_needs_review_but_only_where_it_was_asked_for(parts, code):
    assert [reason.code for reason in planned(*parts).withheld] == [code]
    assert planned(*parts, values=(ReleaseField.NOTE,)).withheld == ()


def test_a_date_or_quantity_remembers_what_was_asked_so_that_a_users_edit_is_seen():
    asked = {entry.field: entry.asked for entry in planned(part(95, delivery=LATER)).entries}
    assert asked == {"note": None, "quantity": "100", "due_date": "2026-12-01"}


def test_after_a_receipt_only_the_note_is_written():
    assert set(values_of(planned(part(60, delivery=LATER), received=40))) == {"note"}


@pytest.mark.parametrize("state", [ReleaseState.RECEIVED, ReleaseState.CANCELLED, ReleaseState.FORECAST])
def test_a_release_that_is_no_longer_ordered_is_left_alone(state):
    assert planned(part(100, delivery=LATER), of=order(state=state)).entries == ()


def test_what_a_blanket_orders_beyond_its_release_is_not_written_into_it():
    assert values_of(planned(part(1000, delivery=DUE), ordered=1000))["quantity"] == "100"


def test_quantities_are_in_plexs_unit_or_not_written():
    thousand = order(unit="Thousand")
    assert values_of(planned(part(95), of=thousand))["quantity"] == "0.095"


def written(value: Decimal | date, *, is_certain: bool = True) -> WrittenDemand:
    return WrittenDemand("R1", value, is_certain=is_certain)


def demand(of: Order) -> tuple[Decimal | None, date | None]:
    (release,) = of.lines[0].releases
    return release.quantity, release.due


def test_what_we_wrote_is_what_the_supplier_has_and_a_users_edit_after_it_is_a_change():
    has, ours = order(), (written(Decimal(95)), written(LATER))
    assert demand(with_promises(has, order(quantity="95", due=LATER), ours)) == (Decimal(95), LATER)
    assert demand(with_promises(has, order(quantity="97", due=DUE), ours)) == (Decimal(95), LATER)


def test_a_write_that_was_not_heard_counts_only_where_plex_is_seen_to_hold_it():
    has, maybe = order(), (written(Decimal(95), is_certain=False), written(LATER, is_certain=False))
    assert demand(with_promises(has, order(quantity="95"), maybe)) == (Decimal(95), DUE)
    assert demand(with_promises(has, order(quantity="120"), maybe)) == (Decimal(100), DUE)
