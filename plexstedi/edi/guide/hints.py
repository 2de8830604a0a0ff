"""Fixes for a value that a guide requires or does not accept: the Plex field to correct, or the setting to write.

A fix is actionable (RULES.md Sending 11): a setting that solves it, with the value; a constant in the guide only for
what is the same in every order; never our part number under the vendor's qualifier.
"""

from __future__ import annotations

from collections.abc import Sequence

from plexstedi.edi.advice import quoted, sentence, write
from plexstedi.edi.guide.hints_items import items_advice
from plexstedi.edi.guide.need import OTHER_DATES, Need, Sources
from plexstedi.edi.x12.elements import ITEM_PAIRS_FROM, segment_def

_OPTIONAL = "ask the supplier to make it optional in the guide"
_SAME = "or, only if it is the same in every order, give it a constant in the guide"
_OPEN = quoted("…")

_FIELDS: dict[tuple[str, int], str] = {
    ("BEG", 3): "Correct the order number in Plex",
    ("BCH", 3): "Correct the order number in Plex",
    ("BIG", 2): "Correct the invoice number in Plex",
    ("BIG", 4): "Correct the customer's order number in Plex",
    ("PO1", 1): "Renumber the line in Plex",
    ("POC", 1): "Renumber the line in Plex",
    ("PO1", 2): "Correct the quantity in Plex",
    ("POC", 3): "Correct the quantity in Plex",
    ("IT1", 2): "Correct the quantity in Plex",
    ("SCH", 1): "Correct the quantity of the release in Plex",
    ("PO1", 4): "Correct the price in Plex",
    ("POC", 6): "Correct the price in Plex",
    ("IT1", 4): "Correct the price in Plex",
    ("CTP", 3): "Correct the price in Plex",
    ("CUR", 2): "Correct the currency of the order in Plex",
    ("TD5", 5): 'Correct "ship via" of the order in Plex',
    ("PID", 5): "Correct the description of the line or part in Plex",
    ("MSG", 1): "Correct the note in Plex",
    ("MTX", 2): "Correct the note in Plex",
    ("NTE", 2): "Correct the note in Plex",
    ("N3", 1): "Correct the street",
    ("N3", 2): "Correct the street",
    ("N4", 1): "Correct the city",
    ("N4", 2): "Correct the state",
    ("N4", 3): "Correct the postal code",
    ("N4", 4): "Correct the country",
    ("N1", 2): "Correct the name",
    ("TDS", 1): "Correct the invoice in Plex",
}
"""Fix for a value that does not fit, by segment and position."""

_TERMS_KEYS = {
    1: ("type", _OPEN),
    2: ("basis_date", _OPEN),
    3: ("discount_percent", "0"),
    5: ("discount_days", "0"),
    7: ("net_days", "30"),
    12: ("description", _OPEN),
}
"""ITD elements by key in `terms`, with a sample value."""

_LINES = (("PO1",), ("POC",), ("IT1",))
_SENT_AT: dict[str, tuple[tuple[str, ...], ...]] = {
    **dict.fromkeys(("CUR", "FOB", "ITD", "TD5"), ((),)),
    **dict.fromkeys(("SCH", "PID"), _LINES),
    "DTM": ((), *_LINES),
}
"""Loops in which a segment is sent, if not evident from the segment itself."""

_ADDRESS_KEYS = {("N1", 2): "name", ("N3", 1): "street", ("N3", 2): "street", ("N4", 1): "city", ("N4", 2): "state"}
_ADDRESS_KEYS |= {("N4", 3): "postal_code", ("N4", 4): "country"}
_SUPPLIER_ROLES = ("SU", "VN", "SE")
_PER_ORDER = frozenset(
    {"SAC", "TXI", "TAX", "AMT", "QTY", "SLN", "SDQ", "LIN", "CTP", "MEA", "PO3", "PO4", "MAN", "TC2"}
)
"""Segments whose content differs per order or line, so that a constant in the guide is wrong."""
_PER_ORDER_ELEMENTS = frozenset(
    {("BEG", 6), ("BCH", 7), ("BCH", 8), ("BCH", 9), ("N9", 2), ("N9", 3), ("BIG", 5), ("BIG", 6), ("BIG", 10)}
)
_UNITS = frozenset({("PO1", 3), ("POC", 5), ("IT1", 3), ("SCH", 2)})


