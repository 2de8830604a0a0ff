"""Prints wrapped and coloured on a terminal, whole plain lines elsewhere, so that `grep` finds them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from typing import TextIO

from plexstedi.cli.render.layout import Line, Mark, Styled, paragraph, text_of
from plexstedi.cli.render.streams import ours
from plexstedi.plain_text import hanging as indented
from plexstedi.plain_text import visible

_CODES = {Mark.HEAD: "1", Mark.WRONG: "1;31", Mark.CARE: "33"}


def terminal_width(file: TextIO | None = None) -> int | None:
    """The columns of the stream's terminal (`COLUMNS` overrides); None without a terminal. `file`: else stdout."""
    return shutil.get_terminal_size((80, 24)).columns if (file or sys.stdout).isatty() else None


def terminal_height() -> int:
    """The lines of the terminal."""
    return shutil.get_terminal_size((80, 24)).lines


def has_colours(file: TextIO | None = None) -> bool:
    """Whether the stream takes colours: a terminal, without `NO_COLOR` (no-color.org) and not `TERM=dumb`."""
    return (file or sys.stdout).isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def say(
    text: str = "",
    *,
    indent: str = "",
    hanging: str | None = None,
    mark: Mark = Mark.NONE,
    file: TextIO | None = None,
) -> None:
    """Print one sentence or paragraph; `hanging`: the indent of its further lines on a terminal."""
    width = terminal_width(file)
    lines = [indent + text] if width is None else paragraph(text, width, indent=indent, hanging=hanging)
    print_lines(((Styled(line, mark),) for line in lines), file)


def head(text: str) -> None:
    """Print the title of a part of a screen, after an empty line."""
    print()
    print_lines([(Styled(text, Mark.HEAD),)])


def print_lines(lines: Iterable[Line], file: TextIO | None = None) -> None:
    """Print laid-out lines."""
    coloured, stream = has_colours(file), file or sys.stdout
    if coloured:
        stream = ours(stream)
    for line in lines:
        shown = "".join(map(_painted, line)).rstrip() if coloured else text_of(line)
        print(shown, file=stream)


def _painted(piece: Styled) -> str:
    # Foreign text is made visible here: the stream keeps control characters, for the colours.
    text = visible(piece.text)
    code = _CODES.get(piece.mark)
    return text if code is None or not text.strip() else f"\x1b[{code}m{text}\x1b[0m"


def fitted_to_stderr(text: str) -> str:
    """A warning or fault as printed on stderr: further lines are indented, and wrapped on a terminal."""
    lines = indented(text).split("\n")
    if sys.stderr.isatty():
        width = shutil.get_terminal_size((80, 24)).columns
        lines = [part for line in lines for part in paragraph(line, width, hanging=f"{_indent(line)}  ")]
    return "\n".join(lines)


def _indent(line: str) -> str:
    return " " * (len(line) - len(line.lstrip(" ")))
