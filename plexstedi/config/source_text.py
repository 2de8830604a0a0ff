"""The tables `[plex.datasources]` that `init` writes: our names with a guess of Plex's, each to be confirmed.

Plex's names are not public; the guesses are those of its Classic tables. With live metadata they are chosen among the
names that the tenant's data sources really have.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches

import tomli_w
from msgspec import Struct

from plexstedi.config.datasource_tables import TABLES, default_id

__all__ = ["LiveSource", "source_text", "tables_to_write", "wanted_name", "with_sources"]

_SIMILAR = 0.85
_SHOWN = 25
_CONFIRM = "# confirm"
_WINDOW = {"begin": ("Begin_Date", "Start_Date", "From_Date", "Date_From"), "end": ("End_Date", "To_Date", "Date_To")}
_ORDER_KEY = ("PO_Key", "Purchase_Order_Key")
_LINE_KEY = ("Line_Item_Key", "PO_Line_Key")
_LISTED = {
    "order": _ORDER_KEY,
    "number": ("PO_No", "PO_Number"),
    "modified_at": ("Update_Date", "Updated_Date", "Modified_Date"),
    "created_at": ("Add_Date", "Created_Date", "Create_Date"),
}
_SUPPLIER = ("Supplier_No", "Supplier_Key")
_FLAGS = {
    "receive": ("Receive",),
    "active": ("Active",),
    "default": ("Default",),
    "includeInMrp": ("Include_In_MRP",),
    "cancelled": ("Cancelled", "Cancelled_Status"),
    "release": ("Release",),
    "onOrder": ("On_Order",),
    "received": ("Received",),
    "partial": ("Partial",),
    "forecast": ("Forecast",),
    "planStatus": ("Plan_Status",),
    "mrpAutoChange": ("MRP_Auto_Change",),
    "open": ("Open",),
    "immediateStatus": ("Immediate_Status",),
}
_GUESSES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "company": {"code": ("Plexus_Customer_Code", "Customer_Code")},
    "changed_orders": _WINDOW | _LISTED,
    "created_orders": _WINDOW | _LISTED,
    "open_orders": _LISTED,
    "order": _LISTED
    | {
        "supplier": _SUPPLIER,
        "status": ("PO_Status", "Status"),
        "order_date": ("PO_Date", "Ordered_Date"),
        "due": ("Due_Date",),
        "currency": ("Currency_Code", "Currency"),
        "type": ("PO_Type", "Type"),
        "blanket": ("Blanket_Order", "Blanket"),
        "terms": ("Terms",),
        "freight_terms": ("Freight_Terms", "PO_Freight_Terms"),
        "fob": ("FOB",),
        "ship_via": ("Ship_Via", "PO_Ship_Via"),
        "ship_to": ("Ship_To", "PO_Ship_To"),
        "note": ("Note", "PO_Note"),
        "supplier_address": ("Supplier_Address_No", "Supplier_Address_Key"),
    },
    "lines": {
        "order": _ORDER_KEY,
        "line_key": _LINE_KEY,
        "line": ("Line_Item_No",),
        "status": ("Status", "Line_Item_Status"),
        "unit": ("Unit",),
        "price": ("Unit_Price", "Price"),
        "order_unit": ("Order_Unit",),
        "part": ("Part_No",),
        "revision": ("Revision", "Part_Revision"),
        "item": ("Item_No",),
        "supplier_part": ("Supplier_Part_No",),
        "manufacturer_part": ("Manufacturer_Part_No", "Manufacturer_No"),
        "description": ("Description",),
        "note": ("Note", "Line_Item_Note"),
        "blanket_quantity": ("Blanket_Quantity",),
    },
    "releases": {
        "order": _ORDER_KEY,
        "line_key": _LINE_KEY,
        "release_key": ("Release_No", "Release_Key"),
        "release": ("Release_Line_No", "Release_No"),
        "status": ("Release_Status", "Status"),
        "quantity": ("Quantity", "Release_Quantity"),
        "due": ("Due_Date",),
        "ship_to": ("Ship_To", "PO_Ship_To"),
        "note": ("Note",),
        "modified_at": ("Update_Date", "Updated_Date"),
    },
    "suppliers": {
        "supplier": _SUPPLIER,
        "code": ("Supplier_Code", "Code"),
        "name": ("Name", "Supplier_Name"),
    },
    "addresses": {
        "supplier": _SUPPLIER,
        "address": ("Supplier_Address_No", "Supplier_Address_Key", "Address_No"),
        "name": ("Address_Name", "Name"),
        "street": ("Address", "Street"),
        "street2": ("Address2", "Street2"),
        "city": ("City",),
        "state": ("State",),
        "postal_code": ("Zip", "Postal_Code"),
        "country": ("Country",),
    },
    "order_statuses": {"status": ("PO_Status", "Status")} | _FLAGS,
    "line_statuses": {"status": ("Line_Item_Status", "Status")} | _FLAGS,
    "release_statuses": {"status": ("Release_Status", "Status")} | _FLAGS,
    "receipts": _WINDOW
    | {
        "receipt": ("Receipt_Key",),
        "order": _ORDER_KEY,
        "line_key": _LINE_KEY,
        "release_key": ("Release_No", "Release_Key"),
        "quantity": ("Quantity",),
        "received_at": ("Receive_Date",),
    },
    "release_write": {
        "line_key": _LINE_KEY,
        "release_key": ("Release_No", "Release_Key"),
        "note": ("Note",),
        "due": ("Due_Date",),
        "quantity": ("Quantity",),
        "status": ("Release_Status", "Status"),
    },
}
"""By table: our name to Plex's likely names, the likeliest first."""
_SEARCHES: Mapping[str, str] = {
    "company": "Customer_Name_Code",
    "changed_orders": "PO_Line_Item_Release",
    "created_orders": "POs_for_Created_Date",
    "open_orders": "Open_PO",
    "order": "PO_Detail",
    "lines": "Line_Item_Get",
    "releases": "Releases_Get",
    "suppliers": "Suppliers_Get",
    "addresses": "Supplier_Address",
    "order_statuses": "PO_Statuses",
    "line_statuses": "Line_Item_Status",
    "release_statuses": "Release_Statuses",
    "receipts": "Receipts_Get",
    "release_write": "Release_Update",
    "invoices": "Invoices_for_Created_Date",
    "invoice_lines": "Invoice_Dist",
}
"""By table: a part of the name of its data source in Plex's catalogue."""
_DEFINING: Mapping[str, tuple[str, ...]] = {
    "releases": ("note",),
    "order_statuses": ("onOrder", "cancelled", "received"),
    "line_statuses": ("cancelled",),
    "release_statuses": ("open", "cancelled", "received", "forecast", "planStatus"),
}
"""Columns that are optional, but without which statuses mean nothing, or nothing can be written."""


