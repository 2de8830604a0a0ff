"""What goes into Plex: exactly what the supplier confirmed, in Plex's unit, at the level that was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

from msgspec.structs import replace

from plexstedi.edi.inbound.outcome import AckState, ConfirmedSchedule, LineOutcome, accept
from plexstedi.edi.inbound.precedence import AcknowledgmentHeader, Folded, RankedAcknowledgment, fold
from plexstedi.edi.model import from_json, to_json
from plexstedi.edi.order import Line, LineState, Order, Phase, Release, ReleaseState
from plexstedi.edi.sent import SentLine, SentOrder, SentSchedule
from plexstedi.edi.settings import SupplierSettings
from plexstedi.edi.writeback.custom_fields import differences, plan_writes
from plexstedi.edi.writeback.plan import AckField, Level, PlexValue, RecordKey, WritePlan

FIELDS = {kind: f"Edi_{kind.value}" for kind in AckField if kind is not AckField.ACK_NOTE}
SETTINGS = SupplierSettings.of({"units": {"Thousand": {"unit": "EA", "factor": "1000"}}})
DUE = date(2026, 12, 1)


def _line(number: int, unit: str = "Ea", releases: int = 1, state: ReleaseState = ReleaseState.FIRM) -> Line:
    return Line(
        id=f"L{number}",
        number=number,
        state=LineState.OPEN,
        unit=unit,
        price=Decimal(1),
        releases=tuple(
            Release(id=f"R{number}-{i}", number=i, state=state, quantity=Decimal(50), due=DUE)
            for i in range(1, releases + 1)
        ),
    )


def _order(*lines: Line) -> Order:
    return Order(
        id="O1",
        number="PO-1",
        supplier_id="S1",
        supplier_code="ACME",
        phase=Phase.RELEASED,
        status_name="Open",
        order_date=DUE,
        lines=lines,
    )


def _schedule(quantity: int, release: str, **changes: object) -> ConfirmedSchedule:
    base = ConfirmedSchedule(quantity=Decimal(quantity), release_id=release, due=DUE)
    return replace(base, **changes)


def _outcome(number: int, total: int, *schedules: ConfirmedSchedule, **changes: object) -> LineOutcome:
    base = LineOutcome(
        line=number,
        line_id=f"L{number}",
        state=AckState.CONFIRMED,
        ordered=Decimal(total),
        open=Decimal(total),
        unit="EA",
        confirmed=Decimal(total),
        backordered=Decimal(0),
        rejected=Decimal(0),
        variance=Decimal(0),
        schedules=schedules,
        release_ids=tuple(dict.fromkeys(s.release_id for s in schedules if s.release_id)),
    )
    return replace(base, **changes)


def _folded(*outcomes: LineOutcome) -> Folded:
    header = AcknowledgmentHeader(
        transaction_id="01T",
        type_code="AC",
        supplier_reference="SO-77",
        processed_at=datetime(2026, 11, 2, 12, tzinfo=UTC),
    )
    return fold([RankedAcknowledgment(header=header, outcomes=outcomes)])


def _sent(*numbers: int) -> SentOrder:
    """The order as last sent, with these lines of one release."""
    return SentOrder(
        number="PO-1",
        lines=tuple(
            SentLine(
                line_id=f"L{number}", line=number, quantity=Decimal(50), unit="EA", price=Decimal(1),
                schedules=(
                    SentSchedule(release_id=f"R{number}-1", release_number=1, quantity=Decimal(50), due=DUE),
                ),
            )
            for number in numbers
        ),
    )  # fmt: skip


def _plan(order: Order, folded: Folded, level: Level = "line", fields: Mapping[AckField, str] = FIELDS) -> WritePlan:
    return plan_writes(order, [(folded, _sent())], fields, level, SETTINGS)


def _values(plan: WritePlan) -> dict[tuple[str, str], str | None]:
    return {(entry.record_id, entry.kind.value): entry.value for entry in plan.entries}


def test_a_confirmed_line_and_its_order() -> None:
    """Quantity and dates on the line, codes and references on the order."""
    outcome = _outcome(10, 100, _schedule(100, "R10-1", ship_date=date(2026, 11, 28)))
    assert _values(_plan(_order(_line(10)), _folded(outcome))) == {
        ("O1", "ack_code"): "AC",
        ("O1", "ack_status"): "confirmed",
        ("O1", "ack_reference"): "stedi:01T",
        ("O1", "acknowledged_at"): "2026-11-02T12:00:00Z",
        ("O1", "supplier_reference"): "SO-77",
        ("L10", "confirmed_quantity"): "100",
        ("L10", "confirmed_ship_date"): "2026-11-28",
        ("L10", "confirmed_delivery_date"): None,
    }


def test_a_field_that_is_not_listed_is_not_written() -> None:
    """The plant decides what reaches Plex."""
    plan = _plan(_order(_line(10)), _folded(_outcome(10, 100)), fields={AckField.CONFIRMED_QUANTITY: "Qty"})
    assert [(entry.field, entry.value) for entry in plan.entries] == [("Qty", "100")]


def test_quantities_go_back_into_the_unit_of_plex() -> None:
    """100 pieces confirmed are 0.1 of a line that Plex orders in thousands, not 100 thousand."""
    plan = _plan(_order(_line(10, "Thousand")), _folded(_outcome(10, 100)))
    assert _values(plan)["L10", "confirmed_quantity"] == "0.1"


def test_a_quantity_that_does_not_divide_exactly_is_not_rounded() -> None:
    """Nothing of that line is written, and the plan says why; the other line goes on."""
    settings = SupplierSettings.of({"units": {"Dozen": {"unit": "EA", "factor": "12"}}})
    folded = _folded(_outcome(10, 100), _outcome(20, 40))
    plan = plan_writes(_order(_line(10, "Dozen"), _line(20)), [(folded, _sent())], FIELDS, "line", settings)
    assert [reason.code for reason in plan.withheld] == ["quantity-inexact"]
    assert {key[0] for key in _values(plan)} == {"O1", "L20"}


def test_a_unit_whose_mapping_changed_since_is_not_guessed() -> None:
    """The order went out in pieces; the setting now says pounds."""
    settings = SupplierSettings.of({"units": {"Ea": "LB"}})
    folded = _folded(_outcome(10, 100))
    plan = plan_writes(_order(_line(10)), [(folded, _sent())], FIELDS, "line", settings)
    assert [reason.code for reason in plan.withheld] == ["unit-unknown"]


def test_on_the_order_several_lines_are_text() -> None:
    """One field tells the buyer which line got what."""
    folded = _folded(_outcome(1, 100, _schedule(100, "R1-1", delivery_date=DUE)), _outcome(2, 40))
    values = _values(_plan(_order(_line(1), _line(2)), folded, "order"))
    assert values["O1", "confirmed_quantity"] == "1: 100; 2: 40"
    assert values["O1", "confirmed_delivery_date"] == "1: 2026-12-01"


def test_on_the_order_a_single_line_is_a_number() -> None:
    """No decoration where there is nothing to tell apart."""
    values = _values(_plan(_order(_line(1)), _folded(_outcome(1, 100)), "order"))
    assert values["O1", "confirmed_quantity"] == "100"


def test_releases_get_each_their_own() -> None:
    """A split confirmation stands at the release it serves, and a release that gets nothing says zero."""
    outcome = _outcome(
        10,
        50,
        _schedule(30, "R10-1", ship_date=date(2026, 11, 20)),
        _schedule(20, "R10-1", ship_date=date(2026, 11, 25)),
        release_ids=("R10-1", "R10-2"),
    )
    values = _values(_plan(_order(_line(10, releases=2)), _folded(outcome), "release"))
    assert values["R10-1", "confirmed_quantity"] == "50"
    assert values["R10-1", "confirmed_ship_date"] == "2026-11-25"
    assert values["R10-2", "confirmed_quantity"] == "0"


def test_a_received_release_is_never_promised_again() -> None:
    """The stock is there; no date is written over it."""
    outcome = _outcome(10, 50, _schedule(50, "R10-1", ship_date=DUE))
    plan = _plan(_order(_line(10, state=ReleaseState.RECEIVED)), _folded(outcome), "release")
    assert {key[0] for key in _values(plan)} == {"O1"}


def test_the_date_is_that_of_the_part_that_comes_now() -> None:
    """60 of 100 by 1 December must not be shown as coming with the backorder."""
    parts = (
        _schedule(60, "R10-1", ship_date=date(2026, 11, 28)),
        _schedule(40, "R10-1", ship_date=date(2026, 12, 20), backordered=True),
    )
    changes = {"state": AckState.BACKORDERED, "confirmed": Decimal(60), "backordered": Decimal(40)}
    now = _outcome(10, 100, *parts, **changes)
    values = _values(_plan(_order(_line(10)), _folded(now)))
    assert (values["L10", "confirmed_quantity"], values["L10", "confirmed_ship_date"]) == ("60", "2026-11-28")

    changes = {"state": AckState.BACKORDERED, "confirmed": Decimal(0), "backordered": Decimal(100)}
    values = _values(_plan(_order(_line(10)), _folded(_outcome(10, 100, parts[1], **changes))))
    assert (values["L10", "confirmed_quantity"], values["L10", "confirmed_ship_date"]) == ("0", "2026-12-20")


def test_held_and_rejected_lines_write_nothing_before_a_user_accepts() -> None:
    """Then they write what was acknowledged."""
    held = _outcome(10, 90, state=AckState.HELD, if_accepted=AckState.CHANGED)
    rejected = _outcome(20, 40, state=AckState.REJECTED, confirmed=Decimal(0), rejected=Decimal(40))
    order = _order(_line(10), _line(20))
    assert _plan(order, _folded(held, rejected)).entries == ()
    values = _values(_plan(order, _folded(accept(held), accept(rejected))))
    assert values["L10", "confirmed_quantity"] == "90"
    assert values["L20", "confirmed_quantity"] == "0"
    assert values["O1", "ack_status"] == "rejected"


def test_the_status_of_the_order_is_its_worst_line() -> None:
    """An order with a line that nobody confirmed does not read "confirmed"."""
    plan = _plan(_order(_line(10), _line(20)), _folded(_outcome(10, 100)))
    assert _values(plan)["O1", "ack_status"] == "unacknowledged"


def test_a_line_that_is_gone_from_plex_is_reported() -> None:
    """A confirmation for a line that no longer exists needs a person, not a write."""
    plan = _plan(_order(_line(20)), _folded(_outcome(10, 100)))
    assert [reason.code for reason in plan.withheld] == ["line-gone"]


def test_only_what_differs_is_written_and_twice_is_once() -> None:
    """Plex is not touched for what it already says, however it writes numbers and days."""
    plan = _plan(_order(_line(10)), _folded(_outcome(10, 100, _schedule(100, "R10-1", ship_date=DUE))))
    empty = differences(plan, {})
    assert {change.field for change in empty} == {
        name for kind, name in FIELDS.items() if kind is not AckField.CONFIRMED_DELIVERY_DATE
    }
    assert {change.after for change in empty if change.field == FIELDS[AckField.CONFIRMED_QUANTITY]} == {"100"}
    in_plex: dict[RecordKey, dict[str, PlexValue]] = {
        ("line", "L10"): {
            FIELDS[AckField.CONFIRMED_QUANTITY]: Decimal("100.000"),
            FIELDS[AckField.CONFIRMED_SHIP_DATE]: "2026-12-01T00:00:00Z",
        },
        ("order", "O1"): {
            FIELDS[AckField.ACK_CODE]: "AC",
            FIELDS[AckField.ACK_STATUS]: "changed",
            FIELDS[AckField.ACK_REFERENCE]: "stedi:01T",
            FIELDS[AckField.ACKNOWLEDGED_AT]: "2026-11-02T12:00:00+00:00",
            FIELDS[AckField.SUPPLIER_REFERENCE]: "SO-77",
        },
    }
    changes = differences(plan, in_plex)
    assert [(c.field, c.before, c.after) for c in changes] == [(FIELDS[AckField.ACK_STATUS], "changed", "confirmed")]
    in_plex["order", "O1"][FIELDS[AckField.ACK_STATUS]] = "confirmed"
    assert differences(plan, in_plex) == ()


def test_a_date_that_is_no_longer_current_goes_but_never_a_users() -> None:
    """The newest answer gives no ship date: ours is cleared; one that a buyer typed stays."""
    plan = _plan(_order(_line(10)), _folded(_outcome(10, 100)))
    name = FIELDS[AckField.CONFIRMED_SHIP_DATE]
    in_plex: dict[RecordKey, dict[str, PlexValue]] = {("line", "L10"): {name: "2026-11-20"}}
    ours: dict[RecordKey, dict[str, PlexValue]] = {("line", "L10"): {name: "2026-11-20"}}
    theirs: dict[RecordKey, dict[str, PlexValue]] = {("line", "L10"): {name: "2026-11-19"}}
    assert name not in {change.field for change in differences(plan, in_plex)}
    assert name not in {change.field for change in differences(plan, in_plex, theirs)}
    cleared = [change for change in differences(plan, in_plex, ours) if change.field == name]
    assert [(change.before, change.after) for change in cleared] == [("2026-11-20", None)]


def test_a_plan_can_be_stored() -> None:
    """It survives the state file unchanged."""
    plan = _plan(_order(_line(10)), _folded(_outcome(10, 100)))
    assert from_json(WritePlan, to_json(plan)) == plan


def test_streams_of_one_order_have_one_value_per_field() -> None:
    """Releases that were sent as orders of their own: two values for one field could never both be read back."""
    first = _folded(_outcome(10, 50, _schedule(50, "R10-1")))
    second = _folded(_outcome(20, 50, _schedule(50, "R20-1")))
    order = _order(_line(10), _line(20))
    plan = plan_writes(order, [(first, _sent(10)), (second, _sent(20))], FIELDS, "release", SETTINGS)
    fields = [(entry.record_id, entry.field) for entry in plan.entries]
    assert len(fields) == len(set(fields))
    assert _values(plan)["O1", "ack_status"] == "confirmed"
    waiting = plan_writes(order, [(first, _sent(10)), (Folded({}, None), _sent(10, 20))], FIELDS, "release", SETTINGS)
    assert _values(waiting)["O1", "ack_status"] == "unacknowledged"
