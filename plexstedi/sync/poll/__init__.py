"""From Plex into the state: orders, receipts, invoices."""