class LiveSource(Struct, frozen=True):
    """A table's data source as the tenant's Plex has it; `refused`: why it cannot be used, then nothing is known."""

    id: int
    name: str = ""
    inputs: Mapping[str, bool] | None = None
    """By name: whether it is required. None: not known."""
    columns: frozenset[str] | None = None
    """None: not known."""
    refused: str = ""


def wanted_name(table: str) -> str:
    """A part of the name of this table's data source, to search for where its number is not known or not granted."""
    return _SEARCHES[table]


def tables_to_write(*, write: str) -> tuple[str, ...]:
    """The tables that a first configuration has."""
    return tuple(table for table in _GUESSES if table != "release_write" or write == "releases")


def source_text(tables: Iterable[str], live: Mapping[str, LiveSource]) -> str:
    """These tables as TOML, each name with a mark for confirmation. Pure."""
    lines = [
        "# Written by `plexstedi init`: compare each name with your Plex and delete its mark. `plexstedi check`",
        "# names what Plex lacks; a name that is commented out is optional.",
    ]
    for table in tables:
        lines += ["", *_table(table, live.get(table))]
    return "\n".join(lines) + "\n"


def with_sources(config: str, text: str) -> str:
    """The configuration with these tables below `[plex.datasources]`."""
    header = "\n[plex.datasources]\n"
    if header not in config:
        raise ValueError("the configuration has no [plex.datasources]")
    return config.replace(header, f"{header}{text}\n", 1)


