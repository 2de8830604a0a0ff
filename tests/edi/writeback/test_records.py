"""What Plex's own acknowledgment record of a release is to say."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from plexstedi.edi.inbound.outcome import AckState, ConfirmedSchedule, LineOutcome
from plexstedi.edi.inbound.precedence import AcknowledgmentHeader, RankedAcknowledgment, fold
from plexstedi.edi.order import Line, LineState, Order, Phase, Release, ReleaseState
from plexstedi.edi.sent import SentLine, SentOrder, SentSchedule
from plexstedi.edi.settings import SupplierSettings
from plexstedi.edi.writeback.plan import AckField, WritePlan, WriteTarget
from plexstedi.edi.writeback.records import plan_record_writes

DUE, LATER = date(2026, 12, 1), date(2026, 12, 4)
FIELDS = {field: field.value.title() for field in AckField}


def planned(*parts: tuple[str, str, date | None, bool], state: ReleaseState = ReleaseState.FIRM) -> WritePlan:
    """The plan for a line of two releases, 60 and 40, after an answer in these parts: release, quantity, ship, late."""
    releases = tuple(
        Release(id=each, number=number, state=state, quantity=Decimal(quantity), due=DUE)
        for number, (each, quantity) in enumerate((("R1", 60), ("R2", 40)), start=1)
    )
    line = Line(id="L1", number=1, state=LineState.OPEN, unit="Ea", price=Decimal(1), releases=releases)
    order = Order(
        id="O1", number="PO-1", supplier_id="S1", supplier_code="ACME", phase=Phase.RELEASED,
        status_name="On Order", order_date=DUE, lines=(line,),
    )  # fmt: skip
    schedules = tuple(
        ConfirmedSchedule(quantity=Decimal(quantity), backordered=late, ship_date=ship, release_id=release, due=DUE)
        for release, quantity, ship, late in parts
    )
    confirmed = sum((part.quantity for part in schedules if not part.backordered), Decimal(0))
    backordered = sum((part.quantity for part in schedules if part.backordered), Decimal(0))
    outcome = LineOutcome(
        line=1, line_id="L1", state=AckState.BACKORDERED if backordered else AckState.CONFIRMED, ordered=Decimal(100),
        open=Decimal(100), unit="EA", confirmed=confirmed, backordered=backordered, rejected=Decimal(0),
        variance=100 - confirmed - backordered, schedules=schedules, release_ids=("R1", "R2"), code="IB",
    )  # fmt: skip
    header = AcknowledgmentHeader(
        transaction_id="01T",
        type_code="AC",
        supplier_reference="SO-9",
        processed_at=datetime(2026, 11, 2, 8, tzinfo=UTC),
    )
    folded = fold([RankedAcknowledgment(header=header, position=0, outcomes=(outcome,))])
    sent = SentLine(
        line_id="L1", line=1, quantity=Decimal(100), unit="EA", price=Decimal(1),
        schedules=tuple(
            SentSchedule(release_id=each.id, release_number=each.number, quantity=each.quantity or Decimal(0), due=DUE)
            for each in releases
        ),
    )  # fmt: skip
    sent_order = SentOrder(number="PO-1", lines=(sent,))
    return plan_record_writes(order, folded.lines, sent_order, FIELDS, SupplierSettings())


def of_release(plan: WritePlan, release: str) -> dict[AckField, str | None]:
    return {AckField(entry.kind): entry.value for entry in plan.entries if entry.record_id == release}


def test_each_release_gets_its_own_part_of_the_promise():
    plan = planned(("R1", "60", LATER, False), ("R2", "40", date(2026, 12, 20), True))
    assert plan.target is WriteTarget.RECORDS
    assert of_release(plan, "R1") == {
        AckField.ACK_CODE: "IB",
        AckField.ACK_STATUS: "backordered",
        AckField.ACK_REFERENCE: "stedi:01T",
        AckField.ACKNOWLEDGED_AT: "2026-11-02T08:00:00Z",
        AckField.CONFIRMED_QUANTITY: "60",
        AckField.CONFIRMED_SHIP_DATE: "2026-12-04",
        AckField.CONFIRMED_DELIVERY_DATE: None,
        AckField.SUPPLIER_REFERENCE: "SO-9",
        AckField.ACK_NOTE: "IB: 60 Ea confirmed, ship 2026-12-04; stedi:01T",
    }
    second = of_release(plan, "R2")
    assert second[AckField.CONFIRMED_QUANTITY] == "0"
    assert second[AckField.ACK_NOTE] == "IB: 40 Ea backordered, ship 2026-12-20; stedi:01T"


def test_the_names_in_plex_are_those_of_the_configuration():
    plan = planned(("R1", "60", None, False), ("R2", "40", None, False))
    assert {entry.field for entry in plan.entries} == set(FIELDS.values())


@pytest.mark.parametrize("state", [ReleaseState.RECEIVED, ReleaseState.CANCELLED, ReleaseState.FORECAST])
def test_a_release_that_is_no_longer_ordered_gets_no_record(state):
    assert planned(("R1", "60", None, False), ("R2", "40", None, False), state=state).entries == ()


def test_the_same_acknowledgment_is_the_same_plan():
    parts = ("R1", "60", LATER, False), ("R2", "40", None, False)
    assert planned(*parts) == planned(*parts)
