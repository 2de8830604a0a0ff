"""Text of a fix that names a setting: the TOML table and the line to write, ready to be copied."""

from __future__ import annotations

import re

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_name(text: str) -> str:
    """A TOML key: bare where its characters allow it, else quoted."""
    if _BARE.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def partner_table(set_id: str, code: str, *keys: str) -> str:
    """Path of a configuration table of a supplier (of a customer for 810): `suppliers.ACME01.units`."""
    return ".".join(("customers" if set_id == "810" else "suppliers", *map(toml_name, (code, *keys))))


def write(table: str, key: str, value: str) -> str:
    """`in [table] write key = value`. `value` is TOML text; `"…"` is a value that only the user knows."""
    return f"in [{table}] write {toml_name(key)} = {value}"


def quoted(text: str) -> str:
    """The text as a quoted TOML string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def sentence(text: str) -> str:
    """The text with its first letter in upper case."""
    return text[:1].upper() + text[1:]