def _table(name: str, live: LiveSource | None) -> Iterator[str]:
    number = live.id if live is not None else default_id(name)
    if number is None:
        yield f"# [plex.datasources.{name}]: write the id of a data source of your Plex, such as {_SEARCHES[name]}."
        return
    refused = "" if live is None else live.refused
    lines = list(_lines(name, number, live))
    if refused:
        yield f"# {refused}"
    off = bool(refused) and not TABLES[name].required and name != "release_write"
    yield from (f"#{line}" if off and line and not line.startswith("#") else line for line in lines)


def _lines(name: str, number: int, live: LiveSource | None) -> Iterator[str]:
    table, known = TABLES[name], live is not None and bool(live.name)
    yield f"[plex.datasources.{name}]"
    yield f"id = {number}" + (f"  {_CONFIRM}: {live.name}" if live is not None and live.name else "")
    inputs = None if live is None or live.inputs is None else set(live.inputs)
    columns = None if live is None or not live.columns else live.columns
    asked = [key for key in table.inputs if key in _GUESSES[name]]
    if name == "releases" and inputs is not None and _found(_GUESSES[name]["order"], inputs) is not None:
        asked.remove("line_key")
    elif name == "releases":
        asked = ["order"]
    mapped: dict[str, str] = {}
    needed = {choice[0] for choice in table.one_of}
    yield from _names(name, "inputs", asked, inputs, needed, mapped)
    if known and live is not None and live.inputs is not None:
        missing = sorted(each for each, required in live.inputs.items() if required and each not in mapped.values())
        yield from (f"# confirm: Plex requires the input {each} too; write it in `constants`." for each in missing)
    asked = [key for key in (*table.needed, *table.columns) if key in _GUESSES[name]]
    yield from _names(name, "columns", asked, columns, {*table.needed, *_DEFINING.get(name, ())}, {})


def _names(
    table: str,
    kind: str,
    asked: list[str],
    known: Collection[str] | None,
    needed: Collection[str],
    mapped: dict[str, str],
) -> Iterator[str]:
    """The lines of `inputs` or `columns`; what was mapped is put into `mapped`."""
    if not asked:
        return
    yield f"[plex.datasources.{table}.{kind}]"

    found = None if known is None else _matched(table, asked, known)
    for ours in asked:
        candidates = _GUESSES[table][ours]
        theirs = candidates[0] if found is None else found.get(ours)
        if theirs is not None:
            mapped[ours] = theirs
            # Unknown names are not put in force: a column that Plex does not have stops each run.
            off = "" if known is not None or kind == "inputs" or ours in needed else "#"
            yield f"{off}{_entry(ours, theirs)}  {_CONFIRM}"
        elif ours in needed:
            has = ", ".join(sorted(known or ())[:_SHOWN]) or "none"
            yield f"{_entry(ours, candidates[0])}  {_CONFIRM}: Plex has no such name; it has {_plain(has)}"
        else:
            yield f"#{_entry(ours, candidates[0])}  {_CONFIRM}: Plex has no such name"


def _matched(table: str, asked: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """Our names that Plex has, however spelled; what is left is matched by similarity with names not yet taken."""
    found = {ours: theirs for ours in asked if (theirs := _found(_GUESSES[table][ours], known)) is not None}
    for ours in asked:
        if ours not in found:
            spelled = {_normalized(name): name for name in sorted(set(known) - set(found.values()))}
            near = get_close_matches(_normalized(_GUESSES[table][ours][0]), spelled, n=1, cutoff=_SIMILAR)
            if near:
                found[ours] = spelled[near[0]]
    return found


def _found(candidates: Iterable[str], known: Collection[str]) -> str | None:
    """The known name that is one of these, however spelled; None if there is none."""
    spelled = {_normalized(name): name for name in sorted(known)}
    return next((spelled[name] for name in map(_normalized, candidates) if name in spelled), None)


def _normalized(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def _plain(text: str) -> str:
    """Text of Plex within a comment: one line, nothing that ends it."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _entry(key: str, value: str) -> str:
    return tomli_w.dumps({key: value}).rstrip("\n")
