"""Raw X12 is read as it is handed out and as suppliers write it: the same segments, or refused with the reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexstedi.edi.inbound.reading.guide_reading import UnreadableDocument
from plexstedi.edi.inbound.reading.inbound_sets import set_of_x12
from plexstedi.edi.inbound.reading.interchange_ack import ta1_of_x12
from plexstedi.edi.inbound.reading.set_choice import WantedSet, choose_set
from plexstedi.edi.x12.raw import BrokenX12Error, bare_segments, decoded
from plexstedi.edi.x12.text import parse, parse_bare, parse_file
from plexstedi.edi.x12.transaction import Composite, Loop, Transaction, segment
from plexstedi.edi.x12.writing import Envelope, render

_DELIMITERS = ("*~>^", "|'<^", "^\x15:!", "~}\\+", "+/:^", "*\n>^", "|\r:^", "\x1d\x1c\x1f\x1e", "\t~>^")
"""Element, segment, component and repetition separator, as files out there have them."""


def _envelope(delimiters: str = "*~>^", interchange: int = 9, group: int = 9, control: str = "0001") -> Envelope:
    return Envelope(
        sender_qualifier="ZZ",
        sender_id="ACME",
        receiver_qualifier="ZZ",
        receiver_id="PLEXUS",
        sender_application="ACME",
        receiver_application="PLEXUS",
        date=date(2026, 11, 6),
        time=time(8, 1),
        usage="T",
        interchange_control=interchange,
        group_control=group,
        transaction_control=control,
        delimiters=delimiters,
    )


def _acknowledgment(
    number: str = "PO-1001", name: str = "ACME", quantities: Sequence[Decimal] = (Decimal(100),)
) -> Transaction:
    lines = tuple(
        Loop(
            "POC",
            (
                segment("POC", e01=str(line), e02="CA", e03=quantity, e05=Composite(("EA", Decimal(1)))),
                Loop("ACK", (segment("ACK", e01="IA", e02=quantity, e03="EA", e04="068", e05=date(2026, 11, 18)),)),
            ),
        )
        for line, quantity in enumerate(quantities, start=1)
    )
    heading = (
        segment("BCA", e01="00", e02="AC", e03=number, e06=date(2026, 11, 2)),
        Loop("N1", (segment("N1", e01="SU", e02=name),)),
    )
    return Transaction("865", "004010", heading, lines, (Loop("CTT", (segment("CTT", e01=Decimal(len(lines))),)),))


def _bare(text: str) -> str:
    """ST to SE of a rendered interchange."""
    opening = re.search(r"ST.[0-9]{3}.", text)
    closing = re.search(r"GE.1.", text)
    assert opening is not None
    assert closing is not None
    return text[opening.start() : closing.start()]


@st.composite
def _transactions(draw: st.DrawFn) -> Transaction:
    words = st.text("ABCXYZabc019 .,-()&ÄÖü", min_size=1, max_size=20).map(str.strip).filter(bool)
    quantities = st.lists(st.decimals(min_value=Decimal("0.001"), max_value=10**9, places=3), min_size=1, max_size=3)
    return _acknowledgment(draw(words), draw(words), draw(quantities))


@st.composite
def _noisy(draw: st.DrawFn, text: str, terminator: str) -> str:
    """The same segments with what suppliers' programs leave around them."""
    between = draw(st.sampled_from(["", "\r\n", "\n", "\n   ", "  ", "\r\n\t", "\n\n"]))
    rows = [row.strip("\n") for row in text.split(terminator)]
    last = draw(st.sampled_from([terminator, "", terminator + "\r\n", terminator + "\n\n"]))
    end = draw(st.sampled_from(["", "\x1a", "\r\n\x1a", "\0\0\0", "\n \x1a\0"]))
    start = draw(st.sampled_from(["", "\ufeff", "\n", "  \r\n"]))
    return start + (terminator + between).join(row for row in rows if row) + last + end


@given(data=st.data(), transaction=_transactions(), delimiters=st.sampled_from(_DELIMITERS))
def test_an_interchange_with_noise_around_it_has_the_same_segments(
    data: st.DataObject, transaction: Transaction, delimiters: str
) -> None:
    text = data.draw(_noisy(render(transaction, _envelope(delimiters)), delimiters[1]))
    (read,) = parse(text).transactions()
    assert read.transaction == transaction


@given(data=st.data(), transaction=_transactions(), delimiters=st.sampled_from(_DELIMITERS))
def test_st_to_se_without_envelope_has_the_same_segments(
    data: st.DataObject, transaction: Transaction, delimiters: str
) -> None:
    text = data.draw(_noisy(_bare(render(transaction, _envelope(delimiters))), delimiters[1]))
    (read,) = parse_bare(text, "004010")
    assert read.transaction == transaction
    assert choose_set(text, WantedSet(set_id="865")) == transaction