def advice_for_missing(need: Need, sources: Sources) -> str:
    """Fix for a value that the guide requires and the document does not have."""
    segment_id = need.segment_id
    start = ITEM_PAIRS_FROM.get(segment_id)
    if start is not None and need.position >= start:
        return items_advice(need, sources)
    sent_at = _SENT_AT.get(segment_id)
    if sent_at is not None and need.path not in sent_at:
        where = "in the heading" if () in sent_at else "at the lines"
        return f"PlexStedi sends {segment_id} {where} only: {_OPTIONAL}; {_SAME}"
    if segment_id in ("N1", "N2", "N3", "N4"):
        return _party(need, sources)
    known = _KNOWN.get(segment_id)
    found = known(need, sources) if known is not None else None
    return found if found is not None else _unknown(need)


def advice_for_misfit(need: Need, value: str, sources: Sources) -> str:
    """Fix for a value that the guide does not accept; `need.codes` are the accepted ones."""
    where = segment_id, position = need.segment_id, need.position
    start = ITEM_PAIRS_FROM.get(segment_id)
    ask = "or ask the supplier to accept it"
    if start is not None and position >= start:
        return f"Correct the part number in Plex, {ask}"
    if where in _UNITS and need.codes:
        return _unit(need, sources)
    if where in (("PO1", 2), ("POC", 3), ("IT1", 2), ("SCH", 1)):
        return f"{_FIELDS[where]}, or order it in a smaller unit there"
    if where in (("BEG", 1), ("BCH", 1)):
        return _purpose(value, sources)
    if where in (("N1", 3), ("N1", 4)):
        return _party(need, sources)
    if segment_id in ("N1", "N3", "N4"):
        own = _party_table(need.party, sources)
        at = f"in [{own}]" if own else "of the supplier in Plex"
        return f"{_FIELDS.get(where, 'Correct it')} {at}, {ask}"
    if segment_id == "REF":
        table = sources.table("references")
        return f"{sentence(write(table, need.code or 'IA', _OPEN))} as the guide requires it, {ask}"
    if need.codes and (known := _KNOWN.get(segment_id)) is not None and (found := known(need, sources)) is not None:
        return found
    return f"{_FIELDS.get(where, 'Correct it in Plex or in the settings')}, {ask}"


def advice_for_contradiction(need: Need, theirs: str, sources: Sources) -> str:
    """Fix if the guide accepts only another value (`theirs`, its first element) than the order has."""
    facts, settings = sources.facts, sources.settings
    match need.segment_id:
        case "FOB" if facts.freight:
            setting = write(sources.table("freight_terms"), facts.freight, quoted(theirs))
            others = [name for name, code in settings.freight_terms.items() if code == theirs]
            plex = f'set the freight terms of the order to "{others[0]}" in Plex' if others else "correct them in Plex"
            return f"If {theirs} is what the supplier means by them: {setting}; otherwise {plex}"
        case "CUR":
            return f"Order in {theirs} in Plex, or ask the supplier to accept this currency"
        case "TD5":
            return f'Set "ship via" of the order to "{theirs}" in Plex, or ask the supplier to accept the order\'s'
        case "ITD" if facts.terms:
            return (
                f"Correct [{sources.table('terms', facts.terms)}] to what the guide accepts, if that is agreed; or "
                "set other payment terms of the order in Plex"
            )
        case _:
            return "Correct the order in Plex, or ask the supplier to accept its values"


def no_place_advice(segment_id: str, sources: Sources, *, full: bool = False) -> str:
    """Fix for a required segment without a place in the guide. `full`: the guide allows fewer of them."""
    if full and segment_id in ("PO1", "POC", "IT1"):
        return "Split the order in Plex, or ask the supplier to accept more lines"
    if full and segment_id == "SCH":
        setting = write(sources.table("850"), "schedule", quoted("lines"))
        return f"Split the line in Plex, or, where the guide has dates at the lines, {setting}"
    return f"Ask the supplier for {segment_id} in the guide: without it the order has another meaning"


def _unknown(need: Need) -> str:
    """Fix if no setting provides it: a constant in the guide, only for what is the same in every order."""
    definition = segment_def(need.segment_id, "004010")
    element = definition.element(need.position) if definition is not None else None
    changes = need.segment_id in _PER_ORDER or (need.segment_id, need.position) in _PER_ORDER_ELEMENTS
    if changes or (element is not None and element.kind not in ("", "C001", "C040")):
        return f"PlexStedi has no value for it, and it changes from order to order: {_OPTIONAL}"
    return f"PlexStedi has no value for it: {_OPTIONAL}; {_SAME}"


