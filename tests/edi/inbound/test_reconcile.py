"""The corpus of acknowledgments: what a buyer may rely on, case by case, however the supplier's document is written."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from plexstedi.decimal_json import dumps, loads
from plexstedi.edi.inbound.outcome import AckState, LineOutcome, Reconciliation
from plexstedi.edi.inbound.precedence import AcknowledgmentHeader, Initiative, RankedAcknowledgment, fold
from plexstedi.edi.inbound.reading.acknowledgment import (
    Acknowledgment,
    Malformed,
    content_fingerprint,
    read_acknowledgment,
)
from plexstedi.edi.inbound.reading.guide_reading import read_guide_json
from plexstedi.edi.inbound.reconcile import reconcile
from plexstedi.edi.inbound.revisions import SentRevisions
from plexstedi.edi.model import from_json, to_json
from plexstedi.edi.order import Line, LineState, Order, Phase
from plexstedi.edi.sent import SentLine, SentOrder, SentSchedule
from plexstedi.edi.settings import SupplierSettings
from plexstedi.edi.writeback.custom_fields import plan_writes
from plexstedi.edi.writeback.plan import AckField
from plexstedi.edi.x12.text import parse
from plexstedi.edi.x12.transaction import Loop, Segment, Transaction

CASES: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("acknowledgment_cases.toml").read_text())["case"]
DUE = date(2026, 12, 1)
LATER = date(2026, 12, 15)
ORDERED = date(2026, 11, 1)


# ---------------------------------------------------------------------------------------------------------- orders


def _line(number: int, quantity: int, price: str, part: str, dues: tuple[tuple[int, date], ...]) -> SentLine:
    return SentLine(
        line_id=f"L{number}",
        line=number,
        quantity=Decimal(quantity),
        unit="EA",
        price=Decimal(price),
        items={"BP": part, "VP": part.replace("A", "V").replace("B", "W"), "EC": "C"},
        schedules=tuple(
            SentSchedule(release_id=f"R{number}-{i}", release_number=i, quantity=Decimal(q), due=due)
            for i, (q, due) in enumerate(dues, start=1)
        ),
    )


def _order(name: str) -> SentOrder:
    ten = _line(10, 100, "2.50", "A-1", ((100, DUE),))
    if name == "two":
        return SentOrder(number="PO-1001", lines=(ten, _line(20, 40, "10", "B-2", ((20, DUE), (20, LATER)))))
    if name == "releases":
        ten = _line(10, 100, "2.50", "A-1", ((60, DUE), (40, LATER)))
        single = tuple(replace(s, assigned_id=f"10-{s.release_number}") for s in ten.schedules)
        return SentOrder(number="PO-1001", lines=(replace(ten, schedules=single),))
    if name == "hundreds":
        ten = _line(10, 1000, "12.50", "A-1", ((1000, DUE),))
        return SentOrder(number="PO-1001", lines=(replace(ten, price_basis="HP"),))
    if name == "other-part":
        anew = replace(ten, items={**ten.items, "BP": "A-5"})
        return SentOrder(number="PO-1001", lines=(anew, *_order("two").lines[1:]))
    changes = {"raised": {"quantity": 150}, "dearer": {"price": "2.75"}, "moved": {"due": LATER}, "taken-out": {}}
    if name in changes:
        of = {"quantity": 100, "price": "2.50", "due": DUE, **changes[name]}
        line = _line(10, of["quantity"], of["price"], "A-1", ((of["quantity"], of["due"]),))
        if name == "taken-out":
            line = replace(line, quantity=Decimal(0), schedules=())
        return SentOrder(number="PO-1001", lines=(line, *_order("two").lines[1:]))
    if name == "same-part":
        return SentOrder(number="PO-1001", lines=(ten, _line(20, 100, "2.50", "A-1", ((100, DUE),))))
    assert name == "one"
    return SentOrder(number="PO-1001", lines=(ten,))


# ------------------------------------------------------------------------- the same answer, written in several ways

KEYS = {
    "BAK": "beginning_segment_for_purchase_order_acknowledgment_BAK",
    "BCA": "beginning_segment_for_purchase_order_change_acknowledgment_BCA",
    "DTM": "date_time_reference_DTM",
    "PO1": "baseline_item_data_PO1",
    "POC": "line_item_change_POC",
    "ACK": "line_item_acknowledgment_ACK",
    "SCH": "line_item_schedule_SCH",
    "CTP": "pricing_information_CTP",
    "CUR": "currency_CUR",
    "LIN": "item_identification_LIN",
    "MSG": "message_text_MSG",
    "MTX": "text_MTX",
    "N9": "reference_identification_N9",
    "NTE": "note_special_instruction_NTE",
    "PO3": "additional_item_detail_PO3",
    "QTY": "quantity_QTY",
    "REF": "reference_identification_REF",
    "SAC": "service_promotion_allowance_or_charge_information_SAC",
    "SDQ": "destination_quantity_SDQ",
    "SLN": "subline_item_detail_SLN",
}
LOOPS_OF_A_LINE = ("ACK", "SCH", "CTP", "N9", "QTY", "SAC", "SLN")
"""Each opens a loop under a line; what follows belongs to it as far as the segment may stand there."""
INSIDE = {"N9": ("MSG", "MTX"), "SLN": ("ACK",), "ACK": ("DTM",), "SAC": ("CUR",)}
ONCE = ("CUR", "PO3")
NUMBERS = {("PO1", 2), ("PO1", 4), ("POC", 3), ("POC", 4), ("POC", 6), ("ACK", 2), ("SCH", 1)}
NUMBERS |= {("CTP", 3), ("PO3", 4), ("PO3", 6), ("QTY", 2), ("SAC", 5), ("SAC", 7), ("SLN", 4), ("SDQ", 4), ("SDQ", 6)}
TWO_IMPLIED_DECIMALS = {("SAC", 5)}
"""Written in the wire's own way in the corpus: 1250 is 12.50, which Guide JSON has as 12.5."""
DATES = {("BAK", 4), ("BAK", 9), ("BCA", 6), ("BCA", 10), ("DTM", 2), ("ACK", 5), ("SCH", 6), ("SCH", 9)}


