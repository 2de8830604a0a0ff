"""Where a value that a guide requires could come from: the Plex field or the setting, in words."""

from __future__ import annotations

from collections.abc import Sequence

_BY_ELEMENT = {
    ("BEG", 4): 'Only releases sent singly have it: releases = "order-per-release"',
    ("BEG", 7): "Set acknowledgment_type for this supplier",
    ("BEG", 6): "Plex orders have no contract number: give the guide a default",
    ("BCH", 4): 'Only releases sent singly have it: releases = "order-per-release"',
    ("CUR", 2): "Set the currency of the order in Plex",
    ("TD5", 5): 'Set "ship via" of the order in Plex',
    ("PID", 5): "Set the description of the line or part in Plex",
    ("PO1", 1): "Plex's line number",
    ("DTM", 2): "Set the due date in Plex; other dates Plex does not have",
    ("SCH", 6): "Set the due date of each release in Plex",
}
_BY_SEGMENT = {
    "REF": 'Add it to `references` of this supplier: references = {{{code} = "..."}}',
    "FOB": "Map the order's freight terms in `freight_terms`, and set them in Plex",
    "ITD": "Map the order's payment terms in `terms`, and set them in Plex",
    "TD5": 'Set "ship via" of the order in Plex',
    "CUR": "Set the currency of the order in Plex",
    "DTM": "Set the due date in Plex; other dates Plex does not have",
    "SCH": "Set the due date of each release in Plex",
    "PID": "Set the description of the line or part in Plex",
    "N9": "Write a note on the order in Plex",
    "MSG": "Write a note in Plex",
    "MTX": "Write a note in Plex",
    "PER": "PlexStedi sends no contacts: give the guide constants or make it optional",
    "SAC": "PlexStedi sends no allowances or charges on orders: make it optional in the guide",
    "TXI": "Plex has no tax here: make it optional in the guide",
}
_PARTIES = {
    "ST": 'Complete the ship-to table of this supplier: [suppliers.….ship_to."Plex name"]',
    "SU": "Set supplier_account or duns, and the supplier's address in Plex",
    "VN": "Set supplier_account or duns, and the supplier's address in Plex",
    "SE": "Set supplier_account or duns, and the supplier's address in Plex",
    "BY": "Complete [company]",
    "BT": "Complete [company]",
}
_ITEM_HEADS = ("PO1", "POC", "IT1")


def hint(segment_id: str, position: int, codes: Sequence[str] | None, party: str | None) -> str:
    """What a person can do about a required value that is not there. `party` is N101 of the loop it is in."""
    if segment_id in _ITEM_HEADS and position >= 6:
        listed = ", ".join(codes or ())
        example = f'items = {{part = "{codes[0]}"}}' if codes else "items"
        wanted = f" (it takes {listed})" if listed else ""
        return f"Say in `items` which number goes under which qualifier{wanted}, as in {example}; set it in Plex"
    if (segment_id, position) in _BY_ELEMENT:
        return _BY_ELEMENT[segment_id, position]
    if segment_id in ("N1", "N2", "N3", "N4") and party in _PARTIES:
        return _PARTIES[party]
    if segment_id in ("N1", "N2", "N3", "N4"):
        return "PlexStedi sends ST, SU (or VN, SE), BY and BT: make this party optional in the guide"
    by_segment = _BY_SEGMENT.get(segment_id)
    if by_segment is not None:
        return by_segment.format(code=codes[0] if codes else "QUALIFIER")
    return "Give it a constant in the guide, or make it optional there"
