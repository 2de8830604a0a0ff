"""Placement of notes: N9 with MSG or MTX, MSG or MTX alone, or NTE, split as needed (RULES.md Sending 6, 7)."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from plexstedi.edi.guide.capacity import Capacity, Placement
from plexstedi.edi.outbound.text import split_words
from plexstedi.edi.reasons import Reason
from plexstedi.edi.x12.limits import limit
from plexstedi.edi.x12.sets import Section
from plexstedi.edi.x12.transaction import Loop, Node, segment

_LABELS = ("L1", "ZZ", "TE", "AH")
"""N901 codes that only announce free text, best first: letters or notes, mutually defined."""
_TEXT_AT = {"MSG": 1, "MTX": 2, "NTE": 2}


class NoteForm(Struct, frozen=True):
    """Form of a note: the text segment, in an N9 loop with this label or alone."""

    segment_id: str
    label: str | None
    width: int
    repeats: int | None
    loops: int | None


def note_form(capacity: Capacity, section: Section, path: tuple[str, ...], release: str) -> NoteForm | None:
    """The first form in which the target accepts a note here; None if it accepts none."""
    carriers = ("MTX", "MSG") if release >= "005010" else ("MSG", "MTX")
    for opening in capacity.placements(section, path, "N9"):
        label = _label(opening)
        if label is None or not opening.has(2):
            continue
        for carrier in carriers:
            for placement in capacity.placements(section, (*path, "N9"), carrier):
                if placement.has(_TEXT_AT[carrier]):
                    return _form(carrier, label, placement, opening, release)
    for carrier in (*carriers, "NTE"):
        for placement in capacity.placements(section, path, carrier):
            if placement.has(_TEXT_AT[carrier]) and not placement.required - {_TEXT_AT[carrier]}:
                return _form(carrier, None, placement, None, release)
    return None


def _label(opening: Placement) -> str | None:
    codes = opening.codes.get(1)
    if codes is None:
        return _LABELS[0]
    preferred = [label for label in _LABELS if label in codes]
    return preferred[0] if preferred else (codes[0] if len(codes) == 1 else None)


def _form(carrier: str, label: str | None, placement: Placement, opening: Placement | None, release: str) -> NoteForm:
    allowed = limit(carrier, _TEXT_AT[carrier], release)
    width = placement.length(_TEXT_AT[carrier], allowed[1] if allowed else 80)
    return NoteForm(carrier, label, width, placement.repeats, None if opening is None else opening.repeats)


def note_nodes(note: str, form: NoteForm, where: str) -> Sequence[Node] | Reason:
    """The note split at words into segments; a reason if it needs more segments than allowed."""
    pieces = split_words(note, form.width)
    if pieces is None or (form.repeats is not None and len(pieces) > form.repeats):
        capacity = f"{form.repeats} x {form.width}" if form.repeats is not None else f"lines of {form.width}"
        return Reason(
            code="note-too-long",
            where=where,
            message=f"the note of {len(note)} characters does not fit into {form.segment_id} ({capacity} characters)",
            fix="Shorten the note in Plex",
        )
    texts = [segment(form.segment_id, **{f"e{_TEXT_AT[form.segment_id]:02d}": piece}) for piece in pieces]
    if form.label is None:
        return texts
    return [Loop("N9", (segment("N9", e01=form.label, e02="NOTES"), *texts))]
