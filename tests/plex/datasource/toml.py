"""A configuration whose tables are those of `FakeSources`."""

TABLES_TOML = """
[plex]
api = "datasource"
base_url = "https://acme.on.plex.com"
[plex.auth]
username = "ACME.webservice@plex.com"
company_code = "ACME"
[plex.acknowledgments]
write = "report-only"
[plex.datasources.company]
columns = { code = "Plexus_Customer_Code" }
[plex.datasources.changed_orders]
inputs = { begin = "Begin_Date", end = "End_Date" }
columns = { order = "PO_Key" }
[plex.datasources.created_orders]
inputs = { begin = "Begin", end = "End" }
columns = { order = "PO_Key" }
[plex.datasources.open_orders]
columns = { order = "PO_Key", number = "PO_No" }
[plex.datasources.order]
inputs = { order = "PO_Key" }
[plex.datasources.order.columns]
order = "PO_Key"
number = "PO_No"
supplier = "Supplier_No"
status = "PO_Status"
order_date = "PO_Date"
created_at = "Add_Date"
[plex.datasources.lines]
inputs = { order = "PO_Key" }
columns = { line_key = "Line_Item_Key", line = "Line_Item_No", status = "Status", unit = "Unit", price = "Unit_Price" }
[plex.datasources.releases]
inputs = { order = "PO_Key" }
[plex.datasources.releases.columns]
line_key = "Line_Item_Key"
release_key = "Release_Key"
release = "Release_No"
status = "Release_Status"
quantity = "Quantity"
due = "Due_Date"
[plex.datasources.suppliers]
columns = { supplier = "Supplier_No", code = "Supplier_Code", name = "Name" }
"""