@dataclass(frozen=True)
class Style:
    """How a guide names and types things."""

    release: str
    numbers_as_text: bool = False
    variants: bool = False
    objects: bool = False
    """A loop or segment that occurs once is an object, not an array."""

    def element(self, segment: str, position: int) -> str:
        names = {
            ("PO1", 2): "quantity_ordered" if self.release == "004010" else "quantity",
            ("ACK", 1): "line_item_status_code",
            ("ACK", 2): "quantity",
        }
        return f"{names.get((segment, position), 'some_name')}_{position:02}"


STYLES = (
    Style("004010"),
    Style("005010"),
    Style("004010", numbers_as_text=True),
    Style("005010", numbers_as_text=True, variants=True, objects=True),
    Style("008010", objects=True),
)
RAW_RELEASES = ("004010", "005010", "007030")


def _rows(answer: str) -> list[list[str]]:
    """Segments as lists of elements, with the opening segment filled in."""
    rows = [segment.strip().split("*") for segment in answer.split("|")]
    head = rows[0]
    filled = ["BAK", "00", "AD", "PO-1001", "20261101", "", "", "", "SO-77", "20261102"]
    if head[0] == "BCA":
        filled = ["BCA", "04", "AD", "PO-1001", "", "", "20261101", "", "", "SO-77", "20261102"]
    filled[: len(head)] = head
    rows[0] = ["" if element == "-" else element for element in filled]
    return rows


