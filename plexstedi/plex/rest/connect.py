"""Plex Connect: the vendor's current interface, with collection and version in each path (plex/README.md 4 to 6)."""

from __future__ import annotations

from plexstedi.plex.rest.dialect import Dialect

CONNECT = Dialect(
    name="connect",
    paths={
        "tenants": "/mdm/v1/tenants",
        "orders": "/purchasing/v1/purchase-orders",
        "order": "/purchasing/v1/purchase-orders/{order}",
        "lines": "/purchasing/v1/purchase-orders/{order}/line-items",
        "releases": "/purchasing/v2-beta1/releases",
        "release": "/purchasing/v2-beta1/releases/{release}",
        "order_statuses": "/purchasing/v1/purchase-order-statuses",
        "release_statuses": "/purchasing/v1/release-statuses",
        "receipts": "/purchasing/v1/receipts",
        "invoices": "/accounting/v1/ar-invoices",
        "suppliers": "/mdm/v1/suppliers",
        "supplier": "/mdm/v1/suppliers/{supplier}",
        "supplier_addresses": "/mdm/v1/suppliers/{supplier}/addresses",
        "approved_suppliers": "/purchasing/v1/approved-suppliers",
        "parts": "/mdm/v1/parts",
        "supply_items": "/mdm/v1/supply-items",
        "standard_objects": "/platform/custom-fields/v1/standard-objects",
        "field_definitions": "/platform/custom-fields/v1/field-definitions",
        "field_values_search": "/platform/custom-fields/v1/field-values/search",
        "field_values_save": "/platform/custom-fields/v1/field-values/save",
        "ids_to_keys": "/platform/identity-mappings/v1/ids-to-keys",
    },
    filters={
        "modified_begin": "modifiedDateBegin",
        "modified_end": "modifiedDateEnd",
        "created_begin": "createdDateBegin",
        "created_end": "createdDateEnd",
        "received_begin": "receiveDateBegin",
        "received_end": "receiveDateEnd",
        # The filter's default is unknown (plex/README.md 5.2), so both of its values are queried.
        "active": "active",
        # The same for these two filters of invoices; `paid=3` means all (plex/README.md 6).
        "void": "void",
        "paid": "paid",
        "order_status": "status",
        "order_ids": "id",
        "release_order_ids": "pOId",
        "approved_supplier": "supplierId",
        "part_ids": "id",
        "supply_item_ids": "id",
        "standard_object": "standardObjectName",
    },
    aliases={},
    ids_per_call=50,
)
