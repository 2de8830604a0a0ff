"""Parse the 997: whether the supplier's system accepted a group that we sent (RULES.md Reading 16).

It concerns syntax only, not the order. It is matched by our group and set control numbers (GS06, ST02).
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from plexstedi.edi.inbound.reading.acknowledgment import Malformed
from plexstedi.edi.inbound.reading.element_values import read_text
from plexstedi.edi.model import Frozen
from plexstedi.edi.plain_values import plain_whole
from plexstedi.edi.reasons import Reason
from plexstedi.edi.x12.transaction import Composite, Loop, Segment, Transaction, Value

_SEGMENT_ERRORS = {
    "1": "unknown segment",
    "2": "unexpected segment",
    "3": "required segment is missing",
    "4": "loop occurs too often",
    "5": "segment occurs too often",
    "6": "segment does not belong to this set",
    "7": "segment is out of order",
    "8": "segment has element errors",
}
"""Texts for AK304 (X12 element 720)."""

_ELEMENT_ERRORS = {
    "1": "required element is missing",
    "2": "element is required by another one",
    "3": "too many elements",
    "4": "too short",
    "5": "too long",
    "6": "invalid character",
    "7": "invalid code",
    "8": "invalid date",
    "9": "invalid time",
    "10": "excluded by another element",
}
"""Texts for AK403 (X12 element 723)."""

_SET_ERRORS = {
    "1": "transaction set is not supported",
    "2": "transaction set trailer is missing",
    "3": "control numbers of header and trailer differ",
    "4": "number of segments is wrong",
    "5": "segments have errors",
    "6": "transaction set identifier is missing or invalid",
    "7": "transaction set control number is missing or invalid",
    "23": "control number is not unique in the group",
}
"""Texts for AK502 to AK506 (X12 element 718)."""

_GROUP_ERRORS = {
    "1": "functional group is not supported",
    "2": "version of the functional group is not supported",
    "3": "functional group trailer is missing",
    "4": "group control numbers of header and trailer differ",
    "5": "number of transaction sets is wrong",
    "6": "group control number is invalid",
}
"""Texts for AK905 to AK909 (X12 element 716)."""

_ACCEPTED = "A"
_ACCEPTED_WITH_ERRORS = "E"
_PARTIAL = "P"
_READ = (_ACCEPTED, _ACCEPTED_WITH_ERRORS)


class SetResponse(Frozen, frozen=True, kw_only=True):
    """One AK2 loop: result for one transaction set of ours."""

    set_id: str
    """AK201: `850`."""
    control: int | None
    """AK202, our ST02 as an integer; None if it is not a number."""
    code: str
    """AK501 (X12 element 717)."""
    errors: tuple[str, ...] = ()
    """Texts of AK3, AK4 and AK502 to AK506."""


class FunctionalAck(Frozen, frozen=True, kw_only=True):
    """A parsed 997."""

    functional_id: str
    """AK101: PO for 850, PC for 860, IN for 810."""
    group_control: int
    """AK102, our GS06 as an integer."""
    code: str
    """AK901 (X12 element 715)."""
    sets: tuple[SetResponse, ...] = ()
    errors: tuple[str, ...] = ()
    """Texts of AK905 to AK909."""


class SyntaxAccepted(Struct, frozen=True):
    """The supplier's system accepted the document."""


class AcceptedWithErrors(Struct, frozen=True):
    """Accepted, but the errors need attention."""

    errors: tuple[str, ...]


class SyntaxRejected(Struct, frozen=True):
    """Rejected: the document needs review."""

    errors: tuple[str, ...]


class NotMentioned(Struct, frozen=True):
    """This 997 does not refer to the document."""


Verdict: TypeAlias = SyntaxAccepted | AcceptedWithErrors | SyntaxRejected | NotMentioned


def read_997(tx: Transaction) -> FunctionalAck | Malformed:
    """Parse a 997. Malformed without a group of ours (AK1) or a result for it (AK9)."""
    segments = list(tx.walk())
    group = next((s for s in segments if s.id == "AK1"), None)
    if tx.set_id != "997" or group is None:
        return _malformed("AK1", "the segment is missing")
    control = _control(group.get(2))
    if control is None:
        return _malformed("AK102", "the group control number is missing or not a number")
    end = next((s for s in segments if s.id == "AK9"), None)
    code = read_text(end.get(1)) if end is not None else None
    if end is None or code is None:
        return _malformed("AK901", "the result for the group is missing")
    return FunctionalAck(
        functional_id=read_text(group.get(1)) or "",
        group_control=control,
        code=code.upper(),
        sets=tuple(_sets(tx, segments)),
        errors=_codes(end, range(5, 10), _GROUP_ERRORS),
    )