def _json_segment(row: list[str], style: Style) -> dict[str, Any]:
    segment: dict[str, Any] = {}
    for position, text in enumerate(row[1:], start=1):
        value: Any = text
        if not text:
            continue
        if (row[0], position) in TWO_IMPLIED_DECIMALS:
            text = value = f"{Decimal(text).scaleb(-2):f}"
        if (row[0], position) in NUMBERS and not style.numbers_as_text:
            try:
                value = Decimal(text)
            except ArithmeticError:
                value = text
        elif (row[0], position) in DATES and text.isdigit() and len(text) == 8:
            value = f"{text[:4]}-{text[4:6]}-{text[6:]}"
        elif (row[0], position) in (("POC", 5), ("CTP", 5), ("QTY", 3), ("SLN", 5)):
            value = {"unit_or_basis_for_measurement_code_01": text}
        segment[style.element(row[0], position)] = value
    return segment


def guide_json(answer: str, style: Style) -> dict[str, Any]:
    """The answer as Guide JSON in one style; loops nest as in the guides of Stedi."""
    rows = _rows(answer)
    suffix = "_of_this_guide" if style.variants else ""

    def put(parent: dict[str, Any], key: str, entry: dict[str, Any]) -> None:
        parent.setdefault(key + suffix, []).append(entry)

    def settle(node: dict[str, Any]) -> dict[str, Any]:
        settled: dict[str, Any] = {}
        for key, value in node.items():
            if isinstance(value, list):
                entries = [settle(entry) for entry in value]
                settled[key] = entries[0] if style.objects and len(entries) == 1 else entries
            else:
                settled[key] = value
        return settled

    heading: dict[str, Any] = {
        "transaction_set_header_ST": {
            "transaction_set_identifier_code_01": "865" if rows[0][0] == "BCA" else "855",
            "transaction_set_control_number_02": 1,
        },
        KEYS[rows[0][0]]: _json_segment(rows[0], style),
    }
    detail: dict[str, Any] = {}
    line: dict[str, Any] | None = None
    last, inside = heading, ""
    for row in rows[1:]:
        segment = _json_segment(row, style)
        if row[0] in ("PO1", "POC"):
            last = line = {KEYS[row[0]]: segment}
            put(detail, KEYS[row[0]] + "_loop", line)
            inside = ""
        elif row[0] not in INSIDE.get(inside, ()) and row[0] in LOOPS_OF_A_LINE and (line or row[0] in ("SAC", "N9")):
            last, inside = {KEYS[row[0]]: segment}, row[0]
            put(heading if line is None else line, KEYS[row[0]] + "_loop", last)
        elif row[0] in INSIDE.get(inside, ()):
            put(last, KEYS[row[0]], segment)
        else:
            here = heading if line is None else last if row[0] == "DTM" and inside == "ACK" else line
            if row[0] in ONCE:
                here[KEYS[row[0]]] = segment
            else:
                put(here, KEYS[row[0]], segment)
    return {"heading": settle(heading), "detail": settle(detail)}


def raw_x12(answer: str, release: str) -> str:
    """The answer as a raw interchange."""
    rows = _rows(answer)
    set_id, group = ("865", "CA") if rows[0][0] == "BCA" else ("855", "PR")
    body = [f"ST*{set_id}*0001", *("*".join(row).rstrip("*") for row in rows), f"CTT*{len(rows)}"]
    repetition = "U" if release == "004010" else "^"
    ids = f"ZZ*{'SUPPLIER':15}*ZZ*{'US':15}"
    segments = [
        f"ISA*00*{' ' * 10}*00*{' ' * 10}*{ids}*261102*1200*{repetition}*{release[:5]}*000000001*0*P*>",
        f"GS*{group}*SUPPLIER*US*20261102*1200*1*X*{release}",
        *body,
        f"SE*{len(body) + 1}*0001",
        "GE*1*1",
        "IEA*1*000000001",
    ]
    return "~".join(segments) + "~"


