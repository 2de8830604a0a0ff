"""Make foreign text safe to display: in a terminal, a log, a mail, a table, a page.

Invisible characters are shown as escapes (`\\x1b`, `\\u202e`): control characters, which steer a terminal or start a
new line; bidirectional controls, which change the reading order; zero-width characters, which make two names look
alike; and lone surrogates, which no encoding can write.
"""

from __future__ import annotations

import re
import unicodedata

_BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
"""Letters and marks by Unicode category that have no visible glyph."""
_UNSEEN = re.compile(f"[{_BLANK}]")
_NOT_ASCII_TEXT = re.compile("[^\n -~]")
"""Characters that need a closer check; most of a large export has none."""
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
    """Multi-line text in which every character is visible; only the line feed is kept.

    Spaces of other widths become plain spaces.
    """
    if _is_plain(text):
        return text
    return _NOT_ASCII_TEXT.sub(lambda found: found[0] if _is_plain(found[0]) else _shown(found[0]), text)


def one_line(text: str) -> str:
    """The same on one line: line ends and tabs become spaces."""
    return text if _is_plain(text) else visible(_WHITE.sub(" ", text))


def many(count: int, noun: str) -> str:
    """`1 order`, `2 orders`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def hanging(text: str) -> str:
    """Text with indented continuation lines, so that none of them can pass for a line of the program."""
    return re.sub(r"\n(?!  )", "\n  ", text)


def fitted(text: str, encoding: str) -> str:
    """Text that this encoding can write: look-alikes for typographic characters, escapes for all others."""
    if can_write(text, encoding):
        return text
    return text.translate(_LOOK_ALIKES).encode(encoding, "backslashreplace").decode(encoding)


def visible_json(text: str, encoding: str = "utf-8") -> str:
    """The same JSON with invisible or unencodable characters as JSON escapes.

    A lone surrogate becomes U+FFFD, which every reader accepts.
    """
    if _is_plain(text) and can_write(text, encoding):
        return text

    def shown(found: re.Match[str]) -> str:
        character = found[0]
        return character if _is_plain(character) and can_write(character, encoding) else _json_escape(character)

    return _NOT_ASCII_TEXT.sub(shown, text)


def cell(text: str) -> str:
    """Text for a CSV cell: on one line, and never a formula. A number stays a number."""
    line = one_line(text)
    return f"'{line}" if line.lstrip().startswith(_FORMULA) and not _NUMBER.fullmatch(line) else line


def can_write(text: str, encoding: str) -> bool:
    """Whether this encoding has every character of the text."""
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
