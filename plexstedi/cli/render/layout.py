"""How tables and paragraphs fit into the columns of a terminal: no value and no word is ever split.

Pure: text and a width in, lines out. A table that does not fit wraps its sentences beside the values; then leaves out
the columns that the caller can spare; then puts the sentences below each row; at last each row is a block of lines.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

GAP = "  "
_SENTENCE = 24
"""A cell longer than this that has spaces is a sentence: it may be wrapped."""
_READABLE = 32
"""A sentence in a narrower column is hard to read: it then stands below its row."""
_INDENT = "    "


class Mark(StrEnum):
    """What a piece of text is, for its colour. Colour is never the only sign."""

    NONE = ""
    HEAD = "head"
    WRONG = "wrong"
    """Rejected, failed, overdue."""
    CARE = "care"
    """Held, changed, late, in doubt."""


_WRONG = frozenset(("rejected", "failed", "overdue", "not ok", "refused", "line rejected", "delivery failed"))
_CARE = frozenset(
    ("held", "changed", "partial", "backordered", "warning", "in doubt", "late", "line held", "line backordered")
)


class Styled(Struct, frozen=True):
    """Some text of a line."""

    text: str
    mark: Mark = Mark.NONE


Line: TypeAlias = tuple[Styled, ...]


def text_of(line: Line) -> str:
    """The line without colours."""
    return "".join(piece.text for piece in line).rstrip()


def mark_of(cell: str) -> Mark:
    """The mark of a cell by what it says."""
    said = cell.lower()
    if said in _WRONG:
        return Mark.WRONG
    return Mark.CARE if said in _CARE else Mark.NONE


def columns_of(text: str) -> int:
    """How many columns a terminal needs for this text; wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def paragraph(text: str, width: int, *, indent: str = "", hanging: str | None = None) -> list[str]:
    """The text wrapped between words; `hanging`: the indent of the second line and on. A longer word stays whole."""
    following = indent if hanging is None else hanging
    lead = text[: len(text) - len(text.lstrip(" "))]
    lines, line, begin = [], "", indent + lead
    used = columns_of(begin)
    for word in text[len(lead) :].split(" "):
        wide = columns_of(word)
        after = used + (1 if line else 0) + wide
        if line.strip() and after > width:
            lines.append(begin + line)
            line, begin = word, following
            used = columns_of(following) + wide
        else:
            line = f"{line} {word}" if line else word
            used = after
    return [*lines, (begin + line).rstrip()]


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], width: int, spare: Sequence[str] = ()) -> list[Line]:
    """The lines of a table that fit into `width`. `spare`: the columns to leave out first, in this order."""
    here = _Table(list(headers), [list(row) for row in rows])
    narrower = [here]
    for name in spare:
        if name in here.headers:
            here = here.without(name)
            narrower.append(here)
    for attempt in narrower:
        lines = attempt.beside(width)
        if lines is not None:
            return lines
    for attempt in narrower:
        lines = attempt.below(width)
        if lines is not None:
            return lines
    return narrower[-1].blocks(width)


class _Table(Struct, frozen=True):
    headers: list[str]
    rows: list[list[str]]

    def without(self, name: str) -> _Table:
        left = self.headers.index(name)
        return _Table(
            [header for column, header in enumerate(self.headers) if column != left],
            [[cell for column, cell in enumerate(row) if column != left] for row in self.rows],
        )

    def _natural(self, column: int) -> int:
        return max(columns_of(cell) for cell in (self.headers[column], *(row[column] for row in self.rows)))

    def _sentences(self) -> list[int]:
        return [
            column
            for column in range(len(self.headers))
            if any(columns_of(row[column]) > _SENTENCE and " " in row[column] for row in self.rows)
        ]

    def _least(self, column: int) -> int:
        """The width that a column of sentences needs: its longest word, and enough to be read."""
        words = [word for row in self.rows for word in row[column].split()]
        longest = max((columns_of(word) for word in (self.headers[column], *words)), default=0)
        return max(longest, min(_READABLE, self._natural(column)))

    def beside(self, width: int) -> list[Line] | None:
        """Sentences wrapped beside the values; None if there is no room."""
        widths = [self._natural(column) for column in range(len(self.headers))]
        gaps = len(GAP) * (len(widths) - 1)
        sentences = self._sentences()
        over = sum(widths) + gaps - width
        # The widest gives way first.
        while over > 0:
            spare = {column: widths[column] - self._least(column) for column in sentences}
            widest = max(sentences, key=lambda column: (spare[column] > 0, widths[column]), default=None)
            if widest is None or spare[widest] <= 0:
                return None
            # Down to the next widest at most, so that two long columns share what there is.
            others = [widths[column] for column in sentences if column != widest and widths[column] < widths[widest]]
            step = min(over, spare[widest], max(1, widths[widest] - max(others, default=0)))
            widths[widest] -= step
            over -= step
        lines = [_row(self.headers, widths, Mark.HEAD), _row(["-" * each for each in widths], widths, Mark.HEAD)]
        for row in self.rows:
            cells = [
                paragraph(cell, widths[column]) if column in sentences else [cell] for column, cell in enumerate(row)
            ]
            deepest = max(len(cell) for cell in cells)
            padded = [cell + [""] * (deepest - len(cell)) for cell in cells]
            lines += [_row([cell[number] for cell in padded], widths) for number in range(deepest)]
        return lines

    def below(self, width: int) -> list[Line] | None:
        """Sentences below the values of each row; None if the values alone do not fit."""
        sentences = self._sentences()
        if not sentences or len(sentences) == len(self.headers):
            return None
        values = [column for column in range(len(self.headers)) if column not in sentences]
        narrow = _Table(
            [self.headers[column] for column in values], [[row[column] for column in values] for row in self.rows]
        )
        lines = narrow.beside(width)
        if lines is None or narrow._sentences():
            return None
        found = lines[:2]
        for row, line in zip(self.rows, lines[2:], strict=True):
            found.append(line)
            for column in sentences:
                if row[column]:
                    label = f"{self.headers[column]}: " if len(sentences) > 1 else ""
                    found += [(Styled(text),) for text in paragraph(f"{label}{row[column]}", width, indent=_INDENT)]
        return found

    def blocks(self, width: int) -> list[Line]:
        """Each row as lines of `header: value`, with an empty line between rows."""
        label = max(columns_of(header) for header in self.headers) + 2
        lines: list[Line] = []
        for row in self.rows:
            if lines:
                lines.append(())
            for header, cell in zip(self.headers, row, strict=True):
                if cell:
                    first, *others = paragraph(cell, max(width - label, 20))
                    head = f"{header}:".ljust(label)
                    lines.append((Styled(head, Mark.HEAD), Styled(first, mark_of(cell))))
                    lines += [(Styled(" " * label + each),) for each in others]
        return lines


def _row(cells: Sequence[str], widths: Sequence[int], mark: Mark | None = None) -> Line:
    pieces: list[Styled] = []
    for number, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        if number:
            pieces.append(Styled(GAP))
        pieces.append(Styled(cell, mark_of(cell) if mark is None else mark))
        if number < len(cells) - 1:
            pieces.append(Styled(" " * (width - columns_of(cell))))
    return tuple(pieces)
