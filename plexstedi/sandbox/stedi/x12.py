"""The sandbox's own X12 envelope code: writes correct counts, and checks every count when reading."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from plexstedi.sandbox.stedi.guide_names import FUNCTIONAL_GROUPS

Segment = tuple[str, ...]
"""The segment id, followed by its elements as text."""


class X12Error(ValueError):
    """The text is not X12, its envelope is inconsistent, or it cannot be translated."""


class Delimiters(Struct, frozen=True):
    element: str = "*"
    component: str = ">"
    repetition: str = "^"
    segment: str = "~"

    def all(self) -> str:
        return self.element + self.component + self.repetition + self.segment


class Party(Struct, frozen=True):
    """Sender or receiver of an interchange: ISA qualifier and id, GS application code."""

    qualifier: str
    id: str
    application: str


class Envelope(Struct, frozen=True):
    """The data of ISA and GS."""

    sender: Party
    receiver: Party
    at: datetime
    interchange_number: int
    usage: str
    release: str
    acknowledgment_requested: str = "0"


class Group(Struct, frozen=True):
    """One functional group: its number, and its transaction sets (ST02 and body without ST and SE)."""

    number: int
    set_id: str
    sets: tuple[tuple[str, tuple[Segment, ...]], ...]


class Interchange(Struct, frozen=True):
    """One interchange."""

    envelope: Envelope
    groups: tuple[Group, ...]
    acknowledgments: tuple[Segment, ...] = ()
    """TA1 segments, before the first group."""


def write(interchange: Interchange, delimiters: Delimiters | None = None) -> str:
    """The whole file. Raise X12Error if a value contains a delimiter or a character that X12 does not allow."""
    marks = delimiters or Delimiters()
    for group in interchange.groups:
        for _, body in group.sets:
            for segment in body:
                _check_characters(segment, marks)
    return render(interchange, marks)


def _check_characters(segment: Segment, marks: Delimiters) -> None:
    forbidden = marks.all()
    for element in segment:
        for character in element:
            if character != COMPONENT and (character in forbidden or not " " <= character <= "~"):
                raise X12Error(f"{segment[0]} holds the character {character!r}, which this interchange cannot carry")


def delimiters_of(text: str) -> Delimiters:
    """The delimiters declared by a file's ISA."""
    repetition = text[82] if not text[82].isalnum() else "^"
    return Delimiters(text[3], text[104], repetition, text[105])


def render(interchange: Interchange, marks: Delimiters) -> str:
    """The whole file, without checking values."""
    envelope = interchange.envelope
    at = envelope.at
    repetition = marks.repetition if envelope.release >= "004020" else "U"
    isa = (
        "ISA", "00", " " * 10, "00", " " * 10,
        envelope.sender.qualifier, envelope.sender.id.ljust(15),
        envelope.receiver.qualifier, envelope.receiver.id.ljust(15),
        f"{at:%y%m%d}", f"{at:%H%M}", repetition, envelope.release[:5],
        f"{envelope.interchange_number:09}", envelope.acknowledgment_requested, envelope.usage, marks.component,
    )  # fmt: skip
    lines = [marks.element.join(isa), *(marks.element.join(each) for each in interchange.acknowledgments)]
    for group in interchange.groups:
        lines.append(
            marks.element.join(
                (
                    "GS", FUNCTIONAL_GROUPS.get(group.set_id, "XX"),
                    envelope.sender.application, envelope.receiver.application,
                    f"{at:%Y%m%d}", f"{at:%H%M%S}", str(group.number), "X", envelope.release,
                )
            )
        )  # fmt: skip
        for number, body in group.sets:
            lines.extend(_set_lines(group.set_id, number, body, marks))
        lines.append(marks.element.join(("GE", str(len(group.sets)), str(group.number))))
    lines.append(marks.element.join(("IEA", str(len(interchange.groups)), f"{envelope.interchange_number:09}")))
    return marks.segment.join(lines) + marks.segment


def render_set(set_id: str, number: str, body: tuple[Segment, ...], marks: Delimiters) -> str:
    """ST to SE, as Stedi returns one transaction of a file: without ISA, GS, GE and IEA."""
    return "".join(line + marks.segment for line in _set_lines(set_id, number, body, marks))


def _set_lines(set_id: str, number: str, body: tuple[Segment, ...], marks: Delimiters) -> list[str]:
    inner = [_write_segment(segment, marks) for segment in body]
    first, last = ("ST", set_id, number), ("SE", str(len(body) + 2), number)
    return [marks.element.join(first), *inner, marks.element.join(last)]


def _write_segment(segment: Segment, marks: Delimiters) -> str:
    elements = list(segment)
    while len(elements) > 1 and not elements[-1]:
        elements.pop()
    return marks.element.join(elements).replace(COMPONENT, marks.component)


