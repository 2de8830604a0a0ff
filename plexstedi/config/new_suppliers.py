"""The text of `[suppliers.CODE]` tables for a first configuration: what is known, and what is still to be filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tomli_w
from msgspec import Struct, field

_PARTNERSHIP = "Stedi portal: Trading partners, Partnership identifier."
_SETTING = "Stedi portal: the outbound transaction setting of the partnership."
_DOCUMENTS = ("850", "860")


class NewSupplier(Struct, frozen=True):
    """A supplier chosen in `init`."""

    code: str
    name: str = ""
    partnership_id: str | None = None
    """None: still to be filled in."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Outbound transaction settings by document (850, 860), as far as known."""


def supplier_tables(suppliers: Sequence[NewSupplier]) -> str:
    """Their tables; a key without a value is a comment, which `check --offline` reports as missing. Pure."""
    return "\n".join(_tables(each) for each in suppliers)


def _tables(supplier: NewSupplier) -> str:
    name = " ".join("".join(char if char.isprintable() else " " for char in supplier.name).split())
    code = _key(supplier.code)
    lines = [f"# {name}"] if name else []
    lines += [f"[suppliers.{code}]", _entry("partnership_id", supplier.partnership_id, _PARTNERSHIP)]
    for document in _DOCUMENTS:
        setting = supplier.settings.get(document)
        lines += ["", f"[suppliers.{code}.{document}]", _entry("transaction_setting_id", setting, _SETTING)]
    return "\n".join(lines) + "\n"


def _entry(key: str, value: str | None, where: str) -> str:
    return f'#{key} = ""  # fill in. {where}' if value is None else tomli_w.dumps({key: value}).rstrip("\n")


def _key(code: str) -> str:
    """As a TOML key, in quotes where it needs them."""
    return tomli_w.dumps({code: 0}).removesuffix(" = 0\n")