def _begin(need: Need, sources: Sources) -> str | None:
    where = need.segment_id, need.position
    if where in (("BEG", 7), ("BCH", 14)) and where == ("BEG", 7):
        code = quoted(need.codes[0]) if need.codes else quoted("AC")
        return sentence(write(sources.table(), "acknowledgment_type", code)) + _or_one_of(need.codes)
    if where in (("BEG", 4), ("BCH", 4)):
        if sources.facts.blanket and sources.settings.releases.value != "order-per-release":
            setting = write(sources.table(), "releases", quoted("order-per-release"))
            return f"Only a release that is sent as a separate order has a number: {setting}, or {_OPTIONAL}"
        return f"Only a release of a blanket order that is sent separately has a number: {_OPTIONAL}"
    if where in (("BEG", 2), ("BCH", 2)):
        return f"Set po_type in [{sources.table(sources.set_id)}]{_or_one_of(need.codes)}"
    return None


def _purpose(value: str, sources: Sources) -> str:
    if value == "01":
        return "The guide does not accept cancellations: inform the supplier outside EDI and accept the hold"
    if value == "05":
        return (
            "The guide does not accept replacement orders: "
            f'{write(sources.table(), "change_orders", quoted("860"))}, or "hold"'
        )
    return "Replay it with a --purpose that the guide accepts"


def _reference(need: Need, sources: Sources) -> str | None:
    if need.path not in ((), *_LINES):
        return f"PlexStedi sends references in the heading and at the lines only: {_OPTIONAL}; {_SAME}"
    if need.position > 2:
        return None
    codes = [code for code in need.codes if code not in sources.settings.references] or list(need.codes)
    setting = write(sources.table("references"), codes[0] if codes else "IA", _OPEN)
    return f"{sentence(setting)}{_or_one_of(codes)}; if it changes from order to order, {_OPTIONAL}"


def _freight(need: Need, sources: Sources) -> str | None:
    if need.position > 1:
        return None
    code = need.codes[0] if need.codes else "PP"
    name = sources.facts.freight
    if name:
        setting = write(sources.table("freight_terms"), name, quoted(code))
        return f'Define in `freight_terms` what "{name}" is: {setting}{_or_one_of(need.codes)}'
    setting = write(sources.table("freight_terms"), "Plex name", quoted(code))
    plex = "Set the freight terms of the order in Plex, and map them in `freight_terms`"
    return f"{plex}: {setting}{_or_one_of(need.codes)}"


def _terms(need: Need, sources: Sources) -> str | None:
    name = sources.facts.terms
    key, value = _TERMS_KEYS.get(need.position or 1, ("", ""))
    if not key:
        return f"PlexStedi has no value for it, and it changes with the terms: {_OPTIONAL}"
    if need.codes:
        value = quoted(need.codes[0])
    if not name:
        setting = write(sources.table("terms", "Plex name"), key, value)
        return f"Set the payment terms of the order in Plex, and map them in `terms`: {setting}{_or_one_of(need.codes)}"
    setting = write(sources.table("terms", name), key, value)
    return f'Define in `terms` what "{name}" is: {setting}{_or_one_of(need.codes)}'


def _date(need: Need, sources: Sources) -> str | None:
    if need.segment_id == "DTM" and need.position > 2:
        return None
    codes = need.codes
    ours = not codes or any(code in codes for code in sources.due_codes)
    if ours:
        if not need.path and sources.facts.line_dues:
            return "The lines have different due dates: set the due date of the order in Plex, or split the order"
        what = "order" if not need.path else "release"
        return f"Set the due date of the {what} in Plex"
    open_codes = [code for code in codes if code not in OTHER_DATES]
    if not open_codes:
        return f"Plex has no such date: {_OPTIONAL}"
    setting = write(sources.table(sources.set_id), "due_qualifier", quoted(open_codes[0]))
    word = f"If {' or '.join(open_codes)} is the guide's qualifier for our due date: {setting}"
    return f"{word}; otherwise Plex has no such date: {_OPTIONAL}"


def _note(need: Need, sources: Sources) -> str:
    what = "order" if not need.path or need.path == ("N9",) else "line"
    return f"Write a note on the {what} in Plex, or {_OPTIONAL}"


def _currency(need: Need, sources: Sources) -> str | None:
    return f"Set the currency of the order in Plex{_or_one_of(need.codes)}" if need.position in (0, 1, 2) else None


def _routing(need: Need, sources: Sources) -> str | None:
    if need.position not in (0, 5):
        return None
    return f'Set "ship via" of the order in Plex{_or_one_of(need.codes)}'


def _description(need: Need, sources: Sources) -> str | None:
    if need.position not in (0, 1, 5):
        return None
    return "Set the description of the line or part in Plex"


def _contact(need: Need, sources: Sources) -> str:
    return f"PlexStedi sends no contacts: {_OPTIONAL}; {_SAME}"


def _amount(need: Need, sources: Sources) -> str:
    return (
        "The amount is sent as AMT TT where it is known exactly: price each line in Plex per unit of its order;"
        f" Plex has no other amounts: {_OPTIONAL}"
    )


