"""What a supplier says beside quantities, prices and dates reaches a buyer, with the code and its own reference."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import convert, to_builtins

from plexstedi.edi.inbound.outcome import Reconciliation
from plexstedi.edi.inbound.reading.acknowledgment import (
    AcknowledgedLine,
    Acknowledgment,
    read_acknowledgment,
)
from plexstedi.edi.inbound.reading.other_segments import StatedPrice
from plexstedi.edi.inbound.reading.stated import Detail, StatedSchedule
from plexstedi.edi.inbound.reconcile import reconcile
from plexstedi.edi.sent import SentLine, SentOrder
from plexstedi.edi.settings import EXTRA_SEGMENTS, AcknowledgmentSettings, SupplierSettings
from plexstedi.edi.x12.text import parse


def _read(set_id: str, *rows: str, release: str = "004010") -> Acknowledgment:
    body = [f"ST*{set_id}*0001", *rows, "CTT*1"]
    isa = f"ISA*00*{' ' * 10}*00*{' ' * 10}*ZZ*{'SUPPLIER':15}*ZZ*{'US':15}*261102*1200*U*00401*000000001*0*P*>"
    group = f"GS*{'PR' if set_id == '855' else 'CA'}*SUPPLIER*US*20261102*1200*1*X*{release}"
    text = "~".join([isa, group, *body, f"SE*{len(body) + 1}*0001", "GE*1*1", "IEA*1*000000001"]) + "~"
    read = read_acknowledgment(parse(text).groups[0].transactions[0].transaction)
    assert isinstance(read, Acknowledgment), read
    return read


def _reconciled(*rows: str, currency: str | None = "USD") -> Reconciliation:
    line = SentLine(line_id="L1", line=1, quantity=Decimal(100), unit="EA", price=Decimal(2), items={"BP": "A-1"})
    sent = SentOrder(number="PO-1", currency=currency, lines=(line,))
    return reconcile(_read("855", *rows), sent, SupplierSettings(), received={})


@pytest.mark.parametrize(
    ("set_id", "rows", "reference"),
    [
        ("855", ["BAK*00*AD*PO-1*20261101****SO-8"], "SO-8"),
        ("855", ["BAK*00*AD*PO-1*20261101**RQ-6**SO-8", "REF*VN*VN-1"], "SO-8"),
        ("855", ["BAK*00*AD*PO-1*20261101**RQ-6", "REF*VN*VN-1"], "RQ-6"),
        ("855", ["BAK*00*AD*PO-1*20261101", "REF*CO*C-1", "REF*VN*VN-1"], "VN-1"),
        ("855", ["BAK*00*AD*PO-1*20261101", "REF*CO*C-1"], None),
        ("865", ["BCA*04*AD*PO-1***20261101***SO-9"], "SO-9"),
        ("865", ["BCA*04*AD*PO-1***20261101*RQ-7"], "RQ-7"),
        ("865", ["BCA*04*AD*PO-1***20261101", "REF*VN*VN-1"], "VN-1"),
    ],
)
def test_the_suppliers_own_order_number_is_found_where_it_stands(
    set_id: str, rows: list[str], reference: str | None
) -> None:
    """A buyer who calls the supplier has the number under which it knows the order."""
    assert _read(set_id, *rows).supplier_reference == reference


@pytest.mark.parametrize("release", ["004010", "005010", "008010"])
@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["PO1*1*100*EA*2", "ACK*IR*100*EA", "NTE*GEN*NO STOCK"], '(IR): "NO STOCK"'),
        (["PO1*1*100*EA*2", "ACK*IH*100*EA" + "*" * 26 + "CREDIT"], '(IH): "CREDIT"'),
        (["PO1*1*100*EA*3", "ACK*IP*100*EA", "MSG*COPPER", "MSG*SURCHARGE"], '(IP): "COPPER / SURCHARGE"'),
        (["PO1*1*100*EA*3", "MTX*GEN*LIST 2027"], ': "LIST 2027"'),
    ],
)
def test_the_reason_tells_what_the_supplier_says_with_its_code(release: str, rows: list[str], said: str) -> None:
    """What `review`, the timeline and the page show is the reason: the words are in it, once."""
    head = "BAK*00*AC*PO-1*20261101"
    read = _read("855", head, *rows, release=release)
    line = SentLine(line_id="L1", line=1, quantity=Decimal(100), unit="EA", price=Decimal(2))
    (outcome,) = reconcile(read, SentOrder(number="PO-1", lines=(line,)), SupplierSettings(), received={}).lines
    assert sum(said in reason.message for reason in outcome.reasons) == 1


def test_an_order_that_is_rejected_as_a_whole_says_why() -> None:
    """The reason often stands in the heading, as the lines are not even listed."""
    (outcome,) = _reconciled("BAK*00*RJ*PO-1*20261101", "N9*ZZ*1", "MSG*ACCOUNT CLOSED").lines
    assert '"ACCOUNT CLOSED"' in outcome.reasons[0].message


def test_a_hold_of_the_whole_order_says_why() -> None:
    """AH, RO: what the supplier wants stands in the heading."""
    (outcome,) = _reconciled("BAK*00*AH*PO-1*20261101", "N9*ZZ*1", "MSG*CREDIT LIMIT", "PO1*1*100*EA*2").lines
    assert '"CREDIT LIMIT"' in outcome.reasons[0].message


def test_results_of_an_older_version_are_read() -> None:
    """What was stored before currencies, words and notices were kept is the same with none of them."""
    done = _reconciled("BAK*00*AD*PO-1*20261101", "PO1*1*100*EA*2", "ACK*IA*100*EA")
    old = to_builtins(done)
    for name in ("notices", "earlier"):
        old.pop(name)
    for line in old["lines"]:
        for name in ("words", "price_sent", "knows"):
            line.pop(name)
    read = convert(old, Reconciliation)
    assert [line.state for line in read.lines] == ["confirmed"]
    assert convert({"number": "PO-1", "lines": []}, SentOrder).currency is None


def test_words_without_end_stay_readable_and_are_kept() -> None:
    """A reason is one line of a table; what does not fit is in the stored acknowledgment."""
    rows = [f"MSG*{chr(65 + n % 26) * 200}" for n in range(20)]
    (outcome,) = _reconciled("BAK*00*AC*PO-1*20261101", "PO1*1*100*EA*2", "ACK*IR*100*EA", *rows).lines
    assert len(outcome.words) == 20
    assert len(outcome.reasons[0].message) < 600


def test_many_segments_of_one_kind_are_one_notice() -> None:
    """Thousands of charges are one thing to look at, not thousands."""
    rows = [f"SAC*C*D240***{n}00" for n in range(1, 51)]
    done = _reconciled("BAK*00*AD*PO-1*20261101", "PO1*1*100*EA*2", "ACK*IA*100*EA", *rows)
    (notice,) = done.notices
    assert (notice.segment, len(notice.reasons)) == ("SAC", 21)
    assert "30 more" in notice.reasons[-1].message
    assert done.attention is False


def test_a_currency_is_compared_as_a_code() -> None:
    """A state file of before currencies were kept, or an order without one: told, not held, not guessed."""
    for currency, kept in ((None, True), ("usd", False), ("US Dollar", True)):
        done = _reconciled("BAK*00*AD*PO-1*20261101", "CUR*SE*USD", "PO1*1*100*EA*2", currency=currency)
        assert [line.state for line in done.lines] == ["confirmed"]
        assert bool(done.notices) is kept


@pytest.mark.parametrize("segment", [*sorted(EXTRA_SEGMENTS), "sac"])
def test_each_such_segment_can_be_switched_off(segment: str) -> None:
    """And nothing that every acknowledgment has: a supplier's ACK is never without meaning."""
    assert AcknowledgmentSettings.of({"ignore_segments": [segment]}).ignore_segments == (segment.upper(),)
    with pytest.raises(ValueError, match="ACK"):
        AcknowledgmentSettings.of({"ignore_segments": ["ACK"]})


