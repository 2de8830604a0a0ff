"""A preview shows exactly what would go, and a raw answer is read as what it says."""

from __future__ import annotations

import io
from datetime import date, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyx12.x12file import X12Reader  # type: ignore[import-untyped]

from plexstedi.edi.outbound.document import Prepared, prepare_invoice
from plexstedi.edi.x12.text import BrokenX12Error, parse
from plexstedi.edi.x12.transaction import Composite, Loop, Segment, Transaction, Value, segment
from plexstedi.edi.x12.writing import Envelope, UnwritableError, render
from tests.edi.outbound_orders import CHANGES, INVOICES, ORDERS, must_send, partner

_ENVELOPE = Envelope(
    sender_qualifier="ZZ",
    sender_id="PLEXUS",
    receiver_qualifier="01",
    receiver_id="123456789",
    sender_application="PLEXUS",
    receiver_application="ACME",
    date=date(2026, 11, 5),
    time=time(9, 5),
    usage="T",
    interchange_control=17,
    group_control=4,
)
_TEXT = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="*~>^"), min_size=1)
_WORDS = _TEXT.map(str.strip).filter(bool)
_QUANTITY = st.decimals(min_value=Decimal("0.001"), max_value=10**9, places=3)
_DATE = st.dates(date(2000, 1, 1), date(2069, 12, 31))


@st.composite
def _orders(draw: st.DrawFn, set_id: str, release: str) -> Transaction:
    line, head = ("PO1", "BEG") if set_id == "850" else ("POC", "BCH")
    carrier = {"MTX": {"e02": draw(_WORDS)}} if release >= "005010" else {"MSG": {"e01": draw(_WORDS)}}
    begin = (
        segment("BEG", e01="00", e02="SA", e03=draw(_WORDS), e05=draw(_DATE))
        if head == "BEG"
        else segment("BCH", e01="04", e02="SA", e03=draw(_WORDS), e06=draw(_DATE), e11=draw(_DATE))
    )
    heading: list[Segment | Loop] = [begin, segment("CUR", e01="BY", e02="USD")]
    heading += [segment("REF", e01="IA", e02=draw(_WORDS)) for _ in range(draw(st.integers(0, 2)))]
    for _ in range(draw(st.integers(0, 2))):
        notes = [segment(name, **fields) for name, fields in carrier.items()]
        heading.append(Loop("N9", (segment("N9", e01="L1", e02="NOTES"), *notes)))
    for role in draw(st.lists(st.sampled_from(["ST", "SU", "BY"]), max_size=3)):
        place = [segment("N3", e01=draw(_WORDS)), segment("N4", e01=draw(_WORDS), e03="48083")]
        heading.append(Loop("N1", (segment("N1", e01=role, e02=draw(_WORDS)), *place[: draw(st.integers(0, 2))])))
    detail: list[Loop] = []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        quantity: dict[str, Value | None] = {"e02": draw(_QUANTITY), "e03": "EA", "e04": draw(_QUANTITY)}
        if line == "POC":
            quantity = {"e02": "QI", "e03": draw(_QUANTITY), "e05": Composite(("EA",)), "e06": draw(_QUANTITY)}
        children: list[Segment | Loop] = [segment(line, e01=str(number), **quantity)]
        if draw(st.booleans()):
            children.append(Loop("PID", (segment("PID", e01="F", e05=draw(_WORDS)),)))
        children += [
            Loop("SCH", (segment("SCH", e01=draw(_QUANTITY), e02="EA", e05="002", e06=draw(_DATE)),))
            for _ in range(draw(st.integers(0, 3)))
        ]
        detail.append(Loop(line, tuple(children)))
    summary = (Loop("CTT", (segment("CTT", e01=Decimal(len(detail))),)),)
    return Transaction(set_id, release, tuple(heading), tuple(detail), summary)


_RELEASES = ("003040", "004010", "005010")


@given(data=st.data(), set_id=st.sampled_from(["850", "860"]), release=st.sampled_from(_RELEASES))
def test_what_is_rendered_reads_back_as_the_same_tree(data: st.DataObject, set_id: str, release: str) -> None:
    transaction = data.draw(_orders(set_id, release))
    (read,) = parse(render(transaction, _ENVELOPE)).transactions()
    assert read.transaction == transaction


def _documents() -> list[Prepared]:
    made = [must_send(ORDERS[name], partner(release=r)) for name in ("two-lines", "three-releases") for r in _RELEASES]
    made += [must_send(after, partner(), has=before, sequence=1) for before, after in CHANGES.values()]
    invoices = [prepare_invoice(invoice, partner()) for invoice in INVOICES.values()]
    return made + [prepared for prepared in invoices if isinstance(prepared, Prepared)]


def test_every_kind_of_document_reads_back_as_the_same_tree() -> None:
    for prepared in _documents():
        text = render(prepared.transaction, _ENVELOPE)
        (read,) = parse(text).transactions()
        assert read.transaction == prepared.transaction, text