@given(transaction=_transactions(), encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252"]))
def test_a_file_is_read_in_either_encoding_that_stedi_takes(transaction: Transaction, encoding: str) -> None:
    (read,) = parse(decoded(render(transaction, _envelope()).encode(encoding))).transactions()
    assert read.transaction == transaction


def test_a_byte_that_is_a_character_in_neither_encoding_stays_visible() -> None:
    assert decoded(b"BAK*00*AD*PO\x81~") == "BAK*00*AD*PO\ufffd~"


_TEXT = render(_acknowledgment(), _envelope())
_OTHER = render(_acknowledgment("PO-1002"), _envelope("|'<^", interchange=10, control="0002"))


def test_several_interchanges_of_one_file_are_read_each_with_its_own_delimiters() -> None:
    first, second = parse_file(f"{_TEXT}\r\n{_OTHER}")
    assert (first.control_number, second.control_number) == (9, 10)
    assert (first.delimiters[:3], second.delimiters[:3]) == ("*~>", "|'<")
    with pytest.raises(BrokenX12Error, match="2 interchanges"):
        parse(_TEXT + _OTHER)


_BREAKS: dict[str, Callable[[str], str]] = {
    "SE01 says 9": lambda text: text.replace("SE*7*", "SE*9*"),
    "SE02 says '0002'": lambda text: text.replace("SE*7*0001", "SE*7*0002"),
    "GE01 says 2": lambda text: text.replace("GE*1*", "GE*2*"),
    "GE02 says 8": lambda text: text.replace("GE*1*9", "GE*1*8"),
    "IEA01 says 2": lambda text: text.replace("IEA*1", "IEA*2"),
    "IEA02 says 8": lambda text: text.replace("IEA*1*000000009", "IEA*1*000000008"),
    "ISA without IEA": lambda text: text[: text.index("IEA")],
    "GS without GE": lambda text: text.replace("GE*1*9~", ""),
    "ST 0001 without SE": lambda text: text.replace("SE*7*0001~", ""),
    "a second ISA": lambda text: text[: text.index("IEA")] + text,
    "ISA is not of fixed length": lambda text: text.replace("ACME   ", "ACME  ").replace("*PLEXUS ", "*PLEXUS  ", 1),
    "the segment terminator after ISA would be 'G'": lambda text: text.replace("*>~\n", "*>"),
    "not a segment id": lambda text: text.replace("N1*SU*ACME", "N1*SU*AC~me"),
    "does not begin with an ISA": lambda text: text + "and so on",
    "is empty": lambda text: " \x1a\0",
}


@pytest.mark.parametrize("reason", _BREAKS)
def test_what_contradicts_itself_is_refused_and_one_broken_interchange_refuses_the_file(reason: str) -> None:
    broken = _BREAKS[reason](_TEXT)
    assert broken != _TEXT
    with pytest.raises(BrokenX12Error, match=re.escape(reason)):
        parse_file(broken)
    if reason != "is empty":
        with pytest.raises(BrokenX12Error, match=re.escape(reason)):
            parse_file(_OTHER + broken)


def test_control_numbers_agree_whatever_zeros_stand_before_them() -> None:
    (read,) = parse(_TEXT.replace("SE*7*0001", "SE*7*1")).transactions()
    assert read.control_number == "0001"


def test_an_element_of_blanks_is_an_empty_one() -> None:
    read = parse(_TEXT.replace("ACK*IA*100*EA*068*20261118", "ACK*IA*100*EA*   *    *  ")).transactions()[0]
    (ack,) = [each for each in read.transaction.walk() if each.id == "ACK"]
    assert ack == segment("ACK", e01="IA", e02=Decimal(100), e03="EA")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("ST*997*0001~AK1*PO*4~SE*3*0001~", 3),
        ("ST|997|0001|005010X231\nAK1|PO|4\nSE|3|0001\n", 3),
        ("\ufeff  ST*997*0001 \r\n  AK1*PO*4\r\n\r\nSE*3*0001", 3),
        ("ST*997*0001…AK1*PO*4…SE*3*0001", 3),
        ("TA1*000000017*261106*0801*A*000", 1),
        ("TA1*000000017*261106*0801*A*000~\r\n\x1a", 1),
    ],
)
def test_the_delimiters_of_a_part_are_recognized_by_how_it_begins(text: str, rows: int) -> None:
    assert len(bare_segments(text)) == rows


@pytest.mark.parametrize("text", ["", "ST", "ST*", "ST*85*0001~", "STA*997*0001~", "BAK*00*AD~", "ST 997 0001\n"])
def test_what_begins_with_neither_is_refused(text: str) -> None:
    with pytest.raises(BrokenX12Error):
        bare_segments(text)


@pytest.mark.parametrize("broken", ["SE*8*0001", "SE*7*0002", "", "SE*7"])
def test_a_part_that_is_cut_or_altered_is_refused(broken: str) -> None:
    text = _bare(_TEXT).replace("SE*7*0001~", broken)
    assert isinstance(choose_set(text, WantedSet(set_id="865")), UnreadableDocument)