def _readings(answer: str) -> Iterator[Transaction]:
    set_id = "865" if answer.startswith("BCA") else "855"
    for style in STYLES:
        # By way of text, as it comes from Stedi.
        transaction = read_guide_json(loads(dumps(guide_json(answer, style))), set_id, style.release)
        assert isinstance(transaction, Transaction), transaction
        yield transaction
    for release in RAW_RELEASES:
        yield parse(raw_x12(answer, release)).groups[0].transactions[0].transaction


# ----------------------------------------------------------------------------------------------------- the outcome


def _told(outcome: LineOutcome) -> str:
    """A line outcome as the corpus writes it."""
    parts = []
    quiet = {"rejected", "backordered"}
    said = f' "{" / ".join(outcome.words)}"' if outcome.words else ""
    if outcome.confirmed or not (outcome.rejected or outcome.variance):
        parts.append(f"{outcome.confirmed:f} now")
    parts += [
        f"{value:f} {word}"
        for value, word in (
            (outcome.backordered, "later"),
            (outcome.rejected, "rejected"),
            (outcome.variance, "open"),
        )
        if value
    ]
    if outcome.ship_date:
        parts.append(f"ship {outcome.ship_date}")
    if outcome.delivery_date:
        parts.append(f"delivery {outcome.delivery_date}")
    if outcome.date_pending:
        parts.append("date pending")
    codes = sorted({reason.code for reason in outcome.reasons} - quiet)
    return (
        f"{outcome.line} {outcome.state}: {', '.join(parts)}"
        + (" ~" if not outcome.listed else "")
        + (f" [{' '.join(codes)}]" if codes else "")
        + (" *" if outcome.attention else "")
        + said
    )


def _result(case: dict[str, Any], read: Acknowledgment | Malformed) -> list[str]:
    if isinstance(read, Malformed):
        return [f"malformed {reason.where}: {reason.message.split(':')[0]}" for reason in read.reasons]
    done = _reconcile(case, read)
    return [
        *map(_told, done.lines),
        *(f"{entry.place} held [{entry.reason.code}]" for entry in done.unmatched),
        *(f"{number} untouched" for number in done.untouched),
        *(f"{reason.where} notice: {reason.message}" for notice in done.notices for reason in notice.reasons),
    ]


def _reconcile(case: dict[str, Any], read: Acknowledgment) -> Reconciliation:
    order = _order(case.get("order", "one"))
    gone = [line for line in order.lines if line.line in case.get("deleted", [])]
    revisions = SentRevisions(
        before=_versions(order, case.get("before")),
        since={n: line for n in case.get("changed_since", ()) if (line := _later(case, n)) is not None},
        last=1,
    )
    return reconcile(
        read,
        SentOrder(
            number=order.number,
            currency=case.get("currency", "USD") or None,
            lines=tuple(line for line in order.lines if line not in gone),
        ),
        SupplierSettings.of(case.get("settings", {})),
        received={int(number): Decimal(quantity) for number, quantity in case.get("received", {}).items()},
        changed_since=case.get("changed_since", ()),
        changed_in_plex=case.get("changed_in_plex", ()),
        deleted=gone,
        initiative=Initiative.SELLER if case.get("seller") else Initiative.RESPONSE,
        revisions=revisions,
        ordered_on=ORDERED,
    )


def _versions(order: SentOrder, before: str | None) -> dict[int, tuple[SentLine | None, ...]]:
    """The lines that an 860 made of another order, with what stood before."""
    if before is None:
        return {}
    was = _order(before)
    return {line.line: (was.line(line.line),) for line in order.lines if line != was.line(line.line)}