def _line(need: Need, sources: Sources) -> str | None:
    if (need.segment_id, need.position) in (("PO1", 5), ("POC", 7), ("IT1", 5)):
        # A different basis would change the price, so no setting is proposed that replaces one by the other.
        taken = need.codes[0] if need.codes else "its basis"
        return (
            f"Plex's price is per {sources.unit_name(need)}: ask the supplier to accept PE "
            f"(each){_or_one_of(need.codes)}; or price the line in Plex in a unit that `units` maps with "
            f"price_basis {taken}"
        )
    return None


def _unit(need: Need, sources: Sources) -> str:
    taken = need.codes[0] if need.codes else "EA"
    name = sources.unit_name(need)
    setting = write(sources.table("units"), name, f'{{unit = "{taken}", factor = {_OPEN}}}')
    text = f"{sentence(setting)} (how many {taken} one {name} is"
    return f"{text}; accepted: {', '.join(need.codes[:12])}); or order it in another unit in Plex"


def _party(need: Need, sources: Sources) -> str:
    role = need.party or (need.codes[0] if need.codes else "")
    where = need.segment_id, need.position
    at_line = any(loop in need.path for loop in ("PO1", "POC", "IT1"))
    if at_line and role != "ST":
        return f"PlexStedi sends no party but ST at the lines: {_OPTIONAL}; {_SAME}"
    table = _party_table(role, sources)
    if role == "ST" and not sources.facts.ship_to and not need.given:
        return "Set the ship-to of the order in Plex"
    if role in _SUPPLIER_ROLES and sources.set_id != "810":
        return _supplier_party(need, sources)
    if table is None:
        return f"PlexStedi sends the parties ST, SU (or VN, SE), BY and BT: {_OPTIONAL}; {_SAME}"
    if where in (("N1", 3), ("N1", 4)):
        return _party_code(need, table, "code")
    key = _ADDRESS_KEYS.get(where, "name" if need.segment_id == "N1" else "")
    if need.segment_id in ("N3", "N4") and not need.position:
        key = "street" if need.segment_id == "N3" else "city"
    if not key:
        return f"PlexStedi has no value for it: {_OPTIONAL}; {_SAME}"
    value = f"[{_OPEN}, {_OPEN}]" if where == ("N3", 2) else _OPEN
    if need.codes and where != ("N1", 2) and need.segment_id != "N1":
        value = quoted(need.codes[0])
    return sentence(write(table, key, value))


def _party_code(need: Need, table: str, own: str) -> str:
    """N103 and N104: 92 is a code assigned by us, 1 a D-U-N-S number; no other code is available."""
    if not need.codes or "92" in need.codes:
        return sentence(write(table, own, _OPEN))
    if "1" in need.codes:
        return sentence(write(table, "duns", _OPEN))
    return "PlexStedi knows codes of parties as 92 (our own) and 1 (DUNS): ask the supplier to accept one of them"


def _supplier_party(need: Need, sources: Sources) -> str:
    if need.segment_id == "N1" and need.position in (3, 4):
        return _party_code(need, sources.table(), "supplier_account")
    if need.segment_id in ("N3", "N4"):
        return "Set the supplier's address in Plex"
    if need.segment_id == "N1" and need.position in (0, 1, 2):
        return f"Set the supplier's name in Plex, or {write(sources.table(), 'supplier_account', _OPEN)}"
    return f"PlexStedi has no value for it: {_OPTIONAL}; {_SAME}"


def _party_table(role: str | None, sources: Sources) -> str | None:
    """Settings table of a party's name, codes and address; None if the party is not from the settings."""
    own = _SUPPLIER_ROLES if sources.set_id == "810" else ("BY", "BT")
    if role in own or (sources.set_id == "810" and role == "RI"):
        return "company"
    if role == "ST":
        return sources.table("ship_to", sources.facts.ship_to or "Plex name")
    return None


def _or_one_of(codes: Sequence[str]) -> str:
    return f" (accepted: {', '.join(codes[:12])})" if codes else ""


_KNOWN = {
    "BEG": _begin,
    "BCH": _begin,
    "REF": _reference,
    "FOB": _freight,
    "ITD": _terms,
    "DTM": _date,
    "SCH": _date,
    "N9": _note,
    "MSG": _note,
    "MTX": _note,
    "NTE": _note,
    "CUR": _currency,
    "TD5": _routing,
    "PID": _description,
    "PER": _contact,
    "AMT": _amount,
    "PO1": _line,
    "POC": _line,
    "IT1": _line,
}
"""Source of the values of each segment that builders send."""