@pytest.mark.parametrize("component", [">", ":", "<", "|", "\\", "\x1f", "@"])
def test_the_separator_inside_a_composite_is_recognized_by_the_first_one(component: str) -> None:
    text = _bare(render(_acknowledgment(quantities=[Decimal(5), Decimal("2.5")]), _envelope(f"*~{component}^")))
    (read,) = parse_bare(text, "004010")
    units = [each.get(5) for each in read.transaction.walk() if each.id == "POC"]
    assert units == [Composite(("EA", Decimal(1)))] * 2


# One set of a whole file.

_SETS = {
    (interchange, group, control): _acknowledgment(f"PO-{interchange}{group}{control}")
    for interchange, group, control in [(1, 4, 1), (1, 4, 2), (1, 5, 1), (2, 4, 1)]
}


def _file() -> str:
    """Two interchanges; the first has two groups, and the first of those two sets."""
    parts = {numbers: _bare(render(each, _envelope(control=f"{numbers[2]:04}"))) for numbers, each in _SETS.items()}
    opening = render(_acknowledgment(), _envelope(interchange=1))
    isa, gs = opening.split("\n")[:2]
    first = (
        f"{isa}{gs.replace('*9*X', '*4*X')}{parts[1, 4, 1]}{parts[1, 4, 2]}GE*2*4~"
        f"{gs.replace('*9*X', '*5*X')}{parts[1, 5, 1]}GE*1*5~IEA*2*000000001~"
    )
    return first + render(_SETS[2, 4, 1], _envelope(interchange=2, group=4))


@pytest.mark.parametrize("numbers", list(_SETS))
def test_a_set_is_picked_from_the_whole_file_by_its_control_numbers(numbers: tuple[int, int, int]) -> None:
    interchange, group, control = numbers
    wanted = WantedSet(set_id="865", interchange_control=interchange, group_control=group, set_control=control)
    assert choose_set(_file(), wanted) == _SETS[numbers]


@pytest.mark.parametrize(
    "wanted",
    [
        WantedSet(set_id="865"),
        WantedSet(set_id="865", interchange_control=1, group_control=4),
        WantedSet(set_id="865", group_control=4, set_control=1),
        WantedSet(set_id="865", interchange_control=3, group_control=4, set_control=1),
        WantedSet(set_id="855", interchange_control=1, group_control=4, set_control=1),
    ],
)
def test_where_it_is_not_clear_which_set_is_meant_none_is_taken(wanted: WantedSet) -> None:
    assert isinstance(choose_set(_file(), wanted), UnreadableDocument)


def test_the_same_set_twice_in_one_file_is_one() -> None:
    wanted = WantedSet(set_id="865", interchange_control=9, group_control=9, set_control=1)
    assert choose_set(_TEXT + _TEXT, wanted) == _acknowledgment()
    assert choose_set(_TEXT, WantedSet(set_id="865", set_control=77)) == _acknowledgment()  # the only one there


# TA1, and which set a text is.

_TA1 = "TA1*000000017*261106*0801*R*009~"
_WITH_TA1 = _TEXT.replace("~\nGS", f"~\n  {_TA1}\n  GS")
_ONLY_TA1 = _TEXT[: _TEXT.index("GS*")] + f"{_TA1}\n{_TA1.replace('17', '18')}\nIEA*0*000000009"


@pytest.mark.parametrize(
    ("text", "controls"),
    [
        (_WITH_TA1, [17]),
        ("\ufeff\r\n" + _ONLY_TA1 + "\x1a", [17, 18]),
        (_ONLY_TA1 + "~\n" + _WITH_TA1, [17, 18, 17]),
        (_TA1, [17]),
        (_TA1.replace("*", "|").replace("~", "\r\n\0"), [17]),
        (_TEXT, []),
        ("no X12", []),
    ],
)
def test_every_ta1_of_a_file_is_found(text: str, controls: list[int]) -> None:
    assert [ack.interchange_control for ack in ta1_of_x12(text)] == controls


def test_a_set_beside_a_ta1_is_read_as_without_it() -> None:
    assert [each.transaction for each in parse(_WITH_TA1).transactions()] == [_acknowledgment()]


@pytest.mark.parametrize(
    ("text", "set_id"),
    [
        (_TEXT, "865"),
        ("\ufeff  " + _TEXT, "865"),
        (_bare(_TEXT), "865"),
        (_ONLY_TA1, "TA1"),
        (_TA1, "TA1"),
        (_TEXT + _OTHER, "865"),
        (_WITH_TA1, None),  # two kinds: which of them is not told
        ("GS*FA*A*B", None),
        ("", None),
    ],
)
def test_a_text_tells_its_set(text: str, set_id: str | None) -> None:
    assert set_of_x12(text) == set_id