def _malformed(element: str, message: str) -> Malformed:
    fix = "ask the supplier for a corrected functional acknowledgment"
    return Malformed((Reason(code="malformed", where=element, message=message, fix=fix),))


def _control(value: Value | None) -> int | None:
    text = read_text(value)
    return None if text is None else plain_whole(text)


def _sets(tx: Transaction, segments: list[Segment]) -> list[SetResponse]:
    """AK2 to AK5, in the order of the document."""
    loops = [node for node in (*tx.heading, *tx.detail) if isinstance(node, Loop) and node.id == "AK2"]
    if loops:
        return [_of_loop(loop) for loop in loops]
    found: list[SetResponse] = []
    head: Segment | None = None
    errors: list[str] = []
    for segment in segments:
        if segment.id == "AK2":
            if head is not None:
                found.append(_set(head, None, errors))
            head, errors = segment, []
        elif segment.id == "AK3":
            errors.append(_segment_error(segment))
        elif segment.id == "AK4":
            errors.append(_element_error(segment))
        elif segment.id == "AK5" and head is not None:
            found.append(_set(head, segment, errors))
            head = None
    if head is not None:
        found.append(_set(head, None, errors))
    return found


def _of_loop(loop: Loop) -> SetResponse:
    """One AK2 loop; Guide JSON does not keep the order of its segments."""
    inside = list(loop.walk())
    errors = [
        _segment_error(each) if each.id == "AK3" else _element_error(each)
        for each in inside
        if each.id in ("AK3", "AK4")
    ]
    return _set(loop.head, next((each for each in inside if each.id == "AK5"), None), errors)


def _set(head: Segment, end: Segment | None, errors: list[str]) -> SetResponse:
    return SetResponse(
        set_id=read_text(head.get(1)) or "",
        control=_control(head.get(2)),
        code=((read_text(end.get(1)) if end is not None else None) or "").upper(),
        errors=(*errors, *(_codes(end, range(2, 7), _SET_ERRORS) if end is not None else ())),
    )


def _codes(segment: Segment, positions: range, words: dict[str, str]) -> tuple[str, ...]:
    codes = [code for code in (read_text(segment.get(position)) for position in positions) if code is not None]
    return tuple(_words(code, words) for code in codes)


def _words(code: str, words: dict[str, str]) -> str:
    return words.get(code.lstrip("0") or "0", f"error {code}")


def _segment_error(ak3: Segment) -> str:
    where = f"segment {read_text(ak3.get(1)) or '?'} at position {read_text(ak3.get(2)) or '?'}"
    loop = read_text(ak3.get(3))
    code = read_text(ak3.get(4))
    return f"{where}{f' (loop {loop})' if loop else ''}: {_words(code, _SEGMENT_ERRORS) if code else 'has errors'}"


def _element_error(ak4: Segment) -> str:
    place = ak4.get(1)
    if isinstance(place, Composite):
        position = "-".join(text for text in (read_text(part) for part in place.components) if text)
    else:
        position = read_text(place) or "?"
    code, bad = read_text(ak4.get(3)), read_text(ak4.get(4))
    return f"element {position}: {_words(code, _ELEMENT_ERRORS) if code else 'has an error'}" + (
        f", it was '{bad}'" if bad else ""
    )


def verdict(fa: FunctionalAck, group_control: int | str, set_control: int | str) -> Verdict:
    """Result of a 997 for our document with this GS06 and ST02; control numbers are compared as integers.

    Without an AK2 for it AK9 decides, unless the group was partly accepted: then an unlisted set is not mentioned. A
    rejected group rejects all of its sets.
    """
    if fa.group_control != int(group_control):
        return NotMentioned()
    own = next((s for s in fa.sets if s.control == int(set_control)), None)
    if own is not None and not own.code:
        # An AK2 without AK5 has no result of its own, so the result of the group applies.
        code = _ACCEPTED_WITH_ERRORS if fa.code == _ACCEPTED and own.errors else fa.code
        return _judge(code, (*own.errors, *fa.errors))
    if own is not None and (own.code not in _READ or fa.code in (*_READ, _PARTIAL)):
        return _judge(own.code, own.errors)
    if fa.sets and fa.code == _PARTIAL:
        return NotMentioned()
    return _judge(fa.code, fa.errors)


def _judge(code: str, errors: tuple[str, ...]) -> Verdict:
    if code == _ACCEPTED:
        return SyntaxAccepted()
    if code == _ACCEPTED_WITH_ERRORS:
        return AcceptedWithErrors(errors or ("accepted with errors, without details",))
    if code == _PARTIAL:
        return SyntaxRejected((*errors, "the group was accepted in part, without naming the sets"))
    return SyntaxRejected(errors or (f"rejected ({code or 'no code'}), without details",))