COMPONENT = "\x1f"
"""Separates the components of a composite in a `Segment`, independent of the file's own separator."""


def read(text: str) -> Interchange:
    """Read one interchange, checking every count and control number. Raise X12Error."""
    try:
        return _read(text)
    except X12Error:
        raise
    except (IndexError, ValueError) as error:
        raise X12Error("the envelope is broken") from error


def _read(text: str) -> Interchange:
    if not text.startswith("ISA") or len(text) < 106:
        raise X12Error("the file does not begin with an ISA of 106 characters")
    element, segment_end = text[3], text[105]
    rows = [row.strip("\r\n").split(element) for row in text.split(segment_end) if row.strip("\r\n ")]
    isa = rows[0]
    if len(isa) != 17 or rows[-1][0] != "IEA":
        raise X12Error("the interchange has no whole ISA and IEA")
    component = isa[16]
    if rows[-1][2] != isa[13]:
        raise X12Error(f"IEA02 {rows[-1][2]} is not ISA13 {isa[13]}")
    groups: list[Group] = []
    release = ""
    sender_application = receiver_application = ""
    at: datetime | None = None
    position = 1
    while rows[position][0] == "TA1":
        position += 1
    acknowledgments = tuple(tuple(row) for row in rows[1:position])
    while rows[position][0] == "GS":
        gs = rows[position]
        release, sender_application, receiver_application = gs[8], gs[2], gs[3]
        at = _stamp(gs[4], gs[5])
        sets: list[tuple[str, tuple[Segment, ...]]] = []
        set_id = ""
        position += 1
        while rows[position][0] == "ST":
            end = next((at_row for at_row in range(position, len(rows)) if rows[at_row][0] == "SE"), None)
            if end is None:
                raise X12Error("a transaction set has no SE")
            if rows[end][1] != str(end - position + 1) or rows[end][2] != rows[position][2]:
                raise X12Error(f"SE of set {rows[position][2]} does not count {end - position + 1} segments")
            set_id = rows[position][1]
            body = tuple(tuple(_inside(item, component) for item in row) for row in rows[position + 1 : end])
            sets.append((rows[position][2], body))
            position = end + 1
        ge = rows[position]
        if ge[0] != "GE" or ge[1] != str(len(sets)) or int(ge[2]) != int(gs[6]):
            raise X12Error(f"GE of group {gs[6]} does not hold")
        groups.append(Group(int(gs[6]), set_id, tuple(sets)))
        position += 1
    if rows[position][0] != "IEA" or rows[position][1] != str(len(groups)) or not (groups or acknowledgments):
        raise X12Error("IEA01 does not count the groups")
    if at is None:
        at, release = _stamp(f"20{isa[9]}", isa[10]), isa[12] + "0"
    sender = Party(isa[5], isa[6].strip(), sender_application)
    receiver = Party(isa[7], isa[8].strip(), receiver_application)
    envelope = Envelope(sender, receiver, at, int(isa[13]), isa[15], release, isa[14])
    return Interchange(envelope, tuple(groups), acknowledgments)


_STRAY = " \t\r\n\0\x1a\ufeff"
"""Characters around segments and files that partners' programs add and Stedi ignores."""


def as_text(content: str | bytes) -> str:
    """Decode a partner's file: UTF-8, else Windows-1252."""
    if isinstance(content, str):
        return content
    for encoding in ("utf-8", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise X12Error("the file is neither UTF-8 nor Windows-1252")


def read_file(text: str) -> list[tuple[Interchange, Delimiters]]:
    """Each interchange of a partner's file with its delimiters. Raise X12Error."""
    found: list[tuple[Interchange, Delimiters]] = []
    rest = text.strip(_STRAY)
    while rest or not found:
        if not rest.startswith("ISA") or len(rest) < 106:
            raise X12Error("the file does not begin with an ISA of 106 characters")
        marks = delimiters_of(rest)
        kept = [rest[:105]]
        rest = rest[106:]
        while rest and not kept[-1].startswith("IEA"):
            row, _, rest = rest.partition(marks.segment)
            kept.append(row.lstrip(_STRAY).rstrip("\r\n\0\x1a"))
        found.append((read("".join(row + marks.segment for row in kept if row)), marks))
        rest = rest.lstrip(_STRAY)
    return found


def _inside(element: str, component: str) -> str:
    return element.replace(component, COMPONENT) if component in element else element


def _stamp(day: str, clock: str) -> datetime:
    try:
        return datetime.strptime(f"{day}{clock:0<6.6}+0000", "%Y%m%d%H%M%S%z")
    except ValueError as error:
        raise X12Error(f"GS04 {day} and GS05 {clock} are no time") from error
