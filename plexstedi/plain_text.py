"""Text of others, made fit to be looked at: in a terminal, a log, a mail, a table, a page.

Whatever cannot be seen is shown as an escape (`\\x1b`, `\\u202e`): control characters, which steer a terminal or begin
a line of their own; bidirectional controls, which let text read otherwise than it is; zero-width and other invisible
characters, which make two names look the same; and lone surrogates, which no encoding can write.
"""

from __future__ import annotations

import re
import unicodedata

_BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
"""Letters and marks by Unicode's classes that show nothing at all."""
_UNSEEN = re.compile(f"[{_BLANK}]")
_NOT_ASCII_TEXT = re.compile("[^\n -~]")
"""What has to be looked at one by one; most of a big export does not."""
_SHORT = {"\t": r"\t", "\r": r"\r"}
_LOOK_ALIKES = str.maketrans(
    {
        "…": "...",
        "→": "->",
        "←": "<-",
        "‐": "-",
        "‑": "-",
        "‒": "-",
        "–": "-",
        "—": "-",
        "‘": "'",
        "’": "'",
        "“": '"',
        "”": '"',
        "•": "*",
        "─": "-",
        "×": "x",
        "≤": "<=",
        "≥": ">=",
    }
)
_FORMULA = ("=", "+", "-", "@")
_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)*", re.ASCII)
_WHITE = re.compile(r" *[\t\n\r][\t\n\r ]*")


def visible(text: str) -> str:
    """Text over several lines in which every character can be seen; only the line feed stays what it is.

    A space of another width becomes a plain space.
    """
    if _is_plain(text):
        return text
    return _NOT_ASCII_TEXT.sub(lambda found: found[0] if _is_plain(found[0]) else _shown(found[0]), text)


def one_line(text: str) -> str:
    """The same on one line: line ends and tabs become spaces."""
    return text if _is_plain(text) else visible(_WHITE.sub(" ", text))


def hanging(text: str) -> str:
    """Text whose further lines are indented: nothing of it can pass for a line of its own."""
    return re.sub(r"\n(?!  )", "\n  ", text)


def fitted(text: str, encoding: str) -> str:
    """Text that this encoding can write: look-alikes for typographic characters, escapes for what it has not."""
    if can_write(text, encoding):
        return text
    return text.translate(_LOOK_ALIKES).encode(encoding, "backslashreplace").decode(encoding)


def visible_json(text: str, encoding: str = "utf-8") -> str:
    """The same JSON, with what is invisible, or what this encoding has not, as JSON's own escapes.

    A lone surrogate becomes U+FFFD, which every reader takes.
    """
    if _is_plain(text) and can_write(text, encoding):
        return text

    def shown(found: re.Match[str]) -> str:
        character = found[0]
        return character if _is_plain(character) and can_write(character, encoding) else _json_escape(character)

    return _NOT_ASCII_TEXT.sub(shown, text)


def cell(text: str) -> str:
    """Text for a CSV file that a spreadsheet may open: on one line, and never a formula. A number stays one."""
    line = one_line(text)
    return f"'{line}" if line.lstrip().startswith(_FORMULA) and not _NUMBER.fullmatch(line) else line


def can_write(text: str, encoding: str) -> bool:
    """Whether every character has a form in this encoding."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _is_plain(text: str) -> bool:
    return text.isprintable() and not _UNSEEN.search(text)


def _shown(character: str) -> str:
    if unicodedata.category(character) == "Zs":
        return " "
    code = ord(character)
    if code < 0x100:
        return _SHORT.get(character, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _json_escape(character: str) -> str:
    code = ord(character)
    if 0xD800 <= code < 0xE000:
        return "\\ufffd"
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
