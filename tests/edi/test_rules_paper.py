"""RULES.md lists every supplier setting with its values and default, and has each rule under its number."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from msgspec import NODEFAULT
from msgspec.structs import FieldInfo, fields

from plexstedi.edi import settings as module
from plexstedi.edi.read_settings import Settings, is_required

RULES = Path(module.__file__).with_name("RULES.md").read_text()

MODELS: dict[str, type[Settings]] = {
    "Keys of `[suppliers.CODE]`": module.SupplierSettings,
    "Keys of `[suppliers.CODE.850]`, `.860` and `.810`": module.DocumentSettings,
    "Keys of `po_type`": module.PurchaseOrderTypes,
    'Keys of `[suppliers.CODE.ship_to."NAME"]`': module.ShipTo,
    "Keys of a unit": module.Unit,
    "Keys of payment terms": module.Terms,
    "Keys of `[suppliers.CODE.items]`": module.Items,
    "Keys of `[suppliers.CODE.tolerance]`": module.Tolerance,
    "Keys of `[suppliers.CODE.acknowledgments]`": module.AcknowledgmentSettings,
    "Keys of `[suppliers.CODE.text]`": module.TextSettings,
    "Keys of `[company]`": module.Company,
}


def rows(heading: str) -> dict[str, tuple[str, str]]:
    """Type and default by key, of the table below a heading."""
    found = re.search(rf"^### {re.escape(heading)}$(.*?)(?=^#)", RULES, re.MULTILINE | re.DOTALL)
    assert found, f"RULES.md has no heading ### {heading}"
    cells = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| [^|]+ \|$", found[1], re.MULTILINE)
    assert len(cells) == len(re.findall(r"^\| `", found[1], re.MULTILINE)), f"odd rows below {heading}"
    assert len({key for key, _, _ in cells}) == len(cells), f"a key twice below {heading}"
    return {key: (kind, default) for key, kind, default in cells}


def default_of(field: FieldInfo) -> str:
    """A default as the paper writes it."""
    if is_required(field):
        return "required"
    value = field.default if field.default_factory is NODEFAULT else field.default_factory()
    if value is None:
        return "none"
    if isinstance(value, Settings):
        return "as below"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (Decimal, int)):
        return f"`{value}`"
    return f"`{value}`" if value else "empty"


def words_of(annotation: Any) -> set[str]:
    """The words that a key takes, where it takes only certain ones."""
    if get_origin(annotation) is Literal:
        return set(get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return {str(one) for one in annotation}
    return set().union(*(words_of(part) for part in get_args(annotation)))


def test_every_table_of_settings_has_a_table_in_the_paper() -> None:
    here = {
        one
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, Settings) and one is not Settings
    }
    assert set(MODELS.values()) == here
    assert set(re.findall(r"^### (Keys of .*)$", RULES, re.MULTILINE)) == set(MODELS)


@pytest.mark.parametrize("heading", MODELS)
def test_the_paper_lists_every_setting_with_its_default(heading: str) -> None:
    """Whoever sets up a supplier finds each key, and no key that does not exist."""
    keys = {field.encode_name: field for field in fields(MODELS[heading])}
    listed = rows(heading)
    assert {key: default for key, (_, default) in listed.items()} == {
        key: default_of(field) for key, field in keys.items()
    }
    for key, field in keys.items():
        wanted = words_of(field.type)
        if wanted:
            assert set(re.findall(r"`([\w-]+)`", listed[key][0])) == wanted, key


def test_the_rules_are_numbered_without_gaps() -> None:
    """A citation "RULES.md Reading 13" leads to a heading."""
    for chapter, last in (("Sending", 11), ("Reading", 17)):
        found = re.findall(rf"^### {chapter} (\d+): \S", RULES, re.MULTILINE)
        assert found == [str(number) for number in range(1, last + 1)]
    assert re.findall(r"^## (.*)$", RULES, re.MULTILINE) == ["Settings", "Sending", "Reading acknowledgments"]
