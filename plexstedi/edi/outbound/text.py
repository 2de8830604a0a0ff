"""What may be done to text so that X12 carries it faithfully (RULES Sending 7): clean it, or say why it cannot be."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from plexstedi.edi.held import Reason
from plexstedi.edi.settings import TextSettings

_LOOK_ALIKES = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4\u02bc", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-"),
    **dict.fromkeys("\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "),
    "\u2026": "...",
    **dict.fromkeys("\u200b\u2060\ufeff\u00ad", ""),
}
"""Typographic characters and the ASCII that says the same; zero-width marks say nothing."""


@dataclass(slots=True)
class Wording:
    """Cleans the texts of one document and remembers what it changed and what it could not.

    The one mutable thing of a build: it lives as long as one pure function call.
    """

    settings: TextSettings
    adjusted: list[str] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)

    def clean(self, text: str | None, where: str) -> str | None:
        """The text as X12 can carry it, None for nothing to say; unfit text adds a reason and is returned as it is."""
        if text is None:
            return None
        flat = re.sub(r"\r\n|[\t\r\n\v\f\u0085\u2028\u2029]", " ", text).strip()
        plain = "".join(_LOOK_ALIKES.get(c, c) for c in flat).strip()
        if plain != text.strip():
            what = "line breaks" if plain == flat else "typographic characters"
            self.adjusted.append(f"{where}: {what} of {_shown(text)} written as ASCII")
        if self.settings.transliterate and not plain.isascii():
            before, plain = plain, _base_letters(plain)
            if plain != before:
                self.adjusted.append(f"{where}: {_shown(before)} written as {_shown(plain)} (text.transliterate)")
        self._hold_unfit(plain, where)
        plain = self._without_delimiters(plain, where)
        return (plain.upper() if self.settings.uppercase else plain) or None

    def _hold_unfit(self, text: str, where: str) -> None:
        unfit = sorted({c for c in text if not (" " <= c <= "~")})
        if not unfit:
            return
        fix = "Correct it in Plex"
        if not self.settings.transliterate and _base_letters(text).isascii():
            fix += ", or set text.transliterate = true for this supplier"
        shown = ", ".join(f"{c!r}" for c in unfit[:5])
        self.reasons.append(
            Reason(
                code="text-not-ascii",
                where=where,
                message=f"{_shown(text)} has characters that X12 cannot carry: {shown}",
                fix=fix,
            )
        )

    def _without_delimiters(self, text: str, where: str) -> str:
        found = sorted({c for c in text if c in self.settings.delimiters})
        if not found:
            return text
        substitute = self.settings.replace_delimiters
        if not substitute or any(c in self.settings.delimiters for c in substitute):
            self.reasons.append(
                Reason(
                    code="text-has-delimiter",
                    where=where,
                    message=f"{_shown(text)} contains the delimiter {' '.join(found)}",
                    fix="Correct it in Plex, or set text.replace_delimiters (or text.delimiters) for this supplier",
                )
            )
            return text
        replaced = "".join(substitute if c in self.settings.delimiters else c for c in text)
        self.adjusted.append(f"{where}: delimiters of {_shown(text)} replaced by {substitute!r}")
        return replaced.strip()


def _base_letters(text: str) -> str:
    """Letters without their accents; letters that have no base letter stay as they are."""
    special = {"ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d"}
    decomposed = unicodedata.normalize("NFD", "".join(special.get(c, c) for c in text))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _shown(text: str) -> str:
    short = text if len(text) <= 60 else text[:57] + "..."
    return repr(short)


def split_words(text: str, width: int) -> tuple[str, ...] | None:
    """The text in pieces of at most `width` characters, broken at spaces; None if a single word is longer.

    Joining the pieces by one space gives the text again, but for runs of spaces at the breaks.
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
