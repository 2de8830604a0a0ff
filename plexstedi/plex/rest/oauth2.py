"""The `oauth2` dialect: the same resources, without collection and version in the path (DESIGN.md section 5)."""

from __future__ import annotations

from plexstedi.plex.rest.dialect import Dialect

OAUTH2 = Dialect(
    name="oauth2",
    paths={
        "tenants": "/tenants",
        "orders": "/purchase-orders",
        "order": "/purchase-orders/{order}",
        "lines": "/purchase-orders/{order}/line-items",
        "releases": "/purchase-order-releases",
        "release": "/purchase-order-releases/{release}",
        "order_statuses": "/purchase-order-statuses",
        "release_statuses": "/release-statuses",
        "receipts": "/receipts",
        "invoices": "/ar-invoices",
        "suppliers": "/suppliers",
        "supplier": "/suppliers/{supplier}",
        "supplier_addresses": "/suppliers/{supplier}/addresses",
        "parts": "/parts",
        "supply_items": "/supply-items",
    },
    filters={
        "modified_begin": "modified_date_begin",
        "modified_end": "modified_date_end",
        "created_begin": "created_date_begin",
        "created_end": "created_date_end",
        "received_begin": "receive_date_begin",
        "received_end": "receive_date_end",
        "active": "active",
        "void": "void",
        "paid": "",
        "order_status": "",
        "order_ids": "",
        "release_order_ids": "purchase_order_id",
        "part_ids": "id",
        "supply_item_ids": "id",
    },
    aliases={
        "ponumber": ("purchaseordernumber",),
        "poid": ("purchaseorderid",),
        "polineitemid": ("purchaseorderlineitemid", "lineitemid"),
        "podate": ("purchaseorderdate",),
        "poshipto": ("shipto",),
        "lineitemnumber": ("linenumber", "lineitemno"),
        "releaselinenumber": ("releasenumber",),
    },
    ids_per_call=1,
)