def _later(case: dict[str, Any], number: int) -> SentLine | None:
    return _order(case["later"]).line(number) if "later" in case else None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_buyer_gets_what_the_supplier_said(case: dict[str, Any]) -> None:
    """In names of 4010 and 5010, numbers as numbers or text, arrays or objects, and raw X12: always the same."""
    for transaction in _readings(case["answer"]):
        assert _result(case, read_acknowledgment(transaction)) == case["expect"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_every_reason_says_what_to_do_and_every_result_can_be_stored(case: dict[str, Any]) -> None:
    """A buyer is never left with a bare "held"; a result survives the state file."""
    read = read_acknowledgment(next(_readings(case["answer"])))
    if isinstance(read, Malformed):
        assert all(reason.fix for reason in read.reasons)
        return
    assert from_json(Acknowledgment, to_json(read)) == read
    done = _reconcile(case, read)
    assert from_json(Reconciliation, to_json(done)) == done
    assert "1 days" not in re.sub(r"\d1 days", "", to_json(done))
    for line in done.lines:
        assert all(reason.where and reason.message and reason.fix for reason in line.reasons)
        assert (line.state in (AckState.HELD, AckState.REJECTED, AckState.BACKORDERED)) <= bool(line.reasons)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_is_written_is_what_is_acknowledged_and_nothing_of_what_is_held(case: dict[str, Any]) -> None:
    """Held, rejected, unacknowledged: Plex keeps what it has. Else the confirmed quantity and the last dates."""
    read = read_acknowledgment(next(_readings(case["answer"])))
    if isinstance(read, Malformed):
        return
    done = _reconcile(case, read)
    sent = _order(case.get("order", "one"))
    header = AcknowledgmentHeader(
        transaction_id="T1", type_code="AC", processed_at=datetime(2026, 11, 2, 12, tzinfo=UTC)
    )
    folded = fold([RankedAcknowledgment(header=header, outcomes=done.lines)])
    lines = tuple(
        Line(id=line.line_id, number=line.line, state=LineState.OPEN, unit="Ea", price=line.price)
        for line in sent.lines
    )
    order = Order(
        id="O1", number="PO-1001", supplier_id="S1", supplier_code="ACME01", phase=Phase.RELEASED, status_name="",
        order_date=ORDERED, lines=lines,
    )  # fmt: skip
    names = (AckField.CONFIRMED_QUANTITY, AckField.CONFIRMED_SHIP_DATE, AckField.CONFIRMED_DELIVERY_DATE)
    fields = {kind: kind.value for kind in names}
    settings = SupplierSettings.of(case.get("settings", {}))
    plan = plan_writes(order, [(folded, sent)], fields, "line", settings)
    written: dict[int, dict[str, str | None]] = {}
    for entry in plan.entries:
        assert entry.line is not None
        written.setdefault(entry.line, {})[entry.kind] = entry.value
    applied = {line.line: line for line in done.lines if line.applies and line.unit == "EA"}
    assert written.keys() == applied.keys()
    for number, line in applied.items():
        assert Decimal(written[number][AckField.CONFIRMED_QUANTITY] or "") == line.confirmed
        now = [s for s in line.schedules if not s.backordered] or line.schedules
        dates = [s.delivery_date for s in now if s.delivery_date is not None]
        assert written[number].get(AckField.CONFIRMED_DELIVERY_DATE) == (max(dates).isoformat() if dates else None)


def test_the_same_content_has_the_same_fingerprint_however_it_is_written() -> None:
    """A supplier that sends an answer twice, once as 4010 and once as 5010, is not applied twice."""
    for case in CASES:
        prints = {
            content_fingerprint(a)
            for a in map(read_acknowledgment, _readings(case["answer"]))
            if isinstance(a, Acknowledgment)
        }
        assert len(prints) <= 1, case["name"]


@pytest.mark.parametrize("count", [1000, pytest.param(5000, marks=pytest.mark.long)])
def test_an_acknowledgment_of_thousands_of_lines_is_read_line_by_line(count: int) -> None:
    """The run ends inside its time limit for the largest order, too: reading it takes time in proportion, no more."""
    lines = tuple(_line(number, 100, "2.50", f"A-{number}", ((100, DUE),)) for number in range(1, count + 1))
    heading = Segment("BAK", ("00", "AD", "PO-1001"))
    ack = Loop("ACK", (Segment("ACK", ("IA", Decimal(100))),))
    detail = tuple(Loop("PO1", (Segment("PO1", (str(n), Decimal(100), "EA")), ack)) for n in range(1, count + 1))
    read = read_acknowledgment(Transaction("855", "004010", (heading,), detail))
    assert isinstance(read, Acknowledgment)
    done = reconcile(read, SentOrder(number="PO-1001", lines=lines), SupplierSettings(), received={})
    assert [line.state for line in done.lines] == [AckState.CONFIRMED] * count


@pytest.mark.parametrize(
    ("code", "severity", "advised"),
    [("quantity-sum", None, True), ("quantity-sum", "warning", False), ("quantity-sum", "seller", False)],
)
def test_what_does_not_add_up_is_applied_by_the_setting_that_is_advised(
    code: str, severity: str | None, advised: bool
) -> None:
    """`on_quantity` has no width, and nothing applies a change of the seller's own that does not add up."""
    seller = severity == "seller"
    settings: dict[str, Any] = {"acknowledgments": {"accept_seller_changes": True}}
    if severity == "warning":
        settings["tolerance"] = {"on_quantity": "warning"}
    answer = "BAK*00*AC | PO1*10*100*EA*2.50**BP*A-1 | ACK*IA*50*EA | ACK*IB*40*EA"
    read = read_acknowledgment(next(_readings(answer)))
    assert isinstance(read, Acknowledgment)
    (line,) = _reconcile({"settings": settings, "seller": seller}, read).lines
    (reason,) = [reason for reason in line.reasons if reason.code == code]
    assert ('set `tolerance.on_quantity = "warning"`' in reason.fix) is advised
    assert "widen" not in reason.fix
    assert (line.state is AckState.HELD) is (advised or seller)


def test_a_rejection_names_only_the_codes_that_reject() -> None:
    answer = "BAK*00*AC | PO1*10*100*EA*2.50**BP*A-1 | ACK*IA*30*EA | ACK*IB*20*EA | ACK*R4*50*EA"
    read = read_acknowledgment(next(_readings(answer)))
    assert isinstance(read, Acknowledgment)
    (line,) = _reconcile({}, read).lines
    assert (line.code, line.state) == ("IA+IB+R4", AckState.REJECTED)
    message = "ordered 100 EA, rejected 50 EA R4 (rejected: contract item not available)"
    assert message in [reason.message for reason in line.reasons]


# ------------------------------------------------------------------------------------------------ whole code lists

DATE_QUALIFIERS = {
    "ship date": ("066", "068", "079", "369"),
    "delivery date": ("017", "065", "067", "069", "371"),
    "held": (
        *("018", "055", "168", "169"),
        *("070", "072", "073", "075", "076", "078", "080", "082", "083", "085", "086"),
        *("999", ""),
    ),
    "no promise": (
        *("002", "010", "071", "074", "077", "081", "084", "087", "106", "118", "996"),
        *("001", "036", "037", "038", "061", "063", "064"),
        *("011", "035", "370", "372"),
        *("ACK", "007", "171", "177"),
    ),
}
"""edi/X12.md 3.6, one by one."""


@pytest.mark.parametrize(
    ("becomes", "qualifier"), [(becomes, each) for becomes, all_of in DATE_QUALIFIERS.items() for each in all_of]
)
def test_every_date_qualifier_is_a_promise_of_its_kind_or_none(becomes: str, qualifier: str) -> None:
    """A ship date is never written as a delivery date, an echo of our own wish never as a promise."""
    answer = f"BAK*00*AD | PO1*10*100*EA*2.50**BP*A-1 | ACK*IA*100*EA | DTM*{qualifier}*20261201"
    for transaction in _readings(answer):
        read = read_acknowledgment(transaction)
        assert isinstance(read, Acknowledgment)
        (line,) = _reconcile({}, read).lines
        dates = (line.ship_date, line.delivery_date)
        expected = {"ship date": (DUE, None), "delivery date": (None, DUE)}.get(becomes, (None, None))
        assert dates == expected
        assert (line.state is AckState.HELD) == (becomes == "held")


ENCODINGS = {
    "BP 60": "ACK*BP*60*EA",
    "IB 40": "ACK*IB*40*EA",
    "IB 40 + IA 60": "ACK*IB*40*EA | ACK*IA*60*EA",
    "IB 40 + BP 60": "ACK*IB*40*EA | ACK*BP*60*EA",
}
SIXTY_NOW, FORTY_NOW, HELD = (60, 40), (40, 60), None


@pytest.mark.parametrize(
    ("encoding", "bp_quantity", "ib_quantity", "expected"),
    [
        ("BP 60", None, None, HELD),
        ("BP 60", "accepted", None, SIXTY_NOW),
        ("BP 60", "backordered", None, FORTY_NOW),
        ("IB 40", None, None, SIXTY_NOW),
        ("IB 40", "accepted", None, SIXTY_NOW),
        ("IB 40", "backordered", None, SIXTY_NOW),
        ("IB 40", None, "accepted", FORTY_NOW),
        ("IB 40 + IA 60", None, None, SIXTY_NOW),
        ("IB 40 + IA 60", "accepted", None, SIXTY_NOW),
        ("IB 40 + IA 60", "backordered", None, SIXTY_NOW),
        ("IB 40 + BP 60", None, None, SIXTY_NOW),
        ("IB 40 + BP 60", "accepted", None, SIXTY_NOW),
        ("IB 40 + BP 60", "backordered", None, SIXTY_NOW),
    ],
)
def test_every_way_to_write_a_backorder_under_every_setting(
    encoding: str, bp_quantity: str | None, ib_quantity: str | None, expected: tuple[int, int] | None
) -> None:
    """60 now and 40 later of 100 (edi/X12.md 3.4): read as the supplier means it, or held where nobody has said so."""
    own = {"bp_quantity": bp_quantity, "ib_quantity": ib_quantity}
    settings = {"acknowledgments": {name: value for name, value in own.items() if value is not None}}
    answer = f"BAK*00*AC | PO1*10*100*EA*2.50**BP*A-1 | {ENCODINGS[encoding]}"
    for transaction in _readings(answer):
        read = read_acknowledgment(transaction)
        assert isinstance(read, Acknowledgment)
        (line,) = _reconcile({"settings": settings}, read).lines
        if expected is None:
            assert line.state is AckState.HELD
        else:
            assert (line.state, line.confirmed, line.backordered) == (AckState.BACKORDERED, *expected)


# ------------------------------------------------------------------------------------------------------- properties

QUANTITY = st.decimals(min_value=0, max_value=500, places=2)
CODES = st.sampled_from(["IA", "IB", "BP", "IR", "IQ", "IC", "DR", "SP", "IH", "R4", "XX", "ID", ""])
DETAILS = st.lists(st.tuples(CODES, st.none() | QUANTITY, st.sampled_from(["EA", "CA", "XX", ""])), max_size=4)
ACKNOWLEDGMENT_SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "bp_quantity": st.sampled_from(["accepted", "backordered"]),
        "ib_quantity": st.sampled_from(["accepted", "backordered"]),
        "missing_lines": st.sampled_from(["unacknowledged", "accepted", "rejected"]),
        "accept_without_detail": st.booleans(),
        "ae_accepts_unlisted": st.booleans(),
    },
)
SEVERITY = st.sampled_from(["info", "warning", "hold"])
TYPES = st.sampled_from(["AC", "AD", "AE", "AH", "AK", "AT", "RD", "RJ", "NA", "ZZ"])