@pytest.mark.parametrize("absurd", ["1E40", "1E-40", "9" * 40, "0." + "3" * 40])
@pytest.mark.parametrize("place", ["quantity", "price", "ack", "schedule", "ctp"])
@pytest.mark.parametrize("severity", ["info", "warning", "hold"])
def test_a_number_of_absurd_size_is_held_whatever_the_tolerance_says(absurd: str, place: str, severity: str) -> None:
    """Nothing of such a line is applied or can be accepted, however the number came through its reader."""
    number = Decimal(absurd)
    line = AcknowledgedLine(
        position=1,
        place="PO1 number 1",
        assigned_id="1",
        quantity=number if place == "quantity" else Decimal(100),
        price=number if place == "price" else None,
        other_prices=(StatedPrice(segment="CTP", place="CTP03", price=number),) if place == "ctp" else (),
        details=(Detail(code="IA", quantity=number if place == "ack" else Decimal(100)),),
        schedules=(StatedSchedule(quantity=number),) if place == "schedule" else (),
    )
    read = Acknowledgment(set_id="855", purpose="00", type_code="AC", order_number="PO-1", lines=(line,))
    sent = SentLine(line_id="L1", line=1, quantity=Decimal(100), unit="EA", price=Decimal(2))
    tolerance = {f"on_{what}": severity for what in ("price", "quantity", "date")}
    settings = SupplierSettings.of({"tolerance": tolerance})
    (outcome,) = reconcile(read, SentOrder(number="PO-1", lines=(sent,)), settings, received={}).lines
    assert (outcome.state, outcome.if_accepted, outcome.applies) == ("held", None, False)
    assert "number-absurd" in {reason.code for reason in outcome.reasons}
