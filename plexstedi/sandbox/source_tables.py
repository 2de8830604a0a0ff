"""The tables `[plex.datasources]` of a configuration that reaches the sandbox's Plex through data sources alone."""

from __future__ import annotations

import json
from collections.abc import Mapping

_WINDOW = {"begin": "Begin_Date", "end": "End_Date"}
_ORDER = {"order": "PO_Key"}
_LISTED = {"order": "PO_Key", "number": "PO_No", "modified_at": "Update_Date", "created_at": "Add_Date"}
_DATES = {"begin", "end", "order_date", "invoice_date", "created_at", "modified_at", "due", "received_at"}
_TABLES: tuple[tuple[str, int | None, Mapping[str, str], Mapping[str, str]], ...] = (
    ("company", 382, {}, {"code": "Plexus_Customer_Code"}),
    ("changed_orders", 19022, _WINDOW, _LISTED),
    ("created_orders", 21338, _WINDOW, _LISTED),
    ("open_orders", 2874, {}, {"order": "PO_Key", "number": "PO_No"}),
    (
        "order", 3827, _ORDER,
        {
            "order": "PO_Key", "number": "PO_No", "supplier": "Supplier_No",
            "supplier_address": "Supplier_Address_No", "status": "PO_Status", "order_date": "PO_Date",
            "created_at": "Add_Date", "modified_at": "Update_Date", "due": "Due_Date", "currency": "Currency_Code",
            "type": "PO_Type", "blanket": "Blanket_Order", "terms": "Terms", "freight_terms": "Freight_Terms",
            "fob": "FOB", "ship_via": "Ship_Via", "ship_to": "Ship_To", "note": "Note",
        },
    ),
    (
        "lines", 6197, _ORDER,
        {
            "order": "PO_Key", "line_key": "Line_Item_Key", "line": "Line_Item_No", "status": "Status", "unit": "Unit",
            "order_unit": "Order_Unit", "price": "Unit_Price", "part": "Part_No", "revision": "Revision",
            "supplier_part": "Supplier_Part_No", "manufacturer_part": "Manufacturer_Part_No",
            "description": "Description", "note": "Note", "blanket_quantity": "Blanket_Quantity",
        },
    ),
    (
        "releases", 6200, _ORDER,
        {
            "line_key": "Line_Item_Key", "release_key": "Release_No", "release": "Release_Line_No",
            "status": "Release_Status", "quantity": "Quantity", "due": "Due_Date", "ship_to": "Ship_To",
            "note": "Note", "modified_at": "Update_Date",
        },
    ),
    ("suppliers", 126, {}, {"supplier": "Supplier_No", "code": "Supplier_Code", "name": "Name"}),
    (
        "addresses", 107, {"supplier": "Supplier_No"},
        {
            "supplier": "Supplier_No", "address": "Supplier_Address_No", "street": "Address", "city": "City",
            "state": "State", "postal_code": "Zip", "country": "Country",
        },
    ),
    (
        "order_statuses", 20, {},
        {
            "status": "PO_Status", "onOrder": "On_Order", "cancelled": "Cancelled", "received": "Received",
            "active": "Active",
        },
    ),
    (
        "release_statuses", 2769, {},
        {
            "status": "Release_Status", "open": "Open", "cancelled": "Cancelled", "received": "Received",
            "forecast": "Forecast", "planStatus": "Plan_Status", "partial": "Partial",
        },
    ),
    (
        "receipts", 15303, _WINDOW,
        {
            "receipt": "Receipt_Key", "order": "PO_Key", "line_key": "Line_Item_Key", "release_key": "Release_No",
            "quantity": "Quantity", "received_at": "Receive_Date",
        },
    ),
    (
        "invoices", 21287, _WINDOW,
        {
            "invoice": "Invoice_Link", "number": "Invoice_No", "customer": "Customer_Code",
            "invoice_date": "Invoice_Date", "created_at": "Created_Date", "modified_at": "Updated_Date",
            "booked": "Booked", "void": "Void", "customer_order": "Customer_PO_No", "currency": "Currency_Code",
            "terms": "Terms", "due": "Due_Date", "total": "Amount",
        },
    ),
    (
        "invoice_lines", 735, {"invoice": "Invoice_Link"},
        {
            "invoice": "Invoice_Link", "line": "Line_No", "quantity": "Quantity", "price": "Unit_Price",
            "unit": "Unit", "amount": "Amount", "part": "Part_No", "description": "Description",
            "tax": "Tax_Code", "tax_amount": "Tax_Amount",
        },
    ),
    (
        "release_write", 2770,
        {
            "line_key": "Line_Item_Key", "release_key": "Release_No", "note": "Note", "due": "Due_Date",
            "quantity": "Quantity", "status": "Release_Status",
        },
        {},
    ),
)  # fmt: skip

RECORD_TABLES = """
[plex.datasources.acknowledgment_write]
id = 28809
constants = { Acknowledgement_Source_Key = 2 }

[plex.datasources.acknowledgment_write.inputs]
line_key = "Line_Item_Key"
release_key = "Release_No"
acknowledged_at = "Acknowledged_Date"
ack_note = "Acknowledgement_Note"
ack_status = "Acknowledgement_Type_Key"

[plex.datasources.acknowledgment_write.values.ack_status]
confirmed = 1
changed = 2
backordered = 2
rejected = 3

[plex.datasources.acknowledgment_read]
id = 16518
inputs = { order = "PO_Key" }

[plex.datasources.acknowledgment_read.columns]
line_key = "Line_Item_Key"
release_key = "Release_No"
acknowledged_at = "Acknowledged_Date"
ack_note = "Note"
ack_status = "Acknowledgement_Type_Key"
"""
"""The two tables of acknowledgment records, with our names of the keys."""


def source_tables(dates: str | None = None) -> list[str]:
    """All tables that are read, and the one that changes releases, as TOML. `dates`: the form of text dates."""
    lines = []
    for name, number, inputs, columns in _TABLES:
        lines += [f"[plex.datasources.{name}]", *([] if number is None else [f"id = {number}"])]
        lines += [f"{kind} = {_table(each)}" for kind, each in (("inputs", inputs), ("columns", columns)) if each]
        if dates is not None and not _DATES.isdisjoint((*inputs, *columns)):
            lines.append(f"dates = {json.dumps(dates)}")
        lines.append("")
    return lines


def _table(names: Mapping[str, str]) -> str:
    return "{ " + ", ".join(f'{ours} = "{theirs}"' for ours, theirs in names.items()) + " }"