@st.composite
def answers(draw: st.DrawFn) -> str:
    rows = [f"BAK*00*{draw(TYPES)}*PO-1001*20261101*****{draw(st.sampled_from(['20261102', '20261103', '']))}"]
    for number in draw(st.lists(st.sampled_from(["10", "20", "30", ""]), max_size=3)):
        part = draw(st.sampled_from(["A-1", "B-2", "Z-9"]))
        rows.append(f"PO1*{number}*{draw(st.sampled_from(['', '100', '40', '7.5']))}*EA*2.50**BP*{part}")
        for code, quantity, unit in draw(DETAILS):
            day = draw(st.sampled_from(["", "*068*20261130", "*067*20261210", "*055*20261201"]))
            rows.append(f"ACK*{code}*{'' if quantity is None else quantity}*{unit}{day}")
        rows += [f"SCH*{quantity}*EA***067*20261205" for quantity in draw(st.lists(QUANTITY, max_size=2))]
    return " | ".join(rows)


@given(
    answer=answers(),
    own=ACKNOWLEDGMENT_SETTINGS,
    severity=SEVERITY,
    received=st.dictionaries(st.sampled_from([10, 20]), QUANTITY),
)
def test_the_parts_of_a_line_always_sum(
    answer: str, own: dict[str, Any], severity: str, received: dict[int, Decimal]
) -> None:
    """No quantity is lost or invented, whatever the supplier writes; and schedules never promise what was received."""
    settings = {
        "acknowledgments": own,
        "tolerance": {"on_quantity": severity, "quantity_under_pct": 10},
        "ack_units": {"CA": {"unit": "EA", "factor": "12"}},
    }
    case = {"order": "two", "settings": settings, "received": received}
    results = []
    for transaction in _readings(answer):
        read = read_acknowledgment(transaction)
        assert isinstance(read, Acknowledgment)
        done = _reconcile(case, read)
        results.append(done)
        for line in done.lines:
            assert line.confirmed + line.backordered + line.rejected + line.variance == line.open
            assert line.open == max(line.ordered - received.get(line.line, 0), 0)
            assert min(line.confirmed, line.backordered, line.rejected) >= 0
            if line.if_accepted is not None or line.applies:
                promised = sum(s.quantity for s in line.schedules)
                assert promised in (0, line.confirmed + line.backordered)
    assert all(done == results[0] for done in results)


