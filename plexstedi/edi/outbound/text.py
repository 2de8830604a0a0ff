"""Adapt text to X12 without loss of meaning, or give the reason why that is not possible (RULES.md Sending 7).

Whether a text holds the document is decided after binding, since a text without a place is dropped and not sent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from msgspec import Struct, field, structs

from plexstedi.edi.advice import quoted, write
from plexstedi.edi.reasons import Reason
from plexstedi.edi.settings import TextSettings
from plexstedi.edi.x12.transaction import Composite, Segment

_LINE_BREAKS = re.compile(r"\r\n|[\t\r\n\v\f\u0085\u2028\u2029]")
_LOOK_ALIKES = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4\u02bc", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-"),
        **dict.fromkeys("\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "),
        "\u2026": "...",
        **dict.fromkeys("\u200b\u2060\ufeff\u00ad", ""),
    }
)
"""Typographic characters and their ASCII equivalents; zero-width marks are removed."""


class UnfitText(Struct, frozen=True):
    """A text that X12 cannot carry; it holds a document in which it, or a piece of it, is sent."""

    text: str
    reason: Reason


class TextCleaner(Struct):
    """Cleans the texts of one document; collects adjustments and unfit texts.

    Mutable, but local to one pure function call.
    """

    settings: TextSettings
    table: str = "suppliers.CODE.text"
    """Configuration table of the text settings."""
    adjusted: list[str] = field(default_factory=list)
    unfit_texts: list[UnfitText] = field(default_factory=list)

    @property
    def reasons(self) -> list[Reason]:
        """Reasons why texts cleaned so far cannot be sent."""
        return [unfit.reason for unfit in self.unfit_texts]

    def clean(self, text: str | None, where: str, *, fix: str | None = None) -> str | None:
        """The text adapted to X12; None if empty. Unfit text is recorded and returned unchanged.

        `fix`: for a text that no setting may alter, instead of the setting that would.
        """
        if text is None:
            return None
        if not self.settings.uppercase and _is_carried(text, self.settings):
            # Like nearly all texts: nothing to adapt, and no reason.
            return text.strip() or None
        flat = _LINE_BREAKS.sub(" ", text).strip()
        plain = flat.translate(_LOOK_ALIKES).strip()
        if plain != text.strip():
            what = "line breaks" if plain == flat else "typographic characters"
            self.adjusted.append(f"{where}: {what} of {_shown(text)} written as ASCII")
        if self.settings.transliterate and not plain.isascii():
            before, plain = plain, _base_letters(plain)
            if plain != before:
                self.adjusted.append(f"{where}: {_shown(before)} written as {_shown(plain)} (text.transliterate)")
        plain = self._without_delimiters(plain, where)
        cleaned = (plain.upper() if self.settings.uppercase else plain) or None
        if cleaned is not None:
            self.unfit_texts += [
                UnfitText(cleaned, reason if fix is None else structs.replace(reason, fix=fix))
                for reason in unfit_reasons(cleaned, self.settings, where, self.table)
            ]
        return cleaned

    def _without_delimiters(self, text: str, where: str) -> str:
        substitute = self.settings.replace_delimiters
        unusable = not substitute or any(c in self.settings.delimiters for c in substitute)
        if unusable or not any(c in self.settings.delimiters for c in text):
            return text
        replaced = "".join(substitute if c in self.settings.delimiters else c for c in text)
        self.adjusted.append(f"{where}: delimiters of {_shown(text)} replaced by {substitute!r}")
        return replaced.strip()


def _is_carried(text: str, settings: TextSettings) -> bool:
    """Whether X12 carries a text as it is: printable ASCII (from the blank to the tilde) without delimiters."""
    return text.isascii() and text.isprintable() and not any(map(text.__contains__, settings.delimiters))


def unfit_reasons(text: str, settings: TextSettings, where: str, table: str) -> list[Reason]:
    """Reasons why X12 cannot carry a text: characters outside its set, or delimiters of the interchange."""
    if _is_carried(text, settings):
        return []
    reasons: list[Reason] = []
    unfit = sorted({c for c in text if not (" " <= c <= "~")})
    if unfit:
        fix = "Correct it in Plex"
        # A control character has no base letter: only a user can correct it.
        base = _base_letters(text)
        if not settings.transliterate and base.isascii() and base.isprintable():
            fix += f", or {write(table, 'transliterate', 'true')} (base letters instead of accents)"
        shown = ", ".join(f"{c!r}" for c in unfit[:5])
        message = f"{_shown(text)} has characters that X12 cannot carry: {shown}"
        reasons.append(Reason(code="text-not-ascii", where=where, message=message, fix=fix))
    found = sorted({c for c in text if c in settings.delimiters})
    if found:
        message = f"{_shown(text)} contains the delimiter {' '.join(found)}"
        fix = "Correct it in Plex, or " + write(table, "replace_delimiters", quoted(" ")) + " (the replacement)"
        reasons.append(Reason(code="text-has-delimiter", where=where, message=message, fix=fix))
    return reasons


def unfit_as_sent(
    sent: Sequence[tuple[str, Segment]], unfit_texts: Sequence[UnfitText], settings: TextSettings, table: str
) -> tuple[Reason, ...]:
    """Reasons for unfit texts that are actually sent (RULES.md Sending 7). `sent` has each segment with its location.

    A text may be sent in pieces. Texts that were not cleaned (codes from settings) are checked as well.
    """
    # All texts at once, since nearly all documents have none that is unfit.
    if _is_carried("".join([text for _, segment in sent for text in _texts(segment)]), settings):
        return ()
    reasons: dict[Reason, None] = {}
    for where, segment in sent:
        for text in _texts(segment):
            found = unfit_reasons(text, settings, where, table)
            if not found:
                continue
            known = [d.reason for d in unfit_texts if text in d.text and any(d.reason.code == r.code for r in found)]
            reasons.update(dict.fromkeys(known or found))
    return tuple(reasons)


def _texts(segment: Segment) -> list[str]:
    texts: list[str] = []
    for value in segment.elements:
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, Composite):
            texts += [part for part in value.components if isinstance(part, str)]
    return texts


def _base_letters(text: str) -> str:
    """Replace accented letters by base letters; letters without one are kept."""
    special = {"ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d"}
    decomposed = unicodedata.normalize("NFD", "".join(special.get(c, c) for c in text))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _shown(text: str) -> str:
    short = text if len(text) <= 60 else text[:57] + "..."
    return repr(short)


def split_words(text: str, width: int) -> tuple[str, ...] | None:
    """Split text at spaces into pieces of at most `width` characters; None if a single word is longer.

    Joining the pieces with one space restores the text, except for runs of spaces at the breaks.
    Raise ValueError for width < 1.
    """
    if width < 1:
        raise ValueError(f"pieces of {width} characters")
    pieces: list[str] = []
    current = ""
    for word in text.strip().split(" "):
        if len(word) > width:
            return None
        joined = f"{current} {word}" if current else word
        if len(joined) <= width:
            current = joined
        else:
            pieces.append(current.rstrip())
            current = word
    return tuple(piece for piece in (*pieces, current) if piece)
