"""Releases that were sent as lines: what an earlier acknowledgment says of one that is omitted now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from plexstedi.edi.inbound.outcome import LineOutcome, accept
from plexstedi.edi.inbound.reading.acknowledgment import Acknowledgment, read_acknowledgment
from plexstedi.edi.inbound.reconcile import reconcile
from plexstedi.edi.inbound.revisions import with_deletions
from plexstedi.edi.sent import SentLine, SentOrder, SentSchedule
from plexstedi.edi.settings import SupplierSettings
from plexstedi.edi.x12.text import parse
from tests.edi.inbound.test_reconcile import raw_x12

FIRST, SECOND = date(2026, 12, 1), date(2026, 12, 15)
IN_TIME = "PO1*10-1*60*EA*2.50 | ACK*IA*60*EA*067*20261201"
OTHER = "PO1*10-2*40*EA*2.50 | ACK*IA*40*EA*067*20261215"


def _line(first: int = 60, second: int | None = 40, price: str = "2.50") -> SentLine:
    releases = ((1, first, FIRST), *(((2, second, SECOND),) if second is not None else ()))
    return SentLine(
        line_id="L10",
        line=10,
        quantity=Decimal(sum(quantity for _, quantity, _ in releases)),
        unit="EA",
        price=Decimal(price),
        items={"BP": "A-1"},
        schedules=tuple(
            SentSchedule(
                release_id=f"R{n}", release_number=n, assigned_id=f"10-{n}", quantity=Decimal(quantity), due=due
            )
            for n, quantity, due in releases
        ),
    )


def _read(answer: str) -> Acknowledgment:
    read = read_acknowledgment(parse(raw_x12(answer, "004010")).groups[0].transactions[0].transaction)
    assert isinstance(read, Acknowledgment)
    return read


def _reconciled(
    answer: str,
    line: SentLine | None = None,
    earlier: Sequence[tuple[SentLine, LineOutcome]] = (),
    received: int = 0,
    settings: dict[str, Any] | None = None,
) -> LineOutcome:
    done = reconcile(
        _read(f"BAK*00*AC | {answer}"),
        SentOrder(number="PO-1001", lines=(line or _line(),)),
        SupplierSettings.of(settings or {}),
        received={10: Decimal(received)},
        earlier_releases={10: earlier},
        ordered_on=date(2026, 11, 1),
    )
    return done.lines[0]


def _codes(outcome: LineOutcome) -> list[str]:
    return [reason.code for reason in outcome.reasons]


def test_quantities_and_dates_are_those_of_the_earlier_acknowledgment() -> None:
    before = _reconciled(IN_TIME)
    assert _codes(before) == ["release-missing", "quantity"]
    now = _reconciled(OTHER, earlier=[(_line(), before)])
    assert (now.state, now.confirmed, now.attention) == ("confirmed", 100, False)
    assert [(s.release_id, s.delivery_date) for s in now.schedules] == [("R1", FIRST), ("R2", SECOND)]
    # A third one that repeats the second release finds the first in either of them.
    assert _reconciled(OTHER, earlier=[(_line(), now), (_line(), before)]).confirmed == 100


def test_the_newest_acknowledgment_that_lists_it_counts() -> None:
    short = _reconciled("PO1*10-1*60*EA*2.50 | ACK*IB*60*EA")
    now = _reconciled(OTHER, earlier=[(_line(), short), (_line(), _reconciled(IN_TIME))])
    assert (now.state, now.confirmed, now.backordered) == ("backordered", 40, 60)


@pytest.mark.parametrize("line", [_line(first=50), _line(price="2.75")], ids=["quantity", "price"])
def test_a_release_that_was_changed_since_is_not_as_acknowledged_before(line: SentLine) -> None:
    other = OTHER.replace("2.50", str(line.price))
    assert "release-missing" in _codes(_reconciled(other, line, [(_line(), _reconciled(IN_TIME))]))


def test_a_late_date_of_the_earlier_acknowledgment_still_holds() -> None:
    late = _reconciled("PO1*10-1*60*EA*2.50 | ACK*IA*60*EA*067*20261209")
    now = _reconciled(OTHER, earlier=[(_line(), late)])
    assert (now.state, _codes(now)) == ("held", ["date"])


def test_what_held_the_earlier_acknowledgment_still_holds_until_it_is_accepted() -> None:
    dearer = _reconciled("PO1*10-1*60*EA*3 | ACK*IA*60*EA")
    now = _reconciled(OTHER, earlier=[(_line(), dearer)])
    assert (now.state, now.if_accepted, _codes(now)) == ("held", "changed", ["release-held"])
    assert "price sent 2.5, acknowledged 3" in now.reasons[0].message
    assert _reconciled(OTHER, earlier=[(_line(), accept(now))]).state == "changed"


def test_a_rejected_release_stays_rejected() -> None:
    now = _reconciled(OTHER, earlier=[(_line(), _reconciled("PO1*10-1*60*EA*2.50 | ACK*R4*60*EA"))])
    assert (now.state, now.confirmed, now.rejected) == ("rejected", 40, 60)


@pytest.mark.parametrize("received", [20, 60])
def test_what_was_received_since_is_not_promised_again(received: int) -> None:
    now = _reconciled(OTHER, earlier=[(_line(), _reconciled(IN_TIME))], received=received)
    assert (now.state, now.confirmed) == ("confirmed", 100 - received)


@pytest.mark.parametrize(
    ("answer", "state", "codes"),
    [
        ("PO1*10-2*40*EA*2.50 | ACK*ID*40*EA", "confirmed", []),
        ("PO1*10-2*0*EA*2.50 | ACK*IA*0*EA", "confirmed", []),
        ("PO1*10-2*40*EA*2.50 | ACK*IA*40*EA", "held", ["quantity"]),
        ("PO1*10-2*40*EA*2.50 | ACK*IR", "held", ["deletion-rejected"]),
    ],
    ids=["deleted", "nothing", "confirmed all the same", "refused"],
)
def test_a_release_that_was_deleted_is_known_by_its_number(answer: str, state: str, codes: list[str]) -> None:
    order, gone = with_deletions([SentOrder(number="PO-1001", lines=(each,)) for each in (_line(), _line(60, None))], 1)
    assert gone == ()
    now = _reconciled(f"{IN_TIME} | {answer}", order.lines[0])
    assert (now.state, _codes(now)) == (state, codes)


def test_a_line_of_today_has_precedence_over_one_that_was_deleted() -> None:
    """A supplier with line numbers of its own: the part tells the line."""
    anew = replace(_line(), line=20, line_id="L20", items={"BP": "B-2"}, schedules=())
    old = replace(_line(), schedules=())
    _, gone = with_deletions([SentOrder(number="PO-1001", lines=lines) for lines in ((old, anew), (anew,))], 1)
    assert [(line.line, line.quantity) for line in gone] == [(10, 0)]
    done = reconcile(
        _read("BAK*00*AC | PO1*10*100*EA*2.50**BP*B-2 | ACK*IA*100*EA"),
        SentOrder(number="PO-1001", lines=(anew,)),
        SupplierSettings.of({}),
        received={},
        deleted_before=gone,
    )
    assert [(line.line, line.state) for line in done.lines] == [(20, "confirmed")]
