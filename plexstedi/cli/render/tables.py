"""Tables: laid out for the width of a terminal, aligned plain lines elsewhere.

Off a terminal nothing is coloured, wrapped or cut, so that cron mails and `grep` get every word. Foreign text is never
interpreted as markup, and its invisible characters are escaped.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO, cast

from plexstedi.cli.render.layout import table
from plexstedi.cli.render.terminal import head, print_lines, terminal_width
from plexstedi.decimal_json import Json, dumps, loads
from plexstedi.plain_text import one_line, visible_json

if TYPE_CHECKING:
    from plexstedi.sync.submit.submit import Preview

_GAP = "  "


def plain(value: object) -> str:
    """A value as one line of visible text; None is empty."""
    return "" if value is None else one_line(str(value))


def print_table(
    headers: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str | None = None,
    spare: Sequence[str] = (),
    file: TextIO | None = None,
) -> None:
    """Print a table on stdout, or on `file`; nothing without rows, and no column that is empty in all of them.

    `spare`: columns that a narrow terminal can do without.
    """
    texts = [[plain(value) for value in row] for row in rows]
    kept = [column for column in range(len(headers)) if any(row[column] for row in texts)]
    if not kept:
        return
    headers, texts = [headers[column] for column in kept], [[row[column] for column in kept] for row in texts]
    if title:
        head(title)
    width = terminal_width(file)
    if width is None:
        print("\n".join(aligned(headers, texts)), file=file)
    else:
        print_lines(table(headers, texts, width, spare), file)


def aligned(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a plain table with aligned columns."""
    table = [list(headers), *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(headers))]
    return [
        _GAP.join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in (table[0], ["-" * width for width in widths], *table[1:])
    ]


def print_documents_preview(previews: Sequence[Preview], show: str) -> None:
    """Print what `submit` would send: a table, or with `show` x12, json or guide each complete document."""
    if not previews:
        print("Nothing is due.")
        return
    if show == "table":
        headers = ("order", "supplier", "kind", "purpose", "revision", "lines", "file name", "key")
        rows = [_preview_row(preview) for preview in previews]
        print_table(headers, rows, spare=("key", "file name", "revision"))
        return
    for number, preview in enumerate(previews):
        document = preview.document
        if number:
            print()
        what = "invoice" if document.kind == "810" else "order"
        print(f"# {document.kind} for {what} {plain(document.order_number)} ({plain(document.supplier)})")
        print(f"# file {document.file_name}, key {document.idempotency_key}")
        for dropped in document.dropped:
            print(f"# dropped: {plain(dropped)}")
        print(_whole(preview, show))


def _preview_row(preview: Preview) -> tuple[object, ...]:
    document = preview.document
    number = document.order_number
    return (
        number if document.order_release is None else f"{number} release {document.order_release}",
        document.supplier,
        document.kind,
        document.purpose,
        document.revision,
        "" if document.kind == "810" else len(document.sent.lines),
        document.file_name,
        document.idempotency_key,
    )


def _whole(preview: Preview, show: str) -> str:
    if show == "x12":
        return x12_lines(preview.document.x12)
    if show == "json":
        return _json_lines(loads(preview.document.body))
    return _json_lines(cast(Json, preview.guide_json))


_ISA_LENGTH = 106
"""ISA is the only X12 segment of fixed length; its last character is the segment terminator."""
_BLANKS = " \t\r\n"
"""Python's own whitespace includes 1C to 1F, which are delimiters in some interchanges."""


def x12_lines(text: str) -> str:
    """X12 with one segment per line; a line feed inside a segment is escaped."""
    text = text.strip(_BLANKS).replace("\r\n", "\n")
    has_envelope = text.startswith("ISA") and len(text) >= _ISA_LENGTH
    terminator = text[_ISA_LENGTH - 1] if has_envelope else "~"
    if terminator == "\n" or terminator not in text:
        return text
    segments = [segment.strip("\r\n").replace("\n", "\\n") for segment in text.split(terminator)]
    return f"{terminator}\n".join(segments).strip(_BLANKS)


def _json_lines(value: Json) -> str:
    return visible_json(pretty_json(value), sys.stdout.encoding or "utf-8")


def pretty_json(value: Json, indent: str = "") -> str:
    """Multi-line JSON with exact numbers."""
    inner = indent + "  "
    if isinstance(value, Mapping) and value:
        entries = [f"{inner}{dumps(key)}: {pretty_json(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(entries) + f"\n{indent}}}"
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        return "[\n" + ",\n".join(inner + pretty_json(item, inner) for item in value) + f"\n{indent}]"
    return dumps(value)
