"""How a fix names a setting: the table and the line to write, so that it can be followed as it stands."""

from __future__ import annotations

import re

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_name(text: str) -> str:
    """A key as TOML takes it: bare, or quoted."""
    if _BARE.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def partner_table(set_id: str, code: str, *keys: str) -> str:
    """A table of a supplier, or for 810 of a customer, as it stands in the configuration: `suppliers.ACME01.units`."""
    return ".".join(("customers" if set_id == "810" else "suppliers", *map(toml_name, (code, *keys))))


def write(table: str, key: str, value: str) -> str:
    """`in [table] write key = value`; the value as it stands in TOML, `"…"` where a person has to know it."""
    return f"in [{table}] write {toml_name(key)} = {value}"


def quoted(text: str) -> str:
    """A text as a TOML value."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def sentence(text: str) -> str:
    """The text as the beginning of a sentence."""
    return text[:1].upper() + text[1:]
