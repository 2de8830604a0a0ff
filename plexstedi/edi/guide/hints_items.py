"""Fixes for item numbers: which number of a line fits a qualifier that the guide requires (element 235)."""

from __future__ import annotations

from typing import Literal, TypeAlias

from plexstedi.edi.advice import quoted, sentence, write
from plexstedi.edi.guide.need import Need, Sources

Source: TypeAlias = Literal["part", "supplier_part", "manufacturer_part", "revision"]

_SIDES: dict[str, Source] = {
    **dict.fromkeys(("BP", "IN", "PN", "CB"), "part"),
    **dict.fromkeys(("VP", "VN", "VC", "VA"), "supplier_part"),
    **dict.fromkeys(("MG", "MF", "MN"), "manufacturer_part"),
    **dict.fromkeys(("EC", "DR", "RV"), "revision"),
}
"""Source of the number per qualifier: buyer, vendor, manufacturer, or a revision."""
_BAR_CODES = frozenset({"UP", "UK", "EN", "UI", "UA", "UD", "EO", "IB"})
_WHOSE: dict[Source, str] = {
    "part": "our part number",
    "supplier_part": "the supplier's part number",
    "manufacturer_part": "the manufacturer's part number",
    "revision": "the revision of the part",
}
_WHOSE_810: dict[Source, str] = {**_WHOSE, "part": "the customer's part number", "supplier_part": "our part number"}


def items_advice(need: Need, sources: Sources) -> str:
    """Fix for a required number: another qualifier of the same source, or a value in Plex."""
    items = sources.settings.items
    names: dict[Source, str] = {
        "part": items.part,
        "supplier_part": items.supplier_part,
        "manufacturer_part": items.manufacturer_part,
        "revision": items.revision,
    }
    here = {source for source, qualifier in names.items() if any(q == qualifier for q, _ in need.given)}
    free = [source for source in names if source in here and names[source] not in need.placed]
    whose = _WHOSE_810 if sources.set_id == "810" else _WHOSE
    table = sources.table("items")
    listed = f" (accepted: {', '.join(need.codes[:12])})" if need.codes else ""
    sided = [(code, _SIDES[code]) for code in need.codes if code in _SIDES]
    for code, source in sided:
        if source in free:
            return f"{sentence(write(table, source, quoted(code)))}: {whose[source]} goes under it{listed}"
    for code, source in sided:
        if source not in here:
            enter = f"Enter {whose[source]} of the line in Plex"
            if names[source] == code:
                return f"{enter}{listed}"
            return f"{enter}, and {write(table, source, quoted(code))}{listed}"
    unsided = [code for code in need.codes if code not in _SIDES and code not in _BAR_CODES]
    if unsided and free:
        source = free[0]
        return f"If {unsided[0]} is its word for {whose[source]}: {write(table, source, quoted(unsided[0]))}{listed}"
    if not need.codes and not here:
        return f"Enter {whose['part']} of the line in Plex"
    return f"Plex has no such number{listed}: ask the supplier to make it optional in the guide"