def test_an_independent_reader_finds_the_envelope_in_order() -> None:
    for prepared in _documents():
        if prepared.transaction.release == "003040":
            continue  # the independent reader knows 00401 and 00501 only
        reader = X12Reader(io.StringIO(render(prepared.transaction, _ENVELOPE)))
        for _ in reader:
            pass
        reader.cleanup()
        assert reader.pop_errors() == []


def test_the_counts_and_ids_of_an_envelope_are_what_a_partner_expects() -> None:
    text = render(must_send(ORDERS["one-line"], partner()).transaction, _ENVELOPE)
    assert text.startswith("ISA*00*          *00*          *ZZ*PLEXUS         *01*123456789      *261105*0905*U*00401*")
    assert "GS*PO*PLEXUS*ACME*20261105*0905*4*X*004010~" in text
    assert text.count("~") - 4 == int(text.split("SE*")[1].split("*")[0])
    assert text.endswith("GE*1*4~\nIEA*1*000000017~\n")


def test_dates_before_4010_have_six_digits() -> None:
    text = render(must_send(ORDERS["one-line"], partner(release="003040")).transaction, _ENVELOPE)
    assert "BEG*00*SA*PO-1001**261102~" in text


def test_a_value_with_a_delimiter_cannot_break_the_interchange() -> None:
    broken = Transaction("850", "004010", (segment("BEG", e03="PO~1"),))
    with pytest.raises(UnwritableError, match="BEG03"):
        render(broken, _ENVELOPE)


_ANSWER = (
    "ISA*00*          *00*          *ZZ*ACME           *ZZ*PLEXUS         *261106*0801*U*00401*000000009*0*T*>~"
    "GS*PR*ACME*PLEXUS*20261106*0801*9*X*004010~ST*855*0001~BAK*00*AD*PO-1001*20261102****SO9*20261106~"
    "PO1*10*100*EA*4.25**BP*82695~ACK*IA*100*EA*068*20261118~DTM*067*20261120~CTT*1~SE*7*0001~GE*1*9~IEA*1*000000009~"
)


def test_an_acknowledgment_is_read_into_the_loops_it_belongs_to() -> None:
    interchange = parse(_ANSWER)
    assert interchange.groups[0].functional_id == "PR"
    assert interchange.groups[0].control_number == 9
    (answer,) = interchange.transactions()
    (line,) = answer.transaction.detail
    assert isinstance(line, Loop)
    (ack,) = line.loops("ACK")
    assert ack.head.get(2) == Decimal(100)
    assert ack.head.get(5) == date(2026, 11, 18)
    assert [s.text(1) for s in ack.segments("DTM")] == ["067"]


def test_a_functional_acknowledgment_keeps_its_errors_with_their_segment() -> None:
    text = _ANSWER.split("ST*")[0].replace("GS*PR", "GS*FA") + (
        "ST*997*0001~AK1*PO*4~AK2*850*0001~AK3*PO1*8**8~AK4*2>1*355*7*XX~AK5*R*5~AK9*R*1*1*0~SE*8*0001~"
        "GE*1*9~IEA*1*000000009~"
    )
    (ack,) = parse(text).transactions()
    loop = next(node for node in ack.transaction.heading if isinstance(node, Loop))
    (note,) = loop.loops("AK3")
    (element,) = note.segments("AK4")
    assert element.get(1) == Composite((Decimal(2), Decimal(1)))
    assert [s.text(1) for s in loop.segments("AK5")] == ["R"]


def test_letters_in_a_quantity_stay_visible_for_the_reader() -> None:
    (read,) = parse(_ANSWER.replace("PO1*10*100*", "PO1*10*1OO*")).transactions()
    (line,) = read.transaction.detail
    assert isinstance(line, Loop)
    assert line.head.get(2) == "1OO"


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [("SE*7*", "SE*8*", "SE01"), ("GE*1*9", "GE*2*9", "GE01"), ("IEA*1*000000009", "IEA*1*000000008", "IEA02")],
)
def test_a_cut_or_altered_interchange_is_refused_with_the_place(old: str, new: str, where: str) -> None:
    with pytest.raises(BrokenX12Error, match=where):
        parse(_ANSWER.replace(old, new))


@pytest.mark.parametrize("text", ["", "hello", _ANSWER[:200], _ANSWER + _ANSWER, _ANSWER.replace("IEA", "XXX")])
def test_what_is_no_interchange_is_refused(text: str) -> None:
    with pytest.raises(BrokenX12Error):
        parse(text)


def test_an_unknown_set_is_read_flat() -> None:
    text = _ANSWER.replace("ST*855", "ST*824").replace("GS*PR", "GS*AG")
    (read,) = parse(text).transactions()
    assert [node.id for node in read.transaction.heading][:2] == ["BAK", "PO1"]
