"""Order of segments and loops in the supported sets, by the X12 base standard.

Notation: `REF` may repeat, `CUR.` may not; `N1(N3 N4.)` is a loop that opens with N1. Repetition determines array or
object in Guide JSON without a guide (stedi/README.md 8); the content of a loop determines where a raw segment belongs.
Base maxima: edi/X12.md 3.1 and X12's set tables.
"""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from typing import Literal, get_args

from msgspec import Struct

Section = Literal["heading", "detail", "summary"]
SECTIONS: tuple[Section, ...] = get_args(Section)


class SetEntry(Struct, frozen=True, dict=True):
    """One entry of a set: a segment, or a loop with its entries (without the opening segment)."""

    id: str
    loop: bool
    repeats: bool
    entries: tuple[SetEntry, ...] = ()

    def find(self, segment_id: str) -> SetEntry | None:
        """The direct entry with this segment id, None if absent."""
        return self._by_id.get(segment_id)

    @cached_property
    def _by_id(self) -> dict[str, SetEntry]:
        # Of several entries with one id the first is meant.
        return {entry.id: entry for entry in reversed(self.entries)}


class SetDef(Struct, frozen=True):
    """A transaction set: entries of its three sections."""

    id: str
    heading: SetEntry
    detail: SetEntry
    summary: SetEntry

    def section(self, section: Section) -> SetEntry:
        """Entries of one section, as a loop without opening segment."""
        return {"heading": self.heading, "detail": self.detail, "summary": self.summary}[section]


def _party(n4: str) -> str:
    return f"N1(N2 N3 {n4} NX2 REF PER SI FOB. TD1 TD5 TD3 TD4 PKG MSG)"


def _order_heading(begin: str, note: str, itd: str = "ITD", tail: str = "", n4: str = "N4") -> str:
    return (
        f"ST. {begin}. CUR. REF PER TAX FOB CTP PAM CSH TC2 SAC(CUR.) {itd} DIS INC. DTM LDT LIN SI PID MEA PWK PKG "
        f"TD1 TD5 TD3 TD4 MAN PCT CTB TXI G53 AMT(REF DTM. PCT FA1(FA2)) N9(DTM {note} PWK EFI) {_party(n4)} "
        f"LM(LQ) ADV(DTM MTX) {tail}"
    )


def _line(head: str, note: str, acknowledged: bool) -> str:
    ack = "ACK(DTM.) " if acknowledged else ""
    return (
        f"{head}(LIN SI CUR. CN1. PO3 CTP(CUR.) PAM MEA PID(MEA) PWK PO4 REF PER SAC(CUR. CTP.) IT8. CSH ITD DIS INC. "
        f"TAX FOB SDQ IT3 DTM TC2 TD1 TD5 TD3 TD4 {ack}PCT MAN {note} SPI TXI CTB QTY(SI) SCH(TD1 TD5 TD3 TD4 REF) "
        f"PKG(MEA) LDT N9(DTM MEA {note} PWK EFI) N1(N2 N3 N4. QTY NX2 REF PER SI DTM. FOB. SCH TD1 TD5 TD3 TD4 PKG) "
        f"SLN({note} SI PID PO3 MEA TC2 ADV DTM CTP PAM PO4. TAX ACK N9(DTM {note}) SAC(CUR. CTP.) QTY(SI) "
        "N1(N2 N3 N4. NX2 REF PER SI)) AMT(REF PCT) LM(LQ))"
    )


def _sections(set_id: str, release: str) -> tuple[str, str, str] | None:
    note = "MTX" if release >= "005010" else "MSG"
    match set_id:
        case "850":
            return _order_heading("BEG", note), _line("PO1", note, False), "CTT(AMT.) SE."
        case "855":
            heading = _order_heading("BAK", note, n4="N4.")
            return heading, _line("PO1", note, True), "CTT(AMT.) SE."
        case "860":
            return _order_heading("BCH", note), _line("POC", note, False), "CTT(AMT) SE."
        case "865":
            return _order_heading("BCA", note, n4="N4."), _line("POC", note, True), "CTT(AMT) SE."
        case "810":
            heading = (
                "ST. BIG. NTE CUR. REF YNQ PER N1(N2 N3 N4. REF PER DMG.) ITD DTM FOB. PID MEA PWK PKG L7. BAL INC. "
                f"PAM LM(LQ) N9.({note})"
            )
            detail = (
                "IT1(CRC. QTY CUR. IT3 TXI CTP PAM MEA PID(MEA) PWK PKG PO4. ITD REF YNQ PER SDQ DTM CAD L7 SR. "
                "SAC(TXI) SLN(DTM. REF PID SAC TC2 TXI) N1(N2 N3 N4. REF PER DMG.))"
            )
            return heading, detail, "TDS. TXI CAD. AMT SAC(TXI) ISS(PID.) CTT. SE."
        case "997":
            return "ST. AK1. AK2(AK3(AK4) AK5.) AK9. SE.", "", ""
        case _:
            return None


_TOKEN = re.compile(r"([A-Z][A-Z0-9]{1,2})(\.?)(\(?)|(\))")


def _entries(text: str) -> tuple[SetEntry, ...]:
    stack: list[tuple[str, bool, list[SetEntry]]] = [("", False, [])]
    for found in _TOKEN.finditer(text):
        name, single, opens, closes = found.groups()
        if closes:
            loop_id, repeats, inner = stack.pop()
            stack[-1][2].append(SetEntry(loop_id, loop=True, repeats=repeats, entries=tuple(inner)))
        elif opens:
            stack.append((name, not single, []))
        else:
            stack[-1][2].append(SetEntry(name, loop=False, repeats=not single))
    return tuple(stack[0][2])


@lru_cache(maxsize=64)
def set_def(set_id: str, release: str) -> SetDef | None:
    """Structure of a set in a release (six digits); None for an unsupported set."""
    sections = _sections(set_id, release)
    if sections is None:
        return None
    heading, detail, summary = (SetEntry("", loop=True, repeats=False, entries=_entries(text)) for text in sections)
    return SetDef(set_id, heading, detail, summary)