def _answer(number: int, text: str, own: dict[str, Any], earlier: dict[int, LineOutcome]) -> RankedAcknowledgment:
    read = read_acknowledgment(next(_readings(text)))
    assert isinstance(read, Acknowledgment)
    settings = SupplierSettings.of({"acknowledgments": own})
    done = reconcile(read, _order("two"), settings, received={}, earlier=earlier)
    header = AcknowledgmentHeader(
        transaction_id=f"T{number}",
        type_code=read.type_code,
        dated=read.dated,
        processed_at=datetime(2026, 11, 3, 12, number, tzinfo=UTC),
    )
    return RankedAcknowledgment(header=header, outcomes=done.lines)


@given(texts=st.lists(answers(), min_size=1, max_size=3), own=ACKNOWLEDGMENT_SETTINGS)
def test_any_order_of_arrival_ends_in_the_same_state(texts: list[str], own: dict[str, Any]) -> None:
    """A late or repeated delivery of an old answer changes nothing for the buyer; twice is once."""
    finals = []
    for arrival in permutations(enumerate(texts)):
        stored: list[RankedAcknowledgment] = []
        for number, text in (*arrival, arrival[0]):
            earlier = {number: standing.latest for number, standing in fold(stored).lines.items()}
            again = [entry for entry in stored if entry.header.transaction_id != f"T{number}"]
            if len(again) == len(stored):
                stored.append(_answer(number, text, own, earlier))
        folded = fold(stored)
        assert fold([*stored, *stored]) == folded
        finals.append({line: (standing.latest, standing.applied) for line, standing in folded.lines.items()})
    assert all(final == finals[0] for final in finals)
